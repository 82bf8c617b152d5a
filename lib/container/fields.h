/* SPDX-License-Identifier: Apache-2.0 */
/* Structs as JSON objects, by a table of their members. A key that is missing leaves a number as it is and makes a
 * text ""; keys that no table knows are passed over. */
#ifndef WCI_CONTAINER_FIELDS_H
#define WCI_CONTAINER_FIELDS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

typedef enum wci_field_kind {
    WCI_FIELD_TEXT,    /* char *, NULL is written as "" */
    WCI_FIELD_TEXTS,   /* wci_strv */
    WCI_FIELD_FLAG,    /* int32_t */
    WCI_FIELD_NUMBER,  /* int64_t */
    WCI_FIELD_OBJECTS, /* an array of structs with a table of their own */
} wci_field_kind;

typedef struct wci_field {
    const char *key;
    wci_field_kind kind;
    size_t offset;
    const struct wci_fields *item; /* the rest is for WCI_FIELD_OBJECTS */
    size_t count_offset, cap_offset;
} wci_field;

typedef struct wci_fields {
    const wci_field *fields;
    size_t count;
    size_t size; /* of the struct */
} wci_fields;

#define WCI_FIELDS(table, type) {table, sizeof table / sizeof *table, sizeof(type)}
#define WCI_FIELD(key, kind, type, member) {key, WCI_FIELD_##kind, offsetof(type, member), NULL, 0, 0}
/* The members: a pointer to the structs, how many there are, and for how many there is room. */
#define WCI_FIELD_LIST(key, type, items, count, cap, table)                                                         \
    {key, WCI_FIELD_OBJECTS, offsetof(type, items), table, offsetof(type, count), offsetof(type, cap)}

/* The members, not the struct. */
void wci_fields_free(const wci_fields *table, void *object);
/* Adds the members to `json`; 0, or -1 when memory ran out. */
int wci_fields_write(const wci_fields *table, const void *object, json_t *json);
/* Only those that say something: what is 0 or empty, and 0 or empty in `defaults` too, is left out, as it is the same for
 * wci_fields_read() into `defaults`. */
int wci_fields_write_set(const wci_fields *table, const void *object, const void *defaults, json_t *json);
/* `what` names the document in errors. What was read before an error stays, to be freed. */
int32_t wci_fields_read(const wci_fields *table, json_t *json, const char *what, void *object, wc_error **err);

#endif
