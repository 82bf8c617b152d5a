/* SPDX-License-Identifier: Apache-2.0 */
/* One image on its way from an origin to an outlet: for one platform, or all of an index, with or without what refers
 * to it. */
#ifndef WCI_IMAGE_PASSAGE_H
#define WCI_IMAGE_PASSAGE_H

#include "image/stage.h"

/* `from` is NULL for images of the store, which were judged when they came in. `names` are those that the image is to
 * have at the outlet, where that knows names. Ends with the report that callers learn the root's digest from. */
int32_t wci_pass(const wci_ferry *ferry, const wci_place *from, const wci_strv *names, const wci_transfer *transfer,
                 wc_error **err);

#endif
