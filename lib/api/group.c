/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/group.h>

#include "api/context.h"
#include "container/group.h"
#include "core/alloc.h"

/* ---- Options ------------------------------------------------------------------------------------ */

int32_t wc_group_options_new(wc_group_options **out, wc_error **err)
{
    WCI_REQUIRE(out, "out is NULL");
    return wci_grp_options_new(out, err);
}

void wc_group_options_unref(wc_group_options *options)
{
    if (options)
        wci_grp_options_free(options);
}

/* ---- Groups ------------------------------------------------------------------------------------- */

static int32_t begin(wc_group *group, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    WCI_REQUIRE(group, "group is NULL");
    return wci_api_begin_engine(group->engine, cancel, call, err);
}

int32_t wc_group_create(wc_context *context, const char *name, const wc_group_options *options, wc_cancel *cancel,
                        wc_group **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name && out, "name or out is NULL");
    return wci_grp_create(&call, context->engine, name, options, out, err);
}

int32_t wc_group_open(wc_context *context, const char *name, wc_group **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name && *name, "name is empty");
    WCI_REQUIRE(out, "out is NULL");
    return wci_grp_open(context->engine, name, out, err);
}

int32_t wc_group_list(wc_context *context, wc_list **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_grp_list(context->engine, out, err);
}

int32_t wc_group_inspect(wc_group *group, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(group, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_grp_inspect(group, out, err);
}

int32_t wc_group_report(wc_group *group, wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(group, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_grp_report(&call, group, out, err);
}

int32_t wc_group_update(wc_group *group, const wc_group_options *options, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(group, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(options, "options is NULL");
    return wci_grp_update(&call, group, options, err);
}

int32_t wc_group_remove(wc_group *group, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(group, cancel, &call, err);
    return rc ? rc : wci_grp_remove(&call, group, err);
}

const char *wc_group_name(const wc_group *group)
{
    return group ? group->name : NULL;
}

wc_group *wc_group_ref(wc_group *group)
{
    if (group)
        wci_ref_take(&group->refs);
    return group;
}

void wc_group_unref(wc_group *group)
{
    if (group && wci_ref_drop(&group->refs))
        wci_grp_free(group);
}
