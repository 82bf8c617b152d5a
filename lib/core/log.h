/* SPDX-License-Identifier: Apache-2.0 */
/* A context's log: leveled lines in a bounded ring that the host pulls. Silent by default. */
#ifndef WCI_LOG_H
#define WCI_LOG_H

#include <stdint.h>

#include <wincontainer/memory.h>

/* The numbers are WC_LOG_* of context.h. */
typedef struct wci_log wci_log;

int32_t wci_log_new(int32_t level, wci_log **out, wc_error **err);
void wci_log_free(wci_log *log);
void wci_log_set_level(wci_log *log, int32_t level);
/* NULL log: nothing happens. Any thread. Never fails; the oldest lines are dropped and counted. */
void wci_log_printf(wci_log *log, int32_t level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "WHAT: " and the error with its causes. */
void wci_log_error(wci_log *log, int32_t level, const char *what, const wc_error *error);
/* Takes the oldest line; WC_E_NOT_FOUND without an error object when empty. level and time_ns may be
 * NULL. A line about lost lines, if any, comes first. */
int32_t wci_log_take(wci_log *log, int32_t *level, int64_t *time_ns, wc_buf **message);

#endif
