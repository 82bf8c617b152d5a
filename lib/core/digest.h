/* SPDX-License-Identifier: Apache-2.0 */
/* Content digests ("sha256:…", "sha512:…") as values, and streaming hashers.
 * OCI image-spec, descriptor.md#digests: lower-case hex of exactly the algorithm's length. */
#ifndef WCI_DIGEST_H
#define WCI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/call.h"
#include "platform/file.h"

/* "sha512:" + 128 hex + zero */
#define WCI_DIGEST_TEXT_SIZE 136

typedef enum wci_hash_algo {
    WCI_SHA256 = 0,
    WCI_SHA512 = 1,
} wci_hash_algo;

typedef struct wci_digest {
    char text[WCI_DIGEST_TEXT_SIZE]; /* the whole "algo:hex"; "" is "no digest" */
} wci_digest;

/* Strict. WC_E_FORMAT otherwise; the text of the error shortens and escapes what it shows. */
int32_t wci_digest_parse(const char *text, wci_digest *out, wc_error **err);
int wci_digest_is_set(const wci_digest *d);
int wci_digest_equal(const wci_digest *a, const wci_digest *b);
wci_hash_algo wci_digest_algo(const wci_digest *d);
const char *wci_digest_algo_name(const wci_digest *d); /* "sha256" */
const char *wci_digest_hex(const wci_digest *d);
/* Chain ID of a layer: `chain` is set to sha256(chain + " " + diff), or to diff when empty. */
int32_t wci_digest_chain(wci_digest *chain, const wci_digest *diff, wc_error **err);

typedef struct wci_hasher wci_hasher;
int32_t wci_hasher_new(wci_hash_algo algo, wci_hasher **out, wc_error **err);
void wci_hasher_update(wci_hasher *h, const void *data, size_t size);
/* The rest of a file, whose bytes are counted. */
int32_t wci_hasher_read(wci_hasher *h, const wc_call *call, wci_fd fd, uint64_t *size, wc_error **err);
/* May be called once. */
int32_t wci_hasher_final(wci_hasher *h, wci_digest *out, wc_error **err);
void wci_hasher_free(wci_hasher *h);
int32_t wci_digest_of(wci_hash_algo algo, const void *data, size_t size, wci_digest *out,
                      wc_error **err);

#endif
