/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor of one container: mounts its root, has the runtime start it, stays beside it until
 * it ends, writes down how, and takes away what it left. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/helper/failure.h"
#include "backend/process/linux/helper/overlay.h"
#include "backend/process/linux/helper/record.h"
#include "backend/process/linux/helper/session.h"
#include "backend/process/linux/helper/volumes.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"

#define LOCK_WAIT_MS 30000

typedef struct monitor {
    request *req;
    wci_lock *lock;
    wci_lock *mount_lock;
    char *runtime_root;
    session session;
} monitor;

/* An earlier monitor may be about to end, a cp may have the root mounted. */
static int32_t lock_file(const char *name, wci_lock **lock, wc_error **err)
{
    for (int waited = 0;; waited += 2) {
        int32_t rc = wci_lock_try(name, WCI_LOCK_EXCLUSIVE, lock, err);
        if (rc != WC_E_BUSY || waited >= LOCK_WAIT_MS)
            return rc;
        if (link_cancelled())
            return rc;
        wci_err_clear(err);
        poll(NULL, 0, 2);
    }
}

static int32_t enter_run_dir(monitor *m, wc_error **err)
{
    const char *dir = m->req->run_dir;
    int32_t rc = wci_dir_make(dir, 0700, err);
    if (!rc)
        rc = overlay_enter(dir, err);
    if (!rc && chdir(dir) != 0)
        rc = wci_err_errno(err, errno, "directory '%s'", dir);
    if (!rc)
        rc = lock_file(WCI_RUN_LOCK, &m->lock, err);
    if (!rc)
        rc = lock_file(WCI_RUN_MOUNT_LOCK, &m->mount_lock, err);
    return rc;
}

/* What a monitor that was killed left, and what tells of the last run. */
static int32_t clear_remains(monitor *m, wc_error **err)
{
    char *state = wci_path_join(m->runtime_root, m->req->id);
    int32_t rc = state ? WC_OK : wci_err_nomem(err);
    wci_run_wait_for_runtime(m->req->run_dir);
    if (!rc && wci_cgroup_exists(m->req->id))
        rc = wci_cgroup_remove(m->req->id, err);
    if (!rc && wci_file_exists(state))
        rc = wci_dir_remove_all(state, err);
    wci_free(state);
    unlink(WCI_RUN_STATE);
    unlink(WCI_RUN_EXIT);
    if (!rc && wci_file_exists(WCI_RUN_EXEC))
        rc = wci_dir_remove_all(WCI_RUN_EXEC, err);
    return rc;
}

/* runc makes links and devices below the root's /dev before it enters that root: an image whose /dev is a
 * link would have it write, and delete, where the link leads on the host. */
static int32_t check_dev(wc_error **err)
{
    struct stat st;
    if (lstat(WCI_RUN_ROOTFS "/dev", &st) != 0 || S_ISDIR(st.st_mode))
        return WC_OK; /* what is missing is made */
    return wci_err(err, WC_E_INVALID,
                   "image: its '/dev' is %s instead of a directory; it may mean harm, do not run it",
                   S_ISLNK(st.st_mode) ? "a symbolic link" : "a file");
}

static int32_t prepare(monitor *m, wc_error **err)
{
    request *req = m->req;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    m->runtime_root = wci_path_join(req->run_root, "runtime");
    if (!m->runtime_root)
        return wci_err_nomem(err);
    int32_t rc = enter_run_dir(m, err);
    if (!rc)
        rc = clear_remains(m, err);
    if (!rc)
        rc = overlay_mount(req, err);
    if (!rc)
        rc = check_dev(err);
    if (!rc)
        rc = volumes_fill(req, err);
    if (!rc)
        rc = wci_file_write_atomic("config.json", req->config, strlen(req->config), 0600, 0, err);
    request_free_config(req);
    if (!rc)
        rc = log_open(req->state_dir, req->log_max_bytes, req->log_max_files, &m->session.log, err);
    return rc;
}

static int32_t start(monitor *m, wc_error **err)
{
    const char *argv[] = {m->req->runtime, "--root",  m->runtime_root, "--log",
                          RUNTIME_LOG,     "--log-format", "json",     "run",
                          "--detach",      "--pid-file",   "pid",      NULL,
                          NULL,            NULL,           NULL};
    int n = 11;
    if (m->req->tty) {
        argv[n++] = "--console-socket";
        argv[n++] = "console.sock";
    }
    argv[n] = m->req->id;
    return launch(m->req, argv, m->session.signals, 0, &m->session.process, err);
}

static int32_t record_start(monitor *m, wci_store *store, wc_error **err)
{
    pid_t pid = m->session.process.pid;
    int64_t now = wci_now_ns();
    int32_t rc = record_run(m->req, pid, now, err);
    return rc ? rc : record_started(store, m->req, pid, now, err);
}

/* The store is opened before the runtime works, so that a store that cannot be opened costs
 * nothing. */
static int32_t start_and_record(monitor *m, wc_error **err)
{
    wci_store *store = NULL;
    int32_t rc = record_open(m->req, &store, err);
    if (!rc)
        rc = start(m, err);
    if (!rc)
        rc = record_start(m, store, err);
    wci_store_unref(store);
    return rc;
}

/* Everything of this run except its records. */
static void take_away(monitor *m)
{
    char *state = wci_path_join(m->runtime_root, m->req->id);
    (void)wci_cgroup_remove(m->req->id, NULL);
    if (state)
        (void)wci_dir_remove_all(state, NULL);
    wci_free(state);
    overlay_unmount(m->req->run_dir);
    unlink("config.json");
    unlink(RUNTIME_LOG);
    unlink("pid");
}

static void give_up(monitor *m, const wc_error *err)
{
    if (m->session.process.pid > 0) {
        kill(m->session.process.pid, SIGKILL);
        reap(m->session.process.pid);
    }
    if (m->mount_lock) { /* before that nothing was made */
        take_away(m);
        unlink(WCI_RUN_STATE);
        unlink(WCI_RUN_SOCKET);
    }
    log_close(m->session.log);
    wci_lock_release(m->mount_lock);
    wci_lock_release(m->lock);
    report_error(err);
}

/* --rm: as `rm` does it, whoever is there to see it. */
static void remove_container(monitor *m, wci_store *store)
{
    const request *req = m->req;
    if (wci_dir_remove_all(req->state_dir, NULL) || wci_container_delete(store, req->id, NULL))
        return; /* the row stays, so that it can be removed later */
    if (chdir("/") == 0)
        (void)wci_dir_remove_all(req->run_dir, NULL);
}

/* Everything is recorded and gone before anybody hears of the end. */
static void conclude(monitor *m)
{
    session *s = &m->session;
    const request *req = m->req;
    wci_store *store = NULL;
    int oom_killed = s->exit_code == 128 + SIGKILL && wci_cgroup_oom_killed(req->id);
    log_close(s->log);
    take_away(m);
    (void)record_end(req, s->exit_code, s->finished_ns, NULL);
    if (!record_open(req, &store, NULL))
        (void)record_exited(store, req, s->exit_code, s->finished_ns, oom_killed, NULL);
    wci_lock_release(m->mount_lock);
    if (store && record_says_remove(store, req))
        remove_container(m, store);
    wci_store_unref(store);
    session_finish(s);
    wci_lock_release(m->lock);
}

static void stay(monitor *m)
{
    report_ok(m->session.process.pid, session_flags(&m->session), NULL);
    session_adopt_link(&m->session, m->req->attach);
    malloc_trim(0); /* from here on there may be hundreds of us, for months */
    session_run(&m->session);
    conclude(m);
}

int monitor_main(request *req)
{
    monitor m = {.req = req};
    wc_error *err = NULL;
    int32_t rc = session_init(&m.session, req->tty, &err);
    if (!rc)
        rc = prepare(&m, &err);
    if (!rc)
        rc = session_listen(&m.session, &err);
    if (!rc)
        rc = start_and_record(&m, &err);
    if (rc)
        give_up(&m, err);
    else
        stay(&m);
    wc_error_unref(err);
    wci_free(m.runtime_root);
    return rc != 0;
}
