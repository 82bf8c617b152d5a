/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_stream.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

enum { MAX_TEXT = 1 << 20 };

typedef enum stream_place {
    OUTSIDE,       /* of the array */
    BEFORE_FIRST,  /* element, or the end of the array */
    AFTER_ELEMENT, /* a comma, or the end of the array */
    AFTER_COMMA,
    IN_ELEMENT,
} stream_place;

/* A text that grows by letters, and how deep in it we are. */
typedef struct gathered {
    wci_str text;
    int depth;
    int in_string, is_escaped;
} gathered;

struct wci_json_stream {
    const wci_json_stream_rules *rules;
    stream_place place;
    gathered outer, element;
    int arrays; /* that were taken for the one we look for */
};

int32_t wci_json_stream_new(const wci_json_stream_rules *rules, wci_json_stream **out, wc_error **err)
{
    wci_json_stream *s = wci_calloc(1, sizeof *s);
    if (!s)
        return wci_err_nomem(err);
    s->rules = rules;
    *out = s;
    return WC_OK;
}

void wci_json_stream_free(wci_json_stream *s)
{
    if (!s)
        return;
    wci_str_free(&s->outer.text);
    wci_str_free(&s->element.text);
    wci_free(s);
}

static void count_letter(gathered *g, char c)
{
    if (g->is_escaped)
        g->is_escaped = 0;
    else if (g->in_string && c == '\\')
        g->is_escaped = 1;
    else if (c == '"')
        g->in_string = !g->in_string;
    else if (!g->in_string && (c == '{' || c == '['))
        g->depth++;
    else if (!g->in_string && (c == '}' || c == ']'))
        g->depth--;
}

static int32_t add_letter(wci_json_stream *s, gathered *g, char c, wc_error **err)
{
    if (g->text.size >= MAX_TEXT)
        return wci_err(err, WC_E_LIMIT, "%s: has a part of more than %d bytes", s->rules->what, MAX_TEXT);
    wci_str_append_c(&g->text, c);
    count_letter(g, c);
    return g->text.failed ? wci_err_nomem(err) : WC_OK;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t trim_blanks(const char *text, size_t size)
{
    while (size && is_blank(text[size - 1]))
        size--;
    return size;
}

/* The text so far ends with the key and its colon. */
static int is_after_key(const wci_json_stream *s)
{
    const char *text = s->outer.text.data;
    size_t key_size = strlen(s->rules->key), size = trim_blanks(text, s->outer.text.size);
    if (!size || text[size - 1] != ':')
        return 0;
    size = trim_blanks(text, size - 1);
    return size > key_size + 2 && text[size - 1] == '"' && text[size - key_size - 2] == '"' &&
           memcmp(text + size - key_size - 1, s->rules->key, key_size) == 0;
}

static int32_t take_outside(wci_json_stream *s, char c, wc_error **err)
{
    gathered *g = &s->outer;
    int begins = c == '[' && !g->in_string && g->depth == 1 && is_after_key(s);
    int32_t rc = add_letter(s, g, c, err);
    if (!rc && begins) {
        s->place = BEFORE_FIRST;
        s->arrays++;
    }
    return rc;
}

static int32_t take_between(wci_json_stream *s, char c, wc_error **err)
{
    if (is_blank(c))
        return WC_OK;
    if (c == ']' && s->place != AFTER_COMMA) {
        s->place = OUTSIDE;
        return add_letter(s, &s->outer, c, err);
    }
    if (c == ',' && s->place == AFTER_ELEMENT) {
        s->place = AFTER_COMMA;
        return WC_OK;
    }
    if (c == '{' && s->place != AFTER_ELEMENT) {
        s->place = IN_ELEMENT;
        wci_str_clear(&s->element.text);
        return add_letter(s, &s->element, c, err);
    }
    return wci_err(err, WC_E_FORMAT, "%s: '%s' is not a list of objects", s->rules->what, s->rules->key);
}

static int32_t take_inside(wci_json_stream *s, char c, wc_error **err)
{
    json_t *value = NULL;
    gathered *g = &s->element;
    int32_t rc = add_letter(s, g, c, err);
    if (rc || g->depth)
        return rc;
    s->place = AFTER_ELEMENT;
    rc = wci_json_parse(g->text.data, g->text.size, MAX_TEXT, s->rules->what, &value, err);
    if (!rc)
        rc = s->rules->element(s->rules->self, value, err);
    json_decref(value);
    return rc;
}

int32_t wci_json_stream_feed(wci_json_stream *s, const char *data, size_t size, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < size; i++) {
        if (s->place == OUTSIDE)
            rc = take_outside(s, data[i], err);
        else if (s->place == IN_ELEMENT)
            rc = take_inside(s, data[i], err);
        else
            rc = take_between(s, data[i], err);
    }
    return rc;
}

int32_t wci_json_stream_end(wci_json_stream *s, json_t **rest, wc_error **err)
{
    const char *what = s->rules->what;
    json_t *value = NULL, *array = NULL;
    if (s->place != OUTSIDE)
        return wci_err(err, WC_E_FORMAT, "%s: ends too early", what);
    int32_t rc = wci_json_parse(s->outer.text.data ? s->outer.text.data : "", s->outer.text.size,
                                MAX_TEXT, what, &value, err);
    if (!rc)
        rc = wci_json_get_array(value, s->rules->key, what, &array, err);
    /* Another way to write the key, or a key that only ends like it, would hide an array from us. */
    if (!rc && (!array || s->arrays != 1 || json_array_size(array)))
        rc = wci_err(err, WC_E_FORMAT, "%s: has no plain list '%s'", what, s->rules->key);
    if (rc) {
        json_decref(value);
        return rc;
    }
    *rest = value;
    return WC_OK;
}
