/* SPDX-License-Identifier: Apache-2.0 */
/* One backend: its copied table, its payload, and whether it has been opened. Known to this folder
 * only. */
#ifndef WCI_BACKEND_TABLE_H
#define WCI_BACKEND_TABLE_H

#include "backend/backend.h"
#include "core/ref.h"
#include "platform/thread.h"

struct wci_backend {
    wci_ref refs;
    wc_backend_ops ops; /* ops.name is ours */
    uintptr_t payload;
    void (*free_payload)(uintptr_t payload);
    int takes_payload_from_open; /* built-in */
    wci_mutex mutex;             /* guards opened */
    int opened;
};

/* Checks and copies a table. On failure the payload stays the caller's. */
int32_t wci_backend_new(const wc_backend_ops *ops, uintptr_t payload,
                        void (*free_payload)(uintptr_t), wci_backend **out, wc_error **err);
/* Calls `open` once; a failure is not remembered, the next call tries again. */
int32_t wci_backend_open(wci_backend *backend, wc_call *call, const wc_request *settings,
                         wc_error **err);
/* Runs one operation of any slot by the rules of wci_backend_call(). */
int32_t wci_backend_invoke(wci_backend *backend, wc_backend_op op, const char *what, wc_call *call,
                           const wc_request *request, wc_response *response, wc_error **err);

#endif
