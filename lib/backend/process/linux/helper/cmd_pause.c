/* SPDX-License-Identifier: Apache-2.0 */
/* Holding the container's processes, and letting them go on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "backend/process/linux/helper/failure.h"
#include "backend/process/linux/helper/monitor.h"
#include "backend/process/linux/helper/record.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"

#define RUNTIME_TIMEOUT_MS 30000
/* How often runc is asked: it gives the kernel some milliseconds to freeze all of them, which is little on a loaded
 * host. */
#define FREEZE_ATTEMPTS 100

typedef struct pause_job {
    job job;
    const char *argv[8];
    monitor *m;
    uint64_t client_id; /* 0: nobody asked */
    int is_pause;
    int attempts;
} pause_job;

/* The file first: a library that looks now records what it says, too. */
static int32_t note(monitor *m, int is_paused, wc_error **err)
{
    wci_store *store = NULL;
    m->is_paused = is_paused;
    if (is_paused)
        health_hold(m);
    else
        health_go_on(m);
    if (is_paused)
        close(open(WCI_RUN_PAUSED, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    else
        unlink(WCI_RUN_PAUSED);
    int32_t rc = record_open(m->req, &store, err);
    if (!rc) /* which may have recorded it before us */
        (void)record_paused(store, m->req, m->session.process.pid, is_paused, NULL);
    wci_store_unref(store);
    return rc;
}

static int32_t has_been_done(int is_pause, wc_error **err)
{
    return wci_err(err, WC_E_STATE, is_pause ? "is paused already" : "is not paused");
}

static int32_t outcome(const pause_job *p, wc_error **err)
{
    const job *j = &p->job;
    if (j->failed)
        return wci_err_errno(err, j->failed, "runtime '%s'", p->argv[0]);
    if (j->timed_out)
        return wci_err(err, WC_E_TIMEOUT, "runtime '%s': did not answer within %d s", p->argv[0],
                       RUNTIME_TIMEOUT_MS / 1000);
    if (j->status && run_is_over(p->m))
        return wci_err(err, WC_E_STATE, "the process has ended");
    if (j->status && p->is_pause && p->m->is_killed)
        return wci_err(err, WC_E_STATE, "is being killed");
    if (j->status && p->m->is_paused == p->is_pause) /* by one that was asked for just before */
        return has_been_done(p->is_pause, err);
    return j->status ? runtime_said_failure(p->argv[0], j->status, j->err.data, err) : WC_OK;
}

static int was_too_slow(const pause_job *p)
{
    return p->is_pause && p->job.status && p->job.err.data && strstr(p->job.err.data, "unable to freeze") &&
           p->attempts < FREEZE_ATTEMPTS && !p->m->is_killed && !run_is_over(p->m);
}

static void done(job *j, void *owner)
{
    pause_job *p = owner;
    wc_error *err = NULL;
    if (was_too_slow(p)) {
        p->attempts++;
        job_free(j);
        job_run(&p->m->jobs, j);
        return;
    }
    if (!outcome(p, &err))
        (void)note(p->m, p->is_pause, &err);
    if (p->client_id)
        session_answer(&p->m->session, p->client_id, err, NULL);
    wc_error_unref(err);
    job_free(j);
    wci_free(p);
}

static int32_t begin(monitor *m, uint64_t client_id, int is_pause, wc_error **err)
{
    if (m->session.ended || m->session.process.pid <= 0)
        return wci_err(err, WC_E_STATE, "the process has ended");
    if (is_pause && m->is_killed) /* what is frozen cannot end */
        return wci_err(err, WC_E_STATE, "is being killed");
    if (!m->jobs.first && m->is_paused == is_pause)
        return has_been_done(is_pause, err);
    pause_job *p = wci_calloc(1, sizeof *p);
    if (!p)
        return wci_err_nomem(err);
    const char *argv[] = {m->req->runtime, "--root", m->runtime_root, "--log", "/dev/null", is_pause ? "pause" : "resume",
                          m->req->id, NULL};
    memcpy(p->argv, argv, sizeof argv);
    p->job = (job){.argv = p->argv, .timeout_ms = RUNTIME_TIMEOUT_MS, .done = done, .owner = p};
    p->m = m;
    p->client_id = client_id;
    p->is_pause = is_pause;
    job_run(&m->jobs, &p->job);
    return WC_OK;
}

static void take(monitor *m, uint64_t client_id, int is_pause)
{
    wc_error *err = NULL;
    if (begin(m, client_id, is_pause, &err))
        session_answer(&m->session, client_id, err, NULL);
    wc_error_unref(err);
}

void command_pause(monitor *m, uint64_t client_id, json_t *args)
{
    (void)args;
    take(m, client_id, 1);
}

void command_resume(monitor *m, uint64_t client_id, json_t *args)
{
    (void)args;
    take(m, client_id, 0);
}

void pause_signalled(monitor *m, int signal)
{
    m->is_killed |= signal == SIGKILL;
    if ((m->is_paused || m->jobs.first) && (signal == SIGKILL || signal == m->stop_signal))
        (void)begin(m, 0, 0, NULL);
}
