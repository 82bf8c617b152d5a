/* SPDX-License-Identifier: Apache-2.0 */
/* What TLS to one server needs besides what the system has: authorities to trust, and our own certificate.
 * Directories of them as containers-certs.d(5) and Docker have them: every *.crt is an authority, a *.cert
 * is our own, its key the *.key of the same name. */
#ifndef WCI_REGISTRY_TLS_CERTS_H
#define WCI_REGISTRY_TLS_CERTS_H

#include <wincontainer/error.h>

#include "core/str.h"

typedef struct wci_tls_certs {
    wci_str authorities; /* PEM; empty: only the system's */
    char *cert, *key;    /* files, NULL: we have none; a key that is NULL is in the file of the certificate */
} wci_tls_certs;

#define WCI_TLS_CERTS_INIT {WCI_STR_INIT, NULL, NULL}

int32_t wci_tls_certs_add_authorities(wci_tls_certs *certs, const char *file, wc_error **err);
/* All of a directory; of our own certificates the first by name, and only where there is none yet. */
int32_t wci_tls_certs_add_dir(wci_tls_certs *certs, const char *dir, wc_error **err);
/* What the first of the usual directories has that knows the server, "host" or "host:port":
 * ~/.config/containers/certs.d, /etc/containers/certs.d, /etc/docker/certs.d. Nothing found is WC_OK. */
int32_t wci_tls_certs_add_usual(wci_tls_certs *certs, const char *server, wc_error **err);
int32_t wci_tls_certs_set_own(wci_tls_certs *certs, const char *cert, const char *key, wc_error **err);
void wci_tls_certs_free(wci_tls_certs *certs);

/* Sets on a curl handle whether its peer is verified, and the certificates; NULL: none. WC_E_NOMEM. */
int wci_tls_certs_apply(const wci_tls_certs *certs, int verify, void *easy);
/* What to say of a request that failed for our own certificate, or for having none; NULL: it did not.
 * `words` are those of the TLS library, `certs` may be NULL. */
const char *wci_tls_certs_failure(const wci_tls_certs *certs, int curl_code, const char *words);

#endif
