/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: how a policy calls the places that images lie at. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/policy.h"
#include "platform/file.h"

static const char *const transports[] = {
    [WCI_PLACE_REGISTRY] = "docker",
    [WCI_PLACE_OCI] = "oci",
    [WCI_PLACE_OCI_ARCHIVE] = "oci-archive",
    [WCI_PLACE_DOCKER_ARCHIVE] = "docker-archive",
    [WCI_PLACE_DOCKER_DAEMON] = "docker-daemon",
};

/* ---- Names in a registry ---------------------------------------------------------------------------- */

/* "host/a/b" and everything above it, down to "host". */
static int add_namespaces(wci_strv *names, char *name)
{
    for (;;) {
        if (wci_strv_add(names, name))
            return WC_E_NOMEM;
        char *slash = strrchr(name, '/');
        if (!slash)
            return WC_OK;
        *slash = '\0';
    }
}

/* "*.example.com", "*.com" for "registry.example.com:5000": without the port, as others do it. */
static int add_wildcards(wci_strv *names, char *host)
{
    host[strcspn(host, ":")] = '\0';
    for (char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.'))
        if (wci_strv_add_take(names, wci_asprintf("*%s", dot)))
            return WC_E_NOMEM;
    return WC_OK;
}

static int add_image(wci_strv *names, const wci_reference *ref)
{
    int is_pinned = wci_digest_is_set(&ref->digest);
    return wci_strv_add_take(names, wci_asprintf("%s/%s%s%s", ref->host, ref->repository, is_pinned ? "@" : ":",
                                                 wci_reference_target(ref)));
}

static int32_t add_reference(wci_strv *names, const char *text, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(text, &ref, err);
    if (code)
        return code;
    char *name = wci_asprintf("%s/%s", ref.host, ref.repository);
    if (!name || add_image(names, &ref) || add_namespaces(names, name) || add_wildcards(names, ref.host))
        code = wci_err_nomem(err);
    wci_free(name);
    wci_reference_free(&ref);
    return code;
}

/* ---- Paths ------------------------------------------------------------------------------------------ */

/* The path itself, without links, and everything above it but the root. */
static int32_t add_path(wci_strv *names, const char *path, wc_error **err)
{
    char *at = NULL;
    int32_t code = wci_path_real(path, &at, err);
    while (!code && at) {
        char *parent = wci_path_parent(at);
        int is_root = parent && !strcmp(parent, at);
        if (!parent || (!is_root && wci_strv_add(names, at)))
            code = wci_err_nomem(err);
        wci_free(at);
        at = parent;
        if (is_root)
            break;
    }
    wci_free(at);
    return code;
}

int32_t wci_policy_scopes(const wci_place *place, const char **transport, wci_strv *names, wc_error **err)
{
    *transport = transports[place->kind];
    switch (place->kind) {
    case WCI_PLACE_REGISTRY:
    case WCI_PLACE_DOCKER_DAEMON:
        return add_reference(names, place->ref, err);
    case WCI_PLACE_OCI:
    case WCI_PLACE_OCI_ARCHIVE:
        return add_path(names, place->path, err);
    case WCI_PLACE_DOCKER_ARCHIVE:
        return WC_OK; /* has no scopes */
    }
    return WC_OK;
}

/* ---- Looking up ------------------------------------------------------------------------------------- */

static const wci_scope *find(const wci_policy *policy, const char *transport, const char *name)
{
    for (size_t i = 0; i < policy->count; i++)
        if (wci_streq(policy->scopes[i].transport, transport) && wci_streq(policy->scopes[i].name, name))
            return &policy->scopes[i];
    return NULL;
}

int32_t wci_policy_find(const wci_policy *policy, const wci_place *place, const wci_scope **out, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    const char *transport = NULL;
    const wci_scope *found = NULL;
    int32_t code = wci_policy_scopes(place, &transport, &names, err);
    for (size_t i = 0; i < names.count && !code && !found; i++)
        found = find(policy, transport, names.items[i]);
    wci_strv_free(&names);
    if (!code && !found)
        found = find(policy, transport, "");
    if (!code)
        *out = found ? found : find(policy, NULL, "");
    return code;
}

/* ---- Checking --------------------------------------------------------------------------------------- */

static int is_path_transport(const char *transport)
{
    return !strcmp(transport, "oci") || !strcmp(transport, "oci-archive") || !strcmp(transport, "dir");
}

static int has_part(const char *path, const char *part)
{
    size_t n = strlen(part);
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/'))
        if (!strncmp(at + 1, part, n) && (at[n + 1] == '/' || !at[n + 1]))
            return 1;
    return 0;
}

/* Paths are compared as texts, after links and dots are gone. */
static const char *why_not_path(const char *path)
{
    size_t n = strlen(path);
    if (!wci_path_is_absolute(path))
        return "must be an absolute path";
    if (!strcmp(path, "/"))
        return "would be everything; write \"\" for that";
    if (path[n - 1] == '/' || strstr(path, "//") || has_part(path, ".") || has_part(path, ".."))
        return "must be written without '.', '..', '//' and a slash at its end";
    return NULL;
}

int32_t wci_policy_check_scope(const char *transport, const char *name, const char *what, wc_error **err)
{
    const char *why = NULL;
    int is_id = wci_starts_with(name, "sha256:") || wci_starts_with(name, "sha512:");
    if (is_path_transport(transport))
        why = why_not_path(name);
    else if (!strcmp(transport, "docker-archive"))
        why = "this transport has no scopes but \"\"";
    else if (!strcmp(transport, "docker-daemon") && is_id)
        why = "an image id cannot be a scope";
    return why ? wci_err(err, WC_E_FORMAT, "%s: %s", what, why) : WC_OK;
}
