/* SPDX-License-Identifier: Apache-2.0 */
/* To a registry: the blobs first, several at once and straight from where they lie, then the manifest. */
#include "core/alloc.h"
#include "core/error.h"
#include "image/outlet.h"
#include "image/reference.h"

typedef struct registry_outlet {
    wci_outlet base; /* first */
    wci_store *store;
    const wci_registry_config *config;
    wci_remote *remote;
    wci_reference reference;
} registry_outlet;

/* One blob on its way. */
typedef struct parcel {
    wci_upload upload;
    wci_extent from;
    const wci_descriptor *descriptor;
    char *elsewhere; /* a repository that may have it, or NULL */
    uint64_t reported;
} parcel;

typedef struct delivery {
    wc_call *call;
    parcel *parcels;
    wci_upload **uploads;
    size_t count;
} delivery;

/* The blobs are looked up again at the registry itself, while others are sent. */
static int has(wci_outlet *outlet, const wci_descriptor *descriptor)
{
    (void)outlet;
    (void)descriptor;
    return 0;
}

static int32_t read_blob(wci_upload *upload, uint64_t offset, void *data, size_t size, wc_error **err)
{
    const parcel *p = (const parcel *)upload->payload;
    size_t got = 0;
    int32_t code = wci_fd_pread(p->from.fd, data, size, p->from.offset + offset, &got, err);
    if (!code && got != size)
        code = wci_err(err, WC_E_FORMAT, "its file ends too early");
    return code;
}

static int32_t report(const delivery *d, parcel *p, int32_t kind, wc_error **err)
{
    p->reported = p->upload.sent;
    return wci_call_report(d->call, kind, p->descriptor->digest.text, (int64_t)p->upload.sent,
                           p->descriptor->size, NULL, err);
}

static int32_t tick(uintptr_t payload, wc_error **err)
{
    delivery *d = (delivery *)payload;
    int32_t code = WC_OK;
    for (size_t i = 0; i < d->count && !code; i++)
        if (d->parcels[i].upload.sent != d->parcels[i].reported)
            code = report(d, &d->parcels[i], WC_PROGRESS_UPLOAD, err);
    return code;
}

static int is_listed(const delivery *d, const wci_digest *digest)
{
    for (size_t i = 0; i < d->count; i++)
        if (wci_digest_equal(&d->parcels[i].upload.digest, digest))
            return 1;
    return 0;
}

static int32_t add_parcel(delivery *d, wci_outgoing *image, const wci_descriptor *descriptor, wc_error **err)
{
    if (is_listed(d, &descriptor->digest))
        return WC_OK;
    parcel *p = &d->parcels[d->count];
    *p = (parcel){.from = WCI_EXTENT_NONE, .descriptor = descriptor};
    int32_t code = image->open_blob(image, &descriptor->digest, &p->from, err);
    if (code)
        return code;
    d->uploads[d->count++] = &p->upload;
    p->upload = (wci_upload){.digest = descriptor->digest, .size = p->from.size, .read = read_blob,
                             .payload = (uintptr_t)p};
    if (p->from.size == (uint64_t)descriptor->size)
        return WC_OK;
    return wci_err(err, WC_E_DIGEST, "blob '%s': it has %llu bytes instead of %lld", descriptor->digest.text,
                   (unsigned long long)p->from.size, (long long)descriptor->size);
}

static int32_t list_parcels(delivery *d, wci_outgoing *image, wc_error **err)
{
    const wci_document *document = image->resolved->document;
    d->parcels = wci_calloc(document->count + 1, sizeof *d->parcels);
    d->uploads = wci_calloc(document->count + 1, sizeof *d->uploads);
    int32_t code = d->parcels && d->uploads ? WC_OK : wci_err_nomem(err);
    if (!code)
        code = add_parcel(d, image, &document->config, err);
    for (size_t i = 0; i < document->count && !code; i++)
        code = add_parcel(d, image, &document->items[i], err);
    return code;
}

/* ---- What another repository of the registry may have ------------------------------------------------- */

static int has_layer(const wci_image_record *image, const wci_digest *digest)
{
    for (size_t i = 0; i < image->layer_count; i++)
        if (wci_digest_equal(&image->layers[i].digest, digest))
            return 1;
    return 0;
}

/* The repository of a name, when it is another one of this registry. */
static int32_t other_repository(const registry_outlet *r, const char *name, char **out, wc_error **err)
{
    wci_reference known = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(name, &known, err);
    if (!code && wci_streq(known.host, r->reference.host) && !wci_streq(known.repository, r->reference.repository)) {
        *out = known.repository;
        known.repository = NULL;
    }
    wci_reference_free(&known);
    return code;
}

static int32_t find_elsewhere(const registry_outlet *r, const wci_image_record *image, parcel *p, wc_error **err)
{
    int32_t code = WC_OK;
    if (p->elsewhere || !has_layer(image, &p->upload.digest))
        return WC_OK;
    for (size_t i = 0; i < image->names.count && !code && !p->elsewhere; i++)
        code = other_repository(r, image->names.items[i], &p->elsewhere, err);
    p->upload.mount_from = p->elsewhere;
    return code;
}

/* Names in the store tell where the registry has a layer already: it then mounts it (distribution-spec, "Mounting
 * a blob from another repository") and no byte moves. Where it cannot, the blob is sent. */
static int32_t find_all_elsewhere(delivery *d, const registry_outlet *r, wc_error **err)
{
    wci_image_record **images = NULL;
    size_t count = 0;
    int32_t code = wci_image_list(r->store, &images, &count, err);
    for (size_t i = 0; i < count && !code; i++)
        for (size_t k = 0; k < d->count && !code; k++)
            code = find_elsewhere(r, images[i], &d->parcels[k], err);
    wci_image_records_free(images, count);
    return code;
}

/* ---- Sending ------------------------------------------------------------------------------------------ */

static int32_t deliver(delivery *d, wci_remote *remote, wc_error **err)
{
    int32_t code = wci_remote_upload(d->call, remote, d->uploads, d->count, tick, (uintptr_t)d, err);
    for (size_t i = 0; i < d->count && !code; i++)
        code = report(d, &d->parcels[i], d->uploads[i]->existed ? WC_PROGRESS_EXISTS : WC_PROGRESS_DONE, err);
    return code;
}

static int32_t put(wc_call *call, wci_outlet *outlet, wci_outgoing *image, wc_error **err)
{
    registry_outlet *r = (registry_outlet *)outlet;
    const wci_raw *manifest = &image->resolved->manifest;
    delivery d = {.call = call};
    int32_t code = list_parcels(&d, image, err);
    if (!code)
        code = find_all_elsewhere(&d, r, err);
    if (!code)
        code = deliver(&d, r->remote, err);
    for (size_t i = 0; i < d.count; i++) {
        wci_extent_close(&d.parcels[i].from);
        wci_free(d.parcels[i].elsewhere);
    }
    wci_free(d.parcels);
    wci_free(d.uploads);
    if (!code)
        code = wci_remote_put_manifest(call, r->remote, wci_reference_target(&r->reference),
                                       image->resolved->document->media_type, wc_buf_data(manifest->body),
                                       wc_buf_size(manifest->body), err);
    if (!code && outlet->signer)
        code = wci_sign(call, r->config, outlet->signer, &r->reference, manifest, err);
    return code;
}

/* The manifest made it visible. */
static int32_t finish(wci_outlet *outlet, wc_error **err)
{
    (void)outlet;
    (void)err;
    return WC_OK;
}

static void close_registry(wci_outlet *outlet)
{
    registry_outlet *r = (registry_outlet *)outlet;
    wci_remote_close(r->remote);
    wci_reference_free(&r->reference);
    wci_free(r);
}

static const wci_outlet_ops registry_ops = {has, put, finish, close_registry, NULL};

int32_t wci_outlet_open_registry(wc_call *call, wci_store *store, const wci_place *place,
                                 const wci_registry_config *config, wci_outlet **out, wc_error **err)
{
    registry_outlet *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(err);
    r->base.ops = &registry_ops;
    r->store = store;
    r->config = config;
    int32_t code = wci_reference_parse(place->ref, &r->reference, err);
    if (!code)
        code = wci_remote_open(call, config, r->reference.host, r->reference.repository, &r->remote, err);
    if (code) {
        close_registry(&r->base);
        return code;
    }
    *out = &r->base;
    return WC_OK;
}
