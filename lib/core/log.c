/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/thread.h"

#define CAPACITY 1024

typedef struct log_line {
    int32_t level;
    int64_t time_ns;
    char *message;
} log_line;

struct wci_log {
    wci_mutex lock;
    _Atomic int32_t level;
    uint64_t dropped; /* lines lost since the last one was taken */
    size_t first, count;
    log_line lines[CAPACITY];
};

int32_t wci_log_new(int32_t level, wci_log **out, wc_error **err)
{
    wci_log *log = wci_calloc(1, sizeof *log);
    if (!log)
        return wci_err_nomem(err);
    wci_mutex_init(&log->lock);
    atomic_init(&log->level, level);
    *out = log;
    return WC_OK;
}

void wci_log_free(wci_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->count; i++)
        wci_free(log->lines[(log->first + i) % CAPACITY].message);
    wci_mutex_destroy(&log->lock);
    wci_free(log);
}

void wci_log_set_level(wci_log *log, int32_t level)
{
    if (log)
        atomic_store(&log->level, level);
}

static log_line take_first(wci_log *log)
{
    log_line line = log->lines[log->first];
    log->first = (log->first + 1) % CAPACITY;
    log->count--;
    return line;
}

void wci_log_printf(wci_log *log, int32_t level, const char *fmt, ...)
{
    if (!log || level > atomic_load_explicit(&log->level, memory_order_relaxed))
        return;
    va_list ap;
    va_start(ap, fmt);
    log_line line = {level, wci_now_ns(), wci_vasprintf(fmt, ap)};
    va_end(ap);
    if (line.message)
        wci_make_plain(line.message);

    char *oldest = NULL;
    wci_mutex_lock(&log->lock);
    if (!line.message) {
        log->dropped++;
    } else {
        if (log->count == CAPACITY) {
            oldest = take_first(log).message;
            log->dropped++;
        }
        log->lines[(log->first + log->count++) % CAPACITY] = line;
    }
    wci_mutex_unlock(&log->lock);
    wci_free(oldest);
}

/* The next line to hand out: a note about lost ones comes before those that are left. */
static int next_line(wci_log *log, log_line *out)
{
    int found = 1;
    wci_mutex_lock(&log->lock);
    if (log->dropped) {
        *out = (log_line){WC_LOG_WARN, wci_now_ns(),
                          wci_asprintf("log: %llu lines were lost; take them more often",
                                       (unsigned long long)log->dropped)};
        log->dropped = 0;
    } else if (log->count) {
        *out = take_first(log);
    } else {
        found = 0;
    }
    wci_mutex_unlock(&log->lock);
    return found;
}

void wci_log_error(wci_log *log, int32_t level, const char *what, const wc_error *error)
{
    wc_buf *text = NULL;
    if (error && !wc_error_format(error, &text))
        wci_log_printf(log, level, "%s: %s", what, wc_buf_data(text));
    wc_buf_unref(text);
}

int32_t wci_log_take(wci_log *log, int32_t *level, int64_t *time_ns, wc_buf **message)
{
    log_line line;
    if (!log || !next_line(log, &line))
        return WC_E_NOT_FOUND;
    if (!line.message)
        return WC_E_NOMEM;
    int32_t rc = wci_buf_new(line.message, strlen(line.message), message, NULL);
    wci_free(line.message);
    if (rc)
        return rc;
    if (level)
        *level = line.level;
    if (time_ns)
        *time_ns = line.time_ns;
    return WC_OK;
}
