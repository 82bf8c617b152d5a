/* SPDX-License-Identifier: Apache-2.0 */
/* Sending blobs, several at once. Each goes through the steps of the distribution specification; what a
 * broken connection left on the server is asked for, and sending goes on behind it. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "registry/headers.h"
#include "registry/remote.h"

#define NS_PER_MS 1000000
/* For registries that refuse a blob in one piece; halved as long as they refuse. */
#define FIRST_CHUNK ((uint64_t)64 << 20)
#define SMALLEST_CHUNK ((uint64_t)1 << 20)
/* What all of them take, GitHub's included. */
#define CAREFUL_CHUNK ((uint64_t)4 << 20)
/* A connection that sent so much is not counted as a failure. */
#define PROGRESS_BYTES ((uint64_t)1 << 20)
#define MAX_STARTS 5
/* Of those that follow a broken connection, which is no fault of the registry; each has been waited for. */
#define MAX_STARTS_AFTER_BREAK 20

typedef enum step {
    STEP_LOOK,   /* HEAD the blob */
    STEP_BEGIN,  /* POST an upload, or a mount */
    STEP_SEND,   /* PATCH a piece */
    STEP_ASK,    /* GET how much has arrived */
    STEP_FINISH, /* PUT the digest */
} step;

typedef enum job_state {
    JOB_WAITING,
    JOB_RUNNING,
    JOB_ENDED,
} job_state;

typedef struct job {
    wci_upload *upload;
    wci_exchange ex;
    char *path;     /* of the present step at the registry, or */
    char *elsewhere; /* its whole address, where a Location leads away */
    char *what;     /* "blob 'sha256:…'" */
    wci_url place;  /* the upload, from the last Location */
    step step;
    job_state state;
    int mount_tried, mounting; /* mounting: what is being begun is a mount */
    int asked;          /* this upload has been interrupted */
    int was_refused;    /* when all was sent */
    uint32_t starts, starts_after_break;
    int broke;          /* since the upload began */
    uint64_t arrived;   /* bytes that the server has */
    uint64_t piece;     /* size of this PATCH */
    uint64_t chunk;     /* 0: as much as there is */
    uint64_t min_chunk; /* the server's wish */
    uint64_t read;      /* bytes of this piece that were read */
} job;

typedef struct batch {
    wc_call *call;
    wci_remote *remote;
    job *jobs;
    size_t count, running, left;
} batch;

/* ---- Bytes of one piece ------------------------------------------------------------------------- */

static int32_t source(wci_http_request *request, void *data, size_t size, size_t *got, wc_error **err)
{
    job *j = request->owner;
    uint64_t left = j->piece - j->read;
    size_t want = size < left ? size : (size_t)left;
    int32_t code = want ? j->upload->read(j->upload, j->arrived + j->read, data, want, err) : WC_OK;
    if (code)
        return code;
    j->read += want;
    j->upload->sent = j->arrived + j->read;
    *got = want;
    return WC_OK;
}

/* ---- Steps -------------------------------------------------------------------------------------- */

static void forget_step(job *j)
{
    wci_exchange_rewind(&j->ex);
    wci_strv_free(&j->ex.headers);
    wci_free(j->path);
    wci_free(j->elsewhere);
    j->path = j->elsewhere = NULL;
    j->ex.path = j->ex.foreign_url = NULL;
    j->ex.challenges = 0;
    j->ex.request.body_out = NULL;
    j->ex.request.source = NULL;
    j->ex.request.source_size = 0;
}

/* The request has a body, if only one of no bytes: a length must be said. It is never sent twice without
 * asking: a server may have kept what it got. */
static void set_piece(job *j, uint64_t size)
{
    j->piece = size;
    j->ex.request.source = source;
    j->ex.request.source_size = size;
}

static int32_t go_to_path(job *j, const char *method, char *path, wc_error **err)
{
    j->path = path;
    j->ex.path = path;
    j->ex.request.method = method;
    return path ? WC_OK : wci_err_nomem(err);
}

/* To the upload's own address. Credentials go along only when that is the registry itself. */
static int32_t go_to_place(job *j, const char *method, const char *query, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    wci_str_append(&text, j->place.text);
    if (query)
        wci_url_add_query(&text, "digest", query);
    char *whole = wci_str_take(&text);
    if (!whole)
        return wci_err_nomem(err);
    j->ex.request.method = method;
    if (!wci_url_same_origin(&j->place, &j->ex.remote->base)) {
        j->elsewhere = whole;
        j->ex.foreign_url = whole;
        return WC_OK;
    }
    const char *host_end = strstr(whole, "://") + 3;
    char *path = wci_strdup(host_end + strcspn(host_end, "/?"));
    wci_free(whole);
    return go_to_path(j, method, path, err);
}

static int32_t add_header(job *j, char *line, wc_error **err)
{
    return wci_strv_add_take(&j->ex.headers, line) ? wci_err_nomem(err) : WC_OK;
}

static int32_t prepare_begin(job *j, wc_error **err)
{
    wci_str path = WCI_STR_INIT;
    const char *from = j->mount_tried ? NULL : j->upload->mount_from;
    wci_str_printf(&path, "/v2/%s/blobs/uploads/", j->ex.remote->repository);
    if (from) {
        wci_url_add_query(&path, "mount", j->upload->digest.text);
        wci_url_add_query(&path, "from", from);
    } else if (wci_digest_algo(&j->upload->digest) != WCI_SHA256) {
        wci_url_add_query(&path, "digest-algorithm", wci_digest_algo_name(&j->upload->digest));
    }
    j->mount_tried = 1;
    j->mounting = from != NULL;
    j->asked = 0;
    j->arrived = 0;
    j->ex.request.body_out = "";
    int too_often = j->broke ? ++j->starts_after_break > MAX_STARTS_AFTER_BREAK : ++j->starts > MAX_STARTS;
    j->broke = 0;
    if (too_often)
        return wci_err(err, WC_E_NETWORK, "the registry lost the upload again and again");
    return go_to_path(j, "POST", wci_str_take(&path), err);
}

static int32_t prepare_send(job *j, wc_error **err)
{
    uint64_t left = j->upload->size - j->arrived;
    set_piece(j, j->chunk && j->chunk < left ? j->chunk : left);
    int32_t code = go_to_place(j, "PATCH", NULL, err);
    if (!code)
        code = add_header(j, wci_strdup("Content-Type: application/octet-stream"), err);
    /* A blob in one piece goes as Docker sends it; some servers take a range for a wish to resume. */
    if (!code && (j->asked || j->piece != j->upload->size))
        code = add_header(j,
                          wci_asprintf("Content-Range: %llu-%llu", (unsigned long long)j->arrived,
                                       (unsigned long long)(j->arrived + j->piece - 1)),
                          err);
    return code;
}

static int32_t prepare_step(job *j, wc_error **err)
{
    forget_step(j);
    switch (j->step) {
    case STEP_LOOK:
        return go_to_path(j, "HEAD",
                          wci_asprintf("/v2/%s/blobs/%s", j->ex.remote->repository, j->upload->digest.text), err);
    case STEP_BEGIN:
        return prepare_begin(j, err);
    case STEP_SEND:
        return prepare_send(j, err);
    case STEP_ASK:
        return go_to_place(j, "GET", NULL, err);
    default:
        set_piece(j, 0);
        return go_to_place(j, "PUT", j->upload->digest.text, err);
    }
}

/* ---- Answers ------------------------------------------------------------------------------------ */

static int32_t take_place(job *j, wc_error **err)
{
    const char *location = wci_http_header(&j->ex.request, "location", 0);
    if (!location && j->place.text)
        return WC_OK;
    if (!location)
        return wci_err(err, WC_E_FORMAT, "%s: the registry does not say where to send it", j->ex.url.shown);
    wci_url to = WCI_URL_INIT;
    int32_t code = wci_url_parse(location, &j->ex.url, &to, err);
    if (code)
        return wci_err_wrap(err, code, "%s: an unusable place to send it to", j->ex.url.shown);
    if (to.plain && !j->ex.url.plain) {
        code = wci_err(err, WC_E_PERMISSION, "%s: refused: it is to be sent over plain HTTP (%s)", j->ex.url.shown,
                       to.shown);
        wci_url_free(&to);
        return code;
    }
    wci_url_free(&j->place);
    j->place = to;
    return WC_OK;
}

static int read_range(const job *j, uint64_t *arrived)
{
    const char *text = wci_http_header(&j->ex.request, "range", 0);
    return text && wci_header_upload_range(text, arrived);
}

static void end_job(batch *b, job *j)
{
    j->state = JOB_ENDED;
    b->left--;
}

static int32_t complete(batch *b, job *j, int existed, wc_error **err)
{
    j->upload->sent = j->upload->size;
    j->upload->existed = existed;
    end_job(b, j);
    return j->upload->done ? j->upload->done(j->upload, err) : WC_OK;
}

static int32_t unexpected(job *j, wc_error **err)
{
    return wci_exchange_status_error(&j->ex, j->what, err);
}

static int32_t after_begin(batch *b, job *j, wc_error **err)
{
    if (j->ex.request.status == 201)
        return complete(b, j, 1, err);
    if (j->ex.request.status != 202)
        return unexpected(j, err);
    if (j->upload->look_only)
        return complete(b, j, 0, err); /* what was begun the registry forgets by itself */
    const char *wish = wci_http_header(&j->ex.request, "oci-chunk-min-length", 0);
    if (!wish || !wci_parse_u64(wish, INT64_MAX, &j->min_chunk))
        j->min_chunk = 0;
    j->step = j->upload->size ? STEP_SEND : STEP_FINISH;
    j->ex.failures = 0; /* a step is done, and there are limits to beginning anew */
    return take_place(j, err);
}

/* 0 when the pieces cannot become smaller. */
static int shrink(job *j, uint64_t at_most)
{
    uint64_t now = j->chunk ? j->chunk : j->upload->size + 1;
    uint64_t next = now > at_most ? at_most : now / 2;
    uint64_t least = j->min_chunk > SMALLEST_CHUNK ? j->min_chunk : SMALLEST_CHUNK;
    if (next < least)
        next = least;
    if (next >= now)
        return 0;
    j->chunk = next;
    return 1;
}

static int32_t after_send(job *j, wc_error **err)
{
    long status = j->ex.request.status;
    if (status == 413 && shrink(j, FIRST_CHUNK)) {
        j->step = STEP_ASK;
        return WC_OK;
    }
    if (status == 416) {
        int lost = j->asked && !j->arrived; /* "0-0" may have meant one byte */
        if (!shrink(j, CAREFUL_CHUNK) && !wci_exchange_retry(&j->ex))
            return unexpected(j, err);
        j->step = lost ? STEP_BEGIN : STEP_ASK;
        return WC_OK;
    }
    if (status == 404) {
        j->step = STEP_BEGIN;
        return WC_OK;
    }
    if (status != 202 && status != 201 && status != 204)
        return unexpected(j, err);
    j->arrived += j->piece;
    j->ex.failures = 0;
    j->step = j->arrived == j->upload->size ? STEP_FINISH : STEP_SEND;
    return take_place(j, err);
}

/* Servers that cannot tell get everything anew. */
static int32_t after_ask(job *j, wc_error **err)
{
    long status = j->ex.request.status;
    uint64_t arrived;
    if ((status != 204 && status != 200 && status != 202) || !read_range(j, &arrived) ||
        arrived > j->upload->size) {
        j->step = STEP_BEGIN;
        return WC_OK;
    }
    j->asked = 1;
    j->arrived = arrived;
    j->step = arrived == j->upload->size ? STEP_FINISH : STEP_SEND;
    return take_place(j, err);
}

static int32_t after_finish(batch *b, job *j, wc_error **err)
{
    long status = j->ex.request.status;
    if (status == 201 || status == 204)
        return complete(b, j, 0, err);
    if (status == 404) {
        j->step = STEP_BEGIN;
        return WC_OK;
    }
    /* Registries mix up bytes of several who send the same blob at one time. Once more, then; by now it may be there. */
    if (status == 400 && !j->was_refused) {
        j->was_refused = 1;
        j->step = STEP_LOOK;
        return WC_OK;
    }
    return unexpected(j, err);
}

/* Nothing more is to be tried for who only looks. */
static int is_answered(const job *j)
{
    return j->upload->look_only && (j->mount_tried || !j->upload->mount_from);
}

static int32_t settle_answer(batch *b, job *j, wc_error **err)
{
    switch (j->step) {
    case STEP_LOOK:
        if (j->ex.request.status == 200)
            return complete(b, j, 1, err);
        if (is_answered(j))
            return complete(b, j, 0, err);
        j->step = STEP_BEGIN;
        /* What may not be looked at may still be written; the next step tells. */
        return WC_OK;
    case STEP_BEGIN:
        return after_begin(b, j, err);
    case STEP_SEND:
        return after_send(j, err);
    case STEP_ASK:
        return after_ask(j, err);
    default:
        return after_finish(b, j, err);
    }
}

/* ---- One blob ----------------------------------------------------------------------------------- */

static int32_t open_job(job *j, wci_remote *remote, wci_upload *upload, wc_error **err)
{
    j->upload = upload;
    j->ex.remote = remote;
    j->ex.request.owner = j;
    j->what = wci_asprintf("blob '%s'", upload->digest.text);
    return j->what ? WC_OK : wci_err_nomem(err);
}

static void close_job(job *j)
{
    forget_step(j);
    wci_exchange_clear(&j->ex);
    wci_url_free(&j->place);
    wci_free(j->what);
}

static int32_t start_step(job *j, wc_error **err)
{
    int32_t code = j->ex.path || j->ex.foreign_url ? WC_OK : prepare_step(j, err);
    j->read = 0;
    return code ? code : wci_exchange_start(&j->ex, 0, 0, err);
}

/* Does nothing where the context has too many transfers already. */
static int32_t start_job(batch *b, job *j, wc_error **err)
{
    if (!wci_traffic_enter(b->call->traffic))
        return WC_OK;
    int32_t code = start_step(j, err);
    if (code) {
        wci_traffic_leave(b->call->traffic);
        return wci_err_wrap(err, code, "%s", j->what);
    }
    j->state = JOB_RUNNING;
    b->running++;
    return WC_OK;
}

static void stop_job(batch *b, job *j)
{
    wci_http_cancel(b->remote->http, &j->ex.request);
    if (j->state != JOB_RUNNING)
        return;
    j->state = JOB_WAITING;
    b->running--;
    wci_traffic_leave(b->call->traffic);
}

/* A piece whose sending broke off: the server knows how much of it counts. */
static void after_break(job *j)
{
    if (j->step != STEP_SEND)
        return;
    if (j->read >= PROGRESS_BYTES)
        j->ex.failures = 0;
    j->step = STEP_ASK;
    j->broke = 1;
    forget_step(j);
}

/* The other repository may be closed to us, or unknown: then the blob is sent. */
static int goes_without_mount(const job *j, int32_t code)
{
    return j->step == STEP_BEGIN && j->mounting && (code == WC_E_AUTH || code == WC_E_NOT_FOUND);
}

static int32_t settle_job(batch *b, job *j, wc_error **err)
{
    wci_next next;
    uint32_t failures = j->ex.failures;
    stop_job(b, j);
    int32_t code = wci_exchange_settle(b->call, &j->ex, &next, err);
    if (!code && next == WCI_NEXT_AGAIN) {
        if (j->ex.failures != failures)
            after_break(j);
        return WC_OK;
    }
    if (!code) {
        code = settle_answer(b, j, err);
        if (!code && j->state == JOB_WAITING)
            forget_step(j);
    }
    if (goes_without_mount(j, code)) {
        wci_err_clear(err);
        forget_step(j);
        return j->upload->look_only ? complete(b, j, 0, err) : WC_OK;
    }
    return code ? wci_err_wrap(err, code, "%s", j->what) : WC_OK;
}

/* ---- All of them -------------------------------------------------------------------------------- */

/* As in fetch.c: starts what is due, and tells when to look again. */
static int32_t start_due(batch *b, int64_t *wait_ms, wc_error **err)
{
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < b->count && b->running < b->remote->config.max_transfers; i++) {
        job *j = &b->jobs[i];
        if (j->state != JOB_WAITING)
            continue;
        int64_t in = wci_exchange_due_in_ns(&j->ex);
        int32_t code = in ? WC_OK : start_job(b, j, err);
        if (code)
            return code;
        if (!in)
            in = WCI_NO_ROOM_NS;
        if (j->state == JOB_WAITING && in < soonest)
            soonest = in;
    }
    *wait_ms = soonest == INT64_MAX ? -1 : (soonest + NS_PER_MS - 1) / NS_PER_MS;
    return WC_OK;
}

static int32_t run(batch *b, wc_error **err)
{
    while (b->left) {
        wci_http_request *finished = NULL;
        int64_t wait_ms;
        int32_t code = start_due(b, &wait_ms, err);
        if (!code)
            code = wci_http_wait(b->call, b->remote->http, wait_ms, &finished, err);
        if (!code && finished)
            code = settle_job(b, finished->owner, err);
        if (code)
            return code;
    }
    return WC_OK;
}

int32_t wci_remote_upload(wc_call *call, wci_remote *remote, wci_upload **uploads, size_t count, wci_tick tick,
                          uintptr_t payload, wc_error **err)
{
    batch b = {.call = call, .remote = remote, .count = count, .left = count};
    int32_t code = WC_OK;
    b.jobs = wci_calloc(count ? count : 1, sizeof *b.jobs);
    if (!b.jobs)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++)
        code = open_job(&b.jobs[i], remote, uploads[i], err);
    wci_http_set_tick(remote->http, tick, payload);
    if (!code)
        code = run(&b, err);
    wci_http_set_tick(remote->http, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        stop_job(&b, &b.jobs[i]);
        close_job(&b.jobs[i]);
    }
    wci_free(b.jobs);
    return code;
}
