/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/oom.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"

#define EVENTS "/memory.events"

static void events_path(const char *group, size_t size, char out[WCI_CGROUP_PATH_SIZE + 64])
{
    snprintf(out, WCI_CGROUP_PATH_SIZE + 64, "/sys/fs/cgroup%.*s" EVENTS, (int)size, group);
}

/* Of version 2; -1: it cannot be told. What happens in a group counts in those that it is in, too. */
static long kills_in(const char *group, size_t size)
{
    static const char word[] = "oom_kill ";
    char path[WCI_CGROUP_PATH_SIZE + 64], text[512];
    events_path(group, size, path);
    const char *at = wci_cgroup_read(AT_FDCWD, path, text, sizeof text) ? strstr(text, word) : NULL;
    return at ? strtol(at + sizeof word - 1, NULL, 10) : -1;
}

static long own_kills(const oom *o)
{
    return kills_in(o->group, strlen(o->group));
}

static long all_kills(const oom *o)
{
    return kills_in(o->group, (size_t)(strrchr(o->group, '/') - o->group));
}

/* As long as its own group can be read that tells; others' kills up to then are not its own. */
static void look(oom *o)
{
    long own = own_kills(o);
    if (own > 0)
        o->seen = 1;
    else if (own == 0)
        o->others = all_kills(o);
}

static void note_event(void *owner, short revents)
{
    oom *o = owner;
    char events[1024];
    (void)revents;
    while (read(o->watch.fd, events, sizeof events) > 0) {}
    o->had_event = 1;
    look(o);
}

void oom_prepare(oom *o, const char *group)
{
    *o = (oom){.group = group && wci_cgroup_is_unified() && strchr(group, '/') ? group : NULL, .watch = {.fd = -1}};
    if (o->group)
        o->others = all_kills(o);
}

void oom_begin(oom *o, loop *l)
{
    char path[WCI_CGROUP_PATH_SIZE + 64];
    if (!o->group)
        return;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    events_path(o->group, strlen(o->group), path);
    if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0) {
        if (fd >= 0)
            close(fd);
        o->had_event = 1; /* it has ended already, we do not know why */
        return;
    }
    o->watch = (loop_watch){fd, POLLIN, note_event, o, 0, NULL};
    loop_add_watch(l, &o->watch);
    o->had_event = own_kills(o) != 0;
    look(o);
}

/* Whoever is killed by the limit of a group had events before. */
int oom_happened(oom *o, int by_us)
{
    if (!o->group)
        return 0;
    if (o->watch.fd >= 0) {
        char events[1024];
        o->had_event |= read(o->watch.fd, events, sizeof events) > 0;
    }
    if (own_kills(o) >= 0)
        look(o);
    else if (o->had_event && !by_us && all_kills(o) > o->others)
        o->seen = 1;
    return o->seen;
}

void oom_end(oom *o, loop *l)
{
    if (o->watch.fd < 0)
        return;
    loop_remove_watch(l, &o->watch);
    close(o->watch.fd);
    o->watch.fd = -1;
}
