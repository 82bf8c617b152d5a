/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/members.h"
#include "image/pack_work.h"

/* ---- Reading -------------------------------------------------------------------------------------- */

static int32_t read_file(const wci_pack_work *w, const char *name, wc_buf **bytes, json_t **json, wc_error **err)
{
    const wci_members members = {w->dir, WCI_FD_NONE, NULL};
    int32_t code = wci_members_read(&members, name, WCI_CONFIG_MAX, bytes, err);
    if (code == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        return wci_err(err, WC_E_FORMAT, "'%s' is missing: this is no unpacked image, or not all of it", name);
    }
    return code ? code : wci_json_parse(wc_buf_data(*bytes), wc_buf_size(*bytes), WCI_CONFIG_MAX, name, json, err);
}

static int32_t check_format(json_t *facts, const char **media_type, wc_error **err)
{
    const char *format = "";
    int64_t version = 0;
    int32_t code = wci_json_get_string(facts, "format", WCI_UNPACKED_FILE, &format, err);
    if (!code)
        code = wci_json_get_int(facts, "version", WCI_UNPACKED_FILE, 0, INT32_MAX, &version, err);
    if (!code)
        code = wci_json_get_string(facts, "mediaType", WCI_UNPACKED_FILE, media_type, err);
    if (!code && !wci_streq(format, WCI_UNPACKED_FORMAT))
        code = wci_err(err, WC_E_FORMAT, "'" WCI_UNPACKED_FILE "': this is no unpacked image");
    if (!code && version != 1)
        code = wci_err(err, WC_E_VERSION, "'" WCI_UNPACKED_FILE "': has version %lld, which only a newer library knows",
                       (long long)version);
    return code;
}

static int32_t take_digest(json_t *facts, const char *key, wci_digest *out, wc_error **err)
{
    const char *text = "";
    int32_t code = wci_json_get_string(facts, key, WCI_UNPACKED_FILE, &text, err);
    if (!code)
        code = wci_digest_parse(text, out, err);
    return code ? wci_err_wrap(err, code, "'" WCI_UNPACKED_FILE "': '%s' of a layer", key) : WC_OK;
}

static int32_t take_layer(const wci_pack_work *w, size_t i, json_t *facts, wc_error **err)
{
    wci_pack_layer *layer = &w->layers[i];
    layer->digest = w->manifest->items[i].digest;
    layer->size = (uint64_t)w->manifest->items[i].size;
    if (!json_is_object(facts))
        return wci_err(err, WC_E_FORMAT, "'" WCI_UNPACKED_FILE "': a layer is no object");
    int32_t code = take_digest(facts, "diffId", &layer->diff_id, err);
    if (!code)
        code = take_digest(facts, WCI_UNPACKED_SPLIT, &layer->split, err);
    return code ? code : take_digest(facts, WCI_UNPACKED_LISTING, &layer->listing, err);
}

static int32_t take_layers(wci_pack_work *w, json_t *list, wc_error **err)
{
    int32_t code = WC_OK;
    size_t count = json_array_size(list);
    if (count != w->manifest->count)
        return wci_err(err, WC_E_FORMAT, "'" WCI_UNPACKED_MANIFEST "' has %zu layers, but %zu were unpacked; layers can be "
                       "changed here, but neither added nor removed", w->manifest->count, count);
    w->layers = wci_calloc(count + 1, sizeof *w->layers);
    if (!w->layers)
        return wci_err_nomem(err);
    w->count = count;
    for (size_t i = 0; i < count && !code; i++)
        code = take_layer(w, i, json_array_get(list, i), err);
    return code;
}

static int32_t read_facts(wci_pack_work *w, json_t *facts, wc_error **err)
{
    const char *type = NULL;
    json_t *layers = NULL;
    int32_t code = check_format(facts, &type, err);
    if (!code)
        code = wci_document_parse(wc_buf_data(w->manifest_bytes), wc_buf_size(w->manifest_bytes), type,
                                  "'" WCI_UNPACKED_MANIFEST "'", &w->manifest, err);
    if (!code)
        code = wci_manifest_check_image(w->manifest, "'" WCI_UNPACKED_MANIFEST "'", err);
    if (!code)
        code = wci_json_get_array(facts, "layers", WCI_UNPACKED_FILE, &layers, err);
    return code ? code : take_layers(w, layers, err);
}

int32_t wci_pack_documents_read(wci_pack_work *w, wc_error **err)
{
    wc_buf *bytes = NULL;
    json_t *facts = NULL;
    int32_t code = read_file(w, WCI_UNPACKED_FILE, &bytes, &facts, err);
    if (!code)
        code = read_file(w, WCI_UNPACKED_MANIFEST, &w->manifest_bytes, &w->manifest_json, err);
    if (!code)
        code = read_file(w, WCI_UNPACKED_CONFIG, &w->config_bytes, &w->config_json, err);
    if (!code)
        code = read_facts(w, facts, err);
    if (!code)
        code = wci_image_config_parse(wc_buf_data(w->config_bytes), wc_buf_size(w->config_bytes),
                                      "'" WCI_UNPACKED_CONFIG "'", &w->config, err);
    json_decref(facts);
    wc_buf_unref(bytes);
    return code;
}

/* ---- Config --------------------------------------------------------------------------------------- */

static int has_its_layers(const wci_pack_work *w)
{
    if (w->config->diff_id_count != w->count)
        return 0;
    for (size_t i = 0; i < w->count; i++)
        if (!wci_digest_equal(&w->config->diff_ids[i], &w->layers[i].diff_id))
            return 0;
    return 1;
}

static int32_t write_config(wci_pack_work *w, wci_written *out, wc_error **err)
{
    if (has_its_layers(w))
        return wci_own_layout_put(&w->layout, w->config_bytes, out, err);
    json_t *ids = json_array();
    for (size_t i = 0; i < w->count; i++)
        json_array_append_new(ids, json_string(w->layers[i].diff_id.text));
    json_t *rootfs = json_pack("{s:s, s:o}", "type", "layers", "diff_ids", ids);
    if (!rootfs || json_object_set_new(w->config_json, "rootfs", rootfs))
        return wci_err_nomem(err);
    return wci_own_layout_put_json(&w->layout, json_incref(w->config_json), out, err);
}

/* ---- Manifest ------------------------------------------------------------------------------------- */

/* Of a foreign layer what it is called when it is none: nobody else has the new one. */
static char *common_type(const char *type)
{
    static const char *const foreign[] = {".nondistributable", ".foreign"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const char *at = strstr(type, foreign[i]);
        if (at)
            return wci_asprintf("%.*s%s", (int)(at - type), type, at + strlen(foreign[i]));
    }
    return wci_strdup(type);
}

/* What was true of the blob that it had. */
static void drop_claims(json_t *descriptor)
{
    const char *key;
    void *next;
    json_t *value, *notes = json_object_get(descriptor, "annotations");
    json_object_del(descriptor, "urls");
    json_object_del(descriptor, "data");
    json_object_foreach_safe(notes, next, key, value)
    {
        if (strstr(key, "zstd-chunked") || strstr(key, "stargz"))
            json_object_del(notes, key);
    }
    if (notes && !json_object_size(notes))
        json_object_del(descriptor, "annotations");
}

static int32_t change_layer(const wci_pack_work *w, size_t i, wc_error **err)
{
    const wci_pack_layer *layer = &w->layers[i];
    json_t *descriptor = json_array_get(json_object_get(w->manifest_json, "layers"), i);
    char *type = common_type(w->manifest->items[i].media_type);
    int failed = !type || json_object_set_new(descriptor, "mediaType", json_string(type)) ||
                 json_object_set_new(descriptor, "digest", json_string(layer->digest.text)) ||
                 json_object_set_new(descriptor, "size", json_integer((json_int_t)layer->size));
    wci_free(type);
    drop_claims(descriptor);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t change_config(const wci_pack_work *w, const wci_written *config, wc_error **err)
{
    json_t *descriptor = json_object_get(w->manifest_json, "config");
    if (json_object_set_new(descriptor, "digest", json_string(config->digest.text)) ||
        json_object_set_new(descriptor, "size", json_integer((json_int_t)config->size)))
        return wci_err_nomem(err);
    json_object_del(descriptor, "data");
    return WC_OK;
}

static int32_t write_manifest(wci_pack_work *w, const wci_written *config, wci_written *out, wc_error **err)
{
    int is_same = wci_digest_equal(&config->digest, &w->manifest->config.digest);
    int32_t code = is_same ? WC_OK : change_config(w, config, err);
    for (size_t i = 0; i < w->count && !code; i++) {
        if (!w->layers[i].is_other_blob)
            continue;
        is_same = 0;
        code = change_layer(w, i, err);
    }
    if (code)
        return code;
    return is_same ? wci_own_layout_put(&w->layout, w->manifest_bytes, out, err)
                   : wci_own_layout_put_json(&w->layout, json_incref(w->manifest_json), out, err);
}

int32_t wci_pack_documents_write(wci_pack_work *w, wc_error **err)
{
    wci_written config = {{""}, 0}, manifest = {{""}, 0};
    int32_t code = write_config(w, &config, err);
    if (!code)
        code = write_manifest(w, &config, &manifest, err);
    return code ? code : wci_own_layout_finish(&w->layout, w->manifest->media_type, &manifest, err);
}
