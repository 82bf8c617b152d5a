/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree of the view to one tar: first directories and marks, so that no name comes before the directory that
 * it is in; then everything without content, in order of path; then the contents, as they come by in their layers,
 * each with its other names behind it. */
#include "layer/merged_tree.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/tar_reader.h"
#include "layer/tar_writer.h"
#include "layer/whiteout.h"

typedef struct writing {
    wc_call *call;
    const wci_merged *m;
    wci_tar_writer tar;
    wci_str path, other;
    wci_merged_node **dirs; /* to be written at the end */
    size_t dir_count, dir_cap;
} writing;

/* ---- Names ------------------------------------------------------------------------------------------ */

static int is_new(const writing *w, const wci_merged_node *node)
{
    return node->layer >= w->m->below;
}

static void forget_names(const wci_merged *m)
{
    for (wci_merged_node *node = m->root; node; node = wci_merged_next(node, 0)) {
        if (!node->file || node->file == m->implied)
            continue;
        node->file->names = node->file->last_name = node->file->kept = NULL;
        node->other = NULL;
    }
}

static void chain_name(wci_merged_node *node)
{
    wci_merged_file *file = node->file;
    *(file->names ? &file->last_name->other : &file->names) = node;
    file->last_name = node;
}

/* Which names each file is to get, in order, and whether it has one already. */
static void collect_names(const writing *w)
{
    forget_names(w->m);
    for (wci_merged_node *node = w->m->root; node; node = wci_merged_next(node, 0)) {
        if (!node->file || wci_merged_is_dir(node))
            continue;
        if (is_new(w, node))
            chain_name(node);
        else if (!node->file->kept)
            node->file->kept = node;
    }
}

/* ---- Entries ---------------------------------------------------------------------------------------- */

static wci_tar_entry entry_of(const wci_merged_file *file, const char *name)
{
    return (wci_tar_entry){
        .type = file->type,
        .name = name,
        .link = file->link,
        .attrs = file->attrs,
        .dev_major = file->dev_major,
        .dev_minor = file->dev_minor,
        .size = file->size,
    };
}

/* Names from `node` on, as links to what has the path w->path. */
static int32_t write_links(writing *w, const wci_merged_node *node, wc_error **err)
{
    int32_t rc = WC_OK;
    for (; node && !rc; node = node->other) {
        wci_tar_entry link = {.type = WCI_ENTRY_HARDLINK, .link = w->path.data, .attrs = node->file->attrs};
        link.attrs.xattr_count = 0;
        rc = wci_merged_path(node, &w->other, err);
        link.name = w->other.data;
        if (!rc)
            rc = wci_tar_writer_entry(&w->tar, &link, err);
    }
    return rc;
}

static int32_t write_mark(writing *w, wci_str *name, wc_error **err)
{
    const wci_tar_entry mark = {.type = WCI_ENTRY_FILE, .name = name->data, .link = "", .attrs = {.mode = 0}};
    return name->failed ? wci_err_nomem(err) : wci_tar_writer_entry(&w->tar, &mark, err);
}

static int32_t write_whiteout(writing *w, const wci_merged_node *node, wc_error **err)
{
    int32_t rc = wci_merged_path(node->parent, &w->path, err);
    if (rc)
        return rc;
    wci_str_printf(&w->path, "%s" WCI_WHITEOUT_PREFIX "%s", w->path.size ? "/" : "", node->name);
    return write_mark(w, &w->path, err);
}

/* Nothing that it holds below shows: one mark says so instead of many. */
static int hides_all(const wci_merged_node *dir)
{
    int hides = 0;
    for (const wci_merged_node *child = dir->child; child; child = child->sibling) {
        if (child->was_below && child->file)
            return 0;
        hides |= child->was_below;
    }
    return hides;
}

static int32_t write_opaque(writing *w, const wci_merged_node *dir, wc_error **err)
{
    int32_t rc = wci_merged_path(dir, &w->path, err);
    if (rc)
        return rc;
    wci_str_printf(&w->path, "%s" WCI_OPAQUE_NAME, w->path.size ? "/" : "");
    return write_mark(w, &w->path, err);
}

static int32_t write_dir(writing *w, wci_merged_node *node, wc_error **err)
{
    int is_named = is_new(w, node) && (node->parent || node->file != w->m->implied);
    node->hides_all = hides_all(node);
    int32_t rc = wci_merged_path(node, &w->path, err);
    if (!rc && is_named) {
        wci_str_append(&w->path, w->path.size ? "/" : "./");
        const wci_tar_entry entry = entry_of(node->file, w->path.data);
        rc = w->path.failed ? wci_err_nomem(err) : wci_tar_writer_entry(&w->tar, &entry, err);
    }
    return rc || !node->hides_all ? rc : write_opaque(w, node, err);
}

static int32_t write_leaf(writing *w, wci_merged_node *node, wc_error **err)
{
    wci_merged_file *file = node->file;
    if (!is_new(w, node) || file->names != node)
        return WC_OK;
    int32_t rc = wci_merged_path(file->kept ? file->kept : node, &w->path, err);
    if (rc || file->kept)
        return rc ? rc : write_links(w, node, err);
    if (file->size)
        return WC_OK; /* its content comes by later */
    const wci_tar_entry entry = entry_of(file, w->path.data);
    rc = wci_tar_writer_entry(&w->tar, &entry, err);
    return rc ? rc : write_links(w, node->other, err);
}

static int32_t note_dir(writing *w, wci_merged_node *node, wc_error **err)
{
    if (!wci_grow(&w->dirs, &w->dir_cap, w->dir_count + 1, sizeof *w->dirs))
        return wci_err_nomem(err);
    w->dirs[w->dir_count++] = node;
    return WC_OK;
}

/* Directories that are to come last are only noted. */
static int32_t write_dirs(writing *w, int is_last, wc_error **err)
{
    int32_t rc = WC_OK;
    for (wci_merged_node *node = w->m->root, *next; node && !rc; node = next) {
        int is_dir = wci_merged_is_dir(node), is_gone = !node->file && node->was_below;
        next = wci_merged_next(node, !is_dir);
        rc = wci_call_check(w->call, err);
        if (!rc && is_dir)
            rc = is_last ? note_dir(w, node, err) : write_dir(w, node, err);
        else if (!rc && is_gone && !node->parent->hides_all)
            rc = write_whiteout(w, node, err);
    }
    return rc;
}

static int32_t write_noted_dirs(writing *w, wc_error **err)
{
    int32_t rc = WC_OK;
    while (w->dir_count && !rc)
        rc = write_dir(w, w->dirs[--w->dir_count], err);
    return rc;
}

static int32_t write_leaves(writing *w, wc_error **err)
{
    int32_t rc = WC_OK;
    for (wci_merged_node *node = w->m->root, *next; node && !rc; node = next) {
        int is_dir = wci_merged_is_dir(node);
        next = wci_merged_next(node, !is_dir);
        rc = wci_call_check(w->call, err);
        if (!rc && !is_dir && node->file)
            rc = write_leaf(w, node, err);
    }
    return rc;
}

/* ---- Contents --------------------------------------------------------------------------------------- */

static int32_t write_dense(writing *w, const wci_tar_entry *entry, wci_tar_reader *reader, wc_error **err)
{
    int32_t rc = wci_tar_writer_entry(&w->tar, entry, err);
    while (!rc) {
        const void *data;
        size_t size;
        uint64_t offset;
        rc = wci_tar_reader_data(reader, &data, &size, &offset, err);
        if (!rc && !size)
            return wci_tar_writer_pad(&w->tar, entry->data_size, err);
        if (!rc)
            rc = wci_tar_writer_data(&w->tar, data, size, err);
    }
    return rc;
}

static int32_t write_sparse(writing *w, const wci_tar_entry *entry, wci_tar_reader *reader, wc_error **err)
{
    wci_sparse_writer sparse;
    size_t count;
    const wci_sparse_region *regions = wci_tar_reader_regions(reader, &count);
    int32_t rc = wci_sparse_begin(&sparse, &w->tar, entry, regions, count, err);
    for (size_t size = 1; !rc && size;) {
        const void *data;
        uint64_t offset;
        rc = wci_tar_reader_data(reader, &data, &size, &offset, err);
        if (!rc && size)
            rc = wci_sparse_data(&sparse, data, size, offset, err);
    }
    if (!rc)
        rc = wci_sparse_end(&sparse, err);
    wci_sparse_free(&sparse);
    return rc;
}

static int32_t write_content(writing *w, const wci_merged_file *file, wci_tar_reader *reader,
                             const wci_tar_entry *found, wc_error **err)
{
    int32_t rc = wci_merged_path(file->names, &w->path, err);
    if (rc)
        return rc;
    wci_tar_entry entry = entry_of(file, w->path.data);
    entry.data_size = file->size;
    rc = found->is_sparse ? write_sparse(w, &entry, reader, err) : write_dense(w, &entry, reader, err);
    return rc ? rc : write_links(w, file->names->other, err);
}

static int is_wanted(const wci_merged_file *file)
{
    return file->names && !file->kept;
}

static int32_t seek_entry(wci_tar_reader *reader, uint64_t number, const wci_tar_entry **out, wc_error **err)
{
    do {
        int32_t rc = wci_tar_reader_next(reader, out, err);
        if (rc)
            return rc;
        if (!*out)
            return wci_err(err, WC_E_CORRUPT, "it has changed while it was read");
    } while (wci_tar_reader_entries(reader) < number);
    return WC_OK;
}

/* What is wanted of one layer's files, which are in the order of its tar. */
static int32_t write_files(writing *w, wci_tar_reader *reader, wci_merged_file *const *files, size_t count,
                           wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < count && !rc; i++) {
        const wci_tar_entry *entry;
        if (!is_wanted(files[i]))
            continue;
        rc = seek_entry(reader, files[i]->entry, &entry, err);
        if (!rc)
            rc = write_content(w, files[i], reader, entry, err);
    }
    return rc;
}

static int32_t write_layer(writing *w, const wci_tar_stack *stack, size_t layer, wci_merged_file *const *files,
                           size_t count, wc_error **err)
{
    wci_layer_tar tar;
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++)
        wanted += (size_t)is_wanted(files[i]);
    if (!wanted)
        return WC_OK;
    int32_t rc = wci_layer_tar_open(w->call, stack, layer, &tar, err);
    if (rc)
        return rc;
    rc = write_files(w, tar.reader, files, count, err);
    wci_layer_tar_close(&tar);
    return rc ? wci_err_wrap(err, rc, "layer %zu of %zu", layer + 1, stack->count) : WC_OK;
}

static int32_t write_contents(writing *w, const wci_tar_stack *stack, wc_error **err)
{
    const wci_merged *m = w->m;
    int32_t rc = WC_OK;
    for (size_t from = 0, to; from < m->content_count && !rc; from = to) {
        uint32_t layer = m->contents[from]->layer;
        for (to = from; to < m->content_count && m->contents[to]->layer == layer; to++)
            ;
        rc = write_layer(w, stack, layer, m->contents + from, to - from, err);
    }
    return rc;
}

int32_t wci_merged_write(wc_call *call, wci_merged *merged, const wci_tar_stack *stack, int flags,
                         const wci_sink *to, wc_error **err)
{
    writing w = {.call = call, .m = merged, .tar = {.sink = *to}};
    collect_names(&w);
    int32_t rc = write_dirs(&w, flags & WCI_MERGED_DIRS_LAST, err);
    if (!rc)
        rc = write_leaves(&w, err);
    if (!rc)
        rc = write_contents(&w, stack, err);
    if (!rc)
        rc = write_noted_dirs(&w, err);
    if (!rc)
        rc = wci_tar_writer_end(&w.tar, err);
    wci_tar_writer_free(&w.tar);
    wci_str_free(&w.path);
    wci_str_free(&w.other);
    wci_free(w.dirs);
    return rc;
}
