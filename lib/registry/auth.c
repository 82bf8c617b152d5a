/* SPDX-License-Identifier: Apache-2.0 */
/* From a challenge to what is sent along: Basic from the credentials, Bearer from a token server. */
#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "platform/host.h"
#include "registry/keychain.h"
#include "registry/remote.h"

typedef struct offers {
    wci_challenge *items;
    size_t count;
} offers;

static void free_offers(offers *o)
{
    wci_challenges_free(o->items, o->count);
    *o = (offers){NULL, 0};
}

static int is_scheme(const wci_challenge *c, const char *scheme)
{
    return !strcmp(c->scheme, scheme);
}

static int32_t add_offers(offers *to, const char *header, wc_error **err)
{
    wci_challenge *list = NULL;
    size_t count = 0, cap = to->count;
    int32_t code = wci_challenges_parse(header, strlen(header), &list, &count, err);
    if (code)
        return code;
    if (!wci_grow(&to->items, &cap, to->count + count, sizeof *to->items)) {
        wci_challenges_free(list, count);
        return wci_err_nomem(err);
    }
    memcpy(to->items + to->count, list, count * sizeof *list);
    to->count += count;
    wci_free(list);
    return WC_OK;
}

/* All challenges of all header lines. A malformed line fails only when there is no good one. */
static int32_t read_offers(const wci_http_request *request, offers *out, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = WC_OK;
    const char *header;
    for (size_t i = 0; (header = wci_http_header(request, "www-authenticate", i)); i++) {
        wci_err_clear(&why);
        int32_t added = add_offers(out, header, &why);
        if (added)
            code = added;
    }
    if (!out->count && code)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

static const wci_challenge *find_offer(const offers *o, const char *scheme)
{
    for (size_t i = 0; i < o->count; i++)
        if (is_scheme(&o->items[i], scheme))
            return &o->items[i];
    return NULL;
}

int wci_auth_is_insufficient(const wci_http_request *request)
{
    offers o = {NULL, 0};
    int found = 0;
    read_offers(request, &o, NULL);
    for (size_t i = 0; i < o.count; i++)
        found |= o.items[i].error && !strcmp(o.items[i].error, "insufficient_scope");
    free_offers(&o);
    return found;
}

static void set_header(wci_auth *auth, char *header, int64_t expires_ns)
{
    wci_secret_free(auth->header);
    auth->header = header;
    auth->expires_ns = expires_ns;
    auth->generation++;
}

const char *wci_auth_header(wci_remote *remote)
{
    wci_auth *auth = &remote->auth;
    if (auth->header && wci_monotonic_ns() >= auth->expires_ns)
        set_header(auth, NULL, 0);
    return auth->header;
}

static int32_t own_credentials(const wci_registry_config *config, wci_credentials *out,
                               wc_error **err)
{
    if (wci_replace(&out->username, config->username) ||
        wci_replace(&out->password, config->password ? config->password : ""))
        return wci_err_nomem(err);
    return WC_OK;
}

static int32_t load_credentials(wc_call *call, wci_remote *remote, wc_error **err)
{
    wci_auth *auth = &remote->auth;
    if (auth->credentials_known)
        return WC_OK;
    int32_t code = remote->config.username
                       ? own_credentials(&remote->config, &auth->credentials, err)
                       : wci_keychain_find(call, &remote->config, remote->host, remote->repository,
                                           &auth->credentials, err);
    auth->credentials_known = !code;
    return code;
}

static int32_t needs_login(const wci_remote *remote, wc_error **err)
{
    const char *helper = remote->auth.credentials.helper;
    if (helper)
        return wci_err_native(err, WC_E_AUTH, WC_DOMAIN_HTTP, 401,
                              "registry '%s': a login is needed, and the credential helper '%s' knows "
                              "none; log in, or give a user name and password",
                              remote->host, helper);
    return wci_err_native(err, WC_E_AUTH, WC_DOMAIN_HTTP, 401,
                          "registry '%s': a login is needed; log in, or give a user name and "
                          "password",
                          remote->host);
}

char *wci_auth_basic(const wci_credentials *credentials)
{
    char *pair = wci_asprintf("%s:%s", credentials->username, credentials->password);
    char *coded = pair ? wci_base64_encode(pair, strlen(pair)) : NULL;
    char *header = coded ? wci_asprintf("Authorization: Basic %s", coded) : NULL;
    wci_secret_free(pair);
    wci_secret_free(coded);
    return header;
}

static int32_t use_basic(wci_remote *remote, wc_error **err)
{
    if (!remote->auth.credentials.username)
        return needs_login(remote, err);
    char *header = wci_auth_basic(&remote->auth.credentials);
    if (!header)
        return wci_err_nomem(err);
    set_header(&remote->auth, header, INT64_MAX);
    return WC_OK;
}

static int32_t use_bearer(wc_call *call, wci_remote *remote, const wci_challenge *challenge,
                          const wci_url *asked, wc_error **err)
{
    wci_token token = {NULL, 0};
    int32_t code = wci_token_fetch(call, remote, challenge, asked, &token, err);
    if (code)
        return code;
    char *header = wci_asprintf("Authorization: Bearer %s", token.text);
    wci_secret_free(token.text);
    if (!header)
        return wci_err_nomem(err);
    set_header(&remote->auth, header, wci_monotonic_ns() + token.lifetime_s * 1000000000);
    return WC_OK;
}

static int32_t answer(wc_call *call, wci_remote *remote, const wci_http_request *request,
                      const offers *o, wc_error **err)
{
    int32_t code = load_credentials(call, remote, err);
    if (code)
        return code;
    const wci_challenge *bearer = find_offer(o, "bearer");
    if (bearer)
        return use_bearer(call, remote, bearer, request->url, err);
    if (find_offer(o, "basic"))
        return use_basic(remote, err);
    return wci_err_native(err, WC_E_AUTH, WC_DOMAIN_HTTP, request->status,
                          "registry '%s': wants a login, but names no way that we know (Bearer or "
                          "Basic)",
                          remote->host);
}

int32_t wci_auth_answer(wc_call *call, wci_remote *remote, const wci_http_request *request,
                        wc_error **err)
{
    offers o = {NULL, 0};
    int32_t code = read_offers(request, &o, err);
    if (code)
        code = wci_err_wrap(err, code, "registry '%s': its request for a login is malformed",
                            remote->host);
    else
        code = answer(call, remote, request, &o, err);
    free_offers(&o);
    return code;
}

void wci_auth_free(wci_auth *auth)
{
    wci_secret_free(auth->header);
    wci_credentials_free(&auth->credentials);
}
