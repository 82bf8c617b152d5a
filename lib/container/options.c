/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_container_options: each checks what can be checked without the image. */
#include "container/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "container/caps.h"
#include "container/mount.h"
#include "container/names.h"
#include "container/signal.h"
#include "container/user.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/thread.h"

#define MIN_MEMORY (6 * 1024 * 1024)
#define NANO 1000000000
#define MAX_PIDS 4194304 /* PID_MAX_LIMIT of Linux */
#define DEFAULT_STOP_TIMEOUT_NS INT64_C(10000000000)

int32_t wc_container_options_new(const char *image, wc_container_options **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "container options: out must not be NULL");
    int32_t rc = wci_option_check_text(out, image, "image", err);
    if (!rc && !*image)
        rc = wci_err(err, WC_E_INVALID, "image: the name must not be empty");
    if (rc)
        return rc;
    wc_container_options *o = wci_calloc(1, sizeof *o);
    if (!o || wci_replace(&o->settings.image, image)) {
        wci_free(o);
        return wci_err_nomem(err);
    }
    o->settings.stop_timeout_ns = DEFAULT_STOP_TIMEOUT_NS;
    o->settings.log_max_files = 1;
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

int32_t wc_container_options_set_hostname(wc_container_options *options, const char *hostname, wc_error **err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    int32_t rc = wci_option_check_text(options, hostname, "hostname", err);
    if (rc)
        return rc;
    size_t size = strlen(hostname);
    if (!size || size > 64 || strspn(hostname, allowed) != size)
        return wci_err(err, WC_E_INVALID,
                       "hostname '%.80s': must be 1 to 64 letters, digits, '-', '.' or '_'", hostname);
    return wci_option_set_text(options, &options->settings.hostname, hostname, "hostname", err);
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

int32_t wc_container_options_set_read_only(wc_container_options *options, int32_t read_only, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.read_only : NULL, read_only,
                               "read-only", err);
}

int32_t wc_container_options_set_init(wc_container_options *options, int32_t init, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.init : NULL, init, "init", err);
}

int32_t wc_container_options_set_auto_remove(wc_container_options *options, int32_t remove, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.auto_remove : NULL, remove,
                               "auto-remove", err);
}

int32_t wc_container_options_set_privileged(wc_container_options *options, int32_t privileged, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.privileged : NULL, privileged,
                               "privileged", err);
}

int32_t wc_container_options_set_network(wc_container_options *options, const char *mode, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, mode, "network", err);
    if (!rc && !*mode)
        rc = wci_err(err, WC_E_INVALID, "network: the mode must not be empty");
    return rc ? rc : wci_option_set_text(options, &options->settings.network, mode, "network", err);
}

int32_t wc_container_options_set_isolation(wc_container_options *options, const char *isolation, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, isolation, "isolation", err);
    if (!rc && strcmp(isolation, "process") && strcmp(isolation, "hyperv"))
        rc = wci_err(err, WC_E_INVALID, "isolation '%.40s': must be 'process' or 'hyperv'", isolation);
    return rc ? rc : wci_option_set_text(options, &options->settings.isolation, isolation, "isolation", err);
}

int32_t wc_container_options_add_mount(wc_container_options *options, const char *type, const char *source,
                                       const char *target, const char *flags, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, type, "type of a mount", err);
    if (!rc)
        rc = wci_option_check_text(options, source ? source : "", "source of a mount", err);
    if (!rc)
        rc = wci_option_check_text(options, target, "target of a mount", err);
    if (!rc)
        rc = wci_option_check_text(options, flags ? flags : "", "flags of a mount", err);
    return rc ? rc : wci_mount_add(&options->settings, type, source, target, flags, err);
}

/* ---- Limits ----------------------------------------------------------------------------------- */

static int32_t set_number(const void *options, int64_t *field, int64_t value, int allowed,
                          const char *what, const char *rule, wc_error **err)
{
    if (!options)
        return wci_err(err, WC_E_INVALID, "%s: options must not be NULL", what);
    if (!allowed)
        return wci_err(err, WC_E_INVALID, "%s %lld: %s", what, (long long)value, rule);
    *field = value;
    return WC_OK;
}

int32_t wc_container_options_set_memory(wc_container_options *options, int64_t bytes, wc_error **err)
{
    return set_number(options, options ? &options->settings.memory : NULL, bytes,
                      bytes == 0 || bytes >= MIN_MEMORY, "memory limit",
                      "must be 0 (none) or at least 6 MiB", err);
}

int32_t wc_container_options_set_memory_swap(wc_container_options *options, int64_t bytes, wc_error **err)
{
    return set_number(options, options ? &options->settings.memory_swap : NULL, bytes, bytes >= -1,
                      "memory and swap limit", "must be -1 (unlimited swap), 0 (default) or bytes",
                      err);
}

int32_t wc_container_options_set_nano_cpus(wc_container_options *options, int64_t nano_cpus, wc_error **err)
{
    int64_t there = wci_cpu_count();
    if (nano_cpus && (nano_cpus < NANO / 100 || nano_cpus > there * NANO))
        return wci_err(err, WC_E_INVALID,
                       "processor limit of %.12g processors: must be 0 (none) or from 0.01 to %lld, the processors that "
                       "can be used here",
                       (double)nano_cpus / NANO, (long long)there);
    return set_number(options, options ? &options->settings.nano_cpus : NULL, nano_cpus, 1, "processor limit", "",
                      err);
}

int32_t wc_container_options_set_cpu_shares(wc_container_options *options, int64_t shares, wc_error **err)
{
    return set_number(options, options ? &options->settings.cpu_shares : NULL, shares,
                      shares == 0 || (shares >= 2 && shares <= 262144), "processor shares",
                      "must be 0 (default) or from 2 to 262144", err);
}

int32_t wc_container_options_set_pids_limit(wc_container_options *options, int64_t limit, wc_error **err)
{
    return set_number(options, options ? &options->settings.pids_limit : NULL, limit,
                      limit >= -1 && limit <= MAX_PIDS, "process limit",
                      "must be -1 or 0 (none), or from 1 to 4194304, the most that Linux counts", err);
}

int32_t wc_container_options_set_stop_timeout(wc_container_options *options, int64_t timeout_ns, wc_error **err)
{
    return set_number(options, options ? &options->settings.stop_timeout_ns : NULL, timeout_ns,
                      timeout_ns >= 0, "stop timeout", "must not be negative", err);
}

/* "0-2,7": what the kernel's cpuset files take. Tells the highest number in it. */
static int is_cpu_list(const char *text, unsigned long *highest)
{
    *highest = 0;
    for (const char *p = text;; p++) {
        char *end;
        if (*p < '0' || *p > '9')
            return 0;
        unsigned long first = strtoul(p, &end, 10), last = first;
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 10);
        if (first > last)
            return 0;
        if (last > *highest)
            *highest = last;
        if (!*end)
            return 1;
        if (*end != ',')
            return 0;
        p = end;
    }
}

int32_t wc_container_options_set_cpuset(wc_container_options *options, const char *cpus, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, cpus, "cpuset", err);
    unsigned long highest = 0;
    if (!rc && *cpus && !is_cpu_list(cpus, &highest))
        rc = wci_err(err, WC_E_INVALID, "cpuset '%.80s': must be a list such as '0-2,7'", cpus);
    if (!rc && highest >= (unsigned long)wci_cpu_limit())
        rc = wci_err(err, WC_E_INVALID, "cpuset '%.80s': there is no processor %lu, this host has 0 to %d", cpus, highest,
                     wci_cpu_limit() - 1);
    return rc ? rc : wci_option_set_text(options, &options->settings.cpuset, cpus, "cpuset", err);
}

static int is_rlimit(const char *name)
{
    static const char *const names[] = {"as",      "core",  "cpu",        "data",   "fsize",  "locks",
                                        "memlock", "msgqueue", "nice",    "nofile", "nproc",  "rss",
                                        "rtprio",  "rttime", "sigpending", "stack"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name))
            return 1;
    return 0;
}

int32_t wc_container_options_add_rlimit(wc_container_options *options, const char *name, int64_t soft,
                                        int64_t hard, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "resource limit", err);
    if (rc)
        return rc;
    if (!is_rlimit(name))
        return wci_err(err, WC_E_INVALID, "resource limit '%.40s': not known; examples are 'nofile' and 'nproc'",
                       name);
    if (soft < -1 || hard < -1)
        return wci_err(err, WC_E_INVALID, "resource limit '%s': must be -1 (unlimited) or more", name);
    if (hard >= 0 && (soft < 0 || soft > hard))
        return wci_err(err, WC_E_INVALID, "resource limit '%s': the soft limit is above the hard limit", name);
    if (wci_config_add_rlimit(&options->settings, name, soft, hard))
        return wci_err_nomem(err);
    return WC_OK;
}

/* ---- Rights ----------------------------------------------------------------------------------- */

static int32_t add_capability(const void *options, wci_strv *list, const char *name, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "capability", err);
    if (rc)
        return rc;
    const char *known = wci_cap_normalise(name);
    if (!known)
        return wci_err(err, WC_E_INVALID, "capability '%.40s': not known; examples are 'NET_ADMIN' and 'ALL'",
                       name);
    if (!wci_strv_contains(list, known) && wci_strv_add(list, known))
        return wci_err_nomem(err);
    return WC_OK;
}

int32_t wc_container_options_add_capability(wc_container_options *options, const char *name, wc_error **err)
{
    return add_capability(options, options ? &options->settings.cap_add : NULL, name, err);
}

int32_t wc_container_options_drop_capability(wc_container_options *options, const char *name, wc_error **err)
{
    return add_capability(options, options ? &options->settings.cap_drop : NULL, name, err);
}

static int32_t set_seccomp(wc_container_options *options, const char *value, wc_error **err)
{
    char *file = NULL;
    if (strcmp(value, "unconfined") && strcmp(value, "default")) {
        int32_t rc = wci_path_absolute(value, &file, err);
        if (rc)
            return rc;
    }
    if (wci_replace(&options->settings.seccomp, file ? "default" : value)) {
        wci_free(file);
        return wci_err_nomem(err);
    }
    wci_free(options->seccomp_file);
    options->seccomp_file = file;
    return WC_OK;
}

int32_t wc_container_options_add_security(wc_container_options *options, const char *option, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, option, "security option", err);
    if (rc)
        return rc;
    if (wci_starts_with(option, "seccomp=") && option[8])
        return set_seccomp(options, option + 8, err);
    const char *value = wci_starts_with(option, "no-new-privileges") ? option + 17 : "?";
    if (!*value || !strcmp(value, "=true") || !strcmp(value, ":true")) {
        options->settings.no_new_privileges = 1;
        return WC_OK;
    }
    if (!strcmp(value, "=false") || !strcmp(value, ":false")) {
        options->settings.no_new_privileges = 0;
        return WC_OK;
    }
    return wci_err(err, WC_E_INVALID,
                   "security option '%.80s': must be 'seccomp=unconfined', 'seccomp=FILE' or 'no-new-privileges'",
                   option);
}

/* ---- End and log ------------------------------------------------------------------------------ */

int32_t wc_container_options_set_stop_signal(wc_container_options *options, const char *signal, wc_error **err)
{
    int number;
    char name[WCI_SIGNAL_NAME_SIZE];
    int32_t rc = wci_option_check_text(options, signal, "stop signal", err);
    if (!rc)
        rc = wci_signal_parse(signal, &number, err);
    if (rc)
        return rc;
    wci_signal_name(number, name);
    return wci_option_set_text(options, &options->settings.stop_signal, name, "stop signal", err);
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
