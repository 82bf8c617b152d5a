/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor waits for: descriptors, times, and the ends of its children, in one poll. Each is a struct of its
 * owner, linked in for as long as it counts; a callback may add and remove any of them. */
#ifndef WC_HELPER_LOOP_H
#define WC_HELPER_LOOP_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <wincontainer/error.h>

typedef struct loop_watch {
    int fd;
    short events;
    void (*ready)(void *owner, short revents);
    void *owner;
    short revents; /* the rest belongs to the loop */
    struct loop_watch *next;
} loop_watch;

typedef struct loop_timer {
    int64_t at_ms; /* of monotonic_ms(); fires once */
    void (*fire)(void *owner);
    void *owner;
    struct loop_timer *next;
} loop_timer;

typedef struct loop_child {
    pid_t pid;
    void (*ended)(void *owner, int status); /* as waitpid() gives it */
    void *owner;
    struct loop_child *next;
} loop_child;

typedef struct loop {
    int signals; /* signalfd for SIGCHLD and SIGTERM */
    void (*terminate)(void *owner); /* SIGTERM came; may be NULL */
    void *owner;
    loop_watch *watches;
    loop_timer *timers;
    loop_child *children;
    struct pollfd *fds;
    size_t cap;
} loop;

/* Blocks all signals and takes those that matter by descriptor. */
int32_t loop_init(loop *l, wc_error **err);
void loop_close(loop *l);

void loop_add_watch(loop *l, loop_watch *watch);
void loop_add_timer(loop *l, loop_timer *timer);
/* Its end is told once, at the next loop_reap() or turn. */
void loop_add_child(loop *l, loop_child *child);
/* Nothing happens when it is not there. */
void loop_remove_watch(loop *l, loop_watch *watch);
void loop_remove_timer(loop *l, loop_timer *timer);
void loop_remove_child(loop *l, loop_child *child); /* its end is told to nobody */

/* Waits, at most timeout_ms (negative: without end), for the `count` descriptors of the caller and for all of its
 * own, and serves the latter. 0 when nothing was looked at: then try again. */
int loop_turn(loop *l, struct pollfd *fds, size_t count, int timeout_ms);
/* Tells of children that have ended. */
void loop_reap(loop *l);

#endif
