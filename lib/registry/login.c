/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/login.h"

#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "registry/credentials.h"
#include "registry/helper.h"
#include "registry/keychain.h"
#include "registry/remote.h"

#define MAX_FILE ((size_t)4 << 20)
#define MAX_ANSWER ((size_t)1 << 20)
#define MAX_MS 60000

/* What a login is for: a registry, or the part of one that begins with a path. */
typedef struct scope {
    const char *key; /* "host" or "host/path"; lent */
    char *host;
    const char *path; /* "": all of it */
} scope;

static int32_t open_scope(const char *key, scope *out, wc_error **err)
{
    size_t n = strcspn(key, "/");
    *out = (scope){key, wci_strndup(key, n), key[n] ? key + n + 1 : ""};
    if (!out->host)
        return wci_err_nomem(err);
    if (n && (!key[n] || (*out->path && !wci_ends_with(key, "/"))))
        return WC_OK;
    wci_free(out->host);
    return wci_err(err, WC_E_INVALID, "registry '%.255s': not HOST[:PORT], or with the part of it that is meant HOST/PATH",
                   key);
}

/* ---- Trying it ---------------------------------------------------------------------------------- */

/* What the credentials were exchanged for, when they were, is what is worth keeping: Azure's own tokens end within
 * the hour. */
static int32_t take_exchanged(wci_remote *remote, wci_credentials *out, wc_error **err)
{
    if (!remote->auth.is_exchanged)
        return WC_OK;
    return wci_replace(&out->identity_token, remote->auth.credentials.identity_token) ? wci_err_nomem(err) : WC_OK;
}

static int32_t try_login(wc_call *call, const wci_registry_config *config, const scope *to, wci_credentials *out,
                         wc_error **err)
{
    wci_remote *remote = NULL;
    int32_t code = wci_remote_open_named(call, config, to->host, *to->path ? to->path : "login", &remote, err);
    if (code)
        return code;
    wci_exchange ex = {.remote = remote, .path = "/v2/"};
    ex.request.max_body = MAX_ANSWER;
    ex.request.max_ms = MAX_MS;
    code = wci_exchange_run(call, &ex, err);
    if (!code && ex.request.status != 200)
        code = wci_exchange_status_error(&ex, "login", err);
    if (!code)
        code = take_exchanged(remote, out, err);
    wci_exchange_clear(&ex);
    wci_remote_close(remote);
    return code;
}

/* ---- The file ----------------------------------------------------------------------------------- */

/* The one that is written: podman's, since docker's may belong to a Docker that knows more fields. */
static char *file_to_write(const char *auth_file)
{
    const char *own = auth_file ? auth_file : wci_host_env("REGISTRY_AUTH_FILE");
    if (own && *own)
        return wci_strdup(own);
    const char *config = wci_host_env("XDG_CONFIG_HOME");
    if (config && *config)
        return wci_path_join(config, "containers/auth.json");
    const char *home = wci_host_env("HOME");
    return wci_path_join(home && *home ? home : "/root", ".config/containers/auth.json");
}

static int32_t read_root(const char *path, json_t **out, wc_error **err)
{
    wc_buf *text = NULL;
    if (!wci_file_exists(path)) {
        *out = json_object();
        return *out ? WC_OK : wci_err_nomem(err);
    }
    int32_t code = wci_file_read_secret(path, MAX_FILE, &text, err);
    if (!code)
        *out = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    wc_buf_unref(text);
    if (!code && !json_is_object(*out)) {
        wci_secret_json_free(*out);
        *out = NULL;
        code = wci_err(err, WC_E_FORMAT, "credentials file '%s': not a JSON object; mend it first", path);
    }
    return code;
}

static int32_t write_root(const char *path, json_t *root, wc_error **err)
{
    char *parent = wci_path_parent(path), *text = wci_secret_json_dump(root, JSON_INDENT(4));
    int32_t code = parent && text ? wci_dir_make(parent, 0700, err) : wci_err_nomem(err);
    if (!code)
        code = wci_file_write_atomic(path, text, strlen(text), 0600, 1, err);
    wci_secret_free(text);
    wci_free(parent);
    return code;
}

/* One file, open for one change. */
typedef struct keeping {
    char *path;
    wci_lock *lock;
    json_t *root;
} keeping;

static void close_keeping(keeping *k)
{
    wci_secret_json_free(k->root);
    wci_lock_release_remove(k->lock);
    wci_free(k->path);
}

static int32_t open_keeping(wc_call *call, const wci_registry_config *config, keeping *k, wc_error **err)
{
    *k = (keeping){.path = file_to_write(config->auth_file)};
    char *parent = k->path ? wci_path_parent(k->path) : NULL;
    char *lock = k->path ? wci_asprintf("%s.lock", k->path) : NULL;
    int32_t code = parent && lock ? wci_dir_make(parent, 0700, err) : wci_err_nomem(err);
    if (!code)
        code = wci_lock_acquire(call, lock, WCI_LOCK_EXCLUSIVE, &k->lock, err);
    if (!code)
        code = read_root(k->path, &k->root, err);
    wci_free(parent);
    wci_free(lock);
    if (code)
        close_keeping(k);
    return code;
}

/* As docker writes it: the Hub's key is a whole address. */
static const char *key_of(const scope *of)
{
    return !strcmp(of->key, "docker.io") ? "https://index.docker.io/v1/" : of->key;
}

/* Helpers know servers and no parts of them. */
static int32_t check_whole(const char *helper, const scope *of, wc_error **err)
{
    if (!*of->path)
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED,
                   "registry '%s': the credential helper '%s' keeps logins for whole registries only; log in to '%s'",
                   of->key, helper, of->host);
}

static int32_t find_helper(const keeping *k, const scope *of, const char **out, wc_error **err)
{
    json_t *own = json_object_get(json_object_get(k->root, "credHelpers"), of->host);
    const char *name = json_string_value(own ? own : json_object_get(k->root, "credsStore"));
    *out = name && *name ? name : NULL;
    return *out ? check_whole(name, of, err) : WC_OK;
}

static json_t *auths_of(keeping *k)
{
    json_t *auths = json_object_get(k->root, "auths");
    if (json_is_object(auths))
        return auths;
    auths = json_object();
    return json_object_set_new(k->root, "auths", auths) ? NULL : auths;
}

static int32_t set_entry(keeping *k, const scope *of, json_t *entry, wc_error **err)
{
    json_t *auths = auths_of(k);
    if (!auths || !entry) {
        wci_secret_json_free(entry);
        return wci_err_nomem(err);
    }
    if (json_object_set_new(auths, key_of(of), entry))
        return wci_err_nomem(err);
    return write_root(k->path, k->root, err);
}

/* As docker writes it: an identity token goes beside a name without a password. */
static json_t *plain_entry(const wci_credentials *c)
{
    char *pair = wci_asprintf("%s:%s", c->username, c->identity_token ? "" : c->password);
    char *coded = pair ? wci_base64_encode(pair, strlen(pair)) : NULL;
    json_t *entry = coded ? json_pack("{s:s, s:s*}", "auth", coded, "identitytoken", c->identity_token) : NULL;
    wci_secret_free(pair);
    wci_secret_free(coded);
    return entry;
}

static int32_t keep(wc_call *call, keeping *k, const scope *of, const wci_credentials *c, wc_error **err)
{
    const char *helper = NULL;
    int32_t code = find_helper(k, of, &helper, err);
    if (code)
        return code;
    if (!helper)
        return set_entry(k, of, plain_entry(c), err);
    code = wci_helper_store(call, helper, of->host, c, err);
    return code ? code : set_entry(k, of, json_object(), err);
}

static int32_t keep_in_file(wc_call *call, const wci_registry_config *config, const scope *of, const wci_credentials *c,
                            wc_error **err)
{
    keeping k;
    int32_t code = open_keeping(call, config, &k, err);
    if (code)
        return code;
    code = keep(call, &k, of, c, err);
    close_keeping(&k);
    return code;
}

static int32_t keep_anywhere(wc_call *call, const wci_registry_config *config, const scope *of, const wci_credentials *c,
                             wc_error **err)
{
    char *helper = NULL;
    int32_t code = wci_keychain_keeper(config, &helper, err);
    if (!code && helper)
        code = check_whole(helper, of, err);
    if (!code)
        code = helper ? wci_helper_store(call, helper, of->host, c, err) : keep_in_file(call, config, of, c, err);
    wci_free(helper);
    return code;
}

static int32_t login(wc_call *call, const wci_registry_config *config, const scope *to, wc_error **err)
{
    wci_credentials good = WCI_CREDENTIALS_INIT;
    int32_t code = try_login(call, config, to, &good, err);
    if (!code && (wci_replace(&good.username, config->username) || wci_replace(&good.password, config->password)))
        code = wci_err_nomem(err);
    if (!code)
        code = keep_anywhere(call, config, to, &good, err);
    wci_credentials_free(&good);
    return code;
}

int32_t wci_login(wc_call *call, const wci_registry_config *config, const char *registry, wc_error **err)
{
    scope to;
    if (strchr(config->username, ':'))
        return wci_err(err, WC_E_INVALID, "registry '%s': a user name cannot hold ':'", registry);
    int32_t code = open_scope(registry, &to, err);
    if (code)
        return code;
    code = login(call, config, &to, err);
    wci_free(to.host);
    return code;
}

static int is_kept(const keeping *k, const scope *of)
{
    json_t *auths = json_object_get(k->root, "auths");
    return json_object_get(auths, key_of(of)) || json_object_get(auths, of->key);
}

static int32_t forget(wc_call *call, keeping *k, const scope *of, wc_error **err)
{
    json_t *auths = json_object_get(k->root, "auths");
    const char *helper = NULL;
    int32_t code = *of->path ? WC_OK : find_helper(k, of, &helper, err);
    if (!code && helper)
        code = wci_helper_erase(call, helper, of->host, err);
    if (code)
        return code;
    json_object_del(auths, key_of(of));
    json_object_del(auths, of->key);
    return write_root(k->path, k->root, err);
}

/* `elsewhere`: how many helpers have forgotten it already. */
static int32_t forget_in_file(wc_call *call, const wci_registry_config *config, const scope *of, size_t elsewhere,
                              wc_error **err)
{
    keeping k;
    int32_t code = open_keeping(call, config, &k, err);
    if (code)
        return code;
    if (is_kept(&k, of))
        code = forget(call, &k, of, err);
    else if (!elsewhere)
        code = wci_err(err, WC_E_NOT_FOUND, "registry '%s': there is no login in '%s'", of->key, k.path);
    close_keeping(&k);
    return code;
}

int32_t wci_logout(wc_call *call, const wci_registry_config *config, const char *registry, wc_error **err)
{
    scope of;
    size_t elsewhere = 0;
    int32_t code = open_scope(registry, &of, err);
    if (code)
        return code;
    if (!*of.path)
        code = wci_keychain_forget(call, config, of.host, &elsewhere, err);
    if (!code)
        code = forget_in_file(call, config, &of, elsewhere, err);
    wci_free(of.host);
    return code;
}

int32_t wci_login_user(wc_call *call, const wci_registry_config *config, const char *registry, char **out,
                       wc_error **err)
{
    wci_credentials c = WCI_CREDENTIALS_INIT;
    scope of;
    *out = NULL;
    int32_t code = open_scope(registry, &of, err);
    if (code)
        return code;
    code = wci_keychain_find(call, config, of.host, of.path, &c, err);
    if (!code && c.username && !(*out = wci_strdup(c.username)))
        code = wci_err_nomem(err);
    wci_credentials_free(&c);
    wci_free(of.host);
    return code;
}
