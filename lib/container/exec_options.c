/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_exec_options and wc_log_options. */
#include "container/options.h"

#include "container/user.h"
#include "core/alloc.h"
#include "core/error.h"

int32_t wc_exec_options_new(const char *const *args, size_t count, wc_exec_options **out, wc_error **err)
{
    if (!out || !args || !count)
        return wci_err(err, WC_E_INVALID, "exec options: args and out must be given, with at least one argument");
    wc_exec_options *o = wci_calloc(1, sizeof *o);
    if (!o)
        return wci_err_nomem(err);
    int32_t rc = wci_option_set_list(o, &o->args, args, count, "command", err);
    if (!rc && !o->args.items[0][0])
        rc = wci_err(err, WC_E_INVALID, "command: the first argument must not be empty");
    if (rc)
        wc_exec_options_unref(o);
    else
        *out = o;
    return rc;
}

void wc_exec_options_unref(wc_exec_options *options)
{
    if (!options)
        return;
    wci_strv_free(&options->args);
    wci_strv_free(&options->env);
    wci_free(options->workdir);
    wci_free(options->user);
    wci_free(options);
}

int32_t wc_exec_options_add_env(wc_exec_options *options, const char *name, const char *value, wc_error **err)
{
    return wci_option_add_env(options, options ? &options->env : NULL, name, value, err);
}

int32_t wc_exec_options_set_workdir(wc_exec_options *options, const char *path, wc_error **err)
{
    return wci_option_set_path(options, options ? &options->workdir : NULL, path,
                               "working directory", err);
}

int32_t wc_exec_options_set_user(wc_exec_options *options, const char *user, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, user, "user", err);
    if (!rc)
        rc = wci_user_check(user, err);
    return rc ? rc : wci_option_set_text(options, &options->user, user, "user", err);
}

int32_t wc_exec_options_set_tty(wc_exec_options *options, int32_t tty, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->tty : NULL, tty, "tty", err);
}

int32_t wc_exec_options_set_console_size(wc_exec_options *options, uint32_t columns, uint32_t rows,
                                         wc_error **err)
{
    return wci_option_set_console_size(options, options ? &options->console_columns : NULL,
                                       options ? &options->console_rows : NULL, columns, rows, err);
}

int32_t wc_exec_options_set_privileged(wc_exec_options *options, int32_t privileged, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->privileged : NULL, privileged,
                               "privileged", err);
}

int32_t wc_log_options_new(wc_log_options **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "log options: out must not be NULL");
    wc_log_options *o = wci_calloc(1, sizeof *o);
    if (!o)
        return wci_err_nomem(err);
    o->tail = -1;
    *out = o;
    return WC_OK;
}

void wc_log_options_unref(wc_log_options *options)
{
    wci_free(options);
}

int32_t wc_log_options_set_follow(wc_log_options *options, int32_t follow, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->follow : NULL, follow, "follow", err);
}

static int32_t set_number(wc_log_options *options, int64_t *field, int64_t value, const char *what,
                          wc_error **err)
{
    if (!options)
        return wci_err(err, WC_E_INVALID, "%s: options must not be NULL", what);
    *field = value;
    return WC_OK;
}

int32_t wc_log_options_set_tail(wc_log_options *options, int64_t lines, wc_error **err)
{
    return set_number(options, options ? &options->tail : NULL, lines < 0 ? -1 : lines, "tail", err);
}

int32_t wc_log_options_set_since(wc_log_options *options, int64_t time_ns, wc_error **err)
{
    return set_number(options, options ? &options->since_ns : NULL, time_ns, "since", err);
}

int32_t wc_log_options_set_until(wc_log_options *options, int64_t time_ns, wc_error **err)
{
    return set_number(options, options ? &options->until_ns : NULL, time_ns, "until", err);
}
