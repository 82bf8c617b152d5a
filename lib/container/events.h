/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the store's events from a position on. */
#ifndef WCI_EVENTS_H
#define WCI_EVENTS_H

#include <wincontainer/events.h>

#include "container/engine.h"
#include "platform/watch.h"

/* Which events: see wc_events_options_*(). */
struct wc_events_options {
    char *cursor; /* NULL: none */
    int64_t since_ns, until_ns; /* 0: none */
    wci_strv keys, values;
};

struct wc_events {
    wci_ref refs;
    wci_engine *engine;
    wci_watch *watch;
    int64_t after;
    wc_events_options filter; /* its cursor is not used */
};

struct wc_event {
    wci_ref refs;
    wci_event_record *record;
    char *cursor;
};

void wci_events_options_free_contents(wc_events_options *options);
int32_t wci_events_options_copy(const wc_events_options *from, wc_events_options *to, wc_error **err);
/* WC_E_INVALID for a key that there is not. */
int32_t wci_event_filter_check(const char *key, wc_error **err);
int wci_event_passes(const wc_events_options *filter, const wci_event_record *record);

int32_t wci_events_open(wci_engine *engine, const wc_events_options *options, wc_events **out, wc_error **err);
int32_t wci_events_next(wc_call *call, wc_events *events, int64_t timeout_ns, wc_event **out, wc_error **err);
void wci_events_free(wc_events *events);
void wci_event_free(wc_event *event);

#endif
