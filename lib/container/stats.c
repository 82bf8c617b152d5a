/* SPDX-License-Identifier: Apache-2.0 */
/* The backend gives the figures of one container as JSON (docs/backends.md); here they become an object in Docker's
 * words, and a reader that sees how they change. */
#include "container/stats.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/list.h"
#include "platform/host.h"

#define ANSWER_MAX (1024 * 1024)

/* ---- Figures ------------------------------------------------------------------------------------ */

static int64_t network_sum(json_t *networks, const char *key)
{
    const char *name;
    json_t *network;
    int64_t sum = 0;
    json_object_foreach(networks, name, network)
        sum += json_integer_value(json_object_get(network, key));
    return sum;
}

static int64_t number(json_t *answer, const char *key)
{
    return json_integer_value(json_object_get(answer, key));
}

static wci_figures read_figures(json_t *answer)
{
    json_t *networks = json_object_get(answer, "networks");
    return (wci_figures){
        .cpu_ns = number(answer, "cpu"),
        .memory = number(answer, "memory"),
        .memory_limit = number(answer, "memoryLimit"),
        .pids = number(answer, "pids"),
        .read_bytes = number(answer, "readBytes"),
        .written_bytes = number(answer, "writtenBytes"),
        .received_bytes = network_sum(networks, "rx_bytes"),
        .sent_bytes = network_sum(networks, "tx_bytes"),
    };
}

static char *to_json(const wc_stats *s, json_t *networks)
{
    const wci_figures *f = &s->figures;
    char when[WCI_TIME_TEXT_SIZE];
    wci_time_format(s->time_ns, when);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:{s:I}, s:{s:{s:I}}, s:{s:I, s:I}, s:{s:[{s:s, s:I}, {s:s, s:I}]}, s:O?}", "id", s->id, "name",
        s->name, "read", when, "pids_stats", "current", (json_int_t)f->pids, "cpu_stats", "cpu_usage", "total_usage",
        (json_int_t)f->cpu_ns, "memory_stats", "usage", (json_int_t)f->memory, "limit", (json_int_t)f->memory_limit,
        "blkio_stats", "io_service_bytes_recursive", "op", "read", "value", (json_int_t)f->read_bytes, "op", "write",
        "value", (json_int_t)f->written_bytes, "networks", json_is_object(networks) ? networks : NULL);
    char *text = json ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    return text;
}

/* answer NULL: it does not run. */
static int32_t stats_new(const wci_container_record *record, json_t *answer, wc_stats **out, wc_error **err)
{
    wc_stats *stats = wci_calloc(1, sizeof *stats);
    if (!stats)
        return wci_err_nomem(err);
    wci_ref_init(&stats->refs);
    memcpy(stats->id, record->id, sizeof stats->id);
    stats->name = wci_strdup(record->name);
    stats->time_ns = wci_now_ns();
    stats->figures = read_figures(answer);
    stats->json = stats->name ? to_json(stats, json_object_get(answer, "networks")) : NULL;
    if (!stats->json) {
        wci_stats_free(stats);
        return wci_err_nomem(err);
    }
    *out = stats;
    return WC_OK;
}

void wci_stats_free(wc_stats *stats)
{
    wci_free(stats->name);
    wci_free(stats->json);
    wci_free(stats);
}

/* WC_E_STATE: it does not run. */
static int32_t ask(wc_call *call, wci_engine *engine, const wci_container_record *record, json_t **answer,
                   wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_STATS, call, err);
    const char *text = op.response.text ? op.response.text : "{}";
    if (!rc)
        rc = wci_json_parse(text, strlen(text), ANSWER_MAX, "figures of a backend", answer, err);
    wci_ctr_call_free(&op);
    return rc;
}

/* One that ends meanwhile does not run. */
static int32_t look(wc_call *call, wci_engine *engine, const wci_container_record *record, wc_stats **out,
                    wc_error **err)
{
    json_t *answer = NULL;
    wc_error *why = NULL;
    int32_t rc = WC_E_STATE;
    if (wci_status_is_live(record->status))
        rc = ask(call, engine, record, &answer, &why);
    if (rc && rc != WC_E_STATE)
        return wci_err_move(err, why);
    wc_error_unref(why);
    rc = stats_new(record, answer, out, err);
    json_decref(answer);
    return rc;
}

int32_t wci_ctr_stats(wc_call *call, wc_container *c, wc_stats **out, wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (!rc)
        rc = look(call, c->engine, record, out, err);
    wci_container_record_free(record);
    return rc;
}

/* ---- Reader ------------------------------------------------------------------------------------- */

int32_t wci_stats_open(wci_engine *engine, wc_container *const *containers, size_t count, int64_t interval_ns,
                       wc_stats_reader **out, wc_error **err)
{
    wc_stats_reader *reader = wci_calloc(1, sizeof *reader);
    wc_container **copy = wci_calloc(count + 1, sizeof *copy);
    if (!reader || !copy) {
        wci_free(reader);
        wci_free(copy);
        return wci_err_nomem(err);
    }
    wci_ref_init(&reader->refs);
    reader->engine = wci_engine_ref(engine);
    reader->containers = copy;
    reader->interval_ns = interval_ns;
    for (; reader->count < count; reader->count++)
        copy[reader->count] = wc_container_ref(containers[reader->count]);
    *out = reader;
    return WC_OK;
}

void wci_stats_reader_free(wc_stats_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++)
        wc_container_unref(reader->containers[i]);
    wci_free(reader->containers);
    wc_list_unref(reader->before);
    wci_engine_unref(reader->engine);
    wci_free(reader);
}

static int32_t add_one(wc_call *call, wci_engine *engine, const wci_container_record *record, wc_list *list,
                       wc_error **err)
{
    wc_stats *stats = NULL;
    int32_t rc = look(call, engine, record, &stats, err);
    return rc ? rc : wci_list_add(list, stats, err);
}

static int32_t look_at_named(wc_call *call, wc_stats_reader *reader, wc_list *list, wc_error **err)
{
    for (size_t i = 0; i < reader->count; i++) {
        wci_container_record *record = NULL;
        wc_error *why = NULL;
        int32_t rc = wci_ctr_record(call, reader->engine, reader->containers[i]->id, &record, &why);
        if (rc == WC_E_NOT_FOUND) {
            wc_error_unref(why);
            continue;
        }
        if (rc)
            return wci_err_move(err, why);
        rc = add_one(call, reader->engine, record, list, err);
        wci_container_record_free(record);
        if (rc)
            return rc;
    }
    return WC_OK;
}

static int32_t look_at_running(wc_call *call, wc_stats_reader *reader, wc_list *list, wc_error **err)
{
    wci_container_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_container_list(reader->engine->store, &records, &count, err);
    for (size_t i = 0; i < count && !rc; i++)
        if (wci_status_is_live(records[i]->status))
            rc = add_one(call, reader->engine, records[i], list, err);
    wci_container_records_free(records, count);
    return rc;
}

static const wc_stats *find(const wc_list *list, const char *id)
{
    for (size_t i = 0; i < wc_list_count(list); i++)
        if (!strcmp(wc_list_stats(list, i)->id, id))
            return wc_list_stats(list, i);
    return NULL;
}

/* A counter that went back is that of another run. */
static void compare(const wc_list *before, wc_list *now)
{
    for (size_t i = 0; i < wc_list_count(now); i++) {
        wc_stats *stats = wc_list_stats(now, i);
        const wc_stats *old = find(before, stats->id);
        int64_t time = old ? stats->time_ns - old->time_ns : 0;
        int64_t used = old ? stats->figures.cpu_ns - old->figures.cpu_ns : 0;
        if (time > 0 && used > 0)
            stats->nano_cpus = (int64_t)((double)used / (double)time * 1e9);
    }
}

static void release(void *stats)
{
    wc_stats_unref(stats);
}

static int32_t wait_for_turn(wc_call *call, const wc_stats_reader *reader, wc_error **err)
{
    int64_t left = reader->last_ns ? reader->last_ns + reader->interval_ns - wci_monotonic_ns() : 0;
    return left > 0 ? wci_call_sleep_ms(call, (left + 999999) / 1000000, err) : wci_call_check(call, err);
}

int32_t wci_stats_next(wc_call *call, wc_stats_reader *reader, wc_list **out, wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wait_for_turn(call, reader, err);
    if (!rc)
        rc = wci_list_new(WCI_LIST_STATS, release, &list, err);
    if (!rc)
        rc = reader->count ? look_at_named(call, reader, list, err) : look_at_running(call, reader, list, err);
    if (rc) {
        wc_list_unref(list);
        return rc;
    }
    compare(reader->before, list);
    reader->last_ns = wci_monotonic_ns();
    wc_list_unref(reader->before);
    reader->before = wc_list_ref(list);
    *out = list;
    return WC_OK;
}

/* ---- Processes ---------------------------------------------------------------------------------- */

static json_t *args_json(const char *const *args, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(args[i]));
    if (!count)
        json_array_append_new(array, json_string("-ef"));
    return array;
}

int32_t wci_ctr_processes(wc_call *call, wc_container *c, const char *const *ps_args, size_t count, wc_buf **out,
                          wc_error **err)
{
    wci_container_record *record = NULL;
    wci_ctr_call op;
    int32_t rc = wci_ctr_running(call, c, &record, err);
    if (!rc)
        rc = wci_ctr_call_init(call, c->engine, record, &op, err);
    wci_container_record_free(record);
    if (rc)
        return rc;
    json_t *args = args_json(ps_args, count);
    char *text = args ? wci_json_dump_text(args) : NULL;
    json_decref(args);
    rc = text && !wci_request_set_string(&op.request, "ps-args", text) ? WC_OK : wci_err_nomem(err);
    wci_free(text);
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_PROCESSES, call, err);
    if (!rc)
        rc = wci_buf_new(op.response.text, op.response.text ? strlen(op.response.text) : 0, out, err);
    wci_ctr_call_free(&op);
    return rc;
}
