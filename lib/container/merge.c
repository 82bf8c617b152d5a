/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "container/mount.h"
#include "container/user.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

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

/* As Docker keeps it: the user's, the image's. What processes have besides, see wci_spec_process(). */
static int32_t merge_env(const wci_image_config *image, wci_config *c, wc_error **err)
{
    return add_missing_env(&c->env, &image->env) ? wci_err_nomem(err) : WC_OK;
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

static int32_t copy_settings(const wci_config *from, wci_config *out, wc_error **err)
{
    char *text = wci_config_to_json(from);
    if (!text)
        return wci_err_nomem(err);
    int32_t rc = wci_config_from_json(text, out, err);
    wci_free(text);
    return rc;
}

int32_t wci_merge_default(char **field, const char *value, wc_error **err)
{
    if (*field && **field)
        return WC_OK;
    return wci_replace(field, value) ? wci_err_nomem(err) : WC_OK;
}

static int32_t merge_basics(const wci_merge *in, wci_config *c, wc_error **err)
{
    int32_t rc = wci_merge_default(&c->isolation, "process", err);
    if (!rc)
        rc = merge_command(in->options, in->image, c, err);
    if (!rc)
        rc = merge_env(in->image, c, err);
    if (!rc)
        rc = merge_workdir(in->image, c, err);
    if (!rc)
        rc = merge_user(in->image, c, err);
    return rc ? rc : merge_labels(in->image, c, err);
}

static int32_t merge_all(const wci_merge *in, wci_config *c, wc_error **err)
{
    static int32_t (*const parts[])(const wci_merge *, wci_config *, wc_error **) = {
        wci_merge_network, wci_merge_security, wci_merge_resources, merge_basics, wci_merge_life, wci_merge_storage,
    };
    int32_t rc = WC_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !rc; i++)
        rc = parts[i](in, c, err);
    return rc;
}

int32_t wci_config_merge(const wci_merge *in, const char *image_id, wci_config *out, wc_error **err)
{
    wci_config c = {0};
    int32_t rc = copy_settings(&in->options->settings, &c, err);
    if (!rc && wci_replace(&c.image_id, image_id))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = merge_all(in, &c, err);
    if (rc)
        wci_config_free(&c);
    else
        *out = c;
    return rc;
}
