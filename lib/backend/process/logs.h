/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's log: numbered files of CRI lines, "TIME stdout F text". */
#ifndef WCI_PROCESS_LOGS_H
#define WCI_PROCESS_LOGS_H

#include <wincontainer/backend.h>

#include "backend/log_times.h"

/* One entry begins with a time of this form, a blank, the stream, a blank, the tag, a blank. */
#define WCI_LOG_TIME_SIZE 30   /* 2026-01-02T03:04:05.000000006Z */
#define WCI_LOG_TAG 38         /* 'F': a whole line; 'P': more of it follows */
#define WCI_LOG_TEXT 40
#define WCI_LOG_TEXT_MAX 16384 /* longer lines are several 'P' entries */
/* Files are numbered from 1 and never renamed: a reader goes on with the next number. */
#define WCI_LOG_NAME "%08u.log"
#define WCI_LOG_DIR "log"
#define WCI_JOURNAL_SOCKET "/run/systemd/journal/socket"

int32_t wci_process_logs_open(uintptr_t payload, wc_call *call, const wc_request *request,
                              wc_response *response);
int32_t wci_process_logs_next(uintptr_t payload, wc_call *call, uintptr_t handle,
                              wc_response *response, int64_t timeout_ns);
intptr_t wci_process_logs_fd(uintptr_t payload, uintptr_t handle);
void wci_process_logs_release(uintptr_t payload, uintptr_t handle);

/* *ended becomes 1 when nothing comes any more: the container does not run, or what is wanted is over. */
int32_t wci_log_look_for_end(const char *run_dir, const wci_log_times *times, int *ended, wc_error **err);
/* How long to wait now for a reader that has so long, 0: for ever; not longer than it may be before it looks for what
 * does not wake it: the next file, the end. WC_E_TIMEOUT: no time is left. */
int32_t wci_log_wait_ms(int64_t deadline, int64_t *wait, wc_error **err);
int32_t wci_log_no_more(wc_error **err); /* WC_E_CLOSED */

/* Numbers of the first and the last log file in `dir`; both 0 when there is none. */
int32_t wci_log_range(const char *dir, uint32_t *first, uint32_t *last, wc_error **err);
char *wci_log_path(const char *dir, uint32_t number); /* NULL: out of memory */

#endif
