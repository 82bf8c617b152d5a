/* SPDX-License-Identifier: Apache-2.0 */
/* Files in registries beside images: charts, modules, bills of materials. Specification: OCI image-spec 1.1,
 * manifest.md, "Guidelines for Artifact Usage"; the names of files are titles of layers, as other tools have them. */
#ifndef WCI_IMAGE_ARTIFACT_H
#define WCI_IMAGE_ARTIFACT_H

#include "image/transfer.h"
#include "store/store.h"

typedef struct wci_artifact {
    char *type;
    wci_strv files, media_types; /* one for each file */
    wci_strv annotations;        /* "KEY=value" */
    char *subject;               /* tag or digest in the same repository; or NULL */
} wci_artifact;

void wci_artifact_free(wci_artifact *artifact);

/* Without a tag in the reference an artifact with a subject has its digest alone. *out is its descriptor as JSON. */
int32_t wci_artifact_push(wc_call *call, wci_store *store, const wci_artifact *artifact, const char *reference,
                          const wci_transfer *transfer, wc_buf **out, wc_error **err);
/* Writes the files below `directory`, which is there; none that is there already is touched. Their paths in it are
 * added to `files`. */
int32_t wci_artifact_pull(wc_call *call, wci_store *store, const char *source, const char *directory,
                          const wci_transfer *transfer, wci_strv *files, wc_error **err);

#endif
