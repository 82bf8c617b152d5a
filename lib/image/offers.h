/* SPDX-License-Identifier: Apache-2.0 */
/* The platforms that were there to choose from, for the error when none of them fits. */
#ifndef WCI_IMAGE_OFFERS_H
#define WCI_IMAGE_OFFERS_H

#include "image/platform.h"

#define WCI_OFFERS_BUILDS 32

typedef struct wci_offers {
    wci_strv texts; /* each once */
    unsigned builds[WCI_OFFERS_BUILDS]; /* of Windows, where all else fits */
    size_t build_count;
} wci_offers;

#define WCI_OFFERS_INIT {.texts = WCI_STRV_INIT}

int32_t wci_offers_add(wci_offers *offers, const wci_platform *wanted, const wci_platform *offered, wc_error **err);
void wci_offers_free(wci_offers *offers);
/* WC_E_PLATFORM, with what there is and what would do. */
int32_t wci_offers_refuse(const wci_offers *offers, const wci_platform *wanted, wci_isolation isolation,
                          wc_error **err);

#endif
