/* SPDX-License-Identifier: Apache-2.0 */
/* Has ps list the processes of the host, and reports those of one container: the way Docker does it, so that every
 * option of ps works. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "backend/process/linux/cgroup_read.h"
#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/job.h"
#include "backend/process/linux/proc_read.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

#define PATIENCE_MS 20000

typedef struct listing {
    int64_t *pids;
    size_t pid_count;
    size_t columns, pid_column;
    json_t *titles, *rows;
} listing;

/* ---- What ps prints ---- */

static int is_ours(const listing *l, int64_t pid)
{
    for (size_t i = 0; i < l->pid_count; i++)
        if (l->pids[i] == pid)
            return 1;
    return 0;
}

/* Fields between spaces; the last one is all the rest of the line. */
static json_t *split(const char *line, size_t size, size_t most)
{
    json_t *fields = json_array();
    size_t at = 0;
    while (json_array_size(fields) < most) {
        while (at < size && line[at] == ' ')
            at++;
        size_t end = at;
        while (end < size && line[end] != ' ')
            end++;
        if (json_array_size(fields) + 1 == most)
            end = size;
        while (end > at && line[end - 1] == ' ')
            end--;
        if (end == at)
            break;
        json_t *text = json_stringn(line + at, end - at);
        json_array_append_new(fields, text ? text : json_string("?")); /* no UTF-8 */
        at = end;
    }
    return fields;
}

static int32_t take_titles(listing *l, const char *line, size_t size, wc_error **err)
{
    l->titles = split(line, size, (size_t)-1);
    l->columns = l->pid_column = json_array_size(l->titles);
    for (size_t i = l->columns; i-- > 0;)
        if (!strcmp(json_string_value(json_array_get(l->titles, i)), "PID"))
            l->pid_column = i;
    if (l->pid_column == l->columns)
        return wci_err(err, WC_E_INVALID, "ps: its output has no PID column; choose other options");
    return WC_OK;
}

static void take_row(listing *l, const char *line, size_t size)
{
    json_t *row = split(line, size, l->columns);
    const char *pid = json_string_value(json_array_get(row, l->pid_column));
    if (pid && is_ours(l, strtoll(pid, NULL, 10)))
        json_array_append(l->rows, row);
    json_decref(row);
}

static int32_t read_output(listing *l, const wci_str *out, wc_error **err)
{
    int32_t rc = WC_OK;
    l->rows = json_array();
    for (size_t at = 0; at < out->size && !rc;) {
        const char *line = out->data + at, *end = memchr(line, '\n', out->size - at);
        size_t size = end ? (size_t)(end - line) : out->size - at;
        if (!l->titles)
            rc = take_titles(l, line, size, err);
        else
            take_row(l, line, size);
        at += size + 1;
    }
    return rc;
}

/* ---- Running it ---- */

static void note_done(job *j, void *owner)
{
    (void)j;
    *(int *)owner = 1;
}

static int32_t outcome(const job *j, wc_error **err)
{
    size_t size = j->err.size ? strcspn(j->err.data, "\n") : 0;
    if (j->failed)
        return wci_err_errno(err, j->failed, "'%s'", j->argv[0]);
    if (j->timed_out)
        return wci_err(err, WC_E_TIMEOUT, "'%s': did not end in %d s", j->argv[0], PATIENCE_MS / 1000);
    if (j->status)
        return wci_err(err, WC_E_INVALID, "ps: %.*s", (int)size, size ? j->err.data : "");
    return WC_OK;
}

static int32_t run(const char **argv, job *j, wc_error **err)
{
    loop l;
    jobs queue = {&l, NULL};
    int is_done = 0;
    int32_t rc = loop_init(&l, err);
    if (rc)
        return rc;
    *j = (job){.argv = argv, .timeout_ms = PATIENCE_MS, .done = note_done, .owner = &is_done};
    job_run(&queue, j);
    while (!is_done)
        loop_turn(&l, NULL, 0, -1);
    loop_close(&l);
    return outcome(j, err);
}

/* Lent texts; NULL: out of memory. */
static const char **make_argv(const request *req, const char *program)
{
    json_t *args = json_object_get(req->settings, "psArgs");
    size_t count = json_array_size(args);
    const char **argv = wci_calloc(count + 2, sizeof *argv);
    if (!argv)
        return NULL;
    argv[0] = program;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(args, i));
        argv[1 + i] = text ? text : "";
    }
    return argv;
}

static int32_t list(const request *req, const char *program, listing *l, wc_error **err)
{
    job j = {0};
    const char **argv = make_argv(req, program);
    int32_t rc = argv ? run(argv, &j, err) : wci_err_nomem(err);
    /* After ps: what it does not know yet it cannot show, what has ended it shows all the same. */
    if (!rc)
        rc = *req->cgroup ? wci_cgroup_processes(req->cgroup, &l->pids, &l->pid_count, err)
                          : wci_proc_processes(req->pid, &l->pids, &l->pid_count, err);
    if (!rc)
        rc = read_output(l, &j.out, err);
    job_free(&j);
    wci_free(argv);
    return rc;
}

int processes_main(request *req)
{
    listing l = {0};
    wc_error *err = NULL;
    char *program = wci_host_find_program("ps"), *text = NULL;
    int32_t rc = WC_OK;
    if (!program)
        rc = wci_err(&err, WC_E_MISSING, "ps: is not installed (package procps)");
    else if (!req->cgroup || (!*req->cgroup && req->pid <= 0))
        rc = wci_err(&err, WC_E_INVALID, "processes: the request names no control group and no process");
    if (!rc)
        rc = list(req, program, &l, &err);
    json_t *answer = rc ? NULL : json_pack("{s:O?, s:O}", "Titles", l.titles, "Processes", l.rows);
    if (!rc)
        text = answer ? wci_json_dump_text(answer) : NULL;
    if (text)
        report_ok(0, 0, text);
    else
        report_error(err);
    json_decref(answer);
    json_decref(l.titles);
    json_decref(l.rows);
    wci_free(l.pids);
    wci_free(text);
    wci_free(program);
    wc_error_unref(err);
    return 0;
}
