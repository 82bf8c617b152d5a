/* SPDX-License-Identifier: Apache-2.0 */
#include "api/context.h"
#include "container/events.h"
#include "core/alloc.h"

int32_t wc_events_open(wc_context *context, const char *cursor, wc_events **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_events_open(context->engine, &(wc_events_options){.cursor = (char *)(uintptr_t)cursor}, out, err);
}

int32_t wc_events_open_with(wc_context *context, const wc_events_options *options, wc_events **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_events_open(context->engine, options ? options : &(const wc_events_options){0}, out, err);
}

/* ---- Options ------------------------------------------------------------------------------------ */

int32_t wc_events_options_new(wc_events_options **out, wc_error **err)
{
    WCI_REQUIRE(out, "out is NULL");
    wc_events_options *options = wci_calloc(1, sizeof *options);
    if (!options)
        return wci_err_nomem(err);
    *out = options;
    return WC_OK;
}

void wc_events_options_unref(wc_events_options *options)
{
    if (!options)
        return;
    wci_events_options_free_contents(options);
    wci_free(options);
}

int32_t wc_events_options_set_cursor(wc_events_options *options, const char *cursor, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    return wci_replace(&options->cursor, cursor) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_events_options_set_since(wc_events_options *options, int64_t time_ns, wc_error **err)
{
    WCI_REQUIRE(options && time_ns >= 0, "options is NULL or time_ns negative");
    options->since_ns = time_ns;
    return WC_OK;
}

int32_t wc_events_options_set_until(wc_events_options *options, int64_t time_ns, wc_error **err)
{
    WCI_REQUIRE(options && time_ns >= 0, "options is NULL or time_ns negative");
    options->until_ns = time_ns;
    return WC_OK;
}

int32_t wc_events_options_add_filter(wc_events_options *options, const char *key, const char *value, wc_error **err)
{
    WCI_REQUIRE(options && key && value, "options, key or value is NULL");
    int32_t rc = wci_event_filter_check(key, err);
    if (rc)
        return rc;
    if (wci_strv_add(&options->keys, key) || wci_strv_add(&options->values, value))
        return wci_err_nomem(err);
    return WC_OK;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

int32_t wc_events_next(wc_events *events, int64_t timeout_ns, wc_cancel *cancel, wc_event **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(events && out, "events or out is NULL");
    int32_t rc = wci_api_begin_engine(events->engine, cancel, &call, err);
    return rc ? rc : wci_events_next(&call, events, timeout_ns, out, err);
}

intptr_t wc_events_fd(const wc_events *events)
{
    return events && wci_api_is_ours(events->engine) ? (intptr_t)wci_watch_fd(events->watch) : -1;
}

wc_events *wc_events_ref(wc_events *events)
{
    if (events)
        wci_ref_take(&events->refs);
    return events;
}

void wc_events_unref(wc_events *events)
{
    if (events && wci_ref_drop(&events->refs))
        wci_events_free(events);
}

const char *wc_event_type(const wc_event *event)
{
    return event ? event->record->type : "";
}

const char *wc_event_action(const wc_event *event)
{
    return event ? event->record->action : "";
}

const char *wc_event_id(const wc_event *event)
{
    return event ? event->record->id : "";
}

int64_t wc_event_time(const wc_event *event)
{
    return event ? event->record->time_ns : 0;
}

const char *wc_event_attributes(const wc_event *event)
{
    return event && event->record->attributes ? event->record->attributes : "{}";
}

const char *wc_event_cursor(const wc_event *event)
{
    return event ? event->cursor : "";
}

wc_event *wc_event_ref(wc_event *event)
{
    if (event)
        wci_ref_take(&event->refs);
    return event;
}

void wc_event_unref(wc_event *event)
{
    if (event && wci_ref_drop(&event->refs))
        wci_event_free(event);
}
