/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file base.h
 * Export and deprecation macros and the opaque handle types that every other header uses.
 *
 * Conventions that hold for the whole library:
 *  - Fallible calls return int32_t: WC_OK or a negative WC_E_* code. Their last parameter,
 *    `wc_error **err`, may be NULL; it is written only on failure and the caller releases it.
 *  - Outputs are written only on success.
 *  - Strings are UTF-8 and zero-terminated. Accessors lend: what they return lives as long as the
 *    handle it came from. What a function gives away is named in its comment.
 *  - `_ref` and `_unref` are atomic and accept NULL. Children hold their parents.
 *  - Times are nanoseconds since 1970-01-01T00:00:00Z; 0 means "not set".
 *  - After fork() the child's copies of handles are good for giving them back, for what was read into
 *    memory (names, snapshots, lists, errors, options), and nothing else: every call that would do
 *    something gives WC_E_FORKED, every descriptor is -1. The child may open a context of its own, unless
 *    another thread was at work in the library at that moment (WC_E_FORKED as well).
 *  - `payload` is an integer that is handed back untouched and is never dereferenced.
 *
 * What holds for a function unless its comment says otherwise:
 *  - Ownership: arguments are copied, nothing that is passed in is kept. What comes out through `**out` is
 *    the caller's, who gives it back with that type's `_unref`.
 *  - Thread-safety: contexts, images, layers, containers, processes, lists, buffers, events, snapshots, errors
 *    and cancel handles may be used by any threads at any time. Options, streams and readers of events and
 *    logs by one thread at a time per object.
 *  - Blocking: a function that takes a `wc_cancel` waits for disks, registries, other processes or a
 *    container, as long as that takes; the cancel handle and its deadline end the wait at once. One without
 *    works on memory, or for a moment on the store's database and files.
 *  - Errors besides those named: WC_E_INVALID for an argument that is NULL or not acceptable, WC_E_NOMEM, and
 *    WC_E_FORKED. With a cancel handle WC_E_CANCELLED and WC_E_TIMEOUT. Where the store is touched WC_E_IO,
 *    WC_E_NO_SPACE, WC_E_PERMISSION and WC_E_CORRUPT; where a registry is, WC_E_NETWORK, WC_E_AUTH and
 *    WC_E_LIMIT. WC_E_INTERNAL is a defect of the library.
 */
#ifndef WINCONTAINER_BASE_H
#define WINCONTAINER_BASE_H

#include <stddef.h>
#include <stdint.h>

/** Marks what the library exports. @since 0.1 */
#if defined(WC_STATIC)
#define WC_API
#elif defined(_WIN32) && defined(WC_BUILDING)
#define WC_API __declspec(dllexport)
#elif defined(_WIN32)
#define WC_API __declspec(dllimport)
#elif defined(__GNUC__)
#define WC_API __attribute__((visibility("default")))
#else
#define WC_API
#endif

/** Warns whoever uses what follows. @since 0.1 */
#if defined(__GNUC__)
#define WC_DEPRECATED(since, use) __attribute__((deprecated("since " since ", use " use)))
#else
#define WC_DEPRECATED(since, use)
#endif

#ifdef __cplusplus
#define WC_BEGIN_DECLS extern "C" {
#define WC_END_DECLS }
#else
#define WC_BEGIN_DECLS /**< Declarations of C, also for C++. @since 0.1 */
#define WC_END_DECLS   /**< The end of these. @since 0.1 */
#endif

WC_BEGIN_DECLS

/** An open store with its backends; the parent of everything else. @since 0.1 */
typedef struct wc_context wc_context;
/** How to open a context. @since 0.1 */
typedef struct wc_context_options wc_context_options;
/** What went wrong. @since 0.1 */
typedef struct wc_error wc_error;
/** Bytes owned by the holder of the reference. @since 0.1 */
typedef struct wc_buf wc_buf;
/** An immutable list. @since 0.1 */
typedef struct wc_list wc_list;
/** A switch that ends a running call from any thread. @since 0.1 */
typedef struct wc_cancel wc_cancel;
/** One progress report. @since 0.1 */
typedef struct wc_progress wc_progress;
/** An image of the store. @since 0.1 */
typedef struct wc_image wc_image;
/** One layer of an image. @since 0.1 */
typedef struct wc_layer wc_layer;
/** A container of the store. @since 0.1 */
typedef struct wc_container wc_container;
/** What a container was at one moment. @since 0.1 */
typedef struct wc_container_info wc_container_info;
/** Limits that several containers have together. @since 0.1 */
typedef struct wc_group wc_group;
/** A further process in a running container. @since 0.1 */
typedef struct wc_process wc_process;
/** The standard streams of a container or process. @since 0.1 */
typedef struct wc_stream wc_stream;
/** A reader of a container's log. @since 0.1 */
typedef struct wc_logs wc_logs;
/** A volume of the store. @since 0.1 */
typedef struct wc_volume wc_volume;
/** A reader of events. @since 0.1 */
typedef struct wc_events wc_events;
/** One event. @since 0.1 */
typedef struct wc_event wc_event;

WC_END_DECLS

#endif
