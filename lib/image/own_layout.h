/* SPDX-License-Identifier: Apache-2.0 */
/* An image that is made here is written as an OCI layout, in which what the store has anyway may be missing, and then
 * brought in like any other: verified, unpacked, published in one step. */
#ifndef WCI_IMAGE_OWN_LAYOUT_H
#define WCI_IMAGE_OWN_LAYOUT_H

#include <jansson.h>

#include "core/call.h"
#include "image/platform.h"
#include "store/store.h"

typedef struct wci_own_layout {
    wci_scratch scratch;
    char *blobs; /* directory of its blobs, by hex digest */
} wci_own_layout;

/* What a document is known by. */
typedef struct wci_written {
    wci_digest digest;
    size_t size;
} wci_written;

int32_t wci_own_layout_open(wci_store *store, wci_own_layout *out, wc_error **err);
void wci_own_layout_close(wci_own_layout *layout); /* also one that is all zeros */
/* Writes a document. */
int32_t wci_own_layout_put(const wci_own_layout *layout, const wc_buf *bytes, wci_written *out, wc_error **err);
/* The same; takes it over, NULL: there was no memory for it. */
int32_t wci_own_layout_put_json(const wci_own_layout *layout, json_t *document, wci_written *out, wc_error **err);
json_t *wci_written_descriptor(const char *media_type, const wci_written *document);
/* Says which manifest the layout is of. */
int32_t wci_own_layout_finish(const wci_own_layout *layout, const char *media_type, const wci_written *manifest,
                              wc_error **err);
/* Brings the image into the store. `name` is normalised or NULL. */
int32_t wci_own_layout_bring_in(wc_call *call, wci_store *store, const wci_own_layout *layout,
                                const wci_platform *platform, const char *name, wci_image_record **out, wc_error **err);

/* Seconds of $SOURCE_DATE_EPOCH, or -1. https://reproducible-builds.org/specs/source-date-epoch */
int32_t wci_source_date_epoch(int64_t *out, wc_error **err);

#endif
