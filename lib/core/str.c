/* SPDX-License-Identifier: Apache-2.0 */
#include "core/str.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/ref.h"
#include "core/secret.h"

struct wc_buf {
    wci_ref refs;
    size_t size;
    char *data;
    int is_secret;
};

/* A place that was outgrown must not keep the bytes. */
static int grow_secret(wci_str *s, size_t need)
{
    char *data = NULL;
    size_t cap = 0;
    if (need <= s->cap)
        return 1;
    if (!wci_grow(&data, &cap, need, 1))
        return 0;
    if (s->data) {
        memcpy(data, s->data, s->size + 1);
        wci_wipe(s->data, s->cap);
        wci_free(s->data);
    }
    s->data = data;
    s->cap = cap;
    return 1;
}

static int grow(wci_str *s, size_t need)
{
    return s->is_secret ? grow_secret(s, need) : wci_grow(&s->data, &s->cap, need, 1);
}

char *wci_str_reserve(wci_str *s, size_t n)
{
    if (s->failed || n > SIZE_MAX - s->size - 1 || !grow(s, s->size + n + 1)) {
        s->failed = 1;
        return NULL;
    }
    s->data[s->size] = '\0'; /* it may be left unused */
    return s->data + s->size;
}

void wci_str_added(wci_str *s, size_t n)
{
    s->size += n;
    s->data[s->size] = '\0';
}

void wci_str_append_n(wci_str *s, const void *data, size_t size)
{
    char *to = wci_str_reserve(s, size);
    if (!to)
        return;
    if (size)
        memcpy(to, data, size);
    wci_str_added(s, size);
}

void wci_str_append(wci_str *s, const char *text)
{
    wci_str_append_n(s, text, strlen(text));
}

void wci_str_append_c(wci_str *s, char c)
{
    wci_str_append_n(s, &c, 1);
}

void wci_str_printf(wci_str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = wci_vasprintf(fmt, ap);
    va_end(ap);
    if (text)
        wci_str_append(s, text);
    else
        s->failed = 1;
    if (s->is_secret)
        wci_secret_free(text);
    else
        wci_free(text);
}

static void wipe(wci_str *s)
{
    if (s->is_secret && s->data)
        wci_wipe(s->data, s->cap);
}

void wci_str_clear(wci_str *s)
{
    wipe(s);
    s->size = 0;
    s->failed = 0;
    if (s->data)
        s->data[0] = '\0';
}

void wci_str_free(wci_str *s)
{
    wipe(s);
    wci_free(s->data);
    *s = (wci_str)WCI_STR_INIT;
}

char *wci_str_take(wci_str *s)
{
    if (!s->data)
        wci_str_append(s, "");
    char *text = s->failed ? NULL : s->data;
    if (s->failed)
        wci_str_free(s);
    *s = (wci_str)WCI_STR_INIT;
    return text;
}

int32_t wci_str_to_buf(wci_str *s, wc_buf **out, wc_error **err)
{
    size_t size = s->size;
    int is_secret = s->is_secret;
    char *data = wci_str_take(s);
    wc_buf *buf = data ? wci_calloc(1, sizeof *buf) : NULL;
    if (!buf) {
        if (data && is_secret)
            wci_wipe(data, size);
        wci_free(data);
        return wci_err_nomem(err);
    }
    buf->is_secret = is_secret;
    wci_ref_init(&buf->refs);
    buf->size = size;
    buf->data = data;
    *out = buf;
    return WC_OK;
}

int32_t wci_buf_new(const void *data, size_t size, wc_buf **out, wc_error **err)
{
    wci_str s = WCI_STR_INIT;
    wci_str_append_n(&s, data, size);
    return wci_str_to_buf(&s, out, err);
}

const char *wc_buf_data(const wc_buf *buf)
{
    return buf ? buf->data : "";
}

size_t wc_buf_size(const wc_buf *buf)
{
    return buf ? buf->size : 0;
}

wc_buf *wc_buf_ref(wc_buf *buf)
{
    if (buf)
        wci_ref_take(&buf->refs);
    return buf;
}

void wc_buf_unref(wc_buf *buf)
{
    if (!buf || !wci_ref_drop(&buf->refs))
        return;
    if (buf->is_secret)
        wci_wipe(buf->data, buf->size);
    wci_free(buf->data);
    wci_free(buf);
}

int wci_strv_add_take(wci_strv *v, char *s)
{
    if (!s)
        return WC_E_NOMEM;
    if (!wci_grow(&v->items, &v->cap, v->count + 2, sizeof *v->items)) {
        wci_free(s);
        return WC_E_NOMEM;
    }
    v->items[v->count++] = s;
    v->items[v->count] = NULL;
    return WC_OK;
}

int wci_strv_add(wci_strv *v, const char *s)
{
    return wci_strv_add_take(v, wci_strdup(s));
}

int wci_strv_copy(wci_strv *dst, const wci_strv *src)
{
    for (size_t i = 0; i < src->count; i++)
        if (wci_strv_add(dst, src->items[i]))
            return WC_E_NOMEM;
    return WC_OK;
}

int wci_strv_contains(const wci_strv *v, const char *s)
{
    for (size_t i = 0; i < v->count; i++)
        if (!strcmp(v->items[i], s))
            return 1;
    return 0;
}

void wci_strv_free(wci_strv *v)
{
    for (size_t i = 0; i < v->count; i++)
        wci_free(v->items[i]);
    wci_free(v->items);
    *v = (wci_strv)WCI_STRV_INIT;
}

int wci_starts_with(const char *s, const char *prefix)
{
    return !strncmp(s, prefix, strlen(prefix));
}

int wci_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && !memcmp(s + n - m, suffix, m);
}

int wci_streq(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int wci_has_drive(const char *path)
{
    return ((*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z')) && path[1] == ':';
}

int wci_strcasecmp(const char *a, const char *b)
{
    for (;; a++, b++) {
        int d = lower((unsigned char)*a) - lower((unsigned char)*b);
        if (d || !*a)
            return d;
    }
}

int wci_strncasecmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        int d = lower((unsigned char)*a) - lower((unsigned char)*b);
        if (d || !*a)
            return d;
    }
    return 0;
}

/* Length of the UTF-8 sequence at p, or 0: no overlong forms, no surrogates, at most U+10FFFF. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < n)
        return 0;
    unsigned char low = 0x80, high = 0xBF;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

int wci_is_utf8(const char *s, size_t size)
{
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < size;) {
        size_t n = utf8_sequence(p + i, size - i);
        if (!n)
            return 0;
        i += n;
    }
    return 1;
}

void wci_str_append_utf8(wci_str *s, const char *text)
{
    for (size_t left = strlen(text); left;) {
        size_t n = utf8_sequence((const unsigned char *)text, left);
        wci_str_append_n(s, n ? text : "\xEF\xBF\xBD", n ? n : 3);
        text += n ? n : 1;
        left -= n ? n : 1;
    }
}

void wci_show(const char *text, char out[WCI_SHOWN_SIZE])
{
    size_t room = WCI_SHOWN_SIZE - sizeof "...";
    size_t n = 0;
    for (; text[n] && n < room; n++)
        out[n] = text[n] < ' ' || text[n] > '~' ? '?' : text[n];
    memcpy(out + n, text[n] ? "..." : "", text[n] ? 4 : 1);
}

static char plain_byte(unsigned char c)
{
    return c == '\n' || c == '\r' || c == '\t' ? ' ' : '?';
}

/* C0, DEL, and C1, which terminals obey, too. */
static int is_control(const unsigned char *p, size_t n)
{
    return n == 1 ? p[0] < 0x20 || p[0] == 0x7F : n == 2 && p[0] == 0xC2 && p[1] < 0xA0;
}

void wci_make_plain(char *text)
{
    unsigned char *p = (unsigned char *)text;
    for (size_t left = strlen(text); left;) {
        size_t n = utf8_sequence(p, left);
        if (!n || is_control(p, n)) {
            size_t bad = n ? n : 1;
            for (size_t i = 0; i < bad; i++)
                p[i] = (unsigned char)plain_byte(p[i]);
            n = bad;
        }
        p += n;
        left -= n;
    }
}

int wci_parse_u64(const char *s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (!*s)
        return 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return 0;
        unsigned digit = (unsigned)(*s - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    if (value > max)
        return 0;
    *out = value;
    return 1;
}
