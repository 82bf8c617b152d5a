/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "registry/remote.h"
#include "registry/retry.h"

#define MAX_REDIRECTS 10
/* An expired token, and one that does not reach far enough. */
#define MAX_CHALLENGES 2
#define NS_PER_MS 1000000

/* ---- Starting --------------------------------------------------------------------------------- */

static int32_t set_first_url(wci_exchange *ex, wc_error **err)
{
    if (!ex->path)
        return wci_url_parse(ex->foreign_url, NULL, &ex->url, err);
    return wci_url_parse(ex->path, &ex->remote->base, &ex->url, err);
}

static int is_at_registry(const wci_exchange *ex)
{
    return ex->path && wci_url_same_origin(&ex->url, &ex->remote->base);
}

static int add_header(wci_exchange *ex, const char *line)
{
    return wci_strv_add(&ex->request.headers, line);
}

static char *format_range(uint64_t from, uint64_t end)
{
    unsigned long long first = from, last = end - 1;
    return end ? wci_asprintf("Range: bytes=%llu-%llu", first, last)
               : wci_asprintf("Range: bytes=%llu-", first);
}

static int32_t set_headers(wci_exchange *ex, uint64_t from, uint64_t end, wc_error **err)
{
    const char *auth = is_at_registry(ex) ? wci_auth_header(ex->remote) : NULL;
    wci_http_headers_reset(&ex->request);
    int failed = wci_strv_copy(&ex->request.headers, &ex->headers);
    ex->auth_generation = ex->remote->auth.generation;
    if (auth)
        failed |= add_header(ex, auth);
    if (from)
        failed |= wci_strv_add_take(&ex->request.headers, format_range(from, end));
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t prepare(wci_exchange *ex, uint64_t from, uint64_t end, wc_error **err)
{
    int32_t code = ex->url.text ? WC_OK : set_first_url(ex, err);
    if (!code)
        code = wci_endpoint_check_plain(ex->remote, &ex->url, err);
    if (!code)
        code = wci_endpoint_certs(ex->remote, &ex->url, &ex->request.certs, err);
    if (!code)
        code = set_headers(ex, from, end, err);
    if (code)
        return code;
    ex->request.url = &ex->url;
    ex->request.probe_tls = is_at_registry(ex) && wci_endpoint_should_probe(ex->remote);
    ex->request.fence = wci_endpoint_fence(ex->remote, &ex->url);
    return WC_OK;
}

int32_t wci_exchange_start(wci_exchange *ex, uint64_t from, uint64_t end, wc_error **err)
{
    int32_t code = prepare(ex, from, end, err);
    return code ? code : wci_http_start(ex->remote->http, &ex->request, err);
}

void wci_exchange_rewind(wci_exchange *ex)
{
    wci_url_free(&ex->url);
    ex->redirects = 0;
}

void wci_exchange_clear(wci_exchange *ex)
{
    wci_http_request_clear(&ex->request);
    wci_strv_free(&ex->headers);
    wci_url_free(&ex->url);
}

/* ---- Settling --------------------------------------------------------------------------------- */

static int plan_retry(wci_exchange *ex, int64_t wait_ms)
{
    if (ex->failures >= ex->remote->config.retries)
        return 0;
    if (wait_ms < 0)
        wait_ms = wci_retry_backoff_ms(ex->failures);
    ex->failures++;
    ex->not_before_ns = wci_monotonic_ns() + wait_ms * NS_PER_MS;
    ex->challenges = 0;
    wci_exchange_rewind(ex);
    return 1;
}

int wci_exchange_retry(wci_exchange *ex)
{
    return plan_retry(ex, -1);
}

static int32_t take_error(wci_exchange *ex, wc_error **err)
{
    wc_error *why = ex->request.why;
    int32_t code = ex->request.code;
    ex->request.why = NULL;
    if (why)
        return wci_err_move(err, why);
    return wci_err(err, code, "%s: failed", ex->url.shown);
}

static int32_t settle_failure(wci_exchange *ex, wci_next *next, wc_error **err)
{
    wci_remote *remote = ex->remote;
    const wci_http_request *r = &ex->request;
    if (r->is_tls) {
        remote->speaks_tls = 1;
        *next = WCI_NEXT_AGAIN;
        return WC_OK;
    }
    /* Another request may have found out meanwhile that the server speaks plain HTTP. */
    int switched = ex->path && !ex->redirects && remote->base.plain && !ex->url.plain;
    if (switched || wci_endpoint_may_fall_back(remote, r)) {
        int32_t code = remote->base.plain ? WC_OK : wci_endpoint_set(remote, 1, err);
        wci_exchange_rewind(ex);
        *next = WCI_NEXT_AGAIN;
        return code;
    }
    /* A registry that never answered is rather a wrong name than a hiccup. */
    int hopeless = (r->refused || r->not_tls) && !remote->proven;
    if (r->code == WC_E_NETWORK && wc_error_retryable(r->why) && !hopeless &&
        wci_exchange_retry(ex)) {
        *next = WCI_NEXT_AGAIN;
        return WC_OK;
    }
    return take_error(ex, err);
}

/* *next is WCI_NEXT_AGAIN when the answer was a redirect. */
static int32_t follow(wci_exchange *ex, wci_next *next, wc_error **err)
{
    wci_url to = WCI_URL_INIT;
    int32_t code = wci_endpoint_redirect(&ex->request, &to, err);
    if (code || !to.text)
        return code;
    if (++ex->redirects > MAX_REDIRECTS) {
        wci_url_free(&to);
        return wci_err(err, WC_E_NETWORK, "%s: redirects without end", ex->url.shown);
    }
    wci_url_free(&ex->url);
    ex->url = to;
    *next = WCI_NEXT_AGAIN;
    return WC_OK;
}

static int wants_answer(const wci_exchange *ex)
{
    long status = ex->request.status;
    if (!is_at_registry(ex) || (status != 401 && status != 403))
        return 0;
    if (!wci_http_header(&ex->request, "www-authenticate", 0))
        return 0;
    int insufficient = wci_auth_is_insufficient(&ex->request);
    if (status == 403 && !insufficient)
        return 0;
    /* What a fresh login does not open, the same login will not open either. */
    return ex->challenges < MAX_CHALLENGES && (!ex->challenges || insufficient);
}

static int32_t settle_challenge(wc_call *call, wci_exchange *ex, wci_next *next, wc_error **err)
{
    wci_remote *remote = ex->remote;
    wc_error *why = NULL;
    int32_t code = WC_OK;
    *next = WCI_NEXT_AGAIN;
    ex->challenges++;
    /* Another request may have answered the same challenge already. */
    if (ex->auth_generation == remote->auth.generation || !wci_auth_header(remote))
        code = wci_auth_answer(call, remote, &ex->request, &why);
    wci_exchange_rewind(ex);
    if (!code)
        return WC_OK;
    if (wc_error_retryable(why) && wci_exchange_retry(ex)) {
        wc_error_unref(why);
        return WC_OK;
    }
    return why ? wci_err_move(err, why) : wci_err_nomem(err);
}

static int settle_later(wci_exchange *ex, wci_next *next)
{
    const char *asked = wci_http_header(&ex->request, "retry-after", 0);
    int64_t wait_ms = wci_retry_after_ms(asked, wci_now_ns());
    int is_polite = ex->request.status == 429 && is_at_registry(ex);
    if (!plan_retry(ex, wait_ms))
        return 0;
    if (is_polite && ex->remote->quiet_until_ns < ex->not_before_ns)
        ex->remote->quiet_until_ns = ex->not_before_ns;
    *next = WCI_NEXT_AGAIN;
    return 1;
}

int32_t wci_exchange_settle(wc_call *call, wci_exchange *ex, wci_next *next, wc_error **err)
{
    *next = WCI_NEXT_DONE;
    wci_endpoint_answered(ex->remote, &ex->request);
    if (ex->request.code)
        return settle_failure(ex, next, err);
    int32_t code = follow(ex, next, err);
    if (code || *next == WCI_NEXT_AGAIN)
        return code;
    if (wants_answer(ex))
        return settle_challenge(call, ex, next, err);
    if (wci_retry_status(ex->request.status))
        settle_later(ex, next);
    return WC_OK;
}

/* ---- Whole exchanges -------------------------------------------------------------------------- */

int64_t wci_exchange_due_in_ns(const wci_exchange *ex)
{
    int64_t until = ex->not_before_ns;
    /* What the registry asked for does not bind places elsewhere. */
    if (!ex->foreign_url && ex->remote->quiet_until_ns > until)
        until = ex->remote->quiet_until_ns;
    int64_t left = until - wci_monotonic_ns();
    return left > 0 ? left : 0;
}

int32_t wci_exchange_run(wc_call *call, wci_exchange *ex, wc_error **err)
{
    wci_next next = WCI_NEXT_AGAIN;
    while (next == WCI_NEXT_AGAIN) {
        int64_t wait = wci_exchange_due_in_ns(ex);
        int32_t code = wait ? wci_call_sleep_ms(call, wait / NS_PER_MS + 1, err) : WC_OK;
        if (!code)
            code = prepare(ex, 0, 0, err);
        if (!code)
            code = wci_http_run(call, ex->remote->http, &ex->request, err);
        if (!code)
            code = wci_exchange_settle(call, ex, &next, err);
        if (code)
            return code;
    }
    return WC_OK;
}

/* ---- Errors ----------------------------------------------------------------------------------- */

static int is_printable(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return 0;
    return 1;
}

/* The registry's own words from {"errors":[{"code","message"}]}, as " (…)"; owned, maybe "". */
static char *registry_says(const wci_http_request *r)
{
    json_t *root = NULL;
    char *text = NULL;
    if (r->body.data && r->body.size)
        wci_json_parse(r->body.data, r->body.size, r->body.size, "error answer", &root, NULL);
    json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const char *message = json_string_value(json_object_get(first, "message"));
    if (message && *message && is_printable(message))
        text = wci_asprintf("; the registry says '%.200s'", message);
    json_decref(root);
    return text ? text : wci_strdup("");
}

static int32_t status_code(long status)
{
    switch (status) {
    case 401:
    case 403:
        return WC_E_AUTH;
    case 404:
    case 410:
        return WC_E_NOT_FOUND;
    default:
        return WC_E_NETWORK;
    }
}

static const char *status_advice(const wci_remote *remote, long status)
{
    int has_login = remote->auth.credentials.username || remote->auth.credentials.identity_token;
    switch (status) {
    case 401:
    case 403:
        return has_login ? "access denied; check user name, password and rights"
                         : "access denied; check the name, or log in";
    case 404:
    case 410:
        return "not found; check the name";
    case 429:
        return "too many requests; try again later, or log in";
    default:
        return status >= 500 ? "the registry failed; try again later" : "not an expected answer";
    }
}

int32_t wci_exchange_status_error(const wci_exchange *ex, const char *what, wc_error **err)
{
    long status = ex->request.status;
    char *says = registry_says(&ex->request);
    if (!says)
        return wci_err_nomem(err);
    int32_t code = wci_err_native(err, status_code(status), WC_DOMAIN_HTTP, status,
                                  "%s: %s: HTTP %ld: %s%s", what,
                                  ex->path ? ex->remote->host : ex->url.shown, status,
                                  status_advice(ex->remote, status), says);
    wci_err_set_retryable(err, wci_retry_status(status));
    wci_free(says);
    return code;
}
