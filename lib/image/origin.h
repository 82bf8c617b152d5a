/* SPDX-License-Identifier: Apache-2.0 */
/* Where images come from: a registry, a layout, an archive, the store. One table of functions for
 * all of them, and what they have in common. */
#ifndef WCI_IMAGE_ORIGIN_H
#define WCI_IMAGE_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/call.h"
#include "core/digest.h"
#include "image/documents.h"
#include "image/place.h"
#include "image/transfer.h"
#include "platform/file.h"
#include "registry/registry.h"
#include "store/store.h"

/* A stretch of a file. */
typedef struct wci_extent {
    wci_fd fd;
    uint64_t offset, size;
    int is_owned; /* the descriptor goes with the extent */
} wci_extent;

#define WCI_EXTENT_NONE {WCI_FD_NONE, 0, 0, 0}
void wci_extent_close(wci_extent *extent);

/* A document as it came, byte for byte. */
typedef struct wci_raw {
    wc_buf *body;
    char *media_type; /* as announced; NULL when nothing was said */
    wci_digest digest;
} wci_raw;

#define WCI_RAW_INIT {NULL, NULL, {""}}
void wci_raw_clear(wci_raw *raw);
int32_t wci_raw_copy(const wci_raw *raw, wci_raw *out, wc_error **err);

typedef struct wci_origin wci_origin;

typedef struct wci_origin_ops {
    /* The document that stands for the whole image. */
    int32_t (*root)(wc_call *call, wci_origin *origin, size_t image, wci_raw *out,
                    wc_error **err);
    /* A manifest by digest. NULL: it is read like a blob. */
    int32_t (*manifest)(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                        wc_buf **out, wc_error **err);
    /* As wci_remote_fetch(). NULL: blobs are opened. */
    int32_t (*fetch)(wc_call *call, wci_origin *origin, wci_fetch **fetches, size_t count,
                     int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                     wc_error **err);
    /* NULL: blobs are fetched. WC_E_NOT_FOUND. */
    int32_t (*open_blob)(wci_origin *origin, const wci_digest *digest, wci_extent *out,
                         wc_error **err);
    void (*close)(wci_origin *origin);
    /* The document under another tag beside the image, and an index of what refers to a manifest: where
     * signatures are. WC_E_NOT_FOUND. NULL: the place can have none. */
    int32_t (*tagged)(wc_call *call, wci_origin *origin, const char *tag, wci_raw *out, wc_error **err);
    int32_t (*referrers)(wc_call *call, wci_origin *origin, const wci_digest *subject, wc_buf **out,
                         wc_error **err);
    /* Many tags are going to be asked for. NULL: that is no matter. */
    void (*expect_tags)(wc_call *call, wci_origin *origin);
} wci_origin_ops;

/* Of an origin that opens blobs, but has not all of them at hand. */
typedef struct wci_away_ops {
    int32_t (*is_away)(wc_call *call, wci_origin *origin, const wci_digest *digest, int *away, wc_error **err);
    /* So that they can be opened; `tar_suffices`: by open_tar(). */
    int32_t (*bring)(wc_call *call, wci_origin *origin, const wci_descriptor *const *blobs, size_t count,
                     int tar_suffices, wc_error **err);
    /* The blob, or what a layer that is away unpacks to. */
    int32_t (*open_tar)(wc_call *call, wci_origin *origin, const wci_digest *digest, wci_extent *out, wc_error **err);
} wci_away_ops;

/* The head of every origin. */
struct wci_origin {
    const wci_origin_ops *ops;
    const wci_away_ops *away; /* NULL: all are at hand */
    wci_place_kind kind; /* not of the store's own images */
    size_t image_count;
    const wci_registry_config *places; /* how layers that it lacks are fetched from their URLs; lent, NULL: not at all */
    wci_strv *names; /* of each image: what the place calls it, not to be trusted */
};

/* Opens a place for the one image that it names: image_count is 1. `transfer` is lent for the life of the origin. */
int32_t wci_origin_open(wc_call *call, wci_store *store, const wci_place *place,
                        const wci_transfer *transfer, wci_origin **out, wc_error **err);
/* Every image of an archive whose format is found out. */
int32_t wci_origin_open_archive(wc_call *call, wci_store *store, const char *path, const wci_transfer *transfer,
                                wci_origin **out, wc_error **err);
/* An image of the store itself. `index` NULL or unset: by itself; else all of the index, for which it stands. */
int32_t wci_origin_open_store(wci_store *store, const wci_digest *manifest, const wci_digest *index, wci_origin **out,
                              wc_error **err);
/* Dropped blobs of it count as away from now on, and are brought back. What `how` has must outlive the origin. */
struct wci_restoring;
void wci_origin_restore_by(wci_origin *origin, const struct wci_restoring *how);
void wci_origin_close(wci_origin *origin);

/* Manifests and indexes, verified. *out belongs to the caller. */
int32_t wci_origin_manifest(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                            wc_buf **out, wc_error **err);
/* The same, out of the store (may be NULL) when it has it. */
int32_t wci_origin_document(wc_call *call, wci_store *store, wci_origin *origin, const wci_descriptor *descriptor,
                            wc_buf **out, wc_error **err);
/* Small blobs, verified. */
int32_t wci_origin_read(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                        size_t max, wc_buf **out, wc_error **err);
int32_t wci_origin_fetch(wc_call *call, wci_origin *origin, wci_fetch **fetches, size_t count,
                         int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                         wc_error **err);

/* ---- For the origins ---------------------------------------------------------------------------- */

int32_t wci_origin_open_registry(wc_call *call, const wci_place *place,
                                 const wci_transfer *transfer, wci_origin **out, wc_error **err);
/* The registry as it is named and no mirror of it, for those who also write there. */
int32_t wci_origin_open_named(wc_call *call, const wci_place *place, const wci_transfer *transfer, wci_origin **out,
                              wc_error **err);
/* The members are taken over, also on failure. */
struct wci_members;
int32_t wci_origin_open_layout(wc_call *call, struct wci_members *members, const wci_place *place, int all,
                               wci_origin **out, wc_error **err);
int32_t wci_origin_open_docker(struct wci_members *members, const wci_place *place, int all,
                               wci_origin **out, wc_error **err);
/* Reads an extent whole; WC_E_LIMIT above max. */
int32_t wci_extent_read(const wci_extent *extent, size_t max, const char *what, wc_buf **out,
                        wc_error **err);
/* Room for image_count lists of names; WC_E_NOMEM. */
int32_t wci_origin_set_count(wci_origin *origin, size_t count, wc_error **err);
/* "'a', 'b'": the names of all images, to choose from. */
void wci_origin_list_names(const wci_origin *origin, wci_str *out);
/* Frees what wci_origin_set_count() made. */
void wci_origin_clear(wci_origin *origin);

#endif
