/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/docker_engine.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "registry/http.h"

#define USUAL_SOCKET "/var/run/docker.sock"
#define MAX_ANSWER ((size_t)4 << 20)
/* An engine packs for a while before the first byte comes. */
#define STALL_MS 600000

struct wci_docker_engine {
    char *socket;
    wci_http *http;
};

static int32_t find_socket(char **out, wc_error **err)
{
    const char *host = wci_host_env("DOCKER_HOST");
    if (host && *host && !wci_starts_with(host, "unix://"))
        return wci_err(err, WC_E_UNSUPPORTED, "docker: DOCKER_HOST '%.80s': only unix:// is supported", host);
    *out = wci_strdup(host && *host ? host + strlen("unix://") : USUAL_SOCKET);
    if (!*out)
        return wci_err_nomem(err);
    if (wci_file_exists(*out))
        return WC_OK;
    int32_t code = wci_err(err, WC_E_MISSING, "docker: no engine listens on '%s'; start it, or set DOCKER_HOST", *out);
    wci_free(*out);
    *out = NULL;
    return code;
}

int32_t wci_docker_engine_open(wc_call *call, wci_docker_engine **out, wc_error **err)
{
    const wci_http_options options = {
        .tls_verify = 1, .stall_ms = STALL_MS, .connections = 1, .wake = wci_call_cancel_fd(call)};
    wci_docker_engine *engine = wci_calloc(1, sizeof *engine);
    if (!engine)
        return wci_err_nomem(err);
    int32_t code = find_socket(&engine->socket, err);
    if (!code)
        code = wci_http_new(&options, &engine->http, err);
    if (code)
        wci_docker_engine_close(engine);
    else
        *out = engine;
    return code;
}

void wci_docker_engine_close(wci_docker_engine *engine)
{
    if (!engine)
        return;
    wci_http_free(engine->http);
    wci_free(engine->socket);
    wci_free(engine);
}

/* ---- One request -------------------------------------------------------------------------------- */

typedef struct exchange {
    wc_call *call;
    wci_url url;
    wci_http_request request;
    wci_fd file;
    uint64_t size, done; /* of the file */
} exchange;

static int32_t open_exchange(exchange *x, wc_call *call, const wci_docker_engine *engine, const char *path,
                             wc_error **err)
{
    char *text = path ? wci_asprintf("http://docker%s", path) : NULL;
    memset(x, 0, sizeof *x);
    int32_t code = text ? wci_url_parse(text, NULL, &x->url, err) : wci_err_nomem(err);
    wci_free(text);
    x->call = call;
    x->request.url = &x->url;
    x->request.owner = x;
    x->request.local_socket = engine->socket;
    x->request.max_body = MAX_ANSWER;
    return code;
}

static void close_exchange(exchange *x)
{
    wci_http_request_clear(&x->request);
    wci_url_free(&x->url);
}

/* {"message": "…"}, the engine's own words. */
static int32_t status_error(const exchange *x, const char *what, wc_error **err)
{
    const wci_http_request *r = &x->request;
    json_t *root = r->body.size ? json_loadb(r->body.data, r->body.size, 0, NULL) : NULL;
    const char *message = json_string_value(json_object_get(root, "message"));
    char shown[WCI_SHOWN_SIZE];
    wci_show(message ? message : "it says not why", shown);
    int32_t code = wci_err_native(err, r->status == 404 ? WC_E_NOT_FOUND : WC_E_RUNTIME, WC_DOMAIN_HTTP, r->status,
                                  "docker: %s: HTTP %ld: %s", what, r->status, shown);
    json_decref(root);
    return code;
}

static int32_t run(exchange *x, const wci_docker_engine *engine, const char *what, wc_error **err)
{
    int32_t code = wci_http_run(x->call, engine->http, &x->request, err);
    if (!code && x->request.code) {
        code = x->request.code;
        wci_err_move(err, x->request.why);
        x->request.why = NULL;
    }
    if (code)
        return wci_err_wrap(err, code, "docker: %s", what);
    return x->request.status >= 200 && x->request.status < 300 ? WC_OK : status_error(x, what, err);
}

/* ---- Out of it ---------------------------------------------------------------------------------- */

static int32_t begin(wci_http_request *request, wc_error **err)
{
    (void)request;
    (void)err;
    return WC_OK;
}

static int32_t take(wci_http_request *request, const void *data, size_t size, wc_error **err)
{
    exchange *x = request->owner;
    x->done += size;
    int32_t code = wci_fd_write(x->file, data, size, err);
    return code ? code : wci_call_report(x->call, WC_PROGRESS_DOWNLOAD, "docker", (int64_t)x->done, -1, NULL, err);
}

int32_t wci_docker_engine_save(wc_call *call, wci_docker_engine *engine, const char *name, wci_fd to, wc_error **err)
{
    exchange x;
    char *path = wci_asprintf("/images/%s/get", name), *what = wci_asprintf("saving '%s'", name);
    int32_t code = path && what ? open_exchange(&x, call, engine, path, err) : wci_err_nomem(err);
    if (!code) {
        x.file = to;
        x.request.begin = begin;
        x.request.sink = take;
        code = run(&x, engine, what, err);
        close_exchange(&x);
    }
    wci_free(path);
    wci_free(what);
    return code;
}

/* ---- Into it ------------------------------------------------------------------------------------ */

static int32_t give(wci_http_request *request, void *data, size_t size, size_t *got, wc_error **err)
{
    exchange *x = request->owner;
    uint64_t left = x->size - x->done;
    int32_t code = wci_fd_pread(x->file, data, size < left ? size : (size_t)left, x->done, got, err);
    x->done += code ? 0 : *got;
    return code ? code
                : wci_call_report(x->call, WC_PROGRESS_UPLOAD, "docker", (int64_t)x->done, (int64_t)x->size, NULL, err);
}

static void give_again(wci_http_request *request)
{
    ((exchange *)request->owner)->done = 0;
}

int32_t wci_docker_engine_check_load(const char *text, size_t size, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    for (size_t at = 0; at < size;) {
        json_error_t where;
        json_t *line = json_loadb(text + at, size - at, JSON_DISABLE_EOF_CHECK, &where);
        const char *error = json_string_value(json_object_get(line, "error"));
        if (error)
            wci_show(error, shown);
        int failed = error != NULL, ended = !line || where.position <= 0;
        at += ended ? 0 : (size_t)where.position;
        json_decref(line);
        if (failed)
            return wci_err(err, WC_E_RUNTIME, "docker: loading: %s", shown);
        if (ended)
            break;
    }
    return WC_OK;
}

int32_t wci_docker_engine_load(wc_call *call, wci_docker_engine *engine, wci_fd from, uint64_t size, wc_error **err)
{
    exchange x;
    int32_t code = open_exchange(&x, call, engine, "/images/load?quiet=1", err);
    if (code)
        return code;
    x.file = from;
    x.size = size;
    x.request.method = "POST";
    x.request.source = give;
    x.request.rewind = give_again;
    x.request.source_size = size;
    if (wci_strv_add(&x.request.headers, "Content-Type: application/x-tar"))
        code = wci_err_nomem(err);
    if (!code)
        code = run(&x, engine, "loading", err);
    if (!code)
        code = wci_docker_engine_check_load(x.request.body.data, x.request.body.size, err);
    close_exchange(&x);
    return code;
}
