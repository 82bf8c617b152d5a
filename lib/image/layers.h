/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of one image: fetched, verified and unpacked at the same time. */
#ifndef WCI_IMAGE_LAYERS_H
#define WCI_IMAGE_LAYERS_H

#include "image/config.h"
#include "image/documents.h"
#include "image/origin.h"
#include "layer/layer.h"

/* Trees that are made but not yet published. */
typedef struct wci_stagings {
    wci_staging **items;
    size_t count, cap;
} wci_stagings;

#define WCI_STAGINGS_INIT {NULL, 0, 0}

/* Takes the staging over, also on failure. */
int32_t wci_stagings_add(wci_stagings *list, wci_staging *staging, wc_error **err);
/* Takes back what was not published. */
void wci_stagings_free(wci_stagings *list);

/* Brings every layer's blob into the store and unpacks it into its tree. The calling thread fetches
 * and reports; others unpack beside it. What other threads and processes already do is waited for,
 * and taken over should they fail. Blobs that were dropped come back only where their tree is
 * missing. `in_part` (may be NULL) lets layers be made of parts (partial.h), and gets the digests of those
 * that were: their blobs are not brought. */
int32_t wci_layers_bring(wc_call *call, wci_store *store, wci_hold *hold, wci_origin *origin,
                         const wci_document *manifest, const wci_image_config *config, wci_strv *in_part,
                         wci_stagings *trees, wc_error **err);

/* Makes the small trees that join each layer to those below (layer/layer.h). */
int32_t wci_layers_link(wc_call *call, wci_store *store, wci_hold *hold,
                        const wci_layer_record *layers, size_t count, wci_stagings *trees,
                        wc_error **err);

/* The layer's T, and the X above it where one was made, as a level; free all at once. */
int32_t wci_level_open(wci_store *store, const wci_layer_record *layer, wci_level *level,
                       wc_error **err);
int32_t wci_level_open_links(wci_store *store, const wci_layer_record *layer, wci_level *level,
                             wc_error **err);
void wci_levels_free(wci_level *levels, size_t count);

#endif
