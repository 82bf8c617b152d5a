/* SPDX-License-Identifier: Apache-2.0 */
/* Where images go to: a layout, an archive. The counterpart of image/origin.h. */
#ifndef WCI_IMAGE_OUTLET_H
#define WCI_IMAGE_OUTLET_H

#include <jansson.h>

#include "core/call.h"
#include "image/config.h"
#include "image/origin.h"
#include "image/resolve.h"
#include "image/trust/sign.h"

/* One image on its way out. Its blobs are opened by digest. */
typedef struct wci_outgoing {
    const wci_resolved *resolved;
    const wci_image_config *config;
    const wci_strv *names; /* normalised; may be empty */
    int32_t (*open_blob)(struct wci_outgoing *image, const wci_digest *digest, wci_extent *out,
                         wc_error **err);
    void *owner;
} wci_outgoing;

typedef struct wci_outlet wci_outlet;

/* Where a blob is written to. The descriptor is the outlet's. */
typedef struct wci_berth {
    wci_fd fd;
    uint64_t offset;
} wci_berth;

typedef struct wci_outlet_ops {
    /* 1 when the blob is there already and need not be brought. */
    int (*has)(wci_outlet *outlet, const wci_descriptor *descriptor);
    int32_t (*put)(wc_call *call, wci_outlet *outlet, wci_outgoing *image, wc_error **err);
    /* Makes everything that was put visible. */
    int32_t (*finish)(wci_outlet *outlet, wc_error **err);
    void (*close)(wci_outlet *outlet);
    /* NULL, or a place to fetch the blob to, which put() then takes as it is: its bytes are all there and
     * verified by then. */
    int32_t (*stage)(wci_outlet *outlet, const wci_descriptor *descriptor, wci_berth *out, wc_error **err);
} wci_outlet_ops;

/* The head of every outlet. */
struct wci_outlet {
    const wci_outlet_ops *ops;
    wci_signer *signer; /* owned; NULL: what is put is not signed */
};

/* `config` for registries; the transfer tells whether what is put is to be signed. All of them, `call` and store must
 * outlive the outlet. */
int32_t wci_outlet_open(wc_call *call, wci_store *store, const wci_place *place, const wci_registry_config *config,
                        const wci_transfer *transfer, wci_outlet **out, wc_error **err);
/* What was not finished is removed. NULL accepted. */
void wci_outlet_close(wci_outlet *outlet);

/* ---- For the outlets ---------------------------------------------------------------------------- */

int32_t wci_outlet_open_layout(const wci_place *place, wci_outlet **out, wc_error **err);
int32_t wci_outlet_open_oci_archive(const wci_place *place, wci_outlet **out, wc_error **err);
int32_t wci_outlet_open_registry(wc_call *call, wci_store *store, const wci_place *place,
                                 const wci_registry_config *config, wci_outlet **out, wc_error **err);
int32_t wci_outlet_open_daemon(wc_call *call, wci_store *store, const wci_place *place, wci_outlet **out,
                               wc_error **err);
int32_t wci_outlet_open_docker(const wci_place *place, wci_outlet **out, wc_error **err);

/* Hands the image's blob to `write` piece by piece, verifies size and digest, and reports. */
int32_t wci_outgoing_copy(wc_call *call, wci_outgoing *image, const wci_descriptor *descriptor,
                          int32_t (*write)(void *self, const void *data, size_t size,
                                           wc_error **err),
                          void *self, wc_error **err);

/* The same straight to its place. */
int32_t wci_outgoing_copy_to(wc_call *call, wci_outgoing *image, const wci_descriptor *descriptor,
                             const wci_berth *berth, wc_error **err);

/* index.json of a layout being changed. `bytes` NULL: a new one. */
int32_t wci_layout_index_open(const wc_buf *bytes, json_t **out, wc_error **err);
/* Adds the image, under `ref`, or under each of its names, or without a name; what was called so
 * before loses the name. */
int32_t wci_layout_index_add(json_t *index, const wci_outgoing *image, const char *ref,
                             wc_error **err);
/* The same with all entries of another index. */
int32_t wci_layout_index_merge(json_t *index, const json_t *added, wc_error **err);
/* Content of the file "oci-layout". */
#define WCI_LAYOUT_MARKER "{\"imageLayoutVersion\":\"1.0.0\"}"

#endif
