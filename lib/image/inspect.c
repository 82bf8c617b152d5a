/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inspect.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/config.h"
#include "image/reference.h"

static char *familiar_name(const char *name)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    if (wci_reference_parse(name, &ref, NULL))
        return wci_strdup(name);
    char *text = wci_reference_familiar(&ref);
    wci_reference_free(&ref);
    return text;
}

/* "alpine@sha256:…" of a name: the digest that it was pulled by, or would be pulled by again. */
static char *pinned_name(const wci_image_record *record, size_t i)
{
    const char *name = record->names.items[i], *index = record->name_indexes.items[i];
    wci_reference ref = WCI_REFERENCE_INIT;
    if (wci_reference_parse(name, &ref, NULL))
        return wci_strdup(name);
    wci_free(ref.tag);
    ref.tag = NULL;
    if (!wci_digest_is_set(&ref.digest) && (!*index || wci_digest_parse(index, &ref.digest, NULL)))
        ref.digest = record->manifest;
    char *text = wci_reference_familiar(&ref);
    wci_reference_free(&ref);
    return text;
}

static int add_once(wci_strv *list, char *text)
{
    if (text && wci_strv_contains(list, text)) {
        wci_free(text);
        return WC_OK;
    }
    return wci_strv_add_take(list, text);
}

static int has_digest(const char *name)
{
    return strchr(name, '@') != NULL;
}

static int list_names(const wci_image_record *record, wci_strv *tags, wci_strv *digests)
{
    int failed = 0;
    for (size_t i = 0; i < record->names.count && !failed; i++) {
        const char *name = record->names.items[i];
        if (!has_digest(name))
            failed = add_once(tags, familiar_name(name));
        if (!failed)
            failed = add_once(digests, pinned_name(record, i));
    }
    return failed;
}

static json_t *layer_ids(const wci_image_record *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->layer_count; i++)
        if (json_array_append_new(list, json_string(record->layers[i].diff_id.text)))
            break;
    return list;
}

static const char *text_of(json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));
    return text ? text : "";
}

/* The configuration with every field that scripts ask for, as Docker shows it also where it says nothing. */
static json_t *full_config(json_t *run)
{
    static const char *const texts[] = {"User", "WorkingDir"}, *const others[] = {"Env", "Cmd", "Entrypoint", "Labels",
                                                                                  "Volumes", "ExposedPorts"};
    json_t *full = json_is_object(run) ? json_copy(run) : json_object();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!json_is_string(json_object_get(full, texts[i])))
            json_object_set_new(full, texts[i], json_string(""));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!json_object_get(full, others[i]))
            json_object_set_new(full, others[i], json_null());
    return full;
}

/* The document's, or that of the last step, where `commit -m` leaves it. */
static const char *comment_of(json_t *document)
{
    json_t *steps = json_object_get(document, "history");
    const char *own = text_of(document, "comment");
    return *own || !json_array_size(steps) ? own : text_of(json_array_get(steps, json_array_size(steps) - 1), "comment");
}

static json_t *describe(const wci_image_record *record, json_t *document, const wci_strv *tags,
                        const wci_strv *digests)
{
    char created[WCI_TIME_TEXT_SIZE];
    wci_time_format(record->created_ns, created);
    json_t *run = json_object_get(document, "config"), *features = json_object_get(document, "os.features");
    return json_pack(
        "{s:s,s:s,s:o,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:O*,s:I,s:o,s:{s:s,s:o},s:{s:s}}", "Id",
        record->config.text, "Digest", record->manifest.text, "RepoTags", wci_json_from_strv(tags),
        "RepoDigests", wci_json_from_strv(digests), "Parent", "", "Comment",
        comment_of(document), "Created", record->created_ns ? created : "", "Author",
        text_of(document, "author"), "Architecture", record->arch, "Variant", record->variant, "Os",
        record->os, "OsVersion", record->os_version, "OsFeatures", features, "Size", (json_int_t)record->size, "Config",
        full_config(run), "RootFS", "Type", "layers", "Layers",
        layer_ids(record), "Descriptor", "mediaType", record->media_type);
}

int32_t wci_image_inspect(wci_store *store, const wci_image_record *record, wc_buf **out,
                          wc_error **err)
{
    wc_buf *bytes = NULL;
    json_t *document = NULL, *value = NULL;
    wci_strv tags = WCI_STRV_INIT, digests = WCI_STRV_INIT;
    int32_t code = wci_image_document_read(store, record, &record->config, "config", WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = wci_json_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_CONFIG_MAX, "config",
                              &document, err);
    if (!code && list_names(record, &tags, &digests))
        code = wci_err_nomem(err);
    if (!code) {
        value = describe(record, document, &tags, &digests);
        code = value ? wci_json_dump(value, out, err) : wci_err_nomem(err);
    }
    json_decref(value);
    json_decref(document);
    wc_buf_unref(bytes);
    wci_strv_free(&tags);
    wci_strv_free(&digests);
    return code;
}
