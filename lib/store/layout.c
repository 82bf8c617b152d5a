/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie in the root, and on which file systems a root may lie. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

static int32_t make_below(const char *parent, const char *name, wc_error **err)
{
    char *path = wci_path_join(parent, name);
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = wci_dir_make(path, 0700, err);
    wci_free(path);
    return rc;
}

static int32_t make_wake_file(const char *root, wc_error **err)
{
    char *path = wci_path_join(root, WCI_FILE_WAKE);
    if (!path)
        return wci_err_nomem(err);
    wci_fd fd = WCI_FD_NONE;
    int32_t rc = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &fd, err);
    wci_fd_close(fd);
    wci_free(path);
    return rc;
}

int32_t wci_layout_make(const char *root, const char *run_root, wc_error **err)
{
    static const char *const dirs[] = {
        WCI_DIR_BLOBS "/sha256", WCI_DIR_BLOBS "/sha512", WCI_DIR_INGEST,     WCI_DIR_TREES,
        WCI_DIR_LINKS,           WCI_DIR_STAGING,         WCI_DIR_CONTAINERS, WCI_DIR_LOCKS,
        WCI_DIR_HOLDS,           WCI_DIR_HOSTS,           WCI_DIR_QUARANTINE, WCI_DIR_VOLUMES};
    int32_t rc = WC_OK;
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !rc; i++)
        rc = make_below(root, dirs[i], err);
    if (!rc)
        rc = make_below(run_root, WCI_DIR_CONTAINERS, err);
    return rc ? rc : make_wake_file(root, err);
}

int32_t wci_layout_check_fs(const char *root, const char *fs_name, wc_error **err)
{
    /* Their locks end at the host, or SQLite's shared memory does not work on them. */
    static const char *const refused[] = {"nfs",    "nfs4", "cifs",  "smb2",  "smb3",  "smbfs",
                                          "9p",     "v9fs", "afs",   "coda",  "ncpfs", "ceph",
                                          "lustre", "gfs2", "ocfs2", "vboxsf"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(fs_name, refused[i]) == 0)
            return wci_err(err, WC_E_UNSUPPORTED,
                           "store: '%s': it lies on %s, where locks between processes cannot be "
                           "relied upon; choose a directory on a local file system",
                           root, fs_name);
    return WC_OK;
}

char *wci_store_path(const wci_store *store, const char *dir, const char *name)
{
    return wci_path_join3(store->root, dir, name);
}

int32_t wci_store_lock(wc_call *call, const wci_store *store, const char *prefix, const wci_digest *digest,
                       wci_lock **out, wc_error **err)
{
    char *path = wci_store_lock_path(store, prefix, digest);
    int32_t rc = path ? wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

char *wci_store_lock_path(const wci_store *store, const char *prefix, const wci_digest *digest)
{
    return wci_asprintf("%s/" WCI_DIR_LOCKS "/%s%s-%s", store->root, prefix,
                        wci_digest_algo_name(digest), wci_digest_hex(digest));
}

char *wci_container_dir(wci_store *store, const char *id)
{
    return wci_path_join3(store->root, WCI_DIR_CONTAINERS, id);
}

char *wci_container_run_dir(wci_store *store, const char *id)
{
    return wci_path_join3(store->run_root, WCI_DIR_CONTAINERS, id);
}

char *wci_event_wake_path(wci_store *store)
{
    return wci_path_join(store->root, WCI_FILE_WAKE);
}
