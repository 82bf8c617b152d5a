/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the image: a directory of the container each, which begins as a copy of what the image has
 * at its path. A copy is renamed to its place when it is whole, so one that was interrupted is made
 * again, and one that is there is never touched. */
#include "backend/process/linux/helper/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "layer/layer.h"
#include "platform/file.h"
#include "platform/tree.h"

/* ---- Filling ------------------------------------------------------------------------------------ */

static int32_t go_on(wc_error **err)
{
    return link_cancelled() ? wci_err(err, WC_E_CANCELLED, "the caller gave it up") : WC_OK;
}

/* *out is WCI_FD_NONE when the image has nothing there. */
static int32_t open_source(wci_fd root, const char *path, wci_fd *out, wc_error **err)
{
    wci_file_info info;
    *out = WCI_FD_NONE;
    int32_t rc = wci_tree_resolve(root, path, out, err);
    if (rc == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        return WC_OK;
    }
    if (!rc)
        rc = wci_fd_info(*out, &info, err);
    if (!rc && info.type != WCI_FILE_DIRECTORY)
        rc = wci_err(err, WC_E_INVALID, "it is a file, and a volume is a directory; mount something there instead");
    return rc;
}

static int32_t copy_to(wci_fd source, const char *target, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = wci_dir_make_new(target, 0755, err);
    if (rc || source == WCI_FD_NONE)
        return rc;
    rc = wci_tree_open_root(target, &dir, err);
    if (!rc)
        rc = wci_tree_copy(source, dir, go_on, err);
    wci_fd_close(dir);
    return rc;
}

static int32_t make_copy(wci_fd root, const char *path, const char *place, const char *beside, wc_error **err)
{
    wci_fd source = WCI_FD_NONE;
    int32_t rc = wci_dir_remove_all(beside, err);
    if (!rc)
        rc = open_source(root, path, &source, err);
    if (!rc)
        rc = copy_to(source, beside, err);
    if (!rc)
        rc = wci_file_rename(beside, place, err);
    wci_fd_close(source);
    return rc;
}

static int32_t fill_one(const request *req, wci_fd root, const char *dir, size_t number, wc_error **err)
{
    char *place = wci_asprintf("%s/%zu", dir, number);
    char *beside = wci_asprintf("%s/%zu.part", dir, number);
    const char *path = req->volumes.items[number];
    int32_t rc = place && beside ? WC_OK : wci_err_nomem(err);
    if (!rc && !wci_file_exists(place)) {
        rc = make_copy(root, path, place, beside, err);
        if (rc && rc != WC_E_CANCELLED)
            rc = wci_err_wrap(err, rc, "volume '%s' of the image", path);
    }
    wci_free(place);
    wci_free(beside);
    return rc;
}

int32_t volumes_fill(const request *req, wc_error **err)
{
    if (!req->volumes.count)
        return WC_OK;
    wci_fd root = WCI_FD_NONE;
    char *dir = wci_path_join(req->state_dir, "volumes");
    int32_t rc = dir ? wci_dir_make(dir, 0711, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_tree_open_root(WCI_RUN_ROOTFS, &root, err);
    for (size_t i = 0; !rc && i < req->volumes.count; i++)
        rc = fill_one(req, root, dir, i, err);
    wci_fd_close(root);
    wci_free(dir);
    return rc;
}

/* ---- Mounting ----------------------------------------------------------------------------------- */

/* `path` below the root, its last component made when it is not there. */
static int32_t open_level(wci_fd root, const char *path, wci_fd *out, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_tree_resolve(root, path, out, &why);
    if (rc != WC_E_NOT_FOUND)
        return rc ? wci_err_move(err, why) : WC_OK;
    wci_err_clear(&why);
    const char *name = strrchr(path, '/') + 1;
    char *above = wci_strndup(path, (size_t)(name - path));
    wci_fd parent = WCI_FD_NONE;
    rc = above ? wci_tree_resolve(root, above, &parent, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_tree_make_dir(parent, name, 0755, err);
    if (!rc)
        rc = wci_tree_open_dir(parent, name, out, err);
    wci_fd_close(parent);
    wci_free(above);
    return rc;
}

/* Where a volume is to be: paths in the configuration are absolute and without dots. */
static int32_t open_point(wci_fd root, const char *path, wci_fd *out, wc_error **err)
{
    int32_t rc = WC_OK;
    *out = WCI_FD_NONE;
    for (const char *end = path; !rc && *end;) {
        end += 1 + strcspn(end + 1, "/");
        char *level = wci_strndup(path, (size_t)(end - path));
        wci_fd_close(*out);
        *out = WCI_FD_NONE;
        rc = level ? open_level(root, level, out, err) : wci_err_nomem(err);
        wci_free(level);
    }
    return rc;
}

static int32_t mount_one(const request *req, wci_fd root, size_t number, wc_error **err)
{
    char target[40];
    wci_fd point = WCI_FD_NONE;
    char *source = wci_asprintf("%s/volumes/%zu", req->state_dir, number);
    int32_t rc = source ? open_point(root, req->volumes.items[number], &point, err) : wci_err_nomem(err);
    snprintf(target, sizeof target, "/proc/self/fd/%d", (int)point);
    if (!rc && mount(source, target, NULL, MS_BIND, NULL) != 0)
        rc = wci_err_errno(err, errno, "cannot be mounted");
    wci_fd_close(point);
    wci_free(source);
    return rc ? wci_err_wrap(err, rc, "volume '%s' of the image", req->volumes.items[number]) : WC_OK;
}

static size_t depth(const char *path)
{
    size_t n = 0;
    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* Parents before what is mounted in them. */
int32_t volumes_mount(const request *req, wc_error **err)
{
    wci_fd root = WCI_FD_NONE;
    size_t left = req->volumes.count;
    int32_t rc = left ? wci_tree_open_root(WCI_RUN_ROOTFS, &root, err) : WC_OK;
    for (size_t level = 1; !rc && left; level++)
        for (size_t i = 0; !rc && i < req->volumes.count; i++)
            if (depth(req->volumes.items[i]) == level) {
                rc = mount_one(req, root, i, err);
                left--;
            }
    wci_fd_close(root);
    return rc;
}
