/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/record.h"

#include <string.h>
#include <unistd.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"

static int32_t write_json(const char *path, json_t *document, wc_error **err)
{
    char *text = document ? wci_json_dump_text(document) : NULL;
    json_decref(document);
    if (!text)
        return wci_err_nomem(err);
    int32_t rc = wci_file_write_atomic(path, text, strlen(text), 0600, 0, err);
    wci_free(text);
    return rc;
}

int32_t record_run(const request *req, pid_t pid, int64_t started_ns, wc_error **err)
{
    return write_json(WCI_RUN_STATE,
                      json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:s*}", "version", WCI_PROTOCOL_VERSION,
                                "generation", (json_int_t)req->generation, "pid", (json_int_t)pid,
                                "pidStart", (json_int_t)wci_host_process_start(pid), "started",
                                (json_int_t)started_ns, "monitor", (json_int_t)getpid(), "cgroup", req->cgroup),
                      err);
}

int32_t record_between(const request *req, wc_error **err)
{
    return write_json(WCI_RUN_STATE,
                      json_pack("{s:i, s:I, s:I, s:I, s:s*}", "version", WCI_PROTOCOL_VERSION, "generation",
                                (json_int_t)req->generation, "pid", (json_int_t)0, "monitor", (json_int_t)getpid(),
                                "cgroup", req->cgroup),
                      err);
}

int32_t record_end(const request *req, int exit_code, int64_t finished_ns, wc_error **err)
{
    return write_json(WCI_RUN_EXIT,
                      json_pack("{s:i, s:I, s:i, s:I}", "version", WCI_PROTOCOL_VERSION,
                                "generation", (json_int_t)req->generation, "exitCode", exit_code,
                                "finished", (json_int_t)finished_ns),
                      err);
}

int32_t record_open(const request *req, wci_store **store, wc_error **err)
{
    WCI_CALL_NONE(call);
    return wci_store_open(&call, req->store_root, req->run_root, WCI_STORE_HELPER, store, err);
}

/* Docker's attributes of a container event: what somebody who only watches wants to know. */
static char *attributes(wci_store *store, const request *req, const int *exit_code)
{
    wci_container_record *record = NULL;
    json_t *all = json_object();
    if (!wci_container_find(store, req->id, &record, NULL)) {
        json_object_set_new(all, "name", json_string(record->name ? record->name : ""));
        json_object_set_new(all, "image", json_string(record->image_name ? record->image_name : ""));
    }
    wci_container_record_free(record);
    if (exit_code)
        json_object_set_new(all, "exitCode", json_sprintf("%d", *exit_code));
    char *text = all ? wci_json_dump_text(all) : NULL;
    json_decref(all);
    return text;
}

void record_process_died(const request *req, int exit_code)
{
    wci_store *store = NULL;
    char *about = wci_asprintf("{\"execID\":\"%s\",\"exitCode\":\"%d\"}", req->process_id, exit_code);
    if (about && req->store_root && !record_open(req, &store, NULL))
        (void)wci_event_add(store, "container", "exec_die", req->id, about, NULL);
    wci_store_unref(store);
    wci_free(about);
}

int32_t record_started(wci_store *store, const request *req, pid_t pid, int64_t started_ns, int has_check,
                       wc_error **err)
{
    char *about = attributes(store, req, NULL);
    wci_container_change change = {
        .from = 1u << WCI_STATUS_STARTING | 1u << WCI_STATUS_RESTARTING,
        .generation = req->generation,
        .status = WCI_STATUS_RUNNING,
        .pid = pid,
        .started_ns = started_ns,
        .health = has_check ? WCI_HEALTH_STARTING : WCI_HEALTH_NONE,
        .error = "",
        .action = "start",
        .attributes = about,
    };
    int32_t rc = wci_container_update(store, req->id, &change, err);
    wci_free(about);
    return rc;
}

static int32_t record_die(wci_store *store, const request *req, wci_container_change *change, wc_error **err)
{
    char *about = attributes(store, req, &change->exit_code);
    change->generation = req->generation;
    change->action = "die";
    change->attributes = about;
    change->ends_health = 1;
    int32_t rc = wci_container_update(store, req->id, change, err);
    wci_free(about);
    return rc;
}

int32_t record_restarting(wci_store *store, const request *req, int exit_code, int64_t finished_ns, int oom_killed,
                          wc_error **err)
{
    return record_die(store, req,
                      &(wci_container_change){
                          .from = 1u << WCI_STATUS_RUNNING | 1u << WCI_STATUS_PAUSED,
                          .status = WCI_STATUS_RESTARTING,
                          .is_restart = 1,
                          .finished_ns = finished_ns,
                          .exit_code = exit_code,
                          .oom_killed = oom_killed,
                      },
                      err);
}

/* What waited for its next run has told of its end before. */
static int32_t record_wait_ended(wci_store *store, const request *req)
{
    wci_container_change change = {
        .from = 1u << WCI_STATUS_RESTARTING,
        .generation = req->generation,
        .status = WCI_STATUS_EXITED,
    };
    return wci_container_update(store, req->id, &change, NULL);
}

int32_t record_exited(wci_store *store, const request *req, int exit_code, int64_t finished_ns,
                      int oom_killed, wc_error **err)
{
    if (!record_wait_ended(store, req))
        return WC_OK;
    return record_die(store, req,
                      &(wci_container_change){
                          .from = 1u << WCI_STATUS_RUNNING | 1u << WCI_STATUS_PAUSED | 1u << WCI_STATUS_REMOVING,
                          .status = WCI_STATUS_EXITED,
                          .finished_ns = finished_ns,
                          .exit_code = exit_code,
                          .oom_killed = oom_killed,
                      },
                      err);
}

void record_no_restart(const request *req, int32_t code, const char *why)
{
    wci_store *store = NULL;
    wci_container_change change = {
        .from = 1u << WCI_STATUS_RESTARTING | 1u << WCI_STATUS_RUNNING,
        .generation = req->generation,
        .status = WCI_STATUS_EXITED,
        .exit_code = code == WC_E_COMMAND_NOT_FOUND ? 127 : code == WC_E_COMMAND_NOT_EXECUTABLE ? 126 : 128,
        .no_run = 1,
        .error = why,
    };
    if (!record_open(req, &store, NULL))
        (void)wci_container_update(store, req->id, &change, NULL);
    wci_store_unref(store);
}

int32_t record_paused(wci_store *store, const request *req, pid_t pid, int is_paused, wc_error **err)
{
    wci_container_change change = {
        .from = 1u << (is_paused ? WCI_STATUS_RUNNING : WCI_STATUS_PAUSED),
        .generation = req->generation,
        .status = is_paused ? WCI_STATUS_PAUSED : WCI_STATUS_RUNNING,
        .pid = pid,
        .action = is_paused ? "pause" : "unpause",
    };
    return wci_container_update(store, req->id, &change, err);
}

int record_says_remove(wci_store *store, const request *req)
{
    wci_container_record *record = NULL;
    if (!req->auto_remove || wci_container_find(store, req->id, &record, NULL))
        return 0;
    int remove = record->auto_remove;
    wci_container_record_free(record);
    return remove;
}

void record_network(const request *req, const char *program, const char *why)
{
    wci_store *store = NULL;
    if (record_open(req, &store, NULL))
        return;
    char *about = attributes(store, req, NULL);
    json_t *all = about ? json_loads(about, 0, NULL) : NULL;
    if (*program)
        json_object_set_new(all, "program", json_string(program));
    if (why)
        json_object_set_new(all, "error", json_string(why));
    char *text = all ? wci_json_dump_text(all) : NULL;
    if (text)
        (void)wci_event_add(store, "container", why ? "network_broken" : "network_restored", req->id, text, NULL);
    json_decref(all);
    wci_free(about);
    wci_free(text);
    wci_store_unref(store);
}
