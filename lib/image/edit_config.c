/* SPDX-License-Identifier: Apache-2.0 */
#include "image/edit_config.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/instruction.h"
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

static int is_same_name(const char *os, const char *a, const char *b, size_t n)
{
    return name_size(a) == n && (wci_streq(os, "windows") ? !wci_strncasecmp(a, b, n) : !strncmp(a, b, n));
}

void wci_edit_set_env(json_t *config, const char *os, const char *pair)
{
    size_t n = name_size(pair), i;
    json_t *env = member(config, "Env", json_array), *old;
    json_array_foreach(env, i, old)
    {
        const char *text = json_string_value(old);
        if (text && is_same_name(os, text, pair, n)) {
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

static void change_run(const wci_edit *edit, const char *os, json_t *config)
{
    json_t *labels = edit->labels.count ? member(config, "Labels", json_object) : NULL;
    for (size_t i = 0; i < edit->env.count; i++)
        wci_edit_set_env(config, os, edit->env.items[i]);
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
    wci_platform p = WCI_PLATFORM_INIT;
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
    if (*p.os_version)
        set_text(document, "os.version", p.os_version);
    else if (!wci_streq(json_string_value(json_object_get(document, "os")), p.os))
        json_object_del(document, "os.version");
    set_text(document, "os", p.os);
    set_text(document, "architecture", p.arch);
    if (p.variant && *p.variant)
        set_text(document, "variant", p.variant);
    else
        json_object_del(document, "variant");
    wci_platform_clear(&p);
    return WC_OK;
}

/* A base for another platform would make the image one for none. */
static void take_platform(json_t *document, json_t *base)
{
    static const char *const keys[] = {"os", "architecture", "variant", "os.version", "os.features"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(base, keys[i]);
        if (value)
            json_object_set(document, keys[i], value);
        else
            json_object_del(document, keys[i]);
    }
}

static int32_t set_layers(const wci_edit_work *w, json_t *document, wc_error **err)
{
    json_t *rootfs = member(document, "rootfs", json_object);
    json_t *ids = json_array();
    if (!rootfs || !ids || json_object_set_new(rootfs, "diff_ids", ids))
        return wci_err_nomem(err);
    if (!json_object_get(rootfs, "type"))
        set_text(rootfs, "type", "layers");
    for (size_t i = 0; i < w->count; i++)
        json_array_append_new(ids, json_string(w->items[i].diff_id.text));
    return WC_OK;
}

/* ---- History ---------------------------------------------------------------------------------------- */

static int makes_layer(json_t *entry)
{
    return !json_is_true(json_object_get(entry, "empty_layer"));
}

/* Steps that came with the first `layers` layers: up to the last of them, and what then changed the config alone as
 * far as the base tells the same. */
static size_t steps_of_base(json_t *history, json_t *base_history, size_t layers)
{
    size_t count = 0, made = 0;
    while (made < layers && count < json_array_size(history))
        made += (size_t)makes_layer(json_array_get(history, count++));
    while (count < json_array_size(base_history) &&
           json_equal(json_array_get(history, count), json_array_get(base_history, count)))
        count++;
    return count;
}

/* The steps of a base that tells of none still have to be counted. */
static json_t *history_of(const wci_edit_source *image)
{
    json_t *told = json_object_get(image->config, "history");
    json_t *history = json_is_array(told) ? json_copy(told) : json_array();
    for (size_t i = 0; !json_array_size(told) && i < image->record->layer_count; i++)
        json_array_append_new(history, json_object());
    return history;
}

static void rebase_history(const wci_edit_work *w, json_t *document)
{
    json_t *own = history_of(&w->base), *history = history_of(&w->new_base);
    json_t *old = json_object_get(w->old_base.config, "history");
    for (size_t i = steps_of_base(own, old, w->old_base.record->layer_count); i < json_array_size(own); i++)
        json_array_append(history, json_array_get(own, i));
    json_object_set_new(document, "history", history);
    json_decref(own);
}

static void add_step(const wci_edit_work *w, json_t *document, const char *created, int has_layer)
{
    const wci_edit *edit = w->edit;
    json_t *history = member(document, "history", json_array);
    json_t *entry = json_pack("{s:s, s:s, s:s*, s:s*}", "created", created, "created_by",
                              edit->created_by ? edit->created_by : "wincontainer", "comment", edit->comment, "author",
                              edit->author);
    if (!has_layer)
        json_object_set_new(entry, "empty_layer", json_true());
    json_array_append_new(history, entry);
}

/* The layers of the last steps are gone: another one has what they had. */
static void empty_steps(json_t *history, size_t layers)
{
    for (size_t i = json_array_size(history); i-- > 0 && layers;) {
        json_t *entry = json_array_get(history, i);
        if (!makes_layer(entry))
            continue;
        json_t *emptied = json_copy(entry);
        json_object_set_new(emptied, "empty_layer", json_true());
        json_array_set_new(history, i, emptied);
        layers--;
    }
}

/* A base without history has none for its layers, so the new ones cannot have any either. */
static int may_tell(const wci_edit_work *w, json_t *document)
{
    return json_array_size(json_object_get(document, "history")) > 0 || !w->base.record || !w->base.record->layer_count;
}

static void add_history(const wci_edit_work *w, json_t *document, const char *created)
{
    if (w->new_base.record)
        rebase_history(w, document);
    if (!may_tell(w, document))
        return;
    for (size_t i = 0; i < w->added; i++)
        add_step(w, document, created, 1);
    if (w->squashed)
        empty_steps(json_object_get(document, "history"), w->squashed);
    if (w->squashed || (!w->added && !w->new_base.record))
        add_step(w, document, created, w->squashed > 0);
}

/* ---- The whole -------------------------------------------------------------------------------------- */

int wci_edit_config_changes(const wci_edit_work *w)
{
    const wci_edit *edit = w->edit;
    size_t lists = edit->env.count + edit->labels.count + edit->ports.count + edit->volumes.count +
                   edit->instructions.count;
    int texts = edit->user || edit->workdir || edit->stop_signal || edit->platform || edit->author || edit->comment;
    return lists || texts || edit->has_entrypoint || edit->has_cmd || edit->created_ns >= 0 || w->added ||
           w->squashed || w->new_base.record;
}

int32_t wci_edit_config_make(const wci_edit_work *w, json_t **out, wc_error **err)
{
    json_t *document = w->base.config ? json_deep_copy(w->base.config) : json_object();
    char created[WCI_TIME_TEXT_SIZE];
    json_t *config = document ? member(document, "config", json_object) : NULL;
    if (w->new_base.config)
        take_platform(document, w->new_base.config);
    int32_t code = config ? set_platform(w->edit, document, err) : wci_err_nomem(err);
    wci_time_format(w->created_ns, created);
    set_text(document, "created", created);
    set_text(document, "author", w->edit->author);
    /* Docker's memory of how the image came about would be untrue of the new one. */
    json_object_del(document, "container");
    json_object_del(document, "container_config");
    if (!code) {
        change_run(w->edit, wci_edit_config_text(document, "os"), config);
        code = wci_instructions_apply(&w->edit->instructions, wci_edit_config_text(document, "os"), config, err);
    }
    if (!code) {
        add_history(w, document, created);
        code = set_layers(w, document, err);
    }
    if (code)
        json_decref(document);
    else
        *out = document;
    return code;
}
