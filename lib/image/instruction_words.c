/* SPDX-License-Identifier: Apache-2.0 */
#include "image/instruction_words.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

#define MAX_DEPTH 16 /* of ${A:-${B:-…}} */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- Dividing ------------------------------------------------------------------------------------- */

/* One character, or two when the first takes the meaning of the second away. */
static size_t step(const char *p)
{
    return *p == '\\' && p[1] ? 2 : 1;
}

static const char *word_end(const char *p)
{
    char quote = '\0';
    for (; *p && (quote || !is_blank(*p)); p += quote == '\'' ? 1 : step(p)) {
        if (*p == quote)
            quote = '\0';
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
    }
    return p;
}

int32_t wci_words_split(const char *line, wci_strv *out, wc_error **err)
{
    const char *p = line;
    for (;;) {
        while (is_blank(*p))
            p++;
        if (!*p)
            return WC_OK;
        const char *end = word_end(p);
        if (wci_strv_add_take(out, wci_strndup(p, (size_t)(end - p))))
            return wci_err_nomem(err);
        p = end;
    }
}

/* ---- Replacing ------------------------------------------------------------------------------------ */

typedef struct expansion {
    const char *p;
    json_t *env;
    wci_str text;
    int depth;
} expansion;

static const char *find(json_t *env, const char *name, size_t size)
{
    size_t i;
    json_t *pair;
    json_array_foreach(env, i, pair)
    {
        const char *text = json_string_value(pair);
        if (text && !strncmp(text, name, size) && text[size] == '=')
            return text + size + 1;
    }
    return NULL;
}

static size_t name_size(const char *p)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return *p >= '0' && *p <= '9' ? 1 : strspn(p, letters);
}

static int32_t expand_until(expansion *x, char end, wc_error **err);

/* The word of ${NAME:-word}; behind it stands '}'. */
static int32_t expand_inner(expansion *x, char **out, wc_error **err)
{
    expansion inner = {.p = x->p, .env = x->env, .depth = x->depth + 1};
    if (inner.depth > MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "variables are nested more than %d deep", MAX_DEPTH);
    int32_t code = expand_until(&inner, '}', err);
    x->p = inner.p;
    *out = wci_str_take(&inner.text);
    return code || *out ? code : wci_err_nomem(err);
}

/* Behind "${". */
static int32_t expand_braces(expansion *x, wc_error **err)
{
    size_t size = name_size(x->p);
    const char *value = find(x->env, x->p, size);
    char *word = NULL, how = '\0';
    int32_t code = WC_OK;
    x->p += size;
    if (size && *x->p == ':' && (x->p[1] == '-' || x->p[1] == '+')) {
        how = x->p[1];
        x->p += 2;
        code = expand_inner(x, &word, err);
    }
    if (!code && (!size || *x->p != '}'))
        code = wci_err(err, WC_E_INVALID, "a variable must be $NAME, ${NAME}, ${NAME:-WORD} or ${NAME:+WORD}");
    int is_set = value && *value, takes_word = how == '+' ? is_set : how && !is_set;
    const char *text = takes_word ? word : how == '+' ? NULL : value;
    if (!code && text)
        wci_str_append(&x->text, text);
    x->p += !code;
    wci_free(word);
    return code;
}

static int32_t expand_variable(expansion *x, wc_error **err)
{
    size_t size = name_size(++x->p);
    if (*x->p == '{') {
        x->p++;
        return expand_braces(x, err);
    }
    if (!size)
        wci_str_append_c(&x->text, '$');
    const char *value = size ? find(x->env, x->p, size) : NULL;
    if (value)
        wci_str_append(&x->text, value);
    x->p += size;
    return WC_OK;
}

static int32_t expand_single(expansion *x, wc_error **err)
{
    const char *end = strchr(++x->p, '\'');
    if (!end)
        return wci_err(err, WC_E_INVALID, "a quote ' does not end");
    wci_str_append_n(&x->text, x->p, (size_t)(end - x->p));
    x->p = end + 1;
    return WC_OK;
}

static int32_t expand_double(expansion *x, wc_error **err)
{
    int32_t code = WC_OK;
    for (x->p++; *x->p && *x->p != '"' && !code;) {
        if (*x->p == '$') {
            code = expand_variable(x, err);
            continue;
        }
        if (*x->p == '\\' && x->p[1] && strchr("\"\\$", x->p[1]))
            x->p++;
        wci_str_append_c(&x->text, *x->p++);
    }
    if (!code && *x->p != '"')
        code = wci_err(err, WC_E_INVALID, "a quote \" does not end");
    x->p += !code;
    return code;
}

static int32_t expand_until(expansion *x, char end, wc_error **err)
{
    int32_t code = WC_OK;
    while (*x->p && *x->p != end && !code) {
        if (*x->p == '\'')
            code = expand_single(x, err);
        else if (*x->p == '"')
            code = expand_double(x, err);
        else if (*x->p == '$')
            code = expand_variable(x, err);
        else {
            x->p += step(x->p) - 1;
            wci_str_append_c(&x->text, *x->p++);
        }
    }
    return code;
}

int32_t wci_word_expand(const char *word, json_t *env, char **out, wc_error **err)
{
    expansion x = {.p = word, .env = env};
    int32_t code = expand_until(&x, '\0', err);
    char *text = wci_str_take(&x.text);
    if (!code && !text)
        code = wci_err_nomem(err);
    if (code)
        wci_free(text);
    else
        *out = text;
    return code;
}
