/* SPDX-License-Identifier: Apache-2.0 */
/* Public-key cryptography by the system's library: keys, signatures, certificates, and what is made
 * of passphrases. Documents come in as DER; their PEM is read above (image/trust/pem.h). */
#ifndef WCI_KEYS_H
#define WCI_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/secret.h"
#include "core/str.h"

/* A public key, or a private one with its public half: ECDSA on P-256, P-384 and P-521, RSA from 2048
 * bits on, Ed25519. */
typedef struct wci_key wci_key;

typedef enum wci_key_kind {
    WCI_KEY_EC,
    WCI_KEY_RSA,
    WCI_KEY_ED25519,
} wci_key_kind;

/* How private keys are written. */
typedef enum wci_key_form {
    WCI_KEY_PKCS8,
    WCI_KEY_PKCS8_ENCRYPTED,
    WCI_KEY_SEC1,  /* "EC PRIVATE KEY" */
    WCI_KEY_PKCS1, /* "RSA PRIVATE KEY" */
} wci_key_form;

/* How bytes are signed. Ed25519 heeds none of it. */
typedef struct wci_scheme {
    int bits; /* of the SHA-2 hash: 256, 384, 512 */
    int pss;  /* RSA: PSS with a salt as long as the hash, else PKCS#1 v1.5 */
    int raw;  /* ECDSA: both numbers in full length one after the other (RFC 7518), else DER */
} wci_scheme;

/* From a SubjectPublicKeyInfo. WC_E_FORMAT; WC_E_UNSUPPORTED for other kinds. */
int32_t wci_key_read_public(const void *der, size_t size, wci_key **out, wc_error **err);
/* `passphrase` for WCI_KEY_PKCS8_ENCRYPTED; WC_E_AUTH when it is not the right one. */
int32_t wci_key_read_private(wci_key_form form, const void *der, size_t size, const char *passphrase,
                             wci_key **out, wc_error **err);
/* A new private key for ECDSA on P-256. */
int32_t wci_key_generate(wci_key **out, wc_error **err);
void wci_key_free(wci_key *key); /* NULL accepted */

wci_key_kind wci_key_kind_of(const wci_key *key);
int wci_key_bits(const wci_key *key);
/* The SubjectPublicKeyInfo; the PKCS#8 document. */
int32_t wci_key_write_public(const wci_key *key, wc_buf **out, wc_error **err);
int32_t wci_key_write_private(const wci_key *key, wci_secret *out, wc_error **err);

/* 1 when the signature is the key's own of these bytes. */
int wci_key_verify(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size,
                   const void *signature, size_t signature_size);
int32_t wci_key_sign(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size,
                     wc_buf **out, wc_error **err);

/* ---- Certificates ------------------------------------------------------------------------------- */

/* X.509 certificates in an order that means something. */
typedef struct wci_certs wci_certs;
int32_t wci_certs_new(wci_certs **out, wc_error **err);
void wci_certs_free(wci_certs *certs); /* NULL accepted */
int32_t wci_certs_add(wci_certs *certs, const void *der, size_t size, wc_error **err);
size_t wci_certs_count(const wci_certs *certs);
/* Whether a chain, its leaf first and its root last, may sign code now and leads to one of the
 * anchors. Specification: Notary Project, signature-specification.md, "Certificate Requirements".
 * Revocation is not asked for. WC_E_UNTRUSTED. */
int32_t wci_certs_check_signer(const wci_certs *chain, const wci_certs *anchors, int64_t now_ns,
                               wc_error **err);
/* The leaf's key, and its subject as "C=US" and so on. */
int32_t wci_certs_key(const wci_certs *chain, wci_key **out, wc_error **err);
int32_t wci_certs_subject(const wci_certs *chain, wci_strv *out, wc_error **err);

/* ---- Passphrases -------------------------------------------------------------------------------- */

/* RFC 7914. WC_E_LIMIT when it would take over 256 MiB. */
int32_t wci_scrypt(const void *passphrase, size_t passphrase_size, const void *salt, size_t salt_size,
                   uint64_t n, uint64_t r, uint64_t p, void *key, size_t key_size, wc_error **err);
#define WCI_POLY1305_SIZE 16
/* RFC 8439, 2.5, with a key of 32 bytes that is used once. */
int32_t wci_poly1305(const void *key, const void *data, size_t size, unsigned char out[WCI_POLY1305_SIZE],
                     wc_error **err);

#endif
