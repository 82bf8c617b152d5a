/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/plain_write.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/attrs.h"
#include "layer/inode_map.h"
#include "layer/path.h"
#include "layer/tar_reader.h"
#include "platform/host.h"

enum {
    CHUNK_SIZE = 128 * 1024,
    /* FILE_ATTRIBUTE_… of [MS-FSCC] 2.6 */
    ATTRIBUTE_DIRECTORY = 0x10,
    ATTRIBUTE_ARCHIVE = 0x20,
    ATTRIBUTE_REPARSE_POINT = 0x400,
};

struct wci_plain_writer {
    wc_call *call;
    const wci_plain_layer *layer;
    wci_tar_writer tar;
    wci_inode_map links; /* files with several names that have been written */
    wci_str work;
    unsigned char *chunk;
};

int32_t wci_plain_writer_new(wc_call *call, const wci_plain_layer *layer, const wci_sink *to, wci_plain_writer **out,
                             wc_error **err)
{
    wci_plain_writer *w = wci_calloc(1, sizeof *w);
    if (!w)
        return wci_err_nomem(err);
    w->call = call;
    w->layer = layer;
    w->tar.sink = *to;
    w->chunk = wci_malloc(CHUNK_SIZE);
    if (!w->chunk) {
        wci_plain_writer_free(w);
        return wci_err_nomem(err);
    }
    *out = w;
    return WC_OK;
}

void wci_plain_writer_free(wci_plain_writer *w)
{
    if (!w)
        return;
    wci_tar_writer_free(&w->tar);
    wci_inode_map_free(&w->links);
    wci_str_free(&w->work);
    wci_free(w->chunk);
    wci_free(w);
}

int32_t wci_plain_write_raw(wci_plain_writer *w, const void *data, size_t size, wc_error **err)
{
    int32_t rc = wci_call_check(w->call, err);
    return rc ? rc : wci_tar_writer_data(&w->tar, data, size, err);
}

/* ---- Headers as they were ------------------------------------------------------------------------ */

/* One header block with its payload. */
typedef struct header_part {
    unsigned char *block;
    char flag;
    size_t size; /* of the payload */
    size_t next; /* where the next one begins */
} header_part;

/* The reader has found all of it to be good. 0 at the end. */
static int next_part(const wci_plain_header *header, size_t at, header_part *out)
{
    int64_t size = 0;
    if (at >= header->size || header->size - at < WCI_TAR_BLOCK)
        return 0;
    *out = (header_part){.block = header->data + at, .flag = wci_tar_type_flag(header->data + at)};
    if (!strchr("xgLK", out->flag) || !out->flag)
        out->next = header->size; /* the entry's own */
    else if (wci_tar_number(out->block + 124, 12, "size", &size, NULL) || size < 0 ||
             (uint64_t)size > header->size - at - WCI_TAR_BLOCK)
        return 0;
    else
        out->next = at + WCI_TAR_BLOCK + (((size_t)size + WCI_TAR_BLOCK - 1) & ~(size_t)(WCI_TAR_BLOCK - 1));
    out->size = (size_t)size;
    return 1;
}

int32_t wci_plain_write_globals(wci_plain_writer *w, const wci_plain_header *header, wc_error **err)
{
    header_part part;
    int32_t rc = WC_OK;
    for (size_t at = 0; !rc && next_part(header, at, &part); at = part.next)
        if (part.flag == 'g')
            rc = wci_plain_write_raw(w, part.block, part.next - at, err);
    return rc;
}

int32_t wci_plain_patch_mode(const wci_plain_header *header, uint32_t mode, wc_error **err)
{
    header_part part = {.block = NULL};
    for (size_t at = 0; next_part(header, at, &part);)
        at = part.next;
    return part.block ? wci_tar_set_mode(part.block, mode, err) : WC_OK;
}

/* What the entry that is written says itself, or what is not true any more. */
static int is_replaced(const char *key)
{
    static const char *const keys[] = {"path", "linkpath", "size", "uid", "gid", "mtime", "ctime"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i]))
            return 1;
    return wci_starts_with(key, "SCHILY.xattr.") || wci_starts_with(key, "GNU.sparse.");
}

static int32_t keep_records_of(wci_plain_writer *w, const header_part *part, const wci_attrs *now, wc_error **err)
{
    wci_pax_record r;
    wci_str_clear(&w->work);
    wci_str_append_n(&w->work, part->block + WCI_TAR_BLOCK, part->size);
    if (w->work.failed)
        return wci_err_nomem(err);
    for (char *p = w->work.data, *end = p + w->work.size; p < end;) {
        int32_t rc = wci_pax_next(&p, end, &r, err);
        if (rc)
            return rc;
        if (!strcmp(r.key, "ctime")) /* Windows keeps when the attributes were changed, too */
            wci_pax_add_time(&w->tar.more, "ctime", now->mtime_sec, now->mtime_nsec);
        else if (!is_replaced(r.key))
            wci_pax_add(&w->tar.more, r.key, r.value, r.value_size);
    }
    return WC_OK;
}

/* The pax records of the entry that still hold go to the next one written. */
static int32_t keep_records(wci_plain_writer *w, const wci_plain_header *header, const wci_attrs *now, wc_error **err)
{
    header_part part;
    int32_t rc = WC_OK;
    wci_str_clear(&w->tar.more);
    for (size_t at = 0; !rc && next_part(header, at, &part); at = part.next)
        if (part.flag == 'x')
            rc = keep_records_of(w, &part, now, err);
    return rc;
}

/* ---- The tree ------------------------------------------------------------------------------------ */

/* The directory that the path is in, no link followed, and its last component. */
static int32_t open_parent(wci_fd root, const char *path, wci_fd *out, const char **name, wc_error **err)
{
    char *copy = wci_strdup(path), *part = copy;
    wci_fd here = WCI_FD_NONE;
    int32_t rc = copy ? wci_tree_reopen(root, &here, err) : wci_err_nomem(err);
    for (char *slash; !rc && (slash = strchr(part, '/')); part = slash + 1) {
        wci_fd next = WCI_FD_NONE;
        *slash = '\0';
        rc = wci_tree_open_dir(here, part, &next, err);
        wci_fd_close(here);
        here = next;
    }
    if (rc)
        wci_fd_close(here);
    else
        *out = here;
    *name = path + (part - copy);
    wci_free(copy);
    return rc;
}

static int32_t copy_content(wci_plain_writer *w, wci_fd file, uint64_t size, wc_error **err)
{
    for (uint64_t left = size; left;) {
        size_t want = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, got = 0;
        int32_t rc = wci_fd_read(file, w->chunk, want, &got, err);
        if (!rc && got < want)
            rc = wci_err(err, WC_E_IO, "the file became shorter meanwhile; try again");
        if (!rc)
            rc = wci_plain_write_raw(w, w->chunk, got, err);
        if (rc)
            return rc;
        left -= got;
    }
    return wci_tar_writer_pad(&w->tar, size, err);
}

static int32_t write_file(wci_plain_writer *w, const char *path, wci_tar_entry *entry, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE, file = WCI_FD_NONE;
    wci_file_info info;
    const char *name;
    int32_t rc = open_parent(w->layer->root, path, &dir, &name, err);
    if (!rc)
        rc = wci_tree_open_file(dir, name, &file, err);
    if (!rc)
        rc = wci_fd_info(file, &info, err);
    if (!rc) {
        entry->size = entry->data_size = info.size;
        rc = wci_tar_writer_entry(&w->tar, entry, err);
    }
    if (!rc)
        rc = copy_content(w, file, info.size, err);
    wci_fd_close(file);
    wci_fd_close(dir);
    return rc;
}

static void take_time(const wci_plain_writer *w, const wci_item *item, wci_attrs *attrs)
{
    int64_t latest = w->layer->latest_sec;
    attrs->mtime_sec = item->info.mtime_sec;
    attrs->mtime_nsec = item->info.mtime_nsec;
    if (latest < 0 || attrs->mtime_sec < latest)
        return;
    attrs->mtime_sec = latest;
    attrs->mtime_nsec = 0;
}

/* ---- Hard links ---------------------------------------------------------------------------------- */

static int32_t note_name(wci_plain_writer *w, const wci_item *item, const char *name, wc_error **err)
{
    if (item->kind != WCI_RECORD_FILE || item->info.links < 2 || wci_inode_map_find(&w->links, &item->info))
        return WC_OK;
    return wci_inode_map_add(&w->links, &item->info, name, err);
}

int32_t wci_plain_note_links(wci_plain_writer *w, const wci_tar_entry *entry, const wci_item *item, wc_error **err)
{
    return entry->type == WCI_ENTRY_FILE ? note_name(w, item, entry->name, err) : WC_OK;
}

/* As a link to what was written of the same file before, or whole. */
static int32_t write_leaf(wci_plain_writer *w, const wci_item *item, wci_tar_entry *entry, wc_error **err)
{
    const char *first = item->kind == WCI_RECORD_FILE && item->info.links > 1 ? wci_inode_map_find(&w->links, &item->info)
                                                                               : NULL;
    if (first) {
        entry->type = WCI_ENTRY_HARDLINK;
        entry->link = first;
        entry->attrs.xattr_count = 0;
        entry->data_size = 0;
        return wci_tar_writer_entry(&w->tar, entry, err);
    }
    if (entry->type != WCI_ENTRY_FILE)
        return wci_tar_writer_entry(&w->tar, entry, err);
    int32_t rc = write_file(w, item->path, entry, err);
    return rc ? rc : note_name(w, item, entry->name, err);
}

/* ---- What was there ------------------------------------------------------------------------------ */

static int32_t in_file(const wci_item *item, int32_t rc, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    return rc ? wci_err_wrap(err, rc, "'%s'", wci_path_shown(item->path, shown)) : WC_OK;
}

/* `from` has the headers that go on, `entry` is what they say, `name` what it is called now. */
static int32_t write_again(wci_plain_writer *w, const wci_tar_entry *entry, const char *name, const wci_item *item,
                           const wci_plain_header *header, wc_error **err)
{
    wci_tar_entry now = {.type = item->kind == WCI_RECORD_SYMLINK ? WCI_ENTRY_SYMLINK : WCI_ENTRY_FILE, .name = name,
                         .link = item->kind != WCI_RECORD_SYMLINK ? ""
                                 : item->now                      ? item->now
                                                                  : item->was,
                         .attrs = entry->attrs};
    take_time(w, item, &now.attrs);
    if (item->kind == WCI_RECORD_FILE && !w->layer->windows && wci_item_has_other_mode(item))
        now.attrs.mode = item->info.mode;
    int32_t rc = keep_records(w, header, &now.attrs, err);
    if (!rc)
        rc = write_leaf(w, item, &now, err);
    wci_str_clear(&w->tar.more);
    return in_file(item, rc, err);
}

int32_t wci_plain_write_changed(wci_plain_writer *w, const wci_tar_entry *entry, const wci_item *item,
                                const wci_plain_header *header, wc_error **err)
{
    return write_again(w, entry, entry->name, item, header, err);
}

typedef struct header_source {
    const wc_buf *header;
    size_t at;
} header_source;

static int32_t read_header(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    header_source *s = self;
    size_t left = wc_buf_size(s->header) - s->at;
    (void)err;
    *got = size < left ? size : left;
    memcpy(data, (const char *)wc_buf_data(s->header) + s->at, *got);
    s->at += *got;
    return WC_OK;
}

/* What they are is read once more: they were of an entry long gone by. */
static int32_t write_with_header(wci_plain_writer *w, const char *name, const wci_item *item, wc_buf *kept, wc_error **err)
{
    header_source from = {kept, 0};
    const wci_tar_input input = {.source = {read_header, &from}, .limits = &wci_limits_default};
    const wci_plain_header header = {(unsigned char *)(uintptr_t)wc_buf_data(kept), wc_buf_size(kept)};
    const wci_tar_entry *entry = NULL;
    wci_tar_reader *reader = NULL;
    int32_t rc = wci_tar_reader_new(&input, &reader, err);
    if (!rc)
        rc = wci_tar_reader_next(reader, &entry, err);
    if (!rc && entry)
        rc = write_again(w, entry, name, item, &header, err);
    wci_tar_reader_free(reader);
    return rc;
}

int32_t wci_plain_write_parted(wci_plain_writer *w, const wci_tar_entry *entry, const wci_item *item,
                               const wci_item *target, wc_error **err)
{
    const wci_plain_header none = {NULL, 0};
    return target->header ? write_with_header(w, entry->name, item, target->header, err)
                          : write_again(w, entry, entry->name, item, &none, err);
}

/* ---- What is new --------------------------------------------------------------------------------- */

static wci_entry_type type_of(wci_node_type type)
{
    return type == WCI_NODE_DIR       ? WCI_ENTRY_DIR
           : type == WCI_NODE_SYMLINK ? WCI_ENTRY_SYMLINK
           : type == WCI_NODE_CHAR    ? WCI_ENTRY_CHAR
           : type == WCI_NODE_BLOCK   ? WCI_ENTRY_BLOCK
           : type == WCI_NODE_FIFO    ? WCI_ENTRY_FIFO
                                      : WCI_ENTRY_FILE;
}

static int is_stream(const char *path)
{
    const char *base = strrchr(path, '/');
    return strchr(base ? base : path, ':') != NULL;
}

/* What Windows keeps of every file; the security descriptor comes from the directory that it is in. */
static void add_windows_records(wci_plain_writer *w, const wci_item *item, const wci_attrs *attrs)
{
    wci_str *more = &w->tar.more;
    char text[16];
    int attributes = item->kind == WCI_RECORD_DIR       ? ATTRIBUTE_DIRECTORY
                     : item->kind == WCI_RECORD_SYMLINK ? ATTRIBUTE_REPARSE_POINT
                                                        : ATTRIBUTE_ARCHIVE;
    int size = snprintf(text, sizeof text, "%d", attributes);
    wci_pax_add_time(more, "atime", attrs->mtime_sec, attrs->mtime_nsec);
    wci_pax_add_time(more, "ctime", attrs->mtime_sec, attrs->mtime_nsec);
    if (is_stream(item->path))
        return;
    wci_pax_add_time(more, "LIBARCHIVE.creationtime", attrs->mtime_sec, attrs->mtime_nsec);
    wci_pax_add(more, "MSWINDOWS.fileattr", text, (size_t)size);
}

/* An owner means something where it is that of the layer: to root, and not on Windows. */
static void take_attrs(const wci_plain_writer *w, const wci_item *item, const wci_attrs_read *read, wci_attrs *out)
{
    *out = read->attrs;
    take_time(w, item, out);
    if (w->layer->windows)
        out->xattr_count = 0;
    if (w->layer->windows || !wci_host_is_root())
        out->uid = out->gid = 0;
}

static int32_t write_node(wci_plain_writer *w, const wci_item *item, const wci_attrs_read *read, wc_error **err)
{
    int is_dir = item->info.type == WCI_NODE_DIR;
    char *slashed = is_dir ? wci_asprintf("%s/", item->path) : NULL;
    wci_tar_entry entry = {.type = type_of(item->info.type), .name = is_dir ? slashed : item->path, .link = "",
                           .dev_major = item->info.dev_major, .dev_minor = item->info.dev_minor};
    if (is_dir && !slashed)
        return wci_err_nomem(err);
    take_attrs(w, item, read, &entry.attrs);
    if (entry.type == WCI_ENTRY_SYMLINK)
        entry.link = item->now;
    wci_str_clear(&w->tar.more);
    if (w->layer->windows)
        add_windows_records(w, item, &entry.attrs);
    int32_t rc = write_leaf(w, item, &entry, err);
    wci_str_clear(&w->tar.more);
    wci_free(slashed);
    return rc;
}

static int32_t write_new(wci_plain_writer *w, wci_item *item, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    const char *name;
    wci_attrs_read read;
    if (item->is_written)
        return WC_OK;
    item->is_written = 1;
    int32_t rc = open_parent(w->layer->root, item->path, &dir, &name, err);
    if (!rc && !(rc = wci_attrs_read_of(dir, name, &read, err))) {
        rc = write_node(w, item, &read, err);
        wci_attrs_read_free(&read);
    }
    wci_fd_close(dir);
    return in_file(item, rc, err);
}

static int is_stream_of(const char *path, const char *owner)
{
    size_t size = strlen(owner);
    return !strncmp(path, owner, size) && path[size] == ':' && !strchr(path + size, '/');
}

int32_t wci_plain_write_streams(wci_plain_writer *w, const char *path, wc_error **err)
{
    wci_survey *s = w->layer->survey;
    char *first = wci_asprintf("%s:", path);
    int32_t rc = first ? WC_OK : wci_err_nomem(err);
    for (size_t i = first ? wci_survey_added_from(s, first) : 0; !rc && i < s->added_count; i++) {
        if (strncmp(s->added[i].path, first, strlen(first)) != 0)
            break;
        if (is_stream_of(s->added[i].path, path))
            rc = write_new(w, &s->added[i], err);
    }
    wci_free(first);
    return rc;
}

/* Directories that the layer only implied, and whose mode somebody has changed. */
static int32_t write_implied(wci_plain_writer *w, wc_error **err)
{
    wci_survey *s = w->layer->survey;
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < s->listed_count; i++)
        if (s->listed[i].kind == WCI_RECORD_DIR && s->listed[i].state == WCI_ITEM_MODE)
            rc = write_new(w, &s->listed[i], err);
    return rc;
}

int32_t wci_plain_write_added(wci_plain_writer *w, wc_error **err)
{
    wci_survey *s = w->layer->survey;
    int32_t rc = write_implied(w, err);
    for (size_t i = 0; !rc && i < s->added_count; i++) {
        rc = write_new(w, &s->added[i], err);
        if (!rc && w->layer->windows)
            rc = wci_plain_write_streams(w, s->added[i].path, err);
    }
    return rc;
}
