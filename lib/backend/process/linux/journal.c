/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/journal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wincontainer/stream.h>

#include "backend/backend.h"
#include "backend/log_times.h"
#include "backend/process/journal_export.h"
#include "backend/process/logs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/process.h"

#define READ_SIZE (64 * 1024)
#define COMPLAINT_MAX 4096
#define LINE_FIELDS "MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE,SYSLOG_TIMESTAMP"
#define TAIL_FIELDS "CONTAINER_PARTIAL_MESSAGE"

struct wci_journal {
    char *program;
    char *run_dir;
    char match[96];    /* whose lines */
    char user[32];     /* who wrote them: anybody may write such fields */
    wci_log_times times;
    int follow;
    int is_last;       /* the container has ended: what this journalctl tells is all */
    int beyond;        /* a line after `until` was met */
    char *from;        /* where to begin: an option of journalctl, or NULL */
    char *cursor;      /* of the last line */
    wci_fd out, complaint;
    wci_str data;
    size_t used;
};

/* ---- The program -------------------------------------------------------------------------------- */

static void stop(wci_journal *j)
{
    wci_fd_close(j->out); /* it ends by that */
    wci_fd_close(j->complaint);
    j->out = j->complaint = WCI_FD_NONE;
    wci_str_clear(&j->data);
    j->used = 0;
}

static int32_t run(wci_journal *j, const char *const *argv, wc_error **err)
{
    static const char *const env[] = {"LC_ALL=C", NULL};
    wci_fd out = WCI_FD_NONE, complaint = WCI_FD_NONE;
    stop(j);
    int32_t rc = wci_pipe(&j->out, &out, err);
    if (!rc)
        rc = wci_pipe(&j->complaint, &complaint, err);
    if (!rc)
        rc = wci_fd_set_nonblocking(j->out, err);
    if (!rc) {
        const wci_spawn_fd fds[] = {{out, 1}, {complaint, 2}};
        rc = wci_spawn_helper(argv, env, fds, 2, err);
    }
    wci_fd_close(out);
    wci_fd_close(complaint);
    return rc;
}

/* Its lines, from where reading begins. */
static int32_t read_lines(wci_journal *j, const char *fields, const char *direction, wc_error **err)
{
    char shown[96], since[48];
    const char *argv[16] = {j->program, "--quiet", "--no-pager", "--all", "--output=export"};
    int n = 5;
    snprintf(shown, sizeof shown, "--output-fields=%s", fields);
    argv[n++] = shown;
    if (direction)
        argv[n++] = direction;
    if (direction && !strcmp(direction, "--follow"))
        argv[n++] = "--no-tail";
    if (j->from) {
        argv[n++] = j->from;
    } else if (j->times.since_ns > 0) {
        snprintf(since, sizeof since, "--since=@%lld", (long long)(j->times.since_ns / 1000000000 - 1));
        argv[n++] = since;
    }
    argv[n++] = j->match;
    argv[n++] = j->user;
    argv[n] = NULL;
    return run(j, argv, err);
}

/* What the journal was given before is there to be read after it. Where that may not be asked for, it is there soon. */
static int32_t synchronize(wci_journal *j, wc_call *call, wc_error **err)
{
    const char *const argv[] = {j->program, "--sync", NULL};
    wc_buf *nothing = NULL;
    int32_t rc = run(j, argv, err);
    if (!rc)
        rc = wci_fd_read_to_end(call, j->out, COMPLAINT_MAX, &nothing, err);
    wc_buf_unref(nothing);
    return rc;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

/* WC_E_CLOSED: it has ended. */
static int32_t read_more(wci_journal *j, size_t *got, wc_error **err)
{
    if (j->used) {
        j->data.size -= j->used;
        memmove(j->data.data, j->data.data + j->used, j->data.size);
        j->used = 0;
    }
    if (j->data.size > 2 * WCI_JOURNAL_ENTRY_MAX)
        return wci_err(err, WC_E_CORRUPT, "journalctl: an entry of the journal is too long");
    char *to = wci_str_reserve(&j->data, READ_SIZE);
    if (!to)
        return wci_err_nomem(err);
    int32_t rc = wci_fd_read_some(j->out, to, READ_SIZE, got, err);
    if (!rc)
        wci_str_added(&j->data, *got);
    return rc;
}

/* What it said when it ended, if that was a complaint. */
static int32_t check_complaint(wci_journal *j, wc_call *call, wc_error **err)
{
    wc_buf *text = NULL;
    char shown[WCI_SHOWN_SIZE];
    int32_t rc = wci_fd_read_to_end(call, j->complaint, COMPLAINT_MAX, &text, err);
    if (!rc && wc_buf_size(text)) {
        wci_show(wc_buf_data(text), shown);
        rc = wci_err(err, WC_E_RUNTIME, "journalctl: %s", shown);
    }
    wc_buf_unref(text);
    return rc;
}

static int32_t remember(const wci_journal_entry *e, const char *option, char **out, wc_error **err)
{
    char *text = wci_asprintf("%s%.*s", option, (int)e->cursor_size, e->cursor);
    if (!text)
        return wci_err_nomem(err);
    wci_free(*out);
    *out = text;
    return WC_OK;
}

/* *found is 0 when more has to be read. */
static int32_t next_entry(wci_journal *j, wci_journal_entry *e, int *found, wc_error **err)
{
    size_t used = 0;
    wci_journal_parsed parsed = wci_journal_export_parse(j->data.data + j->used, j->data.size - j->used, e, &used);
    *found = parsed == WCI_JOURNAL_ENTRY;
    if (parsed == WCI_JOURNAL_DAMAGED)
        return wci_err(err, WC_E_CORRUPT, "journalctl: writes what is not its export format");
    if (*found)
        j->used += used;
    return WC_OK;
}

/* ---- Where to begin ----------------------------------------------------------------------------- */

/* Waits for the next entry of a journalctl that does not follow; *found 0: there is none. */
static int32_t wait_entry(wci_journal *j, wc_call *call, wci_journal_entry *e, int *found, wc_error **err)
{
    int32_t rc = next_entry(j, e, found, err);
    while (!rc && !*found) {
        size_t got = 0;
        wci_poll_item item = {j->out, WCI_POLL_READ, 0};
        int ready = 0;
        rc = wci_poll(call, &item, 1, -1, &ready, err);
        if (!rc)
            rc = read_more(j, &got, err);
        if (rc == WC_E_CLOSED) {
            wci_err_clear(err);
            return check_complaint(j, call, err);
        }
        if (!rc)
            rc = next_entry(j, e, found, err);
    }
    return rc;
}

/* Reads backwards, as log_tail.c does: a line is what an entry that is not partial ends, those at the very end are an
 * unfinished line. */
static int32_t find_tail(wci_journal *j, wc_call *call, int64_t lines, wc_error **err)
{
    wci_journal_entry e;
    int found = 0, is_last = 1;
    char *from = NULL;
    int32_t rc = read_lines(j, TAIL_FIELDS, "--reverse", err);
    while (!rc && !(rc = wait_entry(j, call, &e, &found, err)) && found) {
        int ends_line = !e.is_partial || is_last;
        if (ends_line && !lines--)
            break;
        is_last = 0;
        rc = remember(&e, "--cursor=", &from, err);
    }
    if (!rc && found && !from) /* no lines at all: begins after the last */
        rc = remember(&e, "--after-cursor=", &from, err);
    wci_free(j->from);
    j->from = from;
    return rc;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

void wci_journal_free(wci_journal *j)
{
    if (!j)
        return;
    stop(j);
    wci_str_free(&j->data);
    wci_free(j->program);
    wci_free(j->run_dir);
    wci_free(j->from);
    wci_free(j->cursor);
    wci_free(j);
}

intptr_t wci_journal_fd(const wci_journal *j)
{
    return j->follow && !j->is_last ? j->out : -1;
}

/* The container has ended: what comes after the last line, or after the start, and nothing else. */
static int32_t read_rest(wci_journal *j, wc_call *call, wc_error **err)
{
    if (j->cursor) {
        wci_free(j->from);
        j->from = j->cursor;
        j->cursor = NULL;
    }
    j->is_last = 1;
    int32_t rc = synchronize(j, call, err);
    return rc ? rc : read_lines(j, LINE_FIELDS, NULL, err);
}

/* Nothing is there to be read now. */
static int32_t wait_more(wci_journal *j, wc_call *call, int64_t deadline, wc_error **err)
{
    int64_t wait = 0;
    int ended = 0, ready = 0;
    wci_poll_item item = {j->out, WCI_POLL_READ, 0};
    int32_t rc = j->follow && !j->is_last ? wci_log_look_for_end(j->run_dir, &j->times, &ended, err) : WC_OK;
    if (!rc && ended)
        return read_rest(j, call, err);
    if (!rc)
        rc = wci_log_wait_ms(deadline, &wait, err);
    return rc ? rc : wci_poll(call, &item, 1, wait, &ready, err);
}

static int32_t read_or_wait(wci_journal *j, wc_call *call, int64_t deadline, wc_error **err)
{
    size_t got = 0;
    int32_t rc = read_more(j, &got, err);
    if (rc == WC_E_CLOSED) {
        wci_err_clear(err);
        rc = check_complaint(j, call, err);
        return rc ? rc : wci_log_no_more(err);
    }
    return rc || got ? rc : wait_more(j, call, deadline, err);
}

int32_t wci_journal_next(wc_call *call, wci_journal *j, wc_response *response, int64_t timeout_ns)
{
    int64_t deadline = timeout_ns < 0 ? 0 : wci_monotonic_ns() + timeout_ns;
    wci_journal_entry e;
    int32_t rc = WC_OK;
    while (!rc && !j->beyond) {
        int found = 0;
        rc = next_entry(j, &e, &found, call->err);
        if (!rc && !found)
            rc = read_or_wait(j, call, deadline, call->err);
        if (rc || !found)
            continue;
        rc = remember(&e, "--after-cursor=", &j->cursor, call->err);
        wci_log_place place = wci_log_times_judge(&j->times, e.time_ns);
        j->beyond = place == WCI_LOG_BEYOND;
        if (!rc && place == WCI_LOG_WITHIN)
            return wc_response_set_line(response, e.priority == 6 ? WC_STREAM_STDOUT : WC_STREAM_STDERR, e.time_ns, e.message,
                                        e.size + !e.is_partial);
    }
    return rc ? rc : wci_log_no_more(call->err);
}

static int32_t find_program(char **out, wc_error **err)
{
    *out = wci_host_find_program("journalctl");
    return *out ? WC_OK
                : wci_err(err, WC_E_MISSING, "the log is in the journal, and the program 'journalctl' that reads it is not "
                                             "installed; install systemd");
}

int32_t wci_journal_open(wc_call *call, const wc_request *request, wci_journal **out)
{
    wci_journal *j = wci_calloc(1, sizeof *j);
    int64_t tail = wc_request_int(request, "tail", -1);
    if (!j)
        return wci_err_nomem(call->err);
    j->out = j->complaint = WCI_FD_NONE;
    j->times.since_ns = wc_request_int(request, "since", 0);
    j->times.until_ns = wc_request_int(request, "until", 0);
    j->follow = wc_request_int(request, "follow", 0) != 0;
    j->run_dir = wci_strdup(wc_request_run_dir(request));
    snprintf(j->match, sizeof j->match, "CONTAINER_ID_FULL=%s", wc_request_container_id(request));
    snprintf(j->user, sizeof j->user, "_UID=%lu", (unsigned long)geteuid());
    int32_t rc = j->run_dir ? find_program(&j->program, call->err) : wci_err_nomem(call->err);
    if (!rc)
        rc = synchronize(j, call, call->err);
    if (!rc && tail >= 0)
        rc = find_tail(j, call, tail, call->err);
    if (!rc)
        rc = read_lines(j, LINE_FIELDS, j->follow ? "--follow" : NULL, call->err);
    if (rc)
        wci_journal_free(j);
    else
        *out = j;
    return rc;
}
