/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/logs.h"

#include <string.h>

#include <wincontainer/container.h>
#include <wincontainer/stream.h>

#include "backend/log_times.h"
#include "backend/process/log_tail.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/watch.h"

#define BUFFER_SIZE (64 * 1024)
#define LOOK_MS 100

typedef struct log_reader {
    char *dir;
    char *run_dir;
    int follow;
    wci_log_times times;
    int ended;            /* what is there now is all */
    int beyond;           /* a line after `until` was met */
    uint32_t number;      /* of the open file, 0: none yet */
    wci_fd fd;
    uint64_t offset;
    int last_look;        /* a next file was seen: this one does not grow any more */
    wci_watch *watch;
    char second[WCI_LOG_TIME_SIZE + 1]; /* text whose time is second_ns */
    int64_t second_ns;
    size_t used, size;
    char data[BUFFER_SIZE];
} log_reader;

typedef struct entry {
    int64_t time_ns;
    int32_t channel;
    const char *text;
    size_t size;
} entry;

void wci_process_logs_release(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    log_reader *r = (log_reader *)handle;
    if (!r)
        return;
    wci_watch_free(r->watch);
    wci_fd_close(r->fd);
    wci_free(r->dir);
    wci_free(r->run_dir);
    wci_free(r);
}

intptr_t wci_process_logs_fd(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    log_reader *r = (log_reader *)handle;
    return r->watch ? wci_watch_fd(r->watch) : -1;
}

/* Leaves the present file for file `number`; where it stays shut, *opened is 0. */
static int32_t open_file(log_reader *r, uint32_t number, int *opened, wc_error **err)
{
    char *path = wci_log_path(r->dir, number);
    if (!path)
        return wci_err_nomem(err);
    wci_fd fd = WCI_FD_NONE;
    wc_error *why = NULL;
    int32_t rc = wci_file_open(path, WCI_OPEN_READ | WCI_OPEN_NOFOLLOW, 0, &fd, &why);
    *opened = !rc;
    if (!rc) {
        wci_fd_close(r->fd);
        wci_watch_free(r->watch);
        r->fd = fd;
        r->number = number;
        r->watch = NULL;
        r->used = r->size = 0;
        r->offset = 0;
        r->last_look = 0;
        if (r->follow)
            (void)wci_watch_new(path, &r->watch, NULL); /* without one we look now and then */
    }
    wci_free(path);
    if (rc == WC_E_NOT_FOUND) {
        wci_err_clear(&why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

/* Number of the file after the present one, 0 when there is none. When rotation has overtaken us it
 * is the oldest that is left. */
static int32_t find_next(const log_reader *r, uint32_t *number, wc_error **err)
{
    uint32_t first = 0, last = 0;
    int32_t rc = wci_log_range(r->dir, &first, &last, err);
    *number = last <= r->number ? 0 : first > r->number ? first : r->number + 1;
    return rc;
}

static int32_t fill(log_reader *r, size_t *got, wc_error **err)
{
    *got = 0;
    if (r->fd == WCI_FD_NONE)
        return WC_OK;
    size_t rest = r->size - r->used;
    if (rest == sizeof r->data) /* no line of ours is as long */
        rest = 0;
    if (rest)
        memmove(r->data, r->data + r->used, rest);
    r->used = 0;
    r->size = rest;
    int32_t rc = wci_fd_pread(r->fd, r->data + rest, sizeof r->data - rest, r->offset, got, err);
    if (rc || !*got)
        return rc;
    r->size += *got;
    r->offset += *got;
    r->last_look = 0;
    return WC_OK;
}

/* The part up to the second changes seldom. */
static int parse_time(log_reader *r, const char *text, int64_t *out)
{
    if (memcmp(text, r->second, 19) != 0) {
        char second[21];
        memcpy(second, text, 19);
        memcpy(second + 19, "Z", 2);
        if (wci_time_parse(second, &r->second_ns, NULL))
            return 0;
        memcpy(r->second, text, 19);
    }
    int64_t fraction = 0;
    for (int i = 20; i < 29; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        fraction = fraction * 10 + (text[i] - '0');
    }
    *out = r->second_ns + fraction;
    return text[19] == '.' && text[29] == 'Z';
}

/* Lines that are not ours, as a crash may leave one, are passed over. */
static int parse_entry(log_reader *r, const char *line, size_t size, entry *out)
{
    if (size < WCI_LOG_TEXT || line[WCI_LOG_TIME_SIZE] != ' ' ||
        !parse_time(r, line, &out->time_ns))
        return 0;
    const char *stream = line + WCI_LOG_TIME_SIZE + 1;
    if (memcmp(stream, "stdout ", 7) == 0)
        out->channel = WC_STREAM_STDOUT;
    else if (memcmp(stream, "stderr ", 7) == 0)
        out->channel = WC_STREAM_STDERR;
    else
        return 0;
    char tag = line[WCI_LOG_TAG];
    if ((tag != 'F' && tag != 'P') || line[WCI_LOG_TAG + 1] != ' ')
        return 0;
    out->text = line + WCI_LOG_TEXT;
    out->size = size - WCI_LOG_TEXT + (tag == 'F'); /* its line feed ends the entry, too */
    return 1;
}

/* The next wanted entry of the buffer. */
static int next_entry(log_reader *r, entry *out)
{
    while (r->used < r->size && !r->beyond) {
        const char *line = r->data + r->used;
        const char *end = memchr(line, '\n', r->size - r->used);
        if (!end)
            return 0;
        r->used += (size_t)(end - line) + 1;
        if (!parse_entry(r, line, (size_t)(end - line), out))
            continue;
        wci_log_place place = wci_log_times_judge(&r->times, out->time_ns);
        r->beyond = place == WCI_LOG_BEYOND;
        if (place == WCI_LOG_WITHIN)
            return 1;
    }
    return 0;
}

/* A file that has been rotated away in this moment is skipped. */
static int32_t go_to(log_reader *r, uint32_t number, wc_error **err)
{
    int opened = 0;
    int32_t rc = open_file(r, number, &opened, err);
    if (!rc && !opened)
        r->number = number;
    return rc;
}

int32_t wci_log_look_for_end(const char *run_dir, const wci_log_times *times, int *ended, wc_error **err)
{
    wci_run_state state;
    int32_t rc = wci_run_state_read(run_dir, 1, &state, err);
    if (!rc && (!wci_run_is_up(&state) || wci_log_times_are_over(times, wci_now_ns())))
        *ended = 1;
    return rc;
}

int32_t wci_log_no_more(wc_error **err)
{
    return wci_err(err, WC_E_CLOSED, "logs: no more lines");
}

int32_t wci_log_wait_ms(int64_t deadline, int64_t *wait, wc_error **err)
{
    *wait = LOOK_MS;
    if (!deadline)
        return WC_OK;
    int64_t left = (deadline - wci_monotonic_ns() + 999999) / 1000000;
    if (left <= 0)
        return wci_err(err, WC_E_TIMEOUT, "logs: no line within the time given");
    *wait = left < LOOK_MS ? left : LOOK_MS;
    return WC_OK;
}

/* What to do at the end of a file: go on with the next one, give up, or wait for more. */
static int32_t at_end(log_reader *r, wc_call *call, int64_t deadline, wc_error **err)
{
    uint32_t next = 0;
    int32_t rc = find_next(r, &next, err);
    if (rc)
        return rc;
    if (next && r->last_look)
        return go_to(r, next, err);
    if (next) {
        r->last_look = 1;
        return WC_OK;
    }
    if (!r->follow || r->ended)
        return wci_log_no_more(err);
    rc = wci_log_look_for_end(r->run_dir, &r->times, &r->ended, err);
    if (rc || r->ended)
        return rc;
    int64_t wait = 0;
    rc = wci_log_wait_ms(deadline, &wait, err);
    if (rc)
        return rc;
    wci_poll_item item = {r->watch ? wci_watch_fd(r->watch) : WCI_FD_NONE, WCI_POLL_READ, 0};
    int ready = 0;
    rc = wci_poll(call, &item, 1, wait, &ready, err);
    if (!rc && r->watch)
        wci_watch_clear(r->watch);
    return rc;
}

int32_t wci_process_logs_next(uintptr_t payload, wc_call *call, uintptr_t handle,
                              wc_response *response, int64_t timeout_ns)
{
    (void)payload;
    log_reader *r = (log_reader *)handle;
    int64_t deadline = timeout_ns < 0 ? 0 : wci_monotonic_ns() + timeout_ns;
    entry e;
    while (!next_entry(r, &e)) {
        size_t got = 0;
        int32_t rc = r->beyond ? wci_log_no_more(call->err) : fill(r, &got, call->err);
        if (!rc && !got)
            rc = at_end(r, call, deadline, call->err);
        if (rc)
            return rc;
    }
    return wc_response_set_line(response, e.channel, e.time_ns, e.text, e.size);
}

static int32_t go_to_start(log_reader *r, int64_t tail, wc_error **err)
{
    uint32_t first = 0, last = 0;
    uint64_t offset = 0;
    int32_t rc = wci_log_range(r->dir, &first, &last, err);
    if (rc || !last)
        return rc;
    if (tail >= 0)
        rc = wci_log_find_tail(r->dir, first, last, (uint64_t)tail, &first, &offset, err);
    if (!rc)
        rc = go_to(r, first, err);
    r->offset = offset;
    return rc;
}

int32_t wci_process_logs_open(uintptr_t payload, wc_call *call, const wc_request *request,
                              wc_response *response)
{
    (void)payload;
    log_reader *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(call->err);
    r->fd = WCI_FD_NONE;
    r->dir = wci_path_join(wc_request_state_dir(request), WCI_LOG_DIR);
    r->run_dir = wci_strdup(wc_request_run_dir(request));
    r->follow = wc_request_int(request, "follow", 0) != 0;
    r->times.since_ns = wc_request_int(request, "since", 0);
    r->times.until_ns = wc_request_int(request, "until", 0);
    int32_t rc = r->dir && r->run_dir ? WC_OK : wci_err_nomem(call->err);
    if (!rc)
        rc = go_to_start(r, wc_request_int(request, "tail", -1), call->err);
    if (rc) {
        wci_process_logs_release(0, (uintptr_t)r);
        return rc;
    }
    wc_response_set_handle(response, (uintptr_t)r);
    return WC_OK;
}
