/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a container, as the store keeps them: docs/backends.md, "Configuration". */
#ifndef WCI_CONTAINER_CONFIG_H
#define WCI_CONTAINER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "container/fields.h"
#include "core/str.h"

typedef struct wci_mount {
    char *type, *source, *target;
    wci_strv options;
} wci_mount;

typedef struct wci_rlimit {
    char *name; /* "nofile" */
    int64_t soft, hard;
} wci_rlimit;

typedef struct wci_block_limit {
    char *kind; /* "weight", "read-bps", "write-bps", "read-iops", "write-iops" */
    char *path; /* of the device on the host */
    int64_t value;
} wci_block_limit;

typedef struct wci_sysctl {
    char *name, *value;
} wci_sysctl;

typedef struct wci_device {
    char *host, *target; /* a node, or a directory of such */
    char *access;        /* of "rwm" */
} wci_device;

/* How it is to be joined to a network; texts but the first may be "". */
typedef struct wci_endpoint_wish {
    char *network;
    wci_strv aliases;
    char *ipv4, *ipv6, *mac;
} wci_endpoint_wish;

/* `count` ports from these on; host_port 0: any that are free. */
typedef struct wci_port_wish {
    char *host_ip, *protocol;
    int64_t host_port, container_port, count;
} wci_port_wish;

/* Texts may be NULL while options are being filled; never after wci_config_from_json(). The members of an area are
 * in the table of its file, config_<area>.c. */
#define WCI_LOG_NONE "none" /* the log driver that keeps nothing */
#define WCI_LOG_JOURNALD "journald"

typedef struct wci_config {
    char *image, *image_id;
    wci_strv entrypoint, cmd, env;
    char *workdir, *user;
    wci_strv label_keys, label_values;
    int32_t init;
    char *isolation;

    /* life */
    int32_t auto_remove;
    char *stop_signal;
    int64_t stop_timeout_ns;
    char *restart_policy; /* "no", "always", "unless-stopped", "on-failure" */
    int64_t restart_max;  /* for the last; 0: as often as it takes */
    wci_strv health_test; /* as an image has it: CMD and arguments, CMD-SHELL and a line, NONE; empty: none */
    int64_t health_interval_ns, health_timeout_ns, health_start_period_ns, health_start_interval_ns;
    int64_t health_retries; /* of these 0: Docker's default */

    /* watch */
    int32_t tty, open_stdin;
    int64_t console_columns, console_rows; /* 0: not set */
    int64_t log_max_bytes, log_max_files;
    char *log_driver; /* "": the file; WCI_LOG_NONE, WCI_LOG_JOURNALD */
    char *log_tag;    /* in the journal: a template, log_fields.h */

    /* resources */
    int64_t memory, memory_swap, nano_cpus, cpu_shares, pids_limit;
    int64_t memory_reservation, memory_swappiness; /* -1: the host's */
    int64_t cpu_period, cpu_quota, cpu_rt_period, cpu_rt_runtime; /* microseconds */
    int64_t oom_score_adj, blkio_weight, shm_size;
    int32_t oom_kill_disable;
    char *cpuset, *cpuset_mems;
    char *cgroup_parent; /* "/a/b", or "": the library's; set also by `group` */
    char *group;         /* name of a group, or "" */
    wci_rlimit *rlimits;
    size_t rlimit_count, rlimit_cap;
    wci_block_limit *block_limits;
    size_t block_limit_count, block_limit_cap;
    wci_sysctl *sysctls;
    size_t sysctl_count, sysctl_cap;
    wci_device *devices;
    size_t device_count, device_cap;
    wci_strv device_rules; /* "c 1:3 rwm" */
    wci_strv cdi_devices;  /* "vendor.com/class=name" */

    /* security */
    int32_t privileged, no_new_privileges;
    wci_strv cap_add, cap_drop;
    char *seccomp; /* "default", "unconfined", or the JSON text of a profile */
    char *apparmor; /* "": the default; "unconfined" or the name of a profile */
    wci_strv selinux; /* "disable", "type:container_t", ... */
    wci_strv mask, unmask;
    wci_strv group_add; /* names or numbers */
    char *pid_mode, *ipc_mode, *uts_mode, *cgroup_mode, *user_mode; /* namespace.h */
    char *domainname;
    wci_strv uid_maps, gid_maps; /* idmap.h */

    /* network */
    char *hostname, *network;
    wci_strv ports; /* exposed: "80/tcp" */
    wci_endpoint_wish *endpoints; /* the networks that it is created on */
    size_t endpoint_count, endpoint_cap;
    wci_port_wish *publish;
    size_t publish_count, publish_cap;
    int32_t publish_all;
    wci_strv dns, dns_search, dns_options, extra_hosts; /* the last: "name:address" */

    /* storage */
    int32_t read_only;
    wci_mount *mounts;
    size_t mount_count, mount_cap;
    wci_strv volumes; /* paths, of the image */
    wci_strv volumes_from;
} wci_config;

extern const wci_fields wci_config_life, wci_config_watch, wci_config_resources, wci_config_security,
    wci_config_network, wci_config_storage;
extern const wci_fields wci_endpoint_wish_fields;

void wci_config_free(wci_config *config); /* the contents */
/* Owned text, NULL when memory ran out. */
char *wci_config_to_json(const wci_config *config);
/* WC_E_CORRUPT when `text` is not what wci_config_to_json() wrote. */
int32_t wci_config_from_json(const char *text, wci_config *out, wc_error **err);
/* entrypoint followed by cmd. 0 or WC_E_NOMEM. */
int wci_config_args(const wci_config *config, wci_strv *out);

/* 0 or WC_E_NOMEM. A label or variable that is there already is replaced. */
int wci_config_set_label(wci_config *config, const char *key, const char *value);
const char *wci_config_label(const wci_config *config, const char *key);
int wci_env_set(wci_strv *env, const char *name, const char *value);
int wci_env_has(const wci_strv *env, const char *name);
/* `options` are copied. */
int wci_config_add_mount(wci_config *config, const char *type, const char *source,
                         const char *target, const wci_strv *options);
/* `wish` is copied and may be NULL; its own network is not looked at. */
int32_t wci_config_add_endpoint(wci_config *config, const char *network, const wci_endpoint_wish *wish,
                                wc_error **err);
int wci_config_add_rlimit(wci_config *config, const char *name, int64_t soft, int64_t hard);
/* The same device and kind again: the value is replaced. */
int wci_config_add_block_limit(wci_config *config, const char *kind, const char *path, int64_t value);
/* The same name again: the value is replaced. */
int wci_config_add_sysctl(wci_config *config, const char *name, const char *value);
int wci_config_add_device(wci_config *config, const char *host, const char *target, const char *access);

#endif
