/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `run` and `create`, in Docker's words. */
#ifndef WCCTL_RUN_OPTIONS_H
#define WCCTL_RUN_OPTIONS_H

#include "wcctl.h"

typedef struct run_options {
    int detach, interactive, tty, remove, init, read_only, privileged;
    const char *name, *entrypoint, *workdir, *user, *hostname, *network, *pull, *cid_file, *detach_keys;
    const char *memory, *memory_swap, *cpus, *cpu_shares, *cpuset, *pids, *stop_signal, *stop_timeout;
    text_list env, env_files, labels, volumes, mounts, tmpfs, ulimits, cap_add, cap_drop, security;
    text_list log_options, attach, ports;
    detach_keys keys;
    transfer transfer;
} run_options;

/* Reads the options; argv then holds IMAGE [COMMAND ...], whose count is returned. */
int run_options_read(run_options *o, const char *name, int argc, char **argv);
/* Makes the container, pulling the image as --pull says. */
wc_container *run_options_create(run_options *o, int argc, char **argv);
/* WC_ATTACH_* for the foreground. */
uint64_t run_options_attach(const run_options *o);

#endif
