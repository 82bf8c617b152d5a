/* SPDX-License-Identifier: Apache-2.0 */
/* Opening. One wci_store per root and process, however many contexts use it. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/owners.h"
#include "platform/process.h"
#include "store/internal.h"

/* Two connections of two SQLite copies in one process would lose each other's locks; within one
 * copy one connection is enough. */
static wci_global_mutex registry_mutex;
static wci_store *registry;

/* A fork that happened while another thread was at work here or in SQLite left this child locks that
 * nobody will give back. Judged once, before anything else of this process is at work. */
static int32_t check_process(const char *root, wc_error **err)
{
    static int64_t judged;
    static int usable;
    if (judged != wci_fork_id()) {
        usable = !wci_db_in_use();
        judged = wci_fork_id();
    }
    if (usable)
        return WC_OK;
    return wci_err(err, WC_E_FORKED,
                   "store: '%s': this process was forked while another thread worked on a store; run "
                   "a program in the child before opening one",
                   root);
}

static wci_store *find_open(const char *root)
{
    for (wci_store *s = registry; s; s = s->next)
        if (strcmp(s->root, root) == 0 && wci_store_is_ours(s))
            return s;
    return NULL;
}

/* SQLite would go on with the connection that the parent has, without its locks, which are not
 * inherited. */
static void close_inherited(const char *root)
{
    for (wci_store *s = registry; s; s = s->next) {
        if (strcmp(s->root, root) != 0 || wci_store_is_ours(s))
            continue;
        wci_db_close(s->db);
        s->db = NULL;
    }
}

static void forget(wci_store *store)
{
    for (wci_store **at = &registry; *at; at = &(*at)->next) {
        if (*at == store) {
            *at = store->next;
            return;
        }
    }
}

static void destroy(wci_store *store)
{
    wci_db_close(store->db);
    wci_lock_release(store->schema_lock);
    wci_lock_release_remove(store->host_lock);
    wci_owners_drop();
    wci_free(store->root);
    wci_free(store->run_root);
    wci_free(store->uuid);
    wci_free(store);
}

/* A prune takes every such lock that is free, for a moment; who has the store open keeps it. */
static int32_t try_host_lock(const char *path, wci_lock **out, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, out, err);
    for (int attempt = 0; rc == WC_E_BUSY && attempt < 50; attempt++) {
        wci_err_clear(err);
        rc = wci_call_sleep_ms(&call, 1, err);
        if (!rc)
            rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, out, err);
    }
    return rc;
}

static int32_t lock_host(wci_store *store, wc_error **err)
{
    int64_t pid = wci_host_pid();
    char *path = wci_asprintf("%s/" WCI_DIR_HOSTS "/%lld-%lld", store->root, (long long)pid,
                              (long long)wci_host_process_start(pid));
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = try_host_lock(path, &store->host_lock, err);
    wci_free(path);
    if (rc != WC_E_BUSY)
        return rc;
    wci_err_clear(err);
    return wci_err(err, WC_E_BUSY,
                   "store: '%s': a second copy of this library in the same process has it open; "
                   "load the library once",
                   store->root);
}

static int32_t check_fs(const char *root, wc_error **err)
{
    uint64_t free_bytes, total_bytes;
    const char *name = "";
    int32_t rc = wci_fs_info(root, &free_bytes, &total_bytes, &name, err);
    return rc ? rc : wci_layout_check_fs(root, name, err);
}

static int32_t open_parts(wc_call *call, wci_store *store, wc_error **err)
{
    int32_t rc = WC_OK;
    if (!(store->flags & WCI_STORE_HELPER)) {
        rc = check_fs(store->root, err);
        if (!rc)
            rc = wci_layout_make(store->root, store->run_root, err);
        if (!rc)
            rc = lock_host(store, err);
    }
    if (rc)
        return rc;
    wci_reserve_open(store);
    int filled = wci_stdio_fill(); /* SQLite would do so itself, and leave it */
    rc = wci_schema_open(call, store, err);
    wci_stdio_release(filled);
    return rc || store->flags & WCI_STORE_HELPER ? rc : wci_ids_check(call, store, err);
}

static int32_t open_new(wc_call *call, const char *root, const char *run_root, int flags,
                        wci_store **out, wc_error **err)
{
    wci_store *store = wci_calloc(1, sizeof *store);
    if (!store)
        return wci_err_nomem(err);
    wci_ref_init(&store->refs);
    wci_owners_hold();
    store->flags = flags;
    store->fork_id = wci_fork_id();
    store->root = wci_strdup(root);
    store->run_root = wci_strdup(run_root);
    int32_t rc = store->root && store->run_root ? open_parts(call, store, err) : wci_err_nomem(err);
    if (rc)
        destroy(store);
    else
        *out = store;
    return rc;
}

static int32_t share(wci_store *store, const char *run_root, wci_store **out, wc_error **err)
{
    if (strcmp(store->run_root, run_root) != 0)
        return wci_err(err, WC_E_INVALID,
                       "store: '%s': this process has it open with the run directory '%s'; use "
                       "the same one",
                       store->root, store->run_root);
    wci_ref_take(&store->refs);
    *out = store;
    return WC_OK;
}

static int32_t open_and_register(wc_call *call, const char *root, const char *run_root, int flags,
                                 wci_store **out, wc_error **err)
{
    wci_store *store = NULL;
    wci_db_enter();
    close_inherited(root);
    int32_t rc = open_new(call, root, run_root, flags, &store, err);
    if (!rc) {
        store->next = registry;
        registry = store;
        *out = store;
    }
    wci_db_leave();
    return rc;
}

static int32_t open_shared(wc_call *call, const char *root, const char *run_root, int flags,
                           wci_store **out, wc_error **err)
{
    wci_global_lock(&registry_mutex);
    int32_t rc = check_process(root, err);
    wci_store *store = rc ? NULL : find_open(root);
    if (store)
        rc = share(store, run_root, out, err);
    else if (!rc)
        rc = open_and_register(call, root, run_root, flags, out, err);
    wci_global_unlock(&registry_mutex);
    return rc;
}

/* The paths as everybody sees them; makes the directories when absent. */
static int32_t cannot_make(const char *what, const char *path, int32_t code, wc_error **err)
{
    return code == WC_E_PERMISSION
               ? wci_err_wrap(err, code, "%s '%s': closed to this user; be the one whom the store belongs to, or choose "
                                         "another root", what, path)
               : wci_err_wrap(err, code, "%s", what);
}

static int32_t resolve(const char *what, const char *path, char **out, wc_error **err)
{
    wci_file_info info;
    int32_t rc = wci_path_real(path, out, NULL);
    if (rc) {
        rc = wci_dir_make(path, 0700, err);
        return rc ? cannot_make(what, path, rc, err) : wci_path_real(path, out, err);
    }
    if (!wci_file_info_of(*out, &info, NULL) && info.type != WCI_FILE_DIRECTORY)
        return wci_err(err, WC_E_INVALID, "%s '%s': is not a directory; name one", what, path);
    return WC_OK;
}

int32_t wci_store_open(wc_call *call, const char *root, const char *run_root, int flags,
                       wci_store **out, wc_error **err)
{
    if (flags & WCI_STORE_HELPER)
        return open_new(call, root, run_root, flags, out, err);
    char *real_root = NULL, *real_run_root = NULL;
    int32_t rc = resolve("root of the store", root, &real_root, err);
    if (!rc)
        rc = resolve("run directory", run_root, &real_run_root, err);
    if (!rc)
        rc = open_shared(call, real_root, real_run_root, flags, out, err);
    wci_free(real_root);
    wci_free(real_run_root);
    return rc;
}

wci_store *wci_store_ref(wci_store *store)
{
    if (store) {
        wci_global_lock(&registry_mutex);
        wci_ref_take(&store->refs);
        wci_global_unlock(&registry_mutex);
    }
    return store;
}

/* In a forked child database and locks are the parent's, and the record of them stays: whoever opens
 * the store here has to know of the connection. */
void wci_store_unref(wci_store *store)
{
    if (!store || !wci_store_is_ours(store))
        return;
    wci_global_lock(&registry_mutex);
    if (wci_ref_drop(&store->refs)) {
        wci_db_enter();
        forget(store);
        destroy(store);
        wci_db_leave();
    }
    wci_global_unlock(&registry_mutex);
}

const char *wci_store_root(const wci_store *store)
{
    return store->root;
}

const char *wci_store_run_root(const wci_store *store)
{
    return store->run_root;
}

const char *wci_store_uuid(const wci_store *store)
{
    return store->uuid;
}

int wci_store_is_ours(const wci_store *store)
{
    return store->fork_id == wci_fork_id();
}

int32_t wci_store_check_fork(const wci_store *store, wc_error **err)
{
    if (wci_store_is_ours(store))
        return WC_OK;
    return wci_err(err, WC_E_FORKED,
                   "store: '%s': it was opened before this process was forked; open it again here",
                   store->root);
}

int32_t wci_tx_begin(wci_store *store, const wc_call *call, wci_tx_kind kind, wc_error **err)
{
    int32_t rc = wci_store_check_fork(store, err);
    if (!rc && kind != WCI_TX_READ && !store->writable)
        rc = wci_err(err, WC_E_VERSION,
                     "store: '%s': a newer version of the library has converted it, this one can "
                     "only read it; use a newer library",
                     store->root);
    if (!rc && kind != WCI_TX_READ)
        wci_reserve_check(store);
    return rc ? rc : wci_db_begin(store->db, call, kind, err);
}

int32_t wci_tx_end(wci_store *store, int32_t rc, wc_error **err)
{
    int wake = store->wake_readers;
    store->wake_readers = 0;
    rc = wci_db_end(store->db, rc, err);
    if (!rc && wake)
        wci_event_wake(store);
    return rc;
}
