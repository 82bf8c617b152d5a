/* SPDX-License-Identifier: Apache-2.0 */
#include "image/browse.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/place.h"
#include "image/reference.h"
#include "image/ways.h"
#include "registry/registries.h"

#define HUB_SEARCH "index.docker.io"

static int32_t find_ways(const wci_registry_config *config, const char *text, wci_ways *out, wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    int32_t code = wci_place_parse(text, &place, err);
    if (!code && place.kind != WCI_PLACE_REGISTRY)
        code = wci_err(err, WC_E_INVALID, "'%s': is no name in a registry", text);
    if (!code)
        code = wci_ways_find(&place, config, out, err);
    wci_place_free(&place);
    return code;
}

/* ---- Repositories and registries ------------------------------------------------------------------ */

static int32_t fetch_tags(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    (void)target;
    return wci_remote_tags(call, remote, arg, err);
}

int32_t wci_browse_tags(wc_call *call, const wci_registry_config *config, const char *repository, wci_strv *out,
                        wc_error **err)
{
    wci_reference given = WCI_REFERENCE_INIT;
    wci_ways ways = WCI_WAYS_INIT;
    int32_t code = wci_reference_parse(repository, &given, err);
    if (!code && (given.tag || wci_digest_is_set(&given.digest)))
        code = wci_err(err, WC_E_INVALID, "'%s': give a repository, without tag or digest", repository);
    wci_reference_free(&given);
    if (!code)
        code = find_ways(config, repository, &ways, err);
    if (!code) {
        wci_ways_to_registry(&ways); /* mirrors may have some of the tags only */
        code = wci_ways_try(call, &ways, fetch_tags, out, err);
    }
    wci_ways_free(&ways);
    return code;
}

int32_t wci_browse_catalog(wc_call *call, const wci_registry_config *config, const char *registry, wci_strv *out,
                           wc_error **err)
{
    wci_remote *remote = NULL;
    /* A catalog belongs to no repository; the name is only needed to open the connection. */
    int32_t code = wci_remote_open_named(call, config, registry, "catalog", &remote, err);
    if (!code)
        code = wci_remote_catalog(call, remote, out, err);
    wci_remote_close(remote);
    return code;
}

/* ---- Images --------------------------------------------------------------------------------------- */

/* What is asked about an image, and where the answer goes. */
typedef struct inquiry {
    const wci_ways *ways;
    wc_buf **out;
} inquiry;

static int32_t ask(wc_call *call, const wci_registry_config *config, const char *reference, wci_way_try what,
                   wc_buf **out, wc_error **err)
{
    wci_ways ways = WCI_WAYS_INIT;
    inquiry q = {&ways, out};
    int32_t code = find_ways(config, reference, &ways, err);
    if (!code)
        code = wci_ways_try(call, &ways, what, &q, err);
    wci_ways_free(&ways);
    return code;
}

static int32_t look_json(const wci_reference *reference, const wci_look *look, wc_buf **out, wc_error **err)
{
    char *name = wci_reference_format(reference);
    json_t *json = name ? json_pack("{s:s, s:s, s:s, s:I}", "Name", name, "Digest", look->digest.text, "MediaType",
                                    look->media_type, "Size", (json_int_t)look->size)
                        : NULL;
    if (json && look->limit >= 0)
        json_object_set_new(json, "PullLimit", json_integer(look->limit));
    if (json && look->remaining >= 0)
        json_object_set_new(json, "PullsRemaining", json_integer(look->remaining));
    if (json && look->window_s >= 0)
        json_object_set_new(json, "PullWindow", json_integer(look->window_s));
    int32_t code = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    wci_free(name);
    return code;
}

static int32_t look(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    const inquiry *q = arg;
    wci_look found;
    int32_t code = wci_remote_look(call, remote, target, &found, err);
    if (code)
        return code;
    code = look_json(wci_ways_present(q->ways)->name, &found, q->out, err);
    wci_free(found.media_type);
    return code;
}

int32_t wci_browse_look(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                        wc_error **err)
{
    return ask(call, config, reference, look, out, err);
}

static int32_t fetch_manifest(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    const inquiry *q = arg;
    char *media_type = NULL;
    wci_digest digest;
    int32_t code = wci_remote_manifest(call, remote, target, q->out, &media_type, &digest, err);
    wci_free(media_type);
    return code;
}

int32_t wci_browse_manifest(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                            wc_error **err)
{
    return ask(call, config, reference, fetch_manifest, out, err);
}

static int32_t fetch_referrers(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    const inquiry *q = arg;
    wci_look found = {.digest = wci_ways_present(q->ways)->name->digest};
    int32_t code = wci_digest_is_set(&found.digest) ? WC_OK : wci_remote_look(call, remote, target, &found, err);
    if (!code)
        code = wci_remote_referrers(call, remote, &found.digest, q->out, err);
    wci_free(found.media_type);
    return code;
}

int32_t wci_browse_referrers(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                             wc_error **err)
{
    return ask(call, config, reference, fetch_referrers, out, err);
}

/* ---- Searching and deleting ----------------------------------------------------------------------- */

/* "HOST/TERM" with something that can only be a host. */
static const char *term_after_host(const char *text, char **host)
{
    size_t n = wci_name_has_host(text) ? strcspn(text, "/") : 0;
    *host = n ? wci_strndup(text, n) : wci_strdup("docker.io");
    return n ? text + n + 1 : text;
}

int32_t wci_browse_search(wc_call *call, const wci_registry_config *config, const char *term, uint32_t limit,
                          wc_buf **out, wc_error **err)
{
    char *host = NULL;
    wci_remote *remote = NULL;
    const char *wanted = term_after_host(term, &host);
    int is_hub = host && !strcmp(host, "docker.io");
    if (is_hub && wci_starts_with(wanted, "library/"))
        wanted += strlen("library/");
    int32_t code = !host     ? wci_err_nomem(err)
                   : *wanted ? wci_remote_open_named(call, config, is_hub ? HUB_SEARCH : host, "search", &remote, err)
                             : wci_err(err, WC_E_INVALID, "'%s': says not what to search for", term);
    if (!code)
        code = wci_remote_search(call, remote, wanted, limit, out, err);
    wci_remote_close(remote);
    wci_free(host);
    return code;
}

typedef int32_t (*deleter)(wc_call *call, wci_remote *remote, const wci_reference *what, wc_error **err);

static int32_t delete_manifest(wc_call *call, wci_remote *remote, const wci_reference *what, wc_error **err)
{
    return wci_remote_delete_manifest(call, remote, wci_reference_target(what), err);
}

static int32_t delete_blob(wc_call *call, wci_remote *remote, const wci_reference *what, wc_error **err)
{
    return wci_remote_delete_blob(call, remote, &what->digest, err);
}

static int32_t read_name(const char *text, wci_reference *out, wc_error **err)
{
    static const char transport[] = "docker://";
    return wci_reference_parse(text + (wci_starts_with(text, transport) ? strlen(transport) : 0), out, err);
}

static int32_t delete_at(wc_call *call, const wci_registry_config *config, const wci_reference *what, deleter how,
                         wc_error **err)
{
    wci_remote *remote = NULL;
    int32_t code = wci_remote_open_named(call, config, what->host, what->repository, &remote, err);
    if (!code)
        code = how(call, remote, what, err);
    wci_remote_close(remote);
    return code ? wci_err_wrap(err, code, "repository '%s/%s'", what->host, what->repository) : WC_OK;
}

int32_t wci_browse_delete(wc_call *call, const wci_registry_config *config, const char *reference, wc_error **err)
{
    wci_reference given = WCI_REFERENCE_INIT;
    int32_t code = read_name(reference, &given, err);
    if (!code && !given.tag && !wci_digest_is_set(&given.digest))
        code = wci_err(err, WC_E_INVALID, "'%s': say which tag or digest to delete", reference);
    if (!code)
        code = delete_at(call, config, &given, delete_manifest, err);
    wci_reference_free(&given);
    return code;
}

int32_t wci_browse_delete_blob(wc_call *call, const wci_registry_config *config, const char *reference, wc_error **err)
{
    wci_reference given = WCI_REFERENCE_INIT;
    int32_t code = read_name(reference, &given, err);
    if (!code && (given.tag || !wci_digest_is_set(&given.digest)))
        code = wci_err(err, WC_E_INVALID, "'%s': a blob is named by its digest alone, REPOSITORY@sha256:…", reference);
    if (!code)
        code = delete_at(call, config, &given, delete_blob, err);
    wci_reference_free(&given);
    return code;
}
