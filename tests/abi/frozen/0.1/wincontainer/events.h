/* SPDX-License-Identifier: Apache-2.0 */
/** @file events.h What happens in a store, whichever process does it. */
#ifndef WINCONTAINER_EVENTS_H
#define WINCONTAINER_EVENTS_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/**
 * Opens a reader.
 *
 * @param cursor from wc_event_cursor(): goes on after that event. NULL: only what is new from now on.
 *               "": from the oldest event that is kept.
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: on the disk, briefly.
 * @return WC_OK, WC_E_GAP when events after the cursor were pruned, WC_E_INVALID for a cursor of
 *         another store. @since 0.1
 */
WC_API int32_t wc_events_open(wc_context *context, const char *cursor, wc_events **out, wc_error **err);

/** Which events a reader gives. @since 0.1 */
typedef struct wc_events_options wc_events_options;
/** Options for every event that is new. Ownership: the caller releases *out. @since 0.1 */
WC_API int32_t wc_events_options_new(wc_events_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_events_options_unref(wc_events_options *options);
/** As of wc_events_open(). Copied; NULL: none. @since 0.1 */
WC_API int32_t wc_events_options_set_cursor(wc_events_options *options, const char *cursor, wc_error **err);
/** Only events from this time on, nanoseconds since the epoch; without a cursor also those that have happened. @since 0.1 */
WC_API int32_t wc_events_options_set_since(wc_events_options *options, int64_t time_ns, wc_error **err);
/** Only events up to this time; wc_events_next() then gives WC_E_CLOSED. Without a cursor and a `since`, those that
 * are new. @since 0.1 */
WC_API int32_t wc_events_options_set_until(wc_events_options *options, int64_t time_ns, wc_error **err);
/**
 * Only events that fit, as `docker events --filter`: of one key any value may fit, of several keys each must.
 *
 * @param key   "type", "event" (the action), "container", "image", "volume", "network" (name, or beginning of the id;
 *              with "image" also containers of that image), or "label" ("KEY" or "KEY=VALUE" of the attributes; each
 *              must fit).
 * @param value Copied. @return WC_OK, WC_E_INVALID (unknown key). @since 0.1
 */
WC_API int32_t wc_events_options_add_filter(wc_events_options *options, const char *key, const char *value,
                                            wc_error **err);
/** As wc_events_open(), with options (NULL: every new event). They may be dropped afterwards. @since 0.1 */
WC_API int32_t wc_events_open_with(wc_context *context, const wc_events_options *options, wc_events **out,
                                   wc_error **err);
/**
 * The next event, in the order of the store's transactions; none is missed between two calls.
 *
 * @param timeout_ns 0 does not wait, negative waits for ever.
 * @param out        the caller releases it.
 * Thread-safety: one thread at a time. @return WC_OK, WC_E_TIMEOUT, WC_E_CANCELLED, WC_E_GAP,
 *         WC_E_CLOSED when the time of `until` has passed. @since 0.1
 */
WC_API int32_t wc_events_next(wc_events *events, int64_t timeout_ns, wc_cancel *cancel, wc_event **out,
                              wc_error **err);
/** A descriptor that is readable when there may be an event; ask again each second besides. Lent. @since 0.1 */
WC_API intptr_t wc_events_fd(const wc_events *events);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_events *wc_events_ref(wc_events *events);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_events_unref(wc_events *events);

/** "image", "container". Lent. @since 0.1 */
WC_API const char *wc_event_type(const wc_event *event);
/** Docker's word: "pull", "tag", "create", "start", "die", "destroy" … Lent. @since 0.1 */
WC_API const char *wc_event_action(const wc_event *event);
/** Id of what it happened to. Lent. @since 0.1 */
WC_API const char *wc_event_id(const wc_event *event);
/** When. @since 0.1 */
WC_API int64_t wc_event_time(const wc_event *event);
/** Further facts as a JSON object of strings ("name", "image", "exitCode" …). Lent. @since 0.1 */
WC_API const char *wc_event_attributes(const wc_event *event);
/** Position after this event, for wc_events_open(). Lent. @since 0.1 */
WC_API const char *wc_event_cursor(const wc_event *event);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_event *wc_event_ref(wc_event *event);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_event_unref(wc_event *event);

WC_END_DECLS

#endif
