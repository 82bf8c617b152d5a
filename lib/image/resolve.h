/* SPDX-License-Identifier: Apache-2.0 */
/* From what a place names to the manifest of one platform. */
#ifndef WCI_IMAGE_RESOLVE_H
#define WCI_IMAGE_RESOLVE_H

#include "image/config.h"
#include "image/documents.h"
#include "image/origin.h"

typedef struct wci_resolved {
    wci_raw manifest;
    wci_document *document; /* the manifest, read */
    wci_raw index;          /* the outermost index it came from; body NULL when there was none */
} wci_resolved;

#define WCI_RESOLVED_INIT {WCI_RAW_INIT, NULL, WCI_RAW_INIT}

/* `store` (may be NULL) is asked first for manifests. WC_E_PLATFORM tells what there is instead. */
int32_t wci_resolve(wc_call *call, wci_store *store, wci_origin *origin, size_t image,
                    const wci_transfer *transfer, wci_resolved *out, wc_error **err);
/* The same from the document that stands for the whole. */
int32_t wci_resolve_from(wc_call *call, wci_store *store, wci_origin *origin, const wci_raw *root,
                         const wci_transfer *transfer, wci_resolved *out, wc_error **err);
void wci_resolved_clear(wci_resolved *resolved);

/* WC_E_UNSUPPORTED for an artifact, and for layers of unknown types. */
int32_t wci_resolved_check_image(const wci_resolved *resolved, wc_error **err);
/* Whether config and manifest tell of the same layers. */
int32_t wci_resolved_check_layers(const wci_resolved *resolved, const wci_image_config *config, wc_error **err);
/* The same, and whether the platform is the one that
 * was asked for. */
int32_t wci_resolved_check_config(wc_call *call, const wci_resolved *resolved,
                                  const wci_image_config *config, const wci_transfer *transfer,
                                  wc_error **err);

#endif
