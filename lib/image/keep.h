/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and blobs into the store as they are, for those that no image of the store consists of. */
#ifndef WCI_IMAGE_KEEP_H
#define WCI_IMAGE_KEEP_H

#include "image/graph.h"

int32_t wci_keep_documents(wc_call *call, wci_hold *hold, const wci_graph *graph, wc_error **err);
/* All blobs but those of the manifest `own`, which come by another way. */
int32_t wci_keep_blobs(wc_call *call, wci_hold *hold, wci_origin *origin, const wci_graph *graph,
                       const wci_digest *own, wc_error **err);
/* Those of the list, which is used up. */
int32_t wci_keep_listed(wc_call *call, wci_hold *hold, wci_origin *origin, const wci_descriptor **list, size_t count,
                        wc_error **err);
/* What the store is to be told of it. */
int32_t wci_keep_list(const wci_graph *graph, const wci_digest *own, wci_kept_list *out, wc_error **err);

#endif
