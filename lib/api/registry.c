/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/registry.h>

#include <string.h>

#include "api/image.h"
#include "core/alloc.h"
#include "core/list.h"
#include "image/browse.h"
#include "registry/login.h"

#define MAX_RESULTS 100

static int32_t begin(wc_context *context, const wc_transfer_options *options, wc_cancel *cancel, wc_call *call,
                     const wci_registry_config **config, wc_error **err)
{
    const wci_transfer *transfer = NULL;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, call, &transfer, err);
    if (rc)
        return rc;
    if (transfer->has_platform || transfer->platform_count)
        return wci_err(err, WC_E_INVALID, "a platform chooses nothing here; name the manifest by its digest");
    *config = &transfer->registry;
    return WC_OK;
}

int32_t wc_registry_tags(wc_context *context, const char *repository, const wc_transfer_options *options,
                         wc_cancel *cancel, wc_list **out, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(repository && *repository, "repository is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_browse_tags(&call, config, repository, &names, err);
    if (!rc)
        rc = wci_list_of_strings(&names, out, err);
    wci_strv_free(&names);
    return rc;
}

int32_t wc_registry_catalog(wc_context *context, const char *registry, const wc_transfer_options *options,
                            wc_cancel *cancel, wc_list **out, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(registry && *registry, "registry is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_browse_catalog(&call, config, registry, &names, err);
    if (!rc)
        rc = wci_list_of_strings(&names, out, err);
    wci_strv_free(&names);
    return rc;
}

typedef int32_t (*asker)(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                         wc_error **err);

static int32_t ask(asker how, wc_context *context, const char *reference, const wc_transfer_options *options,
                   wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(reference && *reference, "reference is empty");
    WCI_REQUIRE(out, "out is NULL");
    return how(&call, config, reference, out, err);
}

int32_t wc_registry_look(wc_context *context, const char *reference, const wc_transfer_options *options,
                         wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    return ask(wci_browse_look, context, reference, options, cancel, out, err);
}

int32_t wc_registry_manifest(wc_context *context, const char *reference, const wc_transfer_options *options,
                             wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    return ask(wci_browse_manifest, context, reference, options, cancel, out, err);
}

int32_t wc_registry_referrers(wc_context *context, const char *reference, const wc_transfer_options *options,
                              wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    return ask(wci_browse_referrers, context, reference, options, cancel, out, err);
}

int32_t wc_registry_search(wc_context *context, const char *term, uint32_t limit,
                           const wc_transfer_options *options, wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(term && *term, "term is empty");
    WCI_REQUIRE(limit >= 1 && limit <= MAX_RESULTS, "limit must be from 1 to 100");
    WCI_REQUIRE(out, "out is NULL");
    return wci_browse_search(&call, config, term, limit, out, err);
}

typedef int32_t (*deleter)(wc_call *call, const wci_registry_config *config, const char *reference, wc_error **err);

static int32_t delete(deleter how, wc_context *context, const char *reference, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(reference && *reference, "reference is empty");
    return how(&call, config, reference, err);
}

int32_t wc_registry_delete(wc_context *context, const char *reference, const wc_transfer_options *options,
                           wc_cancel *cancel, wc_error **err)
{
    return delete(wci_browse_delete, context, reference, options, cancel, err);
}

int32_t wc_registry_delete_blob(wc_context *context, const char *blob, const wc_transfer_options *options,
                                wc_cancel *cancel, wc_error **err)
{
    return delete(wci_browse_delete_blob, context, blob, options, cancel, err);
}

int32_t wc_registry_login(wc_context *context, const char *registry, const char *username, const char *password,
                          const wc_transfer_options *options, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(registry && *registry, "registry is empty");
    WCI_REQUIRE(username && *username, "username is empty");
    WCI_REQUIRE(password && *password, "password is empty");
    wci_registry_config named = *config;
    named.username = username;
    named.password = password;
    return wci_login(&call, &named, registry, err);
}

int32_t wc_registry_logout(wc_context *context, const char *registry, const wc_transfer_options *options,
                           wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(registry && *registry, "registry is empty");
    return wci_logout(&call, config, registry, err);
}

int32_t wc_registry_login_user(wc_context *context, const char *registry, const wc_transfer_options *options,
                               wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    const wci_registry_config *config;
    char *user = NULL;
    int32_t rc = begin(context, options, cancel, &call, &config, err);
    if (rc)
        return rc;
    WCI_REQUIRE(registry && *registry, "registry is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_login_user(&call, config, registry, &user, err);
    if (!rc)
        rc = wci_buf_new(user ? user : "", user ? strlen(user) : 0, out, err);
    wci_free(user);
    return rc;
}
