/* SPDX-License-Identifier: Apache-2.0 */
/* The documents that a registry answers lists with: tags, repositories, referrers, what a search found. */
#ifndef WCI_REGISTRY_PAGE_H
#define WCI_REGISTRY_PAGE_H

#include <jansson.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"

#define WCI_PAGE_MAX ((size_t)4 << 20)

int32_t wci_page_parse(const char *text, size_t size, const char *what, json_t **out, wc_error **err);
/* Adds the names in the list `key` of a page (null: none). WC_E_FORMAT, WC_E_LIMIT when they are too many by now. */
int32_t wci_page_names(json_t *page, const char *key, const char *what, wci_strv *names, wc_error **err);
/* Adds the entries of the list `key` to the index that was the first page; *index NULL: this is it. WC_E_FORMAT,
 * WC_E_LIMIT. */
int32_t wci_page_entries(json_t *page, const char *key, const char *what, json_t **index, wc_error **err);

#endif
