/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates as people keep them in files. */
#ifndef WCI_TRUST_KEY_FILE_H
#define WCI_TRUST_KEY_FILE_H

#include "platform/keys.h"

#define WCI_KEY_FILE_MAX ((size_t)1 << 20)

/* "PUBLIC KEY". One key: with more nobody could tell which one is meant. `what` names the
 * text in errors. */
int32_t wci_public_key_parse(const char *text, size_t size, const char *what, wci_key **out, wc_error **err);
int32_t wci_public_key_load(const char *path, wci_key **out, wc_error **err);

int32_t wci_public_key_write(const wci_key *key, wc_buf **out, wc_error **err);

/* PKCS#8 plain or encrypted, "EC PRIVATE KEY", "RSA PRIVATE KEY", and cosign's "ENCRYPTED COSIGN PRIVATE KEY"
 * ("ENCRYPTED SIGSTORE PRIVATE KEY"). `passphrase` NULL is the empty one. WC_E_AUTH when it is not the right
 * one. */
int32_t wci_private_key_parse(const char *text, size_t size, const char *what, const char *passphrase,
                              wci_key **out, wc_error **err);
int32_t wci_private_key_load(const char *path, const char *passphrase, wci_key **out, wc_error **err);

/* A new pair of keys as cosign writes it: the private one encrypted with the passphrase, which may be empty. */
int32_t wci_key_pair_make(const char *passphrase, wc_buf **private_pem, wc_buf **public_pem, wc_error **err);

/* Adds every certificate of a text: PEM, or one in DER. */
int32_t wci_certs_parse(const char *text, size_t size, const char *what, wci_certs *certs, wc_error **err);
/* Of a file, or of every *.pem, *.crt and *.cer in a directory. */
int32_t wci_certs_load(const char *path, wci_certs *certs, wc_error **err);

#endif
