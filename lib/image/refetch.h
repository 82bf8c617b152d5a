/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that were dropped, from the registries that have them. */
#ifndef WCI_IMAGE_REFETCH_H
#define WCI_IMAGE_REFETCH_H

#include "image/documents.h"
#include "image/transfer.h"
#include "store/store.h"

/* Brings those that have to be fetched. `login_host`: the registry that the login and the client certificate of the
 * transfer are for; NULL: whichever it is. WC_E_NOT_FOUND, with what to do. */
int32_t wci_layers_refetch(wc_call *call, wci_store *store, wci_hold *hold, const wci_descriptor *const *blobs,
                           size_t count, const wci_transfer *transfer, const char *login_host, wc_error **err);

#endif
