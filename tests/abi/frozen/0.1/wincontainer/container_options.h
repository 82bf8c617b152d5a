/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file container_options.h
 * What a new container is to be.
 *
 * Words and defaults are those of `docker run`.
 */
#ifndef WINCONTAINER_CONTAINER_OPTIONS_H
#define WINCONTAINER_CONTAINER_OPTIONS_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** What a new container is to be. @since 0.1 */
typedef struct wc_container_options wc_container_options;

/* ---- Options ----------------------------------------------------------------------------------
 * Setters copy what they get and return WC_OK, WC_E_INVALID or WC_E_NOMEM; a refused value leaves
 * the options as they were. One thread at a time per object. None of them blocks. */

/**
 * Options for a container from an image of the store.
 *
 * @param image name or id; resolved when the container is created.
 * Ownership: the caller releases *out. @since 0.1
 */
WC_API int32_t wc_container_options_new(const char *image, wc_container_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_container_options_unref(wc_container_options *options);
/** Another image instead: for callers that have the options checked before they pull. @since 0.1 */
WC_API int32_t wc_container_options_set_image(wc_container_options *options, const char *image, wc_error **err);
/** [a-zA-Z0-9][a-zA-Z0-9_.-]+; default: two words made up. @since 0.1 */
WC_API int32_t wc_container_options_set_name(wc_container_options *options, const char *name, wc_error **err);
/** Replaces the image's Cmd. @since 0.1 */
WC_API int32_t wc_container_options_set_command(wc_container_options *options, const char *const *args,
                                                size_t count, wc_error **err);
/** Replaces the image's Entrypoint and drops its Cmd; count 0 clears it. @since 0.1 */
WC_API int32_t wc_container_options_set_entrypoint(wc_container_options *options, const char *const *args,
                                                   size_t count, wc_error **err);
/** One variable. value NULL takes it from the environment of this process, or leaves it out. @since 0.1 */
WC_API int32_t wc_container_options_add_env(wc_container_options *options, const char *name,
                                            const char *value, wc_error **err);
/** Absolute path in the container; made when absent, WC_E_INVALID at the start when it is a file. @since 0.1 */
WC_API int32_t wc_container_options_set_workdir(wc_container_options *options, const char *path, wc_error **err);
/** "user[:group]", names or numbers of the image's passwd and group files. @since 0.1 */
WC_API int32_t wc_container_options_set_user(wc_container_options *options, const char *user, wc_error **err);
/** One label. @since 0.1 */
WC_API int32_t wc_container_options_add_label(wc_container_options *options, const char *key, const char *value, wc_error **err);
/** 1: a small init that forwards signals and reaps. @since 0.1 */
WC_API int32_t wc_container_options_set_init(wc_container_options *options, int32_t init, wc_error **err);
/** "process" or "hyperv"; WC_E_UNSUPPORTED at creation where no backend gives it. @since 0.1 */
WC_API int32_t wc_container_options_set_isolation(wc_container_options *options, const char *isolation, wc_error **err);

/* ---- Life ----------------------------------------------------------------------------------------- */

/** 1: removed as soon as it has ended, whoever is there to see it. @since 0.1 */
WC_API int32_t wc_container_options_set_auto_remove(wc_container_options *options, int32_t remove, wc_error **err);
/** Signal by name or number that wc_container_stop() sends; default the image's, then SIGTERM. @since 0.1 */
WC_API int32_t wc_container_options_set_stop_signal(wc_container_options *options, const char *signal, wc_error **err);
/** How long wc_container_stop() waits by default; 10 s. INT64_MAX: without end. @since 0.1 */
WC_API int32_t wc_container_options_set_stop_timeout(wc_container_options *options, int64_t timeout_ns, wc_error **err);

/**
 * What comes after the end of the first process, as `docker run --restart`. The container's monitor sees to it: no
 * program of the host need run. It waits before each restart: 100 ms at first, each time twice as long, at most a
 * minute; from 100 ms again after a run of 10 s. A container that a user has stopped, or killed by its stop signal or
 * SIGKILL, does not run again until it is started; after a reboot see wc_system_apply_restart_policy().
 *
 * @param policy      "no", "always", "unless-stopped", or "on-failure": after exit codes other than 0.
 * @param max_retries how often at most, for "on-failure"; 0: as often as it takes, and for the others.
 * WC_E_INVALID at creation together with wc_container_options_set_auto_remove(), WC_E_UNSUPPORTED with a backend that
 * has no monitors. @since 0.1
 */
WC_API int32_t wc_container_options_set_restart_policy(wc_container_options *options, const char *policy,
                                                       int64_t max_retries, wc_error **err);

/**
 * A command that tells whether the container is well, instead of its image's: exit code 0, or another. The container's
 * monitor runs it in the container, as its user. Needs a backend that records by itself; others run none.
 *
 * @param args     copied; at least one.
 * @param is_shell 1: one line for /bin/sh in the container.
 * Specification: Docker's HEALTHCHECK. @since 0.1
 */
WC_API int32_t wc_container_options_set_health_command(wc_container_options *options, const char *const *args,
                                                       size_t count, int32_t is_shell, wc_error **err);
/** No check, whatever the image says. @since 0.1 */
WC_API int32_t wc_container_options_disable_health(wc_container_options *options, wc_error **err);
/**
 * When the command runs; 0: what the image says, then Docker's default.
 *
 * @param interval_ns       from the end of one check to the next; 30 s.
 * @param timeout_ns        how long one may take; then it is killed and has failed; 30 s.
 * @param start_period_ns   failures do not count so long after the start, until the first success; none.
 * @param start_interval_ns between checks in that period; as the interval.
 * WC_E_INVALID below 1 ms. @since 0.1
 */
WC_API int32_t wc_container_options_set_health_times(wc_container_options *options, int64_t interval_ns,
                                                     int64_t timeout_ns, int64_t start_period_ns,
                                                     int64_t start_interval_ns, wc_error **err);
/** Failures in a row after which it is unhealthy; 0: what the image says, then 3. @since 0.1 */
WC_API int32_t wc_container_options_set_health_retries(wc_container_options *options, int64_t retries, wc_error **err);

/* ---- Streams and logs ----------------------------------------------------------------------------- */

/** 1: a terminal. @since 0.1 */
WC_API int32_t wc_container_options_set_tty(wc_container_options *options, int32_t tty, wc_error **err);
/** Size of the terminal when it starts, in characters, 1 to 65535 each; later wc_stream_resize(). Default: as
 * the runtime makes it, as a rule 0 by 0. OCI runtime-spec, process.consoleSize. @since 0.1 */
WC_API int32_t wc_container_options_set_console_size(wc_container_options *options, uint32_t columns, uint32_t rows,
                                                     wc_error **err);
/** 1: standard input stays open for wc_stream_write(); otherwise it is empty. @since 0.1 */
WC_API int32_t wc_container_options_set_open_stdin(wc_container_options *options, int32_t open, wc_error **err);
/**
 * Where its log goes: "file", the default (Docker's "json-file" and "local" mean the same); "journald", systemd's journal,
 * with the fields that Docker's driver gives; or "none", which keeps nothing: wc_container_logs() is WC_E_UNSUPPORTED then.
 * Where no journal listens the start is WC_E_MISSING. wc_container_logs() reads it back with the program journalctl, and is
 * WC_E_MISSING without it. The journal has limits of its own: how much it takes in a time from one service, and how long it
 * keeps it. Other backends than "process" keep their own log, whatever this says.
 *
 * @param driver copied.
 * @return WC_OK, WC_E_UNSUPPORTED for any other. Specification: systemd's Native Journal Protocol. @since 0.1
 */
WC_API int32_t wc_container_options_set_log_driver(wc_container_options *options, const char *driver, wc_error **err);
/**
 * CONTAINER_TAG and SYSLOG_IDENTIFIER of its lines in the journal; the short id by default. "{{.Name}}" stands for its name
 * when it starts; as well .ID, .FullID, .ImageID, .ImageFullID, .ImageName, .DaemonName. Copied. WC_E_INVALID when that
 * cannot be understood. Specification: Docker's log tags. @since 0.1
 */
WC_API int32_t wc_container_options_set_log_tag(wc_container_options *options, const char *tag, wc_error **err);
/** Log files: bytes of one (default 0: no rotation) and how many are kept (default 1). @since 0.1 */
WC_API int32_t wc_container_options_set_log_rotation(wc_container_options *options, int64_t max_bytes,
                                                     uint32_t max_files, wc_error **err);

/* ---- Resources and devices ------------------------------------------------------------------------ */

/** Bytes; 0: no limit. @since 0.1 */
WC_API int32_t wc_container_options_set_memory(wc_container_options *options, int64_t bytes, wc_error **err);
/** Memory plus swap in bytes, -1: unlimited swap. @since 0.1 */
WC_API int32_t wc_container_options_set_memory_swap(wc_container_options *options, int64_t bytes, wc_error **err);
/** Processor time in 10^-9 processors, up to those that this process may use: 1500000000 is one and a half; 0: no limit. @since 0.1 */
WC_API int32_t wc_container_options_set_nano_cpus(wc_container_options *options, int64_t nano_cpus, wc_error **err);
/** Relative weight, 2 to 262144; 1024 is normal. @since 0.1 */
WC_API int32_t wc_container_options_set_cpu_shares(wc_container_options *options, int64_t shares, wc_error **err);
/** Processors of the host that it may use, "0-2,7". @since 0.1 */
WC_API int32_t wc_container_options_set_cpuset(wc_container_options *options, const char *cpus, wc_error **err);
/** Processes and threads, up to 4194304; 0 or -1: no limit. @since 0.1 */
WC_API int32_t wc_container_options_set_pids_limit(wc_container_options *options, int64_t limit, wc_error **err);
/** Bytes that it keeps when memory is short, at most the memory limit; 0: none. @since 0.1 */
WC_API int32_t wc_container_options_set_memory_reservation(wc_container_options *options, int64_t bytes, wc_error **err);
/** How readily the kernel swaps its memory, 0 to 100; -1: as the host's. Version 1 of control groups has it;
 * elsewhere a warning is logged, and nothing set, as Docker does. @since 0.1 */
WC_API int32_t wc_container_options_set_memory_swappiness(wc_container_options *options, int64_t swappiness, wc_error **err);
/** 1: at the memory limit its processes wait rather than die. Only version 1 of control groups, as above. @since 0.1 */
WC_API int32_t wc_container_options_set_oom_kill_disable(wc_container_options *options, int32_t disable, wc_error **err);
/** -1000 to 1000: how soon it dies when the host runs out of memory. @since 0.1 */
WC_API int32_t wc_container_options_set_oom_score_adj(wc_container_options *options, int64_t score, wc_error **err);
/** Bytes of /dev/shm; 0: 64 MiB. @since 0.1 */
WC_API int32_t wc_container_options_set_shm_size(wc_container_options *options, int64_t bytes, wc_error **err);
/** Microseconds of processor time in each period; not together with wc_container_options_set_nano_cpus().
 * @param period_us 1000 to 1000000; 0: 100000. @param quota_us at least 1000; -1: no limit; 0: not set. @since 0.1 */
WC_API int32_t wc_container_options_set_cpu_quota(wc_container_options *options, int64_t period_us, int64_t quota_us,
                                                  wc_error **err);
/** Microseconds of real-time scheduling in each period, where the kernel has real-time groups (version 1 of control
 * groups); WC_E_UNSUPPORTED at creation elsewhere. 0: not set. @since 0.1 */
WC_API int32_t wc_container_options_set_cpu_realtime(wc_container_options *options, int64_t period_us, int64_t runtime_us,
                                                     wc_error **err);
/** Memory nodes of the host that it may use, "0,1". @since 0.1 */
WC_API int32_t wc_container_options_set_cpuset_mems(wc_container_options *options, const char *nodes, wc_error **err);
/** Relative weight of its reads and writes, 10 to 1000; 0: default. Where the kernel has no weights a warning is
 * logged. @since 0.1 */
WC_API int32_t wc_container_options_set_blkio_weight(wc_container_options *options, int64_t weight, wc_error **err);
/**
 * A limit for one block device.
 *
 * @param path of the device on the host, "/dev/sda"; looked at when the container starts.
 * @param kind "read-bps", "write-bps" (bytes per second), "read-iops", "write-iops" (operations per second), "weight"
 *             (10 to 1000).
 * @since 0.1
 */
WC_API int32_t wc_container_options_add_blkio_device(wc_container_options *options, const char *path, const char *kind,
                                                     int64_t value, wc_error **err);
/** A kernel parameter of its own namespaces: "net.…", "fs.mqueue.…", "kernel.shmmax" and the other ones of IPC; those
 * of the network not on the host's. @since 0.1 */
WC_API int32_t wc_container_options_add_sysctl(wc_container_options *options, const char *name, const char *value,
                                               wc_error **err);
/** The group that it is in, see group.h; it must be there when the container is created. Not together with a cgroup
 * parent. "": none. @since 0.1 */
WC_API int32_t wc_container_options_set_group(wc_container_options *options, const char *name, wc_error **err);
/** The control group that its own is made in, "/limits/web", or the slice where systemd makes it, "limits-web.slice"; "":
 * the default of the driver. @since 0.1 */
WC_API int32_t wc_container_options_set_cgroup_parent(wc_container_options *options, const char *path, wc_error **err);
/**
 * A device of the host.
 *
 * @param host_path      node, link to one, or directory whose nodes are meant; must exist when the container starts.
 * @param container_path NULL: the same.
 * @param access         letters of "rwm" (read, write, make nodes); NULL: all.
 * @since 0.1
 */
WC_API int32_t wc_container_options_add_device(wc_container_options *options, const char *host_path,
                                               const char *container_path, const char *access, wc_error **err);
/** What may be done with devices, "c 188:* rw", in the order given, after those of wc_container_options_add_device();
 * it makes no nodes. @since 0.1 */
WC_API int32_t wc_container_options_add_device_rule(wc_container_options *options, const char *rule, wc_error **err);
/** A device that a vendor describes, "vendor.com/class=name": Container Device Interface 0.3 to 0.8, JSON files in
 * /etc/cdi and /var/run/cdi, read when the container starts. @since 0.1 */
WC_API int32_t wc_container_options_add_cdi_device(wc_container_options *options, const char *name, wc_error **err);
/** Resource limit by its name without RLIMIT_, "nofile"; -1 is unlimited. @since 0.1 */
WC_API int32_t wc_container_options_add_rlimit(wc_container_options *options, const char *name, int64_t soft,
                                               int64_t hard, wc_error **err);

/* ---- Rights and namespaces ------------------------------------------------------------------------ */

/** 1: every capability and device, no seccomp. @since 0.1 */
WC_API int32_t wc_container_options_set_privileged(wc_container_options *options, int32_t privileged, wc_error **err);
/** Capability with or without CAP_, or "ALL". @since 0.1 */
WC_API int32_t wc_container_options_add_capability(wc_container_options *options, const char *name, wc_error **err);
/** Capability with or without CAP_, or "ALL". @since 0.1 */
WC_API int32_t wc_container_options_drop_capability(wc_container_options *options, const char *name, wc_error **err);
/** In Docker's words, with '=' (or the older ':') after the first: "seccomp=unconfined" or "seccomp=FILE", a profile in
 * Docker's format; "no-new-privileges", "no-new-privileges=false"; "apparmor=PROFILE" or "apparmor=unconfined", "label=disable",
 * "label=type:TYPE" (also user, role, level, filetype), which mean nothing where the kernel has no AppArmor or SELinux, except that a
 * profile that was named must be there; "systempaths=unconfined" and, in podman's words, "mask=PATH:PATH" and
 * "unmask=ALL" or "unmask=PATH:PATH": paths that are hidden and those that are not, a last '*' standing for any
 * name. @since 0.1 */
WC_API int32_t wc_container_options_add_security(wc_container_options *options, const char *option, wc_error **err);
/** A further group of the container's processes, by its number or its name in the image. @since 0.1 */
WC_API int32_t wc_container_options_add_group(wc_container_options *options, const char *group, wc_error **err);
/** Whose namespace of a kind it uses.
 * @param kind "pid", "ipc", "uts", "cgroup" or "user"; for the network there is wc_container_options_set_network().
 * @param mode "private", "host" or "container:NAME", NAME being a name or an id that is looked up at each start and
 *   must run then; "ipc" knows also "shareable" (others may join it) and "none" (no /dev/shm); "user" is "host"
 *   or "private", for which there must be maps, see wc_container_options_add_uid_map(), or, for ordinary users,
 *   "keep-id", also "keep-id:uid=N,gid=N": they have their own number in the container, or N, and are its user when
 *   no other was set. "": the default, private but for "user", and for "cgroup" where the host still has control groups
 *   of version 1. A container that uses another's pid namespace ends with it.
 * WC_E_INVALID for others. @since 0.1 */
WC_API int32_t wc_container_options_set_namespace(wc_container_options *options, const char *kind, const char *mode,
                                                  wc_error **err);
/** Users of a user namespace of the container's own: "CONTAINER:HOST:SIZE", from which id on and how many; user 0 must be
 * among them. Without maps of groups these are the same. Files of the image and of the container keep the ids that
 * they have in the container, so do volumes; what is bound from the host keeps the host's. The network is
 * "none" or one by name, the other namespaces are private; takes Linux 6.15. @since 0.1 */
WC_API int32_t wc_container_options_add_uid_map(wc_container_options *options, const char *map, wc_error **err);
/** The same for groups. @since 0.1 */
WC_API int32_t wc_container_options_add_gid_map(wc_container_options *options, const char *map, wc_error **err);
/** NIS domain name, 1 to 64 letters, digits, '-', '.' or '_'. @since 0.1 */
WC_API int32_t wc_container_options_set_domainname(wc_container_options *options, const char *name, wc_error **err);

/* ---- Network -------------------------------------------------------------------------------------- */

/** Default: the first 12 characters of the id. @since 0.1 */
WC_API int32_t wc_container_options_set_hostname(wc_container_options *options, const char *hostname, wc_error **err);
/** "none" or "host" in this version. @since 0.1 */
WC_API int32_t wc_container_options_set_network(wc_container_options *options, const char *mode, wc_error **err);

/* ---- Storage -------------------------------------------------------------------------------------- */

/** 1: the root file system cannot be written. @since 0.1 */
WC_API int32_t wc_container_options_set_read_only(wc_container_options *options, int32_t read_only, wc_error **err);
/**
 * A mount.
 *
 * @param type    "bind", "volume", "image" or "tmpfs".
 * @param source  "bind": an absolute path of the host, which must exist. "volume": a name, see wc_volume_create(), made
 *                if it is not there; NULL: an anonymous volume. "image": an image of the store, which is in use then.
 *                "tmpfs": NULL.
 * @param target  absolute path in the container, resolved inside it.
 * @param flags   comma-separated, NULL: none. Of all but images, which cannot be written: "ro", "rw", "nosuid",
 *                "noexec", "nodev"; tmpfs: "size=64m", "mode=1777" …; bind: "rprivate", "rslave", "rshared", and
 *                "create": a source that is missing at the start is made as a directory; volume: "nocopy": it does not
 *                get what the image has at the target when it is empty; volume and image: "subpath=DIR": what it has
 *                there, links followed inside; bind and volume: "U": all files become the container's user's, "z" and
 *                "Z": they get a label that containers may use, where the host has SELinux.
 * @since 0.1
 */
WC_API int32_t wc_container_options_add_mount(wc_container_options *options, const char *type, const char *source,
                                              const char *target, const char *flags, wc_error **err);
/**
 * Takes over the binds, volumes and mounted images of another container, as they are when this one is created, except
 * where it has a mount of its own.
 *
 * @param container name or id, to which ":ro" or ":rw" may be added: all of them read-only, or as they are.
 * @since 0.1
 */
WC_API int32_t wc_container_options_add_volumes_from(wc_container_options *options, const char *container,
                                                     wc_error **err);

WC_END_DECLS

#endif
