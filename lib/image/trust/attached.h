/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the signatures that lie beside an image. What is found is anybody's: nothing of it is trusted before a key
 * says so. */
#ifndef WCI_TRUST_ATTACHED_H
#define WCI_TRUST_ATTACHED_H

#include "image/trust/judge.h"

#define WCI_ARTIFACT_COSIGN "application/vnd.dev.cosign.artifact.sig.v1+json"
#define WCI_ARTIFACT_NOTATION "application/vnd.cncf.notary.signature"

#define WCI_TYPE_COSIGN_CLAIM "application/vnd.dev.cosign.simplesigning.v1+json"
#define WCI_ANNOTATION_COSIGN "dev.cosignproject.cosign/signature"

/* One layer of a manifest that holds signatures. */
typedef struct wci_attached {
    const wci_descriptor *layer;
    const char *signature; /* its annotation, or NULL */
} wci_attached;

/* Shows every layer of every such manifest to `look`, until it fails or sets *done. What belongs to the index that an
 * image was chosen from counts for the image, too. A manifest that cannot be read is told to `spoilt` and passed
 * over. */
typedef struct wci_attached_look {
    int32_t (*look)(void *self, const wci_attached *found, int *done, wc_error **err);
    void (*spoilt)(void *self, const wc_error *why);
    void *self;
} wci_attached_look;
/* With `by_tag` also what lies under cosign's tag. *done tells whether `look` has said so. */
int32_t wci_attached_each(const wci_judged *image, const char *artifact_type, int by_tag,
                          const wci_attached_look *look, int *done, wc_error **err);
/* The tag that cosign gives what belongs to an image: its signatures with the suffix ".sig"; owned. */
char *wci_attached_tag(const wci_digest *digest, const char *suffix);
/* Whether it is such a tag; NULL is none. */
int wci_attached_is_tag(const char *tag);

/* Whether a failure is that of one document, so that others may still be good. */
int wci_attached_is_spoilt(int32_t code);

#endif
