/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http.h"

#include <curl/curl.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/secret.h"
#include "platform/aside.h"
#include "platform/host.h"
#include "platform/lazy.h"
#include "platform/thread.h"
#include "registry/headers.h"
#include "registry/proxy.h"

#define RECEIVE_BUFFER (512L * 1024)
#define SEND_BUFFER (512L * 1024)
/* Bytes are handed on when so many have come, or after so long. */
#define HAND_ON_BYTES ((size_t)256 * 1024)
#define HAND_ON_MS 10
#define TICK_MS 100
#define MAX_HEADER_BYTES ((size_t)128 * 1024)
#define MAX_ERROR_BODY ((size_t)64 * 1024)
#define NS_PER_MS 1000000

struct wci_http {
    CURLM *multi;
    int tls_verify;
    char *user_agent;
    int64_t stall_ms;
    wci_http_request **running;
    size_t running_count, running_cap;
    wci_aside *aside;    /* where curl works */
    intptr_t wake;       /* cancel descriptor that can be waited for there */
    const wc_call *call; /* of the wait that drives us */
    int64_t wait_ms;     /* of the next turn */
    wci_tick tick;
    uintptr_t tick_payload;
    int64_t ticked_ns;
    wci_http_request *first_finished, *last_finished;
};

/* ---- Life ------------------------------------------------------------------------------------- */

/* Whatever may open or close a descriptor, write to one or start a thread runs aside. */

/* libcurl counts its users itself; what it set up stays, as other users in the process may not. */
static CURLcode curl_ready(void)
{
    static wci_global_mutex lock;
    static int done;
    wci_global_lock(&lock);
    CURLcode code = done ? CURLE_OK : curl_global_init(CURL_GLOBAL_DEFAULT);
    done = done || !code;
    wci_global_unlock(&lock);
    return code;
}

typedef struct beginning {
    wci_http *http;
    CURLcode code;
} beginning;

static void begin_curl(void *arg)
{
    beginning *b = arg;
    b->code = curl_ready();
    if (!b->code)
        b->http->multi = curl_multi_init();
}

static int32_t begin(wci_http *http, const wci_http_options *options, wc_error **err)
{
    beginning b = {http, CURLE_OK};
    int32_t code = wci_aside_new(options->wake, &http->aside, err);
    if (code)
        return code;
    wci_aside_run(http->aside, begin_curl, &b);
    if (b.code)
        return wci_err_native(err, WC_E_INTERNAL, WC_DOMAIN_CURL, b.code, "http client: %s",
                              curl_easy_strerror(b.code));
    if (!http->multi || wci_replace(&http->user_agent, options->user_agent))
        return wci_err_nomem(err);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)options->connections);
    return WC_OK;
}

int32_t wci_http_new(const wci_http_options *options, wci_http **out, wc_error **err)
{
    int32_t code = wci_lazy_curl(err);
    if (code)
        return code;
    wci_http *http = wci_calloc(1, sizeof *http);
    if (!http)
        return wci_err_nomem(err);
    http->tls_verify = options->tls_verify;
    http->stall_ms = options->stall_ms;
    http->wake = options->wake;
    code = begin(http, options, err);
    if (code)
        wci_http_free(http);
    else
        *out = http;
    return code;
}

static void end_curl(void *arg)
{
    wci_http *http = arg;
    curl_multi_cleanup(http->multi);
}

void wci_http_free(wci_http *http)
{
    if (!http)
        return;
    while (http->running_count)
        wci_http_cancel(http, http->running[0]);
    if (http->multi)
        wci_aside_run(http->aside, end_curl, http);
    wci_aside_free(http->aside);
    wci_free(http->running);
    wci_free(http->user_agent);
    wci_free(http);
}

void wci_http_headers_reset(wci_http_request *request)
{
    wci_secret_strv_free(&request->headers);
}

static void forget_answer(wci_http_request *r)
{
    wc_error_unref(r->why);
    wci_strv_free(&r->answer);
    wci_str_clear(&r->body);
    r->why = NULL;
    r->status = 0;
    r->code = WC_OK;
    r->words[0] = '\0';
    r->answer_bytes = 0;
    r->is_tls = r->not_tls = r->refused = r->begun = r->overflowed = r->no_memory = r->fenced = 0;
    r->sink_code = WC_OK;
    r->unread_since_ns = 0;
    r->peer = WCI_ADDRESS_PUBLIC;
}

void wci_http_request_clear(wci_http_request *request)
{
    forget_answer(request);
    wci_str_free(&request->body);
    wci_http_headers_reset(request);
}

const char *wci_http_header(const wci_http_request *request, const char *name, size_t n)
{
    return wci_headers_get(&request->answer, name, n);
}

/* ---- What curl calls -------------------------------------------------------------------------- */

static int streams(const wci_http_request *r)
{
    return r->sink && (r->status == 200 || r->status == 206);
}

static int32_t check_outside(wci_http *http, wc_error **err);

/* Waits until the bytes have their share of the bandwidth. Nothing is read meanwhile, so that the
 * servers wait too, and their silence does not count as theirs. */
static int32_t throttle(wci_http *http, uint64_t bytes, wc_error **err)
{
    int64_t until = wci_traffic_reserve(http->call->traffic, bytes), began = wci_monotonic_ns();
    int32_t code = WC_OK;
    for (int64_t now = began; !code && now < until; now = wci_monotonic_ns()) {
        int64_t left_ms = (until - now) / NS_PER_MS + 1;
        code = wci_call_sleep_ms(http->call, left_ms < TICK_MS ? left_ms : TICK_MS, err);
        if (!code)
            code = check_outside(http, err);
    }
    for (size_t i = 0; until && i < http->running_count; i++)
        http->running[i]->active_ns += wci_monotonic_ns() - began;
    return code;
}

static int32_t hand_on(wci_http_request *r, wc_error **err)
{
    if (!r->begun) {
        r->begun = 1;
        int32_t code = r->begin(r, err);
        if (code)
            return code;
    }
    if (!r->body.size)
        return WC_OK;
    int32_t code = throttle(r->http, r->body.size, err);
    if (!code)
        code = r->sink(r, r->body.data, r->body.size, err);
    wci_str_clear(&r->body);
    return code;
}

static int32_t check_outside(wci_http *http, wc_error **err)
{
    int64_t now = wci_monotonic_ns();
    int32_t code = wci_call_check(http->call, err);
    if (code || !http->tick || now - http->ticked_ns < (int64_t)TICK_MS * NS_PER_MS / 2)
        return code;
    http->ticked_ns = now;
    return http->tick(http->tick_payload, err);
}

static void hand_on_now(void *arg)
{
    wci_http_request *r = arg;
    r->sink_code = check_outside(r->http, &r->why);
    if (!r->sink_code)
        r->sink_code = hand_on(r, &r->why);
    r->active_ns = wci_monotonic_ns();
}

/* curl goes on reading while there is something to read, many megabytes at times: what came must
 * not wait for the end of that, nor must the one who wants to cancel. */
static int hand_on_inside(wci_http_request *r)
{
    wci_aside_back(r->http->aside, hand_on_now, r);
    return !r->sink_code;
}

static int gather(wci_http_request *r, const char *data, size_t size)
{
    wci_str_append_n(&r->body, data, size);
    r->no_memory = r->body.failed;
    return !r->no_memory;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
    wci_http_request *r = arg;
    (void)one;
    r->active_ns = wci_monotonic_ns();
    if (streams(r)) {
        if (!r->body.size)
            r->unread_since_ns = r->active_ns;
        int is_good = gather(r, data, size) &&
                      (r->body.size < HAND_ON_BYTES || hand_on_inside(r));
        return is_good ? size : 0;
    }
    int is_answer = r->status >= 200 && r->status < 300;
    size_t limit = is_answer ? r->max_body : MAX_ERROR_BODY;
    r->overflowed = size > limit - r->body.size;
    return !r->overflowed && gather(r, data, size) ? size : 0;
}

static void begin_answer(wci_http_request *r, const char *line, size_t size)
{
    wci_strv_free(&r->answer);
    r->status = wci_headers_status(line, size);
}

static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
    wci_http_request *r = arg;
    size_t whole = size;
    (void)one;
    r->active_ns = wci_monotonic_ns();
    r->answer_bytes += size;
    if (r->answer_bytes > MAX_HEADER_BYTES) {
        r->overflowed = 1;
        return 0;
    }
    while (size && (data[size - 1] == '\r' || data[size - 1] == '\n'))
        size--;
    if (size >= 5 && !memcmp(data, "HTTP/", 5)) {
        begin_answer(r, data, size);
    } else if (wci_headers_add(&r->answer, data, size)) {
        r->no_memory = 1;
        return 0;
    }
    return whole;
}

/* Called after the handshake and before a byte of the request. */
static int on_connected(void *arg, char *local, char *peer, int local_port, int peer_port)
{
    wci_http_request *r = arg;
    (void)local, (void)peer, (void)local_port, (void)peer_port;
    r->is_tls = 1;
    return CURL_PREREQFUNC_ABORT;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    wci_http_request *r = arg;
    wci_ip ip;
    (void)purpose;
    if (!r->proxy && !r->local_socket) {
        int known = wci_ip_of_sockaddr(&address->addr, &ip);
        r->peer = known ? wci_address_classify(&ip) : WCI_ADDRESS_SPECIAL;
        if (!(r->fence & WCI_ADDRESS_BIT(r->peer))) {
            r->fenced = 1;
            return CURL_SOCKET_BAD;
        }
    }
    return (curl_socket_t)wci_socket_open(address->family, address->socktype, address->protocol);
}

typedef struct source_part {
    wci_http_request *r;
    char *data;
    size_t size, got;
} source_part;

static void take_source(void *arg)
{
    source_part *part = arg;
    wci_http_request *r = part->r;
    r->sink_code = check_outside(r->http, &r->why);
    if (!r->sink_code)
        r->sink_code = r->source(r, part->data, part->size, &part->got, &r->why);
    if (!r->sink_code)
        r->sink_code = throttle(r->http, part->got, &r->why);
    r->active_ns = wci_monotonic_ns();
}

/* As in hand_on_inside(): the one who wants to cancel must not wait for the end of the body. */
static size_t on_source(char *data, size_t one, size_t size, void *arg)
{
    source_part part = {arg, data, size, 0};
    (void)one;
    wci_aside_back(part.r->http->aside, take_source, &part);
    return part.r->sink_code ? CURL_READFUNC_ABORT : part.got;
}

static void rewind_source(void *arg)
{
    wci_http_request *r = arg;
    r->rewind(r);
}

/* A connection that was kept open may turn out to be dead only when the body has begun. */
static int on_rewind(void *arg, curl_off_t offset, int origin)
{
    wci_http_request *r = arg;
    if (offset || origin != SEEK_SET || !r->rewind)
        return CURL_SEEKFUNC_FAIL;
    wci_aside_back(r->http->aside, rewind_source, r);
    return CURL_SEEKFUNC_OK;
}

/* ---- Starting --------------------------------------------------------------------------------- */

static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Otherwise taking away a request waits for its name lookup, for many seconds at worst. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static int set_tls(const wci_http *http, wci_http_request *r)
{
    curl_easy_setopt(r->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!r->probe_tls)
        return wci_tls_certs_apply(r->certs, http->tls_verify, r->easy);
    curl_easy_setopt(r->easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(r->easy, CURLOPT_PREREQDATA, r);
    return wci_tls_certs_apply(NULL, 0, r->easy);
}

static void set_callbacks(wci_http_request *r)
{
    CURL *easy = r->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
}

static void set_source(wci_http_request *r)
{
    CURL *easy = r->easy;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->source_size);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_source);
    curl_easy_setopt(easy, CURLOPT_READDATA, r);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, r);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
}

static void set_method(wci_http_request *r)
{
    CURL *easy = r->easy;
    if (r->source) {
        set_source(r);
    } else if (r->body_out) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body_out);
    } else if (wci_streq(r->method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (r->method) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
    }
}

static int32_t set_headers(wci_http_request *r, wc_error **err)
{
    /* Waiting for a "100 Continue" costs a second where a server knows nothing of it. */
    static const char *const always[] = {"Accept-Encoding: identity", "Expect:"};
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < r->headers.count + 2; i++) {
        const char *line = i < 2 ? always[i] : r->headers.items[i - 2];
        struct curl_slist *longer = curl_slist_append(list, line);
        if (!longer) {
            curl_slist_free_all(list);
            return wci_err_nomem(err);
        }
        list = longer;
    }
    r->header_list = list;
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, list);
    return WC_OK;
}

static int32_t set_up(const wci_http *http, wci_http_request *r, wc_error **err)
{
    CURL *easy = r->easy;
    /* The first option that has to be copied tells whether memory is left. */
    if (curl_easy_setopt(easy, CURLOPT_URL, r->url->text) ||
        curl_easy_setopt(easy, CURLOPT_PROXY, r->proxy ? r->proxy : "") ||
        curl_easy_setopt(easy, CURLOPT_NOPROXY, ""))
        return wci_err_nomem(err);
    if (r->local_socket && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, r->local_socket))
        return wci_err_nomem(err);
    if (set_tls(http, r))
        return wci_err_nomem(err);
    set_protocols(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->words);
    set_callbacks(r);
    set_method(r);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    if (http->user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent);
    return set_headers(r, err);
}

static void release_handle(wci_http_request *r)
{
    curl_easy_cleanup(r->easy);
    for (struct curl_slist *line = r->header_list; line; line = line->next)
        wci_wipe(line->data, strlen(line->data));
    curl_slist_free_all(r->header_list);
    wci_secret_free(r->proxy); /* it may have a password */
    r->easy = NULL;
    r->header_list = NULL;
    r->proxy = NULL;
}

/* Behind a proxy the name is not ours to resolve: what can be told from the text must do. */
static int32_t check_literal(const wci_http_request *r, wc_error **err)
{
    wci_address_class class;
    if (!r->proxy || !wci_address_of_host(r->url->host, &class) ||
        (r->fence & WCI_ADDRESS_BIT(class)))
        return WC_OK;
    return wci_err(err, WC_E_PERMISSION,
                   "%s: refused: a %s address that the registry may not send us to",
                   r->url->shown, wci_address_class_name(class));
}

static int32_t prepare(const wci_http *http, wci_http_request *r, wc_error **err)
{
    int32_t code = r->local_socket ? WC_OK : wci_proxy_for(r->url, &r->proxy, err);
    if (!code)
        code = check_literal(r, err);
    if (code)
        return code;
    r->easy = curl_easy_init();
    return r->easy ? set_up(http, r, err) : wci_err_nomem(err);
}

int32_t wci_http_start(wci_http *http, wci_http_request *request, wc_error **err)
{
    forget_answer(request);
    if (request->rewind)
        request->rewind(request);
    if (!wci_grow(&http->running, &http->running_cap, http->running_count + 1,
                  sizeof *http->running))
        return wci_err_nomem(err);
    int32_t code = prepare(http, request, err);
    if (!code && curl_multi_add_handle(http->multi, request->easy))
        code = wci_err_nomem(err);
    if (code) {
        release_handle(request);
        return code;
    }
    http->running[http->running_count++] = request;
    request->running = 1;
    request->http = http;
    request->started_ns = request->active_ns = wci_monotonic_ns();
    return WC_OK;
}

/* ---- Ending ----------------------------------------------------------------------------------- */

static void end_request(void *arg)
{
    wci_http_request *r = arg;
    curl_multi_remove_handle(r->http->multi, r->easy);
    release_handle(r);
}

static void take_out(wci_http *http, wci_http_request *r)
{
    wci_aside_run(http->aside, end_request, r);
    for (size_t i = 0; i < http->running_count; i++)
        if (http->running[i] == r)
            http->running[i--] = http->running[--http->running_count];
    r->running = 0;
}

static void add_finished(wci_http *http, wci_http_request *r)
{
    r->next_finished = NULL;
    if (http->last_finished)
        http->last_finished->next_finished = r;
    else
        http->first_finished = r;
    http->last_finished = r;
}

static wci_http_request *next_finished(wci_http *http)
{
    wci_http_request *r = http->first_finished;
    if (!r)
        return NULL;
    http->first_finished = r->next_finished;
    if (!http->first_finished)
        http->last_finished = NULL;
    return r;
}

static void forget_finished(wci_http *http, const wci_http_request *request)
{
    wci_http_request *r = http->first_finished;
    http->first_finished = http->last_finished = NULL;
    while (r) {
        wci_http_request *next = r->next_finished;
        if (r != request)
            add_finished(http, r);
        r = next;
    }
}

static void finish(wci_http *http, wci_http_request *r, int32_t code)
{
    take_out(http, r);
    r->code = code;
    add_finished(http, r);
}

void wci_http_cancel(wci_http *http, wci_http_request *request)
{
    if (request->running)
        take_out(http, request);
    else
        forget_finished(http, request);
}

static int32_t fail(wci_http_request *r, int32_t code, CURLcode curl, const char *why)
{
    wci_err_native(&r->why, code, WC_DOMAIN_CURL, curl, "%s: %s", r->url->shown, why);
    wci_err_set_retryable(&r->why, code == WC_E_NETWORK);
    return code;
}

static int32_t certificate_error(wci_http_request *r, CURLcode curl)
{
    wci_err_native(&r->why, WC_E_NETWORK, WC_DOMAIN_CURL, curl,
                   "%s: the server's certificate is not trusted: %s; name the certificate "
                   "authority's file, or switch TLS verification off",
                   r->url->shown, curl_easy_strerror(curl));
    return WC_E_NETWORK;
}

static int32_t fence_error(wci_http_request *r, CURLcode curl)
{
    wci_err_native(&r->why, WC_E_PERMISSION, WC_DOMAIN_CURL, curl,
                   "%s: refused: it leads to a %s address, where the registry may not send us",
                   r->url->shown, wci_address_class_name(r->peer));
    return WC_E_PERMISSION;
}

static int32_t outcome(wci_http_request *r, CURLcode curl)
{
    const char *own = wci_tls_certs_failure(r->certs, curl, r->words);
    if (curl == CURLE_OK)
        return WC_OK;
    if (r->sink_code)
        return r->sink_code;
    /* curl bounds the lines of a head by itself: 100 is CURLE_TOO_LARGE, the other what it said before 8.6. */
    if (!r->no_memory && ((int)curl == 100 || (curl == CURLE_OUT_OF_MEMORY && r->status && !r->begun && !r->body.size)))
        return fail(r, WC_E_LIMIT, curl, "a line of its answer's head is longer than allowed");
    if (r->no_memory || curl == CURLE_OUT_OF_MEMORY)
        return wci_err_nomem(&r->why);
    if (r->fenced)
        return fence_error(r, curl);
    /* Of an error answer the status is what counts. */
    if (r->overflowed && r->status >= 300)
        return WC_OK;
    if (r->overflowed)
        return fail(r, WC_E_LIMIT, curl, "the answer is larger than allowed");
    if (own)
        return fail(r, WC_E_AUTH, curl, own);
    switch (curl) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return certificate_error(r, curl);
    case CURLE_SSL_CACERT_BADFILE:
        return fail(r, WC_E_INVALID, curl, "a file of certificate authorities is malformed; it must be PEM");
    case CURLE_SSL_CONNECT_ERROR:
        r->not_tls = 1;
        break;
    case CURLE_COULDNT_CONNECT:
        r->refused = 1;
        return fail(r, WC_E_NETWORK, curl, "nothing answers there; check the name and the port, and that it runs");
    case CURLE_COULDNT_RESOLVE_HOST:
        r->refused = 1;
        return fail(r, WC_E_NETWORK, curl, "the name is not known; check it, and the network");
    case CURLE_COULDNT_RESOLVE_PROXY:
        r->refused = 1;
        return fail(r, WC_E_NETWORK, curl, "the proxy's name is not known; check https_proxy and http_proxy");
    default:
        break;
    }
    return fail(r, WC_E_NETWORK, curl, curl_easy_strerror(curl));
}

/* ---- Driving ---------------------------------------------------------------------------------- */

static int must_hand_on(const wci_http_request *r, int64_t now)
{
    return streams(r) && r->body.size &&
           now - r->unread_since_ns >= (int64_t)HAND_ON_MS * NS_PER_MS;
}

static void finish_whole(wci_http *http, wci_http_request *r, CURLcode curl)
{
    int32_t code = outcome(r, curl);
    if (streams(r) && !r->sink_code && (!code || r->body.size)) {
        wc_error *why = NULL;
        int32_t sunk = hand_on(r, &why);
        if (sunk) {
            wc_error_unref(r->why);
            r->why = why;
            code = sunk;
        }
    }
    finish(http, r, code);
}

static void turn(void *arg)
{
    wci_http *http = arg;
    int running;
    struct curl_waitfd waker = {.fd = (curl_socket_t)http->wake, .events = CURL_WAIT_POLLIN};
    if (http->wait_ms > 0)
        curl_multi_poll(http->multi, &waker, http->wake >= 0, (int)http->wait_ms, NULL);
    curl_multi_perform(http->multi, &running);
}

static void finish_answered(wci_http *http)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(http->multi, &left));) {
        wci_http_request *r = NULL;
        CURLcode curl = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        finish_whole(http, r, curl);
    }
}

/* `now` is from right after curl looked at every socket, so that time spent by those who take the
 * bytes never counts as the server's. */
static int32_t expired(const wci_http *http, wci_http_request *r, int64_t now)
{
    if (now - r->active_ns > http->stall_ms * NS_PER_MS)
        return fail(r, WC_E_NETWORK, CURLE_OPERATION_TIMEDOUT, "no byte came for too long");
    if (r->max_ms && now - r->started_ns > r->max_ms * NS_PER_MS)
        return fail(r, WC_E_NETWORK, CURLE_OPERATION_TIMEDOUT, "the answer took too long");
    return WC_OK;
}

static void hand_on_and_expire(wci_http *http)
{
    int64_t now = wci_monotonic_ns();
    for (size_t i = http->running_count; i-- > 0;) {
        wci_http_request *r = http->running[i];
        int32_t code = WC_OK;
        if (must_hand_on(r, now)) {
            code = hand_on(r, &r->why);
            r->active_ns = wci_monotonic_ns();
        }
        if (!code)
            code = expired(http, r, now);
        if (code)
            finish(http, r, code);
    }
}

static int64_t poll_ms(const wci_http *http, int64_t until_ns)
{
    int64_t now = wci_monotonic_ns(), ms = http->tick ? TICK_MS : 1000;
    if (until_ns != INT64_MAX && (until_ns - now) / NS_PER_MS + 1 < ms)
        ms = (until_ns - now) / NS_PER_MS + 1;
    for (size_t i = 0; i < http->running_count; i++) {
        const wci_http_request *r = http->running[i];
        int64_t left = (r->active_ns - now) / NS_PER_MS + http->stall_ms + 1;
        if (streams(r) && r->body.size && HAND_ON_MS < ms)
            ms = HAND_ON_MS;
        if (left < ms)
            ms = left;
    }
    return ms > 0 ? ms : 0;
}

/* What cancels another call than the one we were made for cannot be waited for: we look often. */
static int64_t wait_ms(const wc_call *call, const wci_http *http, int64_t until_ns)
{
    int64_t ms = poll_ms(http, until_ns);
    if (wci_call_cancel_fd(call) != http->wake && ms > TICK_MS)
        ms = TICK_MS;
    return wci_call_timeout_ms(call, ms);
}

/* Waits for at most `ms`, and does all that can be done. */
static int32_t drive(wc_call *call, wci_http *http, int64_t ms, wc_error **err)
{
    http->call = call;
    int32_t code = check_outside(http, err);
    if (code)
        return code;
    http->wait_ms = ms;
    wci_aside_run(http->aside, turn, http);
    finish_answered(http);
    code = check_outside(http, err);
    if (!code)
        hand_on_and_expire(http);
    return code;
}

void wci_http_set_tick(wci_http *http, wci_tick tick, uintptr_t payload)
{
    http->tick = tick;
    http->tick_payload = payload;
    http->ticked_ns = 0;
}

int32_t wci_http_wait(wc_call *call, wci_http *http, int64_t timeout_ms,
                      wci_http_request **finished, wc_error **err)
{
    int64_t until = timeout_ms < 0 ? INT64_MAX : wci_monotonic_ns() + timeout_ms * NS_PER_MS;
    for (int64_t ms = 0;; ms = wait_ms(call, http, until)) {
        int32_t code = drive(call, http, ms, err);
        if (code)
            return code;
        *finished = next_finished(http);
        if (*finished || wci_monotonic_ns() >= until || (!http->running_count && timeout_ms < 0))
            return WC_OK;
    }
}

int32_t wci_http_run(wc_call *call, wci_http *http, wci_http_request *request, wc_error **err)
{
    int32_t code = wci_http_start(http, request, err);
    for (int64_t ms = 0; !code && request->running; ms = wait_ms(call, http, INT64_MAX))
        code = drive(call, http, ms, err);
    wci_http_cancel(http, request);
    return code;
}
