/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <jansson.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/archive.h"
#include "image/artifact.h"
#include "image/edit_config.h"
#include "image/outlet.h"
#include "image/reference.h"

/* For what has no config, or no files. */
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"
#define EMPTY "{}"

/* One blob: a file, or nothing. */
typedef struct item {
    wci_descriptor descriptor; /* texts lent */
    wci_fd fd;
    const char *title;         /* lent; NULL for nothing */
} item;

typedef struct dispatch {
    wc_call *call;
    wci_store *store;
    const wci_artifact *artifact;
    item *items; /* files, then nothing */
    size_t count;
} dispatch;

void wci_artifact_free(wci_artifact *artifact)
{
    wci_free(artifact->type);
    wci_free(artifact->subject);
    wci_strv_free(&artifact->files);
    wci_strv_free(&artifact->media_types);
    wci_strv_free(&artifact->annotations);
}

/* ---- Blobs ---------------------------------------------------------------------------------------- */

static int32_t measure(const dispatch *d, item *it, wc_error **err)
{
    wci_hasher *hasher = NULL;
    uint64_t size = 0;
    int32_t code = wci_hasher_new(WCI_SHA256, &hasher, err);
    if (!code)
        code = wci_hasher_read(hasher, d->call, it->fd, &size, err);
    if (!code)
        code = wci_hasher_final(hasher, &it->descriptor.digest, err);
    wci_hasher_free(hasher);
    it->descriptor.size = (int64_t)size;
    return code;
}

static int32_t open_file(const dispatch *d, const char *path, item *it, wc_error **err)
{
    wci_file_info info;
    int32_t code = wci_file_open(path, WCI_OPEN_READ, 0, &it->fd, err);
    if (!code)
        code = wci_fd_info(it->fd, &info, err);
    if (!code && info.type != WCI_FILE_REGULAR)
        code = wci_err(err, WC_E_INVALID, "'%s': must be a file; make a tar of a directory", path);
    if (!code)
        code = measure(d, it, err);
    /* Others find it in their directory. */
    it->title = wci_path_is_absolute(path) ? wci_path_base(path) : path;
    return code;
}

static int32_t open_nothing(const dispatch *d, item *it, wc_error **err)
{
    int32_t code = wci_archive_scratch(d->store, &it->fd, err);
    if (!code)
        code = wci_fd_write(it->fd, EMPTY, strlen(EMPTY), err);
    if (!code)
        code = wci_digest_of(WCI_SHA256, EMPTY, strlen(EMPTY), &it->descriptor.digest, err);
    it->descriptor.size = (int64_t)strlen(EMPTY);
    it->descriptor.media_type = (char *)(uintptr_t)EMPTY_TYPE;
    return code;
}

static int32_t open_items(dispatch *d, wc_error **err)
{
    const wci_artifact *a = d->artifact;
    int32_t code = WC_OK;
    d->items = wci_calloc(a->files.count + 1, sizeof *d->items);
    if (!d->items)
        return wci_err_nomem(err);
    for (size_t i = 0; i <= a->files.count && !code; i++) {
        item *it = &d->items[d->count++];
        it->fd = WCI_FD_NONE;
        if (i < a->files.count)
            it->descriptor.media_type = a->media_types.items[i];
        code = i < a->files.count ? open_file(d, a->files.items[i], it, err) : open_nothing(d, it, err);
    }
    return code;
}

static void close_items(dispatch *d)
{
    for (size_t i = 0; i < d->count; i++)
        wci_fd_close(d->items[i].fd);
    wci_free(d->items);
}

static int32_t open_blob(void *self, const wci_digest *digest, wci_extent *out, wc_error **err)
{
    const dispatch *d = self;
    for (size_t i = 0; i < d->count; i++)
        if (wci_digest_equal(&d->items[i].descriptor.digest, digest)) {
            *out = (wci_extent){d->items[i].fd, 0, (uint64_t)d->items[i].descriptor.size, 0};
            return WC_OK;
        }
    return wci_err(err, WC_E_INTERNAL, "blob '%s': is none of the artifact's", digest->text);
}

/* Each once, though files may be the same. */
static int32_t put_blobs(dispatch *d, wci_outlet *outlet, wc_error **err)
{
    const wci_blob_source source = {open_blob, d};
    const wci_descriptor **list = wci_calloc(d->count, sizeof *list);
    size_t count = 0;
    if (!list)
        return wci_err_nomem(err);
    for (size_t i = 0; i < d->count; i++) {
        size_t k = 0;
        while (k < i && !wci_digest_equal(&d->items[k].descriptor.digest, &d->items[i].descriptor.digest))
            k++;
        if (k == i)
            list[count++] = &d->items[i].descriptor;
    }
    int32_t code = outlet->ops->put_blobs(d->call, outlet, &source, list, count, err);
    wci_free(list);
    return code;
}

/* ---- The manifest --------------------------------------------------------------------------------- */

static json_t *describe(const item *it)
{
    json_t *entry = json_pack("{s:s, s:s, s:I}", "mediaType", it->descriptor.media_type, "digest",
                              it->descriptor.digest.text, "size", (json_int_t)it->descriptor.size);
    if (it->title)
        json_object_set_new(entry, "annotations", json_pack("{s:s}", WCI_ANNOTATION_TITLE, it->title));
    return entry;
}

static json_t *describe_all(const dispatch *d)
{
    json_t *layers = json_array();
    for (size_t i = 0; i + 1 < d->count; i++)
        json_array_append_new(layers, describe(&d->items[i]));
    if (d->count == 1)
        json_array_append_new(layers, describe(&d->items[0]));
    return layers;
}

static json_t *manifest_json(const dispatch *d, const wci_look *subject)
{
    json_t *manifest = json_pack("{s:i, s:s, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_MANIFEST,
                                 "artifactType", d->artifact->type, "config", describe(&d->items[d->count - 1]),
                                 "layers", describe_all(d));
    if (subject->digest.text[0])
        json_object_set_new(manifest, "subject",
                            json_pack("{s:s, s:s, s:I}", "mediaType", subject->media_type, "digest",
                                      subject->digest.text, "size", (json_int_t)subject->size));
    json_t *notes = json_object();
    for (size_t i = 0; i < d->artifact->annotations.count; i++)
        wci_edit_set_pair(notes, d->artifact->annotations.items[i]);
    if (json_object_size(notes))
        json_object_set(manifest, "annotations", notes);
    json_decref(notes);
    return manifest;
}

static int32_t write_manifest(const dispatch *d, const wci_look *subject, wci_raw *out, wc_error **err)
{
    json_t *manifest = manifest_json(d, subject);
    int32_t code = manifest ? wci_json_dump(manifest, &out->body, err) : wci_err_nomem(err);
    json_decref(manifest);
    return code ? code : wci_digest_of(WCI_SHA256, wc_buf_data(out->body), wc_buf_size(out->body), &out->digest, err);
}

static int32_t put_manifest(const dispatch *d, wci_outlet *outlet, const wci_raw *raw, const wci_look *subject,
                            int has_name, wc_error **err)
{
    int refers = wci_digest_is_set(&subject->digest);
    const wci_cargo root = {.raw = raw, .media_type = WCI_TYPE_OCI_MANIFEST, .role = WCI_ROLE_ROOT};
    const wci_cargo referrer = {.raw = raw, .media_type = WCI_TYPE_OCI_MANIFEST, .role = WCI_ROLE_REFERRER,
                                .subject = &subject->digest, .artifact_type = d->artifact->type};
    int32_t code = refers ? outlet->ops->put_document(d->call, outlet, &referrer, err) : WC_OK;
    return code || (refers && !has_name) ? code : outlet->ops->put_document(d->call, outlet, &root, err);
}

/* ---- The whole ------------------------------------------------------------------------------------ */

static int32_t find_subject(wc_call *call, const wci_artifact *artifact, const wci_reference *reference,
                            const wci_transfer *transfer, wci_look *out, wc_error **err)
{
    wci_remote *remote = NULL;
    if (!artifact->subject)
        return WC_OK;
    int32_t code = wci_remote_open_named(call, &transfer->registry, reference->host, reference->repository, &remote, err);
    if (!code)
        code = wci_remote_look(call, remote, artifact->subject, out, err);
    if (!code && out->size < 0)
        code = wci_err(err, WC_E_FORMAT, "the registry does not tell its size");
    wci_remote_close(remote);
    return code ? wci_err_wrap(err, code, "subject '%s'", artifact->subject) : WC_OK;
}

static int32_t describe_pushed(const wci_raw *raw, const wci_artifact *artifact, wc_buf **out, wc_error **err)
{
    json_t *descriptor = json_pack("{s:s, s:s, s:I, s:s}", "mediaType", WCI_TYPE_OCI_MANIFEST, "digest",
                                   raw->digest.text, "size", (json_int_t)wc_buf_size(raw->body), "artifactType",
                                   artifact->type);
    int32_t code = descriptor ? wci_json_dump(descriptor, out, err) : wci_err_nomem(err);
    json_decref(descriptor);
    return code;
}

static int32_t push(dispatch *d, const char *text, const wci_reference *reference, const wci_transfer *transfer,
                    wc_buf **out, wc_error **err)
{
    const wci_place place = {.kind = WCI_PLACE_REGISTRY, .ref = (char *)(uintptr_t)text};
    wci_outlet *outlet = NULL;
    wci_look subject = {.digest = {""}};
    wci_raw raw = WCI_RAW_INIT;
    int32_t code = open_items(d, err);
    if (!code)
        code = find_subject(d->call, d->artifact, reference, transfer, &subject, err);
    if (!code)
        code = write_manifest(d, &subject, &raw, err);
    if (!code && wci_digest_is_set(&reference->digest) && !wci_digest_equal(&reference->digest, &raw.digest))
        code = wci_err(err, WC_E_DIGEST, "its digest is '%s'", raw.digest.text);
    if (!code)
        code = wci_outlet_open(d->call, d->store, &place, &transfer->registry, transfer, &outlet, err);
    if (!code)
        code = put_blobs(d, outlet, err);
    if (!code)
        code = put_manifest(d, outlet, &raw, &subject, reference->tag != NULL, err);
    if (!code)
        code = describe_pushed(&raw, d->artifact, out, err);
    wci_outlet_close(outlet);
    wci_free(subject.media_type);
    wci_raw_clear(&raw);
    return code;
}

int32_t wci_artifact_push(wc_call *call, wci_store *store, const wci_artifact *artifact, const char *reference,
                          const wci_transfer *transfer, wc_buf **out, wc_error **err)
{
    dispatch d = {.call = call, .store = store, .artifact = artifact};
    wci_reference parsed = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(reference, &parsed, err);
    if (!code)
        code = push(&d, reference, &parsed, transfer, out, err);
    close_items(&d);
    wci_reference_free(&parsed);
    return code ? wci_err_wrap(err, code, "artifact '%s': cannot be pushed", reference) : WC_OK;
}
