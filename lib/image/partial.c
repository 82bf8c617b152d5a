/* SPDX-License-Identifier: Apache-2.0 */
#include "image/partial.h"

#include <stdlib.h>
#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/reuse.h"
#include "platform/tree.h"

#define MIN_BLOB (UINT64_C(64) << 10) /* below, asking twice costs more than it saves */
#define HEAD WCI_ZSTD_SKIPPABLE_HEAD  /* of the frame with the first table, which annotations leave out */
#define MIN_GAP (UINT64_C(16) << 10)  /* costs as much as one request more */
#define MAX_STRETCHES 128             /* of one layer */

typedef struct work {
    wc_call *call;
    wci_store *store;
    wci_hold *hold;
    wci_origin *origin;
    wci_partials *all;
    int32_t (*tick)(uintptr_t payload, wc_error **err);
    uintptr_t payload;
} work;

/* One request. */
typedef struct stretch {
    wci_fetch fetch; /* first */
    wci_partial *to;
    uint64_t got;
} stretch;

typedef struct stretches {
    stretch *items;
    size_t count, cap;
} stretches;

/* ---- Which ------------------------------------------------------------------------------------ */

/* What is to come is at most three quarters of the blob. */
static int is_worth_it(const wci_descriptor *layer, uint64_t to_come)
{
    return to_come <= (uint64_t)layer->size / 4 * 3;
}

static uint64_t tail_at(const wci_descriptor *layer)
{
    return layer->table_offset - HEAD;
}

static uint64_t tail_size(const wci_descriptor *layer)
{
    return (uint64_t)layer->size - tail_at(layer);
}

int wci_partial_may_be(const wci_descriptor *layer)
{
    return layer->table_digest && layer->table_offset > HEAD && layer->size >= 0 && (uint64_t)layer->size >= MIN_BLOB &&
           layer->table_offset < (uint64_t)layer->size && !layer->urls.count && tail_size(layer) <= WCI_TAIL_MAX &&
           is_worth_it(layer, tail_size(layer));
}

int32_t wci_partials_add(wci_partials *p, const wci_descriptor *layer, wc_error **err)
{
    if (!wci_grow(&p->items, &p->cap, p->count + 1, sizeof *p->items))
        return wci_err_nomem(err);
    p->items[p->count++] = (wci_partial){.layer = layer, .frames = WCI_FD_NONE};
    return WC_OK;
}

/* ---- Giving it up ----------------------------------------------------------------------------- */

static void switch_off(work *w, wci_partial *p, const wc_error *why)
{
    p->is_on = 0;
    p->here = 0;
    if (why)
        wci_log_printf(w->call->log, WC_LOG_INFO, "layer '%s': comes whole: %s", p->layer->digest.text,
                       wc_error_message(why));
}

static int ends_all(int32_t code)
{
    return code == WC_E_NOMEM || code == WC_E_CANCELLED || code == WC_E_TIMEOUT;
}

/* Takes the error. Whether it is one that whole layers would have, too: the call has ended, something else of it has
 * failed, or the server cannot be reached. */
static int32_t judge(work *w, int32_t code, wc_error *why, wc_error **err)
{
    if (!code)
        return WC_OK;
    int is_lasting = wc_error_retryable(why) || ends_all(code);
    int32_t ended = is_lasting || !w->tick ? WC_OK : w->tick(w->payload, err);
    if (is_lasting && why)
        return wci_err_move(err, why);
    for (size_t i = 0; i < w->all->count && !ended; i++)
        if (w->all->items[i].is_on)
            switch_off(w, &w->all->items[i], why);
    wc_error_unref(why);
    return is_lasting ? code : ended;
}

/* ---- Fetching --------------------------------------------------------------------------------- */

static uint64_t stretch_offset(wci_fetch *fetch)
{
    return ((stretch *)fetch)->got;
}

static int32_t stretch_restart(wci_fetch *fetch, wc_error **err)
{
    (void)err;
    stretch *s = (stretch *)fetch;
    s->to->here -= s->got;
    s->got = 0;
    return WC_OK;
}

static int32_t stretch_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    (void)fetch;
    (void)why;
    (void)err;
    return WC_OK;
}

static int32_t take_frames(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    stretch *s = (stretch *)fetch;
    int32_t code = wci_tree_file_write_at(s->to->frames, data, size, fetch->from + s->got, err);
    if (!code) {
        s->got += size;
        s->to->here += size;
    }
    return code;
}

static int32_t take_tail(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    stretch *s = (stretch *)fetch;
    s->to->tail.size = (size_t)s->got; /* less after a restart */
    wci_str_append_n(&s->to->tail, data, size);
    s->got += size;
    s->to->here += size;
    return s->to->tail.failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_stretch(stretches *list, wci_partial *to, uint64_t from, uint64_t end,
                           int32_t (*write)(wci_fetch *, const void *, size_t, wc_error **), wc_error **err)
{
    if (!wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items))
        return wci_err_nomem(err);
    list->items[list->count++] = (stretch){
        .fetch = {.digest = to->layer->digest, .size = to->layer->size, .from = from, .end = end,
                  .offset = stretch_offset, .restart = stretch_restart, .write = write, .done = stretch_done},
        .to = to};
    return WC_OK;
}

static int32_t fetch_all(work *w, stretches *list, wc_error **err)
{
    wc_error *why = NULL;
    if (!list->count)
        return WC_OK;
    wci_fetch **fetches = wci_calloc(list->count, sizeof *fetches);
    if (!fetches)
        return wci_err_nomem(err);
    for (size_t i = 0; i < list->count; i++)
        fetches[i] = &list->items[i].fetch;
    int32_t code = wci_origin_fetch(w->call, w->origin, fetches, list->count, w->tick, w->payload, &why);
    wci_free(fetches);
    return judge(w, code, why, err);
}

/* ---- The tables ------------------------------------------------------------------------------- */

static int32_t fetch_tails(work *w, wc_error **err)
{
    stretches list = {NULL, 0, 0};
    int32_t code = WC_OK;
    for (size_t i = 0; i < w->all->count && !code; i++) {
        wci_partial *p = &w->all->items[i];
        p->is_on = 1;
        code = add_stretch(&list, p, tail_at(p->layer), (uint64_t)p->layer->size, take_tail, err);
    }
    if (!code)
        code = fetch_all(w, &list, err);
    wci_free(list.items);
    return code;
}

static int32_t read_tables(work *w, wci_partial *p, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = wci_layer_parts_read(w->call, p->tail.data, p->tail.size, tail_at(p->layer),
                                        p->layer->table_digest, &p->parts, &why);
    wci_str_free(&p->tail);
    if (ends_all(code))
        return wci_err_move(err, why);
    if (code)
        switch_off(w, p, why);
    wc_error_unref(why);
    return WC_OK;
}

static int32_t find_contents(work *w, wc_error **err)
{
    size_t count = 0;
    int32_t code = WC_OK;
    wci_layer_parts **layers = wci_calloc(w->all->count + 1, sizeof *layers);
    for (size_t i = 0; i < w->all->count && layers && !code; i++) {
        wci_partial *p = &w->all->items[i];
        if (p->is_on)
            code = read_tables(w, p, err);
        if (p->is_on)
            layers[count++] = &p->parts;
    }
    if (!code)
        code = layers ? wci_reuse_find(w->call, w->store, w->hold, layers, count, w->tick, w->payload, &w->all->trees,
                                       err)
                      : wci_err_nomem(err);
    wci_free(layers);
    return code;
}

/* ---- What is missing -------------------------------------------------------------------------- */

typedef struct range {
    uint64_t from, end;
} range;

static int by_place(const void *a, const void *b)
{
    const range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

static int by_content(const void *a, const void *b)
{
    const wci_part_content *const *x = a, *const *y = b;
    int order = memcmp((*x)->key.bytes, (*y)->key.bytes, sizeof (*x)->key.bytes);
    return order ? order : (*x)->offset < (*y)->offset ? -1 : (*x)->offset > (*y)->offset;
}

static int is_same(const wci_part_content *a, const wci_part_content *b)
{
    return a->size == b->size && !memcmp(a->key.bytes, b->key.bytes, sizeof a->key.bytes);
}

/* A content that stands twice in the layer needs to come once. */
static size_t list_ranges(wci_part_content **missing, size_t count, range *out)
{
    size_t found = 0;
    qsort(missing, count, sizeof *missing, by_content);
    for (size_t i = 0; i < count; i++) {
        if (i && is_same(missing[i - 1], missing[i])) {
            missing[i]->offset = missing[i - 1]->offset;
            missing[i]->end = missing[i - 1]->end;
        } else {
            out[found++] = (range){missing[i]->offset, missing[i]->end};
        }
    }
    qsort(out, found, sizeof *out, by_place);
    return found;
}

static int32_t list_missing(wci_layer_parts *parts, range **out, size_t *count, wc_error **err)
{
    size_t found = 0;
    wci_part_content **missing = wci_calloc(parts->count + 1, sizeof *missing);
    range *ranges = wci_calloc(parts->count + 1, sizeof *ranges);
    if (!missing || !ranges) {
        wci_free(missing);
        wci_free(ranges);
        return wci_err_nomem(err);
    }
    for (size_t i = 0; i < parts->count; i++)
        if (!parts->items[i].tree)
            missing[found++] = &parts->items[i];
    *count = list_ranges(missing, found, ranges);
    *out = ranges;
    wci_free(missing);
    return WC_OK;
}

/* Joins those that are so near to each other; the number of them that are left. */
static size_t join_near(range *ranges, size_t count, uint64_t gap)
{
    size_t last = 0;
    for (size_t i = 1; i < count; i++) {
        if (ranges[i].from - ranges[last].end <= gap)
            ranges[last].end = ranges[i].end;
        else
            ranges[++last] = ranges[i];
    }
    return count ? last + 1 : 0;
}

static int32_t make_file(work *w, wci_partial *p, wc_error **err)
{
    if (!w->all->store) {
        int32_t code = wci_scratch_new(w->store, &w->all->scratch, err);
        if (code)
            return code;
        w->all->store = w->store;
    }
    char *path = wci_asprintf("%s/frames-%zu", w->all->scratch.dir, (size_t)(p - w->all->items));
    int32_t code = path ? wci_file_open(path, WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0600,
                                        &p->frames, err)
                        : wci_err_nomem(err);
    wci_free(path);
    return code;
}

static int32_t plan_ranges(work *w, wci_partial *p, range *ranges, size_t count, stretches *list, wc_error **err)
{
    uint64_t to_come = 0;
    for (uint64_t gap = MIN_GAP; (count = join_near(ranges, count, gap)) > MAX_STRETCHES;)
        gap *= 2;
    for (size_t i = 0; i < count; i++)
        to_come += ranges[i].end - ranges[i].from;
    wci_log_printf(w->call->log, WC_LOG_INFO, "layer '%s': %llu of %llu bytes are not in the store, in %zu stretches",
                   p->layer->digest.text, (unsigned long long)to_come, (unsigned long long)p->layer->size, count);
    if (!is_worth_it(p->layer, to_come + tail_size(p->layer))) {
        switch_off(w, p, NULL);
        return WC_OK;
    }
    p->here = (uint64_t)p->layer->size - to_come;
    int32_t code = make_file(w, p, err);
    for (size_t i = 0; i < count && !code; i++)
        code = add_stretch(list, p, ranges[i].from, ranges[i].end, take_frames, err);
    return code;
}

static int32_t fetch_missing(work *w, wc_error **err)
{
    stretches list = {NULL, 0, 0};
    int32_t code = WC_OK;
    for (size_t i = 0; i < w->all->count && !code; i++) {
        wci_partial *p = &w->all->items[i];
        range *ranges = NULL;
        size_t count = 0;
        if (!p->is_on)
            continue;
        code = list_missing(&p->parts, &ranges, &count, err);
        if (!code)
            code = plan_ranges(w, p, ranges, count, &list, err);
        wci_free(ranges);
    }
    if (!code)
        code = fetch_all(w, &list, err);
    wci_free(list.items);
    return code;
}

/* ---- All of it -------------------------------------------------------------------------------- */

int32_t wci_partials_bring(wc_call *call, wci_store *store, wci_hold *hold, wci_origin *origin, wci_partials *p,
                           int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload, wc_error **err)
{
    work w = {call, store, hold, origin, p, tick, payload};
    int possible = 0;
    int32_t code = p->count ? wci_reuse_is_possible(call, store, &possible, err) : WC_OK;
    if (code || !possible)
        return code;
    code = fetch_tails(&w, err);
    if (!code)
        code = find_contents(&w, err);
    return code ? code : fetch_missing(&w, err);
}

void wci_partials_free(wci_partials *p)
{
    for (size_t i = 0; i < p->count; i++) {
        wci_layer_parts_free(&p->items[i].parts);
        wci_fd_close(p->items[i].frames);
        wci_str_free(&p->items[i].tail);
    }
    if (p->store)
        wci_scratch_free(&p->scratch);
    wci_strv_free(&p->trees);
    wci_free(p->items);
    *p = (wci_partials)WCI_PARTIALS_INIT;
}
