/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"

#include <string.h>

#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"

#define MAX_DEPTH 64

/* Nesting is counted before parsing, since the parser recurses. */
static int is_too_deep(const char *data, size_t size)
{
    int depth = 0, in_string = 0;
    for (size_t i = 0; i < size; i++) {
        char c = data[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = 0;
        } else if (c == '"') {
            in_string = 1;
        } else if (c == '{' || c == '[') {
            if (++depth > MAX_DEPTH)
                return 1;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

void wci_json_seed(void)
{
    uint32_t seed = 0;
    if (!wci_random_bytes(&seed, sizeof seed, NULL) && seed)
        json_object_seed(seed);
}

int32_t wci_json_parse(const char *data, size_t size, size_t max_size, const char *what,
                       json_t **out, wc_error **err)
{
    if (size > max_size)
        return wci_err(err, WC_E_LIMIT, "%s: %zu bytes of JSON; at most %zu are accepted", what,
                       size, max_size);
    if (is_too_deep(data, size))
        return wci_err(err, WC_E_FORMAT, "%s: not acceptable JSON: nested deeper than %d", what,
                       MAX_DEPTH);
    json_error_t why;
    json_t *value = json_loadb(data, size, JSON_REJECT_DUPLICATES, &why);
    if (!value && json_error_code(&why) == json_error_out_of_memory)
        return wci_err_nomem(err);
    if (!value) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(why.text, shown);
        return wci_err(err, WC_E_FORMAT, "%s: not valid JSON: line %d, column %d: %s", what,
                       why.line, why.column, shown);
    }
    *out = value;
    return WC_OK;
}

int32_t wci_json_read(const char *path, size_t max_size, const char *what, json_t **out, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t rc = wci_file_read_all(path, max_size, &text, err);
    if (!rc)
        rc = wci_json_parse(wc_buf_data(text), wc_buf_size(text), max_size, what, out, err);
    wc_buf_unref(text);
    return rc;
}

/* The next letter of a key, folded as Go's encoding/json folds: besides ASCII case it takes the
 * long s (U+017F) for 's' and the Kelvin sign (U+212A) for 'k'. */
static int folded(const char **p)
{
    const unsigned char *s = (const unsigned char *)*p;
    if (s[0] == 0xC5 && s[1] == 0xBF) {
        *p += 2;
        return 's';
    }
    if (s[0] == 0xE2 && s[1] == 0x84 && s[2] == 0xAA) {
        *p += 3;
        return 'k';
    }
    *p += 1;
    return s[0] >= 'A' && s[0] <= 'Z' ? s[0] + ('a' - 'A') : s[0];
}

static int equal_folded(const char *a, const char *b)
{
    for (;;) {
        int x = folded(&a), y = folded(&b);
        if (x != y)
            return 0;
        if (!x)
            return 1;
    }
}

int32_t wci_json_check_case(json_t *object, const char *const *known, const char *what,
                            wc_error **err)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        for (size_t i = 0; known[i]; i++) {
            if (!strcmp(key, known[i]) || !equal_folded(key, known[i]))
                continue;
            return wci_err(err, WC_E_FORMAT,
                           "%s: the key '%s' differs only in case from '%s'; other readers would "
                           "take it for that",
                           what, key, known[i]);
        }
    }
    return WC_OK;
}

static int32_t wrong_type(const char *what, const char *key, const char *type, wc_error **err)
{
    return wci_err(err, WC_E_FORMAT, "%s: '%s' must be %s", what, key, type);
}

/* The value, or NULL when the key is missing or null. */
static json_t *get(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

int32_t wci_json_get_string(json_t *object, const char *key, const char *what, const char **out,
                            wc_error **err)
{
    json_t *value = get(object, key);
    if (!value)
        return WC_OK;
    if (!json_is_string(value))
        return wrong_type(what, key, "a string", err);
    *out = json_string_value(value);
    return WC_OK;
}

int32_t wci_json_get_int(json_t *object, const char *key, const char *what, int64_t min,
                         int64_t max, int64_t *out, wc_error **err)
{
    json_t *value = get(object, key);
    if (!value)
        return WC_OK;
    if (!json_is_integer(value))
        return wrong_type(what, key, "a whole number", err);
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return wci_err(err, WC_E_FORMAT, "%s: '%s' is %lld; it must be from %lld to %lld", what,
                       key, (long long)number, (long long)min, (long long)max);
    *out = number;
    return WC_OK;
}

int32_t wci_json_get_bool(json_t *object, const char *key, const char *what, int *out,
                          wc_error **err)
{
    json_t *value = get(object, key);
    if (!value)
        return WC_OK;
    if (!json_is_boolean(value))
        return wrong_type(what, key, "true or false", err);
    *out = json_is_true(value);
    return WC_OK;
}

int32_t wci_json_get_object(json_t *object, const char *key, const char *what, json_t **out,
                            wc_error **err)
{
    json_t *value = get(object, key);
    if (!value)
        return WC_OK;
    if (!json_is_object(value))
        return wrong_type(what, key, "an object", err);
    *out = value;
    return WC_OK;
}

int32_t wci_json_get_array(json_t *object, const char *key, const char *what, json_t **out,
                           wc_error **err)
{
    json_t *value = get(object, key);
    if (!value)
        return WC_OK;
    if (!json_is_array(value))
        return wrong_type(what, key, "an array", err);
    *out = value;
    return WC_OK;
}

int32_t wci_json_get_strings(json_t *object, const char *key, const char *what, wci_strv *out,
                             wc_error **err)
{
    json_t *array = NULL;
    int32_t rc = wci_json_get_array(object, key, what, &array, err);
    if (rc || !array)
        return rc;
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value)
    {
        if (!json_is_string(value))
            return wrong_type(what, key, "an array of strings", err);
    }
    json_array_foreach(array, i, value)
    {
        if (wci_strv_add(out, json_string_value(value)))
            return wci_err_nomem(err);
    }
    return WC_OK;
}

json_t *wci_json_from_strv(const wci_strv *v)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < v->count; i++) {
        if (json_array_append_new(array, json_string(v->items[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static int append_dump(const char *data, size_t size, void *str)
{
    wci_str *s = str;
    wci_str_append_n(s, data, size);
    return s->failed ? -1 : 0;
}

static void dump(json_t *value, wci_str *s)
{
    if (!value || json_dump_callback(value, append_dump, s, JSON_COMPACT | JSON_ENCODE_ANY))
        s->failed = 1;
}

int32_t wci_json_dump(json_t *value, wc_buf **out, wc_error **err)
{
    wci_str s = WCI_STR_INIT;
    dump(value, &s);
    return wci_str_to_buf(&s, out, err);
}

char *wci_json_dump_text(json_t *value)
{
    wci_str s = WCI_STR_INIT;
    dump(value, &s);
    return wci_str_take(&s);
}
