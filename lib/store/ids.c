/* SPDX-License-Identifier: Apache-2.0 */
/* Whose ids the files of a store have. A store of an ordinary user with subordinate ids remembers them: its trees are of
 * use only to who has the same. See platform/owners.h. */
#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/owners.h"
#include "store/internal.h"

static int32_t read_row(wci_store *store, char **ids, int64_t *content, wc_error **err)
{
    int32_t rc = wci_db_get_text(store->db, "SELECT value FROM meta WHERE key = 'ids'", WCI_BIND_NONE, ids, err);
    return rc ? rc
              : wci_db_get_int(store->db,
                               "SELECT (SELECT count(*) FROM trees) + (SELECT count(*) FROM containers) + "
                               "(SELECT count(*) FROM volumes)",
                               WCI_BIND_NONE, 0, content, err);
}

static int32_t look(wc_call *call, wci_store *store, char **ids, int64_t *content, wc_error **err)
{
    int32_t rc = wci_db_begin(store->db, call, WCI_TX_READ, err);
    return rc ? rc : wci_db_end(store->db, read_row(store, ids, content, err), err);
}

/* Somebody else may do it at the same time, with the same ids: the directory is this user's. */
static int32_t remember(wc_call *call, wci_store *store, const char *now, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc
              : wci_tx_end(store,
                           wci_db_run(store->db, "INSERT OR IGNORE INTO meta (key, value) VALUES ('ids', ?)",
                                      WCI_BIND(WCI_TEXT(now)), err),
                           err);
}

static int32_t refuse(const wci_store *store, const char *ids, const char *now, wc_error **err)
{
    return wci_err(err, WC_E_PERMISSION,
                   "store: '%s': its files belong to a user with the ids '%s', here they are %s%s%s; open it as that user, "
                   "give him these ids again in /etc/subuid and /etc/subgid, or choose another root",
                   store->root, ids, *now ? "'" : "", *now ? now : "those of the host", *now ? "'" : "");
}

/* As without subordinate ids, and so it stays: trees of both kinds do not go together. */
static int32_t go_without(const wc_call *call, const wci_store *store, wc_error *why)
{
    wci_log_printf(call->log, WC_LOG_WARN, "store: '%s': files lose their owners, as subordinate ids cannot be used: %s",
                   store->root, why ? wc_error_message(why) : "no reason is known");
    wc_error_unref(why);
    return WC_OK;
}

/* Root of a user namespace may be in one of any kind, with files that somebody shifted for it. */
int32_t wci_ids_check(wc_call *call, wci_store *store, wc_error **err)
{
    char *ids = NULL;
    int64_t content = 0;
    const char *now = wci_owners_text();
    wc_error *why = NULL;
    int32_t rc = look(call, store, &ids, &content, err);
    if (!rc && ids && strcmp(ids, now) != 0)
        rc = refuse(store, ids, now, err);
    else if (!rc && ids)
        wci_owners_keep();
    else if (!rc && *now && !content && store->writable && !wci_host_is_root()) {
        if (wci_owners_try(&why))
            rc = go_without(call, store, why);
        else if (!(rc = remember(call, store, now, err)))
            wci_owners_keep();
    }
    wci_free(ids);
    return rc;
}
