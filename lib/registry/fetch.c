/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching blobs, several at once, resuming and retrying each. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "registry/headers.h"
#include "registry/remote.h"

#define NS_PER_MS 1000000
/* An attempt that brought so much is not counted as a failure, so that long downloads over bad
 * lines end, and a server that cuts after every byte does not keep us for ever. */
#define PROGRESS_BYTES ((uint64_t)1024 * 1024)

typedef enum job_state {
    JOB_WAITING,
    JOB_RUNNING,
    JOB_ENDED,
} job_state;

typedef struct job {
    wci_fetch *fetch;
    wci_exchange ex;
    char *path;
    char *what;            /* "blob 'sha256:…'" */
    job_state state;
    size_t urls_tried;
    uint64_t have;         /* bytes the taker has */
    uint64_t had;          /* … when this attempt began */
    uint64_t skip;         /* bytes of this answer that the taker has already */
    uint64_t asked_from;   /* the Range of this attempt */
    int no_range;          /* this server cannot resume */
    int resumed, fresh;
} job;

typedef struct batch {
    wci_remote *remote;
    job *jobs;
    size_t count, running, left;
} batch;

/* ---- Bytes of one answer ---------------------------------------------------------------------- */

static int32_t wrong_size(const job *j, uint64_t size, wc_error **err)
{
    return wci_err(err, WC_E_DIGEST, "%s: %s: the server has %llu bytes instead of %lld", j->what,
                   j->ex.url.shown, (unsigned long long)size, (long long)j->fetch->size);
}

static int32_t begin_part(job *j, wc_error **err)
{
    uint64_t from = 0, total = 0;
    const char *range = wci_http_header(&j->ex.request, "content-range", 0);
    int is_known = range && wci_header_content_range(range, &from, &total);
    if (!j->asked_from || !is_known || from != j->asked_from) {
        j->no_range = 1;
        wci_err(err, WC_E_NETWORK, "%s: the server sent another part than the one asked for",
                j->ex.url.shown);
        wci_err_set_retryable(err, 1);
        return WC_E_NETWORK;
    }
    if (j->fetch->size >= 0 && total != UINT64_MAX && total != (uint64_t)j->fetch->size)
        return wrong_size(j, total, err);
    return WC_OK;
}

static int32_t begin_whole(job *j, wc_error **err)
{
    uint64_t length;
    const char *header = wci_http_header(&j->ex.request, "content-length", 0);
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
    job *j = request->owner;
    if (j->have)
        j->resumed = 1;
    return request->status == 206 ? begin_part(j, err) : begin_whole(j, err);
}

static int32_t sink(wci_http_request *request, const void *data, size_t size, wc_error **err)
{
    job *j = request->owner;
    const char *bytes = data;
    size_t known = j->skip < size ? (size_t)j->skip : size;
    j->skip -= known;
    bytes += known;
    size -= known;
    if (!size)
        return WC_OK;
    if (j->fetch->size >= 0 && size > (uint64_t)j->fetch->size - j->have)
        return wrong_size(j, j->have + size, err);
    int32_t code = j->fetch->write(j->fetch, bytes, size, err);
    if (!code)
        j->have += size;
    return code;
}

/* ---- One blob --------------------------------------------------------------------------------- */

static int32_t open_job(job *j, wci_remote *remote, wci_fetch *fetch, wc_error **err)
{
    j->fetch = fetch;
    j->path = wci_asprintf("/v2/%s/blobs/%s", remote->repository, fetch->digest.text);
    j->what = wci_asprintf("blob '%s'", fetch->digest.text);
    j->ex.remote = remote;
    j->ex.path = j->path;
    j->ex.request.owner = j;
    j->ex.request.begin = begin;
    j->ex.request.sink = sink;
    return j->path && j->what ? WC_OK : wci_err_nomem(err);
}

static void close_job(job *j)
{
    wci_exchange_clear(&j->ex);
    wci_free(j->path);
    wci_free(j->what);
}

static void end_job(batch *b, job *j)
{
    j->state = JOB_ENDED;
    b->left--;
}

static int32_t restart_job(job *j, wc_error **err)
{
    int32_t code = j->fetch->restart(j->fetch, err);
    j->have = 0;
    return code;
}

static int32_t complete(batch *b, job *j, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = j->fetch->done(j->fetch, NULL, &why);
    if (code == WC_E_DIGEST && j->resumed && !j->fresh) {
        /* The fault may lie with the bytes that an earlier attempt left. */
        wc_error_unref(why);
        j->fresh = 1;
        wci_exchange_rewind(&j->ex);
        j->state = JOB_WAITING;
        return restart_job(j, err);
    }
    end_job(b, j);
    if (!code)
        return WC_OK;
    wci_err_move(err, why);
    return wci_err_wrap(err, code, "%s: from registry '%s'", j->what, b->remote->host);
}

/* The next of the places that a foreign layer names; 0 when there is none left. */
static int next_place(job *j)
{
    const wci_strv *urls = j->fetch->urls;
    if (!urls || j->urls_tried >= urls->count)
        return 0;
    wci_exchange_rewind(&j->ex);
    j->ex.path = NULL;
    j->ex.foreign_url = urls->items[j->urls_tried++];
    j->ex.failures = j->ex.challenges = 0;
    j->no_range = 0;
    return 1;
}

/* A place that a foreign layer names is given up for the next one; an end from outside is not a
 * failure of the place. */
static int try_next_place(job *j, int32_t code)
{
    return !j->ex.path && code != WC_E_CANCELLED && code != WC_E_TIMEOUT && next_place(j);
}

static int32_t start_job(batch *b, job *j, wc_error **err)
{
    int64_t size = j->fetch->size;
    int32_t code = WC_OK;
    j->have = j->fetch->offset(j->fetch);
    if (size >= 0 && j->have > (uint64_t)size)
        code = restart_job(j, err);
    if (code)
        return code;
    if (size >= 0 && j->have == (uint64_t)size) {
        j->resumed |= j->have > 0;
        return complete(b, j, err);
    }
    j->had = j->have;
    j->skip = 0;
    j->asked_from = j->no_range || j->fresh ? 0 : j->have;
    wc_error *why = NULL;
    code = wci_exchange_start(&j->ex, j->asked_from, &why);
    if (code && try_next_place(j, code)) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (code) {
        wci_err_move(err, why);
        return wci_err_wrap(err, code, "%s", j->what);
    }
    j->state = JOB_RUNNING;
    b->running++;
    return WC_OK;
}

static int32_t short_body(job *j, wc_error **err)
{
    if (wci_exchange_retry(&j->ex))
        return WC_OK;
    wci_err(err, WC_E_NETWORK, "%s: %s: the server ended after %llu of %lld bytes", j->what,
            j->ex.url.shown, (unsigned long long)j->have, (long long)j->fetch->size);
    wci_err_set_retryable(err, 1);
    return WC_E_NETWORK;
}

/* A whole answer came. */
static int32_t settle_answer(batch *b, job *j, wc_error **err)
{
    long status = j->ex.request.status;
    if (status == 200 || status == 206) {
        if (j->fetch->size < 0 || j->have == (uint64_t)j->fetch->size)
            return complete(b, j, err);
        return short_body(j, err);
    }
    if (status == 416 && j->asked_from) {
        j->no_range = 1;
        wci_exchange_rewind(&j->ex);
        return WC_OK;
    }
    if ((status == 404 || !j->ex.path) && next_place(j))
        return WC_OK;
    return wci_exchange_status_error(&j->ex, j->what, err);
}

static int32_t settle_job(wc_call *call, batch *b, job *j, wc_error **err)
{
    wc_error *why = NULL;
    wci_next next;
    if (j->have - j->had >= PROGRESS_BYTES)
        j->ex.failures = 0;
    j->state = JOB_WAITING;
    b->running--;
    int32_t code = wci_exchange_settle(call, &j->ex, &next, &why);
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

static int64_t due_in_ns(const batch *b, const job *j, int64_t now)
{
    int64_t at = j->ex.not_before_ns;
    if (j->ex.path && b->remote->quiet_until_ns > at)
        at = b->remote->quiet_until_ns;
    return at > now ? at - now : 0;
}

/* Starts what is due, and tells when to look again (-1: when something is finished). */
static int32_t start_due(batch *b, int64_t *wait_ms, wc_error **err)
{
    int64_t soonest = INT64_MAX, now = wci_monotonic_ns();
    for (size_t i = 0; i < b->count && b->running < b->remote->config.max_transfers; i++) {
        job *j = &b->jobs[i];
        if (j->state != JOB_WAITING)
            continue;
        int64_t in = due_in_ns(b, j, now);
        int32_t code = in ? WC_OK : start_job(b, j, err);
        if (code)
            return code;
        /* Still waiting with nothing to wait for: it is to be started anew at once. */
        if (j->state == JOB_WAITING && in < soonest)
            soonest = in;
    }
    *wait_ms = soonest == INT64_MAX ? -1 : (soonest + NS_PER_MS - 1) / NS_PER_MS;
    return WC_OK;
}

static int32_t run(wc_call *call, batch *b, wc_error **err)
{
    while (b->left) {
        wci_http_request *finished = NULL;
        int64_t wait_ms;
        int32_t code = start_due(b, &wait_ms, err);
        if (!code && b->left)
            code = wci_http_wait(call, b->remote->http, wait_ms, &finished, err);
        if (!code && finished)
            code = settle_job(call, b, finished->owner, err);
        if (code)
            return code;
    }
    return WC_OK;
}

/* Every blob that did not come to its end is given up. */
static void give_up(batch *b, const wc_error *why)
{
    for (size_t i = 0; i < b->count; i++) {
        job *j = &b->jobs[i];
        wci_http_cancel(b->remote->http, &j->ex.request);
        if (j->state == JOB_ENDED)
            continue;
        end_job(b, j);
        j->fetch->done(j->fetch, why, NULL);
    }
}

int32_t wci_remote_fetch(wc_call *call, wci_remote *remote, wci_fetch **fetches, size_t count,
                         int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                         wc_error **err)
{
    batch b = {.remote = remote, .count = count, .left = count};
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
        code = run(call, &b, &why);
    wci_http_set_tick(remote->http, NULL, 0);
    if (code && !why) /* a callback that gave no reason; done() must still see a failure */
        wci_err(&why, code, "fetching blobs from registry '%s': ended", remote->host);
    if (code)
        give_up(&b, why);
    for (size_t i = 0; i < count; i++)
        close_job(&b.jobs[i]);
    wci_free(b.jobs);
    if (code)
        wci_err_move(err, why);
    return code;
}
