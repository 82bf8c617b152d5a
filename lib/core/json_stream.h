/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON object that may be far larger than memory because of one array in it. The elements of the array, which
 * must be objects, are parsed one by one as they come; the rest is parsed at the end. */
#ifndef WCI_JSON_STREAM_H
#define WCI_JSON_STREAM_H

#include "core/json.h"

typedef struct wci_json_stream wci_json_stream;

typedef struct wci_json_stream_rules {
    const char *what; /* names the document in errors */
    const char *key;  /* of the array, a member of the outermost object */
    /* The element is lent. */
    int32_t (*element)(void *self, json_t *element, wc_error **err);
    void *self;
} wci_json_stream_rules;

/* The rules must live as long. */
int32_t wci_json_stream_new(const wci_json_stream_rules *rules, wci_json_stream **out, wc_error **err);
/* The next piece of the text. Strict as wci_json_parse(); WC_E_LIMIT for an element, or a rest, over 1 MiB. */
int32_t wci_json_stream_feed(wci_json_stream *s, const char *data, size_t size, wc_error **err);
/* After the last piece: the object with the array empty. */
int32_t wci_json_stream_end(wci_json_stream *s, json_t **rest, wc_error **err);
void wci_json_stream_free(wci_json_stream *s); /* NULL accepted */

#endif
