/* SPDX-License-Identifier: Apache-2.0 */
#include "container/image_mount.h"

#include <string.h>

#include <jansson.h>

#include "container/rootfs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "platform/mount.h"

/* ---- Mounting ------------------------------------------------------------------------------------- */

static int is_inside(const char *path, const char *dir)
{
    size_t size = strlen(dir);
    size -= size && dir[size - 1] == '/'; /* only the root has one */
    return !strncmp(path, dir, size) && (!path[size] || path[size] == '/');
}

static int32_t check_target(wci_store *store, const char *path, wc_error **err)
{
    wci_file_info info;
    int32_t code = wci_file_info_of(path, &info, err);
    if (!code && info.type != WCI_FILE_DIRECTORY)
        code = wci_err(err, WC_E_INVALID, "'%s': is no directory", path);
    if (!code && is_inside(path, wci_store_root(store)))
        code = wci_err(err, WC_E_INVALID, "'%s': is in the store; mount it elsewhere", path);
    if (!code && is_inside(wci_store_root(store), path))
        code = wci_err(err, WC_E_INVALID, "'%s': has the store below it, which the mount would hide; mount it elsewhere",
                       path);
    return code;
}

/* One mount of ours for each place; what is left of others is forgotten. */
static int32_t check_free(wci_store *store, const char *path, wc_error **err)
{
    wci_mount_record *there = NULL;
    size_t count = 0;
    int deleted = 0;
    int32_t code = wci_mount_list(store, path, &there, &count, err);
    for (size_t i = 0; i < count && !code; i++)
        code = there[i].state == WCI_MOUNT_GONE
                   ? wci_mount_delete(store, there[i].source, &deleted, err)
                   : wci_err(err, WC_E_EXISTS, "'%s': image '%s' is mounted there; unmount it first", path,
                             there[i].manifest.text);
    wci_mount_records_free(there, count);
    return code;
}

static int32_t mount_layers(wci_store *store, const wci_image_record *image, const char *source, const char *path,
                            wc_error **err)
{
    wci_rootfs rootfs = {NULL, 0, 0};
    wci_strv layers = WCI_STRV_INIT;
    char *empty = NULL;
    int32_t code = wci_mount_empty_dir(store, &empty, err);
    if (!code)
        code = wci_rootfs_open(store, image, NULL, &rootfs, err);
    if (!code)
        code = wci_rootfs_layers(&rootfs, &layers, err);
    if (!code)
        code = wci_overlay_mount_paths(&layers, empty, source, path, wci_store_root(store), err);
    wci_strv_free(&layers);
    wci_rootfs_free(&rootfs);
    wci_free(empty);
    return code;
}

/* Who removed the image meanwhile saw no mount, and took the row with it. */
static int32_t check_kept(wci_store *store, const char *path, const char *source, wc_error **err)
{
    wci_mount_record *there = NULL;
    size_t count = 0;
    int32_t code = wci_mount_list(store, path, &there, &count, err);
    if (!code && (!count || strcmp(there[0].source, source)))
        code = wci_err(err, WC_E_NOT_FOUND, "the image was removed meanwhile");
    wci_mount_records_free(there, count);
    return code;
}

static int32_t mount_recorded(wci_store *store, const wci_image_record *image, const char *path, wc_error **err)
{
    char *source = NULL;
    int deleted;
    const char *name = image->names.count ? image->names.items[0] : "";
    int32_t code = wci_mount_insert(store, path, &image->manifest, name, &source, err);
    if (code)
        return code;
    code = mount_layers(store, image, source, path, err);
    if (!code) {
        code = check_kept(store, path, source, err);
        if (code)
            wci_mount_remove(path, NULL);
    }
    if (code)
        wci_mount_delete(store, source, &deleted, NULL);
    wci_free(source);
    return code;
}

/* What an ordinary user mounts only his own user namespace sees. */
static int32_t cannot_mount(wc_error **err)
{
    return wci_err(err, WC_E_PERMISSION,
                   "mounting needs root, or root of a user namespace with this user's ids: run it and what is to see the "
                   "mount by 'podman unshare'; export and cp give its files without");
}

int32_t wci_image_mount(wc_call *call, wci_store *store, const wci_image_record *image, const char *path,
                        wc_error **err)
{
    const char *shown = image->names.count ? image->names.items[0] : image->config.text;
    wci_hold *hold = NULL;
    wci_lock *lock = NULL;
    char *real = NULL;
    int32_t code = wci_host_is_root() ? WC_OK : cannot_mount(err);
    if (!code)
        code = wci_path_real(path, &real, err);
    if (!code)
        code = check_target(store, real, err);
    if (!code)
        code = wci_hold_new(store, &hold, err);
    if (!code)
        code = wci_hold_image(call, hold, image, err);
    if (!code)
        code = wci_mounts_lock(call, store, &lock, err);
    if (!code)
        code = check_free(store, real, err);
    if (!code)
        code = mount_recorded(store, image, real, err);
    wci_lock_release(lock);
    wci_hold_free(hold);
    wci_free(real);
    return code ? wci_err_wrap(err, code, "image '%s': cannot be mounted on '%s'", shown, path) : WC_OK;
}

/* ---- Unmounting ----------------------------------------------------------------------------------- */

static int32_t unmount(wci_store *store, const wci_mount_record *record, int force, wc_error **err)
{
    int deleted;
    int32_t code = WC_OK;
    if (record->state == WCI_MOUNT_COVERED)
        return wci_err(err, WC_E_IN_USE, "something else is mounted over it; unmount that first");
    if (record->state == WCI_MOUNT_ELSEWHERE && !force)
        return wci_err(err, WC_E_STATE, "it was mounted in another mount namespace, which is not seen from here; unmount it "
                       "there, or forget it by force when that is gone");
    if (record->state == WCI_MOUNT_HERE)
        code = wci_mount_remove(record->path, err);
    return code ? code : wci_mount_delete(store, record->source, &deleted, err);
}

/* The real path, or the text where there is nothing (any more). */
static int32_t find(wci_store *store, const char *path, wci_mount_record **out, size_t *count, wc_error **err)
{
    char *real = NULL;
    int32_t code = wci_path_real(path, &real, NULL);
    if (code)
        code = wci_path_absolute(path, &real, err);
    if (!code)
        code = wci_mount_list(store, real, out, count, err);
    wci_free(real);
    return code;
}

int32_t wci_image_unmount(wci_store *store, const char *path, int force, wc_error **err)
{
    wci_mount_record *list = NULL;
    size_t count = 0;
    int32_t code = find(store, path, &list, &count, err);
    if (!code && !count)
        code = wci_err(err, WC_E_NOT_FOUND, "no image is mounted there");
    if (!code)
        code = unmount(store, &list[0], force, err);
    wci_mount_records_free(list, count);
    return code ? wci_err_wrap(err, code, "'%s': cannot be unmounted", path) : WC_OK;
}

/* ---- Listing -------------------------------------------------------------------------------------- */

static json_t *describe(wci_store *store, const wci_mount_record *record)
{
    wci_image_record *image = NULL;
    const char *name = "";
    if (!wci_image_find(store, record->manifest.text, &image, NULL) && image->names.count)
        name = wci_strv_contains(&image->names, record->name) ? record->name : image->names.items[0];
    json_t *object = json_pack("{s:s, s:s, s:s, s:b}", "Path", record->path, "Image", name, "Digest",
                               record->manifest.text, "Here", record->state != WCI_MOUNT_ELSEWHERE);
    wci_image_record_free(image);
    return object;
}

int32_t wci_image_mounts(wci_store *store, wc_buf **out, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_lock *lock = NULL;
    wci_mount_record *list = NULL;
    size_t count = 0;
    int deleted;
    json_t *array = json_array();
    int32_t code = array ? wci_mounts_lock(&call, store, &lock, err) : wci_err_nomem(err);
    if (!code)
        code = wci_mount_list(store, NULL, &list, &count, err);
    for (size_t i = 0; i < count && !code; i++) {
        if (list[i].state == WCI_MOUNT_GONE)
            code = wci_mount_delete(store, list[i].source, &deleted, err);
        else if (json_array_append_new(array, describe(store, &list[i])))
            code = wci_err_nomem(err);
    }
    if (!code)
        code = wci_json_dump(array, out, err);
    wci_lock_release(lock);
    wci_mount_records_free(list, count);
    json_decref(array);
    return code;
}
