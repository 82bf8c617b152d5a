/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/attached.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define MAX_MANIFESTS 64
#define MAX_LAYERS 256

/* One search for signatures. */
typedef struct walk {
    const wci_judged *image;
    const char *artifact_type;
    const wci_attached_look *look;
    size_t manifests, layers;
    int done;
} walk;

int wci_attached_is_spoilt(int32_t code)
{
    return code == WC_E_FORMAT || code == WC_E_DIGEST || code == WC_E_LIMIT || code == WC_E_NOT_FOUND ||
           code == WC_E_UNSUPPORTED || code == WC_E_INVALID;
}

char *wci_attached_tag(const wci_digest *digest, const char *suffix)
{
    return wci_asprintf("%s-%s%s", wci_digest_algo_name(digest), wci_digest_hex(digest), suffix);
}

int wci_attached_is_tag(const char *tag)
{
    const char *dash = tag ? strchr(tag, '-') : NULL, *dot = tag ? strrchr(tag, '.') : NULL;
    wci_digest digest;
    if (!dash || !dot || dot < dash || (strcmp(dot, ".sig") && strcmp(dot, ".att") && strcmp(dot, ".sbom")))
        return 0;
    char *text = wci_asprintf("%.*s:%.*s", (int)(dash - tag), tag, (int)(dot - dash - 1), dash + 1);
    int is_tag = text && !wci_digest_parse(text, &digest, NULL);
    wci_free(text);
    return is_tag;
}

/* ---- One manifest ----------------------------------------------------------------------------------- */

static int32_t show_layer(walk *w, const wci_descriptor *layer, json_t *json, wc_error **err)
{
    json_t *notes = json_object_get(json, "annotations");
    wci_attached found = {layer, json_string_value(json_object_get(notes, WCI_ANNOTATION_COSIGN))};
    if (++w->layers > MAX_LAYERS)
        return wci_err(err, WC_E_LIMIT, "over %d signatures", MAX_LAYERS);
    return w->look->look(w->look->self, &found, &w->done, err);
}

/* Both readings are of the same bytes by the same parser, so the layers are the same. */
static int32_t show_layers(walk *w, const wci_document *document, json_t *json, wc_error **err)
{
    json_t *layers = json_object_get(json, "layers");
    int32_t code = WC_OK;
    for (size_t i = 0; i < document->count && !code && !w->done; i++)
        code = show_layer(w, &document->items[i], json_array_get(layers, i), err);
    return code;
}

static int32_t read_manifest(const wc_buf *body, const char *media_type, wci_document **document, json_t **json,
                             wc_error **err)
{
    const char *data = wc_buf_data(body), what[] = "manifest of signatures";
    size_t size = wc_buf_size(body);
    int32_t code = wci_document_parse(data, size, media_type, what, document, err);
    if (!code && (*document)->kind != WCI_DOCUMENT_MANIFEST)
        code = wci_err(err, WC_E_FORMAT, "%s: it is an index", what);
    return code ? code : wci_json_parse(data, size, WCI_MANIFEST_MAX, what, json, err);
}

static int32_t pass_over(walk *w, int32_t code, wc_error *why, wc_error **err)
{
    if (!wci_attached_is_spoilt(code))
        return wci_err_move(err, why);
    w->look->spoilt(w->look->self, why);
    wc_error_unref(why);
    return WC_OK;
}

static int32_t show_manifest(walk *w, const wc_buf *body, const char *media_type, wc_error **err)
{
    wci_document *document = NULL;
    json_t *json = NULL;
    wc_error *why = NULL;
    int32_t code = wci_call_check(w->image->call, err);
    if (code)
        return code;
    code = read_manifest(body, media_type, &document, &json, &why);
    code = code ? pass_over(w, code, why, err) : show_layers(w, document, json, err);
    json_decref(json);
    wci_document_free(document);
    return code;
}

/* ---- By tag ----------------------------------------------------------------------------------------- */

static int32_t walk_tag(walk *w, const wci_digest *digest, wc_error **err)
{
    wci_origin *origin = w->image->origin;
    wci_raw raw = WCI_RAW_INIT;
    wc_error *why = NULL;
    char *tag = wci_attached_tag(digest, ".sig");
    if (!tag)
        return wci_err_nomem(err);
    int32_t code = origin->ops->tagged(w->image->call, origin, tag, &raw, &why);
    if (!code)
        code = show_manifest(w, raw.body, raw.media_type, err);
    else if (code == WC_E_NOT_FOUND)
        code = WC_OK;
    else
        code = pass_over(w, code, wc_error_ref(why), err);
    wc_error_unref(why);
    wci_raw_clear(&raw);
    wci_free(tag);
    return code;
}

/* ---- By subject ------------------------------------------------------------------------------------- */

static int32_t walk_referrer(walk *w, const wci_descriptor *descriptor, wc_error **err)
{
    wc_buf *body = NULL;
    wc_error *why = NULL;
    if (++w->manifests > MAX_MANIFESTS)
        return wci_err(err, WC_E_LIMIT, "over %d manifests of signatures", MAX_MANIFESTS);
    int32_t code = wci_origin_manifest(w->image->call, w->image->origin, descriptor, &body, &why);
    code = code ? pass_over(w, code, why, err) : show_manifest(w, body, descriptor->media_type, err);
    wc_buf_unref(body);
    return code;
}

static int is_of_type(json_t *entry, const char *type)
{
    const char *own = json_string_value(json_object_get(entry, "artifactType"));
    return own && !strcmp(own, type);
}

static int32_t walk_index(walk *w, const wc_buf *bytes, wc_error **err)
{
    wci_document *index = NULL;
    json_t *json = NULL;
    const char *data = wc_buf_data(bytes), what[] = "list of referrers";
    size_t size = wc_buf_size(bytes);
    int32_t code = wci_document_parse(data, size, NULL, what, &index, err);
    if (!code && index->kind != WCI_DOCUMENT_INDEX)
        code = wci_err(err, WC_E_FORMAT, "%s: it is no index", what);
    if (!code)
        code = wci_json_parse(data, size, WCI_MANIFEST_MAX, what, &json, err);
    json_t *entries = json_object_get(json, "manifests");
    for (size_t i = 0; !code && i < index->count && !w->done; i++)
        if (is_of_type(json_array_get(entries, i), w->artifact_type))
            code = walk_referrer(w, &index->items[i], err);
    json_decref(json);
    wci_document_free(index);
    return code;
}

static int32_t walk_referrers(walk *w, const wci_digest *digest, wc_error **err)
{
    wci_origin *origin = w->image->origin;
    wc_buf *bytes = NULL;
    int32_t code = origin->ops->referrers(w->image->call, origin, digest, &bytes, err);
    if (!code)
        code = walk_index(w, bytes, err);
    wc_buf_unref(bytes);
    return code;
}

int32_t wci_attached_each(const wci_judged *image, const char *artifact_type, int by_tag,
                          const wci_attached_look *look, int *done, wc_error **err)
{
    walk w = {.image = image, .artifact_type = artifact_type, .look = look};
    int32_t code = WC_OK;
    *done = 0;
    if (!image->origin->ops->tagged)
        return WC_OK;
    for (size_t i = 0; by_tag && i < image->document_count && !code && !w.done; i++)
        code = walk_tag(&w, &image->documents[i]->digest, err);
    for (size_t i = 0; i < image->document_count && !code && !w.done; i++)
        code = walk_referrers(&w, &image->documents[i]->digest, err);
    *done = w.done;
    return code;
}
