/* SPDX-License-Identifier: Apache-2.0 */
#include "container/volume.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/list.h"
#include "platform/host.h"

/* ---- Options ------------------------------------------------------------------------------------ */

void wci_pairs_free(wci_pairs *pairs)
{
    wci_strv_free(&pairs->keys);
    wci_strv_free(&pairs->values);
}

int32_t wci_pairs_set(wci_pairs *pairs, const char *key, const char *value, wc_error **err)
{
    for (size_t i = 0; i < pairs->keys.count; i++)
        if (!strcmp(pairs->keys.items[i], key))
            return wci_replace(&pairs->values.items[i], value) ? wci_err_nomem(err) : WC_OK;
    if (wci_strv_add(&pairs->values, value))
        return wci_err_nomem(err);
    if (!wci_strv_add(&pairs->keys, key))
        return WC_OK;
    wci_free(pairs->values.items[--pairs->values.count]);
    return wci_err_nomem(err);
}

/* Sorted, so that equal pairs give equal texts. */
static char *pairs_text(const wci_pairs *pairs)
{
    json_t *object = json_object(), *sorted = json_object();
    const char *last = "";
    int failed = !object || !sorted;
    for (size_t i = 0; i < pairs->keys.count; i++)
        failed |= json_object_set_new(object, pairs->keys.items[i], json_string(pairs->values.items[i]));
    for (size_t n = 0; n < pairs->keys.count; n++) {
        const char *next = NULL, *key;
        json_t *value;
        json_object_foreach(object, key, value)
            if ((!n || strcmp(key, last) > 0) && (!next || strcmp(key, next) < 0))
                next = key;
        if (next)
            failed |= json_object_set(sorted, next, json_object_get(object, next));
        last = next ? next : last;
    }
    char *text = failed ? NULL : wci_json_dump_text(sorted);
    json_decref(object);
    json_decref(sorted);
    return text;
}

int32_t wci_volume_option_check(const char *key, const char *value, wc_error **err)
{
    if (!strcmp(key, "type") || !strcmp(key, "device") || !strcmp(key, "o"))
        return *value ? WC_OK : wci_err(err, WC_E_INVALID, "volume option '%s': must not be empty", key);
    if (!strcmp(key, "size"))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "volume option 'size': the store has no quotas; give a tmpfs 'o=size=…', or a device of its own");
    return wci_err(err, WC_E_INVALID, "volume option '%.80s': not known; there are 'type', 'device' and 'o'", key);
}

static int32_t check_whole(const wci_pairs *options, wc_error **err)
{
    int type = wci_strv_contains(&options->keys, "type"), device = wci_strv_contains(&options->keys, "device");
    if (options->keys.count && (!type || !device))
        return wci_err(err, WC_E_INVALID, "volume option '%s': is missing; 'type' and 'device' go together",
                       type ? "device" : "type");
    return WC_OK;
}

char *wci_volume_option(const wci_volume_record *record, const char *key)
{
    json_t *options = json_loads(record->options, 0, NULL);
    const char *value = json_string_value(json_object_get(options, key));
    char *copy = value ? wci_strdup(value) : NULL;
    json_decref(options);
    return copy;
}

/* ---- Handles ------------------------------------------------------------------------------------ */

static int32_t new_volume(wci_engine *engine, const char *name, wc_volume **out, wc_error **err)
{
    wc_volume *volume = wci_calloc(1, sizeof *volume);
    if (!volume)
        return wci_err_nomem(err);
    wci_ref_init(&volume->refs);
    volume->engine = wci_engine_ref(engine);
    volume->name = wci_strdup(name);
    volume->path = wci_volume_data(engine->store, name);
    if (!volume->name || !volume->path) {
        wci_vol_free(volume);
        return wci_err_nomem(err);
    }
    *out = volume;
    return WC_OK;
}

void wci_vol_free(wc_volume *volume)
{
    wci_engine_unref(volume->engine);
    wci_free(volume->name);
    wci_free(volume->path);
    wci_free(volume);
}

static int32_t fill(const char *name, const wc_volume_options *options, wci_volume_record *record, wc_error **err)
{
    static const wci_pairs none = {WCI_STRV_INIT, WCI_STRV_INIT};
    char made[65];
    int32_t rc = name ? WC_OK : wci_random_hex(32, made, err);
    if (!rc && options)
        rc = check_whole(&options->options, err);
    if (rc)
        return rc;
    record->is_anonymous = !name;
    record->name = wci_strdup(name ? name : made);
    record->driver = wci_strdup(WCI_VOLUME_DRIVER);
    record->options = pairs_text(options ? &options->options : &none);
    record->labels = pairs_text(options ? &options->labels : &none);
    return record->name && record->driver && record->options && record->labels ? WC_OK : wci_err_nomem(err);
}

int32_t wci_vol_create(wc_call *call, wci_engine *engine, const char *name, const wc_volume_options *options,
                       wc_volume **out, wc_error **err)
{
    wci_volume_record record = {.name = NULL};
    int created = 0;
    int32_t rc = fill(name, options, &record, err);
    if (!rc)
        rc = wci_volume_create(call, engine->store, &record, &created, err);
    if (!rc)
        rc = new_volume(engine, record.name, out, err);
    wci_volume_record_clear(&record);
    return rc;
}

int32_t wci_vol_open(wci_engine *engine, const char *name, wc_volume **out, wc_error **err)
{
    wci_volume_record record;
    int32_t rc = wci_volume_find(engine->store, name, &record, err);
    if (rc)
        return rc;
    rc = new_volume(engine, record.name, out, err);
    wci_volume_record_clear(&record);
    return rc;
}

static void release(void *volume)
{
    wc_volume_unref(volume);
}

int32_t wci_vol_list(wci_engine *engine, wc_list **out, wc_error **err)
{
    wci_volume_record *records = NULL;
    size_t count = 0;
    wc_list *list = NULL;
    int32_t rc = wci_volume_list(engine->store, &records, &count, err);
    if (!rc)
        rc = wci_list_new(WCI_LIST_VOLUME, release, &list, err);
    for (size_t i = 0; !rc && i < count; i++) {
        wc_volume *volume = NULL;
        rc = new_volume(engine, records[i].name, &volume, err);
        if (!rc)
            rc = wci_list_add(list, volume, err);
    }
    wci_volume_records_free(records, count);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}

/* ---- Looking ------------------------------------------------------------------------------------ */

static json_t *object_of(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    return object ? object : json_object();
}

int32_t wci_vol_inspect(const wc_volume *volume, wc_buf **out, wc_error **err)
{
    char created[WCI_TIME_TEXT_SIZE];
    wci_volume_record record;
    wci_strv users = WCI_STRV_INIT;
    int32_t rc = wci_volume_find(volume->engine->store, volume->name, &record, err);
    if (rc)
        return rc;
    rc = wci_volume_users(volume->engine->store, volume->name, &users, err);
    wci_time_format(record.created_ns, created);
    json_t *json = rc ? NULL
                      : json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:s, s:b, s:o}", "CreatedAt", created, "Driver",
                                  record.driver, "Labels", object_of(record.labels), "Mountpoint", volume->path, "Name",
                                  record.name, "Options", object_of(record.options), "Scope", "local", "Anonymous",
                                  record.is_anonymous, "Containers", wci_json_from_strv(&users));
    if (!rc)
        rc = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    wci_strv_free(&users);
    wci_volume_record_clear(&record);
    return rc;
}

int32_t wci_vol_size(wc_call *call, const wc_volume *volume, uint64_t *bytes, wc_error **err)
{
    wci_volume_record record;
    uint64_t entries = 0;
    int32_t rc = wci_call_check(call, err);
    if (!rc)
        rc = wci_volume_find(volume->engine->store, volume->name, &record, err);
    if (rc)
        return rc;
    wci_volume_record_clear(&record);
    return wci_dir_usage(volume->path, bytes, &entries, err);
}
