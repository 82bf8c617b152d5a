/* SPDX-License-Identifier: Apache-2.0 */
/* What travels with one public call: how to stop it, whom to tell about progress, where to log, and with
 * whom it shares the network.
 * Functions that may block, report or log take a `wc_call *` as their first parameter. It is never
 * NULL; WCI_CALL_NONE() gives an empty one. Backends see it as the opaque wc_call of backend.h. */
#ifndef WCI_CALL_H
#define WCI_CALL_H

#include <stdint.h>

#include <wincontainer/cancel.h>

#include "core/log.h"
#include "core/traffic.h"

typedef struct wc_call {
    wc_cancel *cancel;           /* may be NULL */
    wc_progress_cb progress;     /* may be NULL; only ever called on the caller's thread */
    uintptr_t progress_payload;
    wci_log *log;                /* may be NULL */
    wci_traffic *traffic;        /* may be NULL */
    wc_error **err;              /* where wc_call_fail() of backend.h puts its error; may be NULL */
} wc_call;

#define WCI_CALL_NONE(name) wc_call name = {NULL, NULL, 0, NULL, NULL, NULL}

/* WC_OK, or WC_E_CANCELLED / WC_E_TIMEOUT with the error set. */
int32_t wci_call_check(const wc_call *call, wc_error **err);
/* A descriptor that turns readable when the call is to end, or -1; never read from it. */
intptr_t wci_call_cancel_fd(const wc_call *call);
/* `timeout_ms` (negative: no end) shortened to the call's deadline. */
int32_t wci_call_timeout_ms(const wc_call *call, int64_t timeout_ms);
/* Sleeps, waking early when the call is to end; then as wci_call_check(). */
int32_t wci_call_sleep_ms(const wc_call *call, int64_t ms, wc_error **err);

/* Reports progress; WC_E_CANCELLED when the callback says so. total -1: not known. id and message
 * may be NULL. Only on the thread that made the public call. */
int32_t wci_call_report(const wc_call *call, int32_t kind, const char *id, int64_t current,
                        int64_t total, const char *message, wc_error **err);

#endif
