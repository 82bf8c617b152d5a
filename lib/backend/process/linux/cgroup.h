/* SPDX-License-Identifier: Apache-2.0 */
/* The control groups of a container: one path in every hierarchy, made by the runtime. */
#ifndef WCI_PROCESS_CGROUP_H
#define WCI_PROCESS_CGROUP_H

#include <stddef.h>

#include <wincontainer/backend.h>

#define WCI_CGROUP_PARENT "/wincontainer"
#define WCI_CGROUP_PATH_SIZE 512

/* Below the root of each hierarchy: "/wincontainer/<id>", or another parent. "": the container is in none of its own, as
 * those of ordinary users are on hosts with version 1. */
typedef struct wci_cgroup {
    char path[WCI_CGROUP_PATH_SIZE];
    char for_runtime[WCI_CGROUP_PATH_SIZE]; /* cgroupsPath of its document: the path, or SLICE:PREFIX:NAME for systemd */
} wci_cgroup;

/* Where the group of a container is to be. `parent` NULL or "": the library's. */
wci_cgroup wci_cgroup_of(const char *id, const char *parent);
/* The same, as the configuration of the request says. */
wci_cgroup wci_cgroup_of_request(const wc_request *request);

/* The same where systemd makes it: WC_E_MISSING without systemd, WC_E_INVALID when the parent is no slice, WC_E_UNSUPPORTED
 * for a container in a group. */
int32_t wci_cgroup_by_systemd(const wc_request *request, wci_cgroup *out, wc_error **err);
/* When systemd has made one for this container, that. */
void wci_cgroup_find_scope(const wc_request *request, wci_cgroup *group);
/* "a-b.slice" is "/a.slice/a-b.slice"; "-.slice" is "". WC_E_INVALID. */
int32_t wci_systemd_slice_path(const char *slice, char *out, size_t size, wc_error **err);

/* WC_E_MISSING when the host has no control groups, WC_E_PERMISSION when they cannot be written. */
int32_t wci_cgroup_check(wc_error **err);
/* 1 when those of the host are not ours to write: then groups are made below the user's own, if there is one. */
int wci_cgroup_is_users(void);
/* That one: the highest above this process that he may write. 0 and "" when there is none. */
int wci_cgroup_user_base(char *out, size_t size);
/* Where a path of ours is: below that one for users, "" where there is none. */
void wci_cgroup_place(const char *path, char out[WCI_CGROUP_PATH_SIZE]);
/* 1 when the v2 side of a hybrid tree has controllers, which crun refuses. */
int wci_cgroup_is_mixed(void);
/* 1 when some hierarchy has a group of the container. */
int wci_cgroup_exists(const char *path);
/* 1 when the kernel killed one of its processes for want of memory. */
int wci_cgroup_oom_killed(const char *path);
/* Any number of processes: a runtime cannot be relied on to say so. */
void wci_cgroup_unlimit_pids(const char *path);
/* Removes the groups of containers, in WCI_CGROUP_PARENT or in a group there, that were made a while ago and have no processes in any hierarchy, whoever's they are: a
 * start makes its own. Tells of how many containers. */
size_t wci_cgroup_prune(void);
/* Kills what is left in the groups, waits until it is gone, and removes them. WC_E_BUSY when
 * processes do not go away. */
int32_t wci_cgroup_remove(const char *path, wc_error **err);

/* As above, but WC_E_BUSY when there are processes in it or in groups below it. */
int32_t wci_cgroup_remove_empty(const char *path, wc_error **err);

/* ---- For the files about control groups ---- */

/* 1 when there is version 2 alone. */
int wci_cgroup_is_unified(void);
typedef int (*wci_cgroup_visit)(int dir, const char *name, void *arg);
/* Calls `visit` with each hierarchy; the result is the first that is not 0. Also with other directories that
 * are where hierarchies of version 1 are: crun makes such. */
int wci_cgroup_each(wci_cgroup_visit visit, void *arg);
/* Calls `visit` with the directory that the group's is in, and its name there, in each hierarchy that has it; the result
 * is the first that is not 0. */
int wci_cgroup_each_group(const char *path, wci_cgroup_visit visit, void *arg);
/* The beginning of a file, as text; 0 when it cannot be read. */
int wci_cgroup_read(int dir, const char *path, char *out, size_t size);

#endif
