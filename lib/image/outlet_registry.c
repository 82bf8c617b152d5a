/* SPDX-License-Identifier: Apache-2.0 */
/* To a registry: the blobs first, several at once and straight from where they lie, then the manifest. */
#include <string.h>

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

static void describe_parcel(parcel *p, const wci_descriptor *descriptor)
{
    *p = (parcel){.from = WCI_EXTENT_NONE, .descriptor = descriptor};
    p->upload = (wci_upload){.digest = descriptor->digest, .size = (uint64_t)descriptor->size, .read = read_blob,
                             .payload = (uintptr_t)p};
}

static int32_t open_parcel(const wci_blob_source *from, parcel *p, wc_error **err)
{
    const wci_descriptor *descriptor = p->descriptor;
    int32_t code = from->open(from->self, &descriptor->digest, &p->from, err);
    if (code || p->from.size == (uint64_t)descriptor->size)
        return code;
    return wci_err(err, WC_E_DIGEST, "blob '%s': it has %llu bytes instead of %lld", descriptor->digest.text,
                   (unsigned long long)p->from.size, (long long)descriptor->size);
}

static int32_t open_delivery(delivery *d, wc_call *call, const wci_descriptor *const *blobs, size_t count,
                             wc_error **err)
{
    *d = (delivery){.call = call, .parcels = wci_calloc(count + 1, sizeof *d->parcels),
                    .uploads = wci_calloc(count + 1, sizeof *d->uploads)};
    if (!d->parcels || !d->uploads)
        return wci_err_nomem(err);
    d->count = count;
    for (size_t i = 0; i < count; i++) {
        describe_parcel(&d->parcels[i], blobs[i]);
        d->uploads[i] = &d->parcels[i].upload;
    }
    return WC_OK;
}

static void close_delivery(delivery *d)
{
    for (size_t i = 0; i < d->count; i++) {
        wci_extent_close(&d->parcels[i].from);
        wci_free(d->parcels[i].elsewhere);
    }
    wci_free(d->parcels);
    wci_free(d->uploads);
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

static int32_t find_source(delivery *d, const registry_outlet *r, parcel *p, wc_error **err)
{
    wci_strv sources = WCI_STRV_INIT;
    int32_t code = wci_blob_sources(d->call, r->store, &p->upload.digest, &sources, err);
    for (size_t i = 0; i < sources.count && !code && !p->elsewhere; i++)
        code = other_repository(r, sources.items[i], &p->elsewhere, err);
    p->upload.mount_from = p->elsewhere;
    wci_strv_free(&sources);
    return code;
}

/* Names in the store, and what it knows of a layer, tell where the registry has a layer already: it then mounts it
 * (distribution-spec, "Mounting a blob from another repository") and no byte moves. Where it cannot, the blob is sent. */
static int32_t find_all_elsewhere(delivery *d, const registry_outlet *r, wc_error **err)
{
    wci_image_record **images = NULL;
    size_t count = 0;
    int32_t code = wci_image_list(r->store, &images, &count, err);
    for (size_t i = 0; i < count && !code; i++)
        for (size_t k = 0; k < d->count && !code; k++)
            code = find_elsewhere(r, images[i], &d->parcels[k], err);
    for (size_t k = 0; k < d->count && !code; k++)
        if (!d->parcels[k].elsewhere)
            code = find_source(d, r, &d->parcels[k], err);
    wci_image_records_free(images, count);
    return code;
}

/* ---- Blobs -------------------------------------------------------------------------------------------- */

/* Blobs that come from another repository of this registry are mounted while they are looked for. */
static int32_t find(wc_call *call, wci_outlet *outlet, const wci_descriptor *const *blobs, size_t count, int *there,
                    wc_error **err)
{
    registry_outlet *r = (registry_outlet *)outlet;
    delivery d;
    int32_t code = open_delivery(&d, call, blobs, count, err);
    for (size_t i = 0; i < d.count && !code; i++) {
        d.parcels[i].upload.look_only = 1;
        d.parcels[i].upload.mount_from = outlet->near;
    }
    if (!code && !outlet->near)
        code = find_all_elsewhere(&d, r, err);
    if (!code)
        code = wci_remote_upload(call, r->remote, d.uploads, d.count, NULL, 0, err);
    for (size_t i = 0; i < d.count && !code; i++)
        there[i] = d.uploads[i]->existed;
    close_delivery(&d);
    return code;
}

static int32_t deliver(delivery *d, wci_remote *remote, wc_error **err)
{
    int32_t code = wci_remote_upload(d->call, remote, d->uploads, d->count, tick, (uintptr_t)d, err);
    for (size_t i = 0; i < d->count && !code; i++)
        code = report(d, &d->parcels[i], d->uploads[i]->existed ? WC_PROGRESS_EXISTS : WC_PROGRESS_DONE, err);
    return code;
}

static int32_t put_blobs(wc_call *call, wci_outlet *outlet, const wci_blob_source *from,
                         const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    registry_outlet *r = (registry_outlet *)outlet;
    delivery d;
    int32_t code = open_delivery(&d, call, blobs, count, err);
    for (size_t i = 0; i < d.count && !code; i++)
        code = open_parcel(from, &d.parcels[i], err);
    if (!code)
        code = find_all_elsewhere(&d, r, err);
    if (!code)
        code = deliver(&d, r->remote, err);
    close_delivery(&d);
    return code;
}

/* ---- Documents ---------------------------------------------------------------------------------------- */

static const char *target_of(const registry_outlet *r, const wci_cargo *cargo)
{
    return cargo->role == WCI_ROLE_ROOT     ? wci_reference_target(&r->reference)
           : cargo->role == WCI_ROLE_TAGGED ? cargo->tag
                                            : cargo->raw->digest.text;
}

/* A name with a digest can be given to nothing else, as a registry would say without telling of what. */
static int32_t check_digest(const registry_outlet *r, const wci_cargo *cargo, wc_error **err)
{
    const wci_digest *named = &r->reference.digest;
    if (cargo->role != WCI_ROLE_ROOT || !wci_digest_is_set(named) || wci_digest_equal(named, &cargo->raw->digest))
        return WC_OK;
    return wci_err(err, WC_E_INVALID,
                   "'%s/%s@%s': the name has another digest than what is pushed, '%s'; push to a tag, or the whole of an "
                   "index with --all",
                   r->reference.host, r->reference.repository, named->text, cargo->raw->digest.text);
}

/* The list of a subject is read, changed and written: one after the other among those who share the store. */
static int32_t list_referrer(wc_call *call, const registry_outlet *r, const wci_cargo *cargo, wc_error **err)
{
    wci_lock *lock = NULL;
    wci_digest key;
    char *list = wci_asprintf("%s/%s@%s", r->reference.host, r->reference.repository, cargo->subject->text);
    int32_t code = list ? wci_digest_of(WCI_SHA256, list, strlen(list), &key, err) : wci_err_nomem(err);
    if (!code)
        code = wci_store_lock(call, r->store, "referrers-", &key, &lock, err);
    if (!code)
        code = wci_remote_list_referrer(call, r->remote, cargo->subject, &cargo->raw->digest, cargo->media_type,
                                        wc_buf_size(cargo->raw->body), cargo->artifact_type, err);
    wci_lock_release_remove(lock);
    wci_free(list);
    return code;
}

static int32_t put_document(wc_call *call, wci_outlet *outlet, const wci_cargo *cargo, wc_error **err)
{
    registry_outlet *r = (registry_outlet *)outlet;
    int is_signed = outlet->signer && (cargo->role == WCI_ROLE_ROOT || cargo->role == WCI_ROLE_PART);
    int32_t code = check_digest(r, cargo, err);
    if (!code)
        code = wci_remote_put_manifest(call, r->remote, target_of(r, cargo), cargo->media_type,
                                       wc_buf_data(cargo->raw->body), wc_buf_size(cargo->raw->body), err);
    if (!code && cargo->role == WCI_ROLE_REFERRER)
        code = list_referrer(call, r, cargo, err);
    if (!code && is_signed)
        code = wci_sign(call, r->config, outlet->signer, &r->reference, cargo->raw, err);
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

static const wci_outlet_ops registry_ops = {find, NULL, put_blobs, put_document, finish, close_registry, NULL};

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
        code = wci_remote_open_named(call, config, r->reference.host, r->reference.repository, &r->remote, err);
    if (code) {
        close_registry(&r->base);
        return code;
    }
    *out = &r->base;
    return WC_OK;
}
