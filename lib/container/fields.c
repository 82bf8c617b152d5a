/* SPDX-License-Identifier: Apache-2.0 */
#include "container/fields.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

static void *member(const void *object, size_t offset)
{
    return (char *)object + offset;
}

/* The first struct of a list; its pointer has another type. */
static char *items_of(const wci_field *field, const void *object)
{
    char *items;
    memcpy(&items, member(object, field->offset), sizeof items);
    return items;
}

static size_t *count_of(const wci_field *field, const void *object)
{
    return member(object, field->count_offset);
}

/* ---- Freeing ---------------------------------------------------------------------------------- */

static void free_list(const wci_field *field, void *object)
{
    char *items = items_of(field, object);
    for (size_t i = 0; i < *count_of(field, object); i++)
        wci_fields_free(field->item, items + i * field->item->size);
    wci_free(items);
}

void wci_fields_free(const wci_fields *table, void *object)
{
    for (size_t i = 0; i < table->count; i++) {
        const wci_field *field = &table->fields[i];
        if (field->kind == WCI_FIELD_TEXT)
            wci_free(*(char **)member(object, field->offset));
        else if (field->kind == WCI_FIELD_TEXTS)
            wci_strv_free(member(object, field->offset));
        else if (field->kind == WCI_FIELD_OBJECTS)
            free_list(field, object);
    }
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static json_t *write_list(const wci_field *field, const void *object)
{
    json_t *array = json_array();
    const char *items = items_of(field, object);
    int failed = !array;
    for (size_t i = 0; !failed && i < *count_of(field, object); i++) {
        json_t *item = json_object();
        failed = wci_fields_write(field->item, items + i * field->item->size, item);
        failed = json_array_append_new(array, item) || failed;
    }
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *write_field(const wci_field *field, const void *object)
{
    const void *value = member(object, field->offset);
    const char *text;
    switch (field->kind) {
    case WCI_FIELD_TEXT:
        text = *(char *const *)value;
        return json_string(text ? text : "");
    case WCI_FIELD_TEXTS:
        return wci_json_from_strv(value);
    case WCI_FIELD_FLAG:
        return json_boolean(*(const int32_t *)value);
    case WCI_FIELD_OBJECTS:
        return write_list(field, object);
    case WCI_FIELD_NUMBER:
        break;
    }
    return json_integer(*(const int64_t *)value);
}

int wci_fields_write(const wci_fields *table, const void *object, json_t *json)
{
    int failed = !json;
    for (size_t i = 0; i < table->count && !failed; i++)
        failed = json_object_set_new(json, table->fields[i].key, write_field(&table->fields[i], object));
    return failed ? -1 : 0;
}

static int is_nothing(const wci_field *field, const void *object)
{
    const void *value = member(object, field->offset);
    switch (field->kind) {
    case WCI_FIELD_TEXT:
        return !*(char *const *)value || !**(char *const *)value;
    case WCI_FIELD_TEXTS:
        return !((const wci_strv *)value)->count;
    case WCI_FIELD_FLAG:
        return !*(const int32_t *)value;
    case WCI_FIELD_OBJECTS:
        return !*count_of(field, object);
    case WCI_FIELD_NUMBER:
        break;
    }
    return !*(const int64_t *)value;
}

int wci_fields_write_set(const wci_fields *table, const void *object, const void *defaults, json_t *json)
{
    int failed = !json;
    for (size_t i = 0; i < table->count && !failed; i++) {
        const wci_field *field = &table->fields[i];
        if (!is_nothing(field, object) || !is_nothing(field, defaults))
            failed = json_object_set_new(json, field->key, write_field(field, object));
    }
    return failed ? -1 : 0;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static int32_t read_list(const wci_field *field, json_t *json, const char *what, void *object, wc_error **err)
{
    json_t *array = NULL, *value;
    size_t i, *count = count_of(field, object), size = field->item->size;
    int32_t rc = wci_json_get_array(json, field->key, what, &array, err);
    if (rc)
        return rc;
    json_array_foreach(array, i, value) {
        if (!json_is_object(value))
            return wci_err(err, WC_E_FORMAT, "%s: an item of '%s' is no object", what, field->key);
        if (!wci_grow(member(object, field->offset), member(object, field->cap_offset), *count + 1, size))
            return wci_err_nomem(err);
        char *item = items_of(field, object) + *count * size;
        memset(item, 0, size);
        ++*count;
        if ((rc = wci_fields_read(field->item, value, what, item, err)))
            return rc;
    }
    return WC_OK;
}

static int32_t read_field(const wci_field *field, json_t *json, const char *what, void *object, wc_error **err)
{
    void *value = member(object, field->offset);
    const char *text = "";
    int flag = 0;
    int32_t rc;
    switch (field->kind) {
    case WCI_FIELD_TEXT:
        rc = wci_json_get_string(json, field->key, what, &text, err);
        if (!rc && wci_replace(value, text ? text : ""))
            rc = wci_err_nomem(err);
        return rc;
    case WCI_FIELD_TEXTS:
        return wci_json_get_strings(json, field->key, what, value, err);
    case WCI_FIELD_FLAG:
        rc = wci_json_get_bool(json, field->key, what, &flag, err);
        *(int32_t *)value = flag;
        return rc;
    case WCI_FIELD_OBJECTS:
        return read_list(field, json, what, object, err);
    case WCI_FIELD_NUMBER:
        break;
    }
    return wci_json_get_int(json, field->key, what, INT64_MIN, INT64_MAX, value, err);
}

int32_t wci_fields_read(const wci_fields *table, json_t *json, const char *what, void *object, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < table->count; i++)
        rc = read_field(&table->fields[i], json, what, object, err);
    return rc;
}
