/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

TRY(wc_events_open, wc_events, wc_events_open(tried_context, NULL, &out, err))
TRY(wc_events_open_with, wc_events, wc_events_open_with(tried_context, NULL, &out, err))
TRY(wc_events_next, wc_event, wc_events_next(tried->events, 0, NULL, &out, err))
TRY(wc_system_info, wc_buf, wc_system_info(tried_context, NULL, &out, err))
TRY(wc_system_df, wc_buf, wc_system_df(tried_context, NULL, &out, err))
TRY(wc_system_prune, wc_list, wc_system_prune(tried_context, WC_PRUNE_UNUSED, NULL, NULL, &out, err))
TRY(wc_system_prune_to_size, wc_list, wc_system_prune_to_size(tried_context, 0, NULL, NULL, &out, err))
TRY(wc_system_apply_restart_policy, wc_list, wc_system_apply_restart_policy(tried_context, NULL, &out, err))
TRY(wc_system_check, wc_list, wc_system_check(tried_context, 0, NULL, &out, err))
TRY_PLAIN(wc_backend_load, wc_backend_load(tried_context, "/no/such/object.so", err))
TRY(wc_backend_list, wc_list, wc_backend_list(tried_context, &out, err))
/* A handle to cancel with is one more that may have been inherited. */
TRY(wc_context_open, wc_context, wc_context_open(NULL, tried->cancel, &out, err))

static void note_freed(uintptr_t payload)
{
    ++*(int *)payload;
}

/* The payload is given back all the same. */
static int32_t try_wc_backend_register(wc_error **err)
{
    static const wc_backend_ops ops = {
        .struct_size = sizeof ops, .spi_major = WC_BACKEND_SPI_MAJOR, .name = "none"};
    int freed = 0;
    int32_t rc = wc_backend_register(tried_context, &ops, (uintptr_t)&freed, note_freed, err);
    return freed == 1 ? rc : TOUCHED;
}

/* Makes no error object. */
static int32_t try_wc_context_next_log(wc_error **err)
{
    wc_buf *message = NULL;
    (void)err;
    int32_t rc = wc_context_next_log(tried_context, NULL, NULL, &message);
    return message ? TOUCHED : rc;
}

const attempt fork_try_system[] = {
    ENTRY(wc_events_open),
    ENTRY(wc_events_open_with),
    ENTRY(wc_events_next),
    ENTRY(wc_system_info),
    ENTRY(wc_system_df),
    ENTRY(wc_system_prune),
    ENTRY(wc_system_prune_to_size),
    ENTRY(wc_system_check),
    ENTRY(wc_system_apply_restart_policy),
    ENTRY(wc_backend_load),
    ENTRY(wc_backend_list),
    ENTRY(wc_context_open),
    ENTRY(wc_backend_register),
    {"wc_context_next_log", try_wc_context_next_log, 1},
    {NULL, NULL, 0},
};
