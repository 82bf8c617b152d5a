/* SPDX-License-Identifier: Apache-2.0 */
#include "container/config.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define CONFIG_VERSION 1
#define CONFIG_MAX ((size_t)16 << 20)
#define WHAT "configuration of a container"

/* The plain fields; mounts, rlimits, labels and seccomp have their own functions below. */
enum kind {
    TEXT,
    TEXTS,
    FLAG,
    NUMBER,
};
static const struct {
    const char *key;
    enum kind kind;
    size_t offset;
} fields[] = {
    {"image", TEXT, offsetof(wci_config, image)},
    {"imageId", TEXT, offsetof(wci_config, image_id)},
    {"entrypoint", TEXTS, offsetof(wci_config, entrypoint)},
    {"cmd", TEXTS, offsetof(wci_config, cmd)},
    {"env", TEXTS, offsetof(wci_config, env)},
    {"workdir", TEXT, offsetof(wci_config, workdir)},
    {"user", TEXT, offsetof(wci_config, user)},
    {"hostname", TEXT, offsetof(wci_config, hostname)},
    {"tty", FLAG, offsetof(wci_config, tty)},
    {"openStdin", FLAG, offsetof(wci_config, open_stdin)},
    {"readOnly", FLAG, offsetof(wci_config, read_only)},
    {"init", FLAG, offsetof(wci_config, init)},
    {"autoRemove", FLAG, offsetof(wci_config, auto_remove)},
    {"privileged", FLAG, offsetof(wci_config, privileged)},
    {"noNewPrivileges", FLAG, offsetof(wci_config, no_new_privileges)},
    {"network", TEXT, offsetof(wci_config, network)},
    {"isolation", TEXT, offsetof(wci_config, isolation)},
    {"volumes", TEXTS, offsetof(wci_config, volumes)},
    {"ports", TEXTS, offsetof(wci_config, ports)},
    {"memory", NUMBER, offsetof(wci_config, memory)},
    {"memorySwap", NUMBER, offsetof(wci_config, memory_swap)},
    {"nanoCpus", NUMBER, offsetof(wci_config, nano_cpus)},
    {"cpuShares", NUMBER, offsetof(wci_config, cpu_shares)},
    {"pidsLimit", NUMBER, offsetof(wci_config, pids_limit)},
    {"cpuset", TEXT, offsetof(wci_config, cpuset)},
    {"capAdd", TEXTS, offsetof(wci_config, cap_add)},
    {"capDrop", TEXTS, offsetof(wci_config, cap_drop)},
    {"stopSignal", TEXT, offsetof(wci_config, stop_signal)},
    {"stopTimeoutNs", NUMBER, offsetof(wci_config, stop_timeout_ns)},
    {"logMaxBytes", NUMBER, offsetof(wci_config, log_max_bytes)},
    {"logMaxFiles", NUMBER, offsetof(wci_config, log_max_files)},
    {"consoleColumns", NUMBER, offsetof(wci_config, console_columns)},
    {"consoleRows", NUMBER, offsetof(wci_config, console_rows)},
};
#define FIELD_COUNT (sizeof fields / sizeof *fields)

static void *field_of(const wci_config *config, size_t index)
{
    return (char *)config + fields[index].offset;
}

void wci_config_free(wci_config *config)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (fields[i].kind == TEXT)
            wci_free(*(char **)field_of(config, i));
        else if (fields[i].kind == TEXTS)
            wci_strv_free(field_of(config, i));
    for (size_t i = 0; i < config->mount_count; i++) {
        wci_mount *m = &config->mounts[i];
        wci_free(m->type);
        wci_free(m->source);
        wci_free(m->target);
        wci_strv_free(&m->options);
    }
    for (size_t i = 0; i < config->rlimit_count; i++)
        wci_free(config->rlimits[i].name);
    wci_free(config->mounts);
    wci_free(config->rlimits);
    wci_free(config->seccomp);
    wci_strv_free(&config->label_keys);
    wci_strv_free(&config->label_values);
    memset(config, 0, sizeof *config);
}

/* ---- Filling ---------------------------------------------------------------------------------- */

int wci_config_args(const wci_config *config, wci_strv *out)
{
    return wci_strv_copy(out, &config->entrypoint) || wci_strv_copy(out, &config->cmd)
               ? WC_E_NOMEM
               : WC_OK;
}

int wci_config_set_label(wci_config *config, const char *key, const char *value)
{
    for (size_t i = 0; i < config->label_keys.count; i++)
        if (!strcmp(config->label_keys.items[i], key))
            return wci_replace(&config->label_values.items[i], value);
    /* The value first: a value without key does no harm. */
    config->label_values.count = config->label_keys.count;
    if (wci_strv_add(&config->label_values, value))
        return WC_E_NOMEM;
    if (wci_strv_add(&config->label_keys, key)) {
        wci_free(config->label_values.items[--config->label_values.count]);
        return WC_E_NOMEM;
    }
    return WC_OK;
}

const char *wci_config_label(const wci_config *config, const char *key)
{
    for (size_t i = 0; i < config->label_keys.count; i++)
        if (!strcmp(config->label_keys.items[i], key))
            return config->label_values.items[i];
    return NULL;
}

static size_t env_find(const wci_strv *env, const char *name)
{
    size_t size = strlen(name), i;
    for (i = 0; i < env->count; i++)
        if (!strncmp(env->items[i], name, size) && env->items[i][size] == '=')
            break;
    return i;
}

int wci_env_has(const wci_strv *env, const char *name)
{
    return env_find(env, name) < env->count;
}

int wci_env_set(wci_strv *env, const char *name, const char *value)
{
    char *text = wci_asprintf("%s=%s", name, value);
    size_t at = env_find(env, name);
    if (!text || at == env->count)
        return wci_strv_add_take(env, text);
    wci_free(env->items[at]);
    env->items[at] = text;
    return WC_OK;
}

int wci_config_add_mount(wci_config *config, const char *type, const char *source,
                         const char *target, const wci_strv *options)
{
    if (!wci_grow(&config->mounts, &config->mount_cap, config->mount_count + 1,
                  sizeof *config->mounts))
        return WC_E_NOMEM;
    wci_mount m = {wci_strdup(type), wci_strdup(source), wci_strdup(target), WCI_STRV_INIT};
    if (!m.type || !m.source || !m.target || wci_strv_copy(&m.options, options)) {
        wci_free(m.type);
        wci_free(m.source);
        wci_free(m.target);
        wci_strv_free(&m.options);
        return WC_E_NOMEM;
    }
    config->mounts[config->mount_count++] = m;
    return WC_OK;
}

int wci_config_add_rlimit(wci_config *config, const char *name, int64_t soft, int64_t hard)
{
    for (size_t i = 0; i < config->rlimit_count; i++)
        if (!strcmp(config->rlimits[i].name, name)) {
            config->rlimits[i].soft = soft;
            config->rlimits[i].hard = hard;
            return WC_OK;
        }
    char *copy = wci_strdup(name);
    if (!copy || !wci_grow(&config->rlimits, &config->rlimit_cap, config->rlimit_count + 1,
                           sizeof *config->rlimits)) {
        wci_free(copy);
        return WC_E_NOMEM;
    }
    config->rlimits[config->rlimit_count++] = (wci_rlimit){copy, soft, hard};
    return WC_OK;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static json_t *field_to_json(const wci_config *config, size_t index)
{
    const void *field = field_of(config, index);
    const char *text;
    switch (fields[index].kind) {
    case TEXT:
        text = *(char *const *)field;
        return json_string(text ? text : "");
    case TEXTS:
        return wci_json_from_strv(field);
    case FLAG:
        return json_boolean(*(const int32_t *)field);
    case NUMBER:
        break;
    }
    return json_integer(*(const int64_t *)field);
}

static json_t *mounts_to_json(const wci_config *config)
{
    json_t *array = json_array();
    for (size_t i = 0; i < config->mount_count; i++) {
        const wci_mount *m = &config->mounts[i];
        json_t *item = json_pack("{s:s, s:s, s:s, s:o}", "type", m->type, "source", m->source,
                                 "target", m->target, "options", wci_json_from_strv(&m->options));
        if (json_array_append_new(array, item)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *rlimits_to_json(const wci_config *config)
{
    json_t *array = json_array();
    for (size_t i = 0; i < config->rlimit_count; i++) {
        const wci_rlimit *r = &config->rlimits[i];
        json_t *item = json_pack("{s:s, s:I, s:I}", "name", r->name, "soft",
                                 (json_int_t)r->soft, "hard", (json_int_t)r->hard);
        if (json_array_append_new(array, item)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *labels_to_json(const wci_config *config)
{
    json_t *object = json_object();
    for (size_t i = 0; i < config->label_keys.count; i++)
        if (json_object_set_new(object, config->label_keys.items[i],
                                json_string(config->label_values.items[i]))) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *seccomp_to_json(const wci_config *config)
{
    const char *text = config->seccomp ? config->seccomp : "default";
    return text[0] == '{' ? json_loads(text, 0, NULL) : json_string(text);
}

char *wci_config_to_json(const wci_config *config)
{
    json_t *root = json_object();
    wci_strv args = WCI_STRV_INIT;
    int failed = json_object_set_new(root, "version", json_integer(CONFIG_VERSION));
    for (size_t i = 0; i < FIELD_COUNT; i++)
        failed |= json_object_set_new(root, fields[i].key, field_to_json(config, i));
    failed |= wci_config_args(config, &args);
    failed |= json_object_set_new(root, "args", wci_json_from_strv(&args));
    failed |= json_object_set_new(root, "labels", labels_to_json(config));
    failed |= json_object_set_new(root, "mounts", mounts_to_json(config));
    failed |= json_object_set_new(root, "rlimits", rlimits_to_json(config));
    failed |= json_object_set_new(root, "seccomp", seccomp_to_json(config));
    char *text = failed ? NULL : wci_json_dump_text(root);
    wci_strv_free(&args);
    json_decref(root);
    return text;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static int32_t field_from_json(json_t *root, size_t index, wci_config *config, wc_error **err)
{
    void *field = field_of(config, index);
    const char *key = fields[index].key, *text = "";
    int flag = 0;
    int32_t rc;
    switch (fields[index].kind) {
    case TEXT:
        rc = wci_json_get_string(root, key, WHAT, &text, err);
        if (!rc && wci_replace(field, text ? text : ""))
            rc = wci_err_nomem(err);
        return rc;
    case TEXTS:
        return wci_json_get_strings(root, key, WHAT, field, err);
    case FLAG:
        rc = wci_json_get_bool(root, key, WHAT, &flag, err);
        *(int32_t *)field = flag;
        return rc;
    case NUMBER:
        break;
    }
    return wci_json_get_int(root, key, WHAT, INT64_MIN, INT64_MAX, field, err);
}

static int32_t mounts_from_json(json_t *root, wci_config *config, wc_error **err)
{
    json_t *array = NULL, *item;
    size_t i;
    int32_t rc = wci_json_get_array(root, "mounts", WHAT, &array, err);
    json_array_foreach(array, i, item) {
        const char *type = "", *source = "", *target = "";
        wci_strv options = WCI_STRV_INIT;
        if (!rc)
            rc = wci_json_get_string(item, "type", WHAT, &type, err);
        if (!rc)
            rc = wci_json_get_string(item, "source", WHAT, &source, err);
        if (!rc)
            rc = wci_json_get_string(item, "target", WHAT, &target, err);
        if (!rc)
            rc = wci_json_get_strings(item, "options", WHAT, &options, err);
        if (!rc && wci_config_add_mount(config, type, source, target, &options))
            rc = wci_err_nomem(err);
        wci_strv_free(&options);
    }
    return rc;
}

static int32_t rlimits_from_json(json_t *root, wci_config *config, wc_error **err)
{
    json_t *array = NULL, *item;
    size_t i;
    int32_t rc = wci_json_get_array(root, "rlimits", WHAT, &array, err);
    json_array_foreach(array, i, item) {
        const char *name = "";
        int64_t soft = -1, hard = -1;
        if (!rc)
            rc = wci_json_get_string(item, "name", WHAT, &name, err);
        if (!rc)
            rc = wci_json_get_int(item, "soft", WHAT, -1, INT64_MAX, &soft, err);
        if (!rc)
            rc = wci_json_get_int(item, "hard", WHAT, -1, INT64_MAX, &hard, err);
        if (!rc && wci_config_add_rlimit(config, name, soft, hard))
            rc = wci_err_nomem(err);
    }
    return rc;
}

static int32_t labels_from_json(json_t *root, wci_config *config, wc_error **err)
{
    json_t *object = NULL, *value;
    const char *key;
    int32_t rc = wci_json_get_object(root, "labels", WHAT, &object, err);
    if (rc)
        return rc;
    json_object_foreach(object, key, value)
        if (json_is_string(value) && wci_config_set_label(config, key, json_string_value(value)))
            return wci_err_nomem(err);
    return WC_OK;
}

static int32_t seccomp_from_json(json_t *root, wci_config *config, wc_error **err)
{
    json_t *value = json_object_get(root, "seccomp");
    if (json_is_object(value))
        config->seccomp = wci_json_dump_text(value);
    else
        config->seccomp = wci_strdup(json_is_string(value) ? json_string_value(value) : "default");
    return config->seccomp ? WC_OK : wci_err_nomem(err);
}

static int32_t read_all(json_t *root, wci_config *config, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < FIELD_COUNT; i++)
        rc = field_from_json(root, i, config, err);
    if (!rc)
        rc = mounts_from_json(root, config, err);
    if (!rc)
        rc = rlimits_from_json(root, config, err);
    if (!rc)
        rc = labels_from_json(root, config, err);
    if (!rc)
        rc = seccomp_from_json(root, config, err);
    return rc;
}

int32_t wci_config_from_json(const char *text, wci_config *out, wc_error **err)
{
    json_t *root = NULL;
    wci_config config = {.log_max_files = 1};
    int32_t rc = wci_json_parse(text, strlen(text), CONFIG_MAX, WHAT, &root, err);
    if (!rc)
        rc = read_all(root, &config, err);
    json_decref(root);
    if (rc) {
        wci_config_free(&config);
        if (rc == WC_E_NOMEM)
            return rc;
        wci_err_clear(err);
        return wci_err(err, WC_E_CORRUPT,
                       WHAT ": the record is damaged; remove the container and create it again");
    }
    *out = config;
    return WC_OK;
}
