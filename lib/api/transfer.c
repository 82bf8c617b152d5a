/* SPDX-License-Identifier: Apache-2.0 */
#include "api/image.h"

#include <string.h>

#include "core/alloc.h"
#include "core/secret.h"
#include "image/names.h"
#include "registry/credentials.h"

#define MAX_TRANSFERS 64

static const wci_transfer default_transfer = WCI_TRANSFER_INIT;

int32_t wci_api_begin_transfer(wc_context *context, const wc_transfer_options *options,
                               wc_cancel *cancel, wc_call *call, const wci_transfer **transfer,
                               wc_error **err)
{
    int32_t rc = wci_api_begin(context, cancel, call, err);
    if (rc)
        return rc;
    if (options) {
        call->progress = options->progress;
        call->progress_payload = options->progress_payload;
    }
    *transfer = options ? &options->transfer : &default_transfer;
    return WC_OK;
}

int32_t wc_transfer_options_new(wc_transfer_options **out, wc_error **err)
{
    WCI_REQUIRE(out, "out is NULL");
    wc_transfer_options *options = wci_calloc(1, sizeof *options);
    if (!options)
        return wci_err_nomem(err);
    options->transfer = default_transfer;
    *out = options;
    return WC_OK;
}

void wc_transfer_options_unref(wc_transfer_options *options)
{
    if (!options)
        return;
    wci_registry_config *registry = &options->transfer.registry;
    wci_platform_clear(&options->transfer.platform);
    for (size_t i = 0; i < options->transfer.platform_count; i++)
        wci_platform_clear(&options->transfer.platforms[i]);
    wci_free(options->transfer.platforms);
    wci_free((char *)registry->ca_file);
    wci_free((char *)registry->registries_conf);
    wci_free((char *)registry->cert_dir);
    wci_free((char *)registry->client_cert);
    wci_free((char *)registry->client_key);
    wci_free((char *)options->transfer.target_cert_dir);
    wci_free((char *)registry->username);
    wci_secret_free((char *)registry->password);
    wci_free((char *)options->transfer.target_username);
    wci_secret_free((char *)options->transfer.target_password);
    wci_free((char *)registry->auth_file);
    wci_free((char *)options->transfer.policy_file);
    wci_free((char *)options->transfer.policy_key);
    wci_free((char *)options->transfer.sign_key);
    wci_secret_free((char *)options->transfer.sign_passphrase);
    wci_free((char *)options->transfer.sign_identity);
    wci_strv_free(&options->transfer.names);
    wci_free(options);
}

int32_t wc_transfer_options_set_platform(wc_transfer_options *options, const char *platform,
                                         wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(platform, "platform is NULL");
    int32_t rc = wci_platform_parse(platform, &options->transfer.platform, err);
    if (!rc)
        options->transfer.has_platform = 1;
    return rc;
}

int32_t wc_transfer_options_set_isolation(wc_transfer_options *options, const char *isolation, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(isolation && (!strcmp(isolation, "process") || !strcmp(isolation, "hyperv")),
                "isolation must be 'process' or 'hyperv'");
    options->transfer.isolation = strcmp(isolation, "hyperv") ? WCI_ISOLATION_PROCESS : WCI_ISOLATION_HYPERV;
    return WC_OK;
}

int32_t wc_transfer_options_add_platform(wc_transfer_options *options, const char *platform, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(platform, "platform is NULL");
    wci_transfer *t = &options->transfer;
    wci_platform *more = wci_realloc(t->platforms, (t->platform_count + 1) * sizeof *more);
    if (!more)
        return wci_err_nomem(err);
    t->platforms = more;
    more[t->platform_count] = (wci_platform)WCI_PLATFORM_INIT;
    int32_t rc = wci_platform_parse(platform, &more[t->platform_count], err);
    t->platform_count += !rc;
    return rc;
}

int32_t wc_transfer_options_set_all(wc_transfer_options *options, int32_t all, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->transfer.all = all != 0;
    return WC_OK;
}

int32_t wc_transfer_options_set_referrers(wc_transfer_options *options, int32_t referrers, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->transfer.companions = referrers ? WCI_COMPANIONS_ALL : WCI_COMPANIONS_NONE;
    return WC_OK;
}

int32_t wc_transfer_options_set_partial(wc_transfer_options *options, int32_t partial, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->transfer.partial = partial != 0;
    return WC_OK;
}

int32_t wc_transfer_options_set_nondistributable(wc_transfer_options *options, int32_t allow, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->transfer.sends_foreign = allow != 0;
    return WC_OK;
}

int32_t wc_transfer_options_set_tls_verify(wc_transfer_options *options, int32_t verify,
                                           wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->transfer.registry.tls_verify = verify != 0;
    options->transfer.registry.tls_verify_given = 1;
    return WC_OK;
}

int32_t wci_api_set_text(const char **text, const char *value, wc_error **err)
{
    return wci_replace((char **)text, value) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_transfer_options_set_ca_file(wc_transfer_options *options, const char *path,
                                        wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_api_set_text(&options->transfer.registry.ca_file, path, err);
}

int32_t wc_transfer_options_set_client_cert(wc_transfer_options *options, const char *cert, const char *key,
                                            wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(cert && *cert, "cert is empty");
    WCI_REQUIRE(!key || *key, "key is empty");
    wci_registry_config *registry = &options->transfer.registry;
    int32_t rc = wci_api_set_text(&registry->client_cert, cert, err);
    return rc ? rc : wci_api_set_text(&registry->client_key, key, err);
}

int32_t wc_transfer_options_set_cert_dir(wc_transfer_options *options, const char *dir, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(dir && *dir, "dir is empty");
    return wci_api_set_text(&options->transfer.registry.cert_dir, dir, err);
}

int32_t wc_transfer_options_set_target_cert_dir(wc_transfer_options *options, const char *dir, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(dir && *dir, "dir is empty");
    return wci_api_set_text(&options->transfer.target_cert_dir, dir, err);
}

int32_t wc_transfer_options_set_registries_conf(wc_transfer_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_api_set_text(&options->transfer.registry.registries_conf, path, err);
}

static int32_t set_credentials(const char **to_name, const char **to_secret, const char *username,
                               const char *password, wc_error **err)
{
    char *name = wci_strdup(username), *secret = wci_strdup(password);
    if (!name || !secret) {
        wci_free(name);
        wci_secret_free(secret);
        return wci_err_nomem(err);
    }
    wci_free((char *)*to_name);
    wci_secret_free((char *)*to_secret);
    *to_name = name;
    *to_secret = secret;
    return WC_OK;
}

int32_t wc_transfer_options_set_credentials(wc_transfer_options *options, const char *username,
                                            const char *password, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(username && *username, "username is empty");
    WCI_REQUIRE(password, "password is NULL");
    wci_registry_config *registry = &options->transfer.registry;
    return set_credentials(&registry->username, &registry->password, username, password, err);
}

int32_t wc_transfer_options_set_target_credentials(wc_transfer_options *options, const char *username,
                                                   const char *password, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(username && *username, "username is empty");
    WCI_REQUIRE(password, "password is NULL");
    wci_transfer *transfer = &options->transfer;
    return set_credentials(&transfer->target_username, &transfer->target_password, username, password, err);
}

int32_t wc_transfer_options_set_auth_file(wc_transfer_options *options, const char *path,
                                          wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_api_set_text(&options->transfer.registry.auth_file, path, err);
}

int32_t wc_transfer_options_set_max_transfers(wc_transfer_options *options, uint32_t count,
                                              wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(count >= 1 && count <= MAX_TRANSFERS, "count must be from 1 to 64");
    options->transfer.registry.max_transfers = count;
    return WC_OK;
}

int32_t wc_transfer_options_set_trust_names(wc_transfer_options *options, int32_t trust,
                                            wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->transfer.trust_names = trust != 0;
    return WC_OK;
}

int32_t wc_transfer_options_add_name(wc_transfer_options *options, const char *name,
                                     wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(name, "name is NULL");
    char *whole = NULL;
    int32_t rc = wci_name_normalise_tag(name, &whole, err);
    if (!rc && wci_strv_add_take(&options->transfer.names, whole))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_transfer_options_set_progress(wc_transfer_options *options, wc_progress_cb progress,
                                         uintptr_t payload, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->progress = progress;
    options->progress_payload = payload;
    return WC_OK;
}
