/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

TRY(wc_group_create, wc_group, wc_group_create(tried_context, "other", NULL, NULL, &out, err))
TRY(wc_group_open, wc_group, wc_group_open(tried_context, "group", &out, err))
TRY(wc_group_list, wc_list, wc_group_list(tried_context, &out, err))
TRY(wc_group_inspect, wc_buf, wc_group_inspect(tried->group, &out, err))
TRY(wc_group_report, wc_buf, wc_group_report(tried->group, NULL, &out, err))
TRY_PLAIN(wc_group_remove, wc_group_remove(tried->group, NULL, err))

static int32_t try_wc_group_update(wc_error **err)
{
    wc_group_options *options = NULL;
    if (wc_group_options_new(&options, NULL))
        return WC_E_NOMEM;
    int32_t rc = wc_group_update(tried->group, options, NULL, err);
    wc_group_options_unref(options);
    return rc;
}

const attempt fork_try_group[] = {
    ENTRY(wc_group_create), ENTRY(wc_group_open),   ENTRY(wc_group_list),   ENTRY(wc_group_inspect),
    ENTRY(wc_group_report), ENTRY(wc_group_update), ENTRY(wc_group_remove), {NULL, NULL, 0},
};
