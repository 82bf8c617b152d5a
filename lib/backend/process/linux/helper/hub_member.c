/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/hub.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"

#define DELAY_FIRST_MS 500
#define DELAY_LAST_MS 30000

int32_t hub_join(hub_member *m, const char *dir, json_t *wishes, wc_error **err)
{
    memset(m, 0, sizeof *m);
    m->hub = HUB_NONE;
    m->wishes = json_incref(wishes);
    m->dir = wci_strdup(dir);
    return m->dir ? hub_connect(dir, wishes, -1, &m->hub, err) : wci_err_nomem(err);
}

static void hub_gone(void *owner, short revents);

static void watch_connection(hub_member *m)
{
    m->watch = (loop_watch){m->hub.connection, POLLIN, hub_gone, m, 0, NULL};
    loop_add_watch(m->loop, &m->watch);
}

static int is_same(int a, int b)
{
    struct stat one, two;
    return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static void try_again(void *owner)
{
    hub_member *m = owner;
    hub found = HUB_NONE;
    if (hub_connect(m->dir, m->wishes, m->hub.netns, &found, NULL)) {
        m->delay_ms = m->delay_ms * 2 > DELAY_LAST_MS ? DELAY_LAST_MS : m->delay_ms * 2;
        m->again.at_ms = monotonic_ms() + m->delay_ms;
        loop_add_timer(m->loop, &m->again);
        return;
    }
    if (!is_same(found.netns, m->hub.netns)) { /* somebody who knew nothing of ours has begun anew */
        m->told(m->owner, "its network namespace was lost; restart the container");
        hub_close(&found);
        return;
    }
    hub_close(&m->hub);
    m->hub = found;
    watch_connection(m);
    m->told(m->owner, NULL);
}

static void hub_gone(void *owner, short revents)
{
    hub_member *m = owner;
    char byte;
    (void)revents;
    if (recv(m->hub.connection, &byte, 1, MSG_DONTWAIT) > 0)
        return;
    loop_remove_watch(m->loop, &m->watch);
    close(m->hub.connection);
    m->hub.connection = -1;
    m->told(m->owner, "the process that holds the user's networks was killed");
    m->delay_ms = DELAY_FIRST_MS;
    m->again = (loop_timer){monotonic_ms(), try_again, m, NULL};
    loop_add_timer(m->loop, &m->again);
}

void hub_watch(hub_member *m, loop *l, void (*told)(void *owner, const char *why), void *owner)
{
    if (!m->dir)
        return;
    m->loop = l;
    m->told = told;
    m->owner = owner;
    watch_connection(m);
}

void hub_leave(hub_member *m)
{
    if (!m->dir)
        return;
    if (m->loop) {
        loop_remove_watch(m->loop, &m->watch);
        loop_remove_timer(m->loop, &m->again);
    }
    hub_close(&m->hub);
    wci_free(m->dir);
    json_decref(m->wishes);
    memset(m, 0, sizeof *m);
}
