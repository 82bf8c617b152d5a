/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_container_options: each checks what can be checked without the image. Those of an area are in
 * options_<area>.c. */
#include "container/options.h"

#include <string.h>

#include "container/names.h"
#include "container/user.h"
#include "core/alloc.h"
#include "core/error.h"

#define DEFAULT_STOP_TIMEOUT_NS INT64_C(10000000000)

static int32_t check_image(const void *options, const char *image, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, image, "image", err);
    if (!rc && !*image)
        rc = wci_err(err, WC_E_INVALID, "image: the name must not be empty");
    return rc;
}

int32_t wc_container_options_new(const char *image, wc_container_options **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "container options: out must not be NULL");
    int32_t rc = check_image(out, image, err);
    if (rc)
        return rc;
    wc_container_options *o = wci_calloc(1, sizeof *o);
    if (!o || wci_replace(&o->settings.image, image)) {
        wci_free(o);
        return wci_err_nomem(err);
    }
    o->settings.stop_timeout_ns = DEFAULT_STOP_TIMEOUT_NS;
    o->settings.log_max_files = 1;
    o->settings.memory_swappiness = -1;
    *out = o;
    return WC_OK;
}

void wc_container_options_unref(wc_container_options *options)
{
    if (!options)
        return;
    wci_config_free(&options->settings);
    wci_free(options->name);
    wci_free(options->seccomp_file);
    wci_free(options);
}

int32_t wc_container_options_set_image(wc_container_options *options, const char *image, wc_error **err)
{
    int32_t rc = check_image(options, image, err);
    return rc ? rc : wci_option_set_text(options, &options->settings.image, image, "image", err);
}

int32_t wc_container_options_set_name(wc_container_options *options, const char *name, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "container name", err);
    if (!rc)
        rc = wci_name_check(name, err);
    return rc ? rc : wci_option_set_text(options, &options->name, name, "container name", err);
}

int32_t wc_container_options_set_command(wc_container_options *options, const char *const *args,
                                         size_t count, wc_error **err)
{
    int32_t rc = wci_option_set_list(options, options ? &options->settings.cmd : NULL, args, count,
                                     "command", err);
    if (!rc)
        options->has_command = 1;
    return rc;
}

int32_t wc_container_options_set_entrypoint(wc_container_options *options, const char *const *args,
                                            size_t count, wc_error **err)
{
    int32_t rc = wci_option_set_list(options, options ? &options->settings.entrypoint : NULL, args,
                                     count, "entrypoint", err);
    if (!rc)
        options->has_entrypoint = 1;
    return rc;
}

int32_t wc_container_options_add_env(wc_container_options *options, const char *name,
                                     const char *value, wc_error **err)
{
    return wci_option_add_env(options, options ? &options->settings.env : NULL, name, value, err);
}

int32_t wc_container_options_set_workdir(wc_container_options *options, const char *path, wc_error **err)
{
    return wci_option_set_path(options, options ? &options->settings.workdir : NULL, path,
                               "working directory", err);
}

int32_t wc_container_options_set_user(wc_container_options *options, const char *user, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, user, "user", err);
    if (!rc)
        rc = wci_user_check(user, err);
    return rc ? rc : wci_option_set_text(options, &options->settings.user, user, "user", err);
}

int32_t wc_container_options_add_label(wc_container_options *options, const char *key, const char *value, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, key, "label", err);
    if (!rc)
        rc = wci_option_check_text(options, value, "value of a label", err);
    if (!rc && !*key)
        rc = wci_err(err, WC_E_INVALID, "label: the key must not be empty");
    if (!rc && wci_config_set_label(&options->settings, key, value))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_container_options_set_init(wc_container_options *options, int32_t init, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.init : NULL, init, "init", err);
}

int32_t wc_container_options_set_isolation(wc_container_options *options, const char *isolation, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, isolation, "isolation", err);
    if (!rc && strcmp(isolation, "process") && strcmp(isolation, "hyperv"))
        rc = wci_err(err, WC_E_INVALID, "isolation '%.40s': must be 'process' or 'hyperv'", isolation);
    return rc ? rc : wci_option_set_text(options, &options->settings.isolation, isolation, "isolation", err);
}
