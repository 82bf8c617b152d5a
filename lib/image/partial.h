/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of which only a part is brought: the tables of zstd:chunked, and the frames of those files that the store
 * has nowhere. Whatever speaks against it, a layer then comes whole, as any other. docs/layers.md tells more. */
#ifndef WCI_IMAGE_PARTIAL_H
#define WCI_IMAGE_PARTIAL_H

#include <stdatomic.h>

#include "image/documents.h"
#include "image/origin.h"
#include "layer/parts.h"
#include "store/store.h"

typedef struct wci_partial {
    const wci_descriptor *layer;
    int is_on;             /* its parts are there; else it has to come whole */
    wci_layer_parts parts;
    wci_fd frames;
    uint64_t here;         /* of the blob, what has come or need not come */
    wci_str tail;          /* while the tables come */
} wci_partial;

typedef struct wci_partials {
    wci_store *store;
    wci_partial *items;
    size_t count, cap;
    wci_strv trees; /* of the store, that they take from */
    wci_scratch scratch;
} wci_partials;

#define WCI_PARTIALS_INIT {.store = NULL, .trees = WCI_STRV_INIT}

/* Whether it says that it has tables, and is so large that it is worth it. */
int wci_partial_may_be(const wci_descriptor *layer);
/* The layer is lent. */
int32_t wci_partials_add(wci_partials *p, const wci_descriptor *layer, wc_error **err);
/* Brings what is missing of them, and says of each whether it is on. An error is only what would stop the whole
 * layers, too. `tick` as for wci_origin_fetch(). */
int32_t wci_partials_bring(wc_call *call, wci_store *store, wci_hold *hold, wci_origin *origin, wci_partials *p,
                           int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload, wc_error **err);
void wci_partials_free(wci_partials *p);

#endif
