/* SPDX-License-Identifier: Apache-2.0 */
/* Figures from control groups and network interfaces, and processes as ps sees them. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <wincontainer/container.h>

#include "backend/process/linux/backend.h"
#include "backend/process/linux/cgroup_read.h"
#include "backend/process/linux/proc_read.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

static int32_t not_running(const wc_request *request, wc_error **err)
{
    return wci_err(err, WC_E_STATE, "container '%s': does not run", wc_request_container_id(request));
}

static int32_t find_run(const wc_request *request, wci_run_state *state, wc_error **err)
{
    int32_t rc = wci_run_state_read(wc_request_run_dir(request), 0, state, err);
    if (!rc && state->status != WC_STATUS_RUNNING && state->status != WC_STATUS_PAUSED)
        rc = not_running(request, err);
    return rc;
}

/* Its group goes before its monitor has written that it ended. */
static int32_t ended_meanwhile(int32_t rc, const wc_request *request, wc_error **err)
{
    if (rc != WC_E_STATE)
        return rc;
    wci_err_clear(err);
    return not_running(request, err);
}

/* ---- Networks ---- */

static int has_own_network(int64_t pid)
{
    char path[64];
    struct stat ours, theirs;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/ns/net", pid);
    return stat("/proc/self/ns/net", &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino != theirs.st_ino;
}

/* A line of /proc/PID/net/dev: a name, then eight numbers of what came and eight of what went. */
static void add_interface(json_t *networks, char *line)
{
    static const char *const keys[] = {"rx_bytes",  "rx_packets", "rx_errors", "rx_dropped", NULL, NULL, NULL, NULL,
                                       "tx_bytes", "tx_packets", "tx_errors", "tx_dropped"};
    char *colon = strchr(line, ':'), *rest = NULL;
    char *name = colon ? strtok_r(line, " :", &rest) : NULL;
    if (!name || !strcmp(name, "lo"))
        return;
    json_t *interface = json_object();
    char *word = strtok_r(NULL, " :\n", &rest);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && word; i++, word = strtok_r(NULL, " \n", &rest))
        if (keys[i])
            json_object_set_new(interface, keys[i], json_integer(strtoll(word, NULL, 10)));
    json_object_set_new(networks, name, interface);
}

static json_t *read_networks(int64_t pid)
{
    char path[64], line[512];
    json_t *networks = json_object();
    snprintf(path, sizeof path, "/proc/%" PRId64 "/net/dev", pid);
    FILE *file = has_own_network(pid) ? fopen(path, "re") : NULL;
    while (file && fgets(line, sizeof line, file))
        add_interface(networks, line);
    if (file)
        fclose(file);
    return networks;
}

/* ---- Operations ---- */

/* An ordinary user's, where he cannot have one. */
static int has_no_group(const wci_cgroup *group)
{
    return wci_cgroup_is_users() && !wci_cgroup_exists(group->path);
}

int32_t wci_process_container_stats(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response)
{
    (void)payload;
    wci_run_state state;
    wci_cgroup_figures f;
    wci_cgroup group = wci_process_group_of(request);
    int32_t rc = find_run(request, &state, call->err);
    if (!rc && has_no_group(&group))
        rc = ended_meanwhile(wci_proc_measure(state.pid, &f, call->err), request, call->err);
    else if (!rc)
        rc = ended_meanwhile(wci_cgroup_measure(group.path, &f, call->err), request, call->err);
    if (rc)
        return rc;
    json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "cpu", (json_int_t)f.cpu_ns, "memory",
                             (json_int_t)f.memory, "memoryLimit", (json_int_t)f.memory_limit, "pids",
                             (json_int_t)f.pids, "readBytes", (json_int_t)f.read_bytes, "writtenBytes",
                             (json_int_t)f.written_bytes, "networks", read_networks(state.pid));
    char *text = json ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    rc = text ? wc_response_set_text(response, text) : wci_err_nomem(call->err);
    wci_free(text);
    return rc;
}

/* ps is run by the helper, as every program. */
int32_t wci_process_container_processes(uintptr_t payload, wc_call *call, const wc_request *request,
                                        wc_response *response)
{
    process_backend *b = (process_backend *)payload;
    wci_run_state state;
    wci_link link;
    wci_report report;
    wci_cgroup group = wci_process_group_of(request);
    const char *args = wc_request_string(request, "ps-args");
    int32_t rc = find_run(request, &state, call->err);
    if (rc)
        return rc;
    json_t *json = json_pack("{s:s, s:I, s:{s:o}}", "cgroup", has_no_group(&group) ? "" : group.path, "pid",
                             (json_int_t)state.pid, "settings", "psArgs",
                             args ? json_loads(args, 0, NULL) : json_array());
    rc = wci_helper_run(b, call, "processes", json, NULL, WCI_FD_NONE, &link, &report, call->err);
    if (rc)
        return ended_meanwhile(rc, request, call->err);
    wci_link_close(&link);
    rc = wc_response_set_text(response, report.text ? report.text : "{}");
    wci_free(report.text);
    return rc;
}
