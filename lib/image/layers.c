/* SPDX-License-Identifier: Apache-2.0 */
/* The calling thread brings blobs in; workers unpack each layer while it is still arriving, by
 * reading its file behind the writer. A worker that fails over bytes whose digest is not known yet
 * is only suspect: a wrong digest is the better explanation, and a download may begin anew. */
#include "image/layers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/drop.h"
#include "image/layer_reader.h"
#include "image/partial.h"
#include "layer/layer.h"
#include "platform/host.h"
#include "platform/thread.h"

#define POLL_MS 20
#define REPORT_NS 50000000LL
#define MAX_WORKERS 16

typedef enum blob_state {
    BLOB_ELSEWHERE, /* somebody else brings it in */
    BLOB_OURS,      /* we do */
    BLOB_IN_PART,   /* nobody does: what the tree needs is there without it */
    BLOB_HERE,
} blob_state;

typedef enum tree_state {
    TREE_WAITING, /* for bytes */
    TREE_READY,   /* for a worker */
    TREE_RUNNING,
    TREE_SUSPECT, /* failed, but perhaps through bad bytes */
    TREE_FAILED,
    TREE_DONE,
} tree_state;

typedef struct bring bring;

typedef struct piece {
    bring *owner;
    const wci_descriptor *layer;
    const wci_digest *diff_id;
    wci_fetch fetch;
    int was_partial;  /* an earlier download is resumed */
    int is_final;     /* the last report was made; the caller's thread only */
    int says_waiting;
    _Atomic uint64_t unpacked; /* compressed bytes */
    wci_partial *partial; /* NULL: it comes whole; the caller's thread only, once it is BLOB_IN_PART anybody's */

    /* Guarded by the mutex. */
    blob_state blob;
    wci_ingest *ingest;
    int restarted; /* bytes that a worker may have seen were thrown away */
    int retried;
    tree_state tree;
    wci_staging *staging;
    int tree_existed, blob_existed;
    int32_t code;
    wc_error *why;
} piece;

struct bring {
    wc_call *call;
    wci_hold *hold;
    wci_store *store;
    wci_origin *origin;
    wci_strv *in_part;
    wci_partials partials;
    piece *pieces; /* the largest first */
    size_t count;
    wci_fetch **fetches; /* room for all of them */
    wci_limits limits;
    int64_t reported_ns;

    wci_thread *workers[MAX_WORKERS];
    size_t worker_count;
    wc_cancel *stop_waiting; /* for workers that wait on other processes */
    _Atomic int stop;
    wci_mutex mutex;
    wci_cond changed;
};

int32_t wci_stagings_add(wci_stagings *list, wci_staging *staging, wc_error **err)
{
    if (!wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items)) {
        wci_staging_free(staging);
        return wci_err_nomem(err);
    }
    list->items[list->count++] = staging;
    return WC_OK;
}

void wci_stagings_free(wci_stagings *list)
{
    for (size_t i = list->count; i-- > 0;)
        wci_staging_free(list->items[i]);
    wci_free(list->items);
    *list = (wci_stagings)WCI_STAGINGS_INIT;
}

/* ---- Workers ------------------------------------------------------------------------------------ */

static void log_skipped(const bring *b, const piece *p, const wci_unpack_stats *stats)
{
    for (size_t i = 0; i < stats->skipped.count; i++)
        wci_log_printf(b->call->log, WC_LOG_WARN, "layer '%s': %s", p->layer->digest.text,
                       stats->skipped.items[i]);
}

/* Others would take the files from the table that the manifest names instead of the layer. */
static int32_t check_table(const wci_descriptor *layer, const wci_unpack_stats *stats, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (!layer->table_digest || wci_streq(layer->table_digest, stats->table.text))
        return WC_OK;
    wci_show(layer->table_digest, shown);
    return wci_err(err, WC_E_FORMAT, "its annotation names the zstd:chunked table of contents '%s', which it does not have",
                   shown);
}

static int32_t commit(bring *b, piece *p, wci_staging *staging, const wci_unpack_stats *stats, wc_error **err)
{
    int32_t code = wci_staging_commit(staging, stats->content_bytes, stats->entries, 0, err);
    if (!code)
        log_skipped(b, p, stats);
    return code;
}

static int32_t unpack_into(bring *b, piece *p, wci_staging *staging, wci_layer_reader *reader,
                           wc_error **err)
{
    wci_unpack_stats stats = {0};
    wci_codec codec = WCI_CODEC_NONE;
    const wci_source source = {wci_layer_reader_read, reader};
    int32_t code = wci_layer_reader_codec(reader, &codec, err);
    if (!code)
        code = wci_layer_unpack(&source, codec, p->diff_id, wci_staging_dir(staging),
                                &b->limits, &b->stop, &stats, err);
    if (!code)
        code = check_table(p->layer, &stats, err);
    if (!code)
        code = commit(b, p, staging, &stats, err);
    wci_strv_free(&stats.skipped);
    return code;
}

static int32_t unpack_parts(bring *b, piece *p, wci_staging *staging, wc_error **err)
{
    wci_unpack_stats stats = {0};
    const char *dir = wci_staging_dir(staging);
    const wci_partial *from = p->partial;
    int32_t code = wci_layer_unpack_parts(&from->parts, from->frames, p->diff_id, dir, &b->limits, &b->stop, &stats,
                                          err);
    if (!code)
        code = check_table(p->layer, &stats, err);
    if (!code)
        code = wci_layer_split_parts(&from->parts, from->frames, p->diff_id, dir, &b->stop, err);
    if (!code)
        code = commit(b, p, staging, &stats, err);
    wci_strv_free(&stats.skipped);
    return code;
}

static int32_t open_reader(bring *b, piece *p, wci_layer_reader *reader, wc_error **err)
{
    wci_mutex_lock(&b->mutex);
    wci_ingest *ingest = p->blob == BLOB_HERE ? NULL : wci_ingest_ref(p->ingest);
    wci_mutex_unlock(&b->mutex);
    return wci_layer_reader_open(b->store, &p->layer->digest, ingest, &p->unpacked, reader, err);
}

static int32_t unpack_blob(bring *b, piece *p, wci_staging *staging, wc_error **err)
{
    wci_layer_reader reader;
    int32_t code = open_reader(b, p, &reader, err);
    if (code)
        return code;
    code = unpack_into(b, p, staging, &reader, err);
    wci_layer_reader_close(&reader);
    return code;
}

/* Somebody else has made the tree meanwhile, perhaps from a blob; without that, more than the tree is needed. */
static int32_t check_joinable(bring *b, const piece *p, wc_error **err)
{
    if (!p->partial || wci_layer_can_be_joined(b->store, p->diff_id))
        return WC_OK;
    return wci_err(err, WC_E_NOT_FOUND, "layer '%s': its tree came without its tar-split", p->layer->digest.text);
}

/* *out NULL: the tree was there already. */
static int32_t make_tree(bring *b, piece *p, wci_staging **out, wc_error **err)
{
    wc_call call = {.cancel = b->stop_waiting, .log = b->call->log};
    wci_staging *staging = NULL;
    int32_t code =
        wci_staging_begin(&call, b->hold, WCI_TREE_LAYER, p->diff_id, &staging, err);
    if (code)
        return code;
    *out = NULL;
    if (!staging)
        return check_joinable(b, p, err);
    code = p->partial ? unpack_parts(b, p, staging, err) : unpack_blob(b, p, staging, err);
    if (code) {
        wci_staging_free(staging);
        return wci_err_wrap(err, code, "layer '%s': cannot be unpacked", p->layer->digest.text);
    }
    *out = staging;
    return WC_OK;
}

/* With the mutex. */
static void judge(piece *p)
{
    if (p->blob != BLOB_HERE) {
        p->tree = TREE_SUSPECT;
    } else if (p->restarted && !p->retried) {
        p->retried = 1;
        p->tree = TREE_READY;
    } else {
        p->tree = TREE_FAILED;
    }
}

static int may_be_bad_bytes(int32_t code)
{
    return code == WC_E_FORMAT || code == WC_E_DIGEST || code == WC_E_LIMIT ||
           code == WC_E_CANCELLED;
}

/* With the mutex. Whatever it was: the whole layer tells what is true. */
static void let_come_whole(piece *p)
{
    wci_log_printf(p->owner->call->log, WC_LOG_INFO, "layer '%s': comes whole: %s", p->layer->digest.text,
                   p->why ? wc_error_message(p->why) : "its parts do not fit");
    p->partial = NULL;
    p->blob = BLOB_ELSEWHERE;
    p->tree = TREE_WAITING;
}

static void finish(bring *b, piece *p, int32_t code, wci_staging *staging, wc_error *why)
{
    wci_mutex_lock(&b->mutex);
    wc_error_unref(p->why);
    p->why = why;
    p->code = code;
    p->staging = staging;
    p->tree_existed = !code && !staging;
    if (!code)
        p->tree = TREE_DONE;
    else if (p->partial && !b->stop)
        let_come_whole(p);
    else if (may_be_bad_bytes(code))
        judge(p);
    else
        p->tree = TREE_FAILED;
    wci_cond_broadcast(&b->changed);
    wci_mutex_unlock(&b->mutex);
}

/* With the mutex. */
static int is_open(const bring *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->pieces[i].tree < TREE_FAILED)
            return 1;
    return 0;
}

static piece *next_piece(bring *b)
{
    piece *found = NULL;
    wci_mutex_lock(&b->mutex);
    while (!found && !b->stop && is_open(b)) {
        for (size_t i = 0; i < b->count && !found; i++)
            if (b->pieces[i].tree == TREE_READY)
                found = &b->pieces[i];
        if (!found)
            wci_cond_wait(&b->changed, &b->mutex);
    }
    if (found)
        found->tree = TREE_RUNNING;
    wci_mutex_unlock(&b->mutex);
    return found;
}

static void work(void *arg)
{
    bring *b = arg;
    piece *p;
    while ((p = next_piece(b))) {
        wci_staging *staging = NULL;
        wc_error *why = NULL;
        int32_t code = make_tree(b, p, &staging, &why);
        finish(b, p, code, staging, why);
    }
}

static int32_t start_workers(bring *b, wc_error **err)
{
    size_t wanted = (size_t)wci_cpu_count();
    wanted = wanted < 2 ? 2 : wanted > MAX_WORKERS ? MAX_WORKERS : wanted;
    if (wanted > b->count)
        wanted = b->count;
    int32_t code = WC_OK;
    for (size_t i = 0; i < wanted && !code; i++) {
        code = wci_thread_start(&b->workers[i], work, b, err);
        b->worker_count += !code;
    }
    return code;
}

static void stop_workers(bring *b)
{
    wci_mutex_lock(&b->mutex);
    b->stop = 1;
    wci_cond_broadcast(&b->changed);
    wci_mutex_unlock(&b->mutex);
    wc_cancel_trigger(b->stop_waiting);
    for (size_t i = 0; i < b->count; i++)
        if (b->pieces[i].ingest)
            wci_ingest_abort(b->pieces[i].ingest);
}

static void join_workers(bring *b)
{
    for (size_t i = 0; i < b->worker_count; i++)
        wci_thread_join(b->workers[i]);
    b->worker_count = 0;
}

/* ---- Progress ----------------------------------------------------------------------------------- */

/* One layer is one line: first it comes in, then it is unpacked. */
static int32_t report_piece(bring *b, piece *p, wc_error **err)
{
    int64_t total = p->layer->size, now = 0;
    const char *id = p->layer->digest.text;
    int32_t kind = WC_PROGRESS_DOWNLOAD;
    if (p->is_final)
        return WC_OK;
    wci_mutex_lock(&b->mutex);
    int is_here = p->blob == BLOB_HERE || p->blob == BLOB_IN_PART;
    if (p->tree == TREE_DONE && is_here) {
        kind = p->tree_existed && p->blob_existed ? WC_PROGRESS_EXISTS : WC_PROGRESS_DONE;
        now = total;
        p->is_final = 1;
    } else if (is_here) {
        kind = WC_PROGRESS_UNPACK;
        now = (int64_t)atomic_load(&p->unpacked);
    } else if (p->blob == BLOB_OURS) {
        now = (int64_t)wci_ingest_offset(p->ingest);
    } else if (p->partial) {
        now = (int64_t)p->partial->here;
    } else {
        kind = WC_PROGRESS_WAIT;
    }
    wci_mutex_unlock(&b->mutex);
    return wci_call_report(b->call, kind, id, now, total, NULL, err);
}

static int32_t report_all(bring *b, wc_error **err)
{
    int32_t code = WC_OK;
    b->reported_ns = wci_monotonic_ns();
    for (size_t i = 0; i < b->count && !code; i++)
        code = report_piece(b, &b->pieces[i], err);
    return code;
}

static int32_t take_failure(bring *b, wc_error **err)
{
    int32_t code = WC_OK;
    wci_mutex_lock(&b->mutex);
    for (size_t i = 0; i < b->count && !code; i++) {
        piece *p = &b->pieces[i];
        if (p->tree == TREE_FAILED) {
            code = p->code;
            if (p->why)
                wci_err_move(err, p->why);
            p->why = NULL;
        }
    }
    wci_mutex_unlock(&b->mutex);
    return code;
}

static int32_t tick(uintptr_t payload, wc_error **err)
{
    bring *b = (bring *)payload;
    int32_t code = take_failure(b, err);
    if (!code)
        code = wci_call_check(b->call, err);
    if (!code && wci_monotonic_ns() - b->reported_ns >= REPORT_NS)
        code = report_all(b, err);
    return code;
}

/* ---- Blobs -------------------------------------------------------------------------------------- */

static void set_here(piece *p)
{
    wci_mutex_lock(&p->owner->mutex);
    p->blob = BLOB_HERE;
    if (p->tree == TREE_WAITING)
        p->tree = TREE_READY;
    else if (p->tree == TREE_SUSPECT)
        judge(p);
    wci_cond_broadcast(&p->owner->changed);
    wci_mutex_unlock(&p->owner->mutex);
}

/* Bytes of an earlier download may be bad, so such a layer is unpacked once it is verified. */
static void bytes_came(piece *p)
{
    if (p->was_partial)
        return;
    wci_mutex_lock(&p->owner->mutex);
    if (p->tree == TREE_WAITING) {
        p->tree = TREE_READY;
        wci_cond_signal(&p->owner->changed);
    }
    wci_mutex_unlock(&p->owner->mutex);
}

static piece *piece_of(wci_fetch *fetch)
{
    return (piece *)fetch->payload;
}

static uint64_t fetch_offset(wci_fetch *fetch)
{
    return wci_ingest_offset(piece_of(fetch)->ingest);
}

static int32_t fetch_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    piece *p = piece_of(fetch);
    int32_t code = wci_ingest_write(p->ingest, data, size, err);
    if (!code)
        bytes_came(p);
    return code;
}

/* An ingest that ended with the wrong digest has thrown its bytes away; another one begins. */
static int32_t fetch_restart(wci_fetch *fetch, wc_error **err)
{
    piece *p = piece_of(fetch);
    bring *b = p->owner;
    wci_ingest *fresh = NULL;
    int32_t code = wci_ingest_restart(p->ingest, NULL);
    if (code)
        code = wci_ingest_try(b->hold, &p->layer->digest, p->layer->size, &fresh, err);
    if (!code || fresh) {
        wci_mutex_lock(&b->mutex);
        p->restarted = 1;
        wci_ingest *old = fresh ? p->ingest : NULL;
        if (fresh)
            p->ingest = fresh;
        wci_mutex_unlock(&b->mutex);
        wci_ingest_unref(old);
    }
    return code;
}

static int32_t fetch_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    piece *p = piece_of(fetch);
    if (why) {
        wci_ingest_abort(p->ingest);
        return WC_OK;
    }
    int32_t code = wci_ingest_commit(p->ingest, err);
    if (!code)
        set_here(p);
    return code;
}

/* A blob that was dropped is not missed while its tree is there, and what was kept with it. */
static int32_t is_dispensable(bring *b, const piece *p, int *dispensable, wc_error **err)
{
    wci_again again = WCI_AGAIN_NOT;
    *dispensable = 0;
    int32_t code = wci_hold_add(b->call, b->hold, p->diff_id, err);
    if (!code)
        code = wci_blob_again(b->call, b->store, &p->layer->digest, &again, err);
    *dispensable = !code && again && wci_layer_can_be_joined(b->store, p->diff_id);
    return code;
}

static int32_t claim(bring *b, piece *p, wc_error **err)
{
    int dispensable;
    int32_t code = is_dispensable(b, p, &dispensable, err);
    if (code)
        return code;
    if (dispensable) {
        p->blob_existed = 1;
        set_here(p);
        return WC_OK;
    }
    wc_error *why = NULL;
    wci_ingest *ingest = NULL;
    code = wci_ingest_try(b->hold, &p->layer->digest, p->layer->size, &ingest, &why);
    if (code == WC_E_BUSY) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (code)
        return why ? wci_err_move(err, why) : code;
    if (!ingest) {
        p->blob_existed = 1;
        set_here(p);
        return WC_OK;
    }
    p->was_partial = wci_ingest_offset(ingest) > 0;
    wci_mutex_lock(&b->mutex);
    p->ingest = ingest;
    p->blob = BLOB_OURS;
    wci_mutex_unlock(&b->mutex);
    return WC_OK;
}

/* Claims what can be had; *count is then the number of fetches. */
static int32_t claim_all(bring *b, size_t *count, wc_error **err)
{
    int32_t code = WC_OK;
    *count = 0;
    for (size_t i = 0; i < b->count && !code; i++) {
        piece *p = &b->pieces[i];
        if (p->blob == BLOB_ELSEWHERE)
            code = claim(b, p, err);
        if (!code && p->blob == BLOB_OURS)
            b->fetches[(*count)++] = &p->fetch;
    }
    return code;
}

/* ---- Parts -------------------------------------------------------------------------------------- */

/* Of what is there in one form or another, nothing is asked for. */
static int32_t may_come_in_part(bring *b, piece *p, int *may, wc_error **err)
{
    uint64_t size;
    char *tree = NULL;
    int dispensable = 0;
    *may = wci_partial_may_be(p->layer) && wci_blob_stat(b->store, &p->layer->digest, &size, NULL) &&
           wci_tree_path(b->store, WCI_TREE_LAYER, p->diff_id, &tree, NULL);
    wci_free(tree);
    int32_t code = *may ? is_dispensable(b, p, &dispensable, err) : WC_OK;
    *may = *may && !dispensable;
    return code;
}

static int32_t list_partials(bring *b, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < b->count && !code; i++) {
        int may = 0;
        code = may_come_in_part(b, &b->pieces[i], &may, err);
        if (!code && may)
            code = wci_partials_add(&b->partials, b->pieces[i].layer, err);
    }
    return code;
}

static piece *find_piece(bring *b, const wci_digest *digest)
{
    for (size_t i = 0; i < b->count; i++)
        if (wci_digest_equal(&b->pieces[i].layer->digest, digest))
            return &b->pieces[i];
    return NULL;
}

static void show_partials(bring *b)
{
    for (size_t i = 0; i < b->partials.count; i++) {
        wci_partial *partial = &b->partials.items[i];
        find_piece(b, &partial->layer->digest)->partial = partial;
    }
}

static void start_partials(bring *b)
{
    wci_mutex_lock(&b->mutex);
    for (size_t i = 0; i < b->count; i++) {
        piece *p = &b->pieces[i];
        if (p->partial && p->partial->is_on) {
            p->blob = BLOB_IN_PART;
            p->tree = TREE_READY;
        } else {
            p->partial = NULL;
        }
    }
    wci_cond_broadcast(&b->changed);
    wci_mutex_unlock(&b->mutex);
}

static int32_t bring_parts(bring *b, wc_error **err)
{
    if (!b->in_part || !b->origin->ops->fetch)
        return WC_OK;
    int32_t code = list_partials(b, err);
    show_partials(b);
    if (!code)
        code = wci_partials_bring(b->call, b->store, b->hold, b->origin, &b->partials, tick, (uintptr_t)b, err);
    start_partials(b);
    return code;
}

static int32_t list_in_part(bring *b, wc_error **err)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->pieces[i].blob == BLOB_IN_PART && wci_strv_add(b->in_part, b->pieces[i].layer->digest.text))
            return wci_err_nomem(err);
    return WC_OK;
}

/* ---- Running ------------------------------------------------------------------------------------ */

/* Waits for a change, but not long: other processes do not tell us theirs. */
static int wait_for_change(bring *b)
{
    wci_mutex_lock(&b->mutex);
    int open = is_open(b);
    if (open)
        wci_cond_wait_ms(&b->changed, &b->mutex, POLL_MS);
    wci_mutex_unlock(&b->mutex);
    return open;
}

static int32_t run(bring *b, wc_error **err)
{
    int32_t code = bring_parts(b, err);
    if (code)
        return code;
    do {
        size_t count = 0;
        code = claim_all(b, &count, err);
        if (!code && count)
            code = wci_origin_fetch(b->call, b->origin, b->fetches, count, tick, (uintptr_t)b, err);
        if (!code)
            code = tick((uintptr_t)b, err);
    } while (!code && wait_for_change(b));
    if (!code)
        code = take_failure(b, err);
    return code ? code : report_all(b, err);
}

/* ---- All layers --------------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b)
{
    const piece *x = a, *y = b;
    return x->layer->size < y->layer->size ? 1 : x->layer->size > y->layer->size ? -1 : 0;
}

static int32_t list_pieces(bring *b, const wci_document *manifest, const wci_image_config *config,
                           wc_error **err)
{
    for (size_t i = 0; i < manifest->count; i++) {
        const wci_descriptor *layer = &manifest->items[i];
        const piece *same = find_piece(b, &layer->digest);
        if (same && (!wci_digest_equal(same->diff_id, &config->diff_ids[i]) ||
                     same->layer->size != layer->size))
            return wci_err(err, WC_E_FORMAT,
                           "layer '%s': listed twice, with different sizes or contents",
                           layer->digest.text);
        if (!same)
            b->pieces[b->count++] =
                (piece){.owner = b, .layer = layer, .diff_id = &config->diff_ids[i]};
    }
    qsort(b->pieces, b->count, sizeof *b->pieces, larger_first);
    for (size_t i = 0; i < b->count; i++) {
        piece *p = &b->pieces[i];
        p->fetch = (wci_fetch){.digest = p->layer->digest, .size = p->layer->size,
                               .urls = p->layer->urls.count ? &p->layer->urls : NULL,
                               .offset = fetch_offset, .restart = fetch_restart,
                               .write = fetch_write, .done = fetch_done, .payload = (uintptr_t)p};
    }
    return WC_OK;
}

static int32_t take_trees(bring *b, wci_stagings *trees, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < b->count && !code; i++) {
        wci_staging *staging = b->pieces[i].staging;
        b->pieces[i].staging = NULL;
        if (staging)
            code = wci_stagings_add(trees, staging, err);
    }
    return code;
}

static void clear(bring *b)
{
    for (size_t i = 0; i < b->count; i++) {
        wci_ingest_unref(b->pieces[i].ingest);
        wci_staging_free(b->pieces[i].staging);
        wc_error_unref(b->pieces[i].why);
    }
    wci_partials_free(&b->partials);
    wc_cancel_unref(b->stop_waiting);
    wci_cond_destroy(&b->changed);
    wci_mutex_destroy(&b->mutex);
    wci_free(b->fetches);
    wci_free(b->pieces);
}

int32_t wci_layers_bring(wc_call *call, wci_store *store, wci_hold *hold, wci_origin *origin,
                         const wci_document *manifest, const wci_image_config *config, wci_strv *in_part,
                         wci_stagings *trees, wc_error **err)
{
    bring b = {.call = call, .hold = hold, .store = store, .origin = origin, .in_part = in_part,
               .partials = WCI_PARTIALS_INIT, .limits = wci_limits_default};
    b.limits.target_windows = wci_streq(config->platform.os, "windows");
    wci_mutex_init(&b.mutex);
    wci_cond_init(&b.changed);
    b.pieces = wci_calloc(manifest->count + 1, sizeof *b.pieces);
    b.fetches = wci_calloc(manifest->count + 1, sizeof *b.fetches);
    int32_t code = b.pieces && b.fetches ? wc_cancel_new(&b.stop_waiting, err) : wci_err_nomem(err);
    if (!code)
        code = list_pieces(&b, manifest, config, err);
    if (!code)
        code = start_workers(&b, err);
    if (!code)
        code = run(&b, err);
    if (code)
        stop_workers(&b);
    join_workers(&b);
    if (!code)
        code = take_trees(&b, trees, err);
    if (!code && in_part)
        code = list_in_part(&b, err);
    clear(&b);
    return code;
}
