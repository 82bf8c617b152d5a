/* SPDX-License-Identifier: Apache-2.0 */
/* staging/<name>/ with staging/<name>.lock beside it: as long as the lock is held somebody works
 * there, afterwards anybody may remove it, with the lock in hand. The lock comes before the directory
 * and goes after it. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"

static char *lock_path(const wci_store *store, const char *name)
{
    return wci_asprintf("%s/" WCI_DIR_STAGING "/%s.lock", store->root, name);
}

int32_t wci_scratch_claim(const wci_store *store, const char *name, wci_lock **out, wc_error **err)
{
    char *path = lock_path(store, name);
    int32_t rc = path ? wci_lock_try(path, WCI_LOCK_EXCLUSIVE, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

/* A name and its lock. A prune that sees the file before it is locked takes it for a dead owner's, and
 * its lock for a moment: then another name will do. */
static int32_t take_name(wci_scratch *s, wc_error **err)
{
    for (;;) {
        int32_t rc = wci_random_hex(16, s->name, err);
        if (rc)
            return rc;
        rc = wci_scratch_claim(s->store, s->name, &s->lock, err);
        if (rc != WC_E_BUSY)
            return rc;
        wci_err_clear(err);
    }
}

int32_t wci_scratch_new(wci_store *store, wci_scratch *out, wc_error **err)
{
    wci_scratch s = {.store = store};
    int32_t rc = wci_store_check_fork(store, err);
    if (!rc)
        rc = take_name(&s, err);
    if (rc)
        return rc;
    s.dir = wci_store_path(store, WCI_DIR_STAGING, s.name);
    rc = s.dir ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = wci_dir_make_new(s.dir, 0700, err);
    if (rc) {
        wci_lock_release_remove(s.lock);
        wci_free(s.dir);
        return rc;
    }
    *out = s;
    return WC_OK;
}

void wci_scratch_free(wci_scratch *scratch)
{
    if (scratch->dir && wci_store_is_ours(scratch->store)) {
        wci_dir_remove_all(scratch->dir, NULL);
        wci_lock_release_remove(scratch->lock);
    }
    wci_free(scratch->dir);
    *scratch = (wci_scratch){.store = NULL};
}

int wci_scratch_is_owned(const wci_store *store, const char *name)
{
    char *path = lock_path(store, name);
    int owned = !path || wci_lock_is_held(path);
    wci_free(path);
    return owned;
}
