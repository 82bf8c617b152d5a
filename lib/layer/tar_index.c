/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/tar_reader.h"

enum {
    MAX_LINKS = 16,                  /* on the way to one member */
    MAX_NAMES = 256 * 1024 * 1024, /* bytes of all names */
};

typedef struct member {
    char *name;
    char *target;      /* of a link, from the root of the archive; NULL for a file */
    size_t order;      /* in the archive */
    uint64_t offset, size;
    int is_unreadable; /* sparse */
} member;

struct wci_tar_index {
    member *members; /* sorted by name, then order */
    size_t count, cap;
    size_t name_bytes;
};

/* ---- The file as a source ---------------------------------------------------------------------- */

typedef struct file_source {
    wc_call *call;
    wci_fd file;
    uint64_t at, size;
} file_source;

static int32_t read_file(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    file_source *f = self;
    int32_t rc = wci_call_check(f->call, err);
    if (!rc)
        rc = wci_fd_pread(f->file, data, size, f->at, got, err);
    if (!rc)
        f->at += *got;
    return rc;
}

static int32_t skip_file(void *self, uint64_t size, wc_error **err)
{
    file_source *f = self;
    if (size > f->size - f->at)
        return wci_err(err, WC_E_FORMAT, "tar: ends in the middle of an entry");
    f->at += size;
    return WC_OK;
}

/* ---- Members ---------------------------------------------------------------------------------- */

/* Symbolic links count from their own directory, hard links from the root. */
static int32_t clean_target(const wci_tar_entry *entry, const char *name, const wci_limits *limits,
                            wci_str *out, wc_error **err)
{
    const char *slash = strrchr(name, '/');
    if (entry->type == WCI_ENTRY_HARDLINK || *entry->link == '/' || !slash)
        return wci_path_clean(entry->link, limits, "archive: the target of a link", out, err);
    wci_str joined = WCI_STR_INIT;
    wci_str_append_n(&joined, name, (size_t)(slash - name + 1));
    wci_str_append(&joined, entry->link);
    int32_t rc = joined.failed ? wci_err_nomem(err)
                               : wci_path_clean(joined.data, limits, "archive: the target of a link", out, err);
    wci_str_free(&joined);
    return rc;
}

static int32_t add_member(wci_tar_index *index, const wci_tar_entry *entry, uint64_t offset,
                          wci_str *name, wci_str *target, wc_error **err)
{
    int is_link = entry->type == WCI_ENTRY_SYMLINK || entry->type == WCI_ENTRY_HARDLINK;
    index->name_bytes += name->size + (is_link ? target->size : 0);
    if (index->name_bytes > MAX_NAMES)
        return wci_err(err, WC_E_LIMIT, "tar: its names take more than %d MiB", MAX_NAMES >> 20);
    if (!wci_grow(&index->members, &index->cap, index->count + 1, sizeof *index->members))
        return wci_err_nomem(err);
    member *m = &index->members[index->count];
    *m = (member){
        .name = wci_strdup(name->data),
        .target = is_link ? wci_strdup(target->data) : NULL,
        .order = index->count,
        .offset = offset,
        .size = entry->data_size,
        .is_unreadable = entry->is_sparse,
    };
    index->count++;
    return m->name && (m->target || !is_link) ? WC_OK : wci_err_nomem(err);
}

static int32_t take_members(wci_tar_index *index, wci_tar_reader *reader, const wci_limits *limits,
                            wc_error **err)
{
    wci_str name = WCI_STR_INIT, target = WCI_STR_INIT;
    const wci_tar_entry *entry;
    int32_t rc;
    while (!(rc = wci_tar_reader_next(reader, &entry, err)) && entry) {
        int is_link = entry->type == WCI_ENTRY_SYMLINK || entry->type == WCI_ENTRY_HARDLINK;
        if (entry->type != WCI_ENTRY_FILE && !is_link)
            continue;
        if ((rc = wci_path_clean(entry->name, limits, "archive: the name of a member", &name, err)) ||
            (is_link && (rc = clean_target(entry, name.data, limits, &target, err))) ||
            (rc = add_member(index, entry, wci_tar_reader_data_offset(reader), &name, &target,
                             err)))
            break;
    }
    wci_str_free(&name);
    wci_str_free(&target);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const member *x = a, *y = b;
    int cmp = strcmp(x->name, y->name);
    return cmp ? cmp : x->order < y->order ? -1 : x->order > y->order;
}

/* The last of that name in the archive. */
static const member *find_member(const wci_tar_index *index, const char *name)
{
    size_t low = 0, high = index->count;
    while (low < high) { /* the first that is greater */
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->members[middle].name, name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || strcmp(index->members[low - 1].name, name) != 0)
        return NULL;
    return &index->members[low - 1];
}

int32_t wci_tar_index_open(wc_call *call, wci_fd file, const wci_limits *limits,
                           wci_tar_index **out, wc_error **err)
{
    wci_file_info info;
    int32_t rc = wci_fd_info(file, &info, err);
    if (rc)
        return rc;
    file_source source = {call, file, 0, info.size};
    const wci_tar_input input = {
        .source = {read_file, &source}, .limits = limits, .skip = skip_file};
    wci_tar_reader *reader = NULL;
    wci_tar_index *index = wci_calloc(1, sizeof *index);
    rc = index ? wci_tar_reader_new(&input, &reader, err) : wci_err_nomem(err);
    if (!rc)
        rc = take_members(index, reader, limits, err);
    wci_tar_reader_free(reader);
    if (rc) {
        wci_tar_index_free(index);
        return rc;
    }
    if (index->count)
        qsort(index->members, index->count, sizeof *index->members, by_name);
    *out = index;
    return WC_OK;
}

int32_t wci_tar_index_find(const wci_tar_index *index, const char *name, uint64_t *offset,
                           uint64_t *size, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_str clean = WCI_STR_INIT;
    int32_t rc = wci_path_clean(name, &wci_limits_default, "archive: the name looked for", &clean, err);
    const member *m = rc ? NULL : find_member(index, clean.data);
    for (int links = 0; m && m->target; links++) {
        if (links == MAX_LINKS) {
            rc = wci_err(err, WC_E_FORMAT, "archive member '%s': its links go round in a circle",
                         wci_path_shown(name, shown));
            break;
        }
        m = find_member(index, m->target);
    }
    wci_str_free(&clean);
    if (rc)
        return rc;
    if (!m)
        return wci_err(err, WC_E_NOT_FOUND, "archive member '%s': not in the archive",
                       wci_path_shown(name, shown));
    if (m->is_unreadable)
        return wci_err(err, WC_E_FORMAT, "archive member '%s': is stored as a sparse file",
                       wci_path_shown(name, shown));
    *offset = m->offset;
    *size = m->size;
    return WC_OK;
}

void wci_tar_index_free(wci_tar_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->count; i++) {
        wci_free(index->members[i].name);
        wci_free(index->members[i].target);
    }
    wci_free(index->members);
    wci_free(index);
}
