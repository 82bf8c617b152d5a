/* SPDX-License-Identifier: Apache-2.0 */
/* http and https URLs, taken apart by the same parser that later connects to them. */
#ifndef WCI_REGISTRY_URL_H
#define WCI_REGISTRY_URL_H

#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"

typedef struct wci_url {
    char *text;  /* whole, without a fragment */
    char *host;  /* IPv6 in brackets */
    char *shown; /* without query: for errors and logs, since queries may carry signatures */
    uint16_t port;
    int plain;   /* http rather than https */
} wci_url;

#define WCI_URL_INIT {NULL, NULL, NULL, 0, 0}

/* WC_E_FORMAT for other schemes, user names or passwords inside, and nonsense. With `base`, `text`
 * may be relative to it. *out is replaced on success. */
int32_t wci_url_parse(const char *text, const wci_url *base, wci_url *out, wc_error **err);
void wci_url_free(wci_url *url);
int wci_url_same_origin(const wci_url *a, const wci_url *b);
/* Appends "?name=value" or "&name=value" to a URL text, percent-encoded. */
void wci_url_add_query(wci_str *url, const char *name, const char *value);
/* The same for a form (application/x-www-form-urlencoded). */
void wci_form_add(wci_str *form, const char *name, const char *value);

#endif
