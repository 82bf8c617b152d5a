/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/health_rules.h"

#define MS INT64_C(1000000)
#define DEFAULT_MS 30000
#define DEFAULT_RETRIES 3

static int64_t milliseconds(int64_t ns, int64_t otherwise)
{
    return ns <= 0 ? otherwise : ns < MS ? 1 : ns / MS;
}

health_rules health_rules_of(int64_t interval_ns, int64_t timeout_ns, int64_t start_period_ns, int64_t start_interval_ns,
                             int64_t retries)
{
    int64_t interval_ms = milliseconds(interval_ns, DEFAULT_MS);
    return (health_rules){
        .interval_ms = interval_ms,
        .timeout_ms = milliseconds(timeout_ns, DEFAULT_MS),
        .start_period_ms = milliseconds(start_period_ns, 0),
        .start_interval_ms = milliseconds(start_interval_ns, interval_ms),
        .retries = retries > 0 ? retries : DEFAULT_RETRIES,
    };
}

/* A failure within the start period counts only once there was a success. */
health_state health_after(const health_rules *rules, health_state before, int64_t age_ms, int exit_code)
{
    if (exit_code == 0)
        return (health_state){WCI_HEALTH_HEALTHY, 0};
    if (before.health == WCI_HEALTH_STARTING && age_ms < rules->start_period_ms)
        return before;
    before.streak++;
    if (before.streak >= rules->retries)
        before.health = WCI_HEALTH_UNHEALTHY;
    return before;
}

int64_t health_wait_ms(const health_rules *rules, wci_health health, int64_t age_ms)
{
    return health == WCI_HEALTH_STARTING && age_ms < rules->start_period_ms ? rules->start_interval_ms
                                                                            : rules->interval_ms;
}
