/* SPDX-License-Identifier: Apache-2.0 */
/* What `system info` tells of an ordinary user's containers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/process/linux/rootless.h"
#include "backend/process/linux/uplink.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/userns.h"

#define OVERLAY_MAJOR 5 /* Linux 5.11 mounts it in user namespaces */
#define OVERLAY_MINOR 11

static int kernel_has_overlay(void)
{
    char *end = NULL;
    long first = strtol(wci_host_kernel(), &end, 10);
    long second = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return first > OVERLAY_MAJOR || (first == OVERLAY_MAJOR && second >= OVERLAY_MINOR);
}

static json_t *overlay_json(void)
{
    char *program = wci_host_find_program("fuse-overlayfs");
    json_t *json = kernel_has_overlay() ? json_string("overlayfs") : program ? json_string("fuse-overlayfs") : json_null();
    wci_free(program);
    return json;
}

static void add_missing(json_t *list, const char *what, const char *why)
{
    char *text = wci_asprintf("%s: %s", what, why);
    if (text)
        json_array_append_new(list, json_string(text));
    wci_free(text);
}

static char *network_program(const process_backend *b, char *why, size_t size)
{
    wci_uplink_program program;
    wc_error *err = NULL;
    if (wci_uplink_find(b->network_helper, &program, &err)) {
        snprintf(why, size, "%s", wc_error_message(err));
        wc_error_unref(err);
        return NULL;
    }
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        snprintf(why, size, "/dev/net/tun cannot be opened; run: modprobe tun && chmod 666 /dev/net/tun");
    return program.path;
}

static json_t *missing_json(const wci_user_ids *ids, int has_cgroup, const char *why_no_network)
{
    json_t *list = json_array(), *overlay = overlay_json();
    if (wci_userns_forbidden())
        add_missing(list, "user namespaces", wci_userns_forbidden());
    if (ids->lacking[0])
        add_missing(list, "more than one id", ids->lacking);
    if (json_is_null(overlay))
        add_missing(list, "overlayfs", "it takes Linux 5.11, or the program fuse-overlayfs; install the package fuse-overlayfs");
    if (*why_no_network)
        add_missing(list, "networks besides 'none' and 'host'", why_no_network);
    if (!has_cgroup)
        add_missing(list, "limits of memory, cpus and processes, pause, update, groups", wci_rootless_why_no_cgroup());
    add_missing(list, "rules for devices, nodes of devices", "only root can have them");
    json_decref(overlay);
    return list;
}

json_t *wci_rootless_json(const process_backend *b)
{
    char why[300] = "";
    char base[WCI_CGROUP_PATH_SIZE];
    wci_user_ids ids;
    if (!wci_rootless())
        return NULL;
    wci_user_ids_read(&ids);
    int has_cgroup = !wci_cgroup_is_users() || wci_cgroup_user_base(base, sizeof base);
    char *uids = wci_id_map_text(&ids.uids), *gids = wci_id_map_text(&ids.gids);
    char *network = network_program(b, why, sizeof why);
    json_t *json = json_pack("{s:s?, s:s?, s:o, s:s?, s:s?, s:o}", "uids", uids, "gids", gids, "overlay", overlay_json(),
                             "cgroup", wci_cgroup_is_users() ? (has_cgroup ? base : NULL) : "/", "network", network,
                             "missing", missing_json(&ids, has_cgroup, why));
    wci_free(network);
    wci_free(uids);
    wci_free(gids);
    return json;
}
