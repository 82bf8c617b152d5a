/* SPDX-License-Identifier: Apache-2.0 */
#include "core/toml.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"

#define MAX_DEPTH 16
#define MAX_MARKS 4096
#define BARE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* What may not be gone into or begun again. */
typedef enum mark_kind {
    MARK_HEADER, /* a table with a header of its own */
    MARK_INLINE, /* { … }, which is whole where it stands */
    MARK_TABLES, /* an array that [[headers]] made */
} mark_kind;

typedef struct mark {
    const json_t *value;
    mark_kind kind;
} mark;

typedef struct reader {
    const char *at; /* the text ends with a zero */
    const char *what;
    size_t line;
    json_t *root, *table; /* the table that keys go into; lent */
    mark *marks;
    size_t mark_count, mark_cap;
    int depth;
    wc_error **err;
} reader;

static int32_t bad(const reader *r, const char *why)
{
    return wci_err(r->err, WC_E_FORMAT, "%s: line %zu: %s", r->what, r->line, why);
}

static int32_t bad_key(const reader *r, const char *key, const char *why)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(key, shown);
    return wci_err(r->err, WC_E_FORMAT, "%s: line %zu: '%s' %s", r->what, r->line, shown, why);
}

/* ---- Between the words ---------------------------------------------------------------------------- */

static void skip_blank(reader *r)
{
    r->at += strspn(r->at, " \t\r");
}

static void skip_comment(reader *r)
{
    if (*r->at == '#')
        r->at += strcspn(r->at, "\n");
}

/* Blanks, comments and ends of lines. */
static void skip_lines(reader *r)
{
    for (;;) {
        skip_blank(r);
        skip_comment(r);
        if (*r->at != '\n')
            return;
        r->at++;
        r->line++;
    }
}

static int32_t end_line(reader *r)
{
    skip_blank(r);
    skip_comment(r);
    return !*r->at || *r->at == '\n' ? WC_OK : bad(r, "more follows where the line should end");
}

/* ---- Strings -------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void append_utf8(wci_str *to, uint32_t c)
{
    if (c < 0x80) {
        wci_str_append_c(to, (char)c);
    } else if (c < 0x800) {
        wci_str_append_c(to, (char)(0xc0 | c >> 6));
        wci_str_append_c(to, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        wci_str_append_c(to, (char)(0xe0 | c >> 12));
        wci_str_append_c(to, (char)(0x80 | (c >> 6 & 0x3f)));
        wci_str_append_c(to, (char)(0x80 | (c & 0x3f)));
    } else {
        wci_str_append_c(to, (char)(0xf0 | c >> 18));
        wci_str_append_c(to, (char)(0x80 | (c >> 12 & 0x3f)));
        wci_str_append_c(to, (char)(0x80 | (c >> 6 & 0x3f)));
        wci_str_append_c(to, (char)(0x80 | (c & 0x3f)));
    }
}

static int32_t read_code_point(reader *r, int digits, wci_str *to)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++) {
        int digit = hex_digit(*r->at);
        if (digit < 0)
            return bad(r, "hexadecimal digits are missing after '\\u'");
        c = c << 4 | (uint32_t)digit;
        r->at++;
    }
    if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return bad(r, "what '\\u' stands for is no character of a text");
    append_utf8(to, c);
    return WC_OK;
}

static int32_t read_escape(reader *r, wci_str *to)
{
    static const char names[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
    char c = *++r->at;
    const char *found = c ? strchr(names, c) : NULL;
    if (c)
        r->at++;
    if (c == 'u' || c == 'U')
        return read_code_point(r, c == 'u' ? 4 : 8, to);
    if (!found)
        return bad(r, "an escape after '\\' that TOML does not have");
    wci_str_append_c(to, meanings[found - names]);
    return WC_OK;
}

/* From the quotation mark to the one that ends it; only "…" has escapes. */
static int32_t read_string(reader *r, char **out)
{
    char quote = *r->at;
    const char stop[] = {quote, '\n', quote == '"' ? '\\' : '\n', '\0'};
    wci_str text = WCI_STR_INIT;
    int32_t code = WC_OK;
    if (r->at[1] == quote && r->at[2] == quote)
        return bad(r, "strings over several lines are not read here; use \"…\" on one line");
    for (r->at++; !code && *r->at != quote;) {
        size_t n = strcspn(r->at, stop);
        wci_str_append_n(&text, r->at, n);
        r->at += n;
        if (!*r->at || *r->at == '\n')
            code = bad(r, "a string does not end");
        else if (*r->at == '\\' && quote == '"')
            code = read_escape(r, &text);
    }
    if (code) {
        wci_str_free(&text);
        return code;
    }
    r->at++;
    *out = wci_str_take(&text);
    return *out ? WC_OK : wci_err_nomem(r->err);
}

/* ---- Keys ----------------------------------------------------------------------------------------- */

static int32_t read_key_part(reader *r, char **out)
{
    size_t n = strspn(r->at, BARE);
    if (*r->at == '"' || *r->at == '\'')
        return read_string(r, out);
    if (!n)
        return bad(r, "a key is missing");
    *out = wci_strndup(r->at, n);
    r->at += n;
    return *out ? WC_OK : wci_err_nomem(r->err);
}

/* "a.b.c" */
static int32_t read_key(reader *r, wci_strv *out)
{
    for (;;) {
        char *part = NULL;
        skip_blank(r);
        int32_t code = read_key_part(r, &part);
        if (code)
            return code;
        if (wci_strv_add_take(out, part))
            return wci_err_nomem(r->err);
        if (out->count > MAX_DEPTH)
            return bad(r, "a key of too many parts");
        skip_blank(r);
        if (*r->at != '.')
            return WC_OK;
        r->at++;
    }
}

/* ---- Tables --------------------------------------------------------------------------------------- */

static int has_mark(const reader *r, const json_t *value, mark_kind kind)
{
    for (size_t i = 0; i < r->mark_count; i++)
        if (r->marks[i].value == value && r->marks[i].kind == kind)
            return 1;
    return 0;
}

static int32_t add_mark(reader *r, const json_t *value, mark_kind kind)
{
    if (r->mark_count == MAX_MARKS)
        return wci_err(r->err, WC_E_LIMIT, "%s: line %zu: more than %d tables", r->what, r->line, MAX_MARKS);
    if (!wci_grow(&r->marks, &r->mark_cap, r->mark_count + 1, sizeof *r->marks))
        return wci_err_nomem(r->err);
    r->marks[r->mark_count++] = (mark){value, kind};
    return WC_OK;
}

/* A new value of the table, lent; takes it over. NULL: out of memory. */
static json_t *put(json_t *table, const char *key, json_t *value)
{
    return value && !json_object_set_new(table, key, value) ? value : NULL;
}

/* The table below `table` that a part of a key leads to, made when it is not there. */
static int32_t enter(reader *r, json_t *table, const char *key, json_t **out)
{
    json_t *below = json_object_get(table, key);
    if (!below)
        below = put(table, key, json_object());
    if (!below)
        return wci_err_nomem(r->err);
    if (has_mark(r, below, MARK_TABLES))
        below = json_array_get(below, json_array_size(below) - 1);
    if (!json_is_object(below) || has_mark(r, below, MARK_INLINE))
        return bad_key(r, key, "has a value already, and is no table to go on with");
    *out = below;
    return WC_OK;
}

static int32_t enter_all(reader *r, json_t *table, const wci_strv *keys, json_t **out)
{
    int32_t code = WC_OK;
    *out = table;
    for (size_t i = 0; i + 1 < keys->count && !code; i++)
        code = enter(r, *out, keys->items[i], out);
    return code;
}

/* [key] */
static int32_t begin_table(reader *r, json_t *parent, const char *key)
{
    json_t *value = json_object_get(parent, key);
    if (value && (!json_is_object(value) || has_mark(r, value, MARK_INLINE) || has_mark(r, value, MARK_HEADER)))
        return bad_key(r, key, "is there twice");
    if (!value)
        value = put(parent, key, json_object());
    if (!value)
        return wci_err_nomem(r->err);
    r->table = value;
    return add_mark(r, value, MARK_HEADER);
}

/* [[key]] */
static int32_t begin_element(reader *r, json_t *parent, const char *key)
{
    json_t *list = json_object_get(parent, key), *element = json_object();
    int32_t code = WC_OK;
    if (list && !has_mark(r, list, MARK_TABLES))
        code = bad_key(r, key, "has a value already, and is no list of tables");
    else if (!list && (list = put(parent, key, json_array())) != NULL)
        code = add_mark(r, list, MARK_TABLES);
    if (code) {
        json_decref(element);
        return code;
    }
    if (!list || !element || json_array_append_new(list, element))
        return wci_err_nomem(r->err);
    r->table = element;
    return WC_OK;
}

static int32_t read_header(reader *r)
{
    wci_strv keys = WCI_STRV_INIT;
    json_t *parent = NULL;
    int is_list = r->at[1] == '[';
    r->at += is_list ? 2 : 1;
    int32_t code = read_key(r, &keys);
    if (!code && (*r->at != ']' || (is_list && r->at[1] != ']')))
        code = bad(r, "']' is missing at the end of a table's name");
    if (!code) {
        r->at += is_list ? 2 : 1;
        code = enter_all(r, r->root, &keys, &parent);
    }
    if (!code)
        code = is_list ? begin_element(r, parent, keys.items[keys.count - 1])
                       : begin_table(r, parent, keys.items[keys.count - 1]);
    wci_strv_free(&keys);
    return code;
}

/* ---- Values --------------------------------------------------------------------------------------- */

static int32_t read_value(reader *r, json_t **out);

/* key = value, into `table` */
static int32_t read_pair(reader *r, json_t *table)
{
    wci_strv keys = WCI_STRV_INIT;
    json_t *into = NULL, *value = NULL;
    int32_t code = read_key(r, &keys);
    if (!code && *r->at != '=')
        code = bad(r, "'=' is missing after a key");
    if (!code) {
        r->at++;
        skip_blank(r);
        code = enter_all(r, table, &keys, &into);
    }
    if (!code && json_object_get(into, keys.items[keys.count - 1]))
        code = bad_key(r, keys.items[keys.count - 1], "is there twice");
    if (!code)
        code = read_value(r, &value);
    if (!code && !put(into, keys.items[keys.count - 1], value))
        code = wci_err_nomem(r->err);
    wci_strv_free(&keys);
    return code;
}

static int32_t read_array(reader *r, json_t *array)
{
    for (skip_lines(r); *r->at != ']'; skip_lines(r)) {
        json_t *value = NULL;
        int32_t code = read_value(r, &value);
        if (code)
            return code;
        if (json_array_append_new(array, value))
            return wci_err_nomem(r->err);
        skip_lines(r);
        if (*r->at == ',')
            r->at++;
        else if (*r->at != ']')
            return bad(r, "',' or ']' is missing in an array");
    }
    return WC_OK;
}

static int32_t read_inline(reader *r, json_t *table)
{
    skip_blank(r);
    while (*r->at != '}') {
        int32_t code = read_pair(r, table);
        if (code)
            return code;
        skip_blank(r);
        if (*r->at == '}')
            break;
        if (*r->at != ',')
            return bad(r, "',' or '}' is missing in a table");
        r->at++;
        skip_blank(r);
        if (*r->at == '}')
            return bad(r, "a key is missing");
    }
    return add_mark(r, table, MARK_INLINE);
}

/* [ … ] and { … } */
static int32_t read_compound(reader *r, json_t **out)
{
    int is_array = *r->at == '[';
    json_t *value = is_array ? json_array() : json_object();
    if (!value)
        return wci_err_nomem(r->err);
    r->at++;
    r->depth++;
    int32_t code = r->depth > MAX_DEPTH ? bad(r, "nested too deeply")
                   : is_array           ? read_array(r, value)
                                        : read_inline(r, value);
    r->depth--;
    if (code) {
        json_decref(value);
        return code;
    }
    r->at++;
    *out = value;
    return WC_OK;
}

static int32_t read_text(reader *r, json_t **out)
{
    char *text = NULL;
    int32_t code = read_string(r, &text);
    if (code)
        return code;
    *out = json_string(text);
    wci_free(text);
    return *out ? WC_OK : wci_err_nomem(r->err);
}

static int32_t read_word(reader *r, json_t **out)
{
    size_t n = strcspn(r->at, " \t\r\n,]}#");
    char word[24] = "";
    uint64_t number;
    if (n < sizeof word)
        memcpy(word, r->at, n);
    int sign = *word == '-' ? -1 : 1;
    const char *digits = word + (*word == '-' || *word == '+');
    int is_number = wci_parse_u64(digits, INT64_MAX, &number) && (*digits != '0' || !digits[1]);
    if (!strcmp(word, "true") || !strcmp(word, "false"))
        *out = json_boolean(*word == 't');
    else if (is_number)
        *out = json_integer(sign * (json_int_t)number);
    else
        return bad(r, "no value that is read here: a string in quotes, true, false, a whole number, an array or a table");
    r->at += n;
    return *out ? WC_OK : wci_err_nomem(r->err);
}

static int32_t read_value(reader *r, json_t **out)
{
    if (*r->at == '"' || *r->at == '\'')
        return read_text(r, out);
    return *r->at == '[' || *r->at == '{' ? read_compound(r, out) : read_word(r, out);
}

/* ---- The whole ------------------------------------------------------------------------------------ */

static int32_t check_text(const char *text, size_t size, size_t max_size, const char *what, wc_error **err)
{
    if (size > max_size)
        return wci_err(err, WC_E_LIMIT, "%s: larger than %zu bytes", what, max_size);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        int is_line_end = c == '\n' || (c == '\r' && i + 1 < size && text[i + 1] == '\n');
        if ((c < 0x20 && c != '\t' && !is_line_end) || c == 0x7f)
            return wci_err(err, WC_E_FORMAT, "%s: a control character in it", what);
    }
    return wci_is_utf8(text, size) ? WC_OK : wci_err(err, WC_E_FORMAT, "%s: not UTF-8", what);
}

static int32_t read_all(reader *r)
{
    int32_t code = WC_OK;
    for (skip_lines(r); *r->at && !code; skip_lines(r)) {
        code = *r->at == '[' ? read_header(r) : read_pair(r, r->table);
        if (!code)
            code = end_line(r);
    }
    return code;
}

int32_t wci_toml_parse(const char *text, size_t size, size_t max_size, const char *what, json_t **out, wc_error **err)
{
    int32_t code = check_text(text, size, max_size, what, err);
    if (code)
        return code;
    char *copy = wci_strndup(text, size);
    json_t *root = json_object();
    reader r = {.at = copy, .what = what, .line = 1, .root = root, .table = root, .err = err};
    code = copy && root ? read_all(&r) : wci_err_nomem(err);
    wci_free(copy);
    wci_free(r.marks);
    if (code)
        json_decref(root);
    else
        *out = root;
    return code;
}
