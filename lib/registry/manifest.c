/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching manifests and indexes. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "registry/remote.h"

#define MAX_MANIFEST ((size_t)4 * 1024 * 1024)
#define MAX_MANIFEST_MS 120000

/* All four, or registries convert to what they think we want. */
static const char accept_header[] =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

/* A Content-Type without its parameters, in lower case. */
static char *bare_type(const char *header)
{
    size_t n = strcspn(header, "; \t");
    char *type = wci_strndup(header, n);
    for (char *p = type; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    return type;
}

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
    char *type = bare_type(header ? header : "");
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
    if (wci_strv_add(&ex->headers, accept_header))
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

int32_t wci_remote_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest,
                            wc_buf **body, char **media_type, wci_digest *digest,
                            wc_error **err)
{
    wci_digest asked = {""};
    int is_digest = strchr(tag_or_digest, ':') != NULL;
    if (is_digest) {
        int32_t code = wci_digest_parse(tag_or_digest, &asked, err);
        if (code)
            return code;
    }
    if (!is_digest && !is_tag(tag_or_digest))
        return wci_err(err, WC_E_INVALID, "tag '%.128s': not a valid tag", tag_or_digest);
    char *path = wci_asprintf("/v2/%s/manifests/%s", remote->repository, tag_or_digest);
    char *what = wci_asprintf("manifest '%s/%s%c%s'", remote->host, remote->repository,
                              is_digest ? '@' : ':', tag_or_digest);
    wci_exchange ex = {.remote = remote, .path = path};
    ex.request.max_body = MAX_MANIFEST;
    ex.request.max_ms = MAX_MANIFEST_MS;
    int32_t code = path && what ? fetch_manifest(call, &ex, what, &asked, body, media_type, digest,
                                                 err)
                                : wci_err_nomem(err);
    wci_exchange_clear(&ex);
    wci_free(path);
    wci_free(what);
    return code;
}
