/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/tree.h"

static int32_t wrap(const volume *v, int32_t rc, wc_error **err)
{
    if (!rc || rc == WC_E_CANCELLED)
        return rc;
    return wci_err_wrap(err, rc, "%s '%s' at '%s'", v->type, *v->name ? v->name : v->source, v->target);
}

/* Where it lies; owned. */
static char *lies_at(const request *req, const volume *v)
{
    if (!strcmp(v->type, "bind"))
        return wci_strdup(v->source);
    return !strcmp(v->type, "image") || *v->fs_type ? volume_place(req, v) : wci_path_join(v->source, "data");
}

/* ---- Preparing ---------------------------------------------------------------------------------- */

static int32_t prepare_one(const request *req, const volume *v, wci_fd root, int fill, wc_error **err)
{
    char *base = lies_at(req, v), *place = volume_place(req, v);
    int32_t rc = base && place ? volume_mount_place(req, v, err) : wci_err_nomem(err);
    if (!rc && fill && v->copy)
        rc = volume_fill(req, v, root, base, err);
    if (!rc)
        rc = volume_mount_subpath(req, v, base, err);
    if (!rc)
        rc = volume_give(req, v, *v->subpath ? place : base, err);
    wci_free(base);
    wci_free(place);
    return wrap(v, rc, err);
}

static int32_t mark_filled(const char *path, wc_error **err)
{
    wci_fd file = WCI_FD_NONE;
    int32_t rc = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &file, err);
    wci_fd_close(file);
    return rc;
}

int32_t volumes_prepare(const request *req, wc_error **err)
{
    if (!req->volume_count)
        return WC_OK;
    wci_fd root = WCI_FD_NONE;
    char *mark = wci_path_join(req->state_dir, VOLUMES_FILLED);
    int fill = mark && !wci_file_exists(mark);
    int32_t rc = mark ? wci_tree_open_root(WCI_RUN_ROOTFS, &root, err) : wci_err_nomem(err);
    for (size_t i = 0; !rc && i < req->volume_count; i++)
        rc = prepare_one(req, &req->volumes[i], root, fill, err);
    if (!rc && fill)
        rc = mark_filled(mark, err);
    wci_fd_close(root);
    wci_free(mark);
    return rc;
}

/* ---- Mounting ----------------------------------------------------------------------------------- */

static int32_t make_point(wci_fd parent, const char *name, int is_dir, wci_fd *out, wc_error **err)
{
    if (!is_dir)
        return wci_tree_create_file(parent, name, 0644, out, err);
    int32_t rc = wci_tree_make_dir(parent, name, 0755, err);
    return rc ? rc : wci_tree_open_dir(parent, name, out, err);
}

/* `path` below the root, its last component made when it is not there. */
static int32_t open_level(wci_fd root, const char *path, int is_dir, wci_fd *out, wc_error **err)
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
        rc = make_point(parent, name, is_dir, out, err);
    wci_fd_close(parent);
    wci_free(above);
    return rc;
}

/* Where it is to be: paths in the configuration are absolute and without dots. */
static int32_t open_point(wci_fd root, const char *path, int is_dir, wci_fd *out, wc_error **err)
{
    int32_t rc = WC_OK;
    *out = WCI_FD_NONE;
    for (const char *end = path; !rc && *end;) {
        end += 1 + strcspn(end + 1, "/");
        char *level = wci_strndup(path, (size_t)(end - path));
        wci_fd_close(*out);
        *out = WCI_FD_NONE;
        rc = level ? open_level(root, level, is_dir || *end, out, err) : wci_err_nomem(err);
        wci_free(level);
    }
    return rc;
}

static int32_t mount_on(const volume *v, wci_fd root, const char *source, wc_error **err)
{
    char target[40];
    wci_fd point = WCI_FD_NONE, mounted = WCI_FD_NONE;
    wci_file_info info;
    if (!strcmp(v->type, "bind") && !wci_file_exists(source)) /* a container that does not run can do without it */
        return WC_OK;
    int32_t rc = wci_file_info_of(source, &info, err);
    if (!rc)
        rc = open_point(root, v->target, info.type == WCI_FILE_DIRECTORY, &point, err);
    snprintf(target, sizeof target, "/proc/self/fd/%d", (int)point);
    if (!rc && mount(source, target, NULL, MS_BIND | MS_REC, NULL) != 0)
        rc = wci_err_errno(err, errno, "cannot be mounted");
    if (!rc && v->read_only) /* the descriptor is of what lies under it by now */
        rc = wci_tree_resolve(root, v->target, &mounted, err);
    snprintf(target, sizeof target, "/proc/self/fd/%d", (int)mounted);
    if (!rc && v->read_only && mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
        rc = wci_err_errno(err, errno, "cannot be made read-only");
    wci_fd_close(mounted);
    wci_fd_close(point);
    return rc;
}

static int32_t mount_one(const request *req, const volume *v, wci_fd root, wc_error **err)
{
    char *source = volume_has_place(v) ? volume_place(req, v) : lies_at(req, v);
    int32_t rc = source ? mount_on(v, root, source, err) : wci_err_nomem(err);
    wci_free(source);
    return wrap(v, rc, err);
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
    size_t left = req->volume_count;
    int32_t rc = left ? wci_tree_open_root(WCI_RUN_ROOTFS, &root, err) : WC_OK;
    for (size_t level = 1; !rc && left; level++)
        for (size_t i = 0; !rc && i < req->volume_count; i++)
            if (depth(req->volumes[i].target) == level) {
                rc = mount_one(req, &req->volumes[i], root, err);
                left--;
            }
    wci_fd_close(root);
    return rc;
}
