/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/documents.h"

static const char *const document_keys[] = {
    "created", "author", "architecture", "os", "os.version", "os.features", "variant",
    "config",  "rootfs", "history",      NULL};
static const char *const rootfs_keys[] = {"type", "diff_ids", NULL};
static const char *const config_keys[] = {
    "User",       "ExposedPorts", "Env",         "Entrypoint", "Cmd",   "Volumes",
    "WorkingDir", "Labels",       "StopSignal",  "ArgsEscaped", "Healthcheck", NULL};

/* Times outside of our range, Go's zero time among them, are no reason to refuse an image. */
static int32_t read_created(json_t *doc, const char *what, int64_t *ns, wc_error **err)
{
    const char *text = NULL;
    int32_t code = wci_json_get_string(doc, "created", what, &text, err);
    if (!code && text && wci_time_parse(text, ns, NULL))
        *ns = 0;
    return code;
}

static int32_t read_diff_ids(json_t *doc, const char *what, wci_image_config *config,
                             wc_error **err)
{
    json_t *rootfs = NULL, *ids = NULL;
    int32_t code = wci_json_get_object(doc, "rootfs", what, &rootfs, err);
    if (code)
        return code;
    if (!rootfs)
        return wci_err(err, WC_E_FORMAT, "%s: not an image config: 'rootfs' is missing", what);
    code = wci_json_check_case(rootfs, rootfs_keys, what, err);
    if (!code)
        code = wci_json_get_array(rootfs, "diff_ids", what, &ids, err);
    if (code)
        return code;
    size_t count = json_array_size(ids);
    if (count > WCI_LAYERS_MAX)
        return wci_err(err, WC_E_LIMIT, "%s: %zu layers; at most %d are accepted", what, count,
                       WCI_LAYERS_MAX);
    config->diff_ids = wci_calloc(count ? count : 1, sizeof *config->diff_ids);
    if (!config->diff_ids)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(ids, i));
        if (wci_digest_parse(text ? text : "", &config->diff_ids[i], err))
            return wci_err_wrap(err, WC_E_FORMAT, "%s: 'diff_ids'", what);
    }
    config->diff_id_count = count;
    return WC_OK;
}

/* History is optional, but one that is there tells of each layer. */
static int32_t check_history(json_t *doc, const char *what, size_t layers, wc_error **err)
{
    json_t *history = NULL, *entry;
    int32_t code = wci_json_get_array(doc, "history", what, &history, err);
    size_t told = 0, i;
    json_array_foreach(history, i, entry)
    {
        int empty = 0;
        if (!json_is_object(entry))
            return wci_err(err, WC_E_FORMAT, "%s: 'history' must be an array of objects", what);
        code = wci_json_get_bool(entry, "empty_layer", what, &empty, err);
        if (code)
            return code;
        told += !empty;
    }
    if (!code && json_array_size(history) && told != layers)
        return wci_err(err, WC_E_FORMAT, "%s: 'history' tells of %zu layers, 'rootfs' has %zu",
                       what, told, layers);
    return code;
}

/* {"80/tcp": {}}: the keys are the list. */
static int32_t read_keys(json_t *object, const char *key, const char *what, wci_strv *out,
                         wc_error **err)
{
    json_t *set = NULL, *value;
    const char *name;
    int32_t code = wci_json_get_object(object, key, what, &set, err);
    json_object_foreach(set, name, value)
    {
        if (wci_strv_add(out, name))
            return wci_err_nomem(err);
    }
    return code;
}

static int32_t read_labels(json_t *object, const char *what, wci_image_config *config,
                           wc_error **err)
{
    json_t *labels = NULL, *value;
    const char *name;
    int32_t code = wci_json_get_object(object, "Labels", what, &labels, err);
    json_object_foreach(labels, name, value)
    {
        if (!json_is_string(value))
            return wci_err(err, WC_E_FORMAT, "%s: 'Labels' must be an object of strings", what);
        if (wci_strv_add(&config->label_names, name) ||
            wci_strv_add(&config->label_values, json_string_value(value)))
            return wci_err_nomem(err);
    }
    return code;
}

/* A string, or in very old documents a list of words, as docker reads it. */
static int32_t read_words(json_t *object, const char *key, const char *what, wci_strv *out,
                          wc_error **err)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return wci_json_get_strings(object, key, what, out, err);
    return wci_strv_add(out, json_string_value(value)) ? wci_err_nomem(err) : WC_OK;
}

static int32_t read_text(json_t *object, const char *key, const char *what, char **out,
                         wc_error **err)
{
    const char *text = "";
    int32_t code = wci_json_get_string(object, key, what, &text, err);
    if (!code && wci_replace(out, text))
        return wci_err_nomem(err);
    return code;
}

static int32_t read_healthcheck(json_t *object, const char *what, char **out, wc_error **err)
{
    json_t *check = NULL;
    int32_t code = wci_json_get_object(object, "Healthcheck", what, &check, err);
    if (code || !check)
        return code;
    *out = wci_json_dump_text(check);
    return *out ? WC_OK : wci_err_nomem(err);
}

static int32_t read_run_config(json_t *doc, const char *what, wci_image_config *config,
                               wc_error **err)
{
    json_t *run = NULL;
    int32_t code = wci_json_get_object(doc, "config", what, &run, err);
    if (!code && run)
        code = wci_json_check_case(run, config_keys, what, err);
    if (!code)
        code = read_text(run, "User", what, &config->user, err);
    if (!code)
        code = read_text(run, "WorkingDir", what, &config->working_dir, err);
    if (!code)
        code = read_text(run, "StopSignal", what, &config->stop_signal, err);
    if (!code)
        code = read_words(run, "Entrypoint", what, &config->entrypoint, err);
    if (!code)
        code = read_words(run, "Cmd", what, &config->cmd, err);
    if (!code)
        code = wci_json_get_strings(run, "Env", what, &config->env, err);
    if (!code)
        code = read_keys(run, "Volumes", what, &config->volumes, err);
    if (!code)
        code = read_keys(run, "ExposedPorts", what, &config->exposed_ports, err);
    if (!code)
        code = read_labels(run, what, config, err);
    if (!code)
        code = read_healthcheck(run, what, &config->healthcheck, err);
    if (!code)
        code = wci_json_get_bool(run, "ArgsEscaped", what, &config->args_escaped, err);
    return code;
}

static int32_t read_document(json_t *doc, const char *what, wci_image_config *config,
                             wc_error **err)
{
    if (!json_is_object(doc))
        return wci_err(err, WC_E_FORMAT, "%s: not an image config: it must be an object", what);
    int32_t code = wci_json_check_case(doc, document_keys, what, err);
    if (!code)
        code = wci_platform_read(doc, what, &config->platform, err);
    if (!code)
        code = read_created(doc, what, &config->created_ns, err);
    if (!code)
        code = read_diff_ids(doc, what, config, err);
    if (!code)
        code = check_history(doc, what, config->diff_id_count, err);
    if (!code)
        code = read_run_config(doc, what, config, err);
    return code;
}

int32_t wci_image_config_parse(const char *data, size_t size, const char *what,
                               wci_image_config **out, wc_error **err)
{
    json_t *doc = NULL;
    int32_t code = wci_json_parse(data, size, WCI_CONFIG_MAX, what, &doc, err);
    if (code)
        return code;
    wci_image_config *config = wci_calloc(1, sizeof *config);
    code = config ? read_document(doc, what, config, err) : wci_err_nomem(err);
    json_decref(doc);
    if (code) {
        wci_image_config_free(config);
        return code;
    }
    *out = config;
    return WC_OK;
}

int32_t wci_image_document_read(wci_store *store, const wci_image_record *record, const wci_digest *digest,
                                const char *kind, size_t max, wc_buf **out, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = wci_blob_read(store, digest, max, out, &why);
    if (code != WC_E_NOT_FOUND && code != WC_E_CORRUPT)
        return code ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return wci_err(err, WC_E_CORRUPT,
                   "image '%s': its %s '%s' is %s in the store; pull or load it again, after `system check --repair`, which "
                   "looks for more",
                   record->names.count ? record->names.items[0] : record->config.text, kind, digest->text,
                   code == WC_E_CORRUPT ? "damaged" : "missing");
}

int32_t wci_image_manifest_load(wci_store *store, const wci_image_record *record, wci_document **out,
                                wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_image_document_read(store, record, &record->manifest, "manifest", WCI_MANIFEST_MAX, &bytes, err);
    if (code)
        return code;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &record->manifest);
    code = wci_document_parse(wc_buf_data(bytes), wc_buf_size(bytes), record->media_type, what, out, err);
    wc_buf_unref(bytes);
    return code;
}

int32_t wci_image_config_load(wci_store *store, const wci_image_record *record,
                              wci_image_config **out, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_image_document_read(store, record, &record->config, "config", WCI_CONFIG_MAX, &bytes, err);
    if (code)
        return code;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "config", &record->config);
    code = wci_image_config_parse(wc_buf_data(bytes), wc_buf_size(bytes), what, out, err);
    wc_buf_unref(bytes);
    return code;
}

void wci_image_config_free(wci_image_config *config)
{
    if (!config)
        return;
    wci_platform_clear(&config->platform);
    wci_free(config->diff_ids);
    wci_strv_free(&config->entrypoint);
    wci_strv_free(&config->cmd);
    wci_strv_free(&config->env);
    wci_free(config->user);
    wci_free(config->working_dir);
    wci_free(config->stop_signal);
    wci_strv_free(&config->volumes);
    wci_strv_free(&config->exposed_ports);
    wci_strv_free(&config->label_names);
    wci_strv_free(&config->label_values);
    wci_free(config->healthcheck);
    wci_free(config);
}
