/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests, several at once on one thread, over connections kept for reuse. One request is one
 * exchange with one server: redirects, challenges and retries are the caller's business.
 *
 * The HTTP library works on a thread aside, because it opens what children of the host would inherit;
 * bytes of answers are gathered and handed on in larger pieces on the thread that waits, since they
 * lead to disk work and progress callbacks. */
#ifndef WCI_REGISTRY_HTTP_H
#define WCI_REGISTRY_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "core/str.h"
#include "registry/address.h"
#include "registry/tls_certs.h"
#include "registry/url.h"

typedef struct wci_http_options {
    int tls_verify;
    const char *user_agent;
    int64_t stall_ms;
    uint32_t connections; /* kept open */
    intptr_t wake;        /* cancel descriptor of the calls to come, or -1 */
} wci_http_options;

typedef struct wci_http wci_http;
typedef struct wci_http_request wci_http_request;
struct wci_http_request {
    /* ---- Set by the caller ---- */
    const char *method;         /* NULL: GET */
    const wci_url *url;         /* lives as long as the request runs */
    wci_strv headers;           /* "Name: value" */
    const char *body_out;       /* sent with POST, or NULL */
    /* A larger body: source() is asked until it has given source_size bytes; rewind() before the first,
     * whenever it is sent, NULL: it cannot be sent again. Called from inside curl, as sink() below. */
    int32_t (*source)(wci_http_request *request, void *data, size_t size, size_t *got, wc_error **err);
    void (*rewind)(wci_http_request *request);
    uint64_t source_size;
    unsigned fence;             /* address classes that may be connected to */
    const wci_tls_certs *certs;     /* as long as the request runs; NULL: the system's authorities */
    const char *local_socket;   /* path of a local socket to connect to instead; NULL: by the url */
    size_t max_body;            /* of an answer that is collected */
    int probe_tls;              /* send nothing, only find out whether the server speaks TLS */
    int64_t max_ms;             /* for the whole request, 0: no limit but the stall limit */
    /* When set, the body of a 200 or 206 goes to sink() piece by piece, after one call of begin()
     * with status and headers in place. A failure ends the request with that error. They may be
     * called from inside curl: no request may be started or cancelled there. */
    int32_t (*begin)(wci_http_request *request, wc_error **err);
    int32_t (*sink)(wci_http_request *request, const void *data, size_t size, wc_error **err);
    void *owner;

    /* ---- The answer ---- */
    long status;                /* 0: there was none */
    wci_strv answer;            /* "name: value" with the name in lower case */
    wci_str body;               /* collected; of error answers at most 64 KiB */
    int32_t code;               /* WC_OK when a whole answer came, whatever its status */
    wc_error *why;
    int is_tls;                 /* the probe shook hands (nothing was verified) */
    int not_tls;                /* failed because the server does not speak TLS */
    int refused;                /* failed because nothing listens or the name is unknown */
    wci_address_class peer;     /* of the server; public behind a proxy */

    /* ---- http.c's own ---- */
    wci_http *http;
    void *easy;
    void *header_list;
    char *proxy;
    int64_t started_ns, active_ns, unread_since_ns;
    char words[256];            /* curl's own about a failure */
    size_t answer_bytes;
    int begun, overflowed, no_memory, fenced, running;
    int32_t sink_code;
    wci_http_request *next_finished;
};

int32_t wci_http_new(const wci_http_options *options, wci_http **out, wc_error **err);
/* Ends what still runs. */
void wci_http_free(wci_http *http);

/* Forgets the last answer and starts; the request must stay in place until it is finished or
 * cancelled. */
int32_t wci_http_start(wci_http *http, wci_http_request *request, wc_error **err);
/* From now on `tick` (NULL: none) is called at least every 100 ms while waiting; its failure ends
 * the wait. */
typedef int32_t (*wci_tick)(uintptr_t payload, wc_error **err);
void wci_http_set_tick(wci_http *http, wci_tick tick, uintptr_t payload);
/* Drives all requests until one is finished (*finished) or timeout_ms passed (*finished NULL);
 * negative: no end. */
int32_t wci_http_wait(wc_call *call, wci_http *http, int64_t timeout_ms,
                      wci_http_request **finished, wc_error **err);
/* Starts one request and drives all until it is finished; others that finish meanwhile are kept
 * for wci_http_wait(). */
int32_t wci_http_run(wc_call *call, wci_http *http, wci_http_request *request, wc_error **err);
/* Takes the request out, whether it runs or not. */
void wci_http_cancel(wci_http *http, wci_http_request *request);
/* Releases what the request holds; it must not be running. */
void wci_http_request_clear(wci_http_request *request);

/* The n-th header of that name (lower case), or NULL. */
const char *wci_http_header(const wci_http_request *request, const char *name, size_t n);
/* Forgets `request->headers`, which may hold secrets. */
void wci_http_headers_reset(wci_http_request *request);

#endif
