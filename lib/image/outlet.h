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

/* Where the bytes of blobs are. */
typedef struct wci_blob_source {
    int32_t (*open)(void *self, const wci_digest *digest, wci_extent *out, wc_error **err);
    void *self;
} wci_blob_source;

/* One image on its way out. */
typedef struct wci_outgoing {
    const wci_resolved *resolved;
    const wci_image_config *config;
    const wci_strv *names; /* normalised; may be empty */
    wci_blob_source blobs;
} wci_outgoing;

/* What a document is to those who look for it. */
typedef enum wci_role {
    WCI_ROLE_ROOT,     /* what the name of the place leads to */
    WCI_ROLE_PART,     /* another document refers to it */
    WCI_ROLE_REFERRER, /* it refers to another one, as signatures do */
    WCI_ROLE_TAGGED,   /* it has a tag of its own beside the image, as cosign's signatures have */
} wci_role;

/* A manifest or index on its way out, with all that it needs there already. */
typedef struct wci_cargo {
    const wci_raw *raw;
    const char *media_type;
    wci_role role;
    const wci_strv *names;      /* of a root: normalised, may be empty; or NULL */
    const char *tag;            /* of what is tagged */
    const wci_digest *subject;  /* of a referrer */
    const char *artifact_type;  /* of a referrer; NULL where it has none */
} wci_cargo;

typedef struct wci_outlet wci_outlet;

/* Where a blob is written to. The descriptor is the outlet's. */
typedef struct wci_berth {
    wci_fd fd;
    uint64_t offset;
} wci_berth;

typedef struct wci_outlet_ops {
    /* Sets there[i] to 1 for blobs that need not be brought. NULL: all of them must be. */
    int32_t (*find)(wc_call *call, wci_outlet *outlet, const wci_descriptor *const *blobs, size_t count, int *there,
                    wc_error **err);
    /* A whole image. NULL: by the next two. */
    int32_t (*put)(wc_call *call, wci_outlet *outlet, wci_outgoing *image, wc_error **err);
    /* Both NULL: the outlet takes whole images only. */
    int32_t (*put_blobs)(wc_call *call, wci_outlet *outlet, const wci_blob_source *from,
                         const wci_descriptor *const *blobs, size_t count, wc_error **err);
    int32_t (*put_document)(wc_call *call, wci_outlet *outlet, const wci_cargo *cargo, wc_error **err);
    /* Makes everything that was put visible. */
    int32_t (*finish)(wci_outlet *outlet, wc_error **err);
    void (*close)(wci_outlet *outlet);
    /* NULL, or a place to fetch the blob to, which put_blobs() then takes as it is: its bytes are all there
     * and verified by then. */
    int32_t (*stage)(wci_outlet *outlet, const wci_descriptor *descriptor, wci_berth *out, wc_error **err);
} wci_outlet_ops;

/* The head of every outlet. */
struct wci_outlet {
    const wci_outlet_ops *ops;
    wci_signer *signer; /* owned; NULL: what is put is not signed */
    char *near;         /* owned: the repository of the same registry that blobs come from; or NULL */
    int spares_foreign; /* layers that may not be distributed are not put */
    int takes_tars;     /* what a layer unpacks to does for its blob */
};

/* `config` for registries; the transfer tells whether what is put is to be signed. All of them, `call` and store must
 * outlive the outlet. */
int32_t wci_outlet_open(wc_call *call, wci_store *store, const wci_place *place, const wci_registry_config *config,
                        const wci_transfer *transfer, wci_outlet **out, wc_error **err);
/* What was not finished is removed. NULL accepted. */
void wci_outlet_close(wci_outlet *outlet);

/* The blobs of a manifest, each once, into a list with room for document->count + 1; returns their number. */
size_t wci_manifest_blobs(const wci_document *manifest, const wci_descriptor **out);

/* ---- For the outlets ---------------------------------------------------------------------------- */

int32_t wci_outlet_open_layout(const wci_place *place, wci_outlet **out, wc_error **err);
int32_t wci_outlet_open_oci_archive(const wci_place *place, wci_outlet **out, wc_error **err);
int32_t wci_outlet_open_registry(wc_call *call, wci_store *store, const wci_place *place,
                                 const wci_registry_config *config, wci_outlet **out, wc_error **err);
int32_t wci_outlet_open_daemon(wc_call *call, wci_store *store, const wci_place *place, wci_outlet **out,
                               wc_error **err);
int32_t wci_outlet_open_docker(const wci_place *place, wci_outlet **out, wc_error **err);

/* Hands a blob to `write` piece by piece, verifies size and digest, and reports. */
int32_t wci_blob_pass(wc_call *call, const wci_blob_source *from, const wci_descriptor *descriptor,
                      int32_t (*write)(void *self, const void *data, size_t size, wc_error **err), void *self,
                      wc_error **err);
/* The same straight to its place. */
int32_t wci_blob_pass_to(wc_call *call, const wci_blob_source *from, const wci_descriptor *descriptor,
                         const wci_berth *berth, wc_error **err);

/* index.json of a layout being changed. `bytes` NULL: a new one. */
int32_t wci_layout_index_open(const wc_buf *bytes, json_t **out, wc_error **err);
/* Adds a document: a root under `ref`, or under each of its names, or without a name; what was called so before loses
 * the name. Parts of others are not told of. */
int32_t wci_layout_index_add(json_t *index, const wci_cargo *cargo, const char *ref, wc_error **err);
/* The same with all entries of another index. */
int32_t wci_layout_index_merge(json_t *index, const json_t *added, wc_error **err);
/* Content of the file "oci-layout". */
#define WCI_LAYOUT_MARKER "{\"imageLayoutVersion\":\"1.0.0\"}"

#endif
