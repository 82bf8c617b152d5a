/* SPDX-License-Identifier: Apache-2.0 */
#include "image/browse.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/place.h"
#include "image/reference.h"
#include "registry/registries.h"

#define HUB_SEARCH "index.docker.io"

/* A name and the connection to its registry. */
typedef struct visit {
    wci_reference reference;
    wci_remote *remote;
} visit;

static void end_visit(visit *v)
{
    wci_remote_close(v->remote);
    wci_reference_free(&v->reference);
}

static int32_t parse_name(const char *text, wci_reference *out, wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    int32_t code = wci_place_parse(text, &place, err);
    if (code)
        return code;
    if (place.kind == WCI_PLACE_REGISTRY)
        code = wci_reference_parse(place.ref, out, err);
    else
        code = wci_err(err, WC_E_INVALID, "'%s': is no name in a registry", text);
    wci_place_free(&place);
    return code;
}

static int32_t begin_visit(wc_call *call, const wci_registry_config *config, const char *text, visit *out,
                           wc_error **err)
{
    *out = (visit){WCI_REFERENCE_INIT, NULL};
    int32_t code = parse_name(text, &out->reference, err);
    if (!code)
        code = wci_remote_open(call, config, out->reference.host, out->reference.repository, &out->remote, err);
    if (code)
        end_visit(out);
    return code;
}

int32_t wci_browse_tags(wc_call *call, const wci_registry_config *config, const char *repository, wci_strv *out,
                        wc_error **err)
{
    wci_reference given = WCI_REFERENCE_INIT;
    visit v;
    int32_t code = wci_reference_parse(repository, &given, err);
    if (!code && (given.tag || wci_digest_is_set(&given.digest)))
        code = wci_err(err, WC_E_INVALID, "'%s': give a repository, without tag or digest", repository);
    wci_reference_free(&given);
    if (!code)
        code = begin_visit(call, config, repository, &v, err);
    if (code)
        return code;
    code = wci_remote_tags(call, v.remote, out, err);
    end_visit(&v);
    return code;
}

int32_t wci_browse_catalog(wc_call *call, const wci_registry_config *config, const char *registry, wci_strv *out,
                           wc_error **err)
{
    wci_remote *remote = NULL;
    /* A catalog belongs to no repository; the name is only needed to open the connection. */
    int32_t code = wci_remote_open(call, config, registry, "catalog", &remote, err);
    if (!code)
        code = wci_remote_catalog(call, remote, out, err);
    wci_remote_close(remote);
    return code;
}

static int32_t look_json(const visit *v, const wci_look *look, wc_buf **out, wc_error **err)
{
    char *name = wci_reference_format(&v->reference);
    json_t *json = name ? json_pack("{s:s, s:s, s:s, s:I}", "Name", name, "Digest", look->digest.text, "MediaType",
                                    look->media_type, "Size", (json_int_t)look->size)
                        : NULL;
    if (json && look->limit >= 0)
        json_object_set_new(json, "PullLimit", json_integer(look->limit));
    if (json && look->remaining >= 0)
        json_object_set_new(json, "PullsRemaining", json_integer(look->remaining));
    int32_t code = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    wci_free(name);
    return code;
}

int32_t wci_browse_look(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                        wc_error **err)
{
    visit v;
    wci_look look;
    int32_t code = begin_visit(call, config, reference, &v, err);
    if (code)
        return code;
    code = wci_remote_look(call, v.remote, wci_reference_target(&v.reference), &look, err);
    if (!code) {
        code = look_json(&v, &look, out, err);
        wci_free(look.media_type);
    }
    end_visit(&v);
    return code;
}

int32_t wci_browse_manifest(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                            wc_error **err)
{
    visit v;
    char *media_type = NULL;
    wci_digest digest;
    int32_t code = begin_visit(call, config, reference, &v, err);
    if (code)
        return code;
    code = wci_remote_manifest(call, v.remote, wci_reference_target(&v.reference), out, &media_type, &digest, err);
    wci_free(media_type);
    end_visit(&v);
    return code;
}

int32_t wci_browse_referrers(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                             wc_error **err)
{
    visit v;
    wci_look look = {.media_type = NULL};
    int32_t code = begin_visit(call, config, reference, &v, err);
    if (code)
        return code;
    if (wci_digest_is_set(&v.reference.digest))
        look.digest = v.reference.digest;
    else
        code = wci_remote_look(call, v.remote, wci_reference_target(&v.reference), &look, err);
    if (!code)
        code = wci_remote_referrers(call, v.remote, &look.digest, out, err);
    wci_free(look.media_type);
    end_visit(&v);
    return code;
}

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
                   : *wanted ? wci_remote_open(call, config, is_hub ? HUB_SEARCH : host, "search", &remote, err)
                             : wci_err(err, WC_E_INVALID, "'%s': says not what to search for", term);
    if (!code)
        code = wci_remote_search(call, remote, wanted, limit, out, err);
    wci_remote_close(remote);
    wci_free(host);
    return code;
}

int32_t wci_browse_delete(wc_call *call, const wci_registry_config *config, const char *reference, wc_error **err)
{
    wci_reference given = WCI_REFERENCE_INIT;
    visit v;
    int32_t code = parse_name(reference, &given, err);
    if (!code && !given.tag && !wci_digest_is_set(&given.digest))
        code = wci_err(err, WC_E_INVALID, "'%s': say which tag or digest to delete", reference);
    wci_reference_free(&given);
    if (!code)
        code = begin_visit(call, config, reference, &v, err);
    if (code)
        return code;
    code = wci_remote_delete_manifest(call, v.remote, wci_reference_target(&v.reference), err);
    end_visit(&v);
    return code;
}
