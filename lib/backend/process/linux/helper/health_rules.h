/* SPDX-License-Identifier: Apache-2.0 */
/* What a check of health means for the container: Docker's rules. */
#ifndef WC_HELPER_HEALTH_RULES_H
#define WC_HELPER_HEALTH_RULES_H

#include <stdint.h>

#include "store/store.h"

typedef struct health_rules {
    int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms;
    int64_t retries;
} health_rules;

typedef struct health_state {
    wci_health health;
    int64_t streak; /* failures in a row that count */
} health_state;

/* Times in nanoseconds; 0: Docker's default, which for the start interval is the interval. */
health_rules health_rules_of(int64_t interval_ns, int64_t timeout_ns, int64_t start_period_ns, int64_t start_interval_ns,
                             int64_t retries);
/* After a check that began `age_ms` after the container and ended with this code. */
health_state health_after(const health_rules *rules, health_state before, int64_t age_ms, int exit_code);
/* From the end of one check, or the start of the container, to the beginning of the next. */
int64_t health_wait_ms(const health_rules *rules, wci_health health, int64_t age_ms);

#endif
