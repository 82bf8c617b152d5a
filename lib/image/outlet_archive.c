/* SPDX-License-Identifier: Apache-2.0 */
/* Into an OCI layout in a tar. Each blob's size is known beforehand, and so is its place: several may be fetched
 * there at once. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/outlet.h"
#include "image/part_file.h"
#include "layer/tar_writer.h"
#include "platform/tree.h"

typedef struct archive_outlet {
    wci_outlet base; /* first */
    char *ref;
    wci_part_file file;
    wci_tar_writer headers;
    uint64_t end; /* where the next entry begins */
    json_t *index;
    wci_strv written;  /* digests */
    wci_strv reserved; /* digests of what has its place already, but perhaps not all its bytes */
    int has_blobs, has_algo[2]; /* their directories are written */
} archive_outlet;

/* ---- The tar ---------------------------------------------------------------------------------------- */

static int32_t write_at_end(void *self, const void *data, size_t size, wc_error **err)
{
    archive_outlet *a = self;
    int32_t code = wci_tree_file_write_at(a->file.fd, data, size, a->end, err);
    a->end += size;
    return code;
}

/* Makes room for a file. The same input gives the same bytes: no times, no owners. */
static int32_t add_file(archive_outlet *a, const char *name, uint64_t size, uint64_t *offset, wc_error **err)
{
    const wci_tar_entry entry = {
        .type = WCI_ENTRY_FILE, .name = name, .link = "", .attrs = {.mode = 0644}, .size = size, .data_size = size};
    int32_t code = wci_tar_writer_entry(&a->headers, &entry, err);
    *offset = a->end;
    a->end += size + (-size & (WCI_TAR_BLOCK - 1));
    return code;
}

static int32_t put_file(archive_outlet *a, const char *name, const void *data, size_t size, wc_error **err)
{
    uint64_t offset;
    int32_t code = add_file(a, name, size, &offset, err);
    return code ? code : wci_tree_file_write_at(a->file.fd, data, size, offset, err);
}

static int32_t add_directory(archive_outlet *a, const char *name, wc_error **err)
{
    const wci_tar_entry entry = {.type = WCI_ENTRY_DIR, .name = name, .link = "", .attrs = {.mode = 0755}};
    return wci_tar_writer_entry(&a->headers, &entry, err);
}

/* By name: skopeo, when it is not root, gives directories that are only implied to an owner that it may not. */
static int32_t make_directories(archive_outlet *a, const wci_digest *digest, wc_error **err)
{
    wci_hash_algo algo = wci_digest_algo(digest);
    int32_t code = a->has_blobs ? WC_OK : add_directory(a, "blobs/", err);
    a->has_blobs = 1;
    if (!code && !a->has_algo[algo])
        code = add_directory(a, algo == WCI_SHA512 ? "blobs/sha512/" : "blobs/sha256/", err);
    a->has_algo[algo] = 1;
    return code;
}

/* Makes room for a blob. */
static int32_t add_blob(archive_outlet *a, const wci_digest *digest, uint64_t size, uint64_t *offset, wc_error **err)
{
    char *name = wci_asprintf("blobs/%s/%s", wci_digest_algo_name(digest), wci_digest_hex(digest));
    int32_t code = name ? make_directories(a, digest, err) : wci_err_nomem(err);
    if (!code)
        code = add_file(a, name, size, offset, err);
    wci_free(name);
    return code;
}

/* ---- Blobs ------------------------------------------------------------------------------------------ */

static int has(const archive_outlet *a, const wci_descriptor *descriptor)
{
    return wci_strv_contains(&a->written, descriptor->digest.text);
}

static int32_t find(wc_call *call, wci_outlet *outlet, const wci_descriptor *const *blobs, size_t count, int *there,
                    wc_error **err)
{
    (void)call;
    (void)err;
    for (size_t i = 0; i < count; i++)
        there[i] = has((archive_outlet *)outlet, blobs[i]);
    return WC_OK;
}

static int32_t stage(wci_outlet *outlet, const wci_descriptor *d, wci_berth *out, wc_error **err)
{
    archive_outlet *a = (archive_outlet *)outlet;
    wci_berth berth = {a->file.fd, 0};
    int32_t code = add_blob(a, &d->digest, (uint64_t)d->size, &berth.offset, err);
    if (!code && wci_strv_add(&a->reserved, d->digest.text))
        code = wci_err_nomem(err);
    if (!code)
        *out = berth;
    return code;
}

static int32_t copy_blob(wc_call *call, archive_outlet *a, const wci_blob_source *from, const wci_descriptor *d,
                         wc_error **err)
{
    wci_berth berth;
    int32_t code = stage(&a->base, d, &berth, err);
    return code ? code : wci_blob_pass_to(call, from, d, &berth, err);
}

static int32_t put_blob(wc_call *call, archive_outlet *a, const wci_blob_source *from, const wci_descriptor *d,
                        wc_error **err)
{
    if (has(a, d))
        return WC_OK;
    int32_t code = wci_strv_contains(&a->reserved, d->digest.text)
                       ? wci_call_report(call, WC_PROGRESS_DONE, d->digest.text, d->size, d->size, NULL, err)
                       : copy_blob(call, a, from, d, err);
    if (!code && wci_strv_add(&a->written, d->digest.text))
        code = wci_err_nomem(err);
    return code;
}

static int32_t put_manifest(archive_outlet *a, const wci_raw *manifest, wc_error **err)
{
    if (wci_strv_contains(&a->written, manifest->digest.text))
        return WC_OK;
    uint64_t offset, size = wc_buf_size(manifest->body);
    int32_t code = add_blob(a, &manifest->digest, size, &offset, err);
    if (!code)
        code = wci_tree_file_write_at(a->file.fd, wc_buf_data(manifest->body), size, offset, err);
    if (!code && wci_strv_add(&a->written, manifest->digest.text))
        code = wci_err_nomem(err);
    return code;
}

static int32_t put_blobs(wc_call *call, wci_outlet *outlet, const wci_blob_source *from,
                         const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < count && !code; i++)
        code = put_blob(call, (archive_outlet *)outlet, from, blobs[i], err);
    return code;
}

static int32_t put_document(wc_call *call, wci_outlet *outlet, const wci_cargo *cargo, wc_error **err)
{
    archive_outlet *a = (archive_outlet *)outlet;
    int32_t code = wci_call_check(call, err);
    if (!code)
        code = put_manifest(a, cargo->raw, err);
    return code ? code : wci_layout_index_add(a->index, cargo, a->ref, err);
}

/* ---- The whole -------------------------------------------------------------------------------------- */

static int32_t finish(wci_outlet *outlet, wc_error **err)
{
    archive_outlet *a = (archive_outlet *)outlet;
    wc_buf *bytes = NULL;
    int32_t code = wci_json_dump(a->index, &bytes, err);
    if (!code)
        code = put_file(a, "index.json", wc_buf_data(bytes), wc_buf_size(bytes), err);
    wc_buf_unref(bytes);
    if (!code)
        code = put_file(a, "oci-layout", WCI_LAYOUT_MARKER, sizeof WCI_LAYOUT_MARKER - 1, err);
    if (!code)
        code = wci_tar_writer_end(&a->headers, err);
    return code ? code : wci_part_file_finish(&a->file, err);
}

static void close_archive(wci_outlet *outlet)
{
    archive_outlet *a = (archive_outlet *)outlet;
    wci_part_file_close(&a->file);
    wci_tar_writer_free(&a->headers);
    json_decref(a->index);
    wci_strv_free(&a->written);
    wci_strv_free(&a->reserved);
    wci_free(a->ref);
    wci_free(a);
}

static const wci_outlet_ops archive_ops = {find, NULL, put_blobs, put_document, finish, close_archive, stage};

int32_t wci_outlet_open_oci_archive(const wci_place *place, wci_outlet **out, wc_error **err)
{
    archive_outlet *a = wci_calloc(1, sizeof *a);
    if (!a)
        return wci_err_nomem(err);
    a->base.ops = &archive_ops;
    a->file = (wci_part_file)WCI_PART_FILE_NONE;
    a->headers.sink = (wci_sink){write_at_end, a};
    int32_t code = place->ref && wci_replace(&a->ref, place->ref)
                       ? wci_err_nomem(err)
                       : wci_layout_index_open(NULL, &a->index, err);
    if (!code)
        code = wci_part_file_open(place->path, &a->file, err);
    if (code) {
        close_archive(&a->base);
        return wci_err_wrap(err, code, "archive '%s': cannot be written", place->path);
    }
    *out = &a->base;
    return WC_OK;
}
