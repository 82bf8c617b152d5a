/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "core/signal.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

static int32_t merge_stop_signal(const wci_merge *in, wci_config *c, wc_error **err)
{
    const char *text = c->stop_signal && *c->stop_signal ? c->stop_signal : in->image->stop_signal;
    char name[WCI_SIGNAL_NAME_SIZE];
    int number = WCI_SIGTERM;
    int32_t rc = *text ? wci_signal_parse(text, &number, err) : WC_OK;
    if (rc)
        return rc;
    wci_signal_name(number, name);
    return wci_replace(&c->stop_signal, name) ? wci_err_nomem(err) : WC_OK;
}

static int32_t merge_restart(wci_config *c, wc_error **err)
{
    int32_t rc = wci_merge_default(&c->restart_policy, "no", err);
    if (!rc && c->auto_remove && strcmp(c->restart_policy, "no") != 0)
        rc = wci_err(err, WC_E_INVALID,
                     "restart policy '%s': a container that is removed at its end cannot run again; leave one of the two out",
                     c->restart_policy);
    return rc;
}

/* What the user does not say, the image does. */
static int32_t default_number(json_t *check, const char *key, int64_t *to, wc_error **err)
{
    int64_t value = 0;
    int32_t rc = wci_json_get_int(check, key, "healthcheck of the image", 0, INT64_MAX, &value, err);
    if (!rc && !*to)
        *to = value;
    return rc;
}

static int32_t read_check(json_t *check, wci_config *c, wc_error **err)
{
    const struct {
        const char *key;
        int64_t *to;
    } numbers[] = {
        {"Interval", &c->health_interval_ns},
        {"Timeout", &c->health_timeout_ns},
        {"StartPeriod", &c->health_start_period_ns},
        {"StartInterval", &c->health_start_interval_ns},
        {"Retries", &c->health_retries},
    };
    int32_t rc = WC_OK;
    if (!c->health_test.count)
        rc = wci_json_get_strings(check, "Test", "healthcheck of the image", &c->health_test, err);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !rc; i++)
        rc = default_number(check, numbers[i].key, numbers[i].to, err);
    return rc;
}

static int32_t merge_health(const wci_merge *in, wci_config *c, wc_error **err)
{
    json_t *check = NULL;
    const char *text = in->image->healthcheck;
    if (!text)
        return WC_OK;
    int32_t rc = wci_json_parse(text, strlen(text), strlen(text), "healthcheck of the image", &check, err);
    if (!rc)
        rc = read_check(check, c, err);
    json_decref(check);
    return rc;
}

int32_t wci_merge_life(const wci_merge *in, wci_config *c, wc_error **err)
{
    int32_t rc = merge_stop_signal(in, c, err);
    if (!rc)
        rc = merge_restart(c, err);
    return rc ? rc : merge_health(in, c, err);
}
