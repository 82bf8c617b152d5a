/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <wincontainer/stream.h>

#include "backend/process/logs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

#define OUT_SIZE (32 * 1024)

typedef struct log_file {
    log_sink sink;
    char *dir;
    int fd;
    uint32_t number;
    int64_t size; /* of the file, what waits in `out` included */
    int64_t max_bytes, max_files;
    int in_line[3]; /* by channel: the last entry was a 'P' */
    int is_torn;    /* the disk was full in the middle of an entry */
    time_t second;
    char time[WCI_LOG_TIME_SIZE + 1];
    size_t used;
    char out[OUT_SIZE];
} log_file;

static int open_number(log_file *log, uint32_t number, int flags)
{
    char *path = wci_log_path(log->dir, number);
    if (!path)
        return -1;
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
    wci_free(path);
    if (fd >= 0) {
        log->fd = fd;
        log->number = number;
        log->size = lseek(fd, 0, SEEK_END);
    }
    return fd;
}

/* A monitor that was killed may have left half a line at the end. */
static int ends_whole(const log_file *log)
{
    char last = '\n';
    return log->size == 0 || (pread(log->fd, &last, 1, log->size - 1) == 1 && last == '\n');
}

/* How much of it went into the file. */
static size_t put(const log_file *log, const char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(log->fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

/* What a full disk does not take is lost, but what comes when there is room again begins a line of its own. */
static void flush(log_file *log)
{
    if (log->is_torn && put(log, "\n", 1)) {
        log->is_torn = 0;
        log->size++;
    }
    size_t done = log->is_torn ? 0 : put(log, log->out, log->used);
    if (done)
        log->is_torn = log->out[done - 1] != '\n';
    log->size -= (int64_t)(log->used - done);
    log->used = 0;
}

static void close_file(log_sink *sink)
{
    log_file *log = (log_file *)sink;
    if (log->fd >= 0) {
        flush(log);
        close(log->fd);
    }
    wci_free(log->dir);
    wci_free(log);
}

static void remove_oldest(const log_file *log)
{
    if (log->number <= log->max_files)
        return;
    for (uint32_t n = log->number - (uint32_t)log->max_files; n > 0; n--) {
        char *path = wci_log_path(log->dir, n);
        int gone = !path || unlink(path) != 0;
        wci_free(path);
        if (gone)
            break;
    }
}

static void rotate(log_file *log)
{
    flush(log);
    int before = log->fd;
    if (open_number(log, log->number + 1, O_CREAT | O_EXCL) < 0)
        return; /* the old file goes on */
    close(before);
    remove_oldest(log);
}

/* Never within a line, unless the line is longer than a file may be. */
static int must_rotate(const log_file *log, size_t entry)
{
    if (!log->max_bytes || !log->size || log->size + (int64_t)entry <= log->max_bytes)
        return 0;
    int in_line = log->in_line[WC_STREAM_STDOUT] || log->in_line[WC_STREAM_STDERR];
    return !in_line || log->size + (int64_t)entry > 2 * log->max_bytes;
}

static void add_entry(log_file *log, int channel, char tag, const char *text, size_t size)
{
    size_t entry = WCI_LOG_TEXT + size + 1;
    if (must_rotate(log, entry))
        rotate(log);
    if (log->used + entry > sizeof log->out)
        flush(log);
    char *to = log->out + log->used;
    memcpy(to, log->time, WCI_LOG_TIME_SIZE);
    memcpy(to + WCI_LOG_TIME_SIZE, channel == WC_STREAM_STDERR ? " stderr " : " stdout ", 8);
    to[WCI_LOG_TAG] = tag;
    to[WCI_LOG_TAG + 1] = ' ';
    memcpy(to + WCI_LOG_TEXT, text, size);
    to[entry - 1] = '\n';
    log->used += entry;
    log->size += (int64_t)entry;
    log->in_line[channel] = tag == 'P';
}

static void set_time(log_file *log)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != log->second && gmtime_r(&now.tv_sec, &tm))
        strftime(log->time, sizeof log->time, "%Y-%m-%dT%H:%M:%S", &tm);
    log->second = now.tv_sec;
    snprintf(log->time + 19, sizeof log->time - 19, ".%09ldZ", now.tv_nsec);
}

static void write_output(log_sink *sink, int channel, const char *data, size_t size)
{
    log_file *log = (log_file *)sink;
    set_time(log);
    while (size) {
        size_t part = size < WCI_LOG_TEXT_MAX ? size : WCI_LOG_TEXT_MAX;
        const char *end = memchr(data, '\n', part);
        if (end)
            part = (size_t)(end - data);
        add_entry(log, channel, end ? 'F' : 'P', data, part);
        part += end != NULL;
        data += part;
        size -= part;
    }
    flush(log);
}

int32_t log_open_file(const char *state_dir, int64_t max_bytes, int64_t max_files, log_sink **out, wc_error **err)
{
    log_file *log = wci_calloc(1, sizeof *log);
    if (!log)
        return wci_err_nomem(err);
    log->sink = (log_sink){write_output, NULL, close_file};
    uint32_t first = 0, last = 0;
    log->fd = -1;
    log->max_bytes = max_bytes;
    log->max_files = max_files > 0 ? max_files : 1;
    log->dir = wci_path_join(state_dir, WCI_LOG_DIR);
    int32_t rc = log->dir ? wci_dir_make(log->dir, 0750, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_log_range(log->dir, &first, &last, err);
    if (!rc && open_number(log, last ? last : 1, O_CREAT) < 0)
        rc = wci_err_errno(err, errno, "log '%s'", log->dir);
    if (!rc && !ends_whole(log)) {
        log->size++;
        if (write(log->fd, "\n", 1) != 1)
            rc = wci_err_errno(err, errno, "log '%s'", log->dir);
    }
    if (rc)
        close_file(&log->sink);
    else
        *out = &log->sink;
    return rc;
}
