/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of Azure (Microsoft Entra ID) in the place of a password. They come under the user name of the null GUID;
 * an Azure container registry exchanges them for a refresh token of its own. Specification: Azure/acr,
 * AAD-OAuth.md. */
#ifndef WCI_REGISTRY_AZURE_H
#define WCI_REGISTRY_AZURE_H

#include <stddef.h>

#include <wincontainer/error.h>

#include "registry/credentials.h"
#include "registry/url.h"

#define WCI_AZURE_USER "00000000-0000-0000-0000-000000000000"

typedef enum wci_azure_kind {
    WCI_AZURE_REGISTRY_REFRESH, /* of the registry itself: nothing to exchange */
    WCI_AZURE_ACCESS,           /* an access token of Entra */
    WCI_AZURE_REFRESH,          /* a refresh token of Entra */
} wci_azure_kind;

/* What a secret is. *tenant is owned, NULL when it does not say. WC_E_NOMEM. */
int32_t wci_azure_kind_of(const char *secret, wci_azure_kind *kind, char **tenant, wc_error **err);
/* Whether the credentials are a token for the registry `host`, whose server is `base`: it is one of Azure's by its
 * name, or by its token server, which must be the registry itself. */
int wci_azure_is_meant(const wci_credentials *credentials, const char *host, const wci_url *base, const wci_url *realm);
/* The form that asks for the exchange; secret, *out is released with wci_secret_free(). `tenant` may be NULL. */
int32_t wci_azure_form(wci_azure_kind kind, const char *service, const char *tenant, const char *secret, char **out,
                       wc_error **err);
/* The refresh token in the answer. `what` is for errors, which show nothing of it. */
int32_t wci_azure_take_answer(const char *text, size_t size, const char *what, char **out, wc_error **err);

#endif
