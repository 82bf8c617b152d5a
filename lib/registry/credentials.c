/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials.h"

#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "core/secret.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"

#define MAX_FILE ((size_t)4 * 1024 * 1024)

void wci_credentials_free(wci_credentials *credentials)
{
    wci_free(credentials->username);
    wci_secret_free(credentials->password);
    wci_secret_free(credentials->identity_token);
    wci_free(credentials->helper);
    *credentials = (wci_credentials)WCI_CREDENTIALS_INIT;
}

/* "https://host/v1/" and "host" name the same registry. */
static int key_equals(const char *key, const char *name)
{
    if (wci_starts_with(key, "https://"))
        key += 8;
    else if (wci_starts_with(key, "http://"))
        key += 7;
    size_t n = strlen(name);
    if (strncmp(key, name, n))
        return 0;
    key += n;
    return !strcmp(key, "") || !strcmp(key, "/") || !strcmp(key, "/v1") || !strcmp(key, "/v1/") ||
           !strcmp(key, "/v2") || !strcmp(key, "/v2/");
}

static json_t *find_exact(json_t *auths, const char *name)
{
    const char *key;
    json_t *entry;
    json_object_foreach (auths, key, entry)
        if (key_equals(key, name))
            return entry;
    return NULL;
}

/* The Hub goes by several names, its oldest being the one that `docker login` writes. */
static json_t *find_host(json_t *object, const char *host)
{
    static const char *const hub[] = {"index.docker.io", "docker.io", "registry-1.docker.io"};
    json_t *entry = find_exact(object, host);
    if (entry || strcmp(host, "docker.io"))
        return entry;
    for (size_t i = 0; !entry && i < sizeof hub / sizeof *hub; i++)
        entry = find_exact(object, hub[i]);
    return entry;
}

static int32_t find_entry(json_t *auths, const char *host, const char *repository, json_t **out,
                          wc_error **err)
{
    char *name = wci_asprintf("%s/%s", host, repository);
    if (!name)
        return wci_err_nomem(err);
    json_t *entry = NULL;
    for (char *end = name + strlen(name); !entry && end > name + strlen(host);) {
        *end = '\0';
        entry = find_exact(auths, name);
        while (end > name && *end != '/')
            end--;
    }
    wci_free(name);
    *out = entry ? entry : find_host(auths, host);
    return WC_OK;
}

/* base64("user:password") */
static int32_t decode_auth(const char *auth, const char *file, wci_credentials *out,
                           wc_error **err)
{
    size_t size = 0;
    char *text = wci_base64_decode(auth, &size);
    char *colon = text ? strchr(text, ':') : NULL;
    if (!colon || strlen(text) != size) {
        wci_secret_free(text);
        return wci_err(err, WC_E_FORMAT,
                       "'%s': an 'auth' entry is not the base64 of a user name and password; "
                       "log in again",
                       file);
    }
    *colon = '\0';
    out->username = wci_strdup(text);
    out->password = wci_strdup(colon + 1);
    *colon = ':';
    wci_secret_free(text);
    if (!out->username || !out->password)
        return wci_err_nomem(err);
    return WC_OK;
}

static int32_t take_plain(const char *username, const char *password, wci_credentials *out,
                          wc_error **err)
{
    out->username = wci_strdup(username);
    out->password = wci_strdup(password);
    return out->username && out->password ? WC_OK : wci_err_nomem(err);
}

static int32_t take_entry(json_t *entry, const char *file, wci_credentials *out, wc_error **err)
{
    const char *auth = NULL, *token = NULL, *username = NULL, *password = NULL;
    int32_t code = wci_json_get_string(entry, "auth", file, &auth, err);
    if (!code)
        code = wci_json_get_string(entry, "identitytoken", file, &token, err);
    if (!code)
        code = wci_json_get_string(entry, "username", file, &username, err);
    if (!code)
        code = wci_json_get_string(entry, "password", file, &password, err);
    if (!code && auth && *auth)
        code = decode_auth(auth, file, out, err);
    else if (!code && username && password)
        code = take_plain(username, password, out, err);
    if (!code && token && *token && wci_replace(&out->identity_token, token))
        code = wci_err_nomem(err);
    return code;
}

static int32_t take_helper(json_t *root, const char *host, const char *file, wci_credentials *out,
                           wc_error **err)
{
    json_t *helpers = NULL;
    const char *store = NULL;
    int32_t code = wci_json_get_object(root, "credHelpers", file, &helpers, err);
    if (!code)
        code = wci_json_get_string(root, "credsStore", file, &store, err);
    json_t *own = !code && helpers ? find_host(helpers, host) : NULL;
    const char *name = own && json_is_string(own) ? json_string_value(own) : store;
    if (!code && name && *name && wci_replace(&out->helper, name))
        code = wci_err_nomem(err);
    return code;
}

static int32_t find_in_root(json_t *root, const char *file, const char *host,
                            const char *repository, wci_credentials *out, wc_error **err)
{
    json_t *auths = NULL, *entry = NULL;
    int32_t code = wci_json_get_object(root, "auths", file, &auths, err);
    if (!code && auths)
        code = find_entry(auths, host, repository, &entry, err);
    if (!code && json_is_object(entry))
        code = take_entry(entry, file, out, err);
    /* With a helper the entry is there but empty. */
    if (!code && !out->username && !out->identity_token)
        code = take_helper(root, host, file, out, err);
    return code;
}

int32_t wci_credentials_find_in(const char *text, size_t size, const char *file, const char *host,
                                const char *repository, wci_credentials *out, wc_error **err)
{
    wci_credentials found = WCI_CREDENTIALS_INIT;
    json_t *root = NULL;
    /* The parser's own words might show what stands near the mistake: a secret. */
    if (wci_json_parse(text, size, MAX_FILE, file, &root, NULL))
        return wci_err(err, WC_E_FORMAT, "credentials file '%s': not valid JSON; mend it or log "
                       "in again", file);
    int32_t code = find_in_root(root, file, host, repository, &found, err);
    wci_secret_json_free(root);
    if (code)
        wci_credentials_free(&found);
    else
        *out = found;
    return code;
}

static int32_t find_in_file(const char *file, const char *host, const char *repository,
                            wci_credentials *out, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t code = wci_file_read_secret(file, MAX_FILE, &text, err);
    if (!code)
        code = wci_credentials_find_in(wc_buf_data(text), wc_buf_size(text), file, host, repository,
                                       out, err);
    wc_buf_unref(text);
    return code;
}

static int add_place(wci_strv *places, const char *variable, const char *tail)
{
    const char *value = wci_host_env(variable);
    if (!value || !*value)
        return WC_OK;
    return wci_strv_add_take(places, *tail ? wci_path_join(value, tail) : wci_strdup(value));
}

static int32_t usual_places(wci_strv *places, wc_error **err)
{
    static const struct {
        const char *variable, *tail;
    } usual[] = {
        {"REGISTRY_AUTH_FILE", ""},
        {"XDG_RUNTIME_DIR", "containers/auth.json"},
        {"XDG_CONFIG_HOME", "containers/auth.json"},
        {"HOME", ".config/containers/auth.json"},
        {"DOCKER_CONFIG", "config.json"},
        {"HOME", ".docker/config.json"},
        {"USERPROFILE", ".docker/config.json"},
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (add_place(places, usual[i].variable, usual[i].tail))
            return wci_err_nomem(err);
    return WC_OK;
}

static int is_known(const wci_credentials *c)
{
    return c->username || c->identity_token || c->helper;
}

static int32_t find_anywhere(const char *host, const char *repository, wci_credentials *out,
                             wc_error **err)
{
    wci_strv places = WCI_STRV_INIT;
    int32_t code = usual_places(&places, err);
    for (size_t i = 0; !code && !is_known(out) && i < places.count; i++)
        if (wci_file_exists(places.items[i]))
            code = find_in_file(places.items[i], host, repository, out, err);
    wci_strv_free(&places);
    return code;
}

int32_t wci_credentials_find(const char *auth_file, const char *host, const char *repository,
                             wci_credentials *out, wc_error **err)
{
    wci_credentials found = WCI_CREDENTIALS_INIT;
    int32_t code = auth_file ? find_in_file(auth_file, host, repository, &found, err)
                             : find_anywhere(host, repository, &found, err);
    if (!code)
        *out = found;
    return code;
}
