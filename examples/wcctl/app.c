/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one invocation: the context, and how errors end it. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

app wcctl;

int exit_code_of(int32_t code)
{
    switch (code) {
    case WC_E_COMMAND_NOT_FOUND:
        return EXIT_COMMAND_NOT_FOUND;
    case WC_E_COMMAND_NOT_EXECUTABLE:
        return EXIT_NOT_EXECUTABLE;
    case WC_E_CANCELLED:
        return 130;
    default:
        return EXIT_OURS;
    }
}

static void print_log(void)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    int32_t level;
    wc_buf *line;
    while (wcctl.context && wc_context_next_log(wcctl.context, &level, NULL, &line) == WC_OK) {
        fprintf(stderr, "wcctl: %s: %s\n", level >= 0 && level <= 4 ? names[level] : "?",
                wc_buf_data(line));
        wc_buf_unref(line);
    }
}

int complain(wc_error *err)
{
    wc_buf *text = NULL;
    int32_t code = wc_error_code(err);
    print_log();
    if (wc_error_format(err, &text) == WC_OK)
        fprintf(stderr, "wcctl: %s\n", wc_buf_data(text));
    wc_buf_unref(text);
    wc_error_unref(err);
    return exit_code_of(code);
}

void die(int32_t code, wc_error *err)
{
    fflush(stdout);
    if (err)
        complain(err);
    else
        fprintf(stderr, "wcctl: %s\n", wc_code_name(code));
    exit(exit_code_of(code));
}

void die_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("wcctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputs("; see --help\n", stderr);
    va_end(ap);
    exit(EXIT_OURS);
}

static int32_t log_level(const char *name)
{
    static const char *const names[] = {"none", "error", "warn", "info", "debug"};
    for (size_t i = 0; i < countof(names); i++)
        if (!strcmp(name, names[i]))
            return (int32_t)i;
    die_usage("--log-level takes none, error, warn, info or debug, not '%s'", name);
}

static void set_bandwidth(wc_context_options *options)
{
    wc_error *err = NULL;
    int64_t rate = value_bytes("--limit-rate", wcctl.limit_rate);
    if (rate < 1024)
        die_usage("--limit-rate '%s': must be at least 1k", wcctl.limit_rate);
    TRY(wc_context_options_set_bandwidth(options, rate, &err));
}

static void set_options(wc_context_options *options)
{
    wc_error *err = NULL;
    if (wcctl.root)
        TRY(wc_context_options_set_root(options, wcctl.root, &err));
    if (wcctl.run_root)
        TRY(wc_context_options_set_run_root(options, wcctl.run_root, &err));
    if (wcctl.backend)
        TRY(wc_context_options_set_backend(options, wcctl.backend, &err));
    if (wcctl.runtime)
        TRY(wc_context_options_set_runtime(options, wcctl.runtime, &err));
    if (wcctl.helper && *wcctl.helper != '/')
        die_usage("--helper '%s': must be an absolute path", wcctl.helper);
    if (wcctl.helper)
        TRY(wc_context_options_set_helper(options, wcctl.helper, &err));
    if (wcctl.cgroup_manager && strcmp(wcctl.cgroup_manager, "cgroupfs") && strcmp(wcctl.cgroup_manager, "systemd"))
        die_usage("--cgroup-manager takes cgroupfs or systemd, not '%s'", wcctl.cgroup_manager);
    if (wcctl.cgroup_manager)
        TRY(wc_context_options_set_cgroup_driver(options, wcctl.cgroup_manager, &err));
    if (wcctl.network_helper && *wcctl.network_helper != '/' && strcmp(wcctl.network_helper, "pasta") &&
        strcmp(wcctl.network_helper, "slirp4netns"))
        die_usage("--network-helper takes pasta, slirp4netns or a path, not '%s'", wcctl.network_helper);
    if (wcctl.network_helper)
        TRY(wc_context_options_set_network_helper(options, wcctl.network_helper, &err));
    if (wcctl.limit_rate)
        set_bandwidth(options);
    TRY(wc_context_options_set_log_level(
        options, wcctl.log_level ? log_level(wcctl.log_level) : WC_LOG_WARN, &err));
}

static void release(void)
{
    print_log();
    wc_context_unref(wcctl.context);
    wcctl.context = NULL;
}

/* The library takes any name until a container is made: a backend may be loaded later. Here none will be. */
static void check_backend(void)
{
    wc_error *err = NULL;
    wc_list *known = NULL;
    int found = 0;
    TRY(wc_backend_list(wcctl.context, &known, &err));
    for (size_t i = 0; i < wc_list_count(known); i++)
        found |= !strcmp(wc_list_string(known, i), wcctl.backend);
    wc_list_unref(known);
    if (!found)
        die_usage("--backend '%s': there is no such backend", wcctl.backend);
}

wc_context *app_context(void)
{
    if (wcctl.context)
        return wcctl.context;
    wc_error *err = NULL;
    wc_context_options *options = NULL;
    TRY(wc_context_options_new(&options, &err));
    set_options(options);
    TRY(wc_context_open(options, wcctl.cancel, &wcctl.context, &err));
    wc_context_options_unref(options);
    for (size_t i = 0; i < wcctl.plugins.count; i++)
        TRY(wc_backend_load(wcctl.context, wcctl.plugins.items[i], &err));
    atexit(release);
    if (wcctl.backend)
        check_backend();
    return wcctl.context;
}
