/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of files that the store has already, in the trees of other layers. */
#ifndef WCI_IMAGE_REUSE_H
#define WCI_IMAGE_REUSE_H

#include "layer/parts.h"
#include "store/store.h"

/* Whether any tree has a list of its contents. */
int32_t wci_reuse_is_possible(wc_call *call, wci_store *store, int *possible, wc_error **err);
/* Sets tree and name of those contents of the layers that a file of the store has, which was read and hashed for it;
 * its tree is held. `trees` owns their paths, and must live as long as the layers. `tick` (may be NULL) is called
 * often; its error ends the search. */
int32_t wci_reuse_find(wc_call *call, wci_store *store, wci_hold *hold, wci_layer_parts **layers, size_t count,
                       int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload, wci_strv *trees,
                       wc_error **err);

#endif
