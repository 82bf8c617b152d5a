/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/log_times.h"

wci_log_place wci_log_times_judge(wci_log_times *times, int64_t line_ns)
{
    if (line_ns < times->since_ns)
        return WCI_LOG_BEFORE;
    times->since_ns = 0;
    return wci_log_times_are_over(times, line_ns) ? WCI_LOG_BEYOND : WCI_LOG_WITHIN;
}

int wci_log_times_are_over(const wci_log_times *times, int64_t now_ns)
{
    return times->until_ns && now_ns > times->until_ns;
}
