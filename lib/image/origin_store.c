/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/drop.h"
#include "image/origin.h"

typedef struct store_origin {
    wci_origin base; /* first */
    wci_store *store;
    wci_image_record *record;
    wci_digest index; /* which is the root then; or unset */
    wci_restoring how;
} store_origin;

/* What says itself of which type it is. */
static int32_t read_document(store_origin *s, const wci_digest *digest, wci_raw *out, wc_error **err)
{
    int32_t code = wci_blob_read(s->store, digest, WCI_MANIFEST_MAX, &out->body, err);
    if (!code)
        out->digest = *digest;
    return code;
}

static int32_t root(wc_call *call, wci_origin *origin, size_t image, wci_raw *out, wc_error **err)
{
    (void)call;
    (void)image;
    store_origin *s = (store_origin *)origin;
    const wci_image_record *record = s->record;
    if (wci_digest_is_set(&s->index))
        return read_document(s, &s->index, out, err);
    char *media_type = wci_strdup(record->media_type);
    if (!media_type)
        return wci_err_nomem(err);
    int32_t code = read_document(s, &record->manifest, out, err);
    if (code)
        wci_free(media_type);
    else
        out->media_type = media_type;
    return code;
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

/* ---- Dropped blobs ---------------------------------------------------------------------------------- */

static int32_t is_away(wc_call *call, wci_origin *origin, const wci_digest *digest, int *away, wc_error **err)
{
    wci_again again = WCI_AGAIN_NOT;
    int32_t code = wci_blob_again(call, ((store_origin *)origin)->store, digest, &again, err);
    *away = !code && again != WCI_AGAIN_NOT;
    return code;
}

static int32_t bring(wc_call *call, wci_origin *origin, const wci_descriptor *const *blobs, size_t count,
                     int tar_suffices, wc_error **err)
{
    store_origin *s = (store_origin *)origin;
    s->how.tar_suffices = tar_suffices;
    return wci_blobs_restore(call, s->store, &s->how, blobs, count, err);
}

static int32_t join(wc_call *call, store_origin *s, const wci_digest *digest, wci_extent *out, wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    wci_layer_record layer = {.digest = *digest};
    wci_file_info info;
    int32_t code = wci_layer_of_blob(call, s->store, digest, &layer.diff_id, err);
    if (!code)
        code = wci_layer_open_tar(call, s->store, &layer, &extent.fd, err);
    if (!code)
        code = wci_fd_info(extent.fd, &info, err);
    if (code) {
        wci_fd_close(extent.fd);
        return code;
    }
    *out = (wci_extent){extent.fd, 0, info.size, 1};
    return WC_OK;
}

static int32_t open_tar(wc_call *call, wci_origin *origin, const wci_digest *digest, wci_extent *out, wc_error **err)
{
    int away = 0;
    int32_t code = is_away(call, origin, digest, &away, err);
    if (code)
        return code;
    return away ? join(call, (store_origin *)origin, digest, out, err) : open_blob(origin, digest, out, err);
}

static const wci_away_ops away_ops = {is_away, bring, open_tar};

void wci_origin_restore_by(wci_origin *origin, const wci_restoring *how)
{
    ((store_origin *)origin)->how = *how;
    origin->away = &away_ops;
}

static void close_store(wci_origin *origin)
{
    store_origin *s = (store_origin *)origin;
    wci_image_record_free(s->record);
    wci_store_unref(s->store);
    wci_origin_clear(origin);
    wci_free(s);
}

/* ---- What refers to images -------------------------------------------------------------------------- */

static int32_t find_kept(store_origin *s, const char *how, const char *what, wci_strv *digests, wc_error **err)
{
    char *role = wci_asprintf("%s %s", how, what);
    int32_t code = role ? wci_kept_find(s->store, role, digests, err) : wci_err_nomem(err);
    wci_free(role);
    return code;
}

static int32_t tagged(wc_call *call, wci_origin *origin, const char *tag, wci_raw *out, wc_error **err)
{
    (void)call;
    store_origin *s = (store_origin *)origin;
    wci_strv digests = WCI_STRV_INIT;
    wci_digest digest;
    int32_t code = find_kept(s, "tag", tag, &digests, err);
    if (!code && !digests.count)
        code = wci_err(err, WC_E_NOT_FOUND, "tag '%s': not in the store", tag);
    if (!code)
        code = wci_digest_parse(digests.items[0], &digest, err);
    if (!code)
        code = read_document(s, &digest, out, err);
    wci_strv_free(&digests);
    return code;
}

static int32_t list_referrer(store_origin *s, const char *text, json_t *list, wc_error **err)
{
    wci_raw raw = WCI_RAW_INIT;
    wci_document *document = NULL;
    wci_digest digest;
    int32_t code = wci_digest_parse(text, &digest, err);
    if (!code)
        code = read_document(s, &digest, &raw, err);
    if (!code)
        code = wci_document_parse(wc_buf_data(raw.body), wc_buf_size(raw.body), NULL, "referrer", &document, err);
    json_t *entry = document ? json_pack("{s:s, s:s, s:I, s:s}", "mediaType", document->media_type, "digest", text,
                                         "size", (json_int_t)wc_buf_size(raw.body), "artifactType",
                                         wci_artifact_type(document))
                             : NULL;
    if (!code && json_array_append_new(list, entry))
        code = wci_err_nomem(err);
    wci_document_free(document);
    wci_raw_clear(&raw);
    return code;
}

static int32_t referrers(wc_call *call, wci_origin *origin, const wci_digest *subject, wc_buf **out, wc_error **err)
{
    (void)call;
    store_origin *s = (store_origin *)origin;
    wci_strv digests = WCI_STRV_INIT;
    json_t *list = json_array();
    json_t *index = json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_INDEX, "manifests", list);
    int32_t code = index ? find_kept(s, "subject", subject->text, &digests, err) : wci_err_nomem(err);
    for (size_t i = 0; i < digests.count && !code; i++)
        code = list_referrer(s, digests.items[i], list, err);
    if (!code)
        code = wci_json_dump(index, out, err);
    json_decref(index);
    wci_strv_free(&digests);
    return code;
}

static const wci_origin_ops store_ops = {root, NULL, NULL, open_blob, close_store, tagged, referrers, NULL};

int32_t wci_origin_open_store(wci_store *store, const wci_digest *manifest, const wci_digest *index, wci_origin **out,
                              wc_error **err)
{
    store_origin *s = wci_calloc(1, sizeof *s);
    if (!s)
        return wci_err_nomem(err);
    s->base.ops = &store_ops;
    s->store = wci_store_ref(store);
    if (index)
        s->index = *index;
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
