/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/sign_manifest.h"

#include <string.h>

#include "core/error.h"
#include "core/json.h"
#include "image/trust/attached.h"

/* ---- Blobs ------------------------------------------------------------------------------------------ */

static int32_t read_memory(wci_upload *upload, uint64_t offset, void *data, size_t size, wc_error **err)
{
    const wc_buf *bytes = (const wc_buf *)upload->payload;
    (void)err;
    memcpy(data, wc_buf_data(bytes) + offset, size);
    return WC_OK;
}

static int32_t describe(const wc_buf *bytes, wci_digest *digest, wc_error **err)
{
    return wci_digest_of(WCI_SHA256, wc_buf_data(bytes), wc_buf_size(bytes), digest, err);
}

static int32_t send(wc_call *call, wci_remote *remote, const wc_buf *bytes, const wci_digest *digest, wc_error **err)
{
    wci_upload upload = {.digest = *digest, .size = wc_buf_size(bytes), .read = read_memory,
                         .payload = (uintptr_t)bytes};
    wci_upload *uploads[] = {&upload};
    return wci_remote_upload(call, remote, uploads, 1, NULL, 0, err);
}

/* ---- Documents -------------------------------------------------------------------------------------- */

static json_t *descriptor(const char *type, const wc_buf *bytes, const wci_digest *digest)
{
    return json_pack("{s:s, s:I, s:s}", "mediaType", type, "size", (json_int_t)wc_buf_size(bytes), "digest",
                     digest->text);
}

static int32_t open_manifest(const wci_raw *present, json_t **out, wc_error **err)
{
    wci_document *document = NULL;
    if (!present) {
        *out = json_pack("{s:i, s:s, s:{}, s:[]}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_MANIFEST, "config",
                         "layers");
        return *out ? WC_OK : wci_err_nomem(err);
    }
    const char *data = wc_buf_data(present->body), what[] = "the manifest of its signatures";
    size_t size = wc_buf_size(present->body);
    int32_t code = wci_document_parse(data, size, present->media_type, what, &document, err);
    if (!code && document->kind != WCI_DOCUMENT_MANIFEST)
        code = wci_err(err, WC_E_FORMAT, "%s: it is an index", what);
    if (!code)
        code = wci_json_parse(data, size, WCI_MANIFEST_MAX, what, out, err);
    wci_document_free(document);
    return code;
}

static int32_t add_layer(json_t *manifest, const wci_new_signature *added, const wci_digest *digest, wc_error **err)
{
    json_t *layer = descriptor(WCI_TYPE_COSIGN_CLAIM, added->claim, digest);
    json_t *notes = json_pack("{s:s}", WCI_ANNOTATION_COSIGN, added->signature);
    if (json_object_set_new(layer, "annotations", notes)) {
        json_decref(layer);
        return wci_err_nomem(err);
    }
    return json_array_append_new(json_object_get(manifest, "layers"), layer) ? wci_err_nomem(err) : WC_OK;
}

/* Claims are not compressed, so a layer's digest is its DiffID. */
static int32_t make_config(json_t *manifest, wc_buf **out, wc_error **err)
{
    json_t *ids = json_array(), *layer;
    size_t i;
    int failed = !ids;
    json_array_foreach (json_object_get(manifest, "layers"), i, layer)
        failed = failed || json_array_append(ids, json_object_get(layer, "digest"));
    json_t *config = json_pack("{s:s, s:s, s:{}, s:{s:s, s:O}}", "architecture", "", "os", "", "config", "rootfs",
                               "type", "layers", "diff_ids", ids);
    int32_t code = failed || !config ? wci_err_nomem(err) : wci_json_dump(config, out, err);
    json_decref(config);
    json_decref(ids);
    return code;
}

static int32_t send_config(wc_call *call, wci_remote *remote, json_t *manifest, wc_error **err)
{
    wc_buf *config = NULL;
    wci_digest digest;
    int32_t code = make_config(manifest, &config, err);
    if (!code)
        code = describe(config, &digest, err);
    if (!code)
        code = send(call, remote, config, &digest, err);
    if (!code && json_object_set_new(manifest, "config", descriptor(WCI_TYPE_OCI_CONFIG, config, &digest)))
        code = wci_err_nomem(err);
    wc_buf_unref(config);
    return code;
}

static int32_t send_manifest(wc_call *call, wci_remote *remote, const char *tag, const char *media_type,
                             json_t *manifest, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_json_dump(manifest, &bytes, err);
    if (!code)
        code = wci_remote_put_manifest(call, remote, tag, media_type, wc_buf_data(bytes), wc_buf_size(bytes), err);
    wc_buf_unref(bytes);
    return code;
}

int32_t wci_signature_put(wc_call *call, wci_remote *remote, const char *tag, const wci_raw *present,
                          const wci_new_signature *added, wc_error **err)
{
    json_t *manifest = NULL;
    wci_digest digest;
    int32_t code = open_manifest(present, &manifest, err);
    if (!code)
        code = describe(added->claim, &digest, err);
    if (!code)
        code = send(call, remote, added->claim, &digest, err);
    if (!code)
        code = add_layer(manifest, added, &digest, err);
    if (!code)
        code = send_config(call, remote, manifest, err);
    if (!code)
        code = send_manifest(call, remote, tag, present ? present->media_type : WCI_TYPE_OCI_MANIFEST, manifest, err);
    json_decref(manifest);
    return code;
}
