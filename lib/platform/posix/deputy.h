/* SPDX-License-Identifier: Apache-2.0 */
/* The deputy of deed.h: one for this process, started when it is first needed. A connection of messages; each asks for
 * one deed, with the descriptors that it is done on, and has one answer. */
#ifndef WCI_POSIX_DEPUTY_H
#define WCI_POSIX_DEPUTY_H

#include <stdint.h>
#include <sys/socket.h>

#include "platform/posix/deed.h"
#include "platform/tree.h"

/* How it is started: see wci_owners_use(). */
int32_t wci_deputy_use(const char *helper, const char *run_root, wc_error **err);
int32_t wci_deputy_start(wc_error **err);
void wci_deputy_stop(void);

/* -1 with errno, EACCES when there is none. */
ssize_t wci_deputy_ask(const wci_deed *deed);
/* Why there is none although there should be one: ": …", or "". Lent, static. */
const char *wci_deputy_why(void);

/* ---- The deputy's side ---------------------------------------------------------------------------- */

/* Tells how it went so far, and does what it is asked for until the other end is closed. */
void wci_deputy_serve(int link, const wc_error *why);

/* ---- Messages ------------------------------------------------------------------------------------- */

#define WCI_DEPUTY_FDS WCI_TREE_FINISH_MAX
#define WCI_DEPUTY_TEXT 8192         /* names and targets */
#define WCI_DEPUTY_DATA (65536 + 16) /* values of attributes */

typedef struct wci_deputy_request {
    int32_t kind, flags;
    uint32_t resolve, mode, uid, gid;
    uint64_t device, room;
    int64_t sec, nsec;
    uint32_t has_dir, has_other, file_count;     /* descriptors that come with it, in this order */
    uint32_t reserved;
    uint32_t name_size, second_size, value_size; /* behind it; with their ends, 0: NULL */
} wci_deputy_request;

typedef struct wci_deputy_answer {
    int64_t done; /* what the call gave; a descriptor comes with it */
    int32_t failed;
    uint32_t has_fd;
    struct stat st;
    /* what was read is behind it */
} wci_deputy_answer;

/* Sends the parts as one message, with the descriptors; 0 or errno. */
int wci_deputy_send(int link, struct iovec *parts, size_t count, const int *fds, size_t fd_count);
/* Receives one message and its descriptors, which are the caller's; the rest of `fds` is -1. *got 0: closed. */
int wci_deputy_receive(int link, struct iovec *parts, size_t count, int fds[WCI_DEPUTY_FDS], size_t *got);

#endif
