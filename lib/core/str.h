/* SPDX-License-Identifier: Apache-2.0 */
/* Growing strings, string lists, and the public wc_buf made from them. */
#ifndef WCI_STR_H
#define WCI_STR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

/* A growing string. Appending after memory ran out does nothing; `failed` says so at the end,
 * so that callers check once. Data is always zero-terminated when not NULL. */
typedef struct wci_str {
    char *data;
    size_t size;
    size_t cap;
    int failed;
    int is_secret; /* see core/secret.h */
} wci_str;

#define WCI_STR_INIT {NULL, 0, 0, 0, 0}

void wci_str_append(wci_str *s, const char *text);
void wci_str_append_n(wci_str *s, const void *data, size_t size);
void wci_str_append_c(wci_str *s, char c);
void wci_str_printf(wci_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Makes room for n more bytes and returns where they go, or NULL; follow with wci_str_added(). */
char *wci_str_reserve(wci_str *s, size_t n);
void wci_str_added(wci_str *s, size_t n);
void wci_str_clear(wci_str *s);
void wci_str_free(wci_str *s);
/* Hands the text over (an empty string when nothing was appended), or NULL when out of memory. */
char *wci_str_take(wci_str *s);
/* Hands the text over as a wc_buf; s is empty afterwards in any case. */
int32_t wci_str_to_buf(wci_str *s, wc_buf **out, wc_error **err);
int32_t wci_buf_new(const void *data, size_t size, wc_buf **out, wc_error **err);

/* A list of owned strings. items is NULL-terminated whenever it is not NULL. */
typedef struct wci_strv {
    char **items;
    size_t count;
    size_t cap;
} wci_strv;

#define WCI_STRV_INIT {NULL, 0, 0}

/* 0 or WC_E_NOMEM. */
int wci_strv_add(wci_strv *v, const char *s);
/* Takes s over, also on failure; s NULL means that memory ran out. 0 or WC_E_NOMEM. */
int wci_strv_add_take(wci_strv *v, char *s);
int wci_strv_copy(wci_strv *dst, const wci_strv *src);
int wci_strv_contains(const wci_strv *v, const char *s);
void wci_strv_free(wci_strv *v);

int wci_starts_with(const char *s, const char *prefix);
int wci_ends_with(const char *s, const char *suffix);
int wci_streq(const char *a, const char *b); /* NULL equals only NULL */
int wci_has_drive(const char *path); /* "C:…" */
/* ASCII only, whatever the locale says. */
int wci_strcasecmp(const char *a, const char *b);
int wci_strncasecmp(const char *a, const char *b, size_t n);
int wci_is_utf8(const char *s, size_t size);
/* With U+FFFD for each byte that is not part of UTF-8: how Go writes such text into JSON. */
void wci_str_append_utf8(wci_str *s, const char *text);
/* Foreign text for a message: at most a line's worth, control and non-ASCII bytes as '?'. */
#define WCI_SHOWN_SIZE 104
void wci_show(const char *text, char out[WCI_SHOWN_SIZE]);
/* Makes one line of valid UTF-8 of a message that quotes foreign text: control characters and bytes of no or half
 * a sequence become '?', line ends and tabs a space. */
void wci_make_plain(char *text);
/* Strict decimal: digits only, no sign, no overflow past max. 1 when accepted. */
int wci_parse_u64(const char *s, uint64_t max, uint64_t *out);

#endif
