/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader of the TOML (1.0.0) that configuration files of containers are written in. Left out, and
 * refused by name: strings over several lines, numbers with a fraction or another base, dates. */
#ifndef WCI_TOML_H
#define WCI_TOML_H

#include <jansson.h>
#include <stddef.h>

#include <wincontainer/error.h>

/* Tables become objects, arrays of tables arrays. `what` names the document in errors, which tell the line:
 * WC_E_FORMAT; WC_E_LIMIT over max_size or for too much of something. */
int32_t wci_toml_parse(const char *text, size_t size, size_t max_size, const char *what, json_t **out, wc_error **err);

#endif
