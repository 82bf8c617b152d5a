/* SPDX-License-Identifier: Apache-2.0 */
#include "image/refetch.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/keep.h"
#include "image/origin.h"
#include "image/reference.h"

/* ---- What is missing -------------------------------------------------------------------------------- */

typedef struct missing {
    const wci_descriptor *descriptor;
    wci_strv repositories;
} missing;

typedef struct refetch {
    wc_call *call;
    wci_store *store;
    wci_hold *hold;
    const wci_transfer *transfer;
    const char *login_host;
    missing *items;
    const wci_descriptor **list; /* room for all of them */
    size_t count;
} refetch;

static int is_listed(const refetch *r, const wci_digest *digest)
{
    for (size_t i = 0; i < r->count; i++)
        if (wci_digest_equal(&r->items[i].descriptor->digest, digest))
            return 1;
    return 0;
}

static int32_t list_missing(refetch *r, const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    r->items = wci_calloc(count + 1, sizeof *r->items);
    r->list = wci_calloc(count + 1, sizeof *r->list);
    if (!r->items || !r->list)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++) {
        const wci_descriptor *layer = blobs[i];
        wci_again again = WCI_AGAIN_NOT;
        code = wci_blob_again(r->call, r->store, &layer->digest, &again, err);
        if (code || again != WCI_AGAIN_FETCH || is_listed(r, &layer->digest))
            continue;
        missing *m = &r->items[r->count++];
        *m = (missing){layer, WCI_STRV_INIT};
        code = wci_blob_sources(r->call, r->store, &layer->digest, &m->repositories, err);
    }
    return code;
}

static int is_here(const refetch *r, const missing *m)
{
    uint64_t size;
    return wci_blob_stat(r->store, &m->descriptor->digest, &size, NULL) == WC_OK;
}

/* ---- Fetching --------------------------------------------------------------------------------------- */

/* What names us to one registry is not for another. */
static int32_t set_login(const refetch *r, const char *repository, wci_registry_config *config, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(repository, &ref, err);
    if (!code && r->login_host && strcmp(ref.host, r->login_host) != 0) {
        config->username = config->password = NULL;
        config->client_cert = config->client_key = config->cert_dir = NULL;
    }
    wci_reference_free(&ref);
    return code;
}

static int32_t fetch_list(const refetch *r, const char *repository, size_t count, wc_error **err)
{
    wci_transfer own = *r->transfer;
    wci_place place = {.kind = WCI_PLACE_REGISTRY, .ref = (char *)(uintptr_t)repository};
    wci_origin *origin = NULL;
    int32_t code = set_login(r, repository, &own.registry, err);
    if (!code)
        code = wci_origin_open(r->call, r->store, &place, &own, &origin, err);
    if (!code)
        code = wci_keep_listed(r->call, r->hold, origin, r->list, count, err);
    wci_origin_close(origin);
    return code ? wci_err_wrap(err, code, "layers whose blobs were dropped cannot be fetched from '%s' again", repository)
                : WC_OK;
}

/* All that the repository has of what is still missing. */
static int32_t fetch_from(const refetch *r, const char *repository, wc_error **err)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (!is_here(r, &r->items[i]) && wci_strv_contains(&r->items[i].repositories, repository))
            r->list[count++] = r->items[i].descriptor;
    return count ? fetch_list(r, repository, count, err) : WC_OK;
}

/* The last failure is told. */
static int32_t fetch_one(const refetch *r, const missing *m, wc_error **err)
{
    int32_t code = WC_OK;
    if (!is_here(r, m) && !m->repositories.count)
        return wci_err(err, WC_E_NOT_FOUND, "layer '%s': its blob was dropped, and no registry is known to have it; pull an "
                       "image that has it", m->descriptor->digest.text);
    for (size_t i = 0; i < m->repositories.count && !is_here(r, m); i++) {
        wci_err_clear(err);
        code = fetch_from(r, m->repositories.items[i], err);
        if (code == WC_E_CANCELLED || code == WC_E_NOMEM)
            return code;
    }
    if (!is_here(r, m))
        return code;
    wci_err_clear(err);
    return WC_OK;
}

int32_t wci_layers_refetch(wc_call *call, wci_store *store, wci_hold *hold, const wci_descriptor *const *blobs,
                           size_t count, const wci_transfer *transfer, const char *login_host, wc_error **err)
{
    refetch r = {.call = call, .store = store, .hold = hold, .transfer = transfer, .login_host = login_host};
    int32_t code = list_missing(&r, blobs, count, err);
    for (size_t i = 0; i < r.count && !code; i++)
        code = fetch_one(&r, &r.items[i], err);
    for (size_t i = 0; i < r.count; i++)
        wci_strv_free(&r.items[i].repositories);
    wci_free(r.items);
    wci_free(r.list);
    return code;
}
