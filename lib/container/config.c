/* SPDX-License-Identifier: Apache-2.0 */
#include "container/config.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define CONFIG_VERSION 1
#define CONFIG_MAX ((size_t)16 << 20)
#define WHAT "configuration of a container"

static const wci_field fields[] = {
    WCI_FIELD("image", TEXT, wci_config, image),
    WCI_FIELD("imageId", TEXT, wci_config, image_id),
    WCI_FIELD("entrypoint", TEXTS, wci_config, entrypoint),
    WCI_FIELD("cmd", TEXTS, wci_config, cmd),
    WCI_FIELD("env", TEXTS, wci_config, env),
    WCI_FIELD("workdir", TEXT, wci_config, workdir),
    WCI_FIELD("user", TEXT, wci_config, user),
    WCI_FIELD("init", FLAG, wci_config, init),
    WCI_FIELD("isolation", TEXT, wci_config, isolation),
};
static const wci_fields basics = WCI_FIELDS(fields, wci_config);

/* Each area has a file; labels and seccomp have their own functions below. */
static const wci_fields *const parts[] = {
    &basics,
    &wci_config_life,
    &wci_config_watch,
    &wci_config_resources,
    &wci_config_security,
    &wci_config_network,
    &wci_config_storage,
};
/* What a record that does not mention it means. */
static const wci_config defaults = {.log_max_files = 1, .memory_swappiness = -1};
#define PART_COUNT (sizeof parts / sizeof *parts)

void wci_config_free(wci_config *config)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        wci_fields_free(parts[i], config);
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

/* ---- Writing ---------------------------------------------------------------------------------- */

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
    for (size_t i = 0; i < PART_COUNT; i++)
        failed |= wci_fields_write_set(parts[i], config, &defaults, root);
    failed |= wci_config_args(config, &args);
    failed |= json_object_set_new(root, "args", wci_json_from_strv(&args));
    failed |= json_object_set_new(root, "labels", labels_to_json(config));
    failed |= json_object_set_new(root, "seccomp", seccomp_to_json(config));
    char *text = failed ? NULL : wci_json_dump_text(root);
    wci_strv_free(&args);
    json_decref(root);
    return text;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

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
    for (size_t i = 0; !rc && i < PART_COUNT; i++)
        rc = wci_fields_read(parts[i], root, WHAT, config, err);
    if (!rc)
        rc = labels_from_json(root, config, err);
    if (!rc)
        rc = seccomp_from_json(root, config, err);
    return rc;
}

int32_t wci_config_from_json(const char *text, wci_config *out, wc_error **err)
{
    json_t *root = NULL;
    wci_config config = defaults;
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
