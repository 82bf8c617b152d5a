/* SPDX-License-Identifier: Apache-2.0 */
/* Field names are those of `docker container inspect`. */
#include "container/info.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/list.h"
#include "platform/thread.h"

const char *wci_status_text(wci_status status)
{
    static const char *const texts[] = {"created", "created", "running", "paused", "exited", "removing", "dead", "restarting"};
    return texts[status];
}

static char *command_text(const wci_config *config)
{
    wci_strv args = WCI_STRV_INIT;
    wci_str text = WCI_STR_INIT;
    if (wci_config_args(config, &args))
        text.failed = 1;
    for (size_t i = 0; i < args.count; i++) /* in quotes as Docker has them */
        wci_str_printf(&text, i && strchr(args.items[i], ' ') ? "%s'%s'" : "%s%s", i ? " " : "", args.items[i]);
    wci_strv_free(&args);
    return wci_str_take(&text);
}

static json_t *labels_json(const wci_config *config)
{
    json_t *labels = json_object();
    for (size_t i = 0; labels && i < config->label_keys.count; i++)
        json_object_set_new(labels, config->label_keys.items[i], json_string(config->label_values.items[i]));
    return labels;
}

int wci_info_put(json_t *root, const char *section, json_t *more)
{
    json_t *object = json_object_get(root, section);
    if (!object && more)
        return json_object_set_new(root, section, more);
    int failed = !more || json_object_update(object, more);
    json_decref(more);
    return failed;
}

/* Docker says null where there is nothing. */
static json_t *list_or_null(const wci_strv *list)
{
    return list->count ? wci_json_from_strv(list) : json_null();
}

static int add_basics(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    return wci_info_put(root, "Config",
                        json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:o}", "User", c->user, "Env",
                                  wci_json_from_strv(&c->env), "Cmd", list_or_null(&c->cmd), "Entrypoint",
                                  list_or_null(&c->entrypoint), "Image", c->image, "WorkingDir", c->workdir,
                                  "Labels", labels_json(c))) ||
           wci_info_put(root, "HostConfig", json_pack("{s:s, s:b}", "Isolation", c->isolation, "Init", c->init));
}

/* Those that say who it is come first. */
static json_t *inspect_head(const wci_container_record *r, const wci_config *config)
{
    char created[WCI_TIME_TEXT_SIZE];
    wci_strv args = WCI_STRV_INIT;
    wci_time_format(r->created_ns, created);
    int failed = wci_config_args(config, &args);
    json_t *rest = wci_json_from_strv(&args);
    json_array_remove(rest, 0);
    json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s+, s:s, s:s}", "Id", r->id, "Created", created, "Path",
                             args.count ? args.items[0] : "", "Args", rest, "Image", config->image_id, "Name", "/",
                             r->name, "Driver", r->backend, "Platform", "linux");
    wci_strv_free(&args);
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

/* What has to be looked up is looked up at once: it belongs to the same moment as the record. */
static int keep(wci_store *store, wc_container_info *info)
{
    json_t *network = wci_info_network(store, info->record, &info->config);
    json_t *ports = json_object_get(network, "Ports");
    info->kept = json_object();
    if (json_object_size(ports) && !(info->ports = wci_json_dump_text(ports))) {
        json_decref(network);
        return -1;
    }
    return !info->kept || (info->config.mount_count && wci_info_add_storage(info->kept, store, &info->config)) ||
           wci_info_add_health(info->kept, store, info->record, &info->config) ||
           json_object_set_new(info->kept, "NetworkSettings", network);
}

static int add_kept(json_t *root, json_t *kept)
{
    const char *key;
    json_t *value;
    int failed = 0;
    json_object_foreach(kept, key, value) {
        json_t *object = json_object_get(root, key);
        failed |= json_is_object(object) ? json_object_update(object, value) : json_object_set(root, key, value);
    }
    return failed;
}

static char *inspect_json(const wc_container_info *info)
{
    const wci_container_record *r = info->record;
    const wci_config *config = &info->config;
    static int (*const parts[])(json_t *, const wci_container_record *, const wci_config *) = {
        add_basics,           wci_info_add_life,    wci_info_add_watch,   wci_info_add_resources,
        wci_info_add_security, wci_info_add_network,
    };
    json_t *root = inspect_head(r, config);
    int failed = !root;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !failed; i++)
        failed = parts[i](root, r, config);
    failed = failed || (!config->mount_count && wci_info_add_storage(root, NULL, config));
    failed = failed || add_kept(root, info->kept);
    char *text = failed ? NULL : wci_json_dump_text(root);
    json_decref(root);
    return text;
}

/* Most of those who list containers never ask for it, and it takes longer to make than all the rest. */
const char *wci_info_json(const wc_container_info *info)
{
    static wci_global_mutex making;
    wc_container_info *own = (wc_container_info *)(uintptr_t)info;
    wci_global_lock(&making);
    if (!own->json)
        own->json = inspect_json(own);
    wci_global_unlock(&making);
    return own->json ? own->json : "{}";
}

int32_t wci_info_new(wci_store *store, wci_container_record *record, wc_container_info **out, wc_error **err)
{
    wc_container_info *info = wci_calloc(1, sizeof *info);
    if (!info) {
        wci_container_record_free(record);
        return wci_err_nomem(err);
    }
    wci_ref_init(&info->refs);
    info->record = record;
    int32_t rc = wci_config_from_json(record->config, &info->config, err);
    if (!rc) {
        info->command = command_text(&info->config);
        rc = info->command && !keep(store, info) ? WC_OK : wci_err_nomem(err);
    }
    if (rc)
        wci_info_free(info);
    else
        *out = info;
    return rc;
}

void wci_info_free(wc_container_info *info)
{
    wci_container_record_free(info->record);
    wci_config_free(&info->config);
    wci_free(info->command);
    json_decref(info->kept);
    wci_free(info->ports);
    wci_free(info->json);
    wci_free(info);
}

static void release(void *info)
{
    wc_container_info_unref(info);
}

/* One that is removed meanwhile is left out. On a full disk it is shown as it was recorded last. */
static int32_t add(wc_call *call, wci_engine *engine, wci_container_record **record, wc_list *list, wc_error **err)
{
    wc_container_info *info = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_ctr_reconcile(call, engine, record, &why);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc && rc != WC_E_NO_SPACE)
        return wci_err_move(err, why);
    wc_error_unref(why);
    rc = wci_info_new(engine->store, *record, &info, err);
    *record = NULL;
    return rc ? rc : wci_list_add(list, info, err);
}

int32_t wci_info_list(wc_call *call, wci_engine *engine, wc_list **out, wc_error **err)
{
    wci_container_record **records = NULL;
    size_t count = 0;
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_CONTAINER_INFO, release, &list, err);
    if (!rc)
        rc = wci_container_list(engine->store, &records, &count, err);
    for (size_t i = 0; i < count && !rc; i++)
        rc = add(call, engine, &records[i], list, err);
    wci_container_records_free(records, count);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}
