/* SPDX-License-Identifier: Apache-2.0 */
/* Making the public wc_list. One list holds one kind of element. */
#ifndef WCI_LIST_H
#define WCI_LIST_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/str.h"

typedef enum wci_list_kind {
    WCI_LIST_STRING,
    WCI_LIST_IMAGE,
    WCI_LIST_CONTAINER_INFO,
    WCI_LIST_VOLUME,
    WCI_LIST_NETWORK,
    WCI_LIST_GROUP,
    WCI_LIST_STATS,
} wci_list_kind;

/* `release` drops one element (wci_free for strings, an _unref for handles). */
int32_t wci_list_new(wci_list_kind kind, void (*release)(void *), wc_list **out, wc_error **err);
/* Takes the element over, also on failure. NULL element: out of memory. */
int32_t wci_list_add(wc_list *list, void *element, wc_error **err);
/* Copies of the texts. */
int32_t wci_list_of_strings(const wci_strv *texts, wc_list **out, wc_error **err);
void *wci_list_at(const wc_list *list, wci_list_kind kind, size_t index);

#endif
