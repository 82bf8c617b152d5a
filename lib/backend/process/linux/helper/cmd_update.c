/* SPDX-License-Identifier: Apache-2.0 */
/* New limits, all of them; what is not there has none: by the runtime for the present run, in config.json for those that follow. */
#include <string.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/helper/failure.h"
#include "backend/process/linux/helper/monitor.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"

#define RUNTIME_TIMEOUT_MS 30000
#define CONFIG_MAX ((size_t)16 << 20)

typedef struct update_job {
    job job;
    const char *argv[9];
    monitor *m;
    uint64_t client_id;
    json_t *resources;
    char *text;
} update_job;

static int32_t write_config(json_t *config, wc_error **err)
{
    char *text = wci_json_dump_text(config);
    int32_t rc = text ? wci_file_write_atomic("config.json", text, strlen(text), 0600, 0, err) : wci_err_nomem(err);
    wci_free(text);
    return rc;
}

static int32_t change_config(json_t *resources, wc_error **err)
{
    json_t *config = NULL;
    int32_t rc = wci_json_read("config.json", CONFIG_MAX, "config.json", &config, err);
    json_t *linux_part = json_object_get(config, "linux");
    json_t *present = json_object_get(linux_part, "resources");
    if (!json_object_get(resources, "pids"))
        json_object_del(present, "pids");
    if (!rc && (present ? json_object_update_recursive(present, resources)
                        : json_object_set(linux_part, "resources", resources)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = write_config(config, err);
    json_decref(config);
    return rc;
}

static void finish(update_job *u, wc_error *err)
{
    session_answer(&u->m->session, u->client_id, err, NULL);
    json_decref(u->resources);
    wci_free(u->text);
    wci_free(u);
}

static void done(job *j, void *owner)
{
    update_job *u = owner;
    wc_error *err = NULL;
    if (j->failed)
        wci_err_errno(&err, j->failed, "runtime '%s'", u->argv[0]);
    else if (j->timed_out)
        wci_err(&err, WC_E_TIMEOUT, "runtime '%s': did not answer within %d s", u->argv[0], RUNTIME_TIMEOUT_MS / 1000);
    else if (j->status && run_is_over(u->m))
        (void)change_config(u->resources, &err); /* for the next run */
    else if (j->status)
        runtime_said_failure(u->argv[0], j->status, j->err.data, &err);
    else
        (void)change_config(u->resources, &err);
    if (!err && !json_object_get(u->resources, "pids"))
        wci_cgroup_unlimit_pids(u->m->req->cgroup);
    job_free(j);
    finish(u, err);
    wc_error_unref(err);
}

static void run(update_job *u)
{
    monitor *m = u->m;
    const char *argv[] = {m->req->runtime, "--root", m->runtime_root, "--log", "/dev/null", "update", "--resources=-",
                          m->req->id, NULL};
    memcpy(u->argv, argv, sizeof argv);
    u->job = (job){.argv = u->argv, .input = u->text, .timeout_ms = RUNTIME_TIMEOUT_MS, .done = done, .owner = u};
    job_run(&m->jobs, &u->job);
}

void command_update(monitor *m, uint64_t client_id, json_t *args)
{
    wc_error *err = NULL;
    json_t *resources = json_object_get(args, "resources");
    update_job *u = wci_calloc(1, sizeof *u);
    if (u && json_is_object(resources))
        u->text = wci_json_dump_text(resources);
    if (!u || !u->text) {
        wci_err(&err, u ? WC_E_FORMAT : WC_E_NOMEM, "update: no resources");
        session_answer(&m->session, client_id, err, NULL);
        wci_free(u);
    } else {
        u->m = m;
        u->client_id = client_id;
        u->resources = json_incref(resources);
        if (!m->is_waiting && !m->session.ended) {
            run(u);
            return;
        }
        (void)change_config(resources, &err); /* for the next run */
        finish(u, err);
    }
    wc_error_unref(err);
}
