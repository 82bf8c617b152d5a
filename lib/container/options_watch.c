/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

#include "container/log_fields.h"
#include "core/alloc.h"
#include "core/error.h"

int32_t wc_container_options_set_tty(wc_container_options *options, int32_t tty, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.tty : NULL, tty, "tty", err);
}

int32_t wc_container_options_set_console_size(wc_container_options *options, uint32_t columns,
                                              uint32_t rows, wc_error **err)
{
    return wci_option_set_console_size(options, options ? &options->settings.console_columns : NULL,
                                       options ? &options->settings.console_rows : NULL, columns, rows,
                                       err);
}

int32_t wc_container_options_set_open_stdin(wc_container_options *options, int32_t open, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.open_stdin : NULL, open,
                               "open stdin", err);
}

int32_t wc_container_options_set_log_rotation(wc_container_options *options, int64_t max_bytes,
                                              uint32_t max_files, wc_error **err)
{
    if (!options)
        return wci_err(err, WC_E_INVALID, "log rotation: options must not be NULL");
    if (max_bytes < 0 || max_files < 1 || max_files > 1000)
        return wci_err(err, WC_E_INVALID,
                       "log rotation: bytes must not be negative and files must be from 1 to 1000");
    options->settings.log_max_bytes = max_bytes;
    options->settings.log_max_files = max_files;
    return WC_OK;
}

/* Docker's names for drivers that write files mean ours. */
static int is_file_driver(const char *driver)
{
    return !strcmp(driver, "file") || !strcmp(driver, "json-file") || !strcmp(driver, "local") || !strcmp(driver, "k8s-file");
}

int32_t wc_container_options_set_log_driver(wc_container_options *options, const char *driver, wc_error **err)
{
    if (!options || !driver)
        return wci_err(err, WC_E_INVALID, "log driver: options and driver must not be NULL");
    if (!is_file_driver(driver) && strcmp(driver, WCI_LOG_JOURNALD) && strcmp(driver, WCI_LOG_NONE))
        return wci_err(err, WC_E_UNSUPPORTED, "log driver '%.80s': there are 'file', 'journald' and 'none'", driver);
    return wci_replace(&options->settings.log_driver, driver) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_container_options_set_log_tag(wc_container_options *options, const char *tag, wc_error **err)
{
    if (!options || !tag)
        return wci_err(err, WC_E_INVALID, "log tag: options and tag must not be NULL");
    int32_t rc = wci_log_tag_check(tag, err);
    return rc ? rc : wci_option_set_text(options, &options->settings.log_tag, tag, "log tag", err);
}
