/* SPDX-License-Identifier: Apache-2.0 */
/* Starting our helper, and waiting on descriptors.
 *
 * Nothing started here becomes a child of the host process: an intermediate made with clone() and
 * exit signal 0 execs at once, so that hosts which ignore SIGCHLD or reap every child neither see
 * nor disturb it. The status comes back over a pipe from the helper itself. */
#ifndef WCI_PROCESS_H
#define WCI_PROCESS_H

#include <stdint.h>

#include "core/call.h"
#include "platform/file.h"

/* One descriptor the program is to have, under this number. */
typedef struct wci_spawn_fd {
    wci_fd from;
    int to;
} wci_spawn_fd;

/* Execs argv[0] (absolute) with exactly `fds` open (0, 1, 2 not named there are /dev/null), all
 * signals at their defaults and unblocked, cwd "/", env as given (NULL: an empty environment). The
 * program is expected to daemonise itself at once: its first parent's status is collected here and
 * is not the outcome. WC_E_NOT_FOUND / WC_E_PERMISSION when it cannot be executed. */
int32_t wci_spawn_helper(const char *const *argv, const char *const *env,
                         const wci_spawn_fd *fds, size_t fd_count, wc_error **err);

int wci_is_program(const char *path); /* that we may execute */
/* Path of wc-helper: the setting, beside the library, or where it was installed. WC_E_MISSING. */
int32_t wci_helper_find(const char *setting, char **path, wc_error **err);

int32_t wci_pipe(wci_fd *read_end, wci_fd *write_end, wc_error **err);
/* Two connected, ordered, reliable message-less byte ends (socketpair). */
int32_t wci_pair(wci_fd *a, wci_fd *b, wc_error **err);
/* Connects to a local (AF_UNIX or named pipe) endpoint; long paths are handled. */
int32_t wci_local_connect(const char *path, wci_fd *out, wc_error **err);
/* Non-blocking single attempts: *got 0 and WC_OK means "would block"; end of file and a broken
 * peer are WC_E_CLOSED. No SIGPIPE ever. */
int32_t wci_fd_read_some(wci_fd fd, void *data, size_t size, size_t *got, wc_error **err);
int32_t wci_fd_write_some(wci_fd fd, const void *data, size_t size, size_t *put, wc_error **err);
int32_t wci_fd_set_nonblocking(wci_fd fd, wc_error **err);
/* Half-close of a socket for writing. */
int32_t wci_fd_shutdown_write(wci_fd fd, wc_error **err);

enum {
    WCI_POLL_READ = 1,
    WCI_POLL_WRITE = 2,
    WCI_POLL_HANGUP = 4, /* only reported */
};
typedef struct wci_poll_item {
    wci_fd fd; /* WCI_FD_NONE: skipped */
    int want;
    int got;
} wci_poll_item;
/* Waits for one of the items, at most timeout_ms (negative: no end), ending early when the call is
 * cancelled. *ready 0 means that the time passed. */
int32_t wci_poll(const wc_call *call, wci_poll_item *items, size_t count, int64_t timeout_ms,
                 int *ready, wc_error **err);
/* Reads until the end of the file, at most max bytes (WC_E_LIMIT). They may be secret, and are wiped with the last
 * reference, see core/secret.h. */
int32_t wci_fd_read_to_end(const wc_call *call, wci_fd fd, size_t max, wc_buf **out,
                           wc_error **err);

int wci_process_alive(int64_t pid, int64_t start);
/* In a child that was forked: all descriptors from this number on. */
void wci_process_close_from(int first);
/* Alive, and not at work on its end either: the first process of a namespace waits there for all others. */
int wci_process_goes_on(int64_t pid, int64_t start);

/* Fork guard: a number that is another one in a forked child. */
int64_t wci_fork_id(void);
/* Registered locks are closed in a forked child, so that it does not keep them from the parent. */
void wci_fork_guard_add(wci_fd fd);
void wci_fork_guard_remove(wci_fd fd);

#endif
