/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"
#include "core/error.h"
#include "image/origin.h"
#include "image/reference.h"

typedef struct registry_origin {
    wci_origin base; /* first */
    wci_remote *remote;
    wci_reference reference;
} registry_origin;

static int32_t root(wc_call *call, wci_origin *origin, size_t image, wci_raw *out, wc_error **err)
{
    (void)image;
    registry_origin *r = (registry_origin *)origin;
    return wci_remote_manifest(call, r->remote, wci_reference_target(&r->reference), &out->body,
                               &out->media_type, &out->digest, err);
}

static int32_t manifest(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                        wc_buf **out, wc_error **err)
{
    registry_origin *r = (registry_origin *)origin;
    char *media_type = NULL;
    wci_digest digest;
    int32_t code = wci_remote_manifest(call, r->remote, descriptor->digest.text, out, &media_type,
                                       &digest, err);
    wci_free(media_type);
    return code;
}

static int32_t fetch(wc_call *call, wci_origin *origin, wci_fetch **fetches, size_t count,
                     int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                     wc_error **err)
{
    registry_origin *r = (registry_origin *)origin;
    return wci_remote_fetch(call, r->remote, fetches, count, tick, payload, err);
}

static void close_registry(wci_origin *origin)
{
    registry_origin *r = (registry_origin *)origin;
    wci_remote_close(r->remote);
    wci_reference_free(&r->reference);
    wci_origin_clear(origin);
    wci_free(r);
}

static int32_t tagged(wc_call *call, wci_origin *origin, const char *tag, wci_raw *out, wc_error **err)
{
    registry_origin *r = (registry_origin *)origin;
    return wci_remote_manifest(call, r->remote, tag, &out->body, &out->media_type, &out->digest, err);
}

static int32_t referrers(wc_call *call, wci_origin *origin, const wci_digest *subject, wc_buf **out, wc_error **err)
{
    registry_origin *r = (registry_origin *)origin;
    return wci_remote_referrers(call, r->remote, subject, out, err);
}

static const wci_origin_ops registry_ops = {root, manifest, fetch, NULL, close_registry, tagged, referrers};

int32_t wci_origin_open_registry(wc_call *call, const wci_place *place,
                                 const wci_transfer *transfer, wci_origin **out, wc_error **err)
{
    registry_origin *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(err);
    r->base.ops = &registry_ops;
    int32_t code = wci_origin_set_count(&r->base, 1, err);
    if (!code)
        code = wci_reference_parse(place->ref, &r->reference, err);
    if (!code)
        code = wci_remote_open(call, &transfer->registry, r->reference.host,
                               r->reference.repository, &r->remote, err);
    if (!code && wci_strv_add_take(&r->base.names[0], wci_reference_format(&r->reference)))
        code = wci_err_nomem(err);
    if (code) {
        close_registry(&r->base);
        return code;
    }
    *out = &r->base;
    return WC_OK;
}
