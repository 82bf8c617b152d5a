/* SPDX-License-Identifier: Apache-2.0 */
/* staging/<name>/ with staging/<name>.lock beside it: as long as the lock is held somebody works
 * there, afterwards anybody may remove it. The lock comes before the directory and goes after it.
 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"

static char *lock_path(const wci_store *store, const char *name)
{
    return wci_asprintf("%s/" WCI_DIR_STAGING "/%s.lock", store->root, name);
}

int32_t wci_scratch_new(wci_store *store, wci_scratch *out, wc_error **err)
{
    wci_scratch s = {.store = store};
    int32_t rc = wci_store_check_fork(store, err);
    if (!rc)
        rc = wci_random_hex(16, s.name, err);
    if (rc)
        return rc;
    char *lock = lock_path(store, s.name);
    s.dir = wci_store_path(store, WCI_DIR_STAGING, s.name);
    rc = lock && s.dir ? wci_lock_try(lock, WCI_LOCK_EXCLUSIVE, &s.lock, err) : wci_err_nomem(err);
    wci_free(lock);
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
