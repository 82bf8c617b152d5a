/* SPDX-License-Identifier: Apache-2.0 */
/* A further process, asked for on the container's own socket. A fork of its monitor, small and started long ago, becomes
 * the monitor of that process and has the client's connection from there on; what goes wrong in it touches nobody else.
 * It is in whatever namespaces the container's monitor is in, a user namespace as well as any other. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "backend/process/linux/bundle.h"
#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/monitor.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* Nothing that ends takes so long. */
#define WAIT_MS 5000

/* The monitor of one. */
typedef struct further {
    loop_child child;
    monitor *monitor;
    char *run_dir;
    struct further *next;
} further;

static int32_t check_running(const monitor *m, wc_error **err)
{
    if (m->session.process.pid > 0 && !m->session.ended && !m->is_paused && !m->is_waiting)
        return WC_OK;
    return wci_err(err, WC_E_STATE, "container '%s': does not run", m->req->id);
}

static int is_id(const char *text)
{
    return text && *text && *text != '.' && !strchr(text, '/');
}

static char *copy(const char *text)
{
    return text ? wci_strdup(text) : NULL;
}

/* What of the request the container's monitor knows itself. */
static int32_t fill_from_monitor(const monitor *m, request *out, wc_error **err)
{
    const request *req = m->req;
    out->id = copy(req->id);
    out->run_root = copy(req->run_root);
    out->store_root = copy(req->store_root);
    out->runtime = copy(req->runtime);
    out->cgroup = copy(req->cgroup);
    out->run_dir = wci_path_join3(req->run_dir, WCI_RUN_EXEC, out->process_id);
    out->pid = m->session.process.pid;
    return out->id && out->run_root && out->store_root && out->runtime && out->cgroup && out->run_dir ? WC_OK : wci_err_nomem(err);
}

static int32_t fill(const monitor *m, json_t *document, request *out, wc_error **err)
{
    const char *id = json_string_value(json_object_get(document, "processId"));
    const char *process = json_string_value(json_object_get(document, "process"));
    if (!is_id(id) || !process)
        return wci_err(err, WC_E_FORMAT, "request for a further process: without a process or its id");
    out->attach = (uint32_t)json_integer_value(json_object_get(document, "attach"));
    out->tty = json_is_true(json_object_get(document, "tty"));
    out->open_stdin = json_is_true(json_object_get(document, "openStdin"));
    out->process_id = wci_strdup(id);
    int32_t rc = out->process_id ? fill_from_monitor(m, out, err) : wci_err_nomem(err);
    return rc ? rc : wci_bundle_process(process, &out->config, err);
}

static int32_t read_request(const monitor *m, const char *data, size_t size, request *out, wc_error **err)
{
    json_t *document = NULL;
    int32_t rc = wci_json_parse(data, size, WCI_FRAME_STREAM_MAX, "request for a further process", &document, err);
    if (!rc)
        rc = fill(m, document, out, err);
    json_decref(document);
    return rc;
}

/* ---- Those that there are ----------------------------------------------------------------------- */

static void forget(further *one)
{
    for (further **at = &one->monitor->further; *at; at = &(*at)->next)
        if (*at == one) {
            *at = one->next;
            break;
        }
    wci_free(one->run_dir);
    wci_free(one);
}

static void ended(void *owner, int status)
{
    (void)status;
    forget(owner);
}

/* The directory is taken over. */
static void remember(monitor *m, further *one, pid_t pid, char **run_dir)
{
    *one = (further){.child = {pid, ended, one, NULL}, .monitor = m, .run_dir = *run_dir, .next = m->further};
    *run_dir = NULL;
    m->further = one;
    loop_add_child(&m->session.loop, &one->child);
}

/* The container's locks are open here, too: they have to go before anything else. */
static _Noreturn void become_monitor(int fd, request *req)
{
    link_take(fd);
    setsid();
    _exit(exec_main(req));
}

int32_t exec_take(void *owner, int fd, const char *data, size_t size, wc_error **err)
{
    monitor *m = owner;
    request req = {0};
    int32_t rc = check_running(m, err);
    if (!rc)
        rc = read_request(m, data, size, &req, err);
    further *one = rc ? NULL : wci_calloc(1, sizeof *one);
    if (!rc && !one)
        rc = wci_err_nomem(err);
    pid_t pid = rc ? 0 : fork();
    if (!rc && pid == 0)
        become_monitor(fd, &req);
    if (pid < 0)
        rc = wci_err_errno(err, errno, "further process: its monitor cannot be started");
    if (rc)
        wci_free(one);
    else
        remember(m, one, pid, &req.run_dir);
    request_free(&req);
    return rc;
}

/* ---- The end ------------------------------------------------------------------------------------ */

/* They hold their locks until all is written; what their readers still have to take does not count. */
static void wait_for(const further *one)
{
    char *lock = wci_path_join(one->run_dir, WCI_RUN_LOCK);
    for (int ms = 0; lock && ms < WAIT_MS && wci_lock_is_held(lock); ms++)
        poll(NULL, 0, 1);
    wci_free(lock);
}

void exec_wait_for_all(monitor *m)
{
    while (m->further) {
        wait_for(m->further);
        loop_remove_child(&m->session.loop, &m->further->child);
        forget(m->further);
    }
}
