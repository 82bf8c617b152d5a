/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of wci_remote: where a registry is reached, what authorises us there, and the exchange
 * that every request to it goes through. */
#ifndef WCI_REGISTRY_REMOTE_H
#define WCI_REGISTRY_REMOTE_H

#include "registry/tls_certs.h"
#include "registry/credentials.h"
#include "registry/http.h"
#include "registry/registry.h"
#include "registry/url.h"

/* What is sent along to the registry, and how it was come by. */
typedef struct wci_auth {
    char *header;          /* "Authorization: …" or NULL */
    int64_t expires_ns;    /* monotonic; INT64_MAX for what does not expire */
    uint64_t generation;   /* counts changes of header */
    wci_credentials credentials;
    int credentials_known; /* looked up already */
    int is_exchanged;      /* their identity token was had for another one, see azure.h */
} wci_auth;

/* The certificates for one server. */
typedef struct wci_server_certs {
    char *server; /* "host" or "host:port" */
    wci_tls_certs certs;
    struct wci_server_certs *next;
} wci_server_certs;

struct wci_remote {
    wci_registry_config config; /* texts owned */
    char *host;                 /* as in references */
    char *repository;
    char *server;               /* host[:port] to connect to */
    wci_url base;               /* https://server/ or http://server/ */
    int is_places;              /* there is no registry, see wci_remote_open_places() */
    int speaks_tls;             /* found out by a probe */
    int proven;                 /* the server has answered */
    wci_address_class address;  /* of the server, once proven */
    wci_http *http;
    wci_auth auth;
    wci_server_certs *certs;    /* of the servers asked so far */
    wci_strv tags;              /* sorted; all of them when knows_tags */
    int tags_asked, knows_tags;
    int64_t quiet_until_ns;     /* the registry asked to be left alone (429) */
};

/* ---- endpoint.c ------------------------------------------------------------------------------- */

/* host[:port] behind the name in references; owned. */
char *wci_endpoint_server(const char *host);
int32_t wci_endpoint_set(wci_remote *remote, int plain, wc_error **err);
/* After `request` failed: whether plain HTTP to the same server may be tried instead. */
int wci_endpoint_may_fall_back(const wci_remote *remote, const wci_http_request *request);
/* Whether to find out first if the server speaks TLS at all: for a registry on loopback, which
 * often does not. */
int wci_endpoint_should_probe(const wci_remote *remote);
/* Whether this URL may be asked at all: plain HTTP only to loopback or with TLS checks off. */
int32_t wci_endpoint_check_plain(const wci_remote *remote, const wci_url *url, wc_error **err);
/* Where a redirect answer of `from` leads; *to is empty (WC_OK) when it is not one. Never from HTTPS
 * to plain HTTP. */
int32_t wci_endpoint_redirect(const wci_http_request *from, wci_url *to, wc_error **err);
/* Address classes that a request to `url` may connect to. */
unsigned wci_endpoint_fence(const wci_remote *remote, const wci_url *url);
/* The certificates for a request to `url`, lent; NULL with plain HTTP. Our own of the options are for the
 * registry alone. */
int32_t wci_endpoint_certs(wci_remote *remote, const wci_url *url, const wci_tls_certs **out, wc_error **err);
void wci_endpoint_forget_certs(wci_remote *remote);
/* Remembers that and from where the registry answered. */
void wci_endpoint_answered(wci_remote *remote, const wci_http_request *request);

/* ---- auth.c ----------------------------------------------------------------------------------- */

/* The header to send now, or NULL; lent. */
const char *wci_auth_header(wci_remote *remote);
/* Makes remote->auth fit the challenges of an answer. WC_E_AUTH when nothing can be done. */
int32_t wci_auth_answer(wc_call *call, wci_remote *remote, const wci_http_request *request,
                        wc_error **err);
/* "Authorization: Basic …" for a user name and password; owned. NULL: out of memory. */
char *wci_auth_basic(const wci_credentials *credentials);
/* Whether an answer says that what we sent does not reach far enough. */
int wci_auth_is_insufficient(const wci_http_request *request);
void wci_auth_free(wci_auth *auth);

/* ---- manifest.c ------------------------------------------------------------------------------- */

/* The Accept header for manifests and indexes. */
extern const char wci_manifest_accept[];

/* ---- token.c ---------------------------------------------------------------------------------- */

typedef struct wci_token {
    char *text;
    int64_t lifetime_s;
} wci_token;
/* The token server's answer; the caller frees out->text. `what` is for errors, which never show any of
 * the token. */
int32_t wci_token_parse(const char *text, size_t size, const char *what, wci_token *out,
                        wc_error **err);
/* Asks the challenge's realm for a token. `asked` is the URL that was challenged. */
int32_t wci_token_fetch(wc_call *call, wci_remote *remote, const wci_challenge *challenge,
                        const wci_url *asked, wci_token *out, wc_error **err);

/* ---- exchange.c ------------------------------------------------------------------------------- */

/* One thing wanted from the registry, through redirects, challenges, fallbacks and retries. */
typedef struct wci_exchange {
    wci_remote *remote;
    const char *path;         /* at the registry, "/v2/…"; or NULL: */
    const char *foreign_url;  /* elsewhere, without credentials */
    wci_http_request request;
    wci_strv headers;         /* sent at every step */
    wci_url url;              /* of this step */
    uint32_t redirects, challenges, failures;
    uint64_t auth_generation; /* of the header that was sent */
    int64_t not_before_ns;    /* monotonic */
} wci_exchange;

typedef enum wci_next {
    WCI_NEXT_DONE,  /* request.status is final; or the error is */
    WCI_NEXT_AGAIN, /* start again, at not_before_ns */
} wci_next;

/* Starts the next step. `from` > 0 asks for a part of the body: up to `end`, or the rest when that is 0. */
int32_t wci_exchange_start(wci_exchange *ex, uint64_t from, uint64_t end, wc_error **err);
/* After the step's request is finished. Asks for tokens as needed, so it may block. */
int32_t wci_exchange_settle(wc_call *call, wci_exchange *ex, wci_next *next, wc_error **err);
/* Counts a failure that may pass and plans the next try; 0 when there were too many. */
int wci_exchange_retry(wci_exchange *ex);
/* Forgets where redirects led, so that the next try begins at the first URL. */
void wci_exchange_rewind(wci_exchange *ex);
void wci_exchange_clear(wci_exchange *ex);
/* The error for a final status that is not what was wanted. `what` "manifest 'x'". */
int32_t wci_exchange_status_error(const wci_exchange *ex, const char *what, wc_error **err);
/* Nobody tells us when another call of the context has ended a transfer: when to ask again for room. */
#define WCI_NO_ROOM_NS INT64_C(20000000)
/* How long it is to be left alone yet. */
int64_t wci_exchange_due_in_ns(const wci_exchange *ex);
/* Runs a whole exchange. */
int32_t wci_exchange_run(wc_call *call, wci_exchange *ex, wc_error **err);

#endif
