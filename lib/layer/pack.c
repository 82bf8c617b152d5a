/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/attrs.h"
#include "layer/inode_map.h"
#include "layer/path.h"
#include "layer/tar_writer.h"
#include "layer/view.h"
#include "layer/whiteout.h"

enum {
    CHUNK_SIZE = 128 * 1024,
    MAX_DEPTH = 256, /* each level holds a descriptor */
    MAX_HOLES = 10000, /* a file with more is written without any */
    MIN_HOLES = 64 * 1024, /* and so is one whose holes together are smaller */
};

/* What is packed from several levels: the names in the tar and where they are in the view. */
typedef struct packed_view {
    const wci_level *levels;
    size_t count;
    const char *path, *as;
} packed_view;

typedef struct packer {
    wci_tar_writer writer;
    const _Atomic int *stop;
    const wci_pack_rules *rules; /* NULL: as it lies there */
    wci_inode_map links; /* files with several names that have been packed */
    unsigned char *chunk;
    const packed_view *view; /* NULL: one tree */
    int keeps_holes;
} packer;

static int32_t check_stop(const packer *p, wc_error **err)
{
    if (p->stop && atomic_load_explicit(p->stop, memory_order_relaxed))
        return wci_err(err, WC_E_CANCELLED, "packing: cancelled");
    return WC_OK;
}

static int32_t copy_content(packer *p, wci_fd file, uint64_t size, wc_error **err)
{
    for (uint64_t left = size; left;) {
        size_t want = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, got = 0;
        int32_t rc = check_stop(p, err);
        if (!rc)
            rc = wci_fd_pread(file, p->chunk, want, size - left, &got, err);
        if (!rc && got < want)
            rc = wci_err(err, WC_E_IO, "packing: the file became shorter meanwhile; try again");
        if (!rc)
            rc = wci_tar_writer_data(&p->writer, p->chunk, got, err);
        if (rc)
            return rc;
        left -= got;
    }
    return wci_tar_writer_pad(&p->writer, size, err);
}

/* ---- Holes -------------------------------------------------------------------------------------- */

typedef struct data_map {
    wci_sparse_region *regions;
    size_t count, cap;
    uint64_t bytes;
} data_map;

/* `map` stays empty when the file is to be written as it is read. */
static int32_t map_data(wci_fd file, uint64_t size, data_map *map, wc_error **err)
{
    uint64_t start = 0, end = 0;
    for (uint64_t at = 0; at < size && map->count <= MAX_HOLES; at = end) {
        wci_fd_next_data(file, at, size, &start, &end);
        if (start >= size)
            break;
        if (!wci_grow(&map->regions, &map->cap, map->count + 1, sizeof *map->regions))
            return wci_err_nomem(err);
        map->regions[map->count++] = (wci_sparse_region){start, end - start};
        map->bytes += end - start;
    }
    return WC_OK;
}

static int is_worth_it(const data_map *map, uint64_t size)
{
    return map->count <= MAX_HOLES && size - map->bytes >= MIN_HOLES;
}

static int32_t copy_region(packer *p, wci_fd file, const wci_sparse_region *region, wci_sparse_writer *to,
                           wc_error **err)
{
    for (uint64_t done = 0; done < region->size;) {
        uint64_t left = region->size - done;
        size_t want = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, got = 0;
        int32_t rc = check_stop(p, err);
        if (!rc)
            rc = wci_fd_pread(file, p->chunk, want, region->offset + done, &got, err);
        if (!rc && got < want)
            rc = wci_err(err, WC_E_IO, "packing: the file became shorter meanwhile; try again");
        if (!rc)
            rc = wci_sparse_data(to, p->chunk, got, region->offset + done, err);
        if (rc)
            return rc;
        done += got;
    }
    return WC_OK;
}

static int32_t copy_sparse(packer *p, wci_fd file, const wci_tar_entry *entry, const data_map *map, wc_error **err)
{
    wci_sparse_writer to;
    wci_tar_entry whole = *entry;
    whole.size = entry->data_size;
    int32_t rc = wci_sparse_begin(&to, &p->writer, &whole, map->regions, map->count, err);
    for (size_t i = 0; !rc && i < map->count; i++)
        rc = copy_region(p, file, &map->regions[i], &to, err);
    if (!rc)
        rc = wci_sparse_end(&to, err);
    wci_sparse_free(&to);
    return rc;
}

static int32_t copy_dense(packer *p, wci_fd file, const wci_tar_entry *entry, wc_error **err)
{
    int32_t rc = wci_tar_writer_entry(&p->writer, entry, err);
    return rc ? rc : copy_content(p, file, entry->data_size, err);
}

static int32_t copy_file(packer *p, wci_fd file, const wci_tar_entry *entry, wc_error **err)
{
    data_map map = {NULL, 0, 0, 0};
    if (!p->keeps_holes || entry->data_size < MIN_HOLES)
        return copy_dense(p, file, entry, err);
    int32_t rc = map_data(file, entry->data_size, &map, err);
    int sparse = !rc && is_worth_it(&map, entry->data_size);
    if (sparse)
        rc = copy_sparse(p, file, entry, &map, err);
    wci_free(map.regions);
    return rc || sparse ? rc : copy_dense(p, file, entry, err);
}

static int32_t pack_file(packer *p, wci_fd dir, const char *name, const wci_tar_entry *entry,
                         wc_error **err)
{
    wci_fd file;
    int32_t rc = wci_tree_open_file(dir, name, &file, err);
    if (rc)
        return rc;
    rc = copy_file(p, file, entry, err);
    wci_fd_close(file);
    return rc;
}

static int32_t pack_symlink(packer *p, wci_fd dir, const char *name, wci_tar_entry *entry,
                            wc_error **err)
{
    char *target = NULL;
    int32_t rc = wci_tree_read_link(dir, name, &target, err);
    if (rc)
        return rc;
    entry->link = target;
    rc = wci_tar_writer_entry(&p->writer, entry, err);
    wci_free(target);
    return rc;
}

/* ---- As a layer --------------------------------------------------------------------------------- */

static int is_left_out(const packer *p, const char *path, const wci_node_info *info)
{
    return p->rules && p->rules->skip && *path && p->rules->skip(p->rules->owner, path, info);
}

/* Times after the one given are what differs from build to build. */
static void clamp_time(const packer *p, wci_attrs *attrs)
{
    if (!p->rules || p->rules->latest_sec < 0 || attrs->mtime_sec < p->rules->latest_sec)
        return;
    attrs->mtime_sec = p->rules->latest_sec;
    attrs->mtime_nsec = 0;
}

/* An empty file whose name says what is no longer there. */
static int32_t write_mark(packer *p, char *name, wc_error **err)
{
    wci_tar_entry entry = {.type = WCI_ENTRY_FILE, .name = name, .link = "", .attrs = {.mode = 0}};
    int32_t rc = name ? wci_tar_writer_entry(&p->writer, &entry, err) : wci_err_nomem(err);
    wci_free(name);
    return rc;
}

static int32_t pack_whiteout(packer *p, const char *as, wc_error **err)
{
    const char *slash = strrchr(as, '/');
    int n = slash ? (int)(slash - as + 1) : 0;
    return write_mark(p, wci_asprintf("%.*s" WCI_WHITEOUT_PREFIX "%s", n, as, slash ? slash + 1 : as), err);
}

static int32_t pack_opaque(packer *p, wci_fd dir, const char *as, wc_error **err)
{
    if (!p->rules || !wci_tree_is_opaque(dir, NULL))
        return WC_OK;
    return write_mark(p, wci_asprintf("%s%s" WCI_OPAQUE_NAME, as, *as ? "/" : ""), err);
}

static wci_entry_type entry_type(wci_node_type type)
{
    switch (type) {
    case WCI_NODE_DIR:
        return WCI_ENTRY_DIR;
    case WCI_NODE_SYMLINK:
        return WCI_ENTRY_SYMLINK;
    case WCI_NODE_CHAR:
        return WCI_ENTRY_CHAR;
    case WCI_NODE_BLOCK:
        return WCI_ENTRY_BLOCK;
    case WCI_NODE_FIFO:
        return WCI_ENTRY_FIFO;
    case WCI_NODE_SOCKET:
        return WCI_ENTRY_IGNORED;
    default:
        return WCI_ENTRY_FILE;
    }
}

static int32_t pack_leaf(packer *p, wci_fd dir, const char *name, const wci_node_info *info,
                         wci_tar_entry *entry, wc_error **err)
{
    const char *first = info->links > 1 ? wci_inode_map_find(&p->links, info) : NULL;
    if (first) {
        entry->type = WCI_ENTRY_HARDLINK;
        entry->link = first;
        entry->attrs.xattr_count = 0;
        return wci_tar_writer_entry(&p->writer, entry, err);
    }
    if (info->links > 1) {
        int32_t rc = wci_inode_map_add(&p->links, info, entry->name, err);
        if (rc)
            return rc;
    }
    if (entry->type == WCI_ENTRY_FILE) {
        entry->data_size = info->size;
        return pack_file(p, dir, name, entry, err);
    }
    if (entry->type == WCI_ENTRY_SYMLINK)
        return pack_symlink(p, dir, name, entry, err);
    return wci_tar_writer_entry(&p->writer, entry, err);
}

static int32_t pack_tree(packer *p, wci_fd dir, const char *name, const char *as, int depth,
                         wc_error **err);

/* Where the view has what is called `as` in the tar; owned. */
static char *path_in_view(const packed_view *view, const char *as)
{
    const char *rest = as + strlen(view->as);
    rest += *rest == '/';
    if (*view->path && *rest)
        return wci_path_join(view->path, rest);
    return wci_strdup(*rest ? rest : view->path);
}

static int32_t pack_view_entry(packer *p, const char *path, const char *as, int depth, wc_error **err)
{
    wci_found found = WCI_FOUND_NOTHING;
    wci_place place = WCI_PLACE_NONE;
    char shown[WCI_SHOWN_SIZE];
    int32_t rc = wci_view_look(p->view->levels, p->view->count, path, &found, &place, err);
    if (rc)
        return rc;
    if (found != WCI_FOUND_ENTRY)
        return wci_err(err, WC_E_NOT_FOUND, "path '%s': not in the container", wci_path_shown(path, shown));
    rc = pack_tree(p, place.dir, wci_place_name(&place), as, depth, err);
    wci_place_close(&place);
    return rc;
}

static int32_t list_children(const packer *p, wci_fd dir, const char *as, wci_strv *names, wc_error **err)
{
    if (!p->view)
        return wci_tree_list(dir, names, err);
    char *path = path_in_view(p->view, as);
    int32_t rc = path ? wci_view_list(p->view->levels, p->view->count, path, names, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

static int32_t pack_child(packer *p, wci_fd dir, const char *name, const char *as, int depth, wc_error **err)
{
    if (!p->view)
        return pack_tree(p, dir, name, as, depth, err);
    char *path = path_in_view(p->view, as);
    int32_t rc = path ? pack_view_entry(p, path, as, depth, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

static int32_t pack_children(packer *p, wci_fd dir, const char *as, int depth, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = list_children(p, dir, as, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        char *child = *as ? wci_path_join(as, names.items[i]) : wci_strdup(names.items[i]);
        rc = child ? pack_child(p, dir, names.items[i], child, depth + 1, err) : wci_err_nomem(err);
        wci_free(child);
    }
    wci_strv_free(&names);
    return rc;
}

static int32_t pack_dir(packer *p, wci_fd parent, const char *name, const char *as, int depth,
                        wci_tar_entry *entry, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    char shown[WCI_SHOWN_SIZE];
    char *slashed = wci_asprintf("%s/", *as ? as : ".");
    int32_t rc = slashed ? WC_OK : wci_err_nomem(err);
    entry->name = slashed;
    if (!rc && depth > MAX_DEPTH)
        rc = wci_err(err, WC_E_LIMIT, "packing '%s': directories are deeper than %d levels",
                     wci_path_shown(as, shown), MAX_DEPTH);
    if (!rc && (*as || !p->rules)) /* the root of a layer has no name */
        rc = wci_tar_writer_entry(&p->writer, entry, err);
    if (!rc)
        rc = name ? wci_tree_open_dir(parent, name, &dir, err)
                  : wci_tree_reopen(parent, &dir, err);
    if (!rc)
        rc = pack_opaque(p, dir, as, err);
    if (!rc)
        rc = pack_children(p, dir, as, depth, err);
    wci_fd_close(dir);
    wci_free(slashed);
    return rc;
}

/* name NULL: the directory itself. */
static int32_t pack_tree(packer *p, wci_fd dir, const char *name, const char *as, int depth,
                         wc_error **err)
{
    wci_attrs_read read;
    int32_t rc = check_stop(p, err);
    if (!rc)
        rc = wci_attrs_read_of(dir, name, &read, err);
    if (rc)
        return rc;
    if (is_left_out(p, as, &read.info)) {
        wci_attrs_read_free(&read);
        return WC_OK;
    }
    if (p->rules && wci_tree_is_whiteout(&read.info)) {
        wci_attrs_read_free(&read);
        return pack_whiteout(p, as, err);
    }
    clamp_time(p, &read.attrs);
    wci_tar_entry entry = {
        .type = entry_type(read.info.type),
        .name = as,
        .link = "",
        .attrs = read.attrs,
        .dev_major = read.info.dev_major,
        .dev_minor = read.info.dev_minor,
    };
    if (entry.type == WCI_ENTRY_DIR)
        rc = pack_dir(p, dir, name, as, depth, &entry, err);
    else if (entry.type != WCI_ENTRY_IGNORED) /* a socket means nothing without its process */
        rc = pack_leaf(p, dir, name, &read.info, &entry, err);
    wci_attrs_read_free(&read);
    return rc;
}

static int32_t end(packer *p, int32_t rc, wc_error **err)
{
    if (!rc)
        rc = wci_tar_writer_end(&p->writer, err);
    wci_tar_writer_free(&p->writer);
    wci_inode_map_free(&p->links);
    wci_free(p->chunk);
    return rc;
}

static int32_t pack(const wci_pack_rules *rules, wci_fd dir, const char *name, const char *as, const wci_sink *to,
                    const _Atomic int *stop, wc_error **err)
{
    packer p = {.writer = {.sink = *to}, .stop = stop, .rules = rules, .chunk = wci_malloc(CHUNK_SIZE)};
    int32_t rc = p.chunk ? pack_tree(&p, dir, *name ? name : NULL, as, 0, err)
                         : wci_err_nomem(err);
    return end(&p, rc, err);
}

int32_t wci_view_pack(const wci_level *levels, size_t count, const char *path, const char *as,
                      const wci_sink *to, const _Atomic int *stop, wc_error **err)
{
    const packed_view view = {levels, count, path, as};
    packer p = {.writer = {.sink = *to}, .stop = stop, .chunk = wci_malloc(CHUNK_SIZE), .view = &view};
    int32_t rc = p.chunk ? pack_view_entry(&p, path, as, 0, err) : wci_err_nomem(err);
    return end(&p, rc, err);
}

int32_t wci_tar_pack(wci_fd dir, const char *name, const char *as, const wci_sink *to,
                     const _Atomic int *stop, wc_error **err)
{
    return pack(NULL, dir, name, as, to, stop, err);
}

int32_t wci_tar_pack_sparse(wci_fd dir, const wci_sink *to, const _Atomic int *stop, wc_error **err)
{
    packer p = {.writer = {.sink = *to}, .stop = stop, .chunk = wci_malloc(CHUNK_SIZE), .keeps_holes = 1};
    int32_t rc = p.chunk ? pack_tree(&p, dir, NULL, ".", 0, err) : wci_err_nomem(err);
    return end(&p, rc, err);
}

int32_t wci_layer_pack(wci_fd dir, const wci_pack_rules *rules, const wci_sink *to, wc_error **err)
{
    return pack(rules, dir, "", "", to, NULL, err);
}
