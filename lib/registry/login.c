/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/login.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "registry/credentials.h"
#include "registry/helper.h"
#include "registry/remote.h"

#define MAX_FILE ((size_t)4 << 20)
#define MAX_ANSWER ((size_t)1 << 20)
#define MAX_MS 60000

/* ---- Trying it ---------------------------------------------------------------------------------- */

static int32_t try_login(wc_call *call, const wci_registry_config *config, const char *host, wc_error **err)
{
    wci_remote *remote = NULL;
    int32_t code = wci_remote_open(call, config, host, "login", &remote, err);
    if (code)
        return code;
    wci_exchange ex = {.remote = remote, .path = "/v2/"};
    ex.request.max_body = MAX_ANSWER;
    ex.request.max_ms = MAX_MS;
    code = wci_exchange_run(call, &ex, err);
    if (!code && ex.request.status != 200)
        code = wci_exchange_status_error(&ex, "login", err);
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
    int32_t code = wci_file_read_all(path, MAX_FILE, &text, err);
    if (!code)
        *out = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    wc_buf_unref(text);
    if (!code && !json_is_object(*out)) {
        json_decref(*out);
        code = wci_err(err, WC_E_FORMAT, "credentials file '%s': not a JSON object; mend it first", path);
    }
    return code;
}

static int32_t write_root(const char *path, json_t *root, wc_error **err)
{
    char *parent = wci_path_parent(path), *text = json_dumps(root, JSON_INDENT(4));
    int32_t code = parent && text ? wci_dir_make(parent, 0700, err) : wci_err_nomem(err);
    if (!code)
        code = wci_file_write_atomic(path, text, strlen(text), 0600, 1, err);
    for (volatile char *p = text; p && *p; p++)
        *p = '\0';
    free(text);
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
    json_decref(k->root);
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
static const char *key_of(const char *host)
{
    return !strcmp(host, "docker.io") ? "https://index.docker.io/v1/" : host;
}

static const char *helper_of(const keeping *k, const char *host)
{
    json_t *own = json_object_get(json_object_get(k->root, "credHelpers"), host);
    const char *name = json_string_value(own ? own : json_object_get(k->root, "credsStore"));
    return name && *name ? name : NULL;
}

static json_t *auths_of(keeping *k)
{
    json_t *auths = json_object_get(k->root, "auths");
    if (json_is_object(auths))
        return auths;
    auths = json_object();
    return json_object_set_new(k->root, "auths", auths) ? NULL : auths;
}

static int32_t set_entry(keeping *k, const char *host, json_t *entry, wc_error **err)
{
    json_t *auths = auths_of(k);
    if (!auths || !entry) {
        json_decref(entry);
        return wci_err_nomem(err);
    }
    if (json_object_set_new(auths, key_of(host), entry))
        return wci_err_nomem(err);
    return write_root(k->path, k->root, err);
}

static json_t *plain_entry(const wci_credentials *c)
{
    char *pair = wci_asprintf("%s:%s", c->username, c->password);
    char *coded = pair ? wci_base64_encode(pair, strlen(pair)) : NULL;
    json_t *entry = coded ? json_pack("{s:s}", "auth", coded) : NULL;
    wci_secret_free(pair);
    wci_secret_free(coded);
    return entry;
}

static int32_t keep(wc_call *call, keeping *k, const char *host, const wci_credentials *c, wc_error **err)
{
    const char *helper = helper_of(k, host);
    if (!helper)
        return set_entry(k, host, plain_entry(c), err);
    int32_t code = wci_helper_store(call, helper, host, c, err);
    return code ? code : set_entry(k, host, json_object(), err);
}

int32_t wci_login(wc_call *call, const wci_registry_config *config, const char *host, wc_error **err)
{
    const wci_credentials given = {.username = (char *)(uintptr_t)config->username,
                                   .password = (char *)(uintptr_t)config->password};
    keeping k;
    if (strchr(config->username, ':'))
        return wci_err(err, WC_E_INVALID, "registry '%s': a user name cannot hold ':'", host);
    int32_t code = try_login(call, config, host, err);
    if (!code)
        code = open_keeping(call, config, &k, err);
    if (code)
        return code;
    code = keep(call, &k, host, &given, err);
    close_keeping(&k);
    return code;
}

static int32_t forget(wc_call *call, keeping *k, const char *host, wc_error **err)
{
    json_t *auths = json_object_get(k->root, "auths");
    const char *helper = helper_of(k, host);
    int had = json_object_get(auths, key_of(host)) || json_object_get(auths, host);
    if (!had)
        return wci_err(err, WC_E_NOT_FOUND, "registry '%s': there is no login in '%s'", host, k->path);
    int32_t code = helper ? wci_helper_erase(call, helper, host, err) : WC_OK;
    if (code)
        return code;
    json_object_del(auths, key_of(host));
    json_object_del(auths, host);
    return write_root(k->path, k->root, err);
}

int32_t wci_logout(wc_call *call, const wci_registry_config *config, const char *host, wc_error **err)
{
    keeping k;
    int32_t code = open_keeping(call, config, &k, err);
    if (code)
        return code;
    code = forget(call, &k, host, err);
    close_keeping(&k);
    return code;
}

int32_t wci_login_user(wc_call *call, const wci_registry_config *config, const char *host, char **out, wc_error **err)
{
    wci_credentials c = WCI_CREDENTIALS_INIT;
    *out = NULL;
    int32_t code = wci_credentials_find(config->auth_file, host, "", &c, err);
    if (!code && c.helper)
        code = wci_helper_get(call, c.helper, host, &c, err);
    if (!code && c.username && !(*out = wci_strdup(c.username)))
        code = wci_err_nomem(err);
    wci_credentials_free(&c);
    return code;
}
