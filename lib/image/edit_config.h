/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_IMAGE_EDIT_CONFIG_H
#define WCI_IMAGE_EDIT_CONFIG_H

#include <jansson.h>

#include "image/edit_layer.h"

/* The config document of the new image: the base's (NULL: none), changed. What it holds besides stays. */
int32_t wci_edit_config_make(const wci_edit *edit, json_t *base, const wci_new_layer *layers, int64_t created_ns,
                             json_t **out, wc_error **err);
/* Adds "NAME=value" to an object of texts. */
void wci_edit_set_pair(json_t *object, const char *pair);
/* A text of the document, or "". */
const char *wci_edit_config_text(json_t *document, const char *key);

#endif
