/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/restart.h"

#include <string.h>

#define FIRST_MS 100
#define LONGEST_MS 60000
#define LONG_RUN_MS 10000

int restart_is_wanted(const char *policy, int64_t max, int64_t count, int exit_code)
{
    if (!policy)
        return 0;
    if (!strcmp(policy, "on-failure"))
        return exit_code != 0 && (max == 0 || count < max);
    return !strcmp(policy, "always") || !strcmp(policy, "unless-stopped");
}

int64_t restart_delay_ms(int64_t last_ms, int64_t run_ms)
{
    if (!last_ms || run_ms >= LONG_RUN_MS)
        return FIRST_MS;
    return last_ms * 2 < LONGEST_MS ? last_ms * 2 : LONGEST_MS;
}
