/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <stdlib.h>

static const char *stop_signal, *stop_timeout, *restart;
static const char *health_cmd, *health_interval, *health_timeout, *health_start_period, *health_start_interval, *health_retries;
static int no_healthcheck;

static const option options[] = {
    {0, "stop-signal", OPTION_MAYBE, "SIGNAL", "what `stop` sends first", &stop_signal},
    {0, "restart", OPTION_MAYBE, "no|always|unless-stopped|on-failure[:N]", "what comes after its end", &restart},
    {0, "health-cmd", OPTION_MAYBE, "COMMAND", "what tells whether it is well, for a shell in it", &health_cmd},
    {0, "health-interval", OPTION_TEXT, "DURATION", "from one check to the next, default 30s", &health_interval},
    {0, "health-timeout", OPTION_TEXT, "DURATION", "how long a check may take, default 30s", &health_timeout},
    {0, "health-start-period", OPTION_TEXT, "DURATION", "failures do not count so long", &health_start_period},
    {0, "health-start-interval", OPTION_TEXT, "DURATION", "between checks in that period", &health_start_interval},
    {0, "health-retries", OPTION_TEXT, "NUMBER", "failures until it is unhealthy, default 3", &health_retries},
    {0, "no-healthcheck", OPTION_FLAG, NULL, "no check, whatever the image says", &no_healthcheck},
    {0, "stop-timeout", OPTION_TEXT, "SECONDS", "how long `stop` waits; -1: without end", &stop_timeout},
};

static int64_t duration(const char *what, const char *text)
{
    return text ? value_duration_ns(what, text) : 0;
}

static void apply_health(wc_container_options *to)
{
    wc_error *err = NULL;
    int given = (health_cmd && *health_cmd) || health_interval || health_timeout || health_start_period ||
                health_start_interval || health_retries;
    if (no_healthcheck && given)
        die_usage("--no-healthcheck and the --health options exclude each other");
    if (no_healthcheck)
        TRY(wc_container_options_disable_health(to, &err));
    if (health_cmd && *health_cmd)
        TRY(wc_container_options_set_health_command(to, &health_cmd, 1, 1, &err));
    if (health_retries)
        TRY(wc_container_options_set_health_retries(to, value_number("--health-retries", health_retries), &err));
    if (given)
        TRY(wc_container_options_set_health_times(
            to, duration("--health-interval", health_interval), duration("--health-timeout", health_timeout),
            duration("--health-start-period", health_start_period),
            duration("--health-start-interval", health_start_interval), &err));
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    run_set(to, stop_signal, wc_container_options_set_stop_signal);
    apply_health(to);
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
