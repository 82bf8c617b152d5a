/* SPDX-License-Identifier: Apache-2.0 */
/* From tars to the tree of the view. A layer is applied as a whole: its links first look at what was before it,
 * then its whiteouts act, then its entries, in their order. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/attrs.h"
#include "layer/codec.h"
#include "layer/merged_tree.h"
#include "layer/path.h"
#include "layer/tar_reader.h"
#include "layer/whiteout.h"

enum { ZEROS = 64 * 1024 };
#define MAX_TEXTS ((size_t)1 << 30)

typedef enum action {
    ACTION_PUT,
    ACTION_LINK,
    ACTION_DROP,   /* a device that is a whiteout: nothing has that name any more */
    ACTION_HIDE,   /* a whiteout */
    ACTION_OPAQUE,
} action;

typedef struct step {
    action what;
    const char *path;
    wci_merged_file *file; /* to put; of a link: what was at its target before this layer */
    const char *target;
} step;

typedef struct reading {
    wc_call *call;
    wci_merged *m;
    int flags;
    uint32_t layer;
    wci_arena texts; /* of one layer */
    step *steps;
    size_t count, cap;
    wci_str path;
    unsigned char *zeros;
} reading;

/* ---- The tar of a layer ----------------------------------------------------------------------------- */

static int32_t read_file(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_layer_tar *tar = self;
    int32_t rc = wci_call_check(tar->call, err);
    if (!rc)
        rc = wci_fd_pread(tar->fd, data, size, tar->at, got, err);
    if (!rc)
        tar->at += *got;
    return rc;
}

static int32_t open_reader(wci_layer_tar *tar, wc_error **err)
{
    const wci_source file = {read_file, tar};
    unsigned char head[8];
    size_t got = 0;
    int32_t rc = wci_fd_pread(tar->fd, head, sizeof head, 0, &got, err);
    wci_codec codec = wci_codec_guess(head, got);
    if (!rc)
        rc = wci_decoder_new(codec, &file, &tar->decoder, err);
    if (!rc)
        rc = wci_hasher_new(WCI_SHA256, &tar->hasher, err);
    if (rc)
        return rc;
    const wci_tar_input input = {
        .source = {wci_decoder_read, tar->decoder},
        .limits = &wci_limits_default,
        .hasher = tar->hasher,
        .compressed = codec == WCI_CODEC_NONE ? NULL : wci_decoder_consumed(tar->decoder),
    };
    return wci_tar_reader_new(&input, &tar->reader, err);
}

int32_t wci_layer_tar_open(wc_call *call, const wci_tar_stack *stack, size_t layer, wci_layer_tar *out, wc_error **err)
{
    *out = (wci_layer_tar){.call = call, .fd = WCI_FD_NONE};
    int32_t rc = stack->open(stack->self, layer, &out->fd, err);
    if (!rc)
        rc = open_reader(out, err);
    if (rc)
        wci_layer_tar_close(out);
    return rc;
}

int32_t wci_layer_tar_check(wci_layer_tar *tar, const wci_digest *diff_id, wc_error **err)
{
    wci_digest found = {""};
    int32_t rc = wci_hasher_final(tar->hasher, &found, err);
    if (!rc && diff_id && wci_digest_algo(diff_id) == WCI_SHA256 && !wci_digest_equal(&found, diff_id))
        rc = wci_err(err, WC_E_DIGEST, "unpacked it is %s instead of %s; 'system check' tells what is damaged", found.text,
                     diff_id->text);
    return rc;
}

void wci_layer_tar_close(wci_layer_tar *tar)
{
    wci_tar_reader_free(tar->reader);
    wci_hasher_free(tar->hasher);
    wci_decoder_free(tar->decoder);
    wci_fd_close(tar->fd);
    *tar = (wci_layer_tar){.fd = WCI_FD_NONE};
}

/* ---- One entry -------------------------------------------------------------------------------------- */

static int32_t keep_xattrs(wci_merged *m, const wci_attrs *from, wci_attrs *to, wc_error **err)
{
    wci_xattr *list = from->xattr_count ? wci_arena_alloc(&m->arena, from->xattr_count * sizeof *list) : NULL;
    if (from->xattr_count && !list)
        return wci_merged_too_large(err);
    to->xattrs = list;
    to->xattr_count = 0;
    for (size_t i = 0; i < from->xattr_count; i++) {
        const wci_xattr *x = &from->xattrs[i];
        if (wci_xattr_is_host_own(x->key))
            continue;
        const char *key = wci_arena_copy(&m->arena, x->key, strlen(x->key));
        const char *value = wci_arena_copy(&m->arena, x->value, x->size);
        if (!key || !value)
            return wci_merged_too_large(err);
        list[to->xattr_count++] = (wci_xattr){key, value, x->size};
    }
    return WC_OK;
}

static int32_t make_file(reading *r, const wci_tar_entry *entry, uint64_t number, wci_merged_file **out,
                         wc_error **err)
{
    wci_merged_file *file = wci_merged_add_file(r->m);
    if (!file)
        return wci_merged_too_large(err);
    file->type = entry->type;
    file->attrs = entry->attrs;
    file->dev_major = entry->dev_major;
    file->dev_minor = entry->dev_minor;
    file->size = entry->type == WCI_ENTRY_FILE ? entry->size : 0;
    file->entry = number;
    file->layer = r->layer;
    if (entry->type == WCI_ENTRY_SYMLINK && !(file->link = wci_arena_copy(&r->m->arena, entry->link, strlen(entry->link))))
        return wci_merged_too_large(err);
    *out = file;
    return keep_xattrs(r->m, &entry->attrs, &file->attrs, err);
}

static int32_t hash_zeros(reading *r, wci_hasher *hasher, uint64_t size, wc_error **err)
{
    if (!r->zeros && !(r->zeros = wci_calloc(1, ZEROS)))
        return wci_err_nomem(err);
    while (size) {
        size_t n = size < ZEROS ? (size_t)size : ZEROS;
        int32_t rc = wci_call_check(r->call, err);
        if (rc)
            return rc;
        wci_hasher_update(hasher, r->zeros, n);
        size -= n;
    }
    return WC_OK;
}

static int32_t hash_pieces(reading *r, wci_tar_reader *reader, uint64_t whole, wci_hasher *hasher, wc_error **err)
{
    for (uint64_t at = 0;;) {
        const void *data;
        size_t size;
        uint64_t offset;
        int32_t rc = wci_tar_reader_data(reader, &data, &size, &offset, err);
        if (rc)
            return rc;
        if (!size)
            return hash_zeros(r, hasher, whole - at, err);
        if ((rc = hash_zeros(r, hasher, offset - at, err)))
            return rc;
        wci_hasher_update(hasher, data, size);
        at = offset + size;
    }
}

static int32_t hash_content(reading *r, wci_tar_reader *reader, wci_merged_file *file, wc_error **err)
{
    wci_hasher *hasher = NULL;
    wci_digest digest = {""};
    int32_t rc = wci_hasher_new(WCI_SHA256, &hasher, err);
    if (!rc)
        rc = hash_pieces(r, reader, file->size, hasher, err);
    if (!rc)
        rc = wci_hasher_final(hasher, &digest, err);
    wci_hasher_free(hasher);
    if (!rc && !(file->content = wci_arena_copy(&r->m->arena, digest.text, strlen(digest.text))))
        rc = wci_merged_too_large(err);
    return rc;
}

static int32_t note_content(wci_merged *m, wci_merged_file *file, wc_error **err)
{
    if (file->type != WCI_ENTRY_FILE || !file->size)
        return WC_OK;
    if (!wci_grow(&m->contents, &m->content_cap, m->content_count + 1, sizeof *m->contents))
        return wci_err_nomem(err);
    m->contents[m->content_count++] = file;
    return WC_OK;
}

static int32_t add_step(reading *r, const step *s, wc_error **err)
{
    if (!wci_grow(&r->steps, &r->cap, r->count + 1, sizeof *r->steps))
        return wci_err_nomem(err);
    r->steps[r->count++] = *s;
    return WC_OK;
}

static int32_t clean_target(reading *r, const wci_tar_entry *entry, const char *path, const char **out, wc_error **err)
{
    int32_t rc = wci_path_clean(entry->link, &wci_limits_default, "its target", &r->path, err);
    if (rc)
        return rc;
    if (!r->path.size || !strcmp(r->path.data, path))
        return wci_err(err, WC_E_FORMAT, "hard link: its target is the root or itself");
    *out = wci_arena_copy(&r->texts, r->path.data, r->path.size);
    return *out ? WC_OK : wci_merged_too_large(err);
}

static int32_t take_plain(reading *r, wci_tar_reader *reader, const wci_tar_entry *entry, const char *path,
                          wc_error **err)
{
    step s = {.what = ACTION_PUT, .path = path};
    int32_t rc = WC_OK;
    if (entry->type == WCI_ENTRY_HARDLINK) {
        s.what = ACTION_LINK;
        rc = clean_target(r, entry, path, &s.target, err);
    } else if (wci_entry_is_whiteout(entry)) {
        s.what = ACTION_DROP;
    } else if (!*path && entry->type != WCI_ENTRY_DIR) {
        rc = wci_err(err, WC_E_FORMAT, "the root must be a directory");
    } else {
        rc = make_file(r, entry, wci_tar_reader_entries(reader), &s.file, err);
        if (!rc)
            rc = note_content(r->m, s.file, err);
        if (!rc && r->flags & WCI_MERGED_CONTENT && entry->type == WCI_ENTRY_FILE)
            rc = hash_content(r, reader, s.file, err);
    }
    return rc ? rc : add_step(r, &s, err);
}

/* Cuts the mark away: "a/.wh.b" is "a/b", "a/.wh..wh..opq" is "a". */
static void cut_mark(char *path, wci_name_kind kind)
{
    char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (kind == WCI_NAME_OPAQUE)
        *(slash ? slash : path) = '\0';
    else
        memmove(name, name + strlen(WCI_WHITEOUT_PREFIX), strlen(name + strlen(WCI_WHITEOUT_PREFIX)) + 1);
}

static int32_t take_entry(reading *r, wci_tar_reader *reader, const wci_tar_entry *entry, wc_error **err)
{
    wci_name_kind kind;
    if (entry->type == WCI_ENTRY_IGNORED)
        return WC_OK;
    int32_t rc = wci_path_clean(entry->name, &wci_limits_default, "its name", &r->path, err);
    if (!rc)
        rc = wci_name_kind_of(r->path.data, &kind, err);
    if (rc || kind == WCI_NAME_META)
        return rc;
    char *path = wci_arena_copy(&r->texts, r->path.data, r->path.size);
    if (!path)
        return wci_merged_too_large(err);
    if (kind == WCI_NAME_PLAIN)
        return take_plain(r, reader, entry, path, err);
    cut_mark(path, kind);
    const step s = {.what = kind == WCI_NAME_OPAQUE ? ACTION_OPAQUE : ACTION_HIDE, .path = path};
    return add_step(r, &s, err);
}

static int32_t take_entries(reading *r, wci_layer_tar *tar, const wci_digest *diff_id, wc_error **err)
{
    for (;;) {
        const wci_tar_entry *entry;
        char shown[WCI_SHOWN_SIZE];
        int32_t rc = wci_tar_reader_next(tar->reader, &entry, err);
        if (rc)
            return rc;
        if (!entry)
            return wci_layer_tar_check(tar, diff_id, err);
        rc = take_entry(r, tar->reader, entry, err);
        if (rc)
            return wci_err_wrap(err, rc, "entry '%s'", wci_path_shown(entry->name, shown));
    }
}

/* ---- Applying a layer ------------------------------------------------------------------------------- */

static void look_back(reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const wci_merged_node *node = r->steps[i].what == ACTION_LINK ? wci_merged_find(r->m, r->steps[i].target) : NULL;
        if (node && !wci_merged_is_dir(node))
            r->steps[i].file = node->file;
    }
}

static void act_whiteouts(reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        wci_merged_node *node = r->steps[i].what >= ACTION_HIDE ? wci_merged_find(r->m, r->steps[i].path) : NULL;
        if (node && r->steps[i].what == ACTION_HIDE)
            wci_merged_drop(node);
        else if (wci_merged_is_dir(node))
            for (wci_merged_node *child = node->child; child; child = child->sibling)
                wci_merged_drop(child);
    }
}

static wci_merged_file *link_target(const reading *r, const step *s)
{
    const wci_merged_node *now = wci_merged_find(r->m, s->target);
    return now && now->layer == r->layer && !wci_merged_is_dir(now) ? now->file : s->file;
}

static int32_t place(reading *r, const step *s, wci_merged_file *file, wc_error **err)
{
    wci_merged_node *node = wci_merged_make(r->m, s->path, r->layer);
    if (!node)
        return wci_merged_too_large(err);
    if (!file || file->type != WCI_ENTRY_DIR || !wci_merged_is_dir(node))
        wci_merged_drop(node);
    node->file = file;
    node->layer = r->layer;
    return WC_OK;
}

static int32_t act(reading *r, const step *s, wc_error **err)
{
    char path[WCI_SHOWN_SIZE], target[WCI_SHOWN_SIZE];
    wci_merged_file *file = s->what == ACTION_LINK ? link_target(r, s) : s->file;
    if (s->what >= ACTION_HIDE)
        return WC_OK;
    if (s->what == ACTION_LINK && !file)
        return wci_err(err, WC_E_FORMAT, "hard link '%s': its target '%s' is no file of this layer or of those below",
                       wci_path_shown(s->path, path), wci_path_shown(s->target, target));
    return place(r, s, file, err);
}

static int32_t apply_layer(reading *r, wc_error **err)
{
    int32_t rc = WC_OK;
    look_back(r);
    act_whiteouts(r);
    for (size_t i = 0; i < r->count && !rc; i++)
        rc = act(r, &r->steps[i], err);
    return rc;
}

/* ---- All layers ------------------------------------------------------------------------------------- */

static int32_t read_layer(reading *r, const wci_tar_stack *stack, wc_error **err)
{
    wci_layer_tar tar;
    const wci_digest *diff_id = stack->diff_id ? stack->diff_id(stack->self, r->layer) : NULL;
    int32_t rc = wci_layer_tar_open(r->call, stack, r->layer, &tar, err);
    if (!rc) {
        rc = take_entries(r, &tar, diff_id, err);
        wci_layer_tar_close(&tar);
    }
    if (!rc)
        rc = apply_layer(r, err);
    r->count = 0;
    wci_arena_free(&r->texts);
    return rc ? wci_err_wrap(err, rc, "layer %zu of %zu", (size_t)r->layer + 1, stack->count) : WC_OK;
}

static void mark_below(wci_merged *m)
{
    for (wci_merged_node *node = m->root; node; node = wci_merged_next(node, 0))
        node->was_below = node->file != NULL;
}

static int32_t read_layers(reading *r, const wci_tar_stack *stack, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < stack->count && !rc; i++) {
        if (i == r->m->below)
            mark_below(r->m);
        r->layer = (uint32_t)i;
        rc = read_layer(r, stack, err);
    }
    return rc ? rc : wci_merged_sort(r->m, err);
}

int32_t wci_merged_read(wc_call *call, const wci_tar_stack *stack, size_t below, int flags, wci_merged **out,
                        wc_error **err)
{
    reading r = {.call = call, .flags = flags, .texts = {.max = MAX_TEXTS}, .path = WCI_STR_INIT};
    int32_t rc = wci_merged_new(&r.m, err);
    if (rc)
        return rc;
    r.m->below = below;
    rc = read_layers(&r, stack, err);
    wci_free(r.steps);
    wci_str_free(&r.path);
    wci_free(r.zeros);
    if (rc)
        wci_merged_free(r.m);
    else
        *out = r.m;
    return rc;
}
