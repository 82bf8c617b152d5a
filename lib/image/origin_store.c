/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"
#include "core/error.h"
#include "image/origin.h"

typedef struct store_origin {
    wci_origin base; /* first */
    wci_store *store;
    wci_image_record *record;
} store_origin;

static int32_t root(wc_call *call, wci_origin *origin, size_t image, wci_raw *out, wc_error **err)
{
    (void)call;
    (void)image;
    store_origin *s = (store_origin *)origin;
    const wci_image_record *record = s->record;
    char *media_type = wci_strdup(record->media_type);
    if (!media_type)
        return wci_err_nomem(err);
    int32_t code = wci_blob_read(s->store, &record->manifest, WCI_MANIFEST_MAX, &out->body, err);
    if (code) {
        wci_free(media_type);
        return code;
    }
    out->media_type = media_type;
    out->digest = record->manifest;
    return WC_OK;
}

static int32_t open_blob(wci_origin *origin, const wci_digest *digest, wci_extent *out,
                         wc_error **err)
{
    store_origin *s = (store_origin *)origin;
    wci_extent extent = WCI_EXTENT_NONE;
    int32_t code = wci_blob_open(s->store, digest, &extent.fd, &extent.size, err);
    if (code)
        return code;
    extent.is_owned = 1;
    *out = extent;
    return WC_OK;
}

static void close_store(wci_origin *origin)
{
    store_origin *s = (store_origin *)origin;
    wci_image_record_free(s->record);
    wci_store_unref(s->store);
    wci_origin_clear(origin);
    wci_free(s);
}

static const wci_origin_ops store_ops = {root, NULL, NULL, open_blob, close_store, NULL, NULL};

int32_t wci_origin_open_store(wci_store *store, const wci_digest *manifest, wci_origin **out,
                              wc_error **err)
{
    store_origin *s = wci_calloc(1, sizeof *s);
    if (!s)
        return wci_err_nomem(err);
    s->base.ops = &store_ops;
    s->store = wci_store_ref(store);
    int32_t code = wci_origin_set_count(&s->base, 1, err);
    if (!code)
        code = wci_image_find(store, manifest->text, &s->record, err);
    if (!code && wci_strv_copy(&s->base.names[0], &s->record->names))
        code = wci_err_nomem(err);
    if (code) {
        close_store(&s->base);
        return code;
    }
    *out = &s->base;
    return WC_OK;
}
