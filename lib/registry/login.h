/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping logins, as docker and podman keep them. */
#ifndef WCI_REGISTRY_LOGIN_H
#define WCI_REGISTRY_LOGIN_H

#include "registry/registry.h"

/* `registry` is HOST[:PORT], or HOST[:PORT]/PATH for a login that is used below that path alone. */

/* Tries the user name and password of `config` at the registry, and keeps them when they are good: with
 * the credential helper that the file names, else in the file itself. WC_E_AUTH when they are not. */
int32_t wci_login(wc_call *call, const wci_registry_config *config, const char *registry, wc_error **err);
/* WC_E_NOT_FOUND when there was no login. */
int32_t wci_logout(wc_call *call, const wci_registry_config *config, const char *registry, wc_error **err);
/* The user name that is kept; *out owned, NULL: none. */
int32_t wci_login_user(wc_call *call, const wci_registry_config *config, const char *registry, char **out,
                       wc_error **err);

#endif
