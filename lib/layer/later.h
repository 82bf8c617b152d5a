/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written and get owner, mode and time together with others: where somebody else has to do that for us,
 * being asked for each one would take longer than writing it. */
#ifndef WCI_LAYER_LATER_H
#define WCI_LAYER_LATER_H

#include "layer/attrs.h"

typedef struct wci_later_files {
    wci_tree_finish items[WCI_TREE_FINISH_MAX];
    char *paths[WCI_TREE_FINISH_MAX]; /* for errors */
    size_t count;
} wci_later_files;

/* 1 for a file that may be put off. */
int wci_later_may_be(const wci_attr_rules *rules, const wci_attrs *attrs);
/* Takes the file over, also on failure. */
int32_t wci_later_add(wci_later_files *later, wci_fd file, const wci_attrs *attrs, const char *path, wc_error **err);
int32_t wci_later_finish(wci_later_files *later, wc_error **err);
void wci_later_free(wci_later_files *later); /* the contents; nothing is done any more */

#endif
