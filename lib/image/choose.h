/* SPDX-License-Identifier: Apache-2.0 */
/* Which image of the store a name and a platform mean together. */
#ifndef WCI_IMAGE_CHOOSE_H
#define WCI_IMAGE_CHOOSE_H

#include "image/transfer.h"
#include "store/store.h"

/* The image that `text` names, for the platform that the transfer asks for; without one, whichever the name stands for.
 * Where the name leads to an index, its image for the platform is unpacked if the store keeps it, and gets no name.
 * WC_E_NOT_FOUND, also when the index has such an image and the store has not; WC_E_PLATFORM. */
int32_t wci_image_choose(wc_call *call, wci_store *store, const char *text, const wci_transfer *transfer,
                         wci_image_record **out, wc_error **err);

#endif
