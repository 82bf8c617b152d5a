/* SPDX-License-Identifier: Apache-2.0 */
#include "container/files.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/view.h"
#include "platform/owners.h"
#include "platform/tree.h"

/* ---- Out ---------------------------------------------------------------------------------------- */

/* The last component is not followed: a link is copied as a link. */
static int32_t pack(const wci_rootfs *rootfs, char *path, const wci_sink *to, wc_error **err)
{
    const char *parent, *name;
    char *inside = NULL, *whole = NULL;
    wci_archive_split(path, &parent, &name);
    int32_t rc = wci_rootfs_resolve(rootfs, parent, &inside, err);
    if (!rc && !(whole = *inside && *name ? wci_path_join(inside, name) : wci_strdup(*name ? name : inside)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_view_pack(rootfs->levels, rootfs->count, whole, *name ? name : ".", to, NULL, err);
    wci_free(whole);
    wci_free(inside);
    return rc;
}

int32_t wci_files_get(wci_engine *engine, const wci_container_record *record, const char *path, const wci_sink *to,
                      wc_error **err)
{
    wci_rootfs rootfs = {NULL, 0, 0};
    char *copy = wci_strdup(path);
    int32_t rc = copy ? wci_ctr_rootfs(engine, record, &rootfs, err) : wci_err_nomem(err);
    if (!rc)
        rc = pack(&rootfs, copy, to, err);
    wci_rootfs_free(&rootfs);
    wci_free(copy);
    return rc;
}

/* ---- In ----------------------------------------------------------------------------------------- */

/* Owner and mode are the view's. Somebody else may be making it, too. */
static int32_t make_like(wci_fd parent, const char *name, const wci_node_info *like, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_tree_make_dir(parent, name, like->mode, &why);
    if (rc == WC_E_EXISTS) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    if (wci_owners_kept())
        rc = wci_tree_chown(parent, name, like->uid, like->gid, err);
    return rc ? rc : wci_tree_chmod(parent, name, like->mode, err);
}

/* Goes from *dir into `name`, which the view has as the directory `path`. */
static int32_t enter(const wci_rootfs *rootfs, wci_fd *dir, const char *name, const char *path, wc_error **err)
{
    wci_found found = WCI_FOUND_NOTHING;
    wci_place place = WCI_PLACE_NONE;
    wci_fd next = WCI_FD_NONE;
    int32_t rc = wci_view_look(rootfs->levels, rootfs->count, path, &found, &place, err);
    wci_place_close(&place);
    if (!rc && found != WCI_FOUND_ENTRY)
        rc = wci_err(err, WC_E_NOT_FOUND, "path '/%s': was removed meanwhile", path);
    if (!rc)
        rc = make_like(*dir, name, &place.info, err);
    if (!rc)
        rc = wci_tree_open_dir(*dir, name, &next, err);
    if (!rc) {
        wci_fd_close(*dir);
        *dir = next;
    }
    return rc;
}

/* Opens the directory `inside` of the upper directory; what lacks is made like the view's. */
static int32_t open_upper(const wci_rootfs *rootfs, const char *state_dir, const char *inside, wci_fd *out,
                          wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    char *path = wci_asprintf("upper/%s", inside);
    int32_t rc = path ? wci_tree_open_root(state_dir, &dir, err) : wci_err_nomem(err);
    for (char *name = path; !rc && *name;) {
        size_t size = strcspn(name, "/");
        char *end = name + size, was = *end;
        *end = '\0';
        rc = enter(rootfs, &dir, name, name == path ? "" : path + strlen("upper/"), err);
        *end = was;
        name = end + (was != '\0');
    }
    wci_free(path);
    if (rc)
        wci_fd_close(dir);
    else
        *out = dir;
    return rc;
}

static int32_t unpack(const wci_rootfs *rootfs, const char *state_dir, const char *path, const wci_source *from,
                      wc_error **err)
{
    wci_file_info info;
    wci_unpack_stats stats = {0};
    wci_fd dir = WCI_FD_NONE;
    char *inside = NULL;
    int32_t rc = wci_rootfs_info(rootfs, path, &inside, &info, err);
    if (!rc && info.type != WCI_FILE_DIRECTORY)
        rc = wci_err(err, WC_E_INVALID, "'%s': not a directory in the container", path);
    if (!rc)
        rc = open_upper(rootfs, state_dir, inside, &dir, err);
    if (!rc)
        rc = wci_tar_apply(from, dir, WCI_APPLY_KEEP_OWNER, &wci_limits_default, NULL, &stats, err);
    wci_strv_free(&stats.skipped);
    wci_fd_close(dir);
    wci_free(inside);
    return rc;
}

int32_t wci_files_put(wci_engine *engine, const wci_container_record *record, const char *path,
                      const wci_source *from, wc_error **err)
{
    wci_rootfs rootfs = {NULL, 0, 0};
    char *state_dir = wci_container_dir(engine->store, record->id);
    int32_t rc = state_dir ? wci_ctr_rootfs(engine, record, &rootfs, err) : wci_err_nomem(err);
    if (!rc)
        rc = unpack(&rootfs, state_dir, path, from, err);
    wci_rootfs_free(&rootfs);
    wci_free(state_dir);
    return rc;
}
