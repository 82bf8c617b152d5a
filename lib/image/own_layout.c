/* SPDX-License-Identifier: Apache-2.0 */
#include "image/own_layout.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/documents.h"
#include "image/outlet.h"
#include "image/pull.h"
#include "platform/host.h"

#define NS_PER_S 1000000000LL

int32_t wci_own_layout_open(wci_store *store, wci_own_layout *out, wc_error **err)
{
    int32_t code = wci_scratch_new(store, &out->scratch, err);
    if (code)
        return code;
    out->blobs = wci_path_join3(out->scratch.dir, "blobs", "sha256");
    return out->blobs ? wci_dir_make(out->blobs, 0755, err) : wci_err_nomem(err);
}

void wci_own_layout_close(wci_own_layout *layout)
{
    if (layout->scratch.dir)
        wci_scratch_free(&layout->scratch);
    wci_free(layout->blobs);
    memset(layout, 0, sizeof *layout);
}

int32_t wci_own_layout_put(const wci_own_layout *layout, const wc_buf *bytes, wci_written *out, wc_error **err)
{
    char *path = NULL;
    int32_t code = wci_digest_of(WCI_SHA256, wc_buf_data(bytes), wc_buf_size(bytes), &out->digest, err);
    if (!code)
        path = wci_path_join(layout->blobs, wci_digest_hex(&out->digest));
    if (!code)
        code = path ? wci_file_write_atomic(path, wc_buf_data(bytes), wc_buf_size(bytes), 0644, 0, err)
                    : wci_err_nomem(err);
    out->size = wc_buf_size(bytes);
    wci_free(path);
    return code;
}

int32_t wci_own_layout_put_json(const wci_own_layout *layout, json_t *document, wci_written *out, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = document ? wci_json_dump(document, &bytes, err) : wci_err_nomem(err);
    json_decref(document);
    if (!code)
        code = wci_own_layout_put(layout, bytes, out, err);
    wc_buf_unref(bytes);
    return code;
}

json_t *wci_written_descriptor(const char *media_type, const wci_written *document)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", document->digest.text, "size",
                     (json_int_t)document->size);
}

static int32_t write_text(const wci_own_layout *layout, const char *name, const char *text, wc_error **err)
{
    char *path = wci_path_join(layout->scratch.dir, name);
    int32_t code = path ? wci_file_write_atomic(path, text, strlen(text), 0644, 0, err) : wci_err_nomem(err);
    wci_free(path);
    return code;
}

int32_t wci_own_layout_finish(const wci_own_layout *layout, const char *media_type, const wci_written *manifest,
                              wc_error **err)
{
    json_t *index = json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_INDEX, "manifests",
                              wci_written_descriptor(media_type, manifest));
    char *text = index ? wci_json_dump_text(index) : NULL;
    int32_t code = text ? write_text(layout, "oci-layout", WCI_LAYOUT_MARKER, err) : wci_err_nomem(err);
    if (!code)
        code = write_text(layout, "index.json", text, err);
    json_decref(index);
    wci_free(text);
    return code;
}

int32_t wci_own_layout_bring_in(wc_call *call, wci_store *store, const wci_own_layout *layout,
                                const wci_platform *platform, const char *name, wci_image_record **out, wc_error **err)
{
    wci_transfer transfer = WCI_TRANSFER_INIT;
    wci_place place = {.kind = WCI_PLACE_OCI, .path = layout->scratch.dir};
    transfer.platform = *platform;
    transfer.has_platform = 1;
    transfer.is_own_work = 1;
    int32_t code = name && wci_strv_add(&transfer.names, name) ? wci_err_nomem(err) : WC_OK;
    if (!code)
        code = wci_image_pull(call, store, &place, &transfer, out, err);
    wci_strv_free(&transfer.names);
    return code;
}

int32_t wci_source_date_epoch(int64_t *out, wc_error **err)
{
    const char *epoch = wci_host_env("SOURCE_DATE_EPOCH");
    uint64_t seconds = 0;
    *out = -1;
    if (!epoch || !*epoch)
        return WC_OK;
    if (!wci_parse_u64(epoch, (uint64_t)(INT64_MAX / NS_PER_S), &seconds))
        return wci_err(err, WC_E_INVALID, "SOURCE_DATE_EPOCH '%.40s': is no number of seconds", epoch);
    *out = (int64_t)seconds;
    return WC_OK;
}
