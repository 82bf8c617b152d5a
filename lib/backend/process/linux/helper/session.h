/* SPDX-License-Identifier: Apache-2.0 */
/* One process and those who are attached to it: output goes to the log and to every client, input
 * comes from them; one poll loop, until the process has ended and its output is read. */
#ifndef WC_HELPER_SESSION_H
#define WC_HELPER_SESSION_H

#include <jansson.h>

#include "backend/process/linux/helper/launch.h"
#include "backend/process/linux/helper/log.h"
#include "backend/process/linux/helper/loop.h"

typedef struct client client;

typedef struct session {
    loop loop;
    launched process;
    loop_child child; /* the same */
    int tty;
    int listener; /* WCI_RUN_SOCKET */
    log_sink *log; /* NULL: none */
    int log_room; /* a descriptor that tells when it takes more, or -1 */
    client **clients;
    size_t client_count, client_cap;
    uint64_t last_client;
    struct pollfd *fds;
    size_t fds_cap;
    /* What is done with a COMMAND frame; NULL: nothing. The answer comes then or later, session_answer(). */
    void (*command)(void *owner, uint64_t client_id, const char *data, size_t size);
    void *command_owner;
    /* What is done with an EXEC frame; NULL: nothing. After WC_OK the connection `fd` is another process's, too. */
    int32_t (*exec)(void *owner, int fd, const char *data, size_t size, wc_error **err);
    /* A signal has been sent to the process, for a client; or there is none any more, and 1 tells that the signal
     * means something all the same. NULL: nobody cares. */
    int (*signalled)(void *owner, int signal);
    /* The process has ended in this moment; its output is not read yet. NULL: nobody cares. */
    void (*process_ended)(void *owner);
    wci_str input;      /* on its way to the process */
    size_t input_used;
    int input_ends;     /* close it once `input` is empty */
    int ended;
    int drained;        /* and its output is read */
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
/* Serves what is there, or waits for it; whether a process runs or not. */
void session_turn(session *s);
/* Until the process has ended and its output is read. */
void session_run(session *s);
/* The host goes down: the process is to end in order. For loop.terminate. */
void session_terminate(void *owner);
/* Another run follows this one: tells every client and closes, and is as it was before the first. */
void session_end_run(session *s);
/* Answers a command: how it went, and its result (taken over) or NULL. A client that has gone is no fault. */
void session_answer(session *s, uint64_t client_id, const wc_error *err, json_t *result);
/* Tells every client, and closes the socket. */
void session_finish(session *s);
/* Stays until those who are waited for have taken the rest; nothing else may depend on our end any more. */
void session_linger(session *s);

#endif
