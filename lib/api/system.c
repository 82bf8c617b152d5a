/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/system.h>

#include "api/context.h"
#include "container/container.h"
#include "container/restore.h"
#include "container/system.h"
#include "core/alloc.h"
#include "core/list.h"
#include "image/check.h"
#include "store/store_volume.h"

#define PRUNE_ALL \
    ((uint64_t)(WC_PRUNE_CONTAINERS | WC_PRUNE_DANGLING | WC_PRUNE_UNUSED | WC_PRUNE_PARTIAL | WC_PRUNE_VOLUMES))

int32_t wc_system_info(wc_context *context, wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_system_info(&call, context->engine, out, err);
}

int32_t wc_system_df(wc_context *context, wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_system_df(&call, context->engine, out, err);
}

static int prune_what(uint64_t flags)
{
    return (flags & WC_PRUNE_DANGLING ? WCI_PRUNE_DANGLING : 0) | (flags & WC_PRUNE_UNUSED ? WCI_PRUNE_UNUSED : 0) |
           (flags & WC_PRUNE_PARTIAL ? WCI_PRUNE_PARTIAL : 0);
}

/* Hands over what a prune has done when `rc` is WC_OK. Frees the lines. */
static int32_t give_pruned(int32_t rc, wci_strv *lines, uint64_t bytes, int64_t *reclaimed, wc_list **removed,
                           wc_error **err)
{
    if (!rc && removed)
        rc = wci_list_of_strings(lines, removed, err);
    if (!rc && reclaimed)
        *reclaimed = (int64_t)bytes;
    wci_strv_free(lines);
    return rc;
}

static int32_t prune_volumes(wc_call *call, wci_store *store, wci_strv *lines, uint64_t *bytes, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_volume_prune(call, store, 0, &names, bytes, err);
    for (size_t i = 0; !rc && i < names.count; i++)
        if (wci_strv_add_take(lines, wci_asprintf("Deleted: volume %s", names.items[i])))
            rc = wci_err_nomem(err);
    wci_strv_free(&names);
    return rc;
}

int32_t wc_system_prune(wc_context *context, uint64_t flags, wc_cancel *cancel, int64_t *reclaimed, wc_list **removed,
                        wc_error **err)
{
    wc_call call;
    wci_strv lines = WCI_STRV_INIT;
    uint64_t bytes = 0, more = 0;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!(flags & ~PRUNE_ALL), "unknown flags");
    if (flags & WC_PRUNE_CONTAINERS)
        rc = wci_ctr_prune(&call, context->engine, &lines, &bytes, err);
    if (!rc && flags & WC_PRUNE_VOLUMES)
        rc = prune_volumes(&call, context->engine->store, &lines, &bytes, err);
    if (!rc)
        rc = wci_store_prune(&call, context->engine->store, prune_what(flags), &lines, &more, err);
    return give_pruned(rc, &lines, bytes + more, reclaimed, removed, err);
}

int32_t wc_system_prune_to_size(wc_context *context, int64_t max_bytes, wc_cancel *cancel, int64_t *reclaimed,
                                wc_list **removed, wc_error **err)
{
    wc_call call;
    wci_strv lines = WCI_STRV_INIT;
    uint64_t bytes = 0;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(max_bytes >= 0, "max_bytes is negative");
    rc = wci_store_prune_to(&call, context->engine->store, (uint64_t)max_bytes, &lines, &bytes, err);
    return give_pruned(rc, &lines, bytes, reclaimed, removed, err);
}

int32_t wc_system_check(wc_context *context, int32_t repair, wc_cancel *cancel, wc_list **findings, wc_error **err)
{
    wc_call call;
    wci_strv lines = WCI_STRV_INIT;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(repair == 0 || repair == 1, "repair is neither 0 nor 1");
    WCI_REQUIRE(findings, "findings is NULL");
    rc = wci_images_check(&call, context->engine->store, repair, &lines, err);
    if (!rc)
        rc = wci_list_of_strings(&lines, findings, err);
    wci_strv_free(&lines);
    return rc;
}

int32_t wc_system_apply_restart_policy(wc_context *context, wc_cancel *cancel, wc_list **started, wc_error **err)
{
    wc_call call;
    wci_strv ids = WCI_STRV_INIT;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    rc = wci_restore(&call, context->engine, &ids, err);
    if (!rc && started)
        rc = wci_list_of_strings(&ids, started, err);
    wci_strv_free(&ids);
    return rc;
}
