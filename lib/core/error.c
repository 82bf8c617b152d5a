/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"

#include <stdarg.h>
#include <string.h>

#include "core/alloc.h"
#include "core/ref.h"
#include "core/str.h"
#include "platform/host.h"

struct wc_error {
    wci_ref refs;
    int32_t code;
    int32_t domain;
    int64_t native;
    int32_t retryable;
    char *message;
    wc_error *cause;
};

/* Running out of memory must be reportable without memory. */
static wc_error nomem_error = {.refs = WCI_REF_STATIC,
                               .code = WC_E_NOMEM,
                               .message = (char *)"out of memory"};

static int32_t make(wc_error **err, int32_t code, int32_t domain, int64_t native, char *message)
{
    if (!err) {
        wci_free(message);
        return code;
    }
    wc_error *e = message ? wci_calloc(1, sizeof *e) : NULL;
    if (!e) {
        wci_free(message);
        *err = &nomem_error;
        return code;
    }
    wci_make_plain(message); /* registries, images and runtimes have their say in many of them */
    wci_ref_init(&e->refs);
    e->code = code;
    e->domain = domain;
    e->native = native;
    e->message = message;
    *err = e;
    return code;
}

int32_t wci_err(wc_error **err, int32_t code, const char *fmt, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    char *message = wci_vasprintf(fmt, ap);
    va_end(ap);
    return make(err, code, WC_DOMAIN_NONE, 0, message);
}

int32_t wci_err_native(wc_error **err, int32_t code, int32_t domain, int64_t native,
                       const char *fmt, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    char *message = wci_vasprintf(fmt, ap);
    va_end(ap);
    return make(err, code, domain, native, message);
}

/* What helps whatever failed. */
static const char *remedy(int32_t code)
{
    return code == WC_E_NO_SPACE ? "; make room there, or prune the store, also of partial downloads" : "";
}

int32_t wci_err_errno(wc_error **err, int errnum, const char *fmt, ...)
{
    int32_t code = wci_host_code_of_errno(errnum);
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    char *what = wci_vasprintf(fmt, ap);
    va_end(ap);
    char reason[128];
    wci_host_errno_text(errnum, reason, sizeof reason);
    char *message = what ? wci_asprintf("%s: %s%s", what, reason, remedy(code)) : NULL;
    wci_free(what);
    return make(err, code, WC_DOMAIN_ERRNO, errnum, message);
}

int32_t wci_err_nomem(wc_error **err)
{
    if (err)
        *err = &nomem_error;
    return WC_E_NOMEM;
}

int32_t wci_err_wrap(wc_error **err, int32_t code, const char *fmt, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    char *message = wci_vasprintf(fmt, ap);
    va_end(ap);
    wc_error *cause = *err;
    *err = NULL;
    make(err, cause ? cause->code : code, cause ? cause->domain : WC_DOMAIN_NONE,
         cause ? cause->native : 0, message);
    if (*err == &nomem_error) {
        *err = cause ? cause : &nomem_error;
        return (*err)->code;
    }
    (*err)->cause = cause;
    (*err)->retryable = cause ? cause->retryable : 0;
    return (*err)->code;
}

void wci_err_set_retryable(wc_error **err, int retryable)
{
    if (err && *err && *err != &nomem_error)
        (*err)->retryable = retryable;
}

void wci_err_clear(wc_error **err)
{
    if (!err)
        return;
    wc_error_unref(*err);
    *err = NULL;
}

int32_t wci_err_move(wc_error **err, wc_error *from)
{
    int32_t code = from ? from->code : WC_OK;
    if (err)
        *err = from;
    else
        wc_error_unref(from);
    return code;
}

int32_t wc_error_code(const wc_error *err)
{
    return err ? err->code : WC_OK;
}

int32_t wc_error_domain(const wc_error *err)
{
    return err ? err->domain : WC_DOMAIN_NONE;
}

int64_t wc_error_native(const wc_error *err)
{
    return err ? err->native : 0;
}

int32_t wc_error_retryable(const wc_error *err)
{
    return err ? err->retryable : 0;
}

const char *wc_error_message(const wc_error *err)
{
    return err ? err->message : "";
}

const wc_error *wc_error_cause(const wc_error *err)
{
    return err ? err->cause : NULL;
}

int32_t wc_error_format(const wc_error *err, wc_buf **out)
{
    if (!out)
        return WC_E_INVALID;
    wci_str s = WCI_STR_INIT;
    for (const wc_error *e = err; e; e = e->cause)
        wci_str_printf(&s, "%s%s", e == err ? "" : ": ", e->message);
    return wci_str_to_buf(&s, out, NULL);
}

wc_error *wc_error_ref(wc_error *err)
{
    if (err)
        wci_ref_take(&err->refs);
    return err;
}

void wc_error_unref(wc_error *err)
{
    while (err && wci_ref_drop(&err->refs)) {
        wc_error *cause = err->cause;
        wci_free(err->message);
        wci_free(err);
        err = cause;
    }
}

const char *wc_code_name(int32_t code)
{
    static const char *const names[] = {
        "WC_OK",           "WC_E_NOMEM",    "WC_E_INVALID",     "WC_E_NOT_FOUND",
        "WC_E_EXISTS",     "WC_E_BUSY",     "WC_E_CANCELLED",   "WC_E_TIMEOUT",
        "WC_E_UNSUPPORTED", "WC_E_PERMISSION", "WC_E_IO",       "WC_E_NETWORK",
        "WC_E_AUTH",       "WC_E_DIGEST",   "WC_E_FORMAT",      "WC_E_LIMIT",
        "WC_E_STATE",      "WC_E_IN_USE",   "WC_E_CORRUPT",     "WC_E_VERSION",
        "WC_E_FORKED",     "WC_E_GAP",      "WC_E_MISSING",     "WC_E_RUNTIME",
        "WC_E_NO_SPACE",   "WC_E_CLOSED",   "WC_E_PLATFORM",    "WC_E_COMMAND_NOT_FOUND",
        "WC_E_COMMAND_NOT_EXECUTABLE",      "WC_E_INTERNAL",
        "WC_E_UNTRUSTED"};
    if (code > 0 || code < -(int32_t)(sizeof names / sizeof *names) + 1)
        return "WC_E_?";
    return names[-code];
}
