/* SPDX-License-Identifier: Apache-2.0 */
/* The distribution client. Specifications: OCI distribution-spec 1.1; the token protocol of
 * distribution/distribution (docs/spec/auth). */
#ifndef WCI_REGISTRY_H
#define WCI_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/call.h"
#include "core/digest.h"
#include "core/str.h"

/* How to reach registries. All texts are copied. */
typedef struct wci_registry_config {
    int tls_verify;          /* 1; 0 also allows plain HTTP */
    int tls_verify_given;    /* registries.conf has no say in it */
    const char *registries_conf; /* instead of the usual file, see registries.h; NULL: that */
    const char *ca_file;     /* extra CA bundle or NULL */
    const char *cert_dir;    /* instead of the usual directories, see tls_certs.h; NULL: those */
    const char *client_cert; /* for the registry that is asked first, or NULL */
    const char *client_key;  /* NULL: in the same file */
    const char *username;    /* for the registry that is asked first, NULL: anonymous or auth files */
    const char *password;
    const char *auth_file;   /* containers auth.json / docker config.json, NULL: the usual places */
    const char *user_agent;
    uint32_t max_transfers;  /* connections at once, 0: 6 */
    uint32_t retries;        /* of transient failures, default 5 */
    int64_t stall_ms;        /* no byte for so long is a stalled transfer; default 30000 */
} wci_registry_config;
#define WCI_REGISTRY_CONFIG_INIT {.tls_verify = 1, .retries = 5, .stall_ms = 30000}

/* One repository on one registry, with connections and tokens kept for reuse. One thread. */
typedef struct wci_remote wci_remote;
/* `host` as in the reference ("docker.io", "localhost:5000"), `repository` "library/alpine". Plain
 * HTTP is spoken to loopback addresses (after HTTPS failed to answer as TLS) and when tls_verify is
 * 0. */
int32_t wci_remote_open(wc_call *call, const wci_registry_config *config, const char *host,
                        const char *repository, wci_remote **out, wc_error **err);
/* The same for what is not reading: registries.conf may block it or call it insecure, but sends nothing
 * elsewhere. */
int32_t wci_remote_open_named(wc_call *call, const wci_registry_config *config, const char *host,
                              const char *repository, wci_remote **out, wc_error **err);
/* No registry: of what is fetched only the `urls` are asked, and none of them in the user's own networks. */
int32_t wci_remote_open_places(wc_call *call, const wci_registry_config *config, wci_remote **out, wc_error **err);
void wci_remote_close(wci_remote *remote);
/* How to reach a server that registries.conf calls insecure or not: what the caller said of TLS goes first. */
wci_registry_config wci_registry_config_for(const wci_registry_config *config, int insecure);

/* The manifest or index for a tag or digest; at most 4 MiB. With a digest the bytes are verified
 * against it; with a tag *digest is computed from the bytes. media_type is owned text. */
int32_t wci_remote_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest,
                            wc_buf **body, char **media_type, wci_digest *digest,
                            wc_error **err);

/* One blob to fetch. Callbacks run on the thread that called wci_remote_fetch(). */
typedef struct wci_fetch {
    wci_digest digest;
    int64_t size;            /* expected, -1 unknown */
    const wci_strv *urls;    /* foreign layer places, tried when the registry has it not; or NULL */
    uint64_t from, end;      /* only this stretch, from > 0; end 0: all of it. `offset` counts from `from` then, and
                                WC_E_UNSUPPORTED is a server that does not give stretches */
    /* Where to go on (bytes already there); asked at each attempt. */
    uint64_t (*offset)(struct wci_fetch *fetch);
    /* The server cannot resume: begin at 0 again. */
    int32_t (*restart)(struct wci_fetch *fetch, wc_error **err);
    int32_t (*write)(struct wci_fetch *fetch, const void *data, size_t size, wc_error **err);
    /* All bytes are there (NULL error) or the blob is given up (error, lent). A non-WC_OK result
     * ends the whole fetch; WC_E_DIGEST from the end of a resumed blob makes one fresh attempt.
     * Called for every blob: when the fetch ends early, those still under way get its error. */
    int32_t (*done)(struct wci_fetch *fetch, const wc_error *why, wc_error **err);
    uintptr_t payload;
} wci_fetch;

/* Fetches all, several at once, resuming and retrying; ends with the first blob given up. While
 * waiting, `tick` (may be NULL) is called at least every 100 ms on the caller's thread and ends the
 * fetch when it fails; call->cancel ends it at once. */
int32_t wci_remote_fetch(wc_call *call, wci_remote *remote, wci_fetch **fetches, size_t count,
                         int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                         wc_error **err);

/* One blob to send. Callbacks run on the thread that called wci_remote_upload(). */
typedef struct wci_upload {
    wci_digest digest;
    uint64_t size;
    const char *mount_from; /* a repository of the same registry that may have it, or NULL */
    /* Exactly `size` bytes from `offset` on; asked again for the same bytes when sending broke off. */
    int32_t (*read)(struct wci_upload *upload, uint64_t offset, void *data, size_t size, wc_error **err);
    int32_t (*done)(struct wci_upload *upload, wc_error **err); /* it is there; may be NULL */
    uintptr_t payload;
    int look_only;          /* 1: nothing is sent; whether it is there, or could be mounted, is all that is asked */
    uint64_t sent;          /* so far, for progress */
    int existed;            /* nothing had to be sent, or with look_only: it is there */
} wci_upload;

/* Sends all that the repository has not, several at once, mounting, resuming and retrying. `tick` as
 * above. What was begun and not finished the registry forgets by itself. */
int32_t wci_remote_upload(wc_call *call, wci_remote *remote, wci_upload **uploads, size_t count,
                          int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                          wc_error **err);
/* The manifest or index, byte for byte, under a tag or its own digest. */
int32_t wci_remote_put_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest,
                                const char *media_type, const void *data, size_t size, wc_error **err);

/* ---- Looking and deleting --------------------------------------------------------------------- */

/* All names, page by page. WC_E_FORMAT for pages without end, WC_E_PERMISSION for one elsewhere. */
int32_t wci_remote_tags(wc_call *call, wci_remote *remote, wci_strv *tags, wc_error **err);
int32_t wci_remote_catalog(wc_call *call, wci_remote *remote, wci_strv *repositories, wc_error **err);

/* Before one asks for many tags of which few will be there: lists them, unless there are too many for one answer or the
 * registry does not tell. For repositories that are only read. */
void wci_remote_learn_tags(wc_call *call, wci_remote *remote);
/* Whether it is known that the tag is not there. */
int wci_remote_lacks_tag(const wci_remote *remote, const char *tag);

/* What is known of a manifest without fetching it. */
typedef struct wci_look {
    wci_digest digest;
    int64_t size;             /* -1: not told */
    char *media_type;         /* owned, maybe "" */
    int64_t limit, remaining; /* pulls, as the Docker Hub counts them; -1: not told */
    int64_t window_s;         /* in which so many are allowed; -1: not told */
} wci_look;
int32_t wci_remote_look(wc_call *call, wci_remote *remote, const char *tag_or_digest, wci_look *out,
                        wc_error **err);
/* The index of what refers to a manifest, all pages of it; by the API, else by the tag that stands for it. */
int32_t wci_remote_referrers(wc_call *call, wci_remote *remote, const wci_digest *subject, wc_buf **out,
                             wc_error **err);
/* Where the registry does not list by itself what refers to a manifest: adds this one to the index under the tag that
 * stands for it (distribution-spec, "Unavailable Referrers API"). The manifest is there already. */
int32_t wci_remote_list_referrer(wc_call *call, wci_remote *remote, const wci_digest *subject,
                                 const wci_digest *referrer, const char *media_type, size_t size,
                                 const char *artifact_type, wc_error **err);
/* The answer of the Docker Hub's search, version 1, as it came. */
int32_t wci_remote_search(wc_call *call, wci_remote *remote, const char *term, uint32_t limit, wc_buf **out,
                          wc_error **err);
/* Any document of the server, by its path. WC_E_NOT_FOUND. */
int32_t wci_remote_document(wc_call *call, wci_remote *remote, const char *path, size_t max, wc_buf **out,
                            wc_error **err);
/* WC_E_UNSUPPORTED where the registry does not do that. */
int32_t wci_remote_delete_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest,
                                   wc_error **err);
int32_t wci_remote_delete_blob(wc_call *call, wci_remote *remote, const wci_digest *digest, wc_error **err);

/* ---- Challenges (also a fuzz target) ---------------------------------------------------------- */

typedef struct wci_challenge {
    char *scheme; /* lower case */
    char *realm, *service, *scope, *error; /* NULL when absent */
} wci_challenge;
/* All challenges of one WWW-Authenticate value (RFC 9110, 11.6.1). WC_E_FORMAT for an open quote,
 * over 16 KiB, or no scheme. */
int32_t wci_challenges_parse(const char *header, size_t size, wci_challenge **out, size_t *count,
                             wc_error **err);
void wci_challenges_free(wci_challenge *challenges, size_t count);

#endif
