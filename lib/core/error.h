/* SPDX-License-Identifier: Apache-2.0 */
/* Making errors. Every maker returns the code, so that a failing branch is one line:
 *
 *     return wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store", name);
 *
 * Messages read "what: on what: why; what to do", in lower case and without a full stop. */
#ifndef WCI_ERROR_H
#define WCI_ERROR_H

#include <stdint.h>

#include <wincontainer/error.h>
#include <wincontainer/memory.h>

int32_t wci_err(wc_error **err, int32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int32_t wci_err_native(wc_error **err, int32_t code, int32_t domain, int64_t native,
                       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* From errno: chooses the code, appends ": " and the system's text. */
int32_t wci_err_errno(wc_error **err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int32_t wci_err_nomem(wc_error **err);
/* Puts a message above *err, which becomes its cause; keeps code, domain, native, retryable.
 * `code` must be what the failed call returned (used when err or *err is NULL). */
int32_t wci_err_wrap(wc_error **err, int32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void wci_err_set_retryable(wc_error **err, int retryable);
/* Forgets *err, before trying something else. */
void wci_err_clear(wc_error **err);
/* Gives `from` to *err (or releases it when err is NULL); returns its code. */
int32_t wci_err_move(wc_error **err, wc_error *from);

int32_t wci_set_allocator(const wc_allocator *allocator, wc_error **err);

#endif
