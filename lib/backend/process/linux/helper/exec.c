/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor of one further process in a running container: a fork of the container's monitor, see exec_here.c, or a
 * helper that the library has started. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backend/process/linux/helper/failure.h"
#include "backend/process/linux/helper/record.h"
#include "backend/process/linux/helper/session.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"

#define PROCESS_FILE "process.json"

/* For the runtime alone, which is started when all of it is there. */
static int32_t write_process(const char *text, wc_error **err)
{
    size_t size = strlen(text);
    int fd = open(PROCESS_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int failed = fd < 0 || write(fd, text, size) != (ssize_t)size, why = errno;
    if (fd >= 0)
        close(fd);
    return failed ? wci_err_errno(err, why ? why : ENOSPC, "file '%s'", PROCESS_FILE) : WC_OK;
}

static int32_t prepare(request *req, wci_lock **lock, wc_error **err)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    char *parent = wci_path_parent(req->run_dir);
    int32_t rc = parent ? wci_dir_make(parent, 0700, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_dir_make_new(req->run_dir, 0700, err);
    if (!rc && chdir(req->run_dir) != 0)
        rc = wci_err_errno(err, errno, "directory '%s'", req->run_dir);
    if (!rc)
        rc = wci_lock_try(WCI_RUN_LOCK, WCI_LOCK_EXCLUSIVE, lock, err);
    if (!rc)
        rc = write_process(req->config, err);
    request_free_config(req);
    wci_free(parent);
    return rc;
}

static int32_t start(const request *req, session *s, wc_error **err)
{
    char *root = wci_path_join(req->run_root, "runtime");
    const char *argv[] = {req->runtime, "--root",      root,        "--log",    RUNTIME_LOG,
                          "--log-format", "json",      "exec",      "--detach", "--pid-file",
                          "pid",        "--process",   PROCESS_FILE, NULL,      NULL,
                          NULL,         NULL};
    int n = 13;
    if (req->tty) {
        argv[n++] = "--console-socket";
        argv[n++] = "console.sock";
    }
    argv[n] = req->id;
    int32_t rc = root ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = launch(req, argv, s->loop.signals, req->attach ? 0 : LAUNCH_DROP_OUTPUT, &s->process, err);
    if (!rc)
        rc = record_run(req, s->process.pid, wci_now_ns(), err);
    wci_free(root);
    return rc;
}

static void give_up(const request *req, session *s, wci_lock *lock, const wc_error *err)
{
    if (s->process.pid > 0) {
        kill(s->process.pid, SIGKILL);
        reap(s->process.pid);
    }
    if (lock && chdir("/") == 0)
        (void)wci_dir_remove_all(req->run_dir, NULL);
    wci_lock_release(lock);
    report_error(err);
}

static void stay(const request *req, session *s)
{
    report_ok(s->process.pid, session_flags(s), NULL);
    unlink(PROCESS_FILE);
    unlink(RUNTIME_LOG);
    unlink("pid");
    session_adopt_link(s, req->attach);
    session_run(s);
    (void)record_end(req, s->exit_code, s->finished_ns, NULL);
    session_finish(s);
    record_process_died(req, s->exit_code); /* nobody waits for an event */
}

int exec_main(request *req)
{
    session s;
    wci_lock *lock = NULL;
    wc_error *err = NULL;
    int32_t rc = session_init(&s, req->tty, &err);
    if (!rc)
        rc = prepare(req, &lock, &err);
    if (!rc)
        rc = session_listen(&s, &err);
    if (!rc)
        rc = start(req, &s, &err);
    if (rc) {
        give_up(req, &s, lock, err);
    } else {
        stay(req, &s);
        wci_lock_release(lock);
        session_linger(&s);
    }
    wc_error_unref(err);
    return rc != 0;
}
