/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/remote.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "registry/registries.h"

#define DEFAULT_TRANSFERS 6
#define DEFAULT_STALL_MS 30000

#define CONFIG_TEXTS(c)                                                                              \
    {&(c)->ca_file,  &(c)->cert_dir,  &(c)->client_cert, &(c)->client_key,                           \
     &(c)->username, &(c)->auth_file, &(c)->user_agent,  &(c)->password, &(c)->registries_conf}

static int copy_config(wci_registry_config *to, const wci_registry_config *from)
{
    int failed = 0;
    *to = *from;
    const char **texts[] = CONFIG_TEXTS(to);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = *texts[i];
        *texts[i] = NULL;
        failed |= wci_replace((char **)texts[i], text);
    }
    if (!to->max_transfers)
        to->max_transfers = DEFAULT_TRANSFERS;
    if (to->stall_ms <= 0)
        to->stall_ms = DEFAULT_STALL_MS;
    return failed ? WC_E_NOMEM : WC_OK;
}

static void free_config(wci_registry_config *config)
{
    const char **texts[] = CONFIG_TEXTS(config);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wci_secret_free((char *)*texts[i]);
}

/* Both become parts of URLs, so nothing may stand in them that means something there. */
static int32_t check_names(const char *host, const char *repository, wc_error **err)
{
    if (!*host || strpbrk(host, "/?#@\\% \t\r\n"))
        return wci_err(err, WC_E_INVALID, "registry '%.255s': not a host name with an optional port",
                       host);
    size_t n = strspn(repository, "abcdefghijklmnopqrstuvwxyz0123456789._-/");
    if (!*repository || repository[n] || strstr(repository, "..") || strstr(repository, "//"))
        return wci_err(err, WC_E_INVALID, "repository '%.255s': not a valid name", repository);
    return WC_OK;
}

static int32_t open_http(wc_call *call, wci_remote *remote, wc_error **err)
{
    const wci_registry_config *config = &remote->config;
    wci_http_options options = {
        .tls_verify = config->tls_verify,
        .user_agent = config->user_agent ? config->user_agent : "wincontainer/" WC_VERSION_TEXT,
        .stall_ms = config->stall_ms,
        .connections = config->max_transfers + 2,
        .wake = wci_call_cancel_fd(call),
    };
    return wci_http_new(&options, &remote->http, err);
}

int32_t wci_remote_open(wc_call *call, const wci_registry_config *config, const char *host,
                        const char *repository, wci_remote **out, wc_error **err)
{
    int32_t code = check_names(host, repository, err);
    if (code)
        return code;
    wci_remote *remote = wci_calloc(1, sizeof *remote);
    if (!remote)
        return wci_err_nomem(err);
    remote->server = wci_endpoint_server(host);
    if (copy_config(&remote->config, config) || !remote->server ||
        wci_replace(&remote->host, host) || wci_replace(&remote->repository, repository))
        code = wci_err_nomem(err);
    if (!code)
        code = wci_endpoint_set(remote, 0, err);
    if (!code)
        code = open_http(call, remote, err);
    if (code) {
        wci_remote_close(remote);
        return code;
    }
    *out = remote;
    return WC_OK;
}

/* Reserved names for what does not exist (RFC 2606): no URL is taken for that of the registry. */
int32_t wci_remote_open_places(wc_call *call, const wci_registry_config *config, wci_remote **out, wc_error **err)
{
    wci_registry_config own = *config;
    own.username = own.password = own.client_cert = own.client_key = NULL;
    int32_t code = wci_remote_open(call, &own, "places.invalid", "none", out, err);
    if (!code)
        (*out)->is_places = 1;
    return code;
}

wci_registry_config wci_registry_config_for(const wci_registry_config *config, int insecure)
{
    wci_registry_config own = *config;
    if (insecure && !config->tls_verify_given)
        own.tls_verify = 0;
    return own;
}

int32_t wci_remote_open_named(wc_call *call, const wci_registry_config *config, const char *host,
                              const char *repository, wci_remote **out, wc_error **err)
{
    wci_registries *registries = NULL;
    int insecure = 0;
    char *name = wci_asprintf("%s/%s", host, repository);
    int32_t code = name ? wci_registries_load(config->registries_conf, &registries, err) : wci_err_nomem(err);
    if (!code)
        code = wci_registries_check(registries, name, &insecure, err);
    wci_registries_free(registries);
    wci_free(name);
    wci_registry_config own = wci_registry_config_for(config, insecure);
    return code ? code : wci_remote_open(call, &own, host, repository, out, err);
}

void wci_remote_close(wci_remote *remote)
{
    if (!remote)
        return;
    wci_http_free(remote->http);
    wci_auth_free(&remote->auth);
    free_config(&remote->config);
    wci_endpoint_forget_certs(remote);
    wci_url_free(&remote->base);
    wci_strv_free(&remote->tags);
    wci_free(remote->host);
    wci_free(remote->repository);
    wci_free(remote->server);
    wci_free(remote);
}
