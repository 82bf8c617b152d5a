/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that held a secret is overwritten before it is given back. A wci_str with is_secret does that by itself,
 * also when it grows, and so does a wc_buf that is made of it. What curl, jansson and the kernel copy for
 * themselves is out of our reach. */
#ifndef WCI_SECRET_H
#define WCI_SECRET_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

#define WCI_SECRET_STR_INIT {.is_secret = 1}

/* Overwrites, also where the compiler sees that nobody reads it again. */
void wci_wipe(void *data, size_t size);
/* The same before each is released. Each accepts NULL. */
void wci_secret_free(char *text);
void wci_secret_strv_free(wci_strv *list);
void wci_secret_json_free(json_t *value); /* the last reference */
/* The JSON text, with JSON_* flags; NULL: out of memory. Release with wci_secret_free(). */
char *wci_secret_json_dump(json_t *value, size_t flags);

/* Bytes that may have zeros among them. */
typedef struct wci_secret {
    char *data; /* a zero byte that does not count follows */
    size_t size;
} wci_secret;

#define WCI_SECRET_INIT {NULL, 0}

/* Room for `size` bytes. */
int32_t wci_secret_make(size_t size, wci_secret *out, wc_error **err);
void wci_secret_clear(wci_secret *secret);

#endif
