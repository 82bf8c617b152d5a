/* SPDX-License-Identifier: Apache-2.0 */
/* OpenPGP by the program gpgv, which does nothing but verify: it knows no key but those it is handed. */
#ifndef WCI_TRUST_GPG_H
#define WCI_TRUST_GPG_H

#include "core/call.h"
#include "store/store.h"

typedef struct wci_keyrings {
    const wci_strv *paths; /* of key files, binary or armoured */
    const wci_strv *data;  /* the same as base64 */
} wci_keyrings;

/* The content of a signed message, and the fingerprint (owned) of the key that signed it. WC_E_UNTRUSTED when none of
 * the keys has, WC_E_MISSING without the program. */
int32_t wci_gpg_open(wc_call *call, wci_store *store, const wci_keyrings *keys, const void *message, size_t size,
                     wc_buf **content, char **fingerprint, wc_error **err);

/* ---- For tests and fuzzing ---------------------------------------------------------------------------- */

/* A keyring as gpgv wants it: armour (RFC 9580, 6.2) taken off, if there is any. */
int32_t wci_gpg_dearmor(const char *text, size_t size, const char *what, wc_buf **out, wc_error **err);
/* What gpgv tells on its status descriptor: one good signature of one message and nothing else. */
int32_t wci_gpg_read_status(const char *text, char **fingerprint, wc_error **err);

#endif
