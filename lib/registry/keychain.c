/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/keychain.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "registry/helper.h"
#include "registry/registries.h"

static int is_known(const wci_credentials *c)
{
    return c->username || c->identity_token;
}

static int32_t ask_files(wc_call *call, const wci_registry_config *config, const char *host, const char *repository,
                         wci_credentials *out, wc_error **err)
{
    int32_t code = wci_credentials_find(config->auth_file, host, repository, out, err);
    return !code && out->helper ? wci_helper_get(call, out->helper, host, out, err) : code;
}

static int32_t ask_helper(wc_call *call, const char *name, const char *host, wci_credentials *out, wc_error **err)
{
    if (wci_replace(&out->helper, name))
        return wci_err_nomem(err);
    return wci_helper_get(call, name, host, out, err);
}

/* The list of registries.conf, copied. */
static int32_t list_helpers(const wci_registry_config *config, wci_strv *out, wc_error **err)
{
    wci_registries *registries = NULL;
    if (config->auth_file)
        return wci_strv_add(out, WCI_HELPER_FILES) ? wci_err_nomem(err) : WC_OK;
    int32_t code = wci_registries_load(config->registries_conf, &registries, err);
    if (!code && wci_strv_copy(out, wci_registries_helpers(registries)))
        code = wci_err_nomem(err);
    wci_registries_free(registries);
    return code;
}

int32_t wci_keychain_find(wc_call *call, const wci_registry_config *config, const char *host, const char *repository,
                          wci_credentials *out, wc_error **err)
{
    wci_credentials found = WCI_CREDENTIALS_INIT;
    wci_strv helpers = WCI_STRV_INIT;
    int32_t code = list_helpers(config, &helpers, err);
    for (size_t i = 0; i < helpers.count && !code && !is_known(&found); i++) {
        wci_credentials_free(&found);
        code = strcmp(helpers.items[i], WCI_HELPER_FILES) ? ask_helper(call, helpers.items[i], host, &found, err)
                                                          : ask_files(call, config, host, repository, &found, err);
    }
    wci_strv_free(&helpers);
    if (code)
        wci_credentials_free(&found);
    else
        *out = found;
    return code;
}

int32_t wci_keychain_keeper(const wci_registry_config *config, char **out, wc_error **err)
{
    wci_strv helpers = WCI_STRV_INIT;
    int32_t code = list_helpers(config, &helpers, err);
    *out = NULL;
    if (!code && strcmp(helpers.items[0], WCI_HELPER_FILES) && wci_replace(out, helpers.items[0]))
        code = wci_err_nomem(err);
    wci_strv_free(&helpers);
    return code;
}

static int32_t forget_at(wc_call *call, const char *helper, const char *host, size_t *count, wc_error **err)
{
    wci_credentials c = WCI_CREDENTIALS_INIT;
    int32_t code = wci_helper_get(call, helper, host, &c, err);
    int had = is_known(&c);
    wci_credentials_free(&c);
    if (!code && had)
        code = wci_helper_erase(call, helper, host, err);
    *count += !code && had;
    return code;
}

int32_t wci_keychain_forget(wc_call *call, const wci_registry_config *config, const char *host, size_t *count,
                            wc_error **err)
{
    wci_strv helpers = WCI_STRV_INIT;
    int32_t code = list_helpers(config, &helpers, err);
    *count = 0;
    for (size_t i = 0; i < helpers.count && !code; i++)
        if (strcmp(helpers.items[i], WCI_HELPER_FILES))
            code = forget_at(call, helpers.items[i], host, count, err);
    wci_strv_free(&helpers);
    return code;
}
