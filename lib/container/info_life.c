/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

#include "core/json.h"

static json_t *state_json(const wci_container_record *r)
{
    char started[WCI_TIME_TEXT_SIZE], finished[WCI_TIME_TEXT_SIZE];
    wci_time_format(r->started_ns, started);
    wci_time_format(r->finished_ns, finished);
    return json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:I, s:i, s:s, s:s, s:s}", "Status", wci_status_text(r->status),
                     "Running",
                     r->status == WCI_STATUS_RUNNING || r->status == WCI_STATUS_PAUSED || r->status == WCI_STATUS_RESTARTING, "Paused", r->status == WCI_STATUS_PAUSED,
                     "Restarting", r->status == WCI_STATUS_RESTARTING, "OOMKilled", r->oom_killed != 0, "Dead", r->status == WCI_STATUS_DEAD, "Pid",
                     (json_int_t)r->pid, "ExitCode", (int)r->exit_code, "Error", r->error, "StartedAt",
                     r->started_ns ? started : "0001-01-01T00:00:00Z", "FinishedAt",
                     r->finished_ns ? finished : "0001-01-01T00:00:00Z");
}

/* In seconds; -1: without end. */
static json_int_t stop_timeout(const wci_config *c)
{
    return c->stop_timeout_ns == INT64_MAX ? -1 : c->stop_timeout_ns / 1000000000;
}

int wci_info_add_life(json_t *root, const wci_container_record *r, const wci_config *c)
{
    return wci_info_put(root, "State", state_json(r)) ||
           wci_info_put(root, "Config",
                        json_pack("{s:s, s:I}", "StopSignal", c->stop_signal, "StopTimeout", stop_timeout(c))) ||
           wci_info_put(root, "HostConfig",
                        json_pack("{s:b, s:{s:s, s:I}}", "AutoRemove", c->auto_remove, "RestartPolicy", "Name",
                                  *c->restart_policy ? c->restart_policy : "no", "MaximumRetryCount",
                                  (json_int_t)c->restart_max)) ||
           json_object_set_new(root, "RestartCount", json_integer(r->restart_count));
}
