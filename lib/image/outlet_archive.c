/* SPDX-License-Identifier: Apache-2.0 */
/* Into an OCI layout in a tar. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/archive.h"
#include "image/outlet.h"

typedef struct archive_outlet {
    wci_outlet base; /* first */
    char *ref;
    wci_tar_writer *tar;
    json_t *index;
    wci_strv written; /* digests */
    int has_blobs, has_algo[2]; /* their directories are written */
} archive_outlet;

static int has(wci_outlet *outlet, const wci_descriptor *descriptor)
{
    return wci_strv_contains(&((archive_outlet *)outlet)->written, descriptor->digest.text);
}

/* By name: skopeo, when it is not root, gives directories that are only implied to an owner that it may not. */
static int32_t make_directories(archive_outlet *a, const wci_digest *digest, wc_error **err)
{
    wci_hash_algo algo = wci_digest_algo(digest);
    int32_t code = a->has_blobs ? WC_OK : wci_tar_writer_directory(a->tar, "blobs", err);
    a->has_blobs = 1;
    if (!code && !a->has_algo[algo])
        code = wci_tar_writer_directory(a->tar, algo == WCI_SHA512 ? "blobs/sha512" : "blobs/sha256", err);
    a->has_algo[algo] = 1;
    return code;
}

static int32_t begin_blob(archive_outlet *a, const wci_digest *digest, uint64_t size,
                          wc_error **err)
{
    char *name = wci_asprintf("blobs/%s/%s", wci_digest_algo_name(digest), wci_digest_hex(digest));
    if (!name || wci_strv_add(&a->written, digest->text)) {
        wci_free(name);
        return wci_err_nomem(err);
    }
    int32_t code = make_directories(a, digest, err);
    if (!code)
        code = wci_tar_writer_begin(a->tar, name, size, err);
    wci_free(name);
    return code;
}

static int32_t write_tar(void *self, const void *data, size_t size, wc_error **err)
{
    return wci_tar_writer_write(self, data, size, err);
}

static int32_t put_blob(wc_call *call, archive_outlet *a, wci_outgoing *image,
                        const wci_descriptor *d, wc_error **err)
{
    if (has(&a->base, d))
        return WC_OK;
    int32_t code = begin_blob(a, &d->digest, (uint64_t)d->size, err);
    return code ? code : wci_outgoing_copy(call, image, d, write_tar, a->tar, err);
}

static int32_t put_manifest(archive_outlet *a, const wci_raw *manifest, wc_error **err)
{
    if (wci_strv_contains(&a->written, manifest->digest.text))
        return WC_OK;
    size_t size = wc_buf_size(manifest->body);
    int32_t code = begin_blob(a, &manifest->digest, size, err);
    return code ? code : wci_tar_writer_write(a->tar, wc_buf_data(manifest->body), size, err);
}

static int32_t put(wc_call *call, wci_outlet *outlet, wci_outgoing *image, wc_error **err)
{
    archive_outlet *a = (archive_outlet *)outlet;
    const wci_document *document = image->resolved->document;
    int32_t code = put_blob(call, a, image, &document->config, err);
    for (size_t i = 0; i < document->count && !code; i++)
        code = put_blob(call, a, image, &document->items[i], err);
    if (!code)
        code = put_manifest(a, &image->resolved->manifest, err);
    return code ? code : wci_layout_index_add(a->index, image, a->ref, err);
}

static int32_t finish(wci_outlet *outlet, wc_error **err)
{
    archive_outlet *a = (archive_outlet *)outlet;
    wc_buf *bytes = NULL;
    int32_t code = wci_json_dump(a->index, &bytes, err);
    if (!code)
        code = wci_tar_writer_put(a->tar, "index.json", wc_buf_data(bytes), wc_buf_size(bytes),
                                  err);
    wc_buf_unref(bytes);
    if (!code)
        code = wci_tar_writer_put(a->tar, "oci-layout", WCI_LAYOUT_MARKER,
                                  sizeof WCI_LAYOUT_MARKER - 1, err);
    return code ? code : wci_tar_writer_finish(a->tar, err);
}

static void close_archive(wci_outlet *outlet)
{
    archive_outlet *a = (archive_outlet *)outlet;
    wci_tar_writer_close(a->tar);
    json_decref(a->index);
    wci_strv_free(&a->written);
    wci_free(a->ref);
    wci_free(a);
}

static const wci_outlet_ops archive_ops = {has, put, finish, close_archive, NULL};

int32_t wci_outlet_open_oci_archive(const wci_place *place, wci_outlet **out, wc_error **err)
{
    archive_outlet *a = wci_calloc(1, sizeof *a);
    if (!a)
        return wci_err_nomem(err);
    a->base.ops = &archive_ops;
    int32_t code = place->ref && wci_replace(&a->ref, place->ref)
                       ? wci_err_nomem(err)
                       : wci_layout_index_open(NULL, &a->index, err);
    if (!code)
        code = wci_tar_writer_open(place->path, &a->tar, err);
    if (code) {
        close_archive(&a->base);
        return wci_err_wrap(err, code, "archive '%s': cannot be written", place->path);
    }
    *out = &a->base;
    return WC_OK;
}
