/* SPDX-License-Identifier: Apache-2.0 */
/** @file memory.h Byte buffers, lists and the allocator. */
#ifndef WINCONTAINER_MEMORY_H
#define WINCONTAINER_MEMORY_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** The bytes; a zero byte that does not count follows them. Lent. @since 0.1 */
WC_API const char *wc_buf_data(const wc_buf *buf);
/** Number of bytes. @since 0.1 */
WC_API size_t wc_buf_size(const wc_buf *buf);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_buf *wc_buf_ref(wc_buf *buf);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_buf_unref(wc_buf *buf);

/** Number of elements; 0 for NULL. Thread-safety: any thread. @since 0.1 */
WC_API size_t wc_list_count(const wc_list *list);
/** Element as text, or NULL when out of range or of another kind. Lent. @since 0.1 */
WC_API const char *wc_list_string(const wc_list *list, size_t index);
/** Element as image, or NULL when out of range or of another kind. Lent. @since 0.1 */
WC_API wc_image *wc_list_image(const wc_list *list, size_t index);
/** Element as container, or NULL when out of range or of another kind. Lent. @since 0.1 */
WC_API wc_container_info *wc_list_container_info(const wc_list *list, size_t index);
/** Element as volume, or NULL when out of range or of another kind. Lent. @since 0.1 */
WC_API wc_volume *wc_list_volume(const wc_list *list, size_t index);
/** Element as group, or NULL when out of range or of another kind. Lent. @since 0.1 */
WC_API wc_group *wc_list_group(const wc_list *list, size_t index);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_list *wc_list_ref(wc_list *list);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_list_unref(wc_list *list);

/**
 * Memory functions of the host. Append only; `struct_size` is sizeof the struct that the caller
 * was compiled with.
 * @since 0.1
 */
typedef struct wc_allocator {
    uint64_t struct_size; /**< sizeof(wc_allocator) */
    /** Like realloc(): ptr NULL allocates; size is never 0. Must be thread-safe. */
    void *(*reallocate)(void *ptr, size_t size, uintptr_t payload);
    /** Like free(); never called with NULL. Must be thread-safe. */
    void (*release)(void *ptr, uintptr_t payload);
    uintptr_t payload; /**< given to both */
} wc_allocator;

/**
 * Makes the library take its memory from the host. Call it before anything else of the library;
 * libraries underneath (curl, SQLite …) keep their own.
 *
 * @param allocator copied. Thread-safety: none, call it once. Blocking: no.
 * @return WC_OK, WC_E_INVALID, WC_E_BUSY when memory was already taken. @since 0.1
 */
WC_API int32_t wc_set_allocator(const wc_allocator *allocator, wc_error **err);

WC_END_DECLS

#endif
