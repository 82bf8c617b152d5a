/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of templates: those of Go, and those that Docker adds. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "template.h"
#include "wcctl.h"

void template_die(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    die_usage("--format: %s", text);
}

json_t *template_member(json_t *object, const char *name, size_t size)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
        if (strlen(key) == size && !memcmp(key, name, size))
            return value;
    if (islower((unsigned char)*name)) /* no field of Go's, a key of a map */
        return NULL;
    json_object_foreach(object, key, value)
        if (strlen(key) == size && !strncasecmp(key, name, size))
            return value;
    return NULL;
}

/* ---- Text ---------------------------------------------------------------------------------------- */

/* `text` is taken over. */
static char *add(char *text, const char *between, const char *more)
{
    char *longer = xasprintf("%s%s%s", text, between, more);
    free(text);
    return longer;
}

static char *array_text(json_t *array)
{
    size_t i;
    json_t *item;
    char *out = xstrdup("[");
    json_array_foreach(array, i, item) {
        char *one = template_text(item);
        out = add(out, i ? " " : "", one);
        free(one);
    }
    return add(out, "", "]");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **template_keys(json_t *object)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    const char **keys = xrealloc(NULL, (json_object_size(object) + 1) * sizeof *keys);
    json_object_foreach(object, key, value)
        keys[count++] = key;
    qsort(keys, count, sizeof *keys, by_text);
    keys[count] = NULL;
    return keys;
}

static char *object_text(json_t *object)
{
    char *out = xstrdup("map[");
    const char **keys = template_keys(object);
    for (size_t i = 0; keys[i]; i++) {
        char *value = template_text(json_object_get(object, keys[i])), *pair = xasprintf("%s:%s", keys[i], value);
        out = add(out, i ? " " : "", pair);
        free(value);
        free(pair);
    }
    free(keys);
    return add(out, "", "]");
}

char *template_text(json_t *value)
{
    if (!value)
        return xstrdup("<no value>");
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_integer(value))
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value))
        return xasprintf("%g", json_real_value(value));
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "true" : "false");
    if (json_is_array(value))
        return array_text(value);
    return json_is_object(value) ? object_text(value) : xstrdup("<nil>");
}

int template_truth(json_t *value)
{
    if (json_is_string(value))
        return *json_string_value(value) != '\0';
    if (json_is_number(value))
        return json_number_value(value) != 0;
    if (json_is_array(value) || json_is_object(value))
        return json_array_size(value) || json_object_size(value);
    return json_is_true(value);
}

static json_t *to_value(char *text)
{
    json_t *value = json_text(text);
    free(text);
    return value;
}

/* ---- Functions of one value ------------------------------------------------------------------------- */

static json_t *function_json(json_t **args, size_t count)
{
    (void)count;
    json_t *copy = json_copy(args[0]);
    json_object_del(copy, TEMPLATE_LABELS);
    char *dumped = json_dumps(copy, JSON_ENCODE_ANY | JSON_COMPACT);
    json_t *value = json_text(dumped ? dumped : "null");
    free(dumped);
    json_decref(copy);
    return value;
}

static json_t *change_case(json_t *value, int (*to)(int))
{
    char *text = template_text(value);
    for (char *p = text; *p; p++)
        *p = (char)to((unsigned char)*p);
    return to_value(text);
}

static json_t *function_upper(json_t **args, size_t count)
{
    (void)count;
    return change_case(args[0], toupper);
}

static json_t *function_lower(json_t **args, size_t count)
{
    (void)count;
    return change_case(args[0], tolower);
}

static json_t *function_title(json_t **args, size_t count)
{
    (void)count;
    char *text = template_text(args[0]);
    for (char *p = text; *p; p++)
        if (p == text || !isalnum((unsigned char)p[-1]))
            *p = (char)toupper((unsigned char)*p);
    return to_value(text);
}

static json_t *function_len(json_t **args, size_t count)
{
    (void)count;
    if (json_is_string(args[0]))
        return json_integer((json_int_t)json_string_length(args[0]));
    if (!json_is_array(args[0]) && !json_is_object(args[0]) && !json_is_null(args[0]))
        template_die("len takes a text, a list or a map");
    return json_integer((json_int_t)(json_array_size(args[0]) + json_object_size(args[0])));
}

static json_t *function_not(json_t **args, size_t count)
{
    (void)count;
    return json_boolean(!template_truth(args[0]));
}

/* ---- Functions of several --------------------------------------------------------------------------- */

static json_t *one_index(json_t *in, json_t *key)
{
    size_t at = (size_t)json_integer_value(key);
    if (json_is_string(key) && (json_is_object(in) || json_is_null(in)))
        return json_object_get(in, json_string_value(key));
    if (!json_is_array(in) || !json_is_integer(key))
        template_die("index: there is nothing that can be looked up so");
    if (json_integer_value(key) < 0 || at >= json_array_size(in))
        template_die("index: %" JSON_INTEGER_FORMAT " is out of range", json_integer_value(key));
    return json_array_get(in, at);
}

static json_t *function_index(json_t **args, size_t count)
{
    json_t *at = args[0];
    for (size_t i = 1; i < count && at; i++)
        at = one_index(at, args[i]);
    return at ? json_incref(at) : json_string(""); /* Go: the zero value, which mostly is a text */
}

static json_t *function_join(json_t **args, size_t count)
{
    (void)count;
    size_t i;
    json_t *item;
    char *between = template_text(args[1]), *out = xstrdup("");
    json_array_foreach(args[0], i, item) {
        char *one = template_text(item);
        out = add(out, i ? between : "", one);
        free(one);
    }
    free(between);
    return to_value(out);
}

static json_t *function_split(json_t **args, size_t count)
{
    (void)count;
    char *text = template_text(args[0]), *by = template_text(args[1]), *at = text, *end;
    json_t *out = json_array();
    while (*by && (end = strstr(at, by))) {
        *end = '\0';
        json_array_append_new(out, json_text(at));
        at = end + strlen(by);
    }
    json_array_append_new(out, json_text(at));
    free(text);
    free(by);
    return out;
}

static json_t *print_all(json_t **args, size_t count, int line)
{
    char *out = xstrdup("");
    for (size_t i = 0; i < count; i++) {
        int apart = i && (line || (!json_is_string(args[i]) && !json_is_string(args[i - 1])));
        char *one = template_text(args[i]);
        out = add(out, apart ? " " : "", one);
        free(one);
    }
    return to_value(add(out, "", line ? "\n" : ""));
}

static json_t *function_print(json_t **args, size_t count)
{
    return print_all(args, count, 0);
}

static json_t *function_println(json_t **args, size_t count)
{
    return print_all(args, count, 1);
}

static json_t *function_printf(json_t **args, size_t count)
{
    char *form = template_text(args[0]), *out = xstrdup("");
    size_t next = 1;
    for (const char *p = form; *p; p++) {
        char piece[2] = {*p, '\0'};
        if (*p != '%') {
            out = add(out, "", piece);
            continue;
        }
        if (*++p == '%' || !*p) {
            out = add(out, "", "%");
            continue;
        }
        if (!strchr("svdtq", *p))
            template_die("printf knows %%s, %%v, %%d, %%t and %%q, not '%%%c'", *p);
        char *one = next < count ? template_text(args[next++]) : xstrdup("%!(MISSING)");
        out = add(add(add(out, "", *p == 'q' ? "\"" : ""), "", one), "", *p == 'q' ? "\"" : "");
        free(one);
    }
    free(form);
    return to_value(out);
}

/* -1, 0 or 1. */
static int compare(json_t *a, json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        double left = json_number_value(a), right = json_number_value(b);
        return (left > right) - (left < right);
    }
    if (!json_is_string(a) || !json_is_string(b))
        return !json_equal(a, b);
    int order = strcmp(json_string_value(a), json_string_value(b));
    return (order > 0) - (order < 0);
}

static json_t *function_eq(json_t **args, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!compare(args[0], args[i]))
            return json_true();
    return json_false();
}

static json_t *function_ne(json_t **args, size_t count)
{
    (void)count;
    return json_boolean(compare(args[0], args[1]));
}

static json_t *function_lt(json_t **args, size_t count)
{
    (void)count;
    return json_boolean(compare(args[0], args[1]) < 0);
}

static json_t *function_le(json_t **args, size_t count)
{
    (void)count;
    return json_boolean(compare(args[0], args[1]) <= 0);
}

static json_t *function_gt(json_t **args, size_t count)
{
    (void)count;
    return json_boolean(compare(args[0], args[1]) > 0);
}

static json_t *function_ge(json_t **args, size_t count)
{
    (void)count;
    return json_boolean(compare(args[0], args[1]) >= 0);
}

static json_t *function_and(json_t **args, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && template_truth(args[i]))
        i++;
    return json_incref(args[i]);
}

static json_t *function_or(json_t **args, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && !template_truth(args[i]))
        i++;
    return json_incref(args[i]);
}

static const struct function {
    const char *name;
    json_t *(*call)(json_t **args, size_t count);
    size_t least, most;
} functions[] = {
    {"json", function_json, 1, 1},       {"upper", function_upper, 1, 1},
    {"lower", function_lower, 1, 1},     {"title", function_title, 1, 1},
    {"len", function_len, 1, 1},         {"not", function_not, 1, 1},
    {"index", function_index, 1, TEMPLATE_ARGS_MAX}, {"join", function_join, 2, 2},
    {"split", function_split, 2, 2},     {"print", function_print, 0, TEMPLATE_ARGS_MAX},
    {"println", function_println, 0, TEMPLATE_ARGS_MAX}, {"printf", function_printf, 1, TEMPLATE_ARGS_MAX},
    {"eq", function_eq, 2, TEMPLATE_ARGS_MAX}, {"ne", function_ne, 2, 2},
    {"lt", function_lt, 2, 2},           {"le", function_le, 2, 2},
    {"gt", function_gt, 2, 2},           {"ge", function_ge, 2, 2},
    {"and", function_and, 1, TEMPLATE_ARGS_MAX}, {"or", function_or, 1, TEMPLATE_ARGS_MAX},
};

json_t *template_call(const char *name, json_t **args, size_t count)
{
    for (size_t i = 0; i < countof(functions); i++) {
        const struct function *f = &functions[i];
        if (strcmp(f->name, name))
            continue;
        if (count < f->least || count > f->most)
            template_die("%s does not take %zu arguments", name, count);
        return f->call(args, count);
    }
    template_die("there is no function '%s'", name);
}
