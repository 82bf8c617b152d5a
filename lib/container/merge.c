/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "container/mount.h"
#include "container/seccomp.h"
#include "container/signal.h"
#include "container/user.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "network/mode.h"
#include "platform/file.h"
#include "platform/host.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The command line: an own entrypoint drops the image's command as well. */
static int32_t merge_command(const wc_container_options *o, const wci_image_config *image,
                             wci_config *c, wc_error **err)
{
    int failed = 0;
    if (!o->has_entrypoint)
        failed |= wci_strv_copy(&c->entrypoint, &image->entrypoint);
    if (!o->has_entrypoint && !o->has_command)
        failed |= wci_strv_copy(&c->cmd, &image->cmd);
    if (failed)
        return wci_err_nomem(err);
    const char *first = c->entrypoint.count ? c->entrypoint.items[0]
                        : c->cmd.count      ? c->cmd.items[0]
                                            : NULL;
    if (!first || !*first)
        return wci_err(err, WC_E_INVALID,
                       "image '%s': has no command of its own; give one to run", c->image);
    return WC_OK;
}

/* Adds what is not there yet. Entries without '=' set nothing. */
static int add_missing_env(wci_strv *env, const wci_strv *from)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < from->count; i++) {
        const char *equals = strchr(from->items[i], '=');
        if (!equals || equals == from->items[i])
            continue;
        char *name = wci_strndup(from->items[i], (size_t)(equals - from->items[i]));
        failed = !name || (!wci_env_has(env, name) && wci_env_set(env, name, equals + 1));
        wci_free(name);
    }
    return failed;
}

/* Replaces the values of what is there, and adds the rest. */
static int override_env(wci_strv *env, const wci_strv *from)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < from->count; i++) {
        const char *equals = strchr(from->items[i], '=');
        char *name = wci_strndup(from->items[i], (size_t)(equals - from->items[i]));
        failed = !name || wci_env_set(env, name, equals + 1);
        wci_free(name);
    }
    return failed;
}

/* In Docker's order: PATH, HOSTNAME, TERM, the user's, the image's. */
static int32_t merge_env(const wci_image_config *image, wci_config *c, wc_error **err)
{
    wci_strv own = c->env, all = WCI_STRV_INIT;
    int failed = add_missing_env(&own, &image->env);
    failed = failed || wci_env_set(&all, "PATH", DEFAULT_PATH) ||
             wci_env_set(&all, "HOSTNAME", c->hostname) ||
             (c->tty && wci_env_set(&all, "TERM", "xterm")) || override_env(&all, &own);
    wci_strv_free(&own);
    c->env = all;
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t merge_workdir(const wci_image_config *image, wci_config *c, wc_error **err)
{
    const char *path = c->workdir && *c->workdir ? c->workdir : image->working_dir;
    char *clean = wci_clean_path(path);
    if (!clean)
        return wci_err_nomem(err);
    wci_free(c->workdir);
    c->workdir = clean;
    return WC_OK;
}

static int32_t merge_user(const wci_image_config *image, wci_config *c, wc_error **err)
{
    if ((!c->user || !*c->user) && wci_replace(&c->user, image->user))
        return wci_err_nomem(err);
    return wci_user_check(c->user, err);
}

static int32_t merge_labels(const wci_image_config *image, wci_config *c, wc_error **err)
{
    for (size_t i = 0; i < image->label_names.count; i++)
        if (!wci_config_label(c, image->label_names.items[i]) &&
            wci_config_set_label(c, image->label_names.items[i], image->label_values.items[i]))
            return wci_err_nomem(err);
    return WC_OK;
}

static int32_t merge_stop_signal(const wci_image_config *image, wci_config *c, wc_error **err)
{
    const char *text = c->stop_signal && *c->stop_signal ? c->stop_signal : image->stop_signal;
    char name[WCI_SIGNAL_NAME_SIZE];
    int number = WCI_SIGTERM;
    int32_t rc = *text ? wci_signal_parse(text, &number, err) : WC_OK;
    if (rc)
        return rc;
    wci_signal_name(number, name);
    return wci_replace(&c->stop_signal, name) ? wci_err_nomem(err) : WC_OK;
}

static int is_mounted(const wci_config *c, const char *target)
{
    for (size_t i = 0; i < c->mount_count; i++)
        if (!strcmp(c->mounts[i].target, target))
            return 1;
    return 0;
}

static int32_t merge_volumes(const wci_image_config *image, wci_config *c, wc_error **err)
{
    for (size_t i = 0; i < image->volumes.count; i++) {
        char *path = wci_clean_path(image->volumes.items[i]);
        if (!path)
            return wci_err_nomem(err);
        if (!path[1] || is_mounted(c, path) || wci_strv_contains(&c->volumes, path)) {
            wci_free(path);
            continue;
        }
        if (wci_strv_add_take(&c->volumes, path))
            return wci_err_nomem(err);
    }
    return wci_strv_copy(&c->ports, &image->exposed_ports) ? wci_err_nomem(err) : WC_OK;
}

static int32_t set_default(char **field, const char *value, wc_error **err)
{
    if (*field && **field)
        return WC_OK;
    return wci_replace(field, value) ? wci_err_nomem(err) : WC_OK;
}

static int32_t set_hostname(const char *id, wci_config *c, wc_error **err)
{
    char name[256];
    wci_network_mode mode;
    int32_t rc = wci_network_mode_parse(c->network, &mode, err);
    if (rc)
        return rc;
    if (mode == WCI_NETWORK_HOST)
        return set_default(&c->hostname, wci_host_name(name, sizeof name), err);
    memcpy(name, id, 12);
    name[12] = '\0';
    return set_default(&c->hostname, name, err);
}

/* A profile becomes part of the settings: the file may change or go later. */
static int32_t load_seccomp(const wc_container_options *o, wci_config *c, wc_error **err)
{
    if (!o->seccomp_file)
        return set_default(&c->seccomp, "default", err);
    wc_buf *text = NULL;
    json_t *profile = NULL;
    if (!wci_file_exists(o->seccomp_file))
        return wci_err(err, WC_E_NOT_FOUND,
                       "security option 'seccomp=%s': there is no such file; name a profile in Docker's format, or "
                       "'unconfined'",
                       o->seccomp_file);
    int32_t rc = wci_file_read_all(o->seccomp_file, WCI_SECCOMP_MAX, &text, err);
    if (!rc)
        rc = wci_seccomp_check(wc_buf_data(text), wc_buf_size(text), "profile", err);
    if (!rc)
        rc = wci_json_parse(wc_buf_data(text), wc_buf_size(text), WCI_SECCOMP_MAX, "profile", &profile, err);
    wc_buf_unref(text);
    if (rc)
        return wci_err_wrap(err, rc, "security option 'seccomp=%s'", o->seccomp_file);
    wci_free(c->seccomp);
    c->seccomp = wci_json_dump_text(profile);
    json_decref(profile);
    return c->seccomp ? WC_OK : wci_err_nomem(err);
}

static int32_t check_memory(const wci_config *c, wc_error **err)
{
    if (c->memory_swap && !c->memory)
        return wci_err(err, WC_E_INVALID, "memory and swap limit: needs a memory limit as well");
    if (c->memory_swap > 0 && c->memory_swap < c->memory)
        return wci_err(err, WC_E_INVALID,
                       "memory and swap limit: is below the memory limit; it counts both together");
    return WC_OK;
}

/* The rules that are the same whatever the image. */
static int32_t settle_own(const wc_container_options *o, const char *id, wci_config *c,
                          wc_error **err)
{
    int32_t rc = set_default(&c->network, "none", err);
    if (!rc)
        rc = set_default(&c->isolation, "process", err);
    if (!rc)
        rc = set_hostname(id, c, err);
    if (!rc)
        rc = load_seccomp(o, c, err);
    if (!rc)
        rc = check_memory(c, err);
    return rc ? rc : wci_mounts_check_sources(c, err);
}

static int32_t merge_image(const wc_container_options *o, const wci_image_config *image,
                           wci_config *c, wc_error **err)
{
    int32_t rc = merge_command(o, image, c, err);
    if (!rc)
        rc = merge_env(image, c, err);
    if (!rc)
        rc = merge_workdir(image, c, err);
    if (!rc)
        rc = merge_user(image, c, err);
    if (!rc)
        rc = merge_labels(image, c, err);
    if (!rc)
        rc = merge_stop_signal(image, c, err);
    return rc ? rc : merge_volumes(image, c, err);
}

static int32_t copy_settings(const wci_config *from, wci_config *out, wc_error **err)
{
    char *text = wci_config_to_json(from);
    if (!text)
        return wci_err_nomem(err);
    int32_t rc = wci_config_from_json(text, out, err);
    wci_free(text);
    return rc;
}

int32_t wci_config_merge(const wc_container_options *options, const wci_image_config *image,
                         const char *image_id, const char *id, wci_config *out, wc_error **err)
{
    wci_config c = {0};
    int32_t rc = copy_settings(&options->settings, &c, err);
    if (!rc && wci_replace(&c.image_id, image_id))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = settle_own(options, id, &c, err);
    if (!rc)
        rc = merge_image(options, image, &c, err);
    if (rc)
        wci_config_free(&c);
    else
        *out = c;
    return rc;
}
