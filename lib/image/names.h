/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: which ones a new image gets, and which image is meant by one. */
#ifndef WCI_IMAGE_NAMES_H
#define WCI_IMAGE_NAMES_H

#include "core/str.h"
#include "store/store.h"

/* The normalised name to store for a text; a digest wins over a tag. WC_E_INVALID. */
int32_t wci_name_normalise(const char *text, char **out, wc_error **err);
/* A name that is to point to an image: without a digest, since that would be a promise. */
int32_t wci_name_normalise_tag(const char *text, char **out, wc_error **err);
/* What a new image is to be called: `found` if they are trusted, and what the caller wants. */
int32_t wci_names_collect(const wci_strv *found, int trusted, const wci_strv *wanted,
                          wci_strv *out, wc_error **err);

/* An image by name, digest, id or beginning of an id. *name is the stored name that was meant
 * (owned), or NULL when it was meant by digest or id; it may be NULL. */
int32_t wci_image_lookup(wci_store *store, const char *text, wci_image_record **out, char **name,
                         wc_error **err);
/* Digest of the index that the name leads to, unset where it leads to the manifest itself. Without a name (NULL): of the
 * index that the image came from last, or unset. */
void wci_index_of_name(const wci_image_record *image, const char *name, wci_digest *out);
/* The name that an image was asked for by, or came under, comes before its others. */
void wci_names_put_first(wci_image_record *record, const char *name);

#endif
