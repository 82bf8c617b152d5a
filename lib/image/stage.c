/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stage.h"

#include "core/alloc.h"
#include "core/error.h"
#include "image/archive.h"
#include "platform/tree.h"

/* Scratch space at a time, where a registry gives to a registry; a blob that is larger goes alone. */
#define BATCH_BYTES ((int64_t)256 << 20)

/* A blob of a registry, kept for as long as it is needed. */
typedef struct wci_staged {
    const wci_descriptor *descriptor;
    wci_fetch fetch;
    wci_berth berth;
    int is_owned; /* the descriptor is of a scratch file of our own */
    uint64_t size;
    wci_hasher *hasher;
} staged;

/* ---- One blob --------------------------------------------------------------------------------------- */

static staged *staged_of(wci_fetch *fetch)
{
    return (staged *)fetch->payload;
}

static uint64_t staged_offset(wci_fetch *fetch)
{
    return staged_of(fetch)->size;
}

static int32_t staged_restart(wci_fetch *fetch, wc_error **err)
{
    staged *s = staged_of(fetch);
    wci_hasher_free(s->hasher);
    s->hasher = NULL;
    s->size = 0;
    return wci_hasher_new(wci_digest_algo(&fetch->digest), &s->hasher, err);
}

static int32_t staged_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    staged *s = staged_of(fetch);
    if (size > (uint64_t)fetch->size - s->size) /* what lies behind it may be another blob's */
        return wci_err(err, WC_E_DIGEST, "blob '%s': more than its %lld bytes come", fetch->digest.text,
                       (long long)fetch->size);
    int32_t code = wci_tree_file_write_at(s->berth.fd, data, size, s->berth.offset + s->size, err);
    wci_hasher_update(s->hasher, data, size);
    s->size += size;
    return code;
}

static int32_t staged_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    staged *s = staged_of(fetch);
    wci_digest digest = {{0}};
    if (why)
        return WC_OK;
    int32_t code = wci_hasher_final(s->hasher, &digest, err);
    if (!code && !wci_digest_equal(&digest, &fetch->digest))
        code = wci_err(err, WC_E_DIGEST, "blob '%s': the bytes have the digest '%s'",
                       fetch->digest.text, digest.text);
    return code;
}

static int32_t open_staged(const wci_ferry *ferry, staged *s, const wci_descriptor *d, wc_error **err)
{
    wci_outlet *outlet = ferry->outlet;
    *s = (staged){.descriptor = d, .berth = {WCI_FD_NONE, 0}};
    s->fetch = (wci_fetch){.digest = d->digest, .size = d->size, .urls = d->urls.count ? &d->urls : NULL,
                           .offset = staged_offset, .restart = staged_restart, .write = staged_write,
                           .done = staged_done, .payload = (uintptr_t)s};
    s->is_owned = !outlet->ops->stage;
    int32_t code = s->is_owned ? wci_archive_scratch(ferry->store, &s->berth.fd, err)
                               : outlet->ops->stage(outlet, d, &s->berth, err);
    return code ? code : wci_hasher_new(wci_digest_algo(&d->digest), &s->hasher, err);
}

/* ---- Fetching --------------------------------------------------------------------------------------- */

static int32_t tick(uintptr_t payload, wc_error **err)
{
    const wci_stage *stage = (const wci_stage *)payload;
    int32_t code = wci_call_check(stage->ferry->call, err);
    for (size_t i = 0; i < stage->count && !code; i++)
        code = wci_call_report(stage->ferry->call, WC_PROGRESS_DOWNLOAD, stage->staged[i].fetch.digest.text,
                               (int64_t)stage->staged[i].size, stage->staged[i].fetch.size, NULL, err);
    return code;
}

static int32_t fetch_all(wci_stage *stage, wc_error **err)
{
    const wci_ferry *ferry = stage->ferry;
    size_t opened = 0;
    int32_t code = WC_OK;
    wci_fetch **fetches = wci_calloc(stage->count + 1, sizeof *fetches);
    stage->staged = wci_calloc(stage->count + 1, sizeof *stage->staged);
    if (!fetches || !stage->staged)
        code = wci_err_nomem(err);
    for (; opened < stage->count && !code; opened++) {
        code = open_staged(ferry, &stage->staged[opened], stage->blobs[opened], err);
        fetches[opened] = &stage->staged[opened].fetch;
    }
    stage->count = opened; /* which is all of them unless it failed */
    if (!code && opened)
        code = wci_origin_fetch(ferry->call, ferry->origin, fetches, opened, tick, (uintptr_t)stage, err);
    wci_free(fetches);
    return code;
}

static int32_t open_blob(void *self, const wci_digest *digest, wci_extent *out, wc_error **err)
{
    const wci_stage *stage = self;
    wci_origin *origin = stage->ferry->origin;
    if (origin->away && stage->ferry->outlet->takes_tars)
        return origin->away->open_tar(stage->ferry->call, origin, digest, out, err);
    if (origin->ops->open_blob)
        return origin->ops->open_blob(origin, digest, out, err);
    for (size_t i = 0; i < stage->count; i++) {
        const staged *s = &stage->staged[i];
        if (wci_digest_equal(&s->descriptor->digest, digest)) {
            *out = (wci_extent){s->berth.fd, s->berth.offset, s->size, 0};
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_INTERNAL, "blob '%s': it was not fetched", digest->text);
}

/* ---- Some blobs ------------------------------------------------------------------------------------- */

/* What may not be distributed stays where its manifest says that it is, or where the registry has it. */
static int32_t spare_foreign(const wci_ferry *ferry, const wci_descriptor *blob, int *there, wc_error **err)
{
    wci_outlet *outlet = ferry->outlet;
    int32_t code = blob->urls.count || !outlet->ops->find ? WC_OK
                                                          : outlet->ops->find(ferry->call, outlet, &blob, 1, there, err);
    if (code || *there)
        return code;
    if (!blob->urls.count)
        return wci_err(err, WC_E_PERMISSION, "layer '%s': may not be distributed, and says of no other place to fetch it "
                       "from; say that such layers are to be sent if you may do that", blob->digest.text);
    *there = 1;
    return wci_call_report(ferry->call, WC_PROGRESS_MESSAGE, blob->digest.text, 0, -1,
                           "not sent: may not be distributed", err);
}

static int32_t spare_all_foreign(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count, int *there,
                                 wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; ferry->outlet->spares_foreign && i < count && !code; i++)
        if (!there[i] && wci_descriptor_is_foreign(blobs[i]))
            code = spare_foreign(ferry, blobs[i], &there[i], err);
    return code;
}

/* Which of those that are not at hand the outlet has. */
static int32_t find_away(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count, int *there,
                         wc_error **err)
{
    const wci_descriptor **asked = wci_calloc(count + 1, sizeof *asked);
    size_t *at = wci_calloc(count + 1, sizeof *at), n = 0;
    int *found = wci_calloc(count + 1, sizeof *found);
    int32_t code = asked && at && found ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++) {
        int away = 0;
        code = ferry->origin->away->is_away(ferry->call, ferry->origin, &blobs[i]->digest, &away, err);
        asked[n] = blobs[i];
        at[n] = i;
        n += (size_t)away;
    }
    if (!code && n)
        code = ferry->outlet->ops->find(ferry->call, ferry->outlet, asked, n, found, err);
    for (size_t i = 0; i < n && !code; i++)
        there[at[i]] = found[i];
    wci_free(asked);
    wci_free(at);
    wci_free(found);
    return code;
}

/* A blob that can be opened need not be looked for: put_blobs() asks the outlet first. */
static int32_t find_there(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count, int *there,
                          wc_error **err)
{
    if (!ferry->outlet->ops->find)
        return WC_OK;
    if (ferry->origin->away)
        return find_away(ferry, blobs, count, there, err);
    return ferry->origin->ops->open_blob ? WC_OK
                                         : ferry->outlet->ops->find(ferry->call, ferry->outlet, blobs, count, there, err);
}

static int32_t choose_blobs(wci_stage *stage, const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    const wci_ferry *ferry = stage->ferry;
    int *there = wci_calloc(count + 1, sizeof *there);
    stage->blobs = wci_calloc(count + 1, sizeof *stage->blobs);
    int32_t code = there && stage->blobs ? WC_OK : wci_err_nomem(err);
    if (!code)
        code = find_there(ferry, blobs, count, there, err);
    if (!code)
        code = spare_all_foreign(ferry, blobs, count, there, err);
    for (size_t i = 0; i < count && !code; i++) {
        if (there[i])
            code = wci_call_report(ferry->call, WC_PROGRESS_EXISTS, blobs[i]->digest.text, blobs[i]->size,
                                   blobs[i]->size, NULL, err);
        else
            stage->blobs[stage->count++] = blobs[i];
    }
    wci_free(there);
    return code;
}

int32_t wci_stage_open(wci_stage *stage, const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count,
                       wc_error **err)
{
    *stage = (wci_stage){.ferry = ferry, .source = {open_blob, stage}};
    int32_t code = choose_blobs(stage, blobs, count, err);
    if (!code && ferry->origin->away)
        code = ferry->origin->away->bring(ferry->call, ferry->origin, stage->blobs, stage->count,
                                          ferry->outlet->takes_tars, err);
    else if (!code && !ferry->origin->ops->open_blob)
        code = fetch_all(stage, err);
    if (code)
        wci_stage_close(stage);
    return code;
}

void wci_stage_close(wci_stage *stage)
{
    for (size_t i = 0; stage->staged && i < stage->count; i++) {
        if (stage->staged[i].is_owned)
            wci_fd_close(stage->staged[i].berth.fd);
        wci_hasher_free(stage->staged[i].hasher);
    }
    wci_free(stage->staged);
    wci_free(stage->blobs);
    stage->staged = NULL;
    stage->blobs = NULL;
    stage->count = 0;
}

static int32_t bring_batch(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    wci_stage stage;
    int32_t code = wci_stage_open(&stage, ferry, blobs, count, err);
    if (code)
        return code;
    if (stage.count)
        code = ferry->outlet->ops->put_blobs(ferry->call, ferry->outlet, &stage.source, stage.blobs, stage.count, err);
    wci_stage_close(&stage);
    return code;
}

/* How many of the blobs go together. */
static size_t batch_size(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count)
{
    int needs_scratch = !ferry->origin->ops->open_blob && !ferry->outlet->ops->stage;
    int64_t bytes = 0;
    size_t n = 0;
    while (n < count && (!needs_scratch || !n || blobs[n]->size <= BATCH_BYTES - bytes))
        bytes += blobs[n++]->size;
    return n;
}

int32_t wci_ferry_blobs(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    while (count && !code) {
        size_t n = batch_size(ferry, blobs, count);
        code = bring_batch(ferry, blobs, n, err);
        blobs += n;
        count -= n;
    }
    return code;
}
