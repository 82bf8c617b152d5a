/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a container: mounts its root, has the runtime start it, writes down how it ended, and takes away what it
 * left. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/helper/apparmor.h"
#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/failure.h"
#include "backend/process/linux/helper/joins.h"
#include "backend/process/linux/helper/monitor.h"
#include "backend/process/linux/helper/network.h"
#include "backend/process/linux/helper/overlay.h"
#include "backend/process/linux/helper/record.h"
#include "backend/process/linux/helper/userns.h"
#include "backend/process/linux/helper/volumes.h"
#include "backend/process/linux/proc_read.h"
#include "backend/process/logs.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/process.h"

/* What a monitor that was killed left, and what tells of the last run. */
static int32_t clear_remains(monitor *m, wc_error **err)
{
    char *state = wci_path_join(m->runtime_root, m->req->id);
    int32_t rc = state ? WC_OK : wci_err_nomem(err);
    wci_run_wait_for_runtime(m->req->run_dir);
    if (!rc && wci_cgroup_exists(m->req->cgroup))
        rc = wci_cgroup_remove(m->req->cgroup, err);
    if (!rc && wci_file_exists(state))
        rc = wci_dir_remove_all(state, err);
    wci_free(state);
    if (!rc)
        rc = network_clear(m->network.host_mounts, err);
    if (!m->delay_ms) /* else it says that this is a restart */
        unlink(WCI_RUN_STATE);
    unlink(WCI_RUN_PAUSED);
    unlink(WCI_RUN_EXIT);
    if (wci_file_exists(WCI_RUN_EXEC)) /* who comes late for the last run may be at work there */
        (void)wci_dir_remove_all(WCI_RUN_EXEC, NULL);
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

/* The settings are there for the first run alone: it decides for all. */
static int32_t open_log(monitor *m, wc_error **err)
{
    const request *req = m->req;
    const char *driver = json_string_value(json_object_get(req->settings, "logDriver"));
    if (driver && !strcmp(driver, "none"))
        m->keeps_no_log = 1;
    if (m->keeps_no_log)
        return WC_OK;
    if (req->log_fields)
        return log_open_journal(WCI_JOURNAL_SOCKET, req->log_fields, &m->session.log, err);
    return log_open_file(req->state_dir, req->log_max_bytes, req->log_max_files, &m->session.log, err);
}

static void close_log(session *s)
{
    if (s->log)
        s->log->close(s->log);
    s->log = NULL;
    s->log_room = -1;
}

int32_t run_prepare(monitor *m, wc_error **err)
{
    const request *req = m->req;
    int32_t rc = clear_remains(m, err);
    if (!rc)
        rc = overlay_mount(req, err);
    if (!rc)
        rc = check_dev(err);
    if (!rc)
        rc = volumes_prepare(req, err);
    if (!rc)
        rc = joins_begin(req, err);
    if (!rc)
        rc = userns_shift_volumes(req, err);
    if (!rc)
        rc = userns_show_root(req, err);
    if (!rc)
        rc = network_begin(req, &m->network, err);
    if (!rc)
        rc = health_prepare(m, err);
    if (!rc)
        rc = apparmor_prepare(req, &m->jobs, err);
    if (!rc)
        rc = open_log(m, err);
    return rc;
}

static int32_t start(monitor *m, wc_error **err)
{
    static const char *const words[] = {"run", "--detach", "--pid-file", "pid"};
    const char *argv[16] = {m->req->runtime, "--root", m->runtime_root, "--log", RUNTIME_LOG, "--log-format", "json"};
    int n = 7;
    if (m->req->systemd_cgroup)
        argv[n++] = "--systemd-cgroup";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        argv[n++] = words[i];
    if (m->req->tty) {
        argv[n++] = "--console-socket";
        argv[n++] = "console.sock";
    }
    argv[n] = m->req->id;
    return launch(m->req, argv, m->session.loop.signals, LAUNCH_TELL_OF_RUNTIME, &m->session.process, err);
}

static int32_t record_start(monitor *m, wci_store *store, wc_error **err)
{
    pid_t pid = m->session.process.pid;
    m->namespace = *m->req->cgroup ? -1 : wci_proc_open_namespace(pid);
    int64_t now = wci_now_ns();
    int32_t rc = record_run(m->req, pid, now, err);
    return rc ? rc : record_started(store, m->req, pid, now, m->health.is_on, err);
}

/* The store is opened before the runtime works, so that a store that cannot be opened costs
 * nothing. */
int32_t run_start(monitor *m, wc_error **err)
{
    wci_store *store = NULL;
    int32_t rc = record_open(m->req, &store, err);
    oom_prepare(&m->oom, m->req->systemd_cgroup ? m->req->cgroup : NULL);
    if (!rc)
        rc = start(m, err);
    if (!rc)
        oom_begin(&m->oom, &m->session.loop);
    if (!rc)
        rc = record_start(m, store, err);
    if (!rc && !m->index_lock)
        (void)wci_store_keep_index(store, &m->index_lock, NULL); /* only slower without */
    m->started_ms = monotonic_ms();
    m->is_killed = 0;
    wci_store_unref(store);
    return rc;
}

int run_is_over(const monitor *m)
{
    siginfo_t info = {.si_pid = 0};
    const session *s = &m->session;
    return s->ended || s->process.pid <= 0 ||
           waitid(P_PID, (id_t)s->process.pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0 ||
           !wci_process_goes_on(s->process.pid, wci_host_process_start(s->process.pid));
}

void run_take_away(monitor *m)
{
    oom_end(&m->oom, &m->session.loop);
    char *state = wci_path_join(m->runtime_root, m->req->id);
    (void)wci_cgroup_remove(m->req->cgroup, NULL);
    wci_proc_end_namespace(m->namespace);
    m->namespace = -1;
    if (state)
        (void)wci_dir_remove_all(state, NULL);
    wci_free(state);
    network_end(m->req, &m->network);
    userns_hide_root(m->req);
    overlay_unmount(m->req);
    volumes_unmount(m->req->run_dir);
    joins_end(m->req);
    unlink(RUNTIME_LOG);
    unlink("pid");
    unlink("probe.json");
    unlink(WCI_RUN_PAUSED);
    m->is_paused = 0;
}

void run_close(monitor *m)
{
    session *s = &m->session;
    close_log(s);
    run_take_away(m);
}

void run_give_up(monitor *m)
{
    session *s = &m->session;
    if (s->process.pid > 0) {
        kill(s->process.pid, SIGKILL);
        reap(s->process.pid);
        launched_close(&s->process);
    }
    close_log(s);
    run_take_away(m);
}

void run_end(monitor *m, wci_store **store)
{
    session *s = &m->session;
    const request *req = m->req;
    (void)record_end(req, s->exit_code, s->finished_ns, NULL);
    if (!record_open(req, store, NULL))
        (void)record_exited(*store, req, s->exit_code, s->finished_ns, m->oom_killed, NULL);
}
