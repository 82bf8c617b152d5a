/* SPDX-License-Identifier: Apache-2.0 */
/* One process and those who are attached to it: output goes to the log and to every client, input
 * comes from them; one poll loop, until the process has ended and its output is read. */
#ifndef WC_HELPER_SESSION_H
#define WC_HELPER_SESSION_H

#include "backend/process/linux/helper/launch.h"
#include "backend/process/linux/helper/log.h"

typedef struct client client;

typedef struct session {
    launched process;
    int tty;
    int listener; /* WCI_RUN_SOCKET */
    int signals;  /* signalfd for SIGCHLD and SIGTERM */
    log_file *log; /* NULL: none */
    client **clients;
    size_t client_count, client_cap;
    wci_str input;      /* on its way to the process */
    size_t input_used;
    int input_ends;     /* close it once `input` is empty */
    int ended;
    int exit_code;
    int64_t finished_ns;
} session;

/* Blocks all signals and takes those that matter by descriptor. */
int32_t session_init(session *s, int tty, wc_error **err);
/* Makes the socket in the current directory. */
int32_t session_listen(session *s, wc_error **err);
/* What a client has to know before it attaches: WCI_HELLO_*. */
uint32_t session_flags(const session *s);
/* The connection that started us becomes the first client, or is closed. */
void session_adopt_link(session *s, uint32_t attach);
/* Until the process has ended. */
void session_run(session *s);
/* Tells every client and closes. */
void session_finish(session *s);

#endif
