/* SPDX-License-Identifier: Apache-2.0 */
/* Names in layer tars that say what is no longer there. Specification: OCI image-spec 1.1, layer.md. */
#ifndef WCI_LAYER_WHITEOUT_H
#define WCI_LAYER_WHITEOUT_H

#include "layer/tar_header.h"

#define WCI_WHITEOUT_PREFIX ".wh."
#define WCI_OPAQUE_NAME ".wh..wh..opq"

typedef enum wci_name_kind {
    WCI_NAME_PLAIN,
    WCI_NAME_WHITEOUT, /* hides the name behind the prefix */
    WCI_NAME_OPAQUE,   /* hides all that the directory holds below */
    WCI_NAME_META,     /* a file of aufs' own: says nothing */
} wci_name_kind;

/* Of a clean path. WC_E_FORMAT for a whiteout that hides no possible name. */
int32_t wci_name_kind_of(const char *path, wci_name_kind *kind, wc_error **err);
/* Overlayfs knows no device 0:0, it is how a whiteout looks. */
int wci_entry_is_whiteout(const wci_tar_entry *entry);

#endif
