/* SPDX-License-Identifier: Apache-2.0 */
/* The context behind every public handle, and the checks that each entry makes. */
#ifndef WCI_API_CONTEXT_H
#define WCI_API_CONTEXT_H

#include <wincontainer/context.h>

#include "container/engine.h"
#include "core/call.h"
#include "core/error.h"

struct wc_context {
    wci_ref refs;
    wci_engine *engine; /* holds log, store and backends */
};

/* WC_E_INVALID for a NULL context, WC_E_FORKED for a context or cancel handle that was inherited by
 * fork(); fills `call`. */
int32_t wci_api_begin(wc_context *context, wc_cancel *cancel, wc_call *call, wc_error **err);
/* The same for handles that hold an engine. */
int32_t wci_api_begin_engine(wci_engine *engine, wc_cancel *cancel, wc_call *call, wc_error **err);
/* 0 in a process that inherited the handle by fork(). */
int wci_api_is_ours(const wci_engine *engine);

/* At least one stream of WC_ATTACH_*, and nothing unknown. */
int wci_api_attach_is_valid(uint64_t attach);

/* `return` WC_E_INVALID naming the argument unless the condition holds. */
#define WCI_REQUIRE(condition, what)                                                             \
    do {                                                                                         \
        if (!(condition))                                                                        \
            return wci_api_refuse(__func__, what, err);                                          \
    } while (0)
/* WC_E_INVALID. The function is named when it is a public one, which callers know. */
int32_t wci_api_refuse(const char *function, const char *what, wc_error **err);

#endif
