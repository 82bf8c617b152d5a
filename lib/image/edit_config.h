/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_IMAGE_EDIT_CONFIG_H
#define WCI_IMAGE_EDIT_CONFIG_H

#include <jansson.h>

#include "image/edit_work.h"

/* Whether the config is to be another one than the base's. */
int wci_edit_config_changes(const wci_edit_work *w);
/* The config document of the new image: the base's, changed. What it holds besides stays. */
int32_t wci_edit_config_make(const wci_edit_work *w, json_t **out, wc_error **err);
/* Sets the variable of "NAME=value" in Env; for Windows a name is the same in capitals. */
void wci_edit_set_env(json_t *config, const char *os, const char *pair);
/* Adds "NAME=value" to an object of texts. */
void wci_edit_set_pair(json_t *object, const char *pair);
/* A text of the document, or "". */
const char *wci_edit_config_text(json_t *document, const char *key);

#endif
