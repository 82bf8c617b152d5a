/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/loop.h"
#include "backend/process/linux/helper/netns.h"
#include "backend/process/linux/helper/uplink.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"

/* Nobody came: whoever started us has gone. */
#define IDLE_MS 10000
#define WISHES_MAX ((size_t)1 << 20)
#define NAMES_PID "aardvark-dns/aardvark.pid"
#define WAIT_MS 20000

typedef struct guest {
    loop_watch watch;
    struct server *server;
    struct guest *next;
} guest;

typedef struct server {
    loop loop;
    uplink up;
    loop_watch listener;
    int netns, mounts;
    guest *guests;
    int had_guests;
} server;

/* ---- Guests ------------------------------------------------------------------------------------- */

static void guest_left(void *owner, short revents)
{
    guest *g = owner;
    char byte;
    (void)revents;
    if (recv(g->watch.fd, &byte, 1, MSG_DONTWAIT) > 0)
        return;
    loop_remove_watch(&g->server->loop, &g->watch);
    for (guest **at = &g->server->guests; *at; at = &(*at)->next)
        if (*at == g) {
            *at = g->next;
            break;
        }
    close(g->watch.fd);
    wci_free(g);
}

static int send_places(const server *s, int to)
{
    union {
        struct cmsghdr align;
        char data[CMSG_SPACE(2 * sizeof(int))];
    } control;
    char byte = 0;
    int fds[2] = {s->netns, s->mounts};
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.data,
                             .msg_controllen = sizeof control.data};
    memset(&control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(c), fds, sizeof fds);
    return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

static int take_guest(server *s)
{
    int fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    guest *g = fd < 0 ? NULL : wci_calloc(1, sizeof *g);
    if (!g || !send_places(s, fd)) {
        wci_free(g);
        if (fd >= 0)
            close(fd);
        return 0;
    }
    g->watch = (loop_watch){fd, POLLIN, guest_left, g, 0, NULL};
    g->server = s;
    g->next = s->guests;
    s->guests = g;
    s->had_guests = 1;
    loop_add_watch(&s->loop, &g->watch);
    return 1;
}

static void guest_comes(void *owner, short revents)
{
    (void)revents;
    (void)take_guest(owner);
}

static int32_t listen_for_guests(server *s, wc_error **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = HUB_SOCKET};
    unlink(HUB_SOCKET);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0) {
        int32_t rc = wci_err_errno(err, errno, "socket '" HUB_SOCKET "'");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    s->listener = (loop_watch){fd, POLLIN, guest_comes, s, 0, NULL};
    loop_add_watch(&s->loop, &s->listener);
    return WC_OK;
}

static void stop_listening(server *s)
{
    loop_remove_watch(&s->loop, &s->listener);
    close(s->listener.fd);
}

/* 1 when nobody has come in the last moment. */
static int may_go(server *s)
{
    unlink(HUB_SOCKET);
    if (!take_guest(s))
        return 1;
    stop_listening(s);
    return listen_for_guests(s, NULL) != WC_OK; /* those who are still in the old queue try again */
}

/* ---- What it holds ------------------------------------------------------------------------------ */

static int64_t names_pid(const char *dir)
{
    long long pid = 0;
    char *path = wci_path_join(dir, NAMES_PID);
    FILE *f = path ? fopen(path, "re") : NULL;
    if (f && fscanf(f, "%lld", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    wci_free(path);
    return pid;
}

/* Of a namespace that is gone, or goes now. */
static void end_names(const char *dir)
{
    int64_t pid = names_pid(dir);
    char path[64], name[32] = "", *names = wci_path_join(dir, "aardvark-dns");
    snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    if (f && fgets(name, sizeof name, f) && !strncmp(name, "aardvark-dns", 12))
        kill((pid_t)pid, SIGKILL);
    if (f)
        fclose(f);
    if (names)
        (void)wci_dir_remove_all(names, NULL);
    wci_free(names);
}

/* Monitors that may still be in its namespace: theirs are the names, and another hub comes for them. */
static int others_live(const char *run_root)
{
    wci_strv names = WCI_STRV_INIT;
    char *dir = wci_path_join(run_root, "userns");
    int found = 0;
    if (dir && !wci_dir_list(dir, &names, NULL))
        for (size_t i = 0; i < names.count && !found; i++) {
            long long pid = 0, start = 0;
            found = sscanf(names.items[i], "%lld-%lld", &pid, &start) == 2 && pid != wci_host_pid() &&
                    wci_process_alive(pid, start);
        }
    wci_strv_free(&names);
    wci_free(dir);
    return found;
}

static void remove_files(const char *dir)
{
    static const char *const files[] = {HUB_SOCKET,    UPLINK_SOCKET, UPLINK_READY, UPLINK_LOG,
                                        WCI_RUN_NETNS, "resolv.conf"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = wci_path_join(dir, files[i]);
        if (path)
            unlink(path);
        wci_free(path);
    }
}

void hub_clear(const char *dir)
{
    wci_lock *lock = NULL;
    char *path = wci_path_join(dir, HUB_LOCK), *run_root = wci_path_parent(dir);
    if (path && run_root && !others_live(run_root) && !wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, NULL)) {
        end_names(dir);
        remove_files(dir);
    }
    wci_lock_release(lock);
    wci_free(path);
    wci_free(run_root);
}

static int32_t hold_netns(server *s, wc_error **err)
{
    if (s->netns >= 0)
        return netns_bind(s->netns, err);
    end_names(".");
    return netns_make(-1, &s->netns, err);
}

static void told(void *owner, const char *why)
{
    (void)owner, (void)why;
}

static int32_t connect_up(server *s, const request *req, json_t *wishes, wc_error **err)
{
    char *netns = wci_path_join(req->run_dir, WCI_RUN_NETNS);
    int32_t rc = netns ? uplink_read(wishes, netns, &s->up, err) : wci_err_nomem(err);
    wci_free(netns);
    if (!rc)
        rc = uplink_start(&s->up, err);
    if (!rc)
        uplink_watch(&s->up, &s->loop, told, s);
    return rc;
}

static int32_t prepare(server *s, const request *req, wc_error **err)
{
    json_t *wishes = NULL;
    int32_t rc = wci_json_parse(req->network, strlen(req->network), WISHES_MAX, "request", &wishes, err);
    const char *name_server = json_string_value(json_object_get(wishes, "dns"));
    if (!rc)
        rc = hub_mounts_enter(req->run_root, err);
    if (!rc)
        rc = hub_mounts_make(req->run_root, name_server ? name_server : "", &s->mounts, err);
    if (!rc)
        rc = hold_netns(s, err);
    if (!rc)
        rc = connect_up(s, req, wishes, err);
    if (!rc)
        rc = listen_for_guests(s, err);
    json_decref(wishes);
    return rc;
}

/* ---- Its life ----------------------------------------------------------------------------------- */

static int is_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = HUB_SOCKET};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int found = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return found;
}

/* *lock stays NULL when another one serves already. */
static int32_t become_the_one(wci_lock **lock, wc_error **err)
{
    for (int waited = 0;; waited += 2) {
        int32_t rc = wci_lock_try(HUB_LOCK, WCI_LOCK_EXCLUSIVE, lock, err);
        if (rc != WC_E_BUSY || waited >= WAIT_MS)
            return rc;
        wci_err_clear(err);
        if (is_there())
            return WC_OK;
        poll(NULL, 0, 2);
    }
}

static void serve(server *s)
{
    int64_t until = monotonic_ms() + IDLE_MS;
    for (;;) {
        loop_turn(&s->loop, NULL, 0, s->had_guests ? -1 : IDLE_MS);
        if (!s->guests && (s->had_guests || monotonic_ms() >= until) && may_go(s))
            return;
    }
}

int hub_main(request *req)
{
    int is_given = fcntl(HUB_NETNS_FD, F_SETFD, FD_CLOEXEC) == 0; /* before anything else can have the number */
    server s = {.netns = is_given ? HUB_NETNS_FD : -1, .mounts = -1, .listener = {.fd = -1}};
    wc_error *err = NULL;
    wci_lock *lock = NULL;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int32_t rc = req->run_dir && req->run_root && req->network
                     ? wci_dir_make(req->run_dir, 0700, &err)
                     : wci_err(&err, WC_E_FORMAT, "wc-helper: the request says not what to hold");
    if (!rc && chdir(req->run_dir) != 0)
        rc = wci_err_errno(&err, errno, "directory '%s'", req->run_dir);
    if (!rc)
        rc = loop_init(&s.loop, &err);
    if (!rc)
        rc = become_the_one(&lock, &err);
    if (!rc && lock)
        rc = prepare(&s, req, &err);
    if (rc)
        report_error(err);
    else
        report_ok(0, 0, NULL);
    link_close();
    if (!rc && lock)
        serve(&s);
    if (lock) {
        uplink_stop(&s.up);
        end_names(".");
        netns_release();
        unlink("resolv.conf");
    }
    wci_lock_release(lock);
    wc_error_unref(err);
    return rc != 0;
}
