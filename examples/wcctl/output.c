/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, JSON, and writing without losing a byte. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wcctl.h"

struct table {
    size_t columns, rows;
    char **cells; /* the headings are row 0 */
};

table *table_new(const char *const *headings, size_t columns)
{
    table *t = xrealloc(NULL, sizeof *t);
    *t = (table){columns, 0, NULL};
    table_row(t, headings);
    return t;
}

void table_row(table *t, const char *const *cells)
{
    t->cells = xrealloc(t->cells, (t->rows + 1) * t->columns * sizeof *t->cells);
    for (size_t i = 0; i < t->columns; i++)
        t->cells[t->rows * t->columns + i] = xstrdup(cells[i] ? cells[i] : "");
    t->rows++;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static int width(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* At least 7: with the gap 10, as Docker has it. */
static int column_width(const table *t, size_t column)
{
    int most = 7;
    for (size_t row = 0; row < t->rows; row++) {
        int w = width(t->cells[row * t->columns + column]);
        most = w > most ? w : most;
    }
    return most;
}

void table_print(const table *t)
{
    int *widths = xrealloc(NULL, (t->columns + 1) * sizeof *widths);
    for (size_t i = 0; i < t->columns; i++)
        widths[i] = column_width(t, i);
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t i = 0; i < t->columns; i++) {
            const char *cell = t->cells[row * t->columns + i];
            printf("%s%*s", cell, i + 1 < t->columns ? widths[i] - width(cell) + 3 : 0, "");
        }
        putchar('\n');
    }
    free(widths);
}

void table_free(table *t)
{
    for (size_t i = 0; i < t->rows * t->columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

void print_json(const char *json, size_t size)
{
    json_t *value = json_loadb(json, size, JSON_DECODE_ANY, NULL);
    if (!value || json_dumpf(value, stdout, JSON_INDENT(4) | JSON_ENCODE_ANY))
        fwrite(json, 1, size, stdout);
    putchar('\n');
    json_decref(value);
}

/* ---- For --json ---------------------------------------------------------------------------------- */

static int is_continuation(const unsigned char *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return 1;
}

/* How many bytes the character takes that is encoded there; 0 when none is. */
static size_t character_size(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first, last; /* of the leading byte */
        unsigned char low, high;   /* of the second: neither overlong, nor a surrogate, nor beyond U+10FFFF */
        size_t size;
    } forms[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < countof(forms); i++) {
        if (*p < forms[i].first || *p > forms[i].last)
            continue;
        if (forms[i].size == 1)
            return 1;
        int fits = left >= forms[i].size && p[1] >= forms[i].low && p[1] <= forms[i].high;
        return fits && is_continuation(p + 1, forms[i].size - 1) ? forms[i].size : 0;
    }
    return 0;
}

json_t *json_bytes(const void *data, size_t size)
{
    static const char unknown[] = "\xEF\xBF\xBD";
    const unsigned char *p = data;
    char *text = xrealloc(NULL, size * (sizeof unknown - 1) + 1);
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        size_t n = character_size(p + at, size - at);
        memcpy(text + used, n ? (const char *)p + at : unknown, n ? n : sizeof unknown - 1);
        used += n ? n : sizeof unknown - 1;
        at += n ? n : 1;
    }
    json_t *value = json_stringn(text, used);
    free(text);
    return value;
}

json_t *json_text(const char *text)
{
    return json_bytes(text, strlen(text));
}

json_t *json_list(const wc_list *texts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < wc_list_count(texts); i++)
        json_array_append_new(array, json_text(wc_list_string(texts, i)));
    return array;
}

json_t *json_pairs_text(json_t *object)
{
    const char *key;
    json_t *value;
    char *text = xstrdup("");
    json_object_foreach(object, key, value) {
        char *longer = xasprintf("%s%s%s=%s", text, *text ? "," : "", key, json_string_value(value));
        free(text);
        text = longer;
    }
    json_t *all = json_text(text);
    free(text);
    return all;
}

json_t *json_image(wc_image *image)
{
    const char *name = wc_image_name_count(image) ? wc_image_name(image, 0) : "";
    return json_pack("{s:s, s:s, s:s}", "Id", wc_image_id(image), "Digest", wc_image_digest(image), "Name", name);
}

void print_object(json_t *object)
{
    json_dumpf(object, stdout, 0);
    putchar('\n');
    json_decref(object);
}

void print_array(json_t *array)
{
    json_t *item;
    size_t i;
    printf("[");
    json_array_foreach(array, i, item) {
        printf(i ? ",\n  " : "\n  ");
        json_dumpf(item, stdout, JSON_ENCODE_ANY);
    }
    printf(json_array_size(array) ? "\n]\n" : "]\n");
    json_decref(array);
}

void print_texts(const char *key, ...)
{
    va_list ap;
    json_t *object = json_object();
    va_start(ap, key);
    for (; key; key = va_arg(ap, const char *))
        json_object_set_new(object, key, json_text(va_arg(ap, const char *)));
    va_end(ap);
    print_object(object);
}

/* ---- Bytes --------------------------------------------------------------------------------------- */

void write_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            exit(EXIT_BROKEN_PIPE);
        if (n < 0) {
            fprintf(stderr, "wcctl: cannot write: %s\n", strerror(errno));
            exit(EXIT_OURS);
        }
        p += n;
        size -= (size_t)n;
    }
}
