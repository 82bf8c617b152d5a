/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container runs again after a run, and when: Docker's rules. */
#ifndef WC_HELPER_RESTART_H
#define WC_HELPER_RESTART_H

#include <stdint.h>

/* `policy` is "no", "always", "unless-stopped" or "on-failure"; `max` counts for the last, 0: as often as it takes.
 * `count`: restarts by the policy so far. That no user has stopped it is checked elsewhere. */
int restart_is_wanted(const char *policy, int64_t max, int64_t count, int exit_code);
/* How long to wait, after the wait before the last run (0: there was none) and how long that run was. */
int64_t restart_delay_ms(int64_t last_ms, int64_t run_ms);

#endif
