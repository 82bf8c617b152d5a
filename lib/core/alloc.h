/* SPDX-License-Identifier: Apache-2.0 */
/* The library's memory functions: everything that is not owned by another library comes from
 * here, so that a host may bring its own allocator. */
#ifndef WCI_ALLOC_H
#define WCI_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *wci_malloc(size_t size);
void *wci_calloc(size_t count, size_t size);
void *wci_realloc(void *ptr, size_t size);
/* Grows an array of `*cap` elements so that `need` fit; false when out of memory. */
int wci_grow(void *array_ptr, size_t *cap, size_t need, size_t elem_size);
char *wci_strdup(const char *s);
char *wci_strndup(const char *s, size_t n);
char *wci_memdup(const void *p, size_t n);
char *wci_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *wci_vasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void wci_free(void *ptr);

/* Replaces *dst by a copy of src (NULL allowed); 0 or WC_E_NOMEM with *dst untouched. */
int wci_replace(char **dst, const char *src);

#endif
