/* SPDX-License-Identifier: Apache-2.0 */
/* An unpacked image on its way back, shared by pack.c and pack_documents.c. */
#ifndef WCI_IMAGE_PACK_WORK_H
#define WCI_IMAGE_PACK_WORK_H

#include "image/config.h"
#include "image/own_layout.h"
#include "image/unpacked.h"

typedef struct wci_pack_layer {
    wci_digest digest, diff_id; /* what it was, and then what it is */
    wci_digest split, listing;  /* of its records */
    uint64_t size;
    int is_other_blob, is_other_tar;
} wci_pack_layer;

typedef struct wci_pack_work {
    wc_call *call;
    wci_store *store;
    wci_hold *hold;
    wci_fd dir; /* the unpacked image */
    wci_own_layout layout;
    wc_buf *manifest_bytes, *config_bytes;
    json_t *manifest_json, *config_json;
    wci_document *manifest; /* as it is in the directory */
    wci_image_config *config;
    wci_pack_layer *layers;
    size_t count;
    int64_t latest_sec;
    json_t *changes;
} wci_pack_work;

/* Reads what the directory says: manifest, config, and the layers as they were. */
int32_t wci_pack_documents_read(wci_pack_work *w, wc_error **err);
/* Writes config, manifest and index of the layout, byte for byte as they were where nothing has changed. */
int32_t wci_pack_documents_write(wci_pack_work *w, wc_error **err);

#endif
