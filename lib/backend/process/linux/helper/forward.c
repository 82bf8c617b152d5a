/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/forward.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/hostports.h"
#include "backend/process/linux/helper/launch.h"
#include "core/alloc.h"
#include "core/error.h"

#define AGAIN_MS 500

typedef struct list {
    relay_port *items;
    size_t count, cap;
} list;

static int32_t check(json_t *ports, wc_error **err)
{
    json_t *port;
    size_t i;
    json_array_foreach(ports, i, port)
    {
        const char *protocol = json_string_value(json_object_get(port, "protocol"));
        if (protocol && strcmp(protocol, "tcp") && strcmp(protocol, "udp"))
            return wci_err(err, WC_E_UNSUPPORTED,
                           "port %d/%s: an ordinary user's containers publish tcp and udp alone; run as root for others",
                           (int)json_integer_value(json_object_get(port, "host_port")), protocol);
    }
    return WC_OK;
}

static int32_t take_port(void *owner, int fd, json_t *port, wc_error **err)
{
    list *l = owner;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (!wci_grow(&l->items, &l->cap, l->count + 1, sizeof *l->items)) {
        close(fd);
        return wci_err_nomem(err);
    }
    l->items[l->count++] = (relay_port){fd, !strcmp(json_string_value(json_object_get(port, "protocol")), "udp"),
                                        (int)json_integer_value(json_object_get(port, "container_port"))};
    return WC_OK;
}

static int is_kept(const list *l, int fd)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].fd == fd)
            return 1;
    return fd <= 2;
}

/* What the monitor has open is not ours: others see by its locks and connections whether it lives. */
static void close_others(const list *l)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        int fd = atoi(entry->d_name);
        if (fd != dirfd(dir) && !is_kept(l, fd))
            close(fd);
    }
    if (dir)
        closedir(dir);
}

static void run(const forward *f, const list *l, pid_t monitor)
{
    child_begin(monitor);
    signal(SIGPIPE, SIG_IGN);
    if (setns(f->netns, CLONE_NEWNET) != 0)
        _exit(1);
    close_others(l);
    relay(l->items, l->count, f->address);
    _exit(1);
}

static int32_t start(forward *f, wc_error **err)
{
    list l = {NULL, 0, 0};
    pid_t monitor = getpid();
    int32_t rc = hostports_open(f->ports, 1, take_port, &l, err);
    f->child.pid = rc ? 0 : fork();
    if (!rc && f->child.pid == 0)
        run(f, &l, monitor);
    if (!rc && f->child.pid < 0)
        rc = wci_err_errno(err, errno, "published ports");
    for (size_t i = 0; i < l.count; i++)
        close(l.items[i].fd);
    wci_free(l.items);
    return rc;
}

int32_t forward_start(forward *f, json_t *ports, const char *address, int netns, wc_error **err)
{
    memset(f, 0, sizeof *f);
    if (!json_array_size(ports))
        return WC_OK;
    int32_t rc = check(ports, err);
    if (rc)
        return rc;
    f->ports = json_incref(ports);
    f->netns = netns;
    snprintf(f->address, sizeof f->address, "%s", address);
    return start(f, err);
}

/* ---- Its end ---- */

static void ended(void *owner, int status);

static void try_again(void *owner)
{
    forward *f = owner;
    if (start(f, NULL)) {
        f->again.at_ms = monotonic_ms() + AGAIN_MS;
        loop_add_timer(f->loop, &f->again);
        return;
    }
    loop_add_child(f->loop, &f->child);
}

static void ended(void *owner, int status)
{
    forward *f = owner;
    (void)status;
    f->child.pid = 0;
    f->again = (loop_timer){monotonic_ms(), try_again, f, NULL};
    loop_add_timer(f->loop, &f->again);
}

void forward_watch(forward *f, loop *l)
{
    if (!f->ports)
        return;
    f->loop = l;
    f->child.ended = ended;
    f->child.owner = f;
    loop_add_child(l, &f->child);
}

void forward_stop(forward *f)
{
    if (f->loop) {
        loop_remove_child(f->loop, &f->child);
        loop_remove_timer(f->loop, &f->again);
    }
    if (f->child.pid > 0) {
        kill(f->child.pid, SIGKILL);
        reap(f->child.pid);
    }
    json_decref(f->ports);
    memset(f, 0, sizeof *f);
}
