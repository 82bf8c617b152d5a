/* SPDX-License-Identifier: Apache-2.0 */
/* Where a registry is reached: its server, its scheme, and which addresses go with it. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "registry/remote.h"

char *wci_endpoint_server(const char *host)
{
    if (!strcmp(host, "docker.io") || !strcmp(host, "index.docker.io"))
        host = "registry-1.docker.io";
    return wci_strdup(host);
}

int32_t wci_endpoint_set(wci_remote *remote, int plain, wc_error **err)
{
    char *text = wci_asprintf("%s://%s/", plain ? "http" : "https", remote->server);
    if (!text)
        return wci_err_nomem(err);
    int32_t code = wci_url_parse(text, NULL, &remote->base, NULL);
    wci_free(text);
    if (code)
        return wci_err(err, code == WC_E_NOMEM ? code : WC_E_INVALID,
                       "registry '%s': not a host name with an optional port", remote->host);
    return WC_OK;
}

static int is_loopback(const wci_url *url)
{
    wci_address_class class;
    return wci_address_of_host(url->host, &class) && class == WCI_ADDRESS_LOOPBACK;
}

int wci_endpoint_may_fall_back(const wci_remote *remote, const wci_http_request *request)
{
    if (remote->proven || !request->code || request->url->plain)
        return 0;
    if (remote->config.tls_verify && !is_loopback(&remote->base))
        return 0;
    /* Without a port in the name, the other scheme is another port, which may well be open. */
    int other_port = remote->base.port == 443;
    return request->not_tls || (other_port && request->refused);
}

int wci_endpoint_should_probe(const wci_remote *remote)
{
    return remote->config.tls_verify && !remote->proven && !remote->speaks_tls &&
           !remote->base.plain && is_loopback(&remote->base);
}

int32_t wci_endpoint_check_plain(const wci_remote *remote, const wci_url *url, wc_error **err)
{
    if (!url->plain || !remote->config.tls_verify || is_loopback(url))
        return WC_OK;
    return wci_err(err, WC_E_PERMISSION,
                   "%s: refused: plain HTTP is spoken only on loopback; use HTTPS, or switch TLS "
                   "verification off",
                   url->shown);
}

static int is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int32_t wci_endpoint_redirect(const wci_http_request *from, wci_url *to, wc_error **err)
{
    if (!is_redirect(from->status))
        return WC_OK;
    const char *location = wci_http_header(from, "location", 0);
    if (!location)
        return wci_err(err, WC_E_FORMAT, "%s: a redirect that leads nowhere", from->url->shown);
    int32_t code = wci_url_parse(location, from->url, to, err);
    if (code)
        return wci_err_wrap(err, code, "%s: redirects to an unusable place", from->url->shown);
    if (!to->plain || from->url->plain)
        return WC_OK;
    wci_err(err, WC_E_PERMISSION, "%s: refused: it redirects from HTTPS to plain HTTP (%s)",
            from->url->shown, to->shown);
    wci_url_free(to);
    return WC_E_PERMISSION;
}

unsigned wci_endpoint_fence(const wci_remote *remote, const wci_url *url)
{
    int is_registry = url->port == remote->base.port &&
                      !wci_strcasecmp(url->host, remote->base.host);
    unsigned allowed = is_registry ? WCI_ADDRESS_ANY
                                   : wci_address_fence(remote->proven ? remote->address
                                                                      : WCI_ADDRESS_PUBLIC);
    /* "localhost" in plain text must be this machine, whatever the resolver says. */
    if (url->plain && remote->config.tls_verify)
        allowed &= WCI_ADDRESS_BIT(WCI_ADDRESS_LOOPBACK);
    return allowed;
}

/* ---- Certificates ----------------------------------------------------------------------------- */

/* As its directory of certificates is called. */
static char *server_name(const wci_remote *remote, const wci_url *url)
{
    int is_usual = url->port == (url->plain ? 80 : 443);
    if (wci_url_same_origin(url, &remote->base))
        return wci_strdup(remote->host);
    return is_usual ? wci_strdup(url->host) : wci_asprintf("%s:%u", url->host, (unsigned)url->port);
}

static int32_t add_given(const wci_registry_config *config, int is_registry, wci_tls_certs *out, wc_error **err)
{
    int32_t code = WC_OK;
    if (config->ca_file)
        code = wci_tls_certs_add_authorities(out, config->ca_file, err);
    if (!code && config->cert_dir)
        code = wci_tls_certs_add_dir(out, config->cert_dir, err);
    if (!code && !is_registry) /* a name for one server is not for others */
        code = wci_tls_certs_set_own(out, NULL, NULL, err);
    if (!code && is_registry && config->client_cert)
        code = wci_tls_certs_set_own(out, config->client_cert, config->client_key, err);
    return code;
}

static int32_t load_certs(const wci_remote *remote, const char *server, const wci_url *url, wci_tls_certs *out,
                          wc_error **err)
{
    int32_t code = add_given(&remote->config, wci_url_same_origin(url, &remote->base), out, err);
    if (!code && !remote->config.cert_dir)
        code = wci_tls_certs_add_usual(out, server, err);
    return code ? wci_err_wrap(err, code, "registry '%s'", remote->host) : WC_OK;
}

static void free_certs(wci_server_certs *known)
{
    wci_tls_certs_free(&known->certs);
    wci_free(known->server);
    wci_free(known);
}

static wci_server_certs *find_certs(const wci_remote *remote, const char *server)
{
    wci_server_certs *known = remote->certs;
    while (known && strcmp(known->server, server))
        known = known->next;
    return known;
}

static int32_t open_certs(wci_remote *remote, const char *server, const wci_url *url, wci_server_certs **out, wc_error **err)
{
    wci_server_certs *made = wci_calloc(1, sizeof *made);
    if (!made)
        return wci_err_nomem(err);
    int32_t code = load_certs(remote, server, url, &made->certs, err);
    made->server = code ? NULL : wci_strdup(server);
    if (!code && !made->server)
        code = wci_err_nomem(err);
    if (code) {
        free_certs(made);
        return code;
    }
    made->next = remote->certs;
    remote->certs = *out = made;
    return WC_OK;
}

int32_t wci_endpoint_certs(wci_remote *remote, const wci_url *url, const wci_tls_certs **out, wc_error **err)
{
    *out = NULL;
    if (url->plain)
        return WC_OK;
    char *server = server_name(remote, url);
    wci_server_certs *known = server ? find_certs(remote, server) : NULL;
    int32_t code = !server ? wci_err_nomem(err) : known ? WC_OK : open_certs(remote, server, url, &known, err);
    wci_free(server);
    if (!code)
        *out = &known->certs;
    return code;
}

void wci_endpoint_forget_certs(wci_remote *remote)
{
    while (remote->certs) {
        wci_server_certs *next = remote->certs->next;
        free_certs(remote->certs);
        remote->certs = next;
    }
}

void wci_endpoint_answered(wci_remote *remote, const wci_http_request *request)
{
    if (remote->proven || !request->status || !wci_url_same_origin(request->url, &remote->base))
        return;
    remote->proven = 1;
    remote->address = request->peer;
}
