/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes, read strictly: what another reader might take for something else is
 * refused. Specifications: OCI image-spec 1.1 (manifest.md, image-index.md, descriptor.md), Docker
 * image manifest v2 schema 2. */
#ifndef WCI_IMAGE_DOCUMENTS_H
#define WCI_IMAGE_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/digest.h"
#include "core/str.h"
#include "image/platform.h"

#define WCI_MANIFEST_MAX ((size_t)4 << 20)
#define WCI_LAYERS_MAX 1024
#define WCI_INDEX_MAX 4096

#define WCI_TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define WCI_TYPE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define WCI_TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define WCI_TYPE_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define WCI_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define WCI_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define WCI_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"

/* Annotations of descriptors in a layout's index.json. */
#define WCI_ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
#define WCI_ANNOTATION_IMAGE_NAME "io.containerd.image.name"
/* Of a layer of an artifact: what the file is called. */
#define WCI_ANNOTATION_TITLE "org.opencontainers.image.title"
/* What `cosign save` calls the entries of its layouts. */
#define WCI_ANNOTATION_COSIGN_KIND "kind"
/* Of a zstd:chunked layer: the digest of its table of contents, under today's name and the one before. */
#define WCI_ANNOTATION_TABLE "io.github.containers.zstd-chunked.manifest-checksum"
#define WCI_ANNOTATION_OLD_TABLE "io.containers.zstd-chunked.manifest-checksum"
/* … and where it is in the blob, "OFFSET:SIZE:UNPACKED:TYPE". */
#define WCI_ANNOTATION_TABLE_PLACE "io.github.containers.zstd-chunked.manifest-position"
#define WCI_ANNOTATION_OLD_TABLE_PLACE "io.containers.zstd-chunked.manifest-position"

typedef struct wci_descriptor {
    char *media_type;
    wci_digest digest;
    int64_t size;
    wci_strv urls;
    wci_platform platform; /* as far as it is given */
    int has_platform;
    char *ref_name;        /* annotations; NULL when absent */
    char *image_name;
    char *table_digest;
    uint64_t table_offset; /* in the blob; 0: not said */
    char *cosign_kind;
} wci_descriptor;

typedef enum wci_document_kind {
    WCI_DOCUMENT_MANIFEST,
    WCI_DOCUMENT_INDEX,
} wci_document_kind;

typedef struct wci_document {
    wci_document_kind kind;
    char *media_type;      /* one of the four types above */
    wci_descriptor config; /* of a manifest */
    wci_descriptor *items; /* a manifest's layers, an index's manifests */
    size_t count;
    wci_digest subject;    /* what it refers to, as signatures do; or unset */
    char *artifact_type;   /* what it says that it is, or NULL */
} wci_document;

/* `media_type` is what the transport or the descriptor says; NULL or a general type leaves it to
 * the document. WC_E_FORMAT, WC_E_LIMIT; WC_E_UNSUPPORTED for schema 1 and other documents. */
int32_t wci_document_parse(const char *data, size_t size, const char *media_type,
                           const char *what, wci_document **out, wc_error **err);
void wci_document_free(wci_document *document);

/* WC_E_UNSUPPORTED when the manifest is not that of a container image, or has a layer that we
 * cannot unpack. */
int wci_manifest_is_artifact(const wci_document *manifest); /* by the type of its config */
int32_t wci_manifest_check_image(const wci_document *manifest, const char *what, wc_error **err);
/* 1 for a layer that may not be distributed ("foreign" in Docker's words, "nondistributable" in OCI's). */
int wci_descriptor_is_foreign(const wci_descriptor *descriptor);
/* What a document is when it is no image: what it says, or the type of its config; "" when it says nothing. */
const char *wci_artifact_type(const wci_document *document);
/* Bytes of config and layers; WC_E_LIMIT when they do not fit into 63 bits. */
int32_t wci_manifest_content_size(const wci_document *manifest, uint64_t *out, wc_error **err);

/* Bytes against what was promised of them: WC_E_DIGEST. */
int32_t wci_document_verify(const void *data, size_t size, const wci_descriptor *promised,
                            const char *what, wc_error **err);
/* "KIND 'sha256:…'", for errors. */
void wci_document_name(char out[WCI_DIGEST_TEXT_SIZE + 16], const char *kind,
                       const wci_digest *digest);

#endif
