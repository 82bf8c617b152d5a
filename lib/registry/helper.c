/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/helper.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/secret.h"
#include "platform/host.h"
#include "platform/process.h"

#define MAX_ANSWER ((size_t)1 << 20)
#define ANSWER_MS 60000
#define NOT_FOUND "credentials not found in native keychain"

/* The Hub's oldest name is the one that everybody stores under. */
static const char *server_of(const char *host)
{
    return !strcmp(host, "docker.io") ? "https://index.docker.io/v1/" : host;
}

/* Names come from files: nothing but a program of that kind can be meant. */
static int32_t find_program(const char *name, char **out, wc_error **err)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (!n || name[n])
        return wci_err(err, WC_E_INVALID, "credential helper '%.80s': is no name of one", name);
    char *program = wci_asprintf("docker-credential-%s", name);
    if (!program)
        return wci_err_nomem(err);
    *out = wci_host_find_program(program);
    int32_t code = *out ? WC_OK
                        : wci_err(err, WC_E_MISSING,
                                  "credential helper '%s': the program '%s' is not installed; install it, or take the "
                                  "helper out of the credentials file",
                                  name, program);
    wci_free(program);
    return code;
}

/* ---- Running one ------------------------------------------------------------------------------------ */

/* *ours is its standard input and output, both in one. */
static int32_t start(const char *program, const char *action, wci_fd *ours, wc_error **err)
{
    const char *argv[] = {program, action, NULL};
    wci_fd theirs = WCI_FD_NONE;
    char **env = wci_host_environment();
    int32_t code = env ? wci_pair(ours, &theirs, err) : wci_err_nomem(err);
    if (!code) {
        const wci_spawn_fd fds[] = {{theirs, 0}, {theirs, 1}};
        code = wci_spawn_helper(argv, (const char *const *)env, fds, 2, err);
    }
    wci_host_environment_free(env);
    wci_fd_close(theirs);
    return code;
}

/* One that fails early may not listen to the end: its answer tells more than that. */
static int32_t say(const wc_call *call, wci_fd to, const char *text, wc_error **err)
{
    size_t size = strlen(text);
    int32_t code = wci_fd_set_nonblocking(to, err);
    while (!code && size) {
        wci_poll_item item = {to, WCI_POLL_WRITE, 0};
        size_t put = 0;
        int ready = 0;
        code = wci_poll(call, &item, 1, ANSWER_MS, &ready, err);
        if (!code && !ready)
            code = wci_err(err, WC_E_TIMEOUT, "it does not listen");
        if (!code)
            code = wci_fd_write_some(to, text, size, &put, err);
        text += put;
        size -= put;
    }
    if (code && code != WC_E_CLOSED)
        return code;
    wci_err_clear(err);
    (void)wci_fd_shutdown_write(to, NULL);
    return WC_OK;
}

static int32_t run(wc_call *call, const char *name, const char *action, const char *text, wc_buf **answer,
                   wc_error **err)
{
    wci_fd ours = WCI_FD_NONE;
    char *program = NULL;
    int32_t code = find_program(name, &program, err);
    if (code)
        return code;
    code = start(program, action, &ours, err);
    if (!code)
        code = say(call, ours, text, err);
    if (!code)
        code = wci_fd_read_to_end(call, ours, MAX_ANSWER, answer, err);
    wci_fd_close(ours);
    wci_free(program);
    return code ? wci_err_wrap(err, code, "credential helper '%s'", name) : WC_OK;
}

/* Its own words when it fails, of which only the first line is shown; not what looks as what we told it, which
 * holds the secret. */
static int32_t refused(const char *name, const char *text, wc_error **err)
{
    int n = strchr(text, '{') ? 0 : (int)strcspn(text, "\r\n");
    return wci_err(err, WC_E_AUTH, "credential helper '%s': fails%s%.*s; mend it or log in again", name,
                   n ? ": " : "", n > 200 ? 200 : n, text);
}

/* ---- What they do ----------------------------------------------------------------------------------- */

static int32_t take(json_t *answer, wci_credentials *out, wc_error **err)
{
    const char *user = json_string_value(json_object_get(answer, "Username"));
    const char *secret = json_string_value(json_object_get(answer, "Secret"));
    int failed = 0;
    if (!user || !secret)
        return wci_err(err, WC_E_FORMAT, "its answer has no 'Username' and 'Secret'");
    if (!strcmp(user, "<token>"))
        failed = wci_replace(&out->identity_token, secret);
    else
        failed = wci_replace(&out->username, user) || wci_replace(&out->password, secret);
    return failed ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_helper_take_answer(const char *name, const char *text, size_t size, wci_credentials *out, wc_error **err)
{
    json_t *json = json_loadb(text, size, 0, NULL);
    int32_t code = WC_OK;
    if (json_is_object(json)) {
        code = take(json, out, err);
        if (code)
            code = wci_err_wrap(err, code, "credential helper '%s'", name);
    } else if (memchr(text, '{', size)) { /* it may hold the secret all the same */
        code = wci_err(err, WC_E_FORMAT, "credential helper '%s': its answer is not JSON; log in again", name);
    } else if (!wci_starts_with(text, NOT_FOUND)) {
        code = refused(name, text, err);
    }
    wci_secret_json_free(json);
    return code;
}

int32_t wci_helper_get(wc_call *call, const char *name, const char *host, wci_credentials *out, wc_error **err)
{
    wc_buf *answer = NULL;
    int32_t code = run(call, name, "get", server_of(host), &answer, err);
    if (code)
        return code;
    code = wci_helper_take_answer(name, wc_buf_data(answer), wc_buf_size(answer), out, err);
    wc_buf_unref(answer);
    return code;
}

/* They say nothing when all went well. */
static int32_t tell(wc_call *call, const char *name, const char *action, const char *text, wc_error **err)
{
    wc_buf *answer = NULL;
    int32_t code = run(call, name, action, text, &answer, err);
    if (!code && wc_buf_size(answer) && !wci_starts_with(wc_buf_data(answer), NOT_FOUND))
        code = refused(name, wc_buf_data(answer), err);
    wc_buf_unref(answer);
    return code;
}

int32_t wci_helper_store(wc_call *call, const char *name, const char *host, const wci_credentials *credentials,
                         wc_error **err)
{
    int is_token = credentials->identity_token != NULL;
    json_t *json = json_pack("{s:s, s:s, s:s}", "ServerURL", server_of(host), "Username",
                             is_token ? "<token>" : credentials->username, "Secret",
                             is_token ? credentials->identity_token : credentials->password);
    char *text = wci_secret_json_dump(json, JSON_COMPACT);
    wci_secret_json_free(json);
    int32_t code = text ? tell(call, name, "store", text, err) : wci_err_nomem(err);
    wci_secret_free(text);
    return code;
}

int32_t wci_helper_erase(wc_call *call, const char *name, const char *host, wc_error **err)
{
    return tell(call, name, "erase", server_of(host), err);
}
