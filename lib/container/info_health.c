/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container/info.h"
#include "core/alloc.h"
#include "core/json.h"
#include "store/store_life.h"

#define LOG_MAX ((size_t)1 << 20)

/* As an image has it. */
static json_t *check_json(const wci_config *c)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        {"Interval", c->health_interval_ns},       {"Timeout", c->health_timeout_ns},
        {"StartPeriod", c->health_start_period_ns}, {"StartInterval", c->health_start_interval_ns},
        {"Retries", c->health_retries},
    };
    json_t *check = json_pack("{s:o}", "Test", wci_json_from_strv(&c->health_test));
    int failed = !check;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !failed; i++)
        if (numbers[i].value)
            failed = json_object_set_new(check, numbers[i].key, json_integer(numbers[i].value));
    if (!failed)
        return check;
    json_decref(check);
    return NULL;
}

/* What its monitor keeps beside its files; NULL: nothing yet. */
static json_t *read_log(wci_store *store, const char *id)
{
    char *dir = wci_container_dir(store, id), *path = dir ? wci_path_join(dir, "health.json") : NULL;
    wc_buf *text = NULL;
    json_t *log = NULL;
    if (path && !wci_file_read_all(path, LOG_MAX, &text, NULL))
        (void)wci_json_parse(wc_buf_data(text), wc_buf_size(text), LOG_MAX, path, &log, NULL);
    wc_buf_unref(text);
    wci_free(path);
    wci_free(dir);
    return log;
}

static json_t *health_json(wci_store *store, const wci_container_record *r)
{
    json_t *log = read_log(store, r->id), *entries = json_object_get(log, "Log");
    json_t *health = json_pack("{s:s, s:I, s:o}", "Status", wci_health_text(r->health), "FailingStreak",
                               json_integer_value(json_object_get(log, "FailingStreak")), "Log",
                               json_is_array(entries) ? json_incref(entries) : json_array());
    json_decref(log);
    return health;
}

int wci_info_add_health(json_t *root, wci_store *store, const wci_container_record *r, const wci_config *c)
{
    if (c->health_test.count && wci_info_put(root, "Config", json_pack("{s:o}", "Healthcheck", check_json(c))))
        return -1;
    return r->health == WCI_HEALTH_NONE ? 0
                                        : wci_info_put(root, "State", json_pack("{s:o}", "Health", health_json(store, r)));
}
