/* SPDX-License-Identifier: Apache-2.0 */
/* The tar that the layer was is joined again, with zeros for content that is not there any more, and read. Of each entry
 * it is then known whether its bytes go out as they are, with another mode, written anew, or not at all. */
#include "layer/plain.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/plain_write.h"
#include "layer/split.h"
#include "layer/tar_reader.h"

enum { COMPACT_SIZE = 1024 * 1024 };

typedef enum action {
    ACTION_KEEP,
    ACTION_MODE,  /* with another mode in the header */
    ACTION_DROP,
    ACTION_WRITE, /* anew */
    ACTION_PART,  /* a hard link becomes a file of its own */
} action;

typedef struct packer {
    const wci_plain_layer *layer;
    wci_survey *survey;
    wci_plain_writer *writer;
    wci_joiner *joiner;
    wci_str raw;     /* of the stream, from raw_at on behind `begin`, as far as it was read */
    size_t begin;
    uint64_t raw_at;
    int is_kept;       /* the bytes of the present entry go out */
    int is_look;       /* nothing is written: finds out which targets of links are needed */
    wci_str path, target;
    wci_item *linked;  /* that a hard link leads to; NULL: nothing in the tree */
    wci_str last;      /* the entry after which its new alternate streams are due */
} packer;

/* ---- The stream ---------------------------------------------------------------------------------- */

static int32_t tap(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    packer *p = self;
    int32_t rc = wci_joiner_read(p->joiner, data, size, got, err);
    if (p->begin > COMPACT_SIZE) {
        memmove(p->raw.data, p->raw.data + p->begin, p->raw.size - p->begin);
        p->raw.size -= p->begin;
        p->begin = 0;
    }
    if (!rc)
        wci_str_append_n(&p->raw, data, *got);
    return rc || !p->raw.failed ? rc : wci_err_nomem(err);
}

/* Settles what stands before `offset` of the stream. */
static int32_t flush(packer *p, uint64_t offset, wc_error **err)
{
    size_t size = (size_t)(offset - p->raw_at);
    int32_t rc = size && p->is_kept && !p->is_look
                     ? wci_plain_write_raw(p->writer, p->raw.data + p->begin, size, err)
                     : WC_OK;
    p->begin += size;
    p->raw_at = offset;
    return rc;
}

static int32_t flush_payload(packer *p, wci_tar_reader *reader, wc_error **err)
{
    uint64_t at = wci_tar_reader_data_offset(reader), offset;
    for (;;) {
        const void *data;
        size_t size;
        int32_t rc = wci_tar_reader_data(reader, &data, &size, &offset, err);
        if (rc || !size)
            return rc;
        at += size;
        if ((rc = flush(p, at, err)))
            return rc;
    }
}

/* ---- What becomes of an entry -------------------------------------------------------------------- */

static int is_kind(wci_record_kind kind, wci_entry_type type)
{
    return type == WCI_ENTRY_FILE      ? kind == WCI_RECORD_FILE
           : type == WCI_ENTRY_DIR     ? kind == WCI_RECORD_DIR
           : type == WCI_ENTRY_SYMLINK ? kind == WCI_RECORD_SYMLINK
                                       : 0;
}

static int32_t decide_link(packer *p, const wci_tar_entry *entry, const wci_item *item, action *out, wc_error **err)
{
    int32_t rc = wci_path_clean(entry->link, &wci_limits_default, "its target", &p->target, err);
    if (rc)
        return rc;
    wci_item *target = p->linked = wci_survey_listed(p->survey, p->target.data);
    int is_same = item->state == WCI_ITEM_SAME;
    if (!target) /* such a link was not made, and the item is of an entry before it */
        *out = is_same ? ACTION_KEEP : ACTION_DROP;
    else if ((is_same && target->state == WCI_ITEM_SAME) || wci_items_are_one(item, target))
        *out = ACTION_KEEP;
    else
        *out = ACTION_PART;
    return WC_OK;
}

/* The entry's path is clean already. */
static int32_t decide(packer *p, const wci_tar_entry *entry, const wci_item *item, action *out, wc_error **err)
{
    *out = ACTION_KEEP;
    if (!item) { /* never was in the tree */
        *out = p->path.size && wci_survey_added(p->survey, p->path.data) ? ACTION_DROP : ACTION_KEEP;
        return WC_OK;
    }
    if (item->state == WCI_ITEM_GONE) {
        *out = ACTION_DROP;
        return WC_OK;
    }
    if (entry->type == WCI_ENTRY_HARDLINK)
        return decide_link(p, entry, item, out, err);
    if (item->state != WCI_ITEM_SAME && is_kind(item->kind, entry->type)) /* else another entry gave it to the tree */
        *out = item->state == WCI_ITEM_MODE ? ACTION_MODE : ACTION_WRITE;
    return WC_OK;
}

/* ---- Entries ------------------------------------------------------------------------------------- */

static int32_t act(packer *p, const wci_tar_entry *entry, wci_item *item, action what, const wci_plain_header *header,
                   wc_error **err)
{
    p->is_kept = what == ACTION_KEEP || what == ACTION_MODE;
    int32_t rc = p->is_kept ? WC_OK : wci_plain_write_globals(p->writer, header, err);
    if (rc)
        return rc;
    switch (what) {
    case ACTION_MODE:
        return wci_plain_patch_mode(header, item->info.mode, err);
    case ACTION_WRITE:
        return wci_plain_write_changed(p->writer, entry, item, header, err);
    case ACTION_PART:
        return wci_plain_write_parted(p->writer, entry, item, p->linked, err);
    default:
        return WC_OK;
    }
}

/* For the file that a link to it becomes. */
static int32_t keep_header(wci_item *item, const wci_plain_header *header, wc_error **err)
{
    wc_buf_unref(item->header);
    item->header = NULL;
    return wci_buf_new(header->data, header->size, &item->header, err);
}

static int32_t take_entry(packer *p, const wci_tar_entry *entry, size_t header_size, wc_error **err)
{
    const wci_plain_header header = {(unsigned char *)p->raw.data + p->begin, header_size};
    action what = ACTION_KEEP;
    wci_item *item = NULL;
    wci_str_clear(&p->last);
    p->is_kept = 1;
    if (entry->type == WCI_ENTRY_IGNORED)
        return WC_OK;
    int32_t rc = wci_path_clean(entry->name, &wci_limits_default, "its name", &p->path, err);
    if (!rc)
        item = wci_survey_listed(p->survey, p->path.data);
    if (!rc)
        rc = decide(p, entry, item, &what, err);
    if (!rc && p->is_look && what == ACTION_PART)
        p->linked->is_needed = 1;
    if (rc || p->is_look)
        return rc;
    if (item)
        item->is_written = 1;
    if (item && item->is_needed)
        rc = keep_header(item, &header, err);
    if (!rc)
        rc = act(p, entry, item, what, &header, err);
    if (rc || what == ACTION_DROP)
        return rc;
    if (item && p->is_kept)
        rc = wci_plain_note_links(p->writer, entry, item, err);
    wci_str_append(&p->last, p->path.data);
    return rc || !p->last.failed ? rc : wci_err_nomem(err);
}

/* Before the next entry's bytes go out. */
static int32_t end_entry(packer *p, wc_error **err)
{
    if (p->is_look || !p->layer->windows || !p->last.size)
        return WC_OK;
    return wci_plain_write_streams(p->writer, p->last.data, err);
}

static int32_t take_entries(packer *p, wci_tar_reader *reader, wc_error **err)
{
    for (;;) {
        const wci_tar_entry *entry;
        int32_t rc = wci_tar_reader_next(reader, &entry, err);
        uint64_t start = wci_tar_reader_header_offset(reader);
        if (!rc)
            rc = flush(p, start, err);
        if (!rc)
            rc = end_entry(p, err);
        if (rc || !entry)
            return rc;
        rc = take_entry(p, entry, (size_t)(wci_tar_reader_data_offset(reader) - start), err);
        if (!rc)
            rc = flush_payload(p, reader, err);
        if (rc)
            return rc;
    }
}

/* ---- The whole ----------------------------------------------------------------------------------- */

static int lacks_content(void *owner, const char *name)
{
    const packer *p = owner;
    const wci_item *item = wci_survey_listed(p->survey, name);
    return p->is_look || (item && (item->state == WCI_ITEM_CHANGED || item->state == WCI_ITEM_GONE));
}

static void reset(packer *p)
{
    wci_joiner_free(p->joiner);
    p->joiner = NULL;
    wci_str_clear(&p->raw);
    wci_str_clear(&p->last);
    p->begin = 0;
    p->raw_at = 0;
}

static int32_t run(packer *p, wc_error **err)
{
    wci_tar_reader *reader = NULL;
    const wci_join_input from = {p->layer->root, p->layer->records, p->layer->what, lacks_content, p};
    const wci_tar_input input = {.source = {tap, p}, .limits = &wci_limits_default};
    int32_t rc = wci_joiner_new(&from, &p->joiner, err);
    if (!rc)
        rc = wci_tar_reader_new(&input, &reader, err);
    if (!rc)
        rc = take_entries(p, reader, err);
    p->is_kept = 1; /* the end of the archive */
    if (!rc && !p->is_look)
        rc = wci_plain_write_added(p->writer, err);
    if (!rc)
        rc = flush(p, wci_tar_reader_bytes(reader), err);
    wci_tar_reader_free(reader);
    return rc;
}

/* Only what was in the tree can part from what it was linked to. */
static int32_t look_for_links(packer *p, wc_error **err)
{
    if (!p->survey->changed && !p->survey->deleted)
        return WC_OK;
    p->is_look = 1;
    int32_t rc = run(p, err);
    reset(p);
    p->is_look = 0;
    return rc;
}

int32_t wci_plain_pack(wc_call *call, const wci_plain_layer *layer, const wci_sink *to, wc_error **err)
{
    packer p = {.layer = layer, .survey = layer->survey};
    int32_t rc = wci_plain_writer_new(call, layer, to, &p.writer, err);
    if (!rc)
        rc = look_for_links(&p, err);
    if (!rc)
        rc = run(&p, err);
    reset(&p);
    wci_plain_writer_free(p.writer);
    wci_str_free(&p.raw);
    wci_str_free(&p.path);
    wci_str_free(&p.target);
    wci_str_free(&p.last);
    return rc;
}
