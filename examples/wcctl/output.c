/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, JSON, and writing without losing a byte. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
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

void table_print(const table *t)
{
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t i = 0; i < t->columns; i++) {
            const char *cell = t->cells[row * t->columns + i];
            int column = 0;
            for (size_t other = 0; other < t->rows; other++) {
                int w = width(t->cells[other * t->columns + i]);
                column = w > column ? w : column;
            }
            printf("%s%*s", cell, i + 1 < t->columns ? column - width(cell) + 3 : 0, "");
        }
        putchar('\n');
    }
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

void print_json_string(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        json_dumpf(value, stdout, JSON_ENCODE_ANY);
    json_decref(value);
}

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
            exit(141);
        if (n < 0) {
            fprintf(stderr, "wcctl: cannot write: %s\n", strerror(errno));
            exit(EXIT_OURS);
        }
        p += n;
        size -= (size_t)n;
    }
}
