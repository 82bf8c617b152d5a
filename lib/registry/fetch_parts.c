/* SPDX-License-Identifier: Apache-2.0 */
/* One large blob in several requests at once, for servers that give each connection only so much.
 *
 * Parts are small and follow one another: the first that is not yet whole goes straight to the taker,
 * those behind it are held in memory until their turn. So the taker still gets the bytes in order, and
 * what it has is whole from its beginning, whenever this ends. A server that will not play along gets
 * the one request back that all begin with. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "registry/fetch.h"
#include "registry/headers.h"

#define MIB ((uint64_t)1024 * 1024)
#define PART_BYTES (4 * MIB)
#define MAX_PARTS 4
/* Below this there is nothing to win. */
#define MIN_REST (4 * PART_BYTES)
#define NS_PER_S 1000000000LL
#define NS_PER_MS 1000000LL
#define WATCH_NS NS_PER_S       /* before the speed of a request is known */
#define WORTH_NS (3 * NS_PER_S) /* that the rest would take */
#define LOOK_AGAIN_MS 250

struct wci_part {
    wci_leg leg;
    uint64_t from, end; /* equal: nothing is left for it */
    uint64_t got;
    wci_str held;       /* what came before its turn */
};

/* ---- Bytes ------------------------------------------------------------------------------------ */

static int32_t not_as_asked(wci_job *j, const wci_part *p, wc_error **err)
{
    j->no_parts = 1;
    return wci_err(err, WC_E_NETWORK, "%s: the server sent another part than the one asked for",
                   p->leg.ex.url.shown);
}

static int32_t begin(wci_http_request *request, wc_error **err)
{
    wci_part *p = ((wci_leg *)request->owner)->part;
    wci_job *j = p->leg.job;
    uint64_t from = 0, total = 0;
    const char *range = wci_http_header(request, "content-range", 0);
    if (request->status != 206 || !range || !wci_header_content_range(range, &from, &total) ||
        from != p->from + p->got || (total != UINT64_MAX && total != (uint64_t)j->fetch->size))
        return not_as_asked(j, p, err);
    return WC_OK;
}

static int32_t sink(wci_http_request *request, const void *data, size_t size, wc_error **err)
{
    wci_part *p = ((wci_leg *)request->owner)->part;
    wci_job *j = p->leg.job;
    int32_t code = WC_OK;
    if (size > p->end - p->from - p->got)
        return not_as_asked(j, p, err);
    if (j->have == p->from + p->got)
        code = wci_job_pass(j, data, size, err);
    else
        wci_str_append_n(&p->held, data, size);
    p->got += size;
    return p->held.failed ? wci_err_nomem(err) : code;
}

/* ---- Whose turn it is ------------------------------------------------------------------------- */

static int is_whole(const wci_part *p)
{
    return p->got == p->end - p->from;
}

static wci_part *part_at(const wci_job *j, uint64_t offset)
{
    for (size_t i = 0; i < j->part_count; i++)
        if (j->parts[i].from <= offset && offset < j->parts[i].end)
            return &j->parts[i];
    return NULL;
}

static void give_range(wci_job *j, wci_part *p)
{
    uint64_t left = (uint64_t)j->fetch->size - j->next_from;
    p->from = j->next_from;
    p->end = p->from + (left < PART_BYTES ? left : PART_BYTES);
    p->got = 0;
    j->next_from = p->end;
}

/* Passes on what was held, as far as its turn has come; whole parts get the next range. */
static int32_t pass_held(wci_job *j, wc_error **err)
{
    for (size_t i = 0; i < j->part_count; i++)
        if (is_whole(&j->parts[i]) && j->parts[i].end <= j->have)
            give_range(j, &j->parts[i]);
    for (wci_part *p; (p = part_at(j, j->have)) && p->held.size;) {
        int32_t code = wci_job_pass(j, p->held.data, p->held.size, err);
        if (code)
            return code;
        wci_str_clear(&p->held);
        if (is_whole(p))
            give_range(j, p);
    }
    return WC_OK;
}

/* ---- Beginning and ending --------------------------------------------------------------------- */

static void open_part(wci_job *j, wci_part *p)
{
    p->leg.job = j;
    p->leg.part = p;
    p->leg.ex.remote = j->leg.ex.remote;
    p->leg.ex.path = j->path;
    p->leg.ex.request.owner = &p->leg;
    p->leg.ex.request.begin = begin;
    p->leg.ex.request.sink = sink;
    give_range(j, p);
}

static int32_t split(wci_batch *b, wci_job *j, size_t count, wc_error **err)
{
    j->parts = wci_calloc(count, sizeof *j->parts);
    if (!j->parts)
        return wci_err_nomem(err);
    wci_leg_stop(b, &j->leg);
    wci_exchange_rewind(&j->leg.ex);
    j->part_count = count;
    j->next_from = j->have;
    for (size_t i = 0; i < count; i++)
        open_part(j, &j->parts[i]);
    j->state = WCI_JOB_IN_PARTS;
    j->resumed = 1;
    return WC_OK;
}

void wci_parts_end(wci_batch *b, wci_job *j)
{
    for (size_t i = 0; i < j->part_count; i++) {
        wci_leg_stop(b, &j->parts[i].leg);
        wci_exchange_clear(&j->parts[i].leg.ex);
        wci_str_free(&j->parts[i].held);
    }
    wci_free(j->parts);
    j->parts = NULL;
    j->part_count = 0;
}

/* ---- Whether it is worth it ------------------------------------------------------------------- */

static int takes_ranges(const wci_http_request *answer)
{
    const char *units = wci_http_header(answer, "accept-ranges", 0);
    return answer->status == 206 || (units && !strcmp(units, "bytes"));
}

static int may_be_slow(const wci_job *j)
{
    return j->state == WCI_JOB_RUNNING && j->leg.ex.path && !j->fetch->end && !j->fresh && !j->no_parts &&
           !j->no_range && j->fetch->size >= 0 &&
           (uint64_t)j->fetch->size - j->have >= MIN_REST;
}

/* By the speed so far. */
static int is_slow(const wci_job *j)
{
    int64_t elapsed = wci_monotonic_ns() - j->began_ns;
    double came = (double)(j->have - j->had), rest = (double)((uint64_t)j->fetch->size - j->have);
    return elapsed >= WATCH_NS && came > 0 && rest * (double)elapsed > came * (double)WORTH_NS &&
           takes_ranges(&j->leg.ex.request);
}

int32_t wci_parts_split(wci_batch *b, int64_t *look_again_ms, wc_error **err)
{
    for (size_t i = 0; i < b->count && b->running < b->remote->config.max_transfers; i++) {
        wci_job *j = &b->jobs[i];
        if (!may_be_slow(j))
            continue;
        size_t room = b->remote->config.max_transfers - b->running + 1;
        if (is_slow(j)) {
            *look_again_ms = 0;
            return split(b, j, room < MAX_PARTS ? room : MAX_PARTS, err);
        }
        if (*look_again_ms < 0 || *look_again_ms > LOOK_AGAIN_MS)
            *look_again_ms = LOOK_AGAIN_MS;
    }
    return WC_OK;
}

/* ---- Driving ---------------------------------------------------------------------------------- */

static int32_t start_part(wci_batch *b, wci_part *p, int64_t *wait_ns, wc_error **err)
{
    int started;
    int64_t in = wci_exchange_due_in_ns(&p->leg.ex);
    int32_t code = WC_OK;
    if (!in) {
        code = wci_leg_start(b, &p->leg, p->from + p->got, p->end, &started, err);
        in = started ? INT64_MAX : WCI_NO_ROOM_NS;
    }
    if (in < *wait_ns)
        *wait_ns = in;
    return code;
}

int32_t wci_parts_start(wci_batch *b, wci_job *j, int64_t *wait_ns, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < j->part_count && !code; i++) {
        wci_part *p = &j->parts[i];
        if (!p->leg.is_running && !is_whole(p) &&
            b->running < b->remote->config.max_transfers)
            code = start_part(b, p, wait_ns, err);
    }
    return code ? wci_err_wrap(err, code, "%s", j->what) : WC_OK;
}

/* Back to one request, which goes on behind what the taker has. */
static void give_up_parts(wci_batch *b, wci_job *j)
{
    wci_parts_end(b, j);
    j->no_parts = 1;
    j->state = WCI_JOB_WAITING;
}

static int32_t after_answer(wci_batch *b, wci_job *j, wci_part *p, wc_error **err)
{
    if (p->leg.ex.request.status != 206 || (!is_whole(p) && !wci_exchange_retry(&p->leg.ex))) {
        give_up_parts(b, j);
        return WC_OK;
    }
    int32_t code = pass_held(j, err);
    if (code || j->have < (uint64_t)j->fetch->size)
        return code;
    wci_parts_end(b, j);
    return wci_job_complete(b, j, err);
}

int32_t wci_parts_settle(wci_batch *b, wci_leg *leg, wc_error **err)
{
    wci_job *j = leg->job;
    wci_part *p = leg->part;
    wci_next next;
    wci_leg_stop(b, leg);
    if (j->no_parts) {
        give_up_parts(b, j);
        return WC_OK;
    }
    int32_t code = wci_exchange_settle(b->call, &leg->ex, &next, err);
    if (code)
        return wci_err_wrap(err, code, "%s", j->what);
    if (next == WCI_NEXT_AGAIN)
        return WC_OK;
    leg->ex.failures = is_whole(p) ? 0 : leg->ex.failures;
    return after_answer(b, j, p, err);
}
