/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials from containers' auth.json and Docker's config.json: the "auths" object of both. */
#ifndef WCI_REGISTRY_CREDENTIALS_H
#define WCI_REGISTRY_CREDENTIALS_H

#include <stddef.h>

#include <wincontainer/error.h>

#include "core/secret.h"

typedef struct wci_credentials {
    char *username, *password; /* both or none */
    char *identity_token;      /* a refresh token that goes before both, or NULL */
    char *helper;              /* name of the credential helper that would know, or NULL */
} wci_credentials;

#define WCI_CREDENTIALS_INIT {NULL, NULL, NULL, NULL}

/* Looks the repository up, the longest path first ("host/a/b", "host/a", "host"), in `auth_file`
 * or, when that is NULL, in the usual places, of which the first that knows the registry counts:
 * $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, containers/auth.json under the user's
 * configuration, $DOCKER_CONFIG/config.json or ~/.docker/config.json. Nothing found is WC_OK with
 * everything NULL. An `auth_file` that is not there is WC_E_NOT_FOUND; a file that is malformed is
 * WC_E_FORMAT, never skipped. */
int32_t wci_credentials_find(const char *auth_file, const char *host, const char *repository,
                             wci_credentials *out, wc_error **err);
/* The same in the text of one file; `file` is its name, for errors. */
int32_t wci_credentials_find_in(const char *text, size_t size, const char *file, const char *host,
                                const char *repository, wci_credentials *out, wc_error **err);
/* Overwrites the secrets before releasing them. */
void wci_credentials_free(wci_credentials *credentials);

#endif
