/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the library that started us: the request comes in, the report goes out. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/joins.h"
#include "backend/process/linux/helper/userns.h"
#include "backend/process/linux/helper/volumes.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/process.h"

static int32_t read_whole(void *data, size_t size, wc_error **err)
{
    char *at = data;
    while (size) {
        ssize_t n = read(HELPER_LINK, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return wci_err(err, WC_E_CLOSED, "wc-helper: the library went away");
        at += n;
        size -= (size_t)n;
    }
    return WC_OK;
}

/* One frame of the expected type as owned text. */
static int32_t read_frame(int expect, char **text, wc_error **err)
{
    unsigned char header[WCI_FRAME_HEADER];
    int32_t rc = read_whole(header, sizeof header, err);
    if (rc)
        return rc;
    uint32_t size = wci_get_u32(header);
    if (header[4] != expect || size > WCI_FRAME_MAX)
        return wci_err(err, WC_E_VERSION, "wc-helper: frame type %d of %lu bytes, expected type %d",
                       header[4], (unsigned long)size, expect);
    char *data = wci_malloc((size_t)size + 1);
    if (!data)
        return wci_err_nomem(err);
    rc = read_whole(data, size, err);
    if (rc) {
        wci_free(data);
        return rc;
    }
    data[size] = '\0';
    *text = data;
    return WC_OK;
}

static char *take_text(json_t *document, const char *key)
{
    const char *value = json_string_value(json_object_get(document, key));
    return value ? wci_strdup(value) : NULL;
}

static int64_t take_number(json_t *document, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(document, key));
}

/* An object of which only one part of us knows what is in it. */
static char *take_object(json_t *document, const char *key)
{
    json_t *value = json_object_get(document, key);
    return json_is_object(value) ? wci_json_dump_text(value) : NULL;
}

static int32_t fill_request(json_t *document, request *out, wc_error **err)
{
    static const char what[] = "request to wc-helper";
    if (take_number(document, "version") > WCI_PROTOCOL_VERSION)
        return wci_err(err, WC_E_VERSION,
                       "wc-helper: the library speaks protocol %lld, this helper %d; install the "
                       "helper that belongs to the library",
                       (long long)take_number(document, "version"), WCI_PROTOCOL_VERSION);
    out->id = take_text(document, "id");
    out->process_id = take_text(document, "processId");
    out->run_dir = take_text(document, "runDir");
    out->state_dir = take_text(document, "stateDir");
    out->store_root = take_text(document, "storeRoot");
    out->run_root = take_text(document, "runRoot");
    out->runtime = take_text(document, "runtime");
    out->what = take_text(document, "what");
    out->path = take_text(document, "path");
    out->program = take_text(document, "program");
    out->cgroup = take_text(document, "cgroup");
    if (!out->cgroup && out->id) /* the library is older */
        out->cgroup = wci_strdup(wci_cgroup_of(out->id, NULL).path);
    out->network = take_object(document, "network");
    out->log_fields = take_object(document, "logFields");
    out->generation = take_number(document, "generation");
    out->log_max_bytes = take_number(document, "logMaxBytes");
    out->log_max_files = take_number(document, "logMaxFiles");
    out->pid = take_number(document, "pid");
    out->pid_start = take_number(document, "pidStart");
    out->attach = (uint32_t)take_number(document, "attach");
    out->tty = json_is_true(json_object_get(document, "tty"));
    out->open_stdin = json_is_true(json_object_get(document, "openStdin"));
    out->auto_remove = json_is_true(json_object_get(document, "autoRemove"));
    out->read_only_root = json_is_true(json_object_get(document, "readOnlyRoot"));
    out->needs_apparmor = json_is_true(json_object_get(document, "apparmorDefault"));
    out->systemd_cgroup = json_is_true(json_object_get(document, "systemdCgroup"));
    out->settings = json_incref(json_object_get(document, "settings"));
    int32_t rc = wci_json_get_strings(document, "layers", what, &out->layers, err);
    if (!rc)
        rc = joins_read(json_object_get(document, "joins"), out, err);
    if (!rc)
        rc = userns_read(out->settings, out, err);
    return rc ? rc : volumes_read(json_object_get(document, "storage"), out, err);
}

int32_t request_read(int with_config, request *out, wc_error **err)
{
    char *text = NULL;
    json_t *document = NULL;
    memset(out, 0, sizeof *out);
    fcntl(HELPER_LINK, F_SETFD, FD_CLOEXEC);
    int32_t rc = read_frame(WCI_FRAME_REQUEST, &text, err);
    if (!rc)
        rc = wci_json_parse(text, strlen(text), WCI_FRAME_MAX, "request to wc-helper", &document,
                            err);
    if (!rc)
        rc = fill_request(document, out, err);
    json_decref(document);
    wci_free(text);
    if (!rc && with_config)
        rc = read_frame(WCI_FRAME_CONFIG, &out->config, err);
    return rc;
}

void request_free_config(request *req)
{
    wci_free(req->config);
    req->config = NULL;
    json_decref(req->settings);
    req->settings = NULL;
}

void request_free(request *req)
{
    char *const texts[] = {req->id,       req->process_id, req->run_dir, req->state_dir,
                           req->store_root, req->run_root, req->runtime, req->what,
                           req->path,     req->program,    req->config,  req->cgroup, req->network, req->log_fields};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wci_free(texts[i]);
    json_decref(req->settings);
    wci_strv_free(&req->layers);
    joins_free(req);
    userns_free(req);
    volumes_free(req);
}

/* Most reports fit into the empty socket. */
static void send_all(const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(HELPER_LINK, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){HELPER_LINK, POLLOUT, 0}, 1, -1);
        else if (n < 0 && errno != EINTR)
            return;
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void send_report(json_t *report)
{
    char *text = report ? wci_json_dump_text(report) : NULL;
    json_decref(report);
    if (!text)
        return;
    size_t size = strlen(text);
    unsigned char header[WCI_FRAME_HEADER];
    wci_frame_header(header, WCI_FRAME_REPORT, 0, (uint32_t)size);
    /* Nobody to read it is no fault. */
    if (send(HELPER_LINK, header, sizeof header, MSG_NOSIGNAL) > 0)
        send_all(text, size);
    wci_free(text);
}

void report_ok(int64_t pid, uint32_t flags, const char *text)
{
    send_report(json_pack("{s:i, s:i, s:I, s:i, s:s?}", "version", WCI_PROTOCOL_VERSION, "code", 0,
                          "pid", (json_int_t)pid, "flags", (int)flags, "text", text));
}

json_t *outcome_json(const wc_error *err)
{
    wc_buf *message = NULL;
    if (err)
        wc_error_format(err, &message);
    json_t *json = json_pack("{s:i, s:i, s:i, s:I, s:s?}", "version", WCI_PROTOCOL_VERSION, "code",
                             err ? wc_error_code(err) : WC_OK, "domain", err ? wc_error_domain(err) : 0, "native",
                             (json_int_t)(err ? wc_error_native(err) : 0), "message",
                             message ? wc_buf_data(message) : NULL);
    wc_buf_unref(message);
    return json;
}

void report_error(const wc_error *err)
{
    json_t *report = outcome_json(err);
    if (!err)
        json_object_set_new(report, "code", json_integer(WC_E_INTERNAL));
    send_report(report);
}

static int library = HELPER_LINK;

void link_given_away(void)
{
    library = -1;
}

void link_close(void)
{
    link_given_away();
    close(HELPER_LINK);
}

void link_take(int fd)
{
    dup2(fd, HELPER_LINK);
    fcntl(HELPER_LINK, F_SETFD, FD_CLOEXEC);
    wci_process_close_from(HELPER_LINK + 1);
    library = HELPER_LINK;
}

int link_fd(void)
{
    return library;
}

int link_cancelled(void)
{
    unsigned char header[WCI_FRAME_HEADER];
    ssize_t n = library < 0 ? -1 : recv(library, header, sizeof header, MSG_DONTWAIT | MSG_PEEK);
    return n == (ssize_t)sizeof header && header[4] == WCI_FRAME_CANCEL;
}
