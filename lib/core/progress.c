/* SPDX-License-Identifier: Apache-2.0 */
#include "core/progress.h"

int32_t wc_progress_kind(const wc_progress *progress)
{
    return progress ? progress->kind : 0;
}

const char *wc_progress_id(const wc_progress *progress)
{
    return progress ? progress->id : "";
}

const char *wc_progress_message(const wc_progress *progress)
{
    return progress ? progress->message : "";
}

int64_t wc_progress_current(const wc_progress *progress)
{
    return progress ? progress->current : 0;
}

int64_t wc_progress_total(const wc_progress *progress)
{
    return progress ? progress->total : -1;
}
