/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's credential helpers: programs "docker-credential-NAME" that keep secrets elsewhere. They speak
 * over standard input and output (docker/docker-credential-helpers). */
#ifndef WCI_REGISTRY_HELPER_H
#define WCI_REGISTRY_HELPER_H

#include "core/call.h"
#include "registry/credentials.h"

/* Asks for the registry's credentials; nothing found is WC_OK with everything NULL. WC_E_MISSING when there
 * is no such program, WC_E_AUTH when it fails, with what it says. */
int32_t wci_helper_get(wc_call *call, const char *name, const char *host, wci_credentials *out, wc_error **err);
/* The meaning of what one says to "get"; no error shows a secret. */
int32_t wci_helper_take_answer(const char *name, const char *text, size_t size, wci_credentials *out, wc_error **err);
int32_t wci_helper_store(wc_call *call, const char *name, const char *host, const wci_credentials *credentials,
                         wc_error **err);
int32_t wci_helper_erase(wc_call *call, const char *name, const char *host, wc_error **err);

#endif
