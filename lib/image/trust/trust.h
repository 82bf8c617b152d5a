/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image may come in: asked before anything of it is kept. */
#ifndef WCI_TRUST_H
#define WCI_TRUST_H

#include "image/graph.h"

/* WC_E_UNTRUSTED unless the image of `place` fulfils what the transfer's policy wants of it. Without a policy
 * everything is accepted. */
int32_t wci_trust_check(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                        const wci_transfer *transfer, const wci_resolved *resolved, wc_error **err);

/* The same for every manifest of a graph, each of which counts as one of the index. */
int32_t wci_trust_check_graph(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                              const wci_transfer *transfer, const wci_graph *graph, wc_error **err);

/* The same for wc_image_verify(): its JSON object. WC_E_MISSING without a policy. */
int32_t wci_trust_report(wc_call *call, wci_store *store, const wci_place *place, const wci_transfer *transfer,
                         wc_buf **out, wc_error **err);

#endif
