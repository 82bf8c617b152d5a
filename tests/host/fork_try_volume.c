/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

TRY(wc_volume_create, wc_volume, wc_volume_create(tried_context, "other", NULL, NULL, &out, err))
TRY(wc_volume_open, wc_volume, wc_volume_open(tried_context, "volume", &out, err))
TRY(wc_volume_list, wc_list, wc_volume_list(tried_context, &out, err))
TRY(wc_volume_inspect, wc_buf, wc_volume_inspect(tried->volume, &out, err))
TRY(wc_volume_prune, wc_list, wc_volume_prune(tried_context, 0, NULL, NULL, &out, err))
TRY_PLAIN(wc_volume_remove, wc_volume_remove(tried->volume, 0, NULL, err))
TRY_PLAIN(wc_volume_export_fd, wc_volume_export_fd(tried->volume, 1, NULL, err))
TRY_PLAIN(wc_volume_import_fd, wc_volume_import_fd(tried->volume, 0, NULL, err))

static int32_t try_wc_volume_size(wc_error **err)
{
    int64_t size = -1;
    int32_t rc = wc_volume_size(tried->volume, NULL, &size, err);
    return size == -1 ? rc : TOUCHED;
}

const attempt fork_try_volume[] = {
    ENTRY(wc_volume_create),  ENTRY(wc_volume_open),      ENTRY(wc_volume_list),
    ENTRY(wc_volume_inspect), ENTRY(wc_volume_size),      ENTRY(wc_volume_remove),
    ENTRY(wc_volume_prune),   ENTRY(wc_volume_export_fd), ENTRY(wc_volume_import_fd),
    {NULL, NULL, 0},
};
