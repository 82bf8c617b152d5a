/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

static int32_t require_options(const void *options, const char *what, wc_error **err)
{
    return options ? WC_OK : wci_err(err, WC_E_INVALID, "%s: options must not be NULL", what);
}

int32_t wci_option_check_text(const void *options, const char *text, const char *what,
                              wc_error **err)
{
    int32_t rc = require_options(options, what, err);
    if (rc)
        return rc;
    if (!text)
        return wci_err(err, WC_E_INVALID, "%s: must not be NULL", what);
    if (!wci_is_utf8(text, strlen(text)))
        return wci_err(err, WC_E_INVALID, "%s: is not UTF-8", what);
    return WC_OK;
}

int32_t wci_option_set_text(const void *options, char **field, const char *text, const char *what,
                            wc_error **err)
{
    int32_t rc = wci_option_check_text(options, text, what, err);
    if (!rc && wci_replace(field, text))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wci_option_set_flag(const void *options, int32_t *field, int32_t value, const char *what,
                            wc_error **err)
{
    int32_t rc = require_options(options, what, err);
    if (rc)
        return rc;
    if (value != 0 && value != 1)
        return wci_err(err, WC_E_INVALID, "%s: %d is neither 0 nor 1", what, (int)value);
    *field = value;
    return WC_OK;
}

int32_t wci_option_set_console_size(const void *options, int64_t *to_columns, int64_t *to_rows,
                                    uint32_t columns, uint32_t rows, wc_error **err)
{
    int32_t rc = require_options(options, "console size", err);
    if (rc)
        return rc;
    if (!columns || !rows || columns > UINT16_MAX || rows > UINT16_MAX)
        return wci_err(err, WC_E_INVALID, "console size %lux%lu: 1 to 65535 columns and rows",
                       (unsigned long)columns, (unsigned long)rows);
    *to_columns = columns;
    *to_rows = rows;
    return WC_OK;
}

int32_t wci_option_set_list(const void *options, wci_strv *list, const char *const *args,
                            size_t count, const char *what, wc_error **err)
{
    int32_t rc = require_options(options, what, err);
    if (!rc && count && !args)
        rc = wci_err(err, WC_E_INVALID, "%s: must not be NULL", what);
    wci_strv copy = WCI_STRV_INIT;
    for (size_t i = 0; !rc && i < count; i++) {
        rc = wci_option_check_text(options, args[i], what, err);
        if (!rc && wci_strv_add(&copy, args[i]))
            rc = wci_err_nomem(err);
    }
    wci_strv *drop = rc ? &copy : list;
    wci_strv_free(drop);
    if (!rc)
        *list = copy;
    return rc;
}

int32_t wci_option_set_path(const void *options, char **field, const char *path, const char *what,
                            wc_error **err)
{
    int32_t rc = wci_option_check_text(options, path, what, err);
    if (!rc && path[0] != '/')
        rc = wci_err(err, WC_E_INVALID, "%s: '%.200s': must be an absolute path", what, path);
    return rc ? rc : wci_option_set_text(options, field, path, what, err);
}

int32_t wci_option_add_env(const void *options, wci_strv *env, const char *name,
                           const char *value, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "environment variable", err);
    if (rc)
        return rc;
    if (!*name || strchr(name, '='))
        return wci_err(err, WC_E_INVALID,
                       "environment variable '%.80s': the name must not be empty or hold '='",
                       name);
    if (!value && !(value = wci_host_env(name)))
        return WC_OK;
    rc = wci_option_check_text(options, value, "value of an environment variable", err);
    if (!rc && wci_env_set(env, name, value))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wci_option_set_number(const void *options, int64_t *field, int64_t value, int allowed,
                          const char *what, const char *rule, wc_error **err)
{
    if (!options)
        return wci_err(err, WC_E_INVALID, "%s: options must not be NULL", what);
    if (!allowed)
        return wci_err(err, WC_E_INVALID, "%s %lld: %s", what, (long long)value, rule);
    *field = value;
    return WC_OK;
}
