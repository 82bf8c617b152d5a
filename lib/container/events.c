/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor is "STORE-UUID:NUMBER", so that one of another store is recognised. */
#include "container/events.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/process.h"

/* A writer may be killed between its commit and the change of the wake file. */
#define LOOK_AGAIN_MS 1000

static int32_t parse_cursor(wci_store *store, const char *cursor, int64_t *after, wc_error **err)
{
    const char *colon = strchr(cursor, ':');
    uint64_t number = 0;
    size_t size = colon ? (size_t)(colon - cursor) : 0;
    if (!colon || !wci_parse_u64(colon + 1, INT64_MAX, &number))
        return wci_err(err, WC_E_INVALID, "cursor '%.80s': is none; take that of an event", cursor);
    if (strlen(wci_store_uuid(store)) != size || memcmp(cursor, wci_store_uuid(store), size))
        return wci_err(err, WC_E_INVALID, "cursor '%.80s': is of another store", cursor);
    *after = (int64_t)number;
    return WC_OK;
}

static int32_t check_gap(wci_store *store, int64_t after, wc_error **err)
{
    wci_event_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_event_read(store, after, 1, &records, &count, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        wci_event_record_free(records[i]);
    wci_free(records);
    return WC_OK;
}

/* The oldest event that is kept stands behind a gap, which 0 does not complain about. */
static int32_t find_start(wci_store *store, const wc_events_options *options, int64_t *after, wc_error **err)
{
    const char *cursor = options->cursor;
    if (!cursor && !options->since_ns)
        return wci_event_last(store, after, err);
    if (!cursor || !*cursor) {
        *after = 0;
        return WC_OK;
    }
    int32_t rc = parse_cursor(store, cursor, after, err);
    return rc ? rc : check_gap(store, *after, err);
}

int32_t wci_events_open(wci_engine *engine, const wc_events_options *options, wc_events **out, wc_error **err)
{
    int64_t after = 0;
    int32_t rc = find_start(engine->store, options, &after, err);
    char *path = rc ? NULL : wci_event_wake_path(engine->store);
    wc_events *events = rc ? NULL : wci_calloc(1, sizeof *events);
    if (!rc && (!path || !events))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_events_options_copy(options, &events->filter, err);
    if (!rc)
        rc = wci_watch_new(path, &events->watch, err);
    wci_free(path);
    if (rc) {
        if (events)
            wci_events_options_free_contents(&events->filter);
        wci_free(events);
        return rc;
    }
    wci_ref_init(&events->refs);
    events->engine = wci_engine_ref(engine);
    events->after = after;
    *out = events;
    return WC_OK;
}

void wci_events_free(wc_events *events)
{
    wci_watch_free(events->watch);
    wci_events_options_free_contents(&events->filter);
    wci_engine_unref(events->engine);
    wci_free(events);
}

static int32_t event_new(wci_store *store, wci_event_record *record, wc_event **out, wc_error **err)
{
    wc_event *event = wci_calloc(1, sizeof *event);
    char *cursor = wci_asprintf("%s:%lld", wci_store_uuid(store), (long long)record->seq);
    if (!event || !cursor) {
        wci_free(event);
        wci_free(cursor);
        wci_event_record_free(record);
        return wci_err_nomem(err);
    }
    wci_ref_init(&event->refs);
    event->record = record;
    event->cursor = cursor;
    *out = event;
    return WC_OK;
}

void wci_event_free(wc_event *event)
{
    wci_event_record_free(event->record);
    wci_free(event->cursor);
    wci_free(event);
}

/* *out NULL: there is none yet. */
static int32_t take_next(wc_events *events, wc_event **out, wc_error **err)
{
    wci_event_record **records = NULL;
    size_t count = 0;
    *out = NULL;
    int32_t rc = wci_event_read(events->engine->store, events->after, 1, &records, &count, err);
    if (rc || !count) {
        if (!rc)
            wci_free(records);
        return rc;
    }
    int64_t seq = records[0]->seq;
    rc = event_new(events->engine->store, records[0], out, err);
    wci_free(records);
    if (!rc)
        events->after = seq;
    return rc;
}

/* Up to `until` it is the time in the store that counts: what was written before then may be read later. */
static int is_over(const wc_events *events, const wc_event *event)
{
    int64_t until = events->filter.until_ns;
    return until && (event ? event->record->time_ns > until : wci_now_ns() > until);
}

/* The next that passes; *out NULL: there is none yet. WC_E_CLOSED when there will be none. */
static int32_t take(wc_events *events, wc_event **out, wc_error **err)
{
    for (;;) {
        int over = is_over(events, NULL);
        int32_t rc = take_next(events, out, err);
        if (rc)
            return rc;
        if (*out ? is_over(events, *out) : over) {
            if (*out)
                wci_event_free(*out);
            *out = NULL;
            return wci_err(err, WC_E_CLOSED, "events: the time up to which they were wanted has passed");
        }
        if (!*out || wci_event_passes(&events->filter, (*out)->record))
            return WC_OK;
        wci_event_free(*out);
    }
}

static int64_t wait_ms(int64_t end_ns, int64_t until_ns)
{
    int64_t left = end_ns < 0 ? INT64_MAX : (end_ns - wci_monotonic_ns() + 999999) / 1000000;
    int64_t rest = until_ns ? (until_ns - wci_now_ns()) / 1000000 + 1 : INT64_MAX;
    left = rest < left ? rest : left;
    return left < LOOK_AGAIN_MS ? (left < 0 ? 0 : left) : LOOK_AGAIN_MS;
}

int32_t wci_events_next(wc_call *call, wc_events *events, int64_t timeout_ns, wc_event **out, wc_error **err)
{
    int64_t end = timeout_ns < 0 ? -1 : wci_monotonic_ns() + timeout_ns;
    for (;;) {
        wc_event *event = NULL;
        wci_watch_clear(events->watch);
        int32_t rc = take(events, &event, err);
        if (rc)
            return rc;
        if (event) {
            *out = event;
            return WC_OK;
        }
        if (end >= 0 && wci_monotonic_ns() >= end)
            return wci_err(err, WC_E_TIMEOUT, "events: none came in time");
        wci_poll_item item = {wci_watch_fd(events->watch), WCI_POLL_READ, 0};
        int ready;
        rc = wci_poll(call, &item, 1, wait_ms(end, events->filter.until_ns), &ready, err);
        if (rc)
            return rc;
    }
}
