/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching blobs, several at once, resuming and retrying each. */
#include "registry/fetch.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "registry/headers.h"

#define NS_PER_MS 1000000
/* An attempt that brought so much is not counted as a failure, so that long downloads over bad
 * lines end, and a server that cuts after every byte does not keep us for ever. */
#define PROGRESS_BYTES ((uint64_t)1024 * 1024)

/* ---- Bytes of one answer ---------------------------------------------------------------------- */

static int32_t wrong_size(const wci_job *j, uint64_t size, wc_error **err)
{
    return wci_err(err, WC_E_DIGEST, "%s: %s: the server has %llu bytes instead of %lld", j->what,
                   j->leg.ex.url.shown, (unsigned long long)size, (long long)j->fetch->size);
}

/* How many bytes the taker wants; negative: not known. */
static int64_t wanted_by(const wci_job *j)
{
    return j->fetch->end ? (int64_t)(j->fetch->end - j->fetch->from) : j->fetch->size;
}

/* Of a stretch the rest of the blob is of no use. */
static int32_t no_stretches(const wci_job *j, wc_error **err)
{
    return wci_err(err, WC_E_UNSUPPORTED, "%s: the server does not give the part of a blob that it is asked for",
                   j->leg.ex.url.shown);
}

static int32_t begin_part(wci_job *j, wc_error **err)
{
    uint64_t from = 0, total = 0;
    const char *range = wci_http_header(&j->leg.ex.request, "content-range", 0);
    int is_known = range && wci_header_content_range(range, &from, &total);
    if (!j->asked_from || !is_known || from != j->asked_from) {
        if (j->fetch->end)
            return no_stretches(j, err);
        j->no_range = 1;
        wci_err(err, WC_E_NETWORK, "%s: the server sent another part than the one asked for",
                j->leg.ex.url.shown);
        wci_err_set_retryable(err, 1);
        return WC_E_NETWORK;
    }
    if (j->fetch->size >= 0 && total != UINT64_MAX && total != (uint64_t)j->fetch->size)
        return wrong_size(j, total, err);
    return WC_OK;
}

static int32_t begin_whole(wci_job *j, wc_error **err)
{
    uint64_t length;
    if (j->fetch->end)
        return no_stretches(j, err);
    const char *header = wci_http_header(&j->leg.ex.request, "content-length", 0);
    if (header && j->fetch->size >= 0 && wci_parse_u64(header, UINT64_MAX, &length) &&
        length != (uint64_t)j->fetch->size)
        return wrong_size(j, length, err);
    /* Whoever already reads the first bytes goes on undisturbed; the digest tells in the end
     * whether these are the same. */
    j->skip = j->have;
    return WC_OK;
}

static int32_t begin(wci_http_request *request, wc_error **err)
{
    wci_job *j = ((wci_leg *)request->owner)->job;
    if (j->have)
        j->resumed = 1;
    return request->status == 206 ? begin_part(j, err) : begin_whole(j, err);
}

int32_t wci_job_pass(wci_job *j, const void *data, size_t size, wc_error **err)
{
    int64_t wanted = wanted_by(j);
    if (wanted >= 0 && size > (uint64_t)wanted - j->have)
        return j->fetch->end ? no_stretches(j, err) : wrong_size(j, j->have + size, err);
    int32_t code = j->fetch->write(j->fetch, data, size, err);
    if (!code)
        j->have += size;
    return code;
}

static int32_t sink(wci_http_request *request, const void *data, size_t size, wc_error **err)
{
    wci_job *j = ((wci_leg *)request->owner)->job;
    size_t known = j->skip < size ? (size_t)j->skip : size;
    j->skip -= known;
    return known == size ? WC_OK : wci_job_pass(j, (const char *)data + known, size - known, err);
}

/* ---- Legs ------------------------------------------------------------------------------------- */

int32_t wci_leg_start(wci_batch *b, wci_leg *leg, uint64_t from, uint64_t end, int *started,
                      wc_error **err)
{
    *started = wci_traffic_enter(b->call->traffic);
    if (!*started)
        return WC_OK;
    int32_t code = wci_exchange_start(&leg->ex, from, end, err);
    if (code) {
        wci_traffic_leave(b->call->traffic);
        return code;
    }
    leg->is_running = 1;
    b->running++;
    return WC_OK;
}

void wci_leg_stop(wci_batch *b, wci_leg *leg)
{
    wci_http_cancel(b->remote->http, &leg->ex.request);
    if (!leg->is_running)
        return;
    leg->is_running = 0;
    b->running--;
    wci_traffic_leave(b->call->traffic);
}

/* ---- One blob --------------------------------------------------------------------------------- */

/* The next of the places that a foreign layer names; 0 when there is none left. */
static int next_place(wci_job *j)
{
    const wci_strv *urls = j->fetch->urls;
    wci_exchange *ex = &j->leg.ex;
    if (!urls || j->urls_tried >= urls->count)
        return 0;
    wci_exchange_rewind(ex);
    ex->path = NULL;
    ex->foreign_url = urls->items[j->urls_tried++];
    ex->failures = ex->challenges = 0;
    j->no_range = 0;
    return 1;
}

static int32_t open_job(wci_job *j, wci_remote *remote, wci_fetch *fetch, wc_error **err)
{
    j->fetch = fetch;
    j->path = wci_asprintf("/v2/%s/blobs/%s", remote->repository, fetch->digest.text);
    j->what = wci_asprintf("blob '%s'", fetch->digest.text);
    j->leg.job = j;
    j->leg.ex.remote = remote;
    j->leg.ex.path = j->path;
    j->leg.ex.request.owner = &j->leg;
    j->leg.ex.request.begin = begin;
    j->leg.ex.request.sink = sink;
    if (remote->is_places)
        next_place(j);
    return j->path && j->what ? WC_OK : wci_err_nomem(err);
}

static void close_job(wci_batch *b, wci_job *j)
{
    wci_parts_end(b, j);
    wci_exchange_clear(&j->leg.ex);
    wci_free(j->path);
    wci_free(j->what);
}

static void end_job(wci_batch *b, wci_job *j)
{
    j->state = WCI_JOB_ENDED;
    b->left--;
}

static int32_t restart_job(wci_job *j, wc_error **err)
{
    int32_t code = j->fetch->restart(j->fetch, err);
    j->have = 0;
    return code;
}

int32_t wci_job_complete(wci_batch *b, wci_job *j, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = j->fetch->done(j->fetch, NULL, &why);
    if (code == WC_E_DIGEST && j->resumed && !j->fresh) {
        /* The fault may lie with the bytes that an earlier attempt left. */
        wc_error_unref(why);
        j->fresh = 1;
        wci_exchange_rewind(&j->leg.ex);
        j->state = WCI_JOB_WAITING;
        return restart_job(j, err);
    }
    end_job(b, j);
    if (!code)
        return WC_OK;
    wci_err_move(err, why);
    return j->leg.ex.path ? wci_err_wrap(err, code, "%s: from registry '%s'", j->what, b->remote->host)
                          : wci_err_wrap(err, code, "%s: from '%s'", j->what, j->leg.ex.url.shown);
}

/* A place that a foreign layer names is given up for the next one; an end from outside is not a
 * failure of the place. */
static int try_next_place(wci_job *j, int32_t code)
{
    return !j->leg.ex.path && code != WC_E_CANCELLED && code != WC_E_TIMEOUT && next_place(j);
}

static int32_t start_leg(wci_batch *b, wci_job *j, int64_t *wait_ns, wc_error **err)
{
    int started = 0;
    wc_error *why = NULL;
    j->had = j->have;
    j->began_ns = wci_monotonic_ns();
    j->skip = 0;
    j->asked_from = j->fetch->end ? j->fetch->from + j->have : j->no_range || j->fresh ? 0 : j->have;
    int32_t code = wci_leg_start(b, &j->leg, j->asked_from, j->fetch->end, &started, &why);
    if (code && try_next_place(j, code)) {
        wc_error_unref(why);
        *wait_ns = 0;
        return WC_OK;
    }
    if (code) {
        wci_err_move(err, why);
        return wci_err_wrap(err, code, "%s", j->what);
    }
    if (started)
        j->state = WCI_JOB_RUNNING;
    else if (*wait_ns > WCI_NO_ROOM_NS)
        *wait_ns = WCI_NO_ROOM_NS;
    return WC_OK;
}

static int32_t start_job(wci_batch *b, wci_job *j, int64_t *wait_ns, wc_error **err)
{
    int64_t size = wanted_by(j);
    int32_t code = WC_OK;
    j->have = j->fetch->offset(j->fetch);
    if (size >= 0 && j->have > (uint64_t)size)
        code = restart_job(j, err);
    if (code)
        return code;
    if (size < 0 || j->have < (uint64_t)size)
        return start_leg(b, j, wait_ns, err);
    j->resumed |= j->have > 0;
    code = wci_job_complete(b, j, err);
    if (!code && j->state == WCI_JOB_WAITING)
        *wait_ns = 0; /* it begins anew */
    return code;
}

static int32_t short_body(wci_job *j, wc_error **err)
{
    if (wci_exchange_retry(&j->leg.ex))
        return WC_OK;
    wci_err(err, WC_E_NETWORK, "%s: %s: the server ended after %llu of %lld bytes", j->what,
            j->leg.ex.url.shown, (unsigned long long)j->have, (long long)wanted_by(j));
    wci_err_set_retryable(err, 1);
    return WC_E_NETWORK;
}

/* A whole answer came. */
static int32_t settle_answer(wci_batch *b, wci_job *j, wc_error **err)
{
    wci_exchange *ex = &j->leg.ex;
    long status = ex->request.status;
    if (status == 200 || status == 206) {
        int64_t wanted = wanted_by(j);
        if (wanted < 0 || j->have == (uint64_t)wanted)
            return wci_job_complete(b, j, err);
        return short_body(j, err);
    }
    if (status == 416 && j->fetch->end)
        return no_stretches(j, err);
    if (status == 416 && j->asked_from) {
        j->no_range = 1;
        wci_exchange_rewind(ex);
        return WC_OK;
    }
    if ((status == 404 || !ex->path) && next_place(j))
        return WC_OK;
    return wci_exchange_status_error(ex, j->what, err);
}

static int32_t settle_job(wci_batch *b, wci_job *j, wc_error **err)
{
    wc_error *why = NULL;
    wci_next next;
    if (j->have - j->had >= PROGRESS_BYTES)
        j->leg.ex.failures = 0;
    j->state = WCI_JOB_WAITING;
    wci_leg_stop(b, &j->leg);
    int32_t code = wci_exchange_settle(b->call, &j->leg.ex, &next, &why);
    if (!code)
        return next == WCI_NEXT_AGAIN ? WC_OK : settle_answer(b, j, err);
    if (try_next_place(j, code)) {
        wc_error_unref(why);
        return WC_OK;
    }
    wci_err_move(err, why);
    return wci_err_wrap(err, code, "%s", j->what);
}

/* ---- All of them ------------------------------------------------------------------------------ */

static int32_t start_one(wci_batch *b, wci_job *j, int64_t *wait_ns, wc_error **err)
{
    if (j->state == WCI_JOB_IN_PARTS)
        return wci_parts_start(b, j, wait_ns, err);
    if (j->state != WCI_JOB_WAITING)
        return WC_OK;
    int64_t in = wci_exchange_due_in_ns(&j->leg.ex);
    if (!in)
        return start_job(b, j, wait_ns, err);
    if (in < *wait_ns)
        *wait_ns = in;
    return WC_OK;
}

/* Starts what is due, and tells when to look again (-1: when something is finished). */
static int32_t start_due(wci_batch *b, int64_t *wait_ms, wc_error **err)
{
    int64_t wait_ns = INT64_MAX;
    int32_t code = WC_OK;
    for (size_t i = 0; i < b->count && !code && b->running < b->remote->config.max_transfers; i++)
        code = start_one(b, &b->jobs[i], &wait_ns, err);
    *wait_ms = wait_ns == INT64_MAX ? -1 : (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
    return code ? code : wci_parts_split(b, wait_ms, err);
}

static int32_t settle(wci_batch *b, wci_leg *leg, wc_error **err)
{
    return leg->part ? wci_parts_settle(b, leg, err) : settle_job(b, leg->job, err);
}

static int32_t run(wci_batch *b, wc_error **err)
{
    while (b->left) {
        wci_http_request *finished = NULL;
        int64_t wait_ms;
        int32_t code = start_due(b, &wait_ms, err);
        if (!code && b->left)
            code = wci_http_wait(b->call, b->remote->http, wait_ms, &finished, err);
        if (!code && finished)
            code = settle(b, finished->owner, err);
        if (code)
            return code;
    }
    return WC_OK;
}

/* Every blob that did not come to its end is given up. */
static void give_up(wci_batch *b, const wc_error *why)
{
    for (size_t i = 0; i < b->count; i++) {
        wci_job *j = &b->jobs[i];
        wci_leg_stop(b, &j->leg);
        wci_parts_end(b, j);
        if (j->state == WCI_JOB_ENDED)
            continue;
        end_job(b, j);
        j->fetch->done(j->fetch, why, NULL);
    }
}

int32_t wci_remote_fetch(wc_call *call, wci_remote *remote, wci_fetch **fetches, size_t count,
                         int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                         wc_error **err)
{
    wci_batch b = {.call = call, .remote = remote, .count = count, .left = count};
    wc_error *why = NULL;
    int32_t code = WC_OK;
    b.jobs = wci_calloc(count ? count : 1, sizeof *b.jobs);
    if (!b.jobs)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int32_t opened = open_job(&b.jobs[i], remote, fetches[i], &why);
        code = code ? code : opened;
    }
    wci_http_set_tick(remote->http, tick, payload);
    if (!code)
        code = run(&b, &why);
    wci_http_set_tick(remote->http, NULL, 0);
    if (code && !why) /* a callback that gave no reason; done() must still see a failure */
        wci_err(&why, code, "fetching blobs from registry '%s': ended", remote->host);
    if (code)
        give_up(&b, why);
    for (size_t i = 0; i < count; i++)
        close_job(&b, &b.jobs[i]);
    wci_free(b.jobs);
    if (code)
        wci_err_move(err, why);
    return code;
}
