/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `run` and `create`, in Docker's words. */
#ifndef WCCTL_RUN_OPTIONS_H
#define WCCTL_RUN_OPTIONS_H

#include "wcctl.h"

typedef struct run_options {
    int detach, interactive, tty, remove, init;
    const char *name, *entrypoint, *workdir, *user, *pull, *cid_file, *detach_keys;
    text_list env, env_files, labels, label_files, attach;
    detach_keys keys;
    int sig_proxy;
    transfer transfer;
} run_options;

/* The options of one area, in a file of its own, run_<area>.c. */
typedef struct option_group {
    const option *options; /* their targets are the file's own */
    size_t count;
    void (*apply)(wc_container_options *to); /* what was read; ends the program when something is off */
} option_group;

extern const option_group run_life, run_watch, run_resources, run_devices, run_security, run_network, run_storage;

/* Reads the options; argv then holds IMAGE [COMMAND ...], whose count is returned. */
int run_options_read(run_options *o, const char *name, int argc, char **argv);
/* Makes the container, pulling the image as --pull says. */
wc_container *run_options_create(run_options *o, int argc, char **argv);
/* WC_ATTACH_* for the foreground. */
uint64_t run_options_attach(const run_options *o);

/* For the groups. */
void run_each(const text_list *list, wc_container_options *options,
              void (*add)(wc_container_options *, const char *));
/* Not when the value is NULL or "". */
void run_set(wc_container_options *options, const char *value,
             int32_t (*set)(wc_container_options *, const char *, wc_error **));

#endif
