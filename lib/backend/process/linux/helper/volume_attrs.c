/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount's flags change of the files in it: 'U' their owner, 'z' and 'Z' their label. Everything goes by
 * descriptor, and no link is followed. */
#include <string.h>

#include "backend/process/linux/helper/volumes.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/tree.h"

#define SELINUX "/sys/fs/selinux/enforce"
#define LABEL "system_u:object_r:container_file_t:s0"
enum { MAX_DEPTH = 256 };

static int32_t give(const request *req, const volume *v, wci_fd dir, const char *name, int is_link, wc_error **err)
{
    int32_t rc = v->owner ? wci_tree_chown(dir, name, req->uid, req->gid, err) : WC_OK;
    if (!rc && *v->label && !is_link && wci_file_exists(SELINUX))
        rc = wci_tree_set_xattr(dir, name, "security.selinux", LABEL, sizeof LABEL, err);
    return rc;
}

static int32_t give_below(const request *req, const volume *v, wci_fd dir, int depth, wc_error **err);

static int32_t give_one(const request *req, const volume *v, wci_fd dir, const char *name, int depth, wc_error **err)
{
    wci_node_info info;
    wci_fd below = WCI_FD_NONE;
    int32_t rc = wci_tree_stat(dir, name, &info, err);
    if (!rc)
        rc = give(req, v, dir, name, info.type == WCI_NODE_SYMLINK, err);
    if (rc || info.type != WCI_NODE_DIR)
        return rc;
    rc = wci_tree_open_dir(dir, name, &below, err);
    if (!rc)
        rc = give_below(req, v, below, depth + 1, err);
    wci_fd_close(below);
    return rc;
}

static int32_t give_below(const request *req, const volume *v, wci_fd dir, int depth, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    if (depth > MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "directories are deeper than %d levels", MAX_DEPTH);
    int32_t rc = wci_tree_list(dir, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++)
        rc = link_cancelled() ? wci_err(err, WC_E_CANCELLED, "the caller gave it up")
                              : give_one(req, v, dir, names.items[i], depth, err);
    wci_strv_free(&names);
    return rc;
}

/* A file of the host by the directory that holds it. */
static int32_t give_file(const request *req, const volume *v, const char *path, wc_error **err)
{
    char *parent = wci_path_parent(path);
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = parent ? wci_tree_open_root(parent, &dir, err) : wci_err_nomem(err);
    if (!rc)
        rc = give(req, v, dir, wci_path_base(path), 0, err);
    wci_fd_close(dir);
    wci_free(parent);
    return rc;
}

int32_t volume_give(const request *req, const volume *v, const char *path, wc_error **err)
{
    wci_file_info info;
    wci_fd root = WCI_FD_NONE;
    if (!v->owner && !*v->label)
        return WC_OK;
    int32_t rc = wci_file_info_of(path, &info, err);
    if (!rc && info.type != WCI_FILE_DIRECTORY)
        return give_file(req, v, path, err);
    if (!rc)
        rc = wci_tree_open_root(path, &root, err);
    if (!rc)
        rc = give(req, v, root, NULL, 0, err);
    if (!rc)
        rc = give_below(req, v, root, 0, err);
    wci_fd_close(root);
    return rc;
}
