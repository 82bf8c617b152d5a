/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <stdlib.h>

static const char *stop_signal, *stop_timeout, *restart;

static const option options[] = {
    {0, "stop-signal", OPTION_MAYBE, "SIGNAL", "what `stop` sends first", &stop_signal},
    {0, "restart", OPTION_MAYBE, "no|always|unless-stopped|on-failure[:N]", "what comes after its end", &restart},
    {0, "stop-timeout", OPTION_TEXT, "SECONDS", "how long `stop` waits; -1: without end", &stop_timeout},
};

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    run_set(to, stop_signal, wc_container_options_set_stop_signal);
    if (restart && *restart) {
        int64_t max = 0;
        char *policy = value_restart(restart, &max);
        TRY(wc_container_options_set_restart_policy(to, policy, max, &err));
        free(policy);
    }
    if (stop_timeout)
        TRY(wc_container_options_set_stop_timeout(to, value_seconds_ns("--stop-timeout", stop_timeout), &err));
}

const option_group run_life = {options, countof(options), apply};
