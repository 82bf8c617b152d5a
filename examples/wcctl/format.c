/* SPDX-License-Identifier: Apache-2.0 */
/* --format of what is listed: a template for each row; in front "table " for columns, which a tab divides. */
#include <stdlib.h>
#include <string.h>

#include "template.h"
#include "wcctl.h"

char *format_row(const char *template, json_t *row)
{
    return template_run(template, row, 1);
}

/* ---- Rows ---------------------------------------------------------------------------------------- */

static size_t split_cells(char *text, const char **cells, size_t most)
{
    size_t count = 0;
    for (char *cell; count < most && (cell = strsep(&text, "\t"));)
        cells[count++] = cell;
    return count;
}

#define COLUMNS_MAX 32

static void print_table(const char *template, json_t *headings, json_t *rows)
{
    const char *cells[COLUMNS_MAX] = {0};
    char *text = format_row(template, headings);
    size_t columns = split_cells(text, cells, COLUMNS_MAX), i;
    table *out = table_new(cells, columns);
    free(text);
    json_t *row;
    json_array_foreach(rows, i, row) {
        memset(cells, 0, sizeof cells);
        text = format_row(template, row);
        split_cells(text, cells, columns);
        table_row(out, cells);
        free(text);
    }
    table_print(out);
    table_free(out);
}

void format_line(const char *format, json_t *row)
{
    char *text = format_row(!strcmp(format, "json") ? "{{json .}}" : format, row);
    puts(text);
    free(text);
}

void format_rows(const char *format, const char *fallback, json_t *headings, json_t *rows)
{
    size_t i;
    json_t *row;
    if (!format || !*format || !strcmp(format, "table"))
        format = fallback;
    if (!strncmp(format, "table ", 6))
        print_table(format + 6, headings, rows);
    else
        json_array_foreach(rows, i, row)
            format_line(format, row);
    json_decref(rows);
    json_decref(headings);
}

void format_found(const char *format, json_t *found)
{
    size_t i;
    json_t *one;
    if (!format || !*format) {
        json_dumpf(found, stdout, JSON_INDENT(4));
        putchar('\n');
    } else if (!json_array_size(found)) { /* as Docker has it */
        putchar('\n');
    }
    json_array_foreach(format && *format ? found : NULL, i, one) {
        char *text = template_run(!strcmp(format, "json") ? "{{json .}}" : format, one, 0);
        puts(text);
        free(text);
    }
    json_decref(found);
}
