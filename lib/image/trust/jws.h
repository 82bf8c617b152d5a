/* SPDX-License-Identifier: Apache-2.0 */
/* Notary Project's signature envelope in JWS. Specifications: signature-envelope-jws.md, RFC 7515, RFC 7518. */
#ifndef WCI_TRUST_JWS_H
#define WCI_TRUST_JWS_H

#include "core/digest.h"
#include "core/secret.h"
#include "platform/keys.h"

#define WCI_JWS_MAX ((size_t)1 << 20)

typedef struct wci_jws {
    char *input;          /* what is signed: "PROTECTED.PAYLOAD" */
    wci_secret signature; /* decoded */
    wci_secret payload;   /* decoded; to be read only once the signature is found good */
    wci_scheme scheme;
    wci_key_kind kind;    /* that the algorithm is for, and the size of its keys */
    int bits;
    int64_t expiry_ns;    /* 0: none */
    wci_certs *chain;
} wci_jws;

/* WC_E_FORMAT; WC_E_UNSUPPORTED for what it says must be understood and is not. Nothing is verified. */
int32_t wci_jws_parse(const char *data, size_t size, wci_jws **out, wc_error **err);
void wci_jws_free(wci_jws *jws); /* NULL accepted */
/* Whether the signature is that of the chain's leaf, the chain leads to an anchor, and neither has expired.
 * WC_E_UNTRUSTED. */
int32_t wci_jws_verify(const wci_jws *jws, const wci_certs *anchors, int64_t now_ns, wc_error **err);
/* The digest that the payload vouches for, and its size. */
int32_t wci_jws_target(const wci_jws *jws, wci_digest *digest, int64_t *size, wc_error **err);

#endif
