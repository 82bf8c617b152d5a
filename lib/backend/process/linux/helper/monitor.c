/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor of one container: enters its run directory, has it run, stays beside it until it ends, and leaves nothing
 * of it. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/helper/monitor.h"
#include "backend/process/linux/helper/overlay.h"
#include "backend/process/linux/helper/record.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/signal.h"
#include "platform/file.h"
#include "store/store_volume.h"

#define LOCK_WAIT_MS 30000

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
    m->network.host_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
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

static void read_settings(monitor *m)
{
    const char *signal = json_string_value(json_object_get(m->req->settings, "stopSignal"));
    if (!signal || wci_signal_parse(signal, &m->stop_signal, NULL))
        m->stop_signal = SIGTERM;
}

/* config.json and what the settings say stay until the last run is over. */
static int32_t prepare(monitor *m, wc_error **err)
{
    request *req = m->req;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    m->runtime_root = wci_path_join(req->run_root, "runtime");
    if (!m->runtime_root)
        return wci_err_nomem(err);
    int32_t rc = enter_run_dir(m, err);
    read_settings(m);
    if (!rc)
        rc = wci_file_write_atomic("config.json", req->config, strlen(req->config), 0600, 0, err);
    if (!rc)
        rc = run_prepare(m, err);
    request_free_config(req);
    return rc;
}

static void give_up(monitor *m, const wc_error *err)
{
    if (m->mount_lock) { /* before that nothing was made */
        run_give_up(m);
        unlink("config.json");
        unlink(WCI_RUN_STATE);
        unlink(WCI_RUN_SOCKET);
    }
    wci_lock_release(m->mount_lock);
    wci_lock_release(m->lock);
    report_error(err);
}

/* --rm: as `rm` does it, whoever is there to see it. */
static void remove_container(monitor *m, wci_store *store)
{
    const request *req = m->req;
    WCI_CALL_NONE(call);
    if (wci_dir_remove_all(req->state_dir, NULL) || wci_container_delete_with_volumes(&call, store, req->id, NULL))
        return; /* the row stays, so that it can be removed later */
    if (chdir("/") == 0)
        (void)wci_dir_remove_all(req->run_dir, NULL);
}

/* Everything is recorded and gone before anybody hears of the end. */
static void conclude(monitor *m)
{
    wci_store *store = NULL;
    exec_wait_for_all(m);
    run_end(m, &store);
    unlink("config.json");
    wci_lock_release(m->mount_lock);
    wci_lock_release(m->index_lock);
    if (store && record_says_remove(store, m->req))
        remove_container(m, store);
    wci_store_unref(store);
    session_finish(&m->session);
    wci_lock_release(m->lock);
    session_linger(&m->session);
}

/* Who asked for them gets an answer; without the container they soon come to nothing. */
static void finish_jobs(monitor *m)
{
    health_hold(m);
    while (m->jobs.first || health_is_busy(m))
        session_turn(&m->session);
}

static void network_told(void *owner, const char *why)
{
    monitor *m = owner;
    const uplink_kind *kind = m->network.uplink.kind;
    record_network(m->req, kind ? kind->name : "", why);
}

static void stay(monitor *m)
{
    report_ok(m->session.process.pid, session_flags(&m->session), NULL);
    session_adopt_link(&m->session, m->req->attach);
    malloc_trim(0); /* from here on there may be hundreds of us, for months */
    do {
        health_begin(m);
        network_watch(&m->network, &m->session.loop, network_told, m);
        session_run(&m->session);
        finish_jobs(m);
        run_close(m);
    } while (again_follows(m));
    conclude(m);
}

static int signalled(void *owner, int signal)
{
    if (again_signalled(owner, signal))
        return 1;
    pause_signalled(owner, signal);
    return 0;
}

static void process_ended(void *owner)
{
    monitor *m = owner;
    m->oom_killed = m->session.exit_code == 128 + SIGKILL &&
                    (wci_cgroup_oom_killed(m->req->cgroup) || oom_happened(&m->oom, m->is_killed));
}

int monitor_main(request *req)
{
    monitor m = {.req = req, .oom = {.watch = {.fd = -1}}, .namespace = -1};
    wc_error *err = NULL;
    int32_t rc = session_init(&m.session, req->tty, &err);
    m.session.command = commands_take;
    m.session.command_owner = &m;
    m.session.exec = exec_take;
    m.session.signalled = signalled;
    m.session.process_ended = process_ended;
    m.session.loop.terminate = again_terminate;
    m.session.loop.owner = &m;
    m.jobs.loop = &m.session.loop;
    if (!rc)
        rc = prepare(&m, &err);
    if (!rc)
        rc = session_listen(&m.session, &err);
    if (!rc)
        rc = run_start(&m, &err);
    if (rc)
        give_up(&m, err);
    else
        stay(&m);
    wc_error_unref(err);
    wci_free(m.runtime_root);
    return rc != 0;
}
