/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/health.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/monitor.h"
#include "backend/process/linux/helper/record.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "store/store_life.h"

#define CONFIG_MAX ((size_t)16 << 20)
#define PROBE_FILE "probe.json"
#define PROBE_PID "probe.pid"
#define OUTPUT_MAX 4096
#define LOG_ENTRIES 5
#define GRACE_MS 5000 /* for a runtime that does not see the end of what it runs */

/* ---- Settings --------------------------------------------------------------------------------- */

static int64_t number(json_t *settings, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(settings, key));
}

/* The command line of ["CMD", …] or ["CMD-SHELL", line]; NULL: there is no check. */
static json_t *command_line(json_t *settings)
{
    json_t *test = json_object_get(settings, "healthTest");
    const char *kind = json_string_value(json_array_get(test, 0));
    if (!kind || json_array_size(test) < 2)
        return NULL;
    if (!strcmp(kind, "CMD-SHELL"))
        return json_pack("[s, s, O]", "/bin/sh", "-c", json_array_get(test, 1));
    if (strcmp(kind, "CMD") != 0)
        return NULL;
    json_t *args = json_copy(test);
    json_array_remove(args, 0);
    return args;
}

/* As the container's first process, but for its command line and without a terminal. */
static int32_t write_process(json_t *args, wc_error **err)
{
    json_t *config = NULL;
    int32_t rc = wci_json_read("config.json", CONFIG_MAX, "config.json", &config, err);
    json_t *process = json_object_get(config, "process");
    json_object_del(process, "consoleSize");
    int failed = json_object_set(process, "args", args) | json_object_set_new(process, "terminal", json_false());
    char *out = rc || failed ? NULL : wci_json_dump_text(process);
    if (!rc)
        rc = out ? wci_file_write_atomic(PROBE_FILE, out, strlen(out), 0600, 0, err) : wci_err_nomem(err);
    wci_free(out);
    json_decref(config);
    return rc;
}

int32_t health_prepare(monitor *m, wc_error **err)
{
    health *h = &m->health;
    json_t *settings = m->req->settings, *args = command_line(settings);
    h->jobs.loop = &m->session.loop;
    h->is_held = 1;
    h->is_on = args != NULL;
    if (!args)
        return WC_OK;
    h->rules = health_rules_of(number(settings, "healthIntervalNs"), number(settings, "healthTimeoutNs"),
                               number(settings, "healthStartPeriodNs"), number(settings, "healthStartIntervalNs"),
                               number(settings, "healthRetries"));
    h->state = (health_state){WCI_HEALTH_STARTING, 0};
    int32_t rc = write_process(args, err);
    json_decref(args);
    return rc;
}

/* ---- What is kept ----------------------------------------------------------------------------- */

static char *log_path(const monitor *m)
{
    return wci_path_join(m->req->state_dir, "health.json");
}

static json_t *read_log(const char *path)
{
    json_t *document = NULL;
    (void)wci_json_read(path, CONFIG_MAX, path, &document, NULL);
    json_t *log = json_incref(json_object_get(document, "Log"));
    json_decref(document);
    return json_is_array(log) ? log : json_array();
}

/* `entry` is taken over; NULL begins anew. */
static void keep_log(const monitor *m, json_t *entry)
{
    char *path = log_path(m);
    json_t *log = path && entry ? read_log(path) : json_array();
    if (entry)
        json_array_append_new(log, entry);
    while (json_array_size(log) > LOG_ENTRIES)
        json_array_remove(log, 0);
    json_t *document = json_pack("{s:I, s:o}", "FailingStreak", (json_int_t)m->health.state.streak, "Log", log);
    char *text = document ? wci_json_dump_text(document) : NULL;
    if (path && text)
        (void)wci_file_write_atomic(path, text, strlen(text), 0600, 0, NULL);
    json_decref(document);
    wci_free(text);
    wci_free(path);
}

static void record(const monitor *m)
{
    wci_store *store = NULL;
    if (!record_open(m->req, &store, NULL))
        (void)wci_container_set_health(store, m->req->id, m->req->generation, m->health.state.health, NULL);
    wci_store_unref(store);
}

/* ---- One check -------------------------------------------------------------------------------- */

static void begin_check(void *owner);

static void schedule(monitor *m)
{
    health *h = &m->health;
    int64_t now = monotonic_ms();
    h->next = (loop_timer){now + health_wait_ms(&h->rules, h->state.health, now - m->started_ms), begin_check, m, NULL};
    loop_add_timer(&m->session.loop, &h->next);
}

/* What it printed, as far as it is kept; bytes that are no text are replaced. */
static json_t *output_of(const health *h)
{
    wci_str text = WCI_STR_INIT;
    if (h->timed_out)
        wci_str_printf(&text, "Health check exceeded timeout (%lldms)%s", (long long)h->rules.timeout_ms,
                       h->probe.out.size + h->probe.err.size ? ": " : "");
    size_t first = text.size;
    wci_str_append_n(&text, h->probe.out.data, h->probe.out.size);
    wci_str_append_n(&text, h->probe.err.data, h->probe.err.size);
    if (text.size > first + OUTPUT_MAX) {
        text.size = first + OUTPUT_MAX;
        wci_str_append(&text, "...");
    }
    for (size_t i = 0; i < text.size && !wci_is_utf8(text.data, text.size); i++)
        if ((unsigned char)text.data[i] >= 0x80)
            text.data[i] = '?';
    json_t *value = text.failed ? NULL : json_stringn(text.data ? text.data : "", text.size);
    wci_str_free(&text);
    return value ? value : json_string("");
}

static int exit_code_of(const health *h)
{
    int status = h->probe.status;
    if (h->timed_out || h->probe.timed_out || h->probe.failed)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void judge(monitor *m)
{
    health *h = &m->health;
    char began[WCI_TIME_TEXT_SIZE], ended[WCI_TIME_TEXT_SIZE];
    int64_t now = wci_now_ns(), age_ms = monotonic_ms() - m->started_ms - (now - h->began_ns) / 1000000;
    int exit_code = exit_code_of(h);
    wci_health before = h->state.health;
    h->state = health_after(&h->rules, h->state, age_ms, exit_code);
    wci_time_format(h->began_ns, began);
    wci_time_format(now, ended);
    keep_log(m, json_pack("{s:s, s:s, s:i, s:o}", "Start", began, "End", ended, "ExitCode", exit_code, "Output",
                          output_of(h)));
    if (h->state.health != before)
        record(m);
}

static void check_done(job *j, void *owner)
{
    monitor *m = owner;
    health *h = &m->health;
    loop_remove_timer(&m->session.loop, &h->limit);
    unlink(PROBE_PID);
    if (!h->was_held)
        judge(m);
    job_free(j);
    if (!h->is_held)
        schedule(m);
}

/* The runtime waits for what it runs, and then ends, too. */
static void end_check(const health *h)
{
    long pid = 0;
    FILE *f = fopen(PROBE_PID, "re");
    if (f && fscanf(f, "%ld", &pid) == 1 && pid > 1)
        kill((pid_t)pid, SIGKILL);
    else if (h->probe.child.pid > 0)
        kill(h->probe.child.pid, SIGKILL);
    if (f)
        fclose(f);
}

static void time_is_over(void *owner)
{
    monitor *m = owner;
    m->health.timed_out = 1;
    end_check(&m->health);
}

static void begin_check(void *owner)
{
    monitor *m = owner;
    health *h = &m->health;
    const char *argv[] = {m->req->runtime, "--root", m->runtime_root, "--log", "/dev/null", "exec",
                          "--process", PROBE_FILE, "--pid-file", PROBE_PID, m->req->id, NULL};
    memcpy(h->argv, argv, sizeof argv);
    h->timed_out = h->was_held = 0;
    h->began_ns = wci_now_ns();
    unlink(PROBE_PID);
    int64_t most = h->rules.timeout_ms + GRACE_MS;
    h->probe = (job){.argv = h->argv, .timeout_ms = most > INT32_MAX ? INT32_MAX : (int)most, .done = check_done, .owner = m};
    h->limit = (loop_timer){monotonic_ms() + h->rules.timeout_ms, time_is_over, m, NULL};
    loop_add_timer(&m->session.loop, &h->limit);
    job_run(&h->jobs, &h->probe);
}

/* ---- From outside ----------------------------------------------------------------------------- */

void health_go_on(monitor *m)
{
    if (!m->health.is_on)
        return;
    m->health.is_held = 0;
    if (!m->health.jobs.first) /* else its end does it */
        schedule(m);
}

void health_begin(monitor *m)
{
    if (!m->health.is_on)
        return;
    keep_log(m, NULL);
    health_go_on(m);
}

void health_hold(monitor *m)
{
    health *h = &m->health;
    h->is_held = h->was_held = 1;
    loop_remove_timer(&m->session.loop, &h->next);
    if (h->jobs.first && m->session.ended)
        end_check(h);
}

int health_is_busy(const monitor *m)
{
    return m->health.jobs.first != NULL;
}
