/* SPDX-License-Identifier: Apache-2.0 */
#include "container/rootfs.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/tree.h"

/* As the kernel. */
#define MAX_LINKS 40

void wci_rootfs_free(wci_rootfs *rootfs)
{
    for (size_t i = 0; i < rootfs->count; i++) {
        wci_free((char *)rootfs->levels[i].tree);
        wci_free((char *)rootfs->levels[i].records);
        wci_free((char *)rootfs->levels[i].links);
    }
    wci_free(rootfs->levels);
    *rootfs = (wci_rootfs){NULL, 0, 0};
}

/* Takes the texts over. A level without trees is not there at all. */
static int32_t add_level(wci_rootfs *rootfs, char *tree, char *records, char *links, wc_error **err)
{
    if (wci_grow(&rootfs->levels, &rootfs->cap, rootfs->count + 1, sizeof *rootfs->levels)) {
        rootfs->levels[rootfs->count++] = (wci_level){tree, records, links};
        return WC_OK;
    }
    wci_free(tree);
    wci_free(records);
    wci_free(links);
    return wci_err_nomem(err);
}

static int32_t missing(const wci_image_record *image, int32_t rc, wc_error **err)
{
    if (rc != WC_E_NOT_FOUND)
        return rc;
    wci_err_clear(err);
    return wci_err(err, WC_E_CORRUPT, "image '%s': a layer is not unpacked; pull the image again",
                   image->names.count ? image->names.items[0] : image->config.text);
}

static int32_t add_layer(wci_rootfs *rootfs, wci_store *store, const wci_image_record *image,
                         const wci_layer_record *layer, wc_error **err)
{
    char *tree = NULL, *links = NULL;
    int32_t rc = wci_tree_path(store, WCI_TREE_LAYER, &layer->diff_id, &tree, err);
    if (!rc)
        rc = wci_tree_path(store, WCI_TREE_LINKS, &layer->chain_id, &links, err);
    char *parent = !rc && tree ? wci_path_parent(tree) : NULL;
    char *records = parent ? wci_path_join(parent, "records") : NULL;
    wci_free(parent);
    if (!rc && tree && !records)
        rc = wci_err_nomem(err);
    if (!rc && (tree || links))
        return add_level(rootfs, tree, records, links, err);
    wci_free(tree);
    wci_free(links);
    wci_free(records);
    return missing(image, rc, err);
}

static int32_t add_upper(wci_rootfs *rootfs, const char *upper, wc_error **err)
{
    if (!upper || !wci_file_exists(upper))
        return WC_OK;
    char *tree = wci_strdup(upper);
    return tree ? add_level(rootfs, tree, NULL, NULL, err) : wci_err_nomem(err);
}

int32_t wci_rootfs_open(wci_store *store, const wci_image_record *image, const char *upper,
                        wci_rootfs *out, wc_error **err)
{
    wci_rootfs rootfs = {NULL, 0, 0};
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < image->layer_count; i++)
        rc = add_layer(&rootfs, store, image, &image->layers[i], err);
    if (!rc)
        rc = add_upper(&rootfs, upper, err);
    if (rc)
        wci_rootfs_free(&rootfs);
    else
        *out = rootfs;
    return rc;
}

int32_t wci_rootfs_layers(const wci_rootfs *rootfs, wci_strv *out, wc_error **err)
{
    return wci_levels_dirs(rootfs->levels, rootfs->count, out, err);
}

/* ---- Resolving -------------------------------------------------------------------------------- */

/* Opens the directory that holds what wci_view_lookup() found; no part of it is a link. */
static int32_t open_parent(const char *host_path, wci_fd *dir, wc_error **err)
{
    char *parent = wci_path_parent(host_path);
    if (!parent)
        return wci_err_nomem(err);
    int32_t rc = wci_tree_open_root(parent, dir, err);
    wci_free(parent);
    return rc;
}

static int32_t read_link(const char *host_path, char **target, wc_error **err)
{
    wci_fd dir;
    int32_t rc = open_parent(host_path, &dir, err);
    if (rc)
        return rc;
    rc = wci_tree_read_link(dir, wci_path_base(host_path), target, err);
    wci_fd_close(dir);
    return rc;
}

static void drop_last(wci_str *path)
{
    while (path->size && path->data[--path->size] != '/')
        ;
    if (path->data)
        path->data[path->size] = '\0';
}

/* Appends one component to `done`; when it is a link, goes back and puts its target before the
 * `rest` that is still to be walked. */
static int32_t step(const wci_rootfs *rootfs, wci_str *done, const char *name, char **rest,
                    int *links, wc_error **err)
{
    size_t before = done->size;
    wci_str_printf(done, "%s%s", before ? "/" : "", name);
    if (done->failed)
        return wci_err_nomem(err);
    char *found = NULL, *target = NULL;
    wci_file_info info;
    int32_t rc = wci_view_lookup(rootfs->levels, rootfs->count, done->data, &found, err);
    if (!rc)
        rc = wci_file_info_of(found, &info, err);
    if (!rc && info.type == WCI_FILE_SYMLINK) {
        rc = ++*links > MAX_LINKS
                 ? wci_err(err, WC_E_FORMAT, "'/%s': too many links", done->data)
                 : read_link(found, &target, err);
    }
    wci_free(found);
    if (rc || !target)
        return rc;
    done->size = before;
    done->data[before] = '\0';
    if (target[0] == '/')
        wci_str_clear(done);
    char *next = wci_asprintf("%s/%s", target, *rest);
    wci_free(target);
    if (!next)
        return wci_err_nomem(err);
    wci_free(*rest);
    *rest = next;
    return WC_OK;
}

int32_t wci_rootfs_resolve(const wci_rootfs *rootfs, const char *path, char **out, wc_error **err)
{
    wci_str done = WCI_STR_INIT;
    char *rest = wci_strdup(path);
    int32_t rc = rest ? WC_OK : wci_err_nomem(err);
    int links = 0;
    while (!rc && *rest) {
        size_t skip = strspn(rest, "/"), size = strcspn(rest + skip, "/");
        char *name = wci_strndup(rest + skip, size);
        memmove(rest, rest + skip + size, strlen(rest + skip + size) + 1);
        if (!name)
            rc = wci_err_nomem(err);
        else if (!strcmp(name, ".."))
            drop_last(&done);
        else if (size && strcmp(name, "."))
            rc = step(rootfs, &done, name, &rest, &links, err);
        wci_free(name);
        if (!rc && done.size + strlen(rest) > 4096)
            rc = wci_err(err, WC_E_LIMIT, "'%.80s': the path is too long", path);
    }
    wci_free(rest);
    char *text = rc ? NULL : wci_str_take(&done);
    wci_str_free(&done);
    if (!rc && !text)
        rc = wci_err_nomem(err);
    if (!rc)
        *out = text;
    return rc;
}

static int32_t read_file(const char *host_path, const char *path, size_t max, wc_buf **out,
                         wc_error **err)
{
    wci_file_info info;
    int32_t rc = wci_file_info_of(host_path, &info, err);
    if (rc)
        return rc;
    if (info.type != WCI_FILE_REGULAR)
        return wci_err(err, WC_E_FORMAT, "'%s' of the container: is not a regular file", path);
    if (info.size > max)
        return wci_err(err, WC_E_LIMIT, "'%s' of the container: is larger than %zu bytes", path, max);
    wci_fd dir, file = WCI_FD_NONE;
    rc = open_parent(host_path, &dir, err);
    if (rc)
        return rc;
    rc = wci_tree_open_file(dir, wci_path_base(host_path), &file, err);
    wci_fd_close(dir);
    wci_str text = WCI_STR_INIT;
    char *room = rc ? NULL : wci_str_reserve(&text, (size_t)info.size);
    size_t got = 0;
    if (room)
        rc = wci_fd_read(file, room, (size_t)info.size, &got, err);
    wci_fd_close(file);
    if (room && !rc)
        wci_str_added(&text, got);
    if (!rc)
        return wci_str_to_buf(&text, out, err);
    wci_str_free(&text);
    return rc;
}

int32_t wci_rootfs_info(const wci_rootfs *rootfs, const char *path, char **inside, wci_file_info *out,
                        wc_error **err)
{
    char *plain = NULL, *host_path = NULL;
    int32_t rc = wci_rootfs_resolve(rootfs, path, &plain, err);
    if (!rc)
        rc = wci_view_lookup(rootfs->levels, rootfs->count, plain, &host_path, err);
    if (!rc)
        rc = wci_file_info_of(host_path, out, err);
    wci_free(host_path);
    if (!rc && inside)
        *inside = plain;
    else
        wci_free(plain);
    return rc;
}

int32_t wci_rootfs_read(const wci_rootfs *rootfs, const char *path, size_t max, wc_buf **out,
                        wc_error **err)
{
    char *inside = NULL, *host_path = NULL;
    int32_t rc = wci_rootfs_resolve(rootfs, path, &inside, err);
    if (!rc)
        rc = wci_view_lookup(rootfs->levels, rootfs->count, inside, &host_path, err);
    if (!rc)
        rc = read_file(host_path, path, max, out, err);
    wci_free(inside);
    wci_free(host_path);
    return rc;
}
