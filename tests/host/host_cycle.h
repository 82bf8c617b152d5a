/* SPDX-License-Identifier: Apache-2.0 */
/* What a host does with the library from beginning to end: images from a registry and from files, a
 * container's whole life, and everything that can go wrong on the way. Written on the harness of the
 * conformance suite, so that it is the same on every backend. */
#ifndef HOST_CYCLE_H
#define HOST_CYCLE_H

#include "conformance/harness.h"
#include "support/server_process.h"

#define SHELL_IMAGE "shell" /* has busybox, for what only real containers do */

/* Before any test: a registry on loopback with TLS and the images, and a proxy in front of it that
 * breaks connections. Skips the program when something is missing. */
void cycle_prepare(const char *self, const char *backend);
void cycle_clean_up(void);
int cycle_is_process(void);

/* A host may have a runtime and yet not let it work; tried in another process, so that the library
 * is new to the tests. */
void cycle_skip_when_nothing_starts(void);

/* Gives this test a store of its own. */
void cycle_new_store(const char *name);

/* The parts; `context` of the harness is open from the first to the last. */
void cycle_pull(void);      /* IMAGE and SHELL_IMAGE, from the registry */
void cycle_files(void);     /* save, load, copy, tag, remove */
void cycle_attached(void);  /* create, start, both directions, exit code, rm */
void cycle_detached(void);  /* attach, logs, exec, cp, stop, rm */
void cycle_failures(void);  /* broken connections, closed input, missing commands, cancelling */
void cycle_upkeep(void);    /* info, df, check, prune, events */
/* All of them, from opening to closing. */
void cycle_run(void);

#endif
