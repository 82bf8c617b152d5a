/* SPDX-License-Identifier: Apache-2.0 */
#include "image/place.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "image/reference.h"
#include "platform/host.h"
#include "registry/registries.h"

static const struct {
    const char *prefix;
    wci_place_kind kind;
} transports[] = {
    {"docker://", WCI_PLACE_REGISTRY},
    {"oci:", WCI_PLACE_OCI},
    {"oci-archive:", WCI_PLACE_OCI_ARCHIVE},
    {"docker-archive:", WCI_PLACE_DOCKER_ARCHIVE},
    {"docker-daemon:", WCI_PLACE_DOCKER_DAEMON},
};

#define STORE_PREFIX "wc-store:"

const char *wci_place_store_name(const char *text)
{
    return wci_starts_with(text, STORE_PREFIX) ? text + strlen(STORE_PREFIX) : NULL;
}

static const char *const unsupported[] = {"containers-storage:", "dir:", "ostree:", "sif:", "tarball:"};

static int32_t set_reference(const char *text, wci_place *out, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(text, &ref, err);
    if (code)
        return code;
    out->ref = wci_reference_format(&ref);
    wci_reference_free(&ref);
    return out->ref ? WC_OK : wci_err_nomem(err);
}

static const char *path_end(const char *text)
{
    int has_drive = !strcmp(wci_host_os(), "windows") && *text && text[1] == ':' &&
                    (text[2] == '\\' || text[2] == '/');
    const char *from = text + (has_drive ? 2 : 0);
    return from + strcspn(from, ":");
}

static int32_t set_path(const char *whole, const char *text, wci_place *out, wc_error **err)
{
    const char *end = path_end(text), *name = *end ? end + 1 : NULL;
    if (end == text)
        return wci_err(err, WC_E_INVALID, "'%s': a path must follow the transport", whole);
    if (name && !*name)
        return wci_err(err, WC_E_INVALID, "'%s': a name must follow the second ':'", whole);
    out->path = wci_strndup(text, (size_t)(end - text));
    if (!out->path)
        return wci_err_nomem(err);
    if (name && out->kind == WCI_PLACE_DOCKER_ARCHIVE)
        return set_reference(name, out, err);
    return wci_replace(&out->ref, name) ? wci_err_nomem(err) : WC_OK;
}

static int32_t parse(const char *text, wci_place *out, wc_error **err)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (wci_starts_with(text, unsupported[i]))
            return wci_err(err, WC_E_UNSUPPORTED,
                           "'%s': the transport '%s' is not supported; use docker://, oci:, "
                           "oci-archive:, docker-archive: or docker-daemon:",
                           text, unsupported[i]);
    for (size_t i = 0; i < sizeof transports / sizeof *transports; i++) {
        if (!wci_starts_with(text, transports[i].prefix))
            continue;
        const char *rest = text + strlen(transports[i].prefix);
        out->kind = transports[i].kind;
        int by_name = out->kind == WCI_PLACE_REGISTRY || out->kind == WCI_PLACE_DOCKER_DAEMON;
        return by_name ? set_reference(rest, out, err) : set_path(text, rest, out, err);
    }
    if (!wci_name_has_host(text) && wci_replace(&out->short_name, text))
        return wci_err_nomem(err);
    return set_reference(text, out, err);
}

int32_t wci_place_parse(const char *text, wci_place *out, wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    int32_t code = parse(text, &place, err);
    if (code) {
        wci_place_free(&place);
        return code;
    }
    *out = place;
    return WC_OK;
}

void wci_place_free(wci_place *place)
{
    wci_free(place->path);
    wci_free(place->ref);
    wci_free(place->short_name);
    *place = (wci_place)WCI_PLACE_INIT;
}

char *wci_place_format(const wci_place *place)
{
    const char *prefix = transports[place->kind].prefix;
    if (place->short_name)
        return wci_strdup(place->short_name);
    if (!place->path)
        return wci_asprintf("%s%s", prefix, place->ref);
    return wci_asprintf("%s%s%s%s", prefix, place->path, place->ref ? ":" : "",
                        place->ref ? place->ref : "");
}
