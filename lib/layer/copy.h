/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of single entries, attributes and all; wci_tree_copy() in layer.h is built on them. */
#ifndef WCI_LAYER_COPY_H
#define WCI_LAYER_COPY_H

#include "layer/attrs.h"

/* Asked now and then; an error ends the copying. NULL: never. */
typedef int32_t (*wci_copy_check)(wc_error **err);

/* Anything but a directory: `from_name` in `from` becomes the new `name` in `to`. `read` are its
 * attributes. */
int32_t wci_copy_entry(const wci_attr_rules *rules, wci_fd from, const char *from_name, const wci_attrs_read *read,
                       wci_fd to, const char *name, wci_copy_check check, wc_error **err);

#endif
