/* SPDX-License-Identifier: Apache-2.0 */
/* What wc_container_options and wc_exec_options hold. The setters, which are public, are in
 * options.c, options_<area>.c and exec_options.c. */
#ifndef WCI_CONTAINER_OPTIONS_H
#define WCI_CONTAINER_OPTIONS_H

#include <wincontainer/container.h>
#include <wincontainer/process.h>

#include "container/config.h"

struct wc_container_options {
    wci_config settings; /* what the user said; the image's part is merged in at creation */
    char *name;          /* NULL: make one up */
    char *seccomp_file;  /* NULL: settings.seccomp says it all */
    int has_command, has_entrypoint;
};

struct wc_exec_options {
    wci_strv args, env;
    char *workdir, *user; /* NULL: the container's */
    int32_t tty, privileged;
    int64_t console_columns, console_rows; /* 0: not set */
};

struct wc_log_options {
    int32_t follow;
    int64_t tail, since_ns, until_ns;
};

/* WC_E_INVALID for what is no policy of Docker's. */
int32_t wci_restart_policy_check(const char *policy, int64_t max_retries, wc_error **err);

/* Shared by the setters; each names `what` in its error. */
int32_t wci_option_check_text(const void *options, const char *text, const char *what,
                              wc_error **err);
int32_t wci_option_set_text(const void *options, char **field, const char *text, const char *what,
                            wc_error **err);
int32_t wci_option_set_flag(const void *options, int32_t *field, int32_t value, const char *what,
                            wc_error **err);
/* `rule` is told when the value is not allowed. */
int32_t wci_option_set_number(const void *options, int64_t *field, int64_t value, int allowed,
                              const char *what, const char *rule, wc_error **err);
int32_t wci_option_set_console_size(const void *options, int64_t *to_columns, int64_t *to_rows,
                                    uint32_t columns, uint32_t rows, wc_error **err);
/* Replaces *list by the arguments; all of them must be texts. */
int32_t wci_option_set_list(const void *options, wci_strv *list, const char *const *args,
                            size_t count, const char *what, wc_error **err);
int32_t wci_option_set_path(const void *options, char **field, const char *path, const char *what,
                            wc_error **err);
int32_t wci_option_add_env(const void *options, wci_strv *env, const char *name,
                           const char *value, wc_error **err);

#endif
