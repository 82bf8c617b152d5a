/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wincontainer/error.h>
#include <wincontainer/memory.h>

#include "core/error.h"

static void *libc_reallocate(void *ptr, size_t size, uintptr_t payload)
{
    (void)payload;
    return realloc(ptr, size);
}

static void libc_release(void *ptr, uintptr_t payload)
{
    (void)payload;
    free(ptr);
}

static wc_allocator current = {sizeof(wc_allocator), libc_reallocate, libc_release, 0};
static atomic_int in_use;

int32_t wci_set_allocator(const wc_allocator *allocator, wc_error **err)
{
    if (allocator->struct_size != sizeof *allocator || !allocator->reallocate ||
        !allocator->release)
        return wci_err(err, WC_E_INVALID,
                       "allocator: struct_size must be %zu and both functions set",
                       sizeof *allocator);
    if (atomic_load(&in_use))
        return wci_err(err, WC_E_BUSY,
                       "allocator: memory was already taken; set it before any other call");
    current = *allocator;
    return WC_OK;
}

void *wci_realloc(void *ptr, size_t size)
{
    if (!atomic_load_explicit(&in_use, memory_order_relaxed))
        atomic_store(&in_use, 1);
    return current.reallocate(ptr, size ? size : 1, current.payload);
}

void *wci_malloc(size_t size)
{
    return wci_realloc(NULL, size);
}

void *wci_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = wci_malloc(count * size);
    if (p)
        memset(p, 0, count * size);
    return p;
}

int wci_grow(void *array_ptr, size_t *cap, size_t need, size_t elem_size)
{
    if (need <= *cap)
        return 1;
    size_t next = *cap ? *cap : 8;
    while (next < need) {
        if (next > SIZE_MAX / 2)
            return 0;
        next *= 2;
    }
    if (elem_size && next > SIZE_MAX / elem_size)
        return 0;
    void *old;
    memcpy(&old, array_ptr, sizeof old);
    void *p = wci_realloc(old, next * elem_size);
    if (!p)
        return 0;
    memcpy(array_ptr, &p, sizeof p);
    *cap = next;
    return 1;
}

char *wci_memdup(const void *p, size_t n)
{
    char *copy = wci_malloc(n + 1);
    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

char *wci_strdup(const char *s)
{
    return wci_memdup(s, strlen(s));
}

char *wci_strndup(const char *s, size_t n)
{
    const char *end = memchr(s, '\0', n);
    return wci_memdup(s, end ? (size_t)(end - s) : n);
}

char *wci_vasprintf(const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = n < 0 ? NULL : wci_malloc((size_t)n + 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

char *wci_asprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = wci_vasprintf(fmt, ap);
    va_end(ap);
    return s;
}

void wci_free(void *ptr)
{
    if (ptr)
        current.release(ptr, current.payload);
}

int wci_replace(char **dst, const char *src)
{
    char *copy = NULL;
    if (src && !(copy = wci_strdup(src)))
        return WC_E_NOMEM;
    wci_free(*dst);
    *dst = copy;
    return WC_OK;
}
