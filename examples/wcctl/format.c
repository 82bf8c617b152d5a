/* SPDX-License-Identifier: Apache-2.0 */
/* --format: the part of Go's templates that people use with Docker. {{.Field}}, {{.A.B}}, {{json .}}, {{upper .Field}},
 * {{.Label "key"}}; in front "table " for columns, which a tab divides. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wcctl.h"

#define LABELS ".labels" /* of a row: for {{.Label "key"}}, no field */

static void append(char **text, const char *more, size_t size)
{
    size_t used = strlen(*text);
    *text = xrealloc(*text, used + size + 1);
    memcpy(*text + used, more, size);
    (*text)[used + size] = '\0';
}

/* Go's names and those of JSON differ in capitals alone. */
static json_t *member(json_t *object, const char *name, size_t size)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
        if (strlen(key) == size && !strncasecmp(key, name, size))
            return value;
    return NULL;
}

static char *to_text(json_t *value)
{
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (!value || json_is_null(value))
        return xstrdup("");
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT), *text = xstrdup(dumped);
    free(dumped);
    return text;
}

static _Noreturn void die_action(const char *action)
{
    die_usage("--format: '{{%s}}' is not known here; write {{.Field}} or {{json .}}", action);
}

/* What a path of names leads to; NULL where a map has no such key. */
static json_t *find(json_t *row, const char *path, const char *action)
{
    json_t *at = row;
    if (*path != '.')
        die_action(action);
    for (path++; *path; path += *path == '.') {
        size_t size = strcspn(path, ".");
        json_t *next = member(at, path, size);
        if (!next && at == row)
            die_action(action);
        at = next;
        path += size;
    }
    return at;
}

static char *label_text(json_t *row, const char *rest, const char *action)
{
    size_t size = strlen(rest);
    if (size < 2 || rest[0] != '"' || rest[size - 1] != '"' || !json_object_get(row, LABELS))
        die_action(action);
    return to_text(member(json_object_get(row, LABELS), rest + 1, size - 2));
}

static char *json_of(json_t *value, const json_t *row)
{
    json_t *copy = json_copy(value);
    if (value == row)
        json_object_del(copy, LABELS);
    char *dumped = json_dumps(copy, JSON_ENCODE_ANY | JSON_COMPACT), *text = xstrdup(dumped ? dumped : "null");
    free(dumped);
    json_decref(copy);
    return text;
}

static char *change_case(char *text, int (*to)(int))
{
    for (char *p = text; *p; p++)
        *p = (char)to((unsigned char)*p);
    return text;
}

static char *evaluate(json_t *row, const char *action)
{
    if (!strncmp(action, "json ", 5))
        return json_of(find(row, action + 5, action), row);
    if (!strncmp(action, "upper ", 6))
        return change_case(to_text(find(row, action + 6, action)), toupper);
    if (!strncmp(action, "lower ", 6))
        return change_case(to_text(find(row, action + 6, action)), tolower);
    if (!strncmp(action, ".Label ", 7))
        return label_text(row, action + 7, action);
    return to_text(find(row, action, action));
}

static char *trimmed(const char *text, size_t size)
{
    while (size && *text == ' ')
        text++, size--;
    while (size && text[size - 1] == ' ')
        size--;
    char *copy = xrealloc(NULL, size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

/* Up to the next action; \t and \n are written out, as shells leave them. */
static const char *append_literal(char **out, const char *p)
{
    for (; *p && strncmp(p, "{{", 2); p++) {
        char c = *p == '\\' && p[1] == 't' ? '\t' : *p == '\\' && p[1] == 'n' ? '\n' : *p;
        p += c != *p;
        append(out, &c, 1);
    }
    return p;
}

char *format_row(const char *template, json_t *row)
{
    char *out = xstrdup("");
    for (const char *p = append_literal(&out, template); *p; p = append_literal(&out, p)) {
        const char *end = strstr(p, "}}");
        if (!end)
            die_usage("--format: '%s' has no }}", p);
        char *action = trimmed(p + 2, (size_t)(end - p - 2)), *text = evaluate(row, action);
        append(&out, text, strlen(text));
        free(action);
        free(text);
        p = end + 2;
    }
    return out;
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
