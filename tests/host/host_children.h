/* SPDX-License-Identifier: Apache-2.0 */
/* A host that has children of its own, and its way with SIGCHLD and exit statuses. */
#ifndef HOST_CHILDREN_H
#define HOST_CHILDREN_H

#include <stddef.h>
#include <sys/types.h>

typedef enum host_kind {
    HOST_HANDLES,    /* a handler, and waitpid() for each child */
    HOST_IGNORES,    /* SIGCHLD ignored: no statuses at all */
    HOST_NOCLDWAIT,  /* a handler with SA_NOCLDWAIT */
    HOST_REAPS,      /* a thread that sits in waitpid(-1) */
    HOST_REAPS_ALL,  /* the same with __WALL, which also finds children that send no signal */
    HOST_SUBREAPER,  /* a handler, and the host adopts what its descendants leave behind */
    HOST_KINDS
} host_kind;

const char *host_kind_name(host_kind kind);

/* Sets the process up; in HOST_REAPS* a thread begins. */
void children_prepare(host_kind kind);
/* Ends the thread. All children have been collected. */
void children_finish(void);

/* A child that runs `run` and ends with what that gives; called with nothing but the forking thread
 * alive. */
pid_t children_fork(int (*run)(int argument), int argument);
/* This very program again, with its standard output to a new pipe. */
pid_t children_spawn(const char *self, const char *role, int *output);
/* Waits for the end in the host's way. 1 when everything came as the host may expect: the status,
 * the signal, or neither. */
int children_collect(pid_t pid, int code);

/* No child is made between these two, so that every child that is there is known. */
void children_hold(void);
void children_let_go(void);
int children_is_ours(pid_t pid); /* between the two */

/* 1 for a host that has asked for the orphans of its descendants, and what it then has to do. */
int children_are_adopted(void);
void children_reap_adopted(void);

/* 1 when no signal and no status of a stranger has reached the host; explains itself on 0. */
int children_no_strangers(char *why, size_t size);
long children_count(void);

#endif
