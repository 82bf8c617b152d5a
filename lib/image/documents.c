/* SPDX-License-Identifier: Apache-2.0 */
#include "image/documents.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "layer/layer.h"

#define TYPE_SCHEMA_1 "application/vnd.docker.distribution.manifest.v1+"

static const char *const document_keys[] = {
    "schemaVersion", "mediaType", "artifactType", "config",  "layers",
    "manifests",     "subject",   "annotations",  "fsLayers", NULL};
static const char *const descriptor_keys[] = {"mediaType", "digest", "size",
                                              "urls",      "data",   "annotations",
                                              "platform",  "artifactType", NULL};
static const char *const platform_keys[] = {"architecture", "os",      "os.version",
                                            "os.features",  "variant", NULL};

void wci_document_name(char out[WCI_DIGEST_TEXT_SIZE + 16], const char *kind,
                       const wci_digest *digest)
{
    snprintf(out, WCI_DIGEST_TEXT_SIZE + 16, "%s '%s'", kind, digest->text);
}

int32_t wci_document_verify(const void *data, size_t size, const wci_descriptor *promised,
                            const char *what, wc_error **err)
{
    if (promised->size >= 0 && (uint64_t)promised->size != size)
        return wci_err(err, WC_E_DIGEST, "%s: %zu bytes came, %lld were promised", what, size,
                       (long long)promised->size);
    wci_digest digest = {{0}};
    int32_t code = wci_digest_of(wci_digest_algo(&promised->digest), data, size, &digest, err);
    if (!code && !wci_digest_equal(&digest, &promised->digest))
        return wci_err(err, WC_E_DIGEST, "%s: the bytes have the digest '%s' instead of '%s'", what,
                       digest.text, promised->digest.text);
    return code;
}

/* ---- Descriptors -------------------------------------------------------------------------------- */

static void clear_descriptor(wci_descriptor *d)
{
    wci_free(d->media_type);
    wci_strv_free(&d->urls);
    wci_platform_clear(&d->platform);
    wci_free(d->ref_name);
    wci_free(d->image_name);
    wci_free(d->table_digest);
    wci_free(d->cosign_kind);
}

static int32_t read_platform(json_t *object, const char *what, wci_descriptor *d, wc_error **err)
{
    json_t *platform = NULL;
    int32_t code = wci_json_get_object(object, "platform", what, &platform, err);
    if (!code && platform)
        code = wci_json_check_case(platform, platform_keys, what, err);
    if (!code)
        code = wci_platform_read(platform, what, &d->platform, err);
    d->has_platform = !code && *d->platform.os && *d->platform.arch;
    return code;
}

/* One annotation; *out stays as it is when there is none. */
static int32_t read_annotation(json_t *notes, const char *key, const char *what, char **out, wc_error **err)
{
    const char *text = NULL;
    int32_t code = wci_json_get_string(notes, key, what, &text, err);
    return !code && text && wci_replace(out, text) ? wci_err_nomem(err) : code;
}

/* Two that differ would be two tables to two readers. */
static int32_t read_table_digest(json_t *notes, const char *what, wci_descriptor *d, wc_error **err)
{
    const char *old = NULL;
    int32_t code = read_annotation(notes, WCI_ANNOTATION_TABLE, what, &d->table_digest, err);
    if (!code)
        code = wci_json_get_string(notes, WCI_ANNOTATION_OLD_TABLE, what, &old, err);
    if (!code && old && d->table_digest && !wci_streq(old, d->table_digest))
        return wci_err(err, WC_E_FORMAT, "%s: the annotations of '%s' name two different tables of contents",
                       what, d->digest.text);
    return !code && old && wci_replace(&d->table_digest, old) ? wci_err_nomem(err) : code;
}

/* A hint, which need not be there: the tables themselves tell whether it is right. */
static int32_t read_table_place(json_t *notes, const char *what, wci_descriptor *d, wc_error **err)
{
    char number[24];
    const char *text = NULL;
    int32_t code = wci_json_get_string(notes, WCI_ANNOTATION_TABLE_PLACE, what, &text, err);
    if (!code && !text)
        code = wci_json_get_string(notes, WCI_ANNOTATION_OLD_TABLE_PLACE, what, &text, err);
    size_t size = text ? strcspn(text, ":") : sizeof number;
    if (code || size >= sizeof number)
        return code;
    memcpy(number, text, size);
    number[size] = '\0';
    if (!wci_parse_u64(number, INT64_MAX, &d->table_offset))
        d->table_offset = 0;
    return WC_OK;
}

static int32_t read_annotations(json_t *object, const char *what, wci_descriptor *d,
                                wc_error **err)
{
    json_t *notes = NULL;
    int32_t code = wci_json_get_object(object, "annotations", what, &notes, err);
    if (!code)
        code = read_annotation(notes, WCI_ANNOTATION_REF_NAME, what, &d->ref_name, err);
    if (!code)
        code = read_annotation(notes, WCI_ANNOTATION_IMAGE_NAME, what, &d->image_name, err);
    if (!code)
        code = read_annotation(notes, WCI_ANNOTATION_COSIGN_KIND, what, &d->cosign_kind, err);
    if (!code)
        code = read_table_digest(notes, what, d, err);
    return code ? code : read_table_place(notes, what, d, err);
}

/* Content carried along inside the descriptor must be what the descriptor promises. */
static int32_t check_data(json_t *object, const char *what, const wci_descriptor *d,
                          wc_error **err)
{
    const char *text = NULL;
    int32_t code = wci_json_get_string(object, "data", what, &text, err);
    if (code || !text)
        return code;
    size_t size = 0;
    char *data = wci_base64_decode(text, &size);
    if (!data)
        return wci_err(err, WC_E_FORMAT, "%s: 'data' of '%s' is not base64", what,
                       d->digest.text);
    code = wci_document_verify(data, size, d, "'data'", err);
    wci_free(data);
    return code ? wci_err_wrap(err, code, "%s: descriptor of '%s'", what, d->digest.text) : WC_OK;
}

static int32_t read_identity(json_t *object, const char *what, wci_descriptor *d, wc_error **err)
{
    const char *media_type = NULL, *digest = NULL;
    int32_t code = wci_json_get_string(object, "mediaType", what, &media_type, err);
    if (!code)
        code = wci_json_get_string(object, "digest", what, &digest, err);
    d->size = -1;
    if (!code)
        code = wci_json_get_int(object, "size", what, 0, INT64_MAX, &d->size, err);
    if (code)
        return code;
    if (!media_type || !digest || d->size < 0)
        return wci_err(err, WC_E_FORMAT, "%s: a descriptor has no '%s'", what,
                       !media_type ? "mediaType" : !digest ? "digest" : "size");
    if (wci_replace(&d->media_type, media_type))
        return wci_err_nomem(err);
    code = wci_digest_parse(digest, &d->digest, err);
    return code ? wci_err_wrap(err, code, "%s: a descriptor", what) : WC_OK;
}

static int32_t read_descriptor(json_t *object, const char *what, wci_descriptor *d,
                               wc_error **err)
{
    if (!json_is_object(object))
        return wci_err(err, WC_E_FORMAT, "%s: a descriptor must be an object", what);
    int32_t code = wci_json_check_case(object, descriptor_keys, what, err);
    if (!code)
        code = read_identity(object, what, d, err);
    if (!code)
        code = wci_json_get_strings(object, "urls", what, &d->urls, err);
    if (!code)
        code = read_platform(object, what, d, err);
    if (!code)
        code = read_annotations(object, what, d, err);
    if (!code)
        code = check_data(object, what, d, err);
    return code;
}

static int32_t read_items(json_t *doc, const char *key, size_t max, const char *what,
                          wci_document *out, wc_error **err)
{
    json_t *array = NULL, *item;
    int32_t code = wci_json_get_array(doc, key, what, &array, err);
    if (code)
        return code;
    if (!array)
        return wci_err(err, WC_E_FORMAT, "%s: '%s' is missing", what, key);
    if (json_array_size(array) > max)
        return wci_err(err, WC_E_LIMIT, "%s: %zu %s; at most %zu are accepted", what,
                       json_array_size(array), key, max);
    out->items = wci_calloc(json_array_size(array) + 1, sizeof *out->items);
    if (!out->items)
        return wci_err_nomem(err);
    size_t i;
    json_array_foreach(array, i, item)
    {
        out->count = i + 1;
        code = read_descriptor(item, what, &out->items[i], err);
        if (code)
            return code;
    }
    return WC_OK;
}

/* ---- Which document it is ----------------------------------------------------------------------- */

/* Servers and files that say nothing useful. */
static int is_general_type(const char *type, size_t size)
{
    static const char *const general[] = {"application/json", "application/octet-stream",
                                          "binary/octet-stream", "text/plain", NULL};
    for (size_t i = 0; general[i]; i++)
        if (strlen(general[i]) == size && !strncmp(general[i], type, size))
            return 1;
    return size == 0;
}

/* Without parameters ("; charset=utf-8") and spaces around. */
static size_t bare_type_size(const char *type)
{
    size_t size = strcspn(type, ";");
    while (size && (type[size - 1] == ' ' || type[size - 1] == '\t'))
        size--;
    return size;
}

/* *out is lent: from `doc`, or a constant. */
static int32_t find_type(json_t *doc, const char *said, const char *what, const char **out,
                         wc_error **err)
{
    const char *own = NULL;
    int32_t code = wci_json_get_string(doc, "mediaType", what, &own, err);
    if (code)
        return code;
    size_t size = said ? bare_type_size(said) : 0;
    int is_said = said && !is_general_type(said, size);
    if (own && *own && is_said && (strlen(own) != size || strncmp(own, said, size))) {
        char shown_own[WCI_SHOWN_SIZE], shown_said[WCI_SHOWN_SIZE];
        wci_show(own, shown_own);
        wci_show(said, shown_said);
        return wci_err(err, WC_E_FORMAT,
                       "%s: it calls itself '%s' but was announced as '%s'; both must agree", what,
                       shown_own, shown_said);
    }
    static const char *const known[] = {WCI_TYPE_OCI_INDEX, WCI_TYPE_OCI_MANIFEST,
                                        WCI_TYPE_DOCKER_LIST, WCI_TYPE_DOCKER_MANIFEST, NULL};
    const char *type = own && *own ? own : is_said ? said : NULL;
    size = type ? bare_type_size(type) : 0;
    for (size_t i = 0; type && known[i]; i++) {
        if (strlen(known[i]) == size && !strncmp(known[i], type, size)) {
            *out = known[i];
            return WC_OK;
        }
    }
    if (type) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(type, shown);
        return wci_err(err, WC_E_UNSUPPORTED,
                       "%s: documents of type '%s' are not container images", what, shown);
    }
    *out = json_object_get(doc, "manifests") ? WCI_TYPE_OCI_INDEX : WCI_TYPE_OCI_MANIFEST;
    return WC_OK;
}

static int32_t check_schema(json_t *doc, const char *said, const char *what, wc_error **err)
{
    int64_t version = 0;
    int32_t code = wci_json_get_int(doc, "schemaVersion", what, 0, 1000, &version, err);
    if (code)
        return code;
    if (version == 1 || json_object_get(doc, "fsLayers") ||
        (said && wci_starts_with(said, TYPE_SCHEMA_1)))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "%s: Docker manifest schema 1 is obsolete and not read; push the image "
                       "again with a present-day tool",
                       what);
    if (version != 2)
        return wci_err(err, WC_E_FORMAT, "%s: 'schemaVersion' must be 2", what);
    return WC_OK;
}

/* One document that is both a manifest and an index means different images to different readers. */
static int32_t check_unambiguous(json_t *doc, wci_document_kind kind, const char *what,
                                 wc_error **err)
{
    static const char *const foreign[][3] = {
        [WCI_DOCUMENT_MANIFEST] = {"manifests", NULL, NULL},
        [WCI_DOCUMENT_INDEX] = {"layers", "config", NULL},
    };
    for (size_t i = 0; foreign[kind][i]; i++)
        if (json_object_get(doc, foreign[kind][i]))
            return wci_err(err, WC_E_FORMAT, "%s: ambiguous: %s must not have '%s'", what,
                           kind == WCI_DOCUMENT_INDEX ? "an index" : "a manifest",
                           foreign[kind][i]);
    return WC_OK;
}

static int32_t read_subject(json_t *doc, const char *what, wci_document *out, wc_error **err)
{
    json_t *object = NULL;
    wci_descriptor subject = {.media_type = NULL};
    const char *type = NULL;
    int32_t code = wci_json_get_object(doc, "subject", what, &object, err);
    if (!code && object)
        code = read_descriptor(object, what, &subject, err);
    out->subject = subject.digest;
    clear_descriptor(&subject);
    if (!code)
        code = wci_json_get_string(doc, "artifactType", what, &type, err);
    return !code && type && *type && wci_replace(&out->artifact_type, type) ? wci_err_nomem(err) : code;
}

static int32_t read_manifest(json_t *doc, const char *what, wci_document *out, wc_error **err)
{
    json_t *config = NULL;
    int32_t code = wci_json_get_object(doc, "config", what, &config, err);
    if (!code && !config)
        return wci_err(err, WC_E_FORMAT, "%s: 'config' is missing", what);
    if (!code)
        code = read_descriptor(config, what, &out->config, err);
    if (!code)
        code = read_items(doc, "layers", WCI_LAYERS_MAX, what, out, err);
    return code;
}

static int32_t read_document(json_t *doc, const char *said, const char *what, wci_document *out,
                             wc_error **err)
{
    if (!json_is_object(doc))
        return wci_err(err, WC_E_FORMAT, "%s: it must be a JSON object", what);
    int32_t code = wci_json_check_case(doc, document_keys, what, err);
    if (!code)
        code = check_schema(doc, said, what, err);
    const char *type = NULL;
    if (!code)
        code = find_type(doc, said, what, &type, err);
    if (code)
        return code;
    if (wci_replace(&out->media_type, type))
        return wci_err_nomem(err);
    out->kind = !strcmp(type, WCI_TYPE_OCI_INDEX) || !strcmp(type, WCI_TYPE_DOCKER_LIST)
                    ? WCI_DOCUMENT_INDEX
                    : WCI_DOCUMENT_MANIFEST;
    code = check_unambiguous(doc, out->kind, what, err);
    if (!code)
        code = read_subject(doc, what, out, err);
    if (code)
        return code;
    return out->kind == WCI_DOCUMENT_INDEX
               ? read_items(doc, "manifests", WCI_INDEX_MAX, what, out, err)
               : read_manifest(doc, what, out, err);
}

int32_t wci_document_parse(const char *data, size_t size, const char *media_type,
                           const char *what, wci_document **out, wc_error **err)
{
    json_t *doc = NULL;
    int32_t code = wci_json_parse(data, size, WCI_MANIFEST_MAX, what, &doc, err);
    if (code)
        return code;
    wci_document *document = wci_calloc(1, sizeof *document);
    code = document ? read_document(doc, media_type, what, document, err) : wci_err_nomem(err);
    json_decref(doc);
    if (code) {
        wci_document_free(document);
        return code;
    }
    *out = document;
    return WC_OK;
}

void wci_document_free(wci_document *document)
{
    if (!document)
        return;
    clear_descriptor(&document->config);
    for (size_t i = 0; i < document->count; i++)
        clear_descriptor(&document->items[i]);
    wci_free(document->items);
    wci_free(document->media_type);
    wci_free(document->artifact_type);
    wci_free(document);
}

/* ---- What an image's manifest must be ----------------------------------------------------------- */

int wci_manifest_is_artifact(const wci_document *manifest)
{
    const char *type = manifest->config.media_type;
    return strcmp(type, WCI_TYPE_OCI_CONFIG) && strcmp(type, WCI_TYPE_DOCKER_CONFIG);
}

int32_t wci_manifest_check_image(const wci_document *manifest, const char *what, wc_error **err)
{
    if (wci_manifest_is_artifact(manifest)) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(manifest->config.media_type, shown);
        return wci_err(err, WC_E_UNSUPPORTED,
                       "%s: not a container image but an artifact: its config is of type '%s'",
                       what, shown);
    }
    if (manifest->config.size > (int64_t)WCI_MANIFEST_MAX)
        return wci_err(err, WC_E_LIMIT, "%s: a config of %lld bytes; at most %zu are accepted",
                       what, (long long)manifest->config.size, WCI_MANIFEST_MAX);
    for (size_t i = 0; i < manifest->count; i++) {
        wci_codec codec;
        int32_t code = wci_codec_of_media_type(manifest->items[i].media_type, &codec, err);
        if (code)
            return wci_err_wrap(err, code, "%s: layer '%s'", what,
                                manifest->items[i].digest.text);
    }
    return WC_OK;
}

int wci_descriptor_is_foreign(const wci_descriptor *descriptor)
{
    const char *type = descriptor->media_type;
    return type && (wci_starts_with(type, "application/vnd.oci.image.layer.nondistributable.") ||
                    wci_starts_with(type, "application/vnd.docker.image.rootfs.foreign."));
}

const char *wci_artifact_type(const wci_document *document)
{
    return document->artifact_type ? document->artifact_type
           : document->config.media_type ? document->config.media_type : "";
}

int32_t wci_manifest_content_size(const wci_document *manifest, uint64_t *out, wc_error **err)
{
    uint64_t sum = (uint64_t)manifest->config.size;
    for (size_t i = 0; i < manifest->count; i++) {
        uint64_t size = (uint64_t)manifest->items[i].size;
        if (size > (uint64_t)INT64_MAX - sum)
            return wci_err(err, WC_E_LIMIT, "manifest: the layers are larger than any disk");
        sum += size;
    }
    *out = sum;
    return WC_OK;
}
