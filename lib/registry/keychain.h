/* SPDX-License-Identifier: Apache-2.0 */
/* Where logins are kept: files and programs, in the order that registries.conf says (credential-helpers). */
#ifndef WCI_REGISTRY_KEYCHAIN_H
#define WCI_REGISTRY_KEYCHAIN_H

#include "registry/credentials.h"
#include "registry/registry.h"

/* The first that knows a login counts; nothing found is WC_OK with no user name and no token. A helper that fails is an
 * error, and never a reason to go on without it. A file that the caller names is the only place then. */
int32_t wci_keychain_find(wc_call *call, const wci_registry_config *config, const char *host, const char *repository,
                          wci_credentials *out, wc_error **err);
/* The helper that is to keep a new login, owned; *out NULL: the files. */
int32_t wci_keychain_keeper(const wci_registry_config *config, char **out, wc_error **err);
/* Makes all helpers of registries.conf forget a login; *count is how many had one. */
int32_t wci_keychain_forget(wc_call *call, const wci_registry_config *config, const char *host, size_t *count,
                            wc_error **err);

#endif
