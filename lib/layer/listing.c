/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/listing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/digest.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/windows_attrs.h"

enum {
    MAX_DEPTH = 256, /* each level holds a descriptor */
};

/* ---- One entry ---------------------------------------------------------------------------------- */

static int32_t hash_file(const wc_call *call, wci_fd dir, const char *name, uint64_t *size, wci_digest *out,
                         wc_error **err)
{
    wci_fd file = WCI_FD_NONE;
    wci_hasher *hasher = NULL;
    int32_t rc = wci_tree_open_file(dir, name, &file, err);
    if (!rc)
        rc = wci_hasher_new(WCI_SHA256, &hasher, err);
    if (!rc)
        rc = wci_hasher_read(hasher, call, file, size, err);
    if (!rc)
        rc = wci_hasher_final(hasher, out, err);
    wci_hasher_free(hasher);
    wci_fd_close(file);
    return rc;
}

/* Size, digest, mode: the mode last, so that the rest of the text tells the content. */
static int32_t describe_file(const wc_call *call, wci_fd dir, const char *name, const wci_node_info *info, char **out,
                             wc_error **err)
{
    wci_digest digest;
    uint64_t size;
    int32_t rc = hash_file(call, dir, name, &size, &digest, err);
    if (rc)
        return rc;
    *out = wci_asprintf("%" PRIu64 " %s %" PRIo32, size, wci_digest_hex(&digest), info->mode);
    return *out ? WC_OK : wci_err_nomem(err);
}

/* The text that tells it from what it may become; owned. NULL for what is not listed. */
static int32_t describe(const wc_call *call, wci_fd dir, const char *name, const wci_node_info *info, char **out,
                        wc_error **err)
{
    *out = NULL;
    if (info->type == WCI_NODE_SYMLINK)
        return wci_tree_read_link(dir, name, out, err);
    if (info->type == WCI_NODE_FILE)
        return describe_file(call, dir, name, info, out, err);
    if (info->type == WCI_NODE_DIR && !(*out = wci_asprintf("%" PRIo32, info->mode)))
        return wci_err_nomem(err);
    return WC_OK;
}

static wci_record_kind kind_of(wci_node_type type)
{
    return type == WCI_NODE_FILE      ? WCI_RECORD_FILE
           : type == WCI_NODE_DIR     ? WCI_RECORD_DIR
           : type == WCI_NODE_SYMLINK ? WCI_RECORD_SYMLINK
                                      : WCI_RECORD_END;
}

/* ---- Walking ------------------------------------------------------------------------------------ */

typedef struct walker {
    const wc_call *call;
    int32_t (*visit)(struct walker *w, wci_fd dir, const char *name, const char *path, const wci_node_info *info,
                     wc_error **err);
    wci_records_writer *writer;
    wci_survey *survey;
} walker;

static int32_t walk(walker *w, wci_fd dir, const char *path, int depth, wc_error **err);

static int32_t walk_into(walker *w, wci_fd dir, const char *name, const char *path, int depth, wc_error **err)
{
    wci_fd child = WCI_FD_NONE;
    char shown[WCI_SHOWN_SIZE];
    if (depth > MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "'%s': directories are deeper than %d levels", wci_path_shown(path, shown),
                       MAX_DEPTH);
    int32_t rc = wci_tree_open_dir(dir, name, &child, err);
    if (!rc)
        rc = walk(w, child, path, depth, err);
    wci_fd_close(child);
    return rc;
}

static int32_t walk_entry(walker *w, wci_fd dir, const char *name, const char *parent, int depth, wc_error **err)
{
    wci_node_info info;
    char *path = *parent ? wci_path_join(parent, name) : wci_strdup(name);
    int32_t rc = path ? wci_call_check(w->call, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_tree_stat(dir, name, &info, err);
    if (!rc)
        rc = w->visit(w, dir, name, path, &info, err);
    if (!rc && info.type == WCI_NODE_DIR)
        rc = walk_into(w, dir, name, path, depth + 1, err);
    wci_free(path);
    return rc;
}

static int32_t walk(walker *w, wci_fd dir, const char *path, int depth, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_tree_list(dir, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++)
        rc = walk_entry(w, dir, names.items[i], path, depth, err);
    wci_strv_free(&names);
    return rc;
}

/* ---- Listing ------------------------------------------------------------------------------------ */

static int32_t list_entry(walker *w, wci_fd dir, const char *name, const char *path, const wci_node_info *info,
                          wc_error **err)
{
    char *text = NULL;
    int32_t rc = describe(w->call, dir, name, info, &text, err);
    if (!rc && text)
        rc = wci_records_add(w->writer, kind_of(info->type), path, text, err);
    wci_free(text);
    return rc;
}

int32_t wci_listing_write(const wc_call *call, wci_fd root, const char *path, wc_error **err)
{
    wci_records_writer writer;
    walker w = {.call = call, .visit = list_entry, .writer = &writer};
    int32_t rc = wci_records_create(path, &writer, err);
    if (rc)
        return rc;
    rc = walk(&w, root, "", 0, err);
    if (!rc)
        rc = wci_records_finish(&writer, err);
    wci_records_close(&writer);
    return rc;
}

/* ---- Comparing ---------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const wci_item *)a)->path, ((const wci_item *)b)->path);
}

static wci_item *find(wci_item *items, size_t count, const char *path)
{
    const wci_item wanted = {.path = path};
    return count ? bsearch(&wanted, items, count, sizeof *items, by_path) : NULL;
}

wci_item *wci_survey_listed(const wci_survey *survey, const char *path)
{
    return find(survey->listed, survey->listed_count, path);
}

wci_item *wci_survey_added(const wci_survey *survey, const char *path)
{
    return find(survey->added, survey->added_count, path);
}

size_t wci_survey_added_from(const wci_survey *survey, const char *path)
{
    size_t low = 0, high = survey->added_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(survey->added[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How much of a file's text tells its content. */
static size_t content_size(const char *text)
{
    const char *space = strrchr(text, ' ');
    return space ? (size_t)(space - text) : strlen(text);
}

static int is_same_content(const char *a, const char *b)
{
    size_t size = content_size(a);
    return size == content_size(b) && memcmp(a, b, size) == 0;
}

static const char *now_of(const wci_item *item)
{
    return item->now ? item->now : item->was;
}

int wci_items_are_one(const wci_item *a, const wci_item *b)
{
    if (a->kind != b->kind || a->state == WCI_ITEM_GONE || b->state == WCI_ITEM_GONE)
        return 0;
    return a->kind == WCI_RECORD_FILE ? is_same_content(a->was, b->was) && is_same_content(now_of(a), now_of(b))
                                      : !strcmp(a->was, b->was) && !strcmp(now_of(a), now_of(b));
}

int wci_item_has_other_mode(const wci_item *item)
{
    return item->now && strcmp(item->was + content_size(item->was), item->now + content_size(item->now)) != 0;
}

int wci_survey_is_same(const wci_survey *survey)
{
    return !survey->changed && !survey->deleted && !survey->added_count;
}

static int32_t read_listing(wci_survey *s, wci_fd listing, const char *what, wc_error **err)
{
    int32_t rc = wci_records_read_file(listing, what, &s->records, err);
    if (rc)
        return rc;
    s->listed = wci_calloc(s->records.count + 1, sizeof *s->listed);
    if (!s->listed)
        return wci_err_nomem(err);
    for (size_t i = 0; i < s->records.count; i++) {
        const wci_record *r = &s->records.items[i];
        if (r->kind != WCI_RECORD_FILE && r->kind != WCI_RECORD_DIR && r->kind != WCI_RECORD_SYMLINK)
            return wci_err(err, WC_E_CORRUPT, "layer records '%s': damaged; unpack the image again", what);
        s->listed[i] = (wci_item){.path = r->path, .was = r->other, .kind = r->kind, .state = WCI_ITEM_GONE};
    }
    s->listed_count = s->records.count;
    qsort(s->listed, s->listed_count, sizeof *s->listed, by_path);
    return WC_OK;
}

static void compare(wci_item *item, char *now, const wci_node_info *info)
{
    item->info = *info;
    item->now = now;
    item->state = !strcmp(item->was, now)                                                ? WCI_ITEM_SAME
                  : item->kind == WCI_RECORD_DIR                                         ? WCI_ITEM_MODE
                  : item->kind == WCI_RECORD_FILE && is_same_content(item->was, now) ? WCI_ITEM_MODE
                                                                                         : WCI_ITEM_CHANGED;
    if (item->state == WCI_ITEM_SAME) {
        wci_free(item->now);
        item->now = NULL;
    }
}

/* Takes the text over. */
static int32_t add_item(wci_survey *s, const char *path, char *now, const wci_node_info *info, wc_error **err)
{
    if (wci_strv_add(&s->added_paths, path) || !wci_grow(&s->added, &s->added_cap, s->added_count + 1, sizeof *s->added)) {
        wci_free(now);
        return wci_err_nomem(err);
    }
    s->added[s->added_count++] = (wci_item){.path = s->added_paths.items[s->added_paths.count - 1], .now = now,
                                            .kind = kind_of(info->type), .state = WCI_ITEM_NEW, .info = *info};
    return WC_OK;
}

static int32_t survey_entry(walker *w, wci_fd dir, const char *name, const char *path, const wci_node_info *info,
                            wc_error **err)
{
    char *now = NULL;
    wci_item *item = wci_survey_listed(w->survey, path);
    if (info->type == WCI_NODE_SOCKET) /* means nothing without its process */
        return WC_OK;
    int32_t rc = describe(w->call, dir, name, info, &now, err);
    if (rc)
        return rc;
    if (!item || !now || item->kind != kind_of(info->type))
        return add_item(w->survey, path, now, info, err);
    compare(item, now, info);
    return WC_OK;
}

/* Where the name of the file ends that a stream belongs to; 0 for what is none. */
static size_t owner_size(const char *path)
{
    const char *base = strrchr(path, '/'), *colon = strchr(base ? base : path, ':');
    return colon ? (size_t)(colon - path) : 0;
}

static int is_orphan(const wci_survey *s, const wci_item *stream, wci_str *owner)
{
    size_t size = owner_size(stream->path);
    wci_str_clear(owner);
    wci_str_append_n(owner, stream->path, size);
    if (!size || owner->failed || wci_survey_added(s, owner->data))
        return 0;
    const wci_item *listed = wci_survey_listed(s, owner->data);
    return listed && listed->state == WCI_ITEM_GONE;
}

static void settle_windows(wci_survey *s, wci_str *owner)
{
    for (size_t i = 0; i < s->listed_count; i++) {
        wci_item *item = &s->listed[i];
        if (item->state == WCI_ITEM_MODE)
            item->state = WCI_ITEM_SAME;
        if (item->state != WCI_ITEM_GONE && is_orphan(s, item, owner))
            item->state = WCI_ITEM_GONE;
    }
}

static void count(wci_survey *s)
{
    for (size_t i = 0; i < s->listed_count; i++) {
        wci_item_state state = s->listed[i].state;
        s->changed += state == WCI_ITEM_MODE || state == WCI_ITEM_CHANGED;
        s->deleted += state == WCI_ITEM_GONE;
    }
}

int32_t wci_survey_take(const wc_call *call, wci_fd root, wci_fd listing, const char *what, int windows,
                        wci_survey *out, wc_error **err)
{
    wci_survey s = {.records = {NULL, NULL, 0}};
    walker w = {.call = call, .visit = survey_entry, .survey = &s};
    wci_str owner = WCI_STR_INIT;
    int32_t rc = read_listing(&s, listing, what, err);
    if (!rc)
        rc = walk(&w, root, "", 0, err);
    if (!rc && s.added_count)
        qsort(s.added, s.added_count, sizeof *s.added, by_path);
    if (!rc && windows)
        settle_windows(&s, &owner);
    if (!rc && owner.failed)
        rc = wci_err_nomem(err);
    wci_str_free(&owner);
    if (rc) {
        wci_survey_free(&s);
        return rc;
    }
    count(&s);
    *out = s;
    return WC_OK;
}

void wci_survey_free(wci_survey *s)
{
    for (size_t i = 0; i < s->listed_count; i++) {
        wci_free(s->listed[i].now);
        wc_buf_unref(s->listed[i].header);
    }
    for (size_t i = 0; i < s->added_count; i++)
        wci_free(s->added[i].now);
    wci_free(s->listed);
    wci_free(s->added);
    wci_strv_free(&s->added_paths);
    wci_records_free(&s->records);
    memset(s, 0, sizeof *s);
}
