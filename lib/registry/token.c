/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: distribution's docs/spec/auth/token.md (GET) and oauth.md (POST, for refresh tokens). */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "registry/azure.h"
#include "registry/remote.h"

#define MAX_TOKEN_ANSWER ((size_t)1024 * 1024)
#define MAX_TOKEN_MS 60000
#define MAX_REDIRECTS 5
#define DEFAULT_LIFETIME_S 60
#define LONGEST_LIFETIME_S (24 * 60 * 60)
/* A token is given up a little early, for what is still on its way. */
#define MARGIN_S 5

typedef struct inquiry {
    wci_remote *remote;
    const wci_challenge *challenge;
    char *scope;          /* space-separated */
    wci_url realm;
    wci_url url;          /* of the present step */
    wci_http_request request;
} inquiry;

static const char *server_name(const inquiry *q)
{
    return q->realm.shown;
}

/* ---- Sending ---------------------------------------------------------------------------------- */

static int32_t open_inquiry(inquiry *q, const wci_url *asked, wc_error **err)
{
    const wci_challenge *c = q->challenge;
    if (!c->realm || !*c->realm)
        return wci_err(err, WC_E_FORMAT, "registry '%s': its request for a token names no server",
                       q->remote->host);
    int32_t code = wci_url_parse(c->realm, asked, &q->realm, err);
    if (code)
        return wci_err_wrap(err, code, "registry '%s': it names an unusable token server",
                            q->remote->host);
    if (q->realm.plain && !asked->plain && q->remote->config.tls_verify)
        return wci_err(err, WC_E_PERMISSION,
                       "registry '%s': refused: it sends us from HTTPS to plain HTTP for a token (%s); have its realm "
                       "changed to HTTPS, or switch TLS verification off",
                       q->remote->host, q->realm.shown);
    q->scope = c->scope && *c->scope ? wci_strdup(c->scope)
                                     : wci_asprintf("repository:%s:pull", q->remote->repository);
    return q->scope ? WC_OK : wci_err_nomem(err);
}

static void add_scopes(wci_str *url, const char *scopes)
{
    while (*scopes) {
        char one[512];
        size_t n = strcspn(scopes, " ");
        if (n && n < sizeof one) {
            memcpy(one, scopes, n);
            one[n] = '\0';
            wci_url_add_query(url, "scope", one);
        }
        scopes += n + (scopes[n] == ' ');
    }
}

static int32_t set_get_url(inquiry *q, wc_error **err)
{
    const char *account = q->remote->auth.credentials.username;
    wci_str text = WCI_STR_INIT;
    wci_str_append(&text, q->realm.text);
    if (q->challenge->service)
        wci_url_add_query(&text, "service", q->challenge->service);
    add_scopes(&text, q->scope);
    if (account)
        wci_url_add_query(&text, "account", account);
    char *url = wci_str_take(&text);
    int32_t code = url ? wci_url_parse(url, NULL, &q->url, err) : wci_err_nomem(err);
    wci_free(url);
    return code;
}

static int32_t add_basic(inquiry *q, wc_error **err)
{
    const wci_credentials *c = &q->remote->auth.credentials;
    if (!c->username || !wci_url_same_origin(&q->url, &q->realm))
        return WC_OK;
    return wci_strv_add_take(&q->request.headers, wci_auth_basic(c)) ? wci_err_nomem(err) : WC_OK;
}

static int32_t send_step(wc_call *call, inquiry *q, wc_error **err)
{
    wci_remote *remote = q->remote;
    int32_t code = wci_endpoint_check_plain(remote, &q->url, err);
    if (!code)
        code = wci_endpoint_certs(remote, &q->url, &q->request.certs, err);
    if (code)
        return code;
    q->request.url = &q->url;
    q->request.fence = wci_endpoint_fence(remote, &q->url);
    q->request.max_body = MAX_TOKEN_ANSWER;
    q->request.max_ms = MAX_TOKEN_MS;
    code = wci_http_run(call, remote->http, &q->request, err);
    if (code)
        return code;
    if (!q->request.code)
        return WC_OK;
    wc_error *why = q->request.why;
    q->request.why = NULL;
    return wci_err_move(err, why);
}

static int32_t follow(inquiry *q, int *followed, wc_error **err)
{
    wci_url to = WCI_URL_INIT;
    int32_t code = wci_endpoint_redirect(&q->request, &to, err);
    if (code || !to.text)
        return code;
    wci_url_free(&q->url);
    q->url = to;
    *followed = 1;
    return WC_OK;
}

static int32_t get(wc_call *call, inquiry *q, wc_error **err)
{
    int32_t code = set_get_url(q, err);
    for (int step = 0; !code && step <= MAX_REDIRECTS; step++) {
        int followed = 0;
        code = add_basic(q, err);
        if (!code)
            code = send_step(call, q, err);
        wci_http_headers_reset(&q->request);
        if (!code)
            code = follow(q, &followed, err);
        if (!followed)
            return code;
    }
    if (code)
        return code;
    return wci_err(err, WC_E_NETWORK, "token server %s: redirects without end", server_name(q));
}

static int32_t post(wc_call *call, inquiry *q, const char *form, wc_error **err)
{
    q->request.body_out = form;
    int32_t code = send_step(call, q, err);
    q->request.body_out = NULL;
    return code;
}

static int32_t post_refresh_token(wc_call *call, inquiry *q, wc_error **err)
{
    wci_str form = WCI_SECRET_STR_INIT;
    wci_form_add(&form, "grant_type", "refresh_token");
    if (q->challenge->service)
        wci_form_add(&form, "service", q->challenge->service);
    wci_form_add(&form, "client_id", "wincontainer");
    wci_form_add(&form, "scope", q->scope);
    wci_form_add(&form, "refresh_token", q->remote->auth.credentials.identity_token);
    char *text = wci_str_take(&form);
    int32_t code = text ? wci_url_parse(q->realm.text, NULL, &q->url, err) : wci_err_nomem(err);
    if (!code)
        code = post(call, q, text, err);
    wci_secret_free(text);
    return code;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

/* Visible ASCII only: the token becomes a header. */
static int is_sendable(const char *token)
{
    if (!*token)
        return 0;
    for (const unsigned char *p = (const unsigned char *)token; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return 0;
    return 1;
}

static int32_t take_lifetime(json_t *root, const char *what, int64_t *out, wc_error **err)
{
    int64_t seconds = DEFAULT_LIFETIME_S;
    int32_t code = wci_json_get_int(root, "expires_in", what, INT64_MIN, INT64_MAX, &seconds, err);
    if (code)
        return code;
    if (seconds < DEFAULT_LIFETIME_S)
        seconds = DEFAULT_LIFETIME_S;
    if (seconds > LONGEST_LIFETIME_S)
        seconds = LONGEST_LIFETIME_S;
    *out = seconds - MARGIN_S;
    return WC_OK;
}

static int32_t take_token(json_t *root, const char *what, wci_token *out, wc_error **err)
{
    const char *token = NULL, *access = NULL;
    int64_t lifetime = 0;
    int32_t code = wci_json_get_string(root, "token", what, &token, err);
    if (!code)
        code = wci_json_get_string(root, "access_token", what, &access, err);
    if (!code)
        code = take_lifetime(root, what, &lifetime, err);
    if (code)
        return code;
    if (!token || !*token)
        token = access;
    if (!token || !is_sendable(token))
        return wci_err(err, WC_E_FORMAT, "%s: holds no usable token", what);
    out->text = wci_strdup(token);
    out->lifetime_s = lifetime;
    return out->text ? WC_OK : wci_err_nomem(err);
}

int32_t wci_token_parse(const char *text, size_t size, const char *what, wci_token *out,
                        wc_error **err)
{
    json_t *root = NULL;
    /* The parser's own words might show a part of the token. */
    if (wci_json_parse(text, size, MAX_TOKEN_ANSWER, what, &root, NULL))
        return wci_err(err, WC_E_FORMAT, "%s: not valid JSON", what);
    int32_t code = take_token(root, what, out, err);
    wci_secret_json_free(root);
    return code;
}

static int32_t read_answer(const inquiry *q, wci_token *out, wc_error **err)
{
    const wci_str *body = &q->request.body;
    char *what = wci_asprintf("answer of token server %s", server_name(q));
    if (!what)
        return wci_err_nomem(err);
    int32_t code = wci_token_parse(body->data ? body->data : "", body->size, what, out, err);
    wci_free(what);
    return code;
}

static int32_t refused(const inquiry *q, wc_error **err)
{
    long status = q->request.status;
    const wci_credentials *c = &q->remote->auth.credentials;
    int denied = status == 400 || status == 401 || status == 403;
    int32_t code = denied ? WC_E_AUTH : WC_E_NETWORK;
    wci_err_native(err, code, WC_DOMAIN_HTTP, status,
                   denied && (c->username || c->identity_token)
                       ? "registry '%s': token server %s refused the login (HTTP %ld); check user "
                         "name and password"
                   : denied ? "registry '%s': token server %s gives no anonymous access (HTTP "
                              "%ld); check the name, or log in"
                            : "registry '%s': token server %s failed (HTTP %ld); try again later",
                   q->remote->host, server_name(q), status);
    wci_err_set_retryable(err, !denied);
    return code;
}

static int may_fall_back(long status)
{
    return status == 400 || status == 401 || status == 404 || status == 405;
}

static int32_t ask(wc_call *call, inquiry *q, wc_error **err)
{
    if (q->remote->auth.credentials.identity_token) {
        int32_t code = post_refresh_token(call, q, err);
        if (code || q->remote->auth.is_exchanged || !may_fall_back(q->request.status))
            return code;
    }
    return get(call, q, err);
}

/* ---- Azure ------------------------------------------------------------------------------------ */

static int32_t take_exchanged(inquiry *q, wc_error **err)
{
    const wci_str *body = &q->request.body;
    wci_credentials *credentials = &q->remote->auth.credentials;
    long status = q->request.status;
    char *what = wci_asprintf("registry '%s': its answer to an Azure token", q->remote->host);
    if (!what)
        return wci_err_nomem(err);
    int32_t code = WC_OK;
    if (status == 200)
        code = wci_azure_take_answer(body->data ? body->data : "", body->size, what, &credentials->identity_token, err);
    else
        code = wci_err_native(err, status >= 500 ? WC_E_NETWORK : WC_E_AUTH, WC_DOMAIN_HTTP, status,
                              "registry '%s': does not take the Azure token (HTTP %ld); get a new one and log in again",
                              q->remote->host, status);
    wci_free(what);
    q->remote->auth.is_exchanged = !code;
    return code;
}

static int32_t send_exchange(wc_call *call, inquiry *q, wci_azure_kind kind, const char *tenant, wc_error **err)
{
    const char *service = q->challenge->service ? q->challenge->service : q->remote->host;
    const char *secret = q->remote->auth.credentials.password;
    char *form = NULL;
    int32_t code = wci_azure_form(kind, service, tenant ? tenant : wci_host_env("AZURE_TENANT_ID"), secret, &form, err);
    if (!code)
        code = wci_url_parse("/oauth2/exchange", &q->remote->base, &q->url, err);
    if (!code)
        code = post(call, q, form, err);
    wci_secret_free(form);
    return code ? code : take_exchanged(q, err);
}

/* A token of Azure in the place of a password becomes a refresh token of the registry. */
static int32_t exchange(wc_call *call, inquiry *q, wc_error **err)
{
    wci_credentials *credentials = &q->remote->auth.credentials;
    wci_azure_kind kind;
    char *tenant = NULL;
    if (!wci_azure_is_meant(credentials, q->remote->host, &q->remote->base, &q->realm))
        return WC_OK;
    int32_t code = wci_azure_kind_of(credentials->password, &kind, &tenant, err);
    if (!code && kind != WCI_AZURE_REGISTRY_REFRESH)
        code = send_exchange(call, q, kind, tenant, err);
    else if (!code && wci_replace(&credentials->identity_token, credentials->password))
        code = wci_err_nomem(err);
    wci_free(tenant);
    return code;
}

int32_t wci_token_fetch(wc_call *call, wci_remote *remote, const wci_challenge *challenge,
                        const wci_url *asked, wci_token *out, wc_error **err)
{
    inquiry q = {.remote = remote, .challenge = challenge, .request = {.body = WCI_SECRET_STR_INIT}};
    int32_t code = open_inquiry(&q, asked, err);
    if (!code)
        code = exchange(call, &q, err);
    if (!code)
        code = ask(call, &q, err);
    if (!code)
        code = q.request.status == 200 ? read_answer(&q, out, err) : refused(&q, err);
    wci_http_request_clear(&q.request);
    wci_url_free(&q.url);
    wci_url_free(&q.realm);
    wci_free(q.scope);
    return code;
}
