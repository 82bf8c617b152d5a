/* SPDX-License-Identifier: Apache-2.0 */
#include "image/edit_config.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

const char *wci_edit_config_text(json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));
    return text ? text : "";
}

static json_t *member(json_t *object, const char *key, json_t *(*make)(void))
{
    json_t *value = json_object_get(object, key);
    if (value && !json_is_null(value))
        return value;
    value = make();
    return json_object_set_new(object, key, value) ? NULL : value;
}

/* ---- The default of a container --------------------------------------------------------------------- */

static size_t name_size(const char *pair)
{
    return strcspn(pair, "=");
}

static void set_env(json_t *env, const char *pair)
{
    size_t n = name_size(pair), i;
    json_t *old;
    json_array_foreach(env, i, old)
    {
        const char *text = json_string_value(old);
        if (text && name_size(text) == n && !strncmp(text, pair, n)) {
            json_array_set_new(env, i, json_string(pair));
            return;
        }
    }
    json_array_append_new(env, json_string(pair));
}

void wci_edit_set_pair(json_t *object, const char *pair)
{
    size_t n = name_size(pair);
    char *name = wci_strndup(pair, n);
    if (name)
        json_object_set_new(object, name, json_string(pair[n] ? pair + n + 1 : ""));
    wci_free(name);
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

static void add_keys(json_t *config, const char *key, const wci_strv *names)
{
    json_t *set = names->count ? member(config, key, json_object) : NULL;
    for (size_t i = 0; i < names->count; i++)
        json_object_set_new(set, names->items[i], json_object());
}

static void set_words(json_t *config, const char *key, int given, const wci_strv *words)
{
    if (!given)
        return;
    if (words->count)
        json_object_set_new(config, key, wci_json_from_strv(words));
    else
        json_object_del(config, key);
}

static void change_run(const wci_edit *edit, json_t *config)
{
    json_t *env = edit->env.count ? member(config, "Env", json_array) : NULL;
    json_t *labels = edit->labels.count ? member(config, "Labels", json_object) : NULL;
    for (size_t i = 0; i < edit->env.count; i++)
        set_env(env, edit->env.items[i]);
    for (size_t i = 0; i < edit->labels.count; i++)
        wci_edit_set_pair(labels, edit->labels.items[i]);
    add_keys(config, "ExposedPorts", &edit->ports);
    add_keys(config, "Volumes", &edit->volumes);
    set_words(config, "Entrypoint", edit->has_entrypoint, &edit->entrypoint);
    set_words(config, "Cmd", edit->has_cmd, &edit->cmd);
    set_text(config, "User", edit->user);
    set_text(config, "WorkingDir", edit->workdir);
    set_text(config, "StopSignal", edit->stop_signal);
}

/* ---- What it is made of ----------------------------------------------------------------------------- */

static int32_t set_platform(const wci_edit *edit, json_t *document, wc_error **err)
{
    wci_platform p = {NULL, NULL, NULL, NULL};
    if (!edit->platform) {
        if (!json_object_get(document, "os"))
            set_text(document, "os", wci_host_os());
        if (!json_object_get(document, "architecture"))
            set_text(document, "architecture", wci_host_arch());
        return WC_OK;
    }
    int32_t code = wci_platform_parse(edit->platform, &p, err);
    if (code)
        return code;
    set_text(document, "os", p.os);
    set_text(document, "architecture", p.arch);
    if (p.variant && *p.variant)
        set_text(document, "variant", p.variant);
    else
        json_object_del(document, "variant");
    wci_platform_clear(&p);
    return WC_OK;
}

static void add_history(const wci_edit *edit, json_t *document, const char *created, int has_layer)
{
    json_t *history = member(document, "history", json_array);
    json_t *entry = json_pack("{s:s, s:s, s:s*, s:s*}", "created", created, "created_by",
                              edit->created_by ? edit->created_by : "wincontainer", "comment", edit->comment, "author",
                              edit->author);
    if (!has_layer)
        json_object_set_new(entry, "empty_layer", json_true());
    json_array_append_new(history, entry);
}

/* A base without history has none for its layers, so the new ones cannot have any either. */
static int may_tell(json_t *base)
{
    json_t *ids = json_object_get(json_object_get(base, "rootfs"), "diff_ids");
    return json_array_size(json_object_get(base, "history")) > 0 || json_array_size(ids) == 0;
}

static int32_t add_layers(const wci_edit *edit, json_t *document, const wci_new_layer *layers, const char *created,
                          int tell, wc_error **err)
{
    json_t *rootfs = member(document, "rootfs", json_object);
    json_t *ids = rootfs ? member(rootfs, "diff_ids", json_array) : NULL;
    if (!ids)
        return wci_err_nomem(err);
    if (!json_object_get(rootfs, "type"))
        set_text(rootfs, "type", "layers");
    for (size_t i = 0; i < edit->layer_count; i++) {
        json_array_append_new(ids, json_string(layers[i].diff_id.text));
        if (tell)
            add_history(edit, document, created, 1);
    }
    if (tell && !edit->layer_count)
        add_history(edit, document, created, 0);
    return WC_OK;
}

int32_t wci_edit_config_make(const wci_edit *edit, json_t *base, const wci_new_layer *layers, int64_t created_ns,
                             json_t **out, wc_error **err)
{
    json_t *document = base ? json_deep_copy(base) : json_object();
    char created[WCI_TIME_TEXT_SIZE];
    json_t *config = document ? member(document, "config", json_object) : NULL;
    int32_t code = config ? set_platform(edit, document, err) : wci_err_nomem(err);
    wci_time_format(created_ns, created);
    set_text(document, "created", created);
    set_text(document, "author", edit->author);
    /* Docker's memory of how the image came about would be untrue of the new one. */
    json_object_del(document, "container");
    json_object_del(document, "container_config");
    if (!code) {
        change_run(edit, config);
        code = add_layers(edit, document, layers, created, may_tell(base), err);
    }
    if (code)
        json_decref(document);
    else
        *out = document;
    return code;
}
