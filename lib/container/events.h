/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the store's events from a position on. */
#ifndef WCI_EVENTS_H
#define WCI_EVENTS_H

#include <wincontainer/events.h>

#include "container/engine.h"
#include "platform/watch.h"

struct wc_events {
    wci_ref refs;
    wci_engine *engine;
    wci_watch *watch;
    int64_t after;
};

struct wc_event {
    wci_ref refs;
    wci_event_record *record;
    char *cursor;
};

int32_t wci_events_open(wci_engine *engine, const char *cursor, wc_events **out, wc_error **err);
int32_t wci_events_next(wc_call *call, wc_events *events, int64_t timeout_ns, wc_event **out, wc_error **err);
void wci_events_free(wc_events *events);
void wci_event_free(wc_event *event);

#endif
