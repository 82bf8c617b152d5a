/* SPDX-License-Identifier: Apache-2.0 */
/* OCI runtime specification 1.0.2 documents for Linux, with Docker's defaults. What only the
 * backend can know (root.path, the control group, the init program) it adds itself. */
#ifndef WCI_SPEC_H
#define WCI_SPEC_H

#include <jansson.h>
#include <stdint.h>

#include "container/config.h"
#include "container/user.h"
#include "network/mode.h"
#include "platform/tree.h"

typedef struct wci_spec_input {
    const wci_config *config;
    const char *id;
    const char *run_dir; /* where the helper binds the namespaces that are joined */
    const char *state_dir;
    const wci_strv *mount_sources; /* of each mount, where it lies; "": as configured */
    const wci_strv *mount_flags;   /* of each, further ones, "ro,noexec" */
    const wci_user *user;
    wci_network_mode network;
    const char *etc_dir; /* holds `hosts`, `hostname` and `resolv.conf` */
} wci_spec_input;

/* The whole document, owned. */
int32_t wci_spec_make(const wci_spec_input *input, char **out, wc_error **err);

typedef struct wci_exec_input {
    const wci_config *config;
    const wci_strv *args, *env; /* env: on top of the container's */
    const char *workdir;
    const wci_user *user;
    int tty, privileged;
    int64_t console_columns, console_rows; /* 0: not set */
} wci_exec_input;
/* A process object for exec. */
int32_t wci_spec_make_process(const wci_exec_input *input, char **out, wc_error **err);

/* The parts; NULL when memory ran out. */
json_t *wci_spec_mounts(const wci_spec_input *input);
const char *wci_spec_propagation(const wci_config *config);
json_t *wci_spec_resources(const wci_config *config);
/* Adds the weights and limits of block devices to the resources. */
int32_t wci_spec_block_io(const wci_config *config, json_t *resources, wc_error **err);
/* What this host's control groups can do. */
int wci_host_swappiness(void);
int wci_host_oom_control(void);
int wci_host_realtime(void);
int wci_host_block_weight(void);
json_t *wci_spec_device_rules(const wci_config *config);
json_t *wci_spec_namespaces(const wci_spec_input *input);
int32_t wci_spec_process(const wci_exec_input *input, const wci_strv *caps, json_t **out, wc_error **err);
/* What is at an absolute path of the host, links followed. */
int32_t wci_spec_node(const char *path, wci_node_info *out, wc_error **err);
/* A device of the document, and the rule that allows it; NULL when memory ran out. */
json_t *wci_spec_device(const char *path, const wci_node_info *node);
json_t *wci_spec_device_rule(const wci_node_info *node, const char *access);
/* What they add to the member "linux". The devices add rules to the resources that are there already. */
int32_t wci_spec_devices(const wci_config *config, json_t *os, wc_error **err);
int32_t wci_spec_security(const wci_config *config, const wci_strv *caps, json_t *os, wc_error **err);
/* What security modules add to the member "process". */
int32_t wci_spec_modules(const wci_config *config, json_t *process, wc_error **err);
int wci_host_has_cgroup2(void);

#endif
