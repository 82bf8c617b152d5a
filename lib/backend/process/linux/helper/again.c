/* SPDX-License-Identifier: Apache-2.0 */
/* What comes after a run: another one, when the restart policy says so and nobody has stopped the container. */
#include <signal.h>
#include <string.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/monitor.h"
#include "backend/process/linux/helper/record.h"
#include "backend/process/linux/helper/restart.h"
#include "core/error.h"

/* What the policy says now: `update` may have changed it since the start. */
static int policy_wants(monitor *m, wci_store *store)
{
    wci_container_record *record = NULL;
    json_t *config = NULL;
    if (m->goes_down || wci_container_find(store, m->req->id, &record, NULL))
        return 0;
    config = json_loads(record->config, 0, NULL);
    int wanted = restart_is_wanted(json_string_value(json_object_get(config, "restartPolicy")),
                                   json_integer_value(json_object_get(config, "restartMax")), record->restart_count,
                                   m->session.exit_code);
    json_decref(config);
    wci_container_record_free(record);
    return wanted;
}

/* The row first: whoever reads that it is restarting finds a monitor that waits. That a user has not stopped it is
 * part of that transaction. */
static int decide(monitor *m)
{
    const session *s = &m->session;
    wci_store *store = NULL;
    if (record_open(m->req, &store, NULL))
        return 0;
    int again = policy_wants(m, store) && !record_restarting(store, m->req, s->exit_code, s->finished_ns, m->oom_killed,
                                                             NULL);
    wci_store_unref(store);
    return again;
}

static void time_is_over(void *owner)
{
    ((monitor *)owner)->wait_is_over = 1;
}

/* Clients are served meanwhile. */
static void wait_before_run(monitor *m)
{
    m->delay_ms = restart_delay_ms(m->delay_ms, monotonic_ms() - m->started_ms);
    loop_timer timer = {monotonic_ms() + m->delay_ms, time_is_over, m, NULL};
    m->wait_is_over = 0;
    m->is_waiting = 1;
    loop_add_timer(&m->session.loop, &timer);
    while (!m->wait_is_over)
        session_turn(&m->session);
    loop_remove_timer(&m->session.loop, &timer);
    m->is_waiting = 0;
}

/* A user who stops it says so in the row before he tells us. Its settings are those of now. */
static int may_run(monitor *m)
{
    wci_store *store = NULL;
    wci_container_record *record = NULL;
    int may = !m->goes_down && !record_open(m->req, &store, NULL) &&
              !wci_container_find(store, m->req->id, &record, NULL) && !record->user_stopped &&
              record->status == WCI_STATUS_RESTARTING;
    if (may)
        m->req->settings = json_loads(record->config, 0, NULL);
    wci_container_record_free(record);
    wci_store_unref(store);
    return may;
}

static int run_once_more(monitor *m)
{
    wc_error *err = NULL;
    int32_t rc = run_prepare(m, &err);
    request_free_config(m->req);
    if (!rc)
        rc = run_start(m, &err);
    if (rc) {
        run_give_up(m);
        record_no_restart(m->req, rc, wc_error_message(err));
    }
    wc_error_unref(err);
    return rc == WC_OK;
}

int again_follows(monitor *m)
{
    if (!decide(m))
        return 0;
    (void)record_between(m->req, NULL);
    session_end_run(&m->session);
    wait_before_run(m);
    return may_run(m) && run_once_more(m);
}

int again_signalled(monitor *m, int signal)
{
    if (!m->is_waiting)
        return 0;
    if (signal == SIGKILL || signal == m->stop_signal)
        m->wait_is_over = 1;
    return 1;
}

void again_terminate(void *owner)
{
    monitor *m = owner;
    m->goes_down = 1;
    m->wait_is_over = 1;
    session_terminate(&m->session);
}
