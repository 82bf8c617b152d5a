/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed layers, for whom has their content unpacked: dropped where they can be made or fetched
 * again, and brought back when somebody wants them. */
#ifndef WCI_IMAGE_DROP_H
#define WCI_IMAGE_DROP_H

#include "image/documents.h"
#include "image/transfer.h"
#include "layer/layer.h"
#include "store/store.h"

/* Drops the layer blobs of the image; *bytes counts what that freed. Those that nothing could bring back, and
 * those in use, stay. */
int32_t wci_image_drop_blobs(wc_call *call, wci_store *store, const wci_image_record *image, uint64_t *bytes,
                             wc_error **err);
/* How they come back. */
typedef struct wci_restoring {
    wci_hold *hold; /* has their digests */
    const wci_transfer *transfer;
    const char *login_host; /* as in wci_layers_refetch() */
    int tar_suffices;       /* what wci_layer_open_tar() can open needs no blob */
} wci_restoring;

/* Brings those of the blobs back that were dropped. WC_E_NOT_FOUND, with what to do. */
int32_t wci_blobs_restore(wc_call *call, wci_store *store, const wci_restoring *how, const wci_descriptor *const *blobs,
                          size_t count, wc_error **err);
int32_t wci_image_restore_blobs(wc_call *call, wci_store *store, const wci_restoring *how, const wci_image_record *image,
                                wc_error **err);
/* Whether the layer has a tree, and what was kept when its blob was dropped. */
int wci_layer_can_be_joined(wci_store *store, const wci_digest *diff_id);
/* The layer for those who want its content: the blob, or where that was dropped its plain tar in a file that goes with
 * the descriptor. Nothing is fetched. */
int32_t wci_layer_open_tar(wc_call *call, wci_store *store, const wci_layer_record *layer, wci_fd *out, wc_error **err);
/* The layer's plain tar into `to`, from the tree and what was kept when its blob was dropped. */
int32_t wci_layer_join_dropped(wci_store *store, const wci_layer_record *layer, const wci_sink *to, wc_error **err);

#endif
