/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_API_IMAGE_H
#define WCI_API_IMAGE_H

#include <wincontainer/image.h>

#include "api/context.h"
#include "image/transfer.h"

struct wc_transfer_options {
    wci_transfer transfer; /* its registry's texts are owned here */
    wc_progress_cb progress;
    uintptr_t progress_payload;
};

/* As wci_api_begin(), with the options' progress. *transfer is lent; NULL options are the defaults. */
int32_t wci_api_begin_transfer(wc_context *context, const wc_transfer_options *options,
                               wc_cancel *cancel, wc_call *call, const wci_transfer **transfer,
                               wc_error **err);

/* Replaces a text of the options by a copy. */
int32_t wci_api_set_text(const char **text, const char *value, wc_error **err);

/* Takes the record over, also on failure. */
int32_t wci_api_image_new(wc_context *context, wci_image_record *record, wc_image **out, wc_error **err);

#endif
