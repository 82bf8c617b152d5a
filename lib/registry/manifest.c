/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching and sending manifests and indexes. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "registry/headers.h"
#include "registry/remote.h"

#define MAX_MANIFEST ((size_t)4 * 1024 * 1024)
#define MAX_MANIFEST_MS 120000
#define MAX_MIXED_UP 3

/* All four, or registries convert to what they think we want. */
const char wci_manifest_accept[] =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

static int says_nothing(const char *type)
{
    return !*type || !strcmp(type, "application/json") || !strcmp(type, "text/plain") ||
           !strcmp(type, "application/octet-stream");
}

/* Static file servers send no telling Content-Type; the document itself may. */
static char *type_in_document(const wci_str *body, char *otherwise)
{
    json_t *root = NULL;
    if (wci_json_parse(body->data, body->size, MAX_MANIFEST, "manifest", &root, NULL))
        return otherwise;
    const char *inner = json_string_value(json_object_get(root, "mediaType"));
    char *type = inner ? wci_strdup(inner) : otherwise;
    if (type != otherwise)
        wci_free(otherwise);
    json_decref(root);
    return type;
}

static char *media_type_of(const wci_http_request *r)
{
    const char *header = wci_http_header(r, "content-type", 0);
    char *type = wci_header_media_type(header ? header : "");
    if (type && says_nothing(type) && r->body.size)
        return type_in_document(&r->body, type);
    return type;
}

/* What the bytes must hash to: the digest that was asked for, or else, of no more weight than a
 * checksum, the one that the server names. */
static void expected_digest(const wci_http_request *r, const wci_digest *asked, wci_digest *out)
{
    const char *header = wci_http_header(r, "docker-content-digest", 0);
    *out = *asked;
    if (!wci_digest_is_set(asked) && header && wci_digest_parse(header, out, NULL))
        *out = (wci_digest){""};
}

static int32_t verify(const wci_exchange *ex, const char *what, const wci_digest *asked,
                      wci_digest *out, wc_error **err)
{
    const wci_str *body = &ex->request.body;
    wci_digest expected, real;
    expected_digest(&ex->request, asked, &expected);
    wci_hash_algo algo = wci_digest_is_set(&expected) ? wci_digest_algo(&expected) : WCI_SHA256;
    int32_t code = wci_digest_of(algo, body->data, body->size, &real, err);
    if (code)
        return code;
    if (wci_digest_is_set(&expected) && !wci_digest_equal(&expected, &real))
        return wci_err(err, WC_E_DIGEST,
                       "%s: %s: the answer has the digest %s instead of %s; the registry or a "
                       "proxy before it is broken",
                       what, ex->remote->host, real.text, expected.text);
    *out = real;
    return WC_OK;
}

static int32_t take_answer(wci_exchange *ex, const char *what, const wci_digest *asked,
                           wc_buf **body, char **media_type, wci_digest *digest, wc_error **err)
{
    if (ex->request.status != 200)
        return wci_exchange_status_error(ex, what, err);
    wci_digest real;
    char *type = NULL;
    wc_buf *bytes = NULL;
    int32_t code = verify(ex, what, asked, &real, err);
    if (code)
        return code;
    type = media_type_of(&ex->request);
    if (!type)
        return wci_err_nomem(err);
    code = wci_str_to_buf(&ex->request.body, &bytes, err);
    if (code) {
        wci_free(type);
        return code;
    }
    *body = bytes;
    *media_type = type;
    *digest = real;
    return WC_OK;
}

static int32_t fetch_manifest(wc_call *call, wci_exchange *ex, const char *what,
                              const wci_digest *asked, wc_buf **body, char **media_type,
                              wci_digest *digest, wc_error **err)
{
    if (wci_strv_add(&ex->headers, wci_manifest_accept))
        return wci_err_nomem(err);
    int32_t code = wci_exchange_run(call, ex, err);
    if (code)
        return wci_err_wrap(err, code, "%s", what);
    return take_answer(ex, what, asked, body, media_type, digest, err);
}

static int is_tag(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return n && n <= 128 && !text[n] && *text != '.' && *text != '-';
}

/* A manifest by its tag or digest, and the exchange about it. */
typedef struct target {
    wci_digest digest; /* unset for a tag */
    char *path, *what;
    wci_exchange ex;
} target;

static void close_target(target *t)
{
    wci_exchange_clear(&t->ex);
    wci_free(t->path);
    wci_free(t->what);
}

static int32_t open_target(wci_remote *remote, const char *tag_or_digest, target *out, wc_error **err)
{
    int is_digest = strchr(tag_or_digest, ':') != NULL;
    *out = (target){.digest = {""}};
    if (is_digest) {
        int32_t code = wci_digest_parse(tag_or_digest, &out->digest, err);
        if (code)
            return code;
    }
    if (!is_digest && !is_tag(tag_or_digest))
        return wci_err(err, WC_E_INVALID, "tag '%.128s': not a valid tag", tag_or_digest);
    out->path = wci_asprintf("/v2/%s/manifests/%s", remote->repository, tag_or_digest);
    out->what = wci_asprintf("manifest '%s/%s%c%s'", remote->host, remote->repository,
                             is_digest ? '@' : ':', tag_or_digest);
    out->ex.remote = remote;
    out->ex.path = out->path;
    out->ex.request.max_body = MAX_MANIFEST;
    out->ex.request.max_ms = MAX_MANIFEST_MS;
    if (out->path && out->what)
        return WC_OK;
    close_target(out);
    return wci_err_nomem(err);
}

int32_t wci_remote_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest,
                            wc_buf **body, char **media_type, wci_digest *digest,
                            wc_error **err)
{
    target t;
    int32_t code = open_target(remote, tag_or_digest, &t, err);
    if (code)
        return code;
    code = fetch_manifest(call, &t.ex, t.what, &t.digest, body, media_type, digest, err);
    close_target(&t);
    return code;
}

/* ---- Sending ---------------------------------------------------------------------------------- */

typedef struct document {
    const char *data;
    size_t size, sent;
} document;

static int32_t give(wci_http_request *request, void *data, size_t size, size_t *got, wc_error **err)
{
    document *d = request->owner;
    (void)err;
    *got = size < d->size - d->sent ? size : d->size - d->sent;
    memcpy(data, d->data + d->sent, *got);
    d->sent += *got;
    return WC_OK;
}

static void give_again(wci_http_request *request)
{
    ((document *)request->owner)->sent = 0;
}

/* Registries to which several send the same document at one time find another digest in it: no fault of ours. */
static int was_mixed_up(const target *t)
{
    const wci_str *body = &t->ex.request.body;
    return t->ex.request.status == 400 && body->size && strstr(body->data, "DIGEST_INVALID");
}

static int32_t put_once(wc_call *call, target *t, const char *media_type, document *d, wc_error **err)
{
    t->ex.request.method = "PUT";
    t->ex.request.owner = d;
    t->ex.request.source = give;
    t->ex.request.rewind = give_again;
    t->ex.request.source_size = d->size;
    if (wci_strv_add_take(&t->ex.headers, wci_asprintf("Content-Type: %s", media_type)))
        return wci_err_nomem(err);
    int32_t code = wci_exchange_run(call, &t->ex, err);
    if (code)
        return wci_err_wrap(err, code, "%s", t->what);
    if (t->ex.request.status < 200 || t->ex.request.status > 299)
        return wci_exchange_status_error(&t->ex, t->what, err);
    return WC_OK;
}

int32_t wci_remote_put_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest,
                                const char *media_type, const void *data, size_t size, wc_error **err)
{
    int32_t code = WC_OK;
    int again = 1;
    for (int tries = 0; again && !code; tries++) {
        target t;
        wc_error *why = NULL;
        document d = {data, size, 0};
        code = open_target(remote, tag_or_digest, &t, err);
        if (code)
            return code;
        code = put_once(call, &t, media_type, &d, &why);
        again = code && tries < MAX_MIXED_UP && was_mixed_up(&t);
        close_target(&t);
        if (again)
            code = wci_call_sleep_ms(call, 50, err);
        else if (code)
            wci_err_move(err, wc_error_ref(why));
        wc_error_unref(why);
    }
    return code;
}
