/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/azure.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/base64.h"

#define MAX_CLAIMS ((size_t)64 * 1024)
#define MAX_ANSWER ((size_t)1 << 20)
#define TOKEN_PATH "/oauth2/token"

/* ---- Whose it is ---------------------------------------------------------------------------------- */

static int is_azures_name(const char *host)
{
    static const char *const domains[] = {".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.de"};
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (wci_ends_with(host, domains[i]))
            return 1;
    return 0;
}

static int has_azures_path(const wci_url *realm)
{
    const char *path = strstr(realm->shown, "://") + strlen("://");
    return !strcmp(path + strcspn(path, "/"), TOKEN_PATH);
}

int wci_azure_is_meant(const wci_credentials *credentials, const char *host, const wci_url *base, const wci_url *realm)
{
    int is_token = wci_streq(credentials->username, WCI_AZURE_USER) && credentials->password && *credentials->password &&
                   !credentials->identity_token;
    return is_token && wci_url_same_origin(base, realm) && (is_azures_name(host) || has_azures_path(realm));
}

/* ---- What it is ----------------------------------------------------------------------------------- */

/* The middle of "header.claims.signature" in base64 as URLs have it; NULL when it is nothing like that. */
static char *claims_of(const char *token)
{
    const char *claims = strchr(token, '.'), *end = claims ? strchr(claims + 1, '.') : NULL;
    size_t size = 0;
    if (!end || strchr(end + 1, '.'))
        return NULL;
    char *coded = wci_strndup(claims + 1, (size_t)(end - claims - 1));
    for (char *p = coded; p && *p; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    char *text = coded ? wci_base64_decode(coded, &size) : NULL;
    wci_secret_free(coded);
    return text;
}

static int32_t read_claims(json_t *claims, wci_azure_kind *kind, char **tenant, wc_error **err)
{
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    const char *grant = json_string_value(json_object_get(claims, "grant_type"));
    const char *of = json_string_value(json_object_get(claims, "tid"));
    int is_own = wci_streq(issuer, "Azure Container Registry") || wci_streq(grant, "refresh_token");
    *kind = is_own ? WCI_AZURE_REGISTRY_REFRESH : WCI_AZURE_ACCESS;
    return wci_replace(tenant, of) ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_azure_kind_of(const char *secret, wci_azure_kind *kind, char **tenant, wc_error **err)
{
    char *text = claims_of(secret);
    json_t *claims = NULL;
    *kind = WCI_AZURE_REFRESH; /* these are opaque */
    *tenant = NULL;
    if (text && wci_json_parse(text, strlen(text), MAX_CLAIMS, "token", &claims, NULL))
        claims = NULL;
    int32_t code = claims ? read_claims(claims, kind, tenant, err) : WC_OK;
    wci_secret_json_free(claims);
    wci_secret_free(text);
    return code;
}

/* ---- The exchange --------------------------------------------------------------------------------- */

int32_t wci_azure_form(wci_azure_kind kind, const char *service, const char *tenant, const char *secret, char **out,
                       wc_error **err)
{
    wci_str form = WCI_SECRET_STR_INIT;
    const char *name = kind == WCI_AZURE_ACCESS ? "access_token" : "refresh_token";
    wci_form_add(&form, "grant_type", name);
    wci_form_add(&form, "service", service);
    if (tenant)
        wci_form_add(&form, "tenant", tenant);
    wci_form_add(&form, name, secret);
    *out = wci_str_take(&form);
    return *out ? WC_OK : wci_err_nomem(err);
}

int32_t wci_azure_take_answer(const char *text, size_t size, const char *what, char **out, wc_error **err)
{
    json_t *root = NULL;
    const char *token = NULL;
    /* The parser's own words might show a part of the token. */
    if (wci_json_parse(text, size, MAX_ANSWER, what, &root, NULL))
        return wci_err(err, WC_E_FORMAT, "%s: not valid JSON", what);
    int32_t code = wci_json_get_string(root, "refresh_token", what, &token, err);
    if (!code && (!token || !*token))
        code = wci_err(err, WC_E_FORMAT, "%s: holds no refresh token", what);
    if (!code && !(*out = wci_strdup(token)))
        code = wci_err_nomem(err);
    wci_secret_json_free(root);
    return code;
}
