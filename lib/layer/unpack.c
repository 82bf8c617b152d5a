/* SPDX-License-Identifier: Apache-2.0 */
/* The layer rules: whiteouts, opaque directories, and what has to wait for the layers below. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/chunked.h"
#include "layer/codec.h"
#include "layer/contents.h"
#include "layer/extract.h"
#include "layer/parts.h"
#include "layer/records.h"
#include "layer/whiteout.h"

typedef struct unpack {
    wci_extract x;
    wci_records_writer records;
    wci_contents_writer contents;
    wci_str content_name;
    wci_unpack_stats stats;
} unpack;

/* A directory that the tar implies but does not name, where nothing is below either. */
static const wci_attrs implied_attrs = {.mode = 0755};

/* ---- Entries ---------------------------------------------------------------------------------- */

static int32_t take_whiteout(unpack *u, wc_error **err)
{
    wci_dir *parent;
    char *name;
    wci_fd fd;
    int32_t rc = wci_extract_parent(&u->x, &u->x.path, WCI_ENTER_MISSING, &parent, &name, err);
    if (rc || !parent)
        return rc; /* what stands there hides everything below already */
    name += strlen(WCI_WHITEOUT_PREFIX);
    wci_dir *noted = wci_dirs_find(u->x.dirs, parent, name, strlen(name));
    if (noted) {
        if (!(noted->flags & WCI_DIR_LINK))
            noted->flags |= WCI_DIR_FRESH | WCI_DIR_OPAQUE;
        return WC_OK;
    }
    rc = wci_dirs_open(u->x.dirs, parent, &fd, err);
    if (!rc)
        rc = wci_tree_make_whiteout(fd, name, err);
    if (rc == WC_E_EXISTS) { /* what the layer itself has stays */
        wci_err_clear(err);
        return WC_OK;
    }
    if (!rc)
        parent->flags |= WCI_DIR_WHITEOUTS;
    return rc;
}

static int32_t take_opaque(unpack *u, wc_error **err)
{
    wci_dir *dir;
    char *name;
    int32_t rc = wci_extract_parent(&u->x, &u->x.path, WCI_ENTER_MISSING, &dir, &name, err);
    if (!rc && dir)
        dir->flags |= WCI_DIR_OPAQUE;
    return rc;
}

static int32_t take_root(unpack *u, const wci_tar_entry *entry, wc_error **err)
{
    if (entry->type != WCI_ENTRY_DIR)
        return wci_err(err, WC_E_FORMAT, "the root must be a directory");
    return wci_dirs_set_attrs(u->x.dirs, wci_dirs_root(u->x.dirs), &entry->attrs, err);
}

static int32_t take_dir(unpack *u, const wci_tar_entry *entry, wci_dir *parent, const char *name,
                        wc_error **err)
{
    wci_dir *dir;
    int32_t rc = wci_extract_dir(&u->x, parent, name, WCI_ENTER_MAKE, &dir, err);
    return rc ? rc : wci_dirs_set_attrs(u->x.dirs, dir, &entry->attrs, err);
}

/* The target is not in this layer. A whiteout keeps the place, so that entries which come later
 * notice; X will stand above it. */
static int32_t take_foreign_link(unpack *u, wci_dir *parent, const char *name, const char *target,
                                 wc_error **err)
{
    wci_dir *link;
    int32_t rc = wci_extract_whiteout(&u->x, parent, name, err);
    if (!rc)
        rc = wci_dirs_add(u->x.dirs, parent, name, strlen(name), &link, err);
    return rc ? rc : wci_dirs_set_link(u->x.dirs, link, target, err);
}

/* A whiteout on disk must not be linked: its name stands for something below, or for nothing. */
static int32_t is_hidden_name(unpack *u, wci_dir *dir, const char *name, int *hidden,
                              wc_error **err)
{
    wci_fd fd;
    wci_node_info info;
    *hidden = 0;
    if (!(dir->flags & WCI_DIR_WHITEOUTS))
        return WC_OK;
    int32_t rc = wci_dirs_open(u->x.dirs, dir, &fd, err);
    if (!rc)
        rc = wci_tree_stat(fd, name, &info, err);
    if (rc == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        return WC_OK;
    }
    *hidden = !rc && wci_tree_is_whiteout(&info);
    return rc;
}

/* Noted only because whiteouts are in it. */
static int is_ghost(const wci_dir *dir)
{
    return dir->parent && !(dir->flags & (WCI_DIR_NAMED | WCI_DIR_REAL | WCI_DIR_LINK));
}

static int32_t take_link_to(unpack *u, wci_dir *from, const char *from_name, wci_dir *parent,
                            const char *name, wc_error **err)
{
    const char *target = u->x.target.data;
    wci_dir *noted = from ? wci_dirs_find(u->x.dirs, from, from_name, strlen(from_name)) : NULL;
    int hidden = 0;
    int32_t rc;
    if (noted && !(noted->flags & WCI_DIR_LINK) && !is_ghost(noted))
        return wci_err(err, WC_E_FORMAT, "hard link: its target is a directory");
    if (noted && noted->flags & WCI_DIR_LINK) { /* a link to such a link leads to where that leads */
        wci_str_clear(&u->x.target);
        wci_str_append(&u->x.target, noted->target);
        if (u->x.target.failed)
            return wci_err_nomem(err);
        return take_foreign_link(u, parent, name, u->x.target.data, err);
    }
    if (!from || noted)
        return take_foreign_link(u, parent, name, target, err);
    if ((rc = is_hidden_name(u, from, from_name, &hidden, err)))
        return rc;
    if (!hidden) {
        rc = wci_extract_link(&u->x, from, from_name, parent, name, err);
        if (!rc)
            return wci_records_add(&u->records, WCI_RECORD_LINK, u->x.path.data, target, err);
        if (rc != WC_E_NOT_FOUND)
            return rc;
        wci_err_clear(err);
        if (wci_strv_contains(&u->x.left_out, target))
            return wci_extract_leave_out(&u->x, err);
    }
    return take_foreign_link(u, parent, name, target, err);
}

static int32_t take_hardlink(unpack *u, const wci_tar_entry *entry, wci_dir *parent,
                             const char *name, wc_error **err)
{
    wci_dir *from;
    char *from_name;
    wci_str *target = &u->x.target;
    int32_t rc = wci_path_clean(entry->link, u->x.limits, "its target", target, err);
    if (rc)
        return rc;
    if (!target->size || strcmp(target->data, u->x.path.data) == 0)
        return wci_err(err, WC_E_FORMAT, "hard link: its target is the root or itself");
    rc = wci_extract_parent(&u->x, target, WCI_ENTER_FIND, &from, &from_name, err);
    return rc ? rc : take_link_to(u, from, from_name, parent, name, err);
}

static int32_t take_plain(unpack *u, wci_tar_reader *reader, const wci_tar_entry *entry,
                          wc_error **err)
{
    wci_dir *parent;
    char *name;
    int32_t rc = wci_extract_parent(&u->x, &u->x.path, WCI_ENTER_MAKE, &parent, &name, err);
    if (rc)
        return rc;
    if (entry->type == WCI_ENTRY_DIR)
        return take_dir(u, entry, parent, name, err);
    if (entry->type == WCI_ENTRY_HARDLINK)
        return take_hardlink(u, entry, parent, name, err);
    if (wci_entry_is_whiteout(entry)) {
        parent->flags |= WCI_DIR_WHITEOUTS;
        return wci_extract_whiteout(&u->x, parent, name, err);
    }
    return wci_extract_node(&u->x, reader, entry, parent, name, err);
}

static int32_t take_entry(unpack *u, wci_tar_reader *reader, const wci_tar_entry *entry,
                          wc_error **err)
{
    wci_name_kind kind;
    int32_t rc;
    if (entry->type == WCI_ENTRY_IGNORED)
        return WC_OK;
    if ((rc = wci_extract_take_path(&u->x, entry, err)) ||
        (rc = wci_name_kind_of(u->x.path.data, &kind, err)))
        return rc;
    if (!u->x.path.size)
        return take_root(u, entry, err);
    switch (kind) {
    case WCI_NAME_WHITEOUT:
        return take_whiteout(u, err);
    case WCI_NAME_OPAQUE:
        return take_opaque(u, err);
    case WCI_NAME_META:
        return WC_OK;
    default:
        return take_plain(u, reader, entry, err);
    }
}

static int32_t take_entries(unpack *u, wci_tar_reader *reader, wc_error **err)
{
    for (;;) {
        const wci_tar_entry *entry;
        char shown[WCI_SHOWN_SIZE];
        int32_t rc = wci_tar_reader_next(reader, &entry, err);
        if (rc || !entry)
            return rc;
        rc = take_entry(u, reader, entry, err);
        if (rc)
            return wci_err_wrap(err, rc, "layer entry '%s'", wci_path_shown(entry->name, shown));
    }
}

/* ---- After the last entry --------------------------------------------------------------------- */

static int32_t remove_ghost(unpack *u, wci_dir *dir, wc_error **err)
{
    int is_hidden = dir->flags & WCI_DIR_HIDDEN;
    wci_dir *parent = dir->parent;
    char *name = wci_strndup(dir->name, dir->name_size);
    if (!name)
        return wci_err_nomem(err);
    int32_t rc = is_hidden ? wci_extract_remove(&u->x, parent, name, err)
                           : wci_extract_whiteout(&u->x, parent, name, err);
    if (!rc && !is_hidden)
        parent->flags |= WCI_DIR_WHITEOUTS;
    wci_free(name);
    return rc;
}

/* Below an opaque directory nothing shines through. Directories there that only held whiteouts
 * should not be, and one that the layer also removes is just removed. */
static int32_t settle_opaque(unpack *u, wc_error **err)
{
    wci_dir *root = wci_dirs_root(u->x.dirs), *next;
    for (wci_dir *dir = wci_dirs_next(root); dir; dir = next) {
        if (dir->parent->flags & (WCI_DIR_OPAQUE | WCI_DIR_HIDDEN))
            dir->flags |= WCI_DIR_HIDDEN;
        if (dir->parent == root && root->flags & WCI_DIR_OPAQUE)
            dir->flags |= WCI_DIR_OPAQUE; /* overlayfs ignores the mark on the root itself */
        int remove = is_ghost(dir) && dir->flags & (WCI_DIR_HIDDEN | WCI_DIR_FRESH);
        next = remove ? wci_dirs_next_beside(dir) : wci_dirs_next(dir);
        int32_t rc = remove ? remove_ghost(u, dir, err) : WC_OK;
        if (rc)
            return rc;
    }
    return WC_OK;
}

static int32_t remove_whiteouts(unpack *u, wci_dir *dir, wc_error **err)
{
    wci_fd fd;
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_dirs_open(u->x.dirs, dir, &fd, err);
    if (!rc)
        rc = wci_tree_list(fd, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        wci_node_info info;
        const char *name = names.items[i];
        if (wci_dirs_find(u->x.dirs, dir, name, strlen(name)))
            continue; /* a directory, or the place of a link */
        rc = wci_tree_stat(fd, name, &info, err);
        if (!rc && wci_tree_is_whiteout(&info))
            rc = wci_tree_remove(fd, name, err);
    }
    wci_strv_free(&names);
    return rc;
}

static int32_t mark_opaque(unpack *u, wci_dir *dir, const char *path, wc_error **err)
{
    wci_fd fd;
    if (!dir->parent)
        return wci_records_add(&u->records, WCI_RECORD_OPAQUE, path, "", err);
    int32_t rc = wci_dirs_open(u->x.dirs, dir, &fd, err);
    return rc ? rc : wci_tree_set_opaque(fd, NULL, err);
}

static int32_t settle_dir(unpack *u, wci_dir *dir, const char *path, wc_error **err)
{
    int32_t rc = WC_OK;
    unsigned flags = dir->flags;
    if (flags & WCI_DIR_LINK)
        return wci_records_add(&u->records, WCI_RECORD_FOREIGN, path, dir->target, err);
    if (!(flags & (WCI_DIR_NAMED | WCI_DIR_FRESH | WCI_DIR_HIDDEN)))
        rc = wci_records_add(&u->records, is_ghost(dir) ? WCI_RECORD_GHOST : WCI_RECORD_IMPLIED,
                             path, "", err);
    if (!rc && flags & WCI_DIR_OPAQUE)
        rc = mark_opaque(u, dir, path, err);
    if (!rc && flags & WCI_DIR_WHITEOUTS)
        rc = flags & (WCI_DIR_OPAQUE | WCI_DIR_HIDDEN)
                 ? remove_whiteouts(u, dir, err)
                 : wci_records_add(&u->records, WCI_RECORD_WHITEOUTS, path, "", err);
    return rc;
}

static int32_t settle_dirs(unpack *u, wc_error **err)
{
    wci_str *path = &u->x.path;
    wci_dir *root = wci_dirs_root(u->x.dirs);
    int32_t rc = settle_opaque(u, err);
    for (size_t i = 0; !rc && i < u->x.left_out.count; i++)
        rc = wci_records_add(&u->records, WCI_RECORD_LEFT_OUT, u->x.left_out.items[i], "", err);
    for (wci_dir *dir = root; !rc && dir; dir = wci_dirs_next(dir)) {
        wci_str_clear(path);
        wci_str_append_n(path, "", 0);
        wci_dirs_path(dir, path);
        rc = path->failed ? wci_err_nomem(err) : settle_dir(u, dir, path->data, err);
    }
    return rc;
}

/* ---- The whole -------------------------------------------------------------------------------- */

static int32_t open_tree(unpack *u, const char *dir, const wci_limits *limits, wc_error **err)
{
    wci_fd root = WCI_FD_NONE;
    char *fs = wci_path_join(dir, "fs"), *records = wci_path_join(dir, "records");
    int32_t rc = fs && records ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = wci_dir_make_new(fs, 0700, err);
    if (!rc)
        rc = wci_records_create(records, &u->records, err);
    if (!rc)
        rc = wci_tree_open_root(fs, &root, err);
    if (!rc)
        rc = wci_extract_init(&u->x, root, limits, 1, &u->stats.skipped, err);
    wci_free(fs);
    wci_free(records);
    return rc;
}

static int32_t check_diff_id(wci_hasher *hasher, const wci_digest *expected, wc_error **err)
{
    wci_digest found;
    int32_t rc = wci_hasher_final(hasher, &found, err);
    if (!rc && !wci_digest_equal(&found, expected))
        rc = wci_err(err, WC_E_DIGEST,
                     "layer: unpacked it is %s, but the image says %s; it may have been forged",
                     found.text, expected->text);
    return rc;
}

/* Where this content can be found from now on. */
static int32_t note_content(void *self, const wci_chunked_file *file, wc_error **err)
{
    unpack *u = self;
    wci_digest digest;
    wci_content_key key;
    if (wci_digest_parse(file->digest, &digest, NULL) || !wci_content_key_of(&digest, &key) ||
        wci_path_clean(file->name, u->x.limits, "its name", &u->content_name, NULL))
        return WC_OK;
    return wci_contents_add(&u->contents, &key, u->content_name.data, err);
}

static int32_t check_stream(unpack *u, const wci_tar_input *input, const wci_zstd_tail *tail,
                            const wci_digest *diff_id, wc_error **err)
{
    const wci_chunked_taker taker = {note_content, u};
    int32_t rc = check_diff_id(input->hasher, diff_id, err);
    if (rc || !tail)
        return rc;
    rc = wci_chunked_check(tail, input->ledger, &taker, &u->stats.table, err);
    return rc ? rc : wci_contents_finish(&u->contents, err);
}

static int32_t unpack_all(unpack *u, const wci_tar_input *input, const wci_zstd_tail *tail,
                          const wci_digest *diff_id, wc_error **err)
{
    wci_tar_reader *reader = NULL;
    int32_t rc = wci_tar_reader_new(input, &reader, err);
    if (rc)
        return rc;
    if (!(rc = take_entries(u, reader, err)) &&
        !(rc = check_stream(u, input, tail, diff_id, err)) && !(rc = settle_dirs(u, err)) &&
        !(rc = wci_extract_finish(&u->x, &implied_attrs, err)))
        rc = wci_records_finish(&u->records, err);
    u->stats.tar_bytes = wci_tar_reader_bytes(reader);
    u->stats.entries = wci_tar_reader_entries(reader);
    u->stats.content_bytes = u->x.content_bytes;
    wci_tar_reader_free(reader);
    return rc;
}

/* The tar of the input, whose tables are in the tail (NULL: it has none), into `dir`. */
static int32_t unpack_input(wci_tar_input *input, const wci_zstd_tail *tail, const wci_digest *diff_id,
                            const char *dir, wci_unpack_stats *stats, wc_error **err)
{
    char *contents = wci_path_join(dir, WCI_CONTENTS_FILE);
    unpack u = {.records = {WCI_FD_NONE, WCI_STR_INIT}, .contents = WCI_CONTENTS_WRITER(contents)};
    int32_t rc = contents ? wci_hasher_new(wci_digest_algo(diff_id), &input->hasher, err) : wci_err_nomem(err);
    if (!rc)
        rc = open_tree(&u, dir, input->limits, err);
    if (!rc)
        rc = unpack_all(&u, input, tail, diff_id, err);
    wci_extract_free(&u.x);
    wci_records_close(&u.records);
    wci_contents_close(&u.contents);
    wci_str_free(&u.content_name);
    wci_hasher_free(input->hasher);
    wci_free(contents);
    if (!rc && stats)
        *stats = u.stats;
    else
        wci_strv_free(&u.stats.skipped);
    return rc;
}

/* What the tables behind a zstd stream are compared with. */
static int32_t open_ledger(const wci_decoder *decoder, wci_ledger **out, wc_error **err)
{
    const wci_zstd_tail *tail = wci_decoder_tail(decoder);
    return tail ? wci_ledger_new(&tail->content_frames, out, err) : WC_OK;
}

int32_t wci_layer_unpack(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id,
                         const char *dir, const wci_limits *limits, const _Atomic int *stop,
                         wci_unpack_stats *stats, wc_error **err)
{
    wci_decoder *decoder = NULL;
    wci_ledger *ledger = NULL;
    int32_t rc;
    if (!(rc = wci_decoder_new(codec, compressed, &decoder, err)) &&
        !(rc = open_ledger(decoder, &ledger, err))) {
        wci_tar_input input = {
            .source = {wci_decoder_read, decoder},
            .limits = limits,
            .stop = stop,
            .ledger = ledger,
            .compressed = codec == WCI_CODEC_NONE ? NULL : wci_decoder_consumed(decoder),
        };
        rc = unpack_input(&input, wci_decoder_tail(decoder), diff_id, dir, stats, err);
    }
    wci_ledger_free(ledger);
    wci_decoder_free(decoder);
    return rc;
}

int32_t wci_layer_unpack_parts(const wci_layer_parts *parts, wci_fd frames, const wci_digest *diff_id,
                               const char *dir, const wci_limits *limits, const _Atomic int *stop,
                               wci_unpack_stats *stats, wc_error **err)
{
    static const uint64_t whole_frames = 1; /* each content has its own here */
    wci_rebuild *rebuild = NULL;
    wci_ledger *ledger = NULL;
    int32_t rc;
    if (!(rc = wci_rebuild_new(parts, frames, stop, &rebuild, err)) &&
        !(rc = wci_ledger_new(&whole_frames, &ledger, err))) {
        wci_tar_input input = {
            .source = {wci_rebuild_read, rebuild},
            .limits = limits,
            .stop = stop,
            .ledger = ledger,
            .compressed = wci_rebuild_consumed(rebuild),
        };
        rc = unpack_input(&input, &parts->tables, diff_id, dir, stats, err);
    }
    wci_ledger_free(ledger);
    wci_rebuild_free(rebuild);
    return rc;
}
