/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/documents.h"
#include "image/edit_config.h"
#include "image/outlet.h"

#define BASE_NAME "org.opencontainers.image.base.name"
#define BASE_DIGEST "org.opencontainers.image.base.digest"

/* ---- Config ----------------------------------------------------------------------------------------- */

/* Byte for byte the base's, so that the image keeps its id. */
static int32_t keep_config(const wci_edit_work *w, wci_written *out, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_image_document_read(w->store, w->base.record, &w->base.record->config, "config", WCI_CONFIG_MAX,
                                           &bytes, err);
    out->digest = w->base.record->config;
    out->size = wc_buf_size(bytes);
    wc_buf_unref(bytes);
    return code;
}

static int32_t tell_platform(json_t *config, wci_platform *out, wc_error **err)
{
    return wci_platform_set(out, wci_edit_config_text(config, "os"), wci_edit_config_text(config, "architecture"),
                            wci_edit_config_text(config, "variant"), wci_edit_config_text(config, "os.version"), err);
}

static int32_t write_config(const wci_edit_work *w, wci_written *out, wci_platform *platform, wc_error **err)
{
    json_t *config = NULL;
    int is_kept = w->base.record && !wci_edit_config_changes(w);
    int32_t code = is_kept ? keep_config(w, out, err) : wci_edit_config_make(w, &config, err);
    if (!code)
        code = tell_platform(is_kept ? w->base.config : config, platform, err);
    if (code || is_kept) {
        json_decref(config);
        return code;
    }
    return wci_own_layout_put_json(&w->layout, config, out, err);
}

/* ---- Manifest and index ----------------------------------------------------------------------------- */

/* Those of the base go on. */
static json_t *annotations(const wci_edit_work *w)
{
    json_t *old = json_object_get(w->base.manifest, "annotations");
    json_t *notes = json_is_object(old) ? json_deep_copy(old) : json_object();
    if (w->new_base.record) {
        json_object_set_new(notes, BASE_DIGEST, json_string(w->new_base.record->manifest.text));
        json_object_del(notes, BASE_NAME);
        if (w->new_base.name)
            json_object_set_new(notes, BASE_NAME, json_string(w->new_base.name));
    }
    for (size_t i = 0; i < w->edit->dropped.count; i++)
        json_object_del(notes, w->edit->dropped.items[i]);
    for (size_t i = 0; i < w->edit->annotations.count; i++)
        wci_edit_set_pair(notes, w->edit->annotations.items[i]);
    return notes;
}

static json_t *layer_list(const wci_edit_work *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->count; i++)
        json_array_append(list, w->items[i].descriptor);
    return list;
}

static json_t *manifest_json(const wci_edit_work *w, const wci_written *config)
{
    json_t *manifest = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_MANIFEST,
                                 "config", wci_written_descriptor(WCI_TYPE_OCI_CONFIG, config), "layers", layer_list(w));
    json_t *notes = annotations(w);
    if (json_object_size(notes))
        json_object_set(manifest, "annotations", notes);
    json_decref(notes);
    return manifest;
}

int32_t wci_edit_documents_write(wci_edit_work *w, wci_platform *platform, wc_error **err)
{
    wci_written config = {{""}, 0}, manifest = {{""}, 0};
    int32_t code = write_config(w, &config, platform, err);
    if (!code)
        code = wci_own_layout_put_json(&w->layout, manifest_json(w, &config), &manifest, err);
    return code ? code : wci_own_layout_finish(&w->layout, WCI_TYPE_OCI_MANIFEST, &manifest, err);
}
