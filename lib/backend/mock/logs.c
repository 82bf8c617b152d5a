/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a container: what all its runs wrote, one after the other, line by line. */
#include "backend/mock/stream.h"

#include <string.h>

#include "backend/log_times.h"
#include "backend/mock/target.h"
#include "core/alloc.h"
#include "core/error.h"

typedef struct mock_logs {
    mock_target *runs;
    size_t count, next;
    int follow;
    wci_log_times times;
    int beyond;      /* a line after `until` was met */
    uint64_t skip;   /* lines that `tail` leaves out */
    mock_step piece; /* output whose lines are being given */
} mock_logs;

static void close_runs(mock_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        wci_mock_target_close(&logs->runs[i]);
    wci_free(logs->runs);
    logs->runs = NULL;
    logs->count = logs->next = 0;
    logs->piece = (mock_step){0};
}

static int32_t open_runs(mock_logs *logs, const wc_request *request, wc_error **err)
{
    int64_t last = 0;
    char *dir = wci_mock_dir(wc_request_state_dir(request));
    int32_t rc = dir ? WC_OK : wci_err_nomem(err);
    if (rc == WC_OK && wci_file_exists(dir))
        rc = wci_mock_last_run(dir, &last, err);
    wci_free(dir);
    if (rc == WC_OK && last) {
        logs->runs = wci_calloc((size_t)last, sizeof *logs->runs);
        rc = logs->runs ? WC_OK : wci_err_nomem(err);
    }
    for (int64_t number = 1; number <= last && rc == WC_OK; number++) {
        rc = wci_mock_target_open_run(request, number, &logs->runs[logs->count], err);
        logs->count += rc == WC_OK;
    }
    return rc;
}

/* The next output of all runs, up to now. */
static int32_t next_piece(mock_logs *logs, wc_call *call, mock_step *step, wc_error **err)
{
    *step = (mock_step){.kind = MOCK_STEP_ENDED};
    while (logs->next < logs->count) {
        mock_target *run = &logs->runs[logs->next];
        *step = wci_mock_vm_step(run->vm, run->now_ns);
        if (step->kind == MOCK_STEP_WAITS) {
            int32_t rc = wci_mock_target_sync(run, call, err);
            if (rc)
                return rc;
            *step = wci_mock_vm_step(run->vm, run->now_ns);
        }
        if (step->kind != MOCK_STEP_ENDED)
            return WC_OK;
        logs->next++;
    }
    return WC_OK;
}

/* Cuts the next line off the piece. */
static mock_step take_line(mock_step *piece)
{
    mock_step line = *piece;
    const char *end = memchr(piece->data, '\n', piece->size);
    if (end)
        line.size = (size_t)(end - piece->data) + 1;
    piece->data += line.size;
    piece->size -= line.size;
    return line;
}

/* *step is one line, or why there is none. */
static int32_t next_line(mock_logs *logs, wc_call *call, mock_step *step, wc_error **err)
{
    if (!logs->piece.size) {
        int32_t rc = next_piece(logs, call, step, err);
        if (rc || step->kind != MOCK_STEP_OUTPUT)
            return rc;
        logs->piece = *step;
    }
    *step = take_line(&logs->piece);
    return WC_OK;
}

static int ends_line(const mock_step *step)
{
    return step->data[step->size - 1] == '\n';
}

/* The same for lines that the options ask for. As in Docker, `tail` counts whatever their time. */
static int32_t next_wanted(mock_logs *logs, wc_call *call, mock_step *step, wc_error **err)
{
    for (;;) {
        int32_t rc = next_line(logs, call, step, err);
        if (rc || step->kind != MOCK_STEP_OUTPUT)
            return rc;
        if (logs->skip) {
            logs->skip -= ends_line(step);
            continue;
        }
        wci_log_place place = wci_log_times_judge(&logs->times, step->time_ns);
        logs->beyond = place == WCI_LOG_BEYOND;
        if (place != WCI_LOG_BEFORE)
            return WC_OK;
    }
}

/* `tail` counts from the end, so the lines that are there are counted first. What has no end is one
 * line with what follows it. */
static int32_t count_lines(mock_logs *logs, wc_call *call, uint64_t *lines, wc_error **err)
{
    mock_step step;
    int open = 0;
    *lines = 0;
    for (;;) {
        int32_t rc = next_line(logs, call, &step, err);
        if (rc || step.kind != MOCK_STEP_OUTPUT) {
            *lines += (uint64_t)open;
            return rc;
        }
        open = !ends_line(&step);
        *lines += !open;
    }
}

static int32_t skip_to_tail(mock_logs *logs, const wc_request *request, wc_call *call,
                            uint64_t tail, wc_error **err)
{
    uint64_t lines = 0;
    int32_t rc = count_lines(logs, call, &lines, err);
    if (rc || !tail) /* no lines: what comes now is the first */
        return rc;
    close_runs(logs);
    logs->skip = lines > tail ? lines - tail : 0;
    return open_runs(logs, request, err);
}

int32_t wci_mock_logs_open(const wc_request *request, wc_call *call, uintptr_t *out, wc_error **err)
{
    mock_logs *logs = wci_calloc(1, sizeof *logs);
    if (!logs)
        return wci_err_nomem(err);
    int64_t tail = wc_request_int(request, "tail", -1);
    logs->follow = wc_request_int(request, "follow", 0) != 0;
    logs->times.since_ns = wc_request_int(request, "since", 0);
    logs->times.until_ns = wc_request_int(request, "until", 0);
    int32_t rc = open_runs(logs, request, err);
    if (rc == WC_OK && tail >= 0)
        rc = skip_to_tail(logs, request, call, (uint64_t)tail, err);
    if (rc) {
        wci_mock_logs_release(0, (uintptr_t)logs);
        return rc;
    }
    *out = (uintptr_t)logs;
    return WC_OK;
}

int32_t wci_mock_logs_next(uintptr_t payload, wc_call *call, uintptr_t handle,
                           wc_response *response, int64_t timeout_ns)
{
    (void)payload;
    mock_logs *logs = (mock_logs *)handle;
    int64_t deadline = wci_mock_deadline(timeout_ns);
    for (;;) {
        mock_step step;
        int32_t rc = logs->beyond ? WC_E_CLOSED : next_wanted(logs, call, &step, call->err);
        if (rc || logs->beyond)
            return rc ? rc : WC_E_CLOSED;
        if (step.kind == MOCK_STEP_OUTPUT)
            return wc_response_set_line(response, step.channel, step.time_ns, step.data, step.size);
        if (step.kind == MOCK_STEP_ENDED || !logs->follow)
            return WC_E_CLOSED;
        const mock_target *run = &logs->runs[logs->next];
        if (wci_log_times_are_over(&logs->times, run->now_ns))
            return WC_E_CLOSED;
        rc = wci_mock_target_pause(run, call, &step, deadline, call->err);
        if (rc)
            return rc;
    }
}

void wci_mock_logs_release(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    mock_logs *logs = (mock_logs *)handle;
    close_runs(logs);
    wci_free(logs);
}
