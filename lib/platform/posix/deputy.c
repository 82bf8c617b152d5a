/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/deputy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/posix/posix.h"
#include "platform/process.h"
#include "platform/thread.h"

#define HELPER_LINK 3

/* All under the mutex, but for what readers are lent. */
static struct {
    wci_global_mutex mutex;
    char *helper, *run_root;
    int link; /* 0: none; descriptors below 3 are never ours */
    int64_t fork_id;
    int32_t code; /* why it cannot be started, and */
    char why[400];
    atomic_int has_why;
} deputy;

/* ---- Starting ------------------------------------------------------------------------------------- */

int32_t wci_deputy_use(const char *helper, const char *run_root, wc_error **err)
{
    wci_global_lock(&deputy.mutex);
    int failed = wci_replace(&deputy.run_root, run_root);
    if (helper || !deputy.helper) {
        char *found = NULL;
        if (!wci_helper_find(helper, &found, NULL))
            failed |= wci_replace(&deputy.helper, found);
        wci_free(found);
    }
    wci_global_unlock(&deputy.mutex);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static void drop_link(void)
{
    if (!deputy.link)
        return;
    if (deputy.fork_id == wci_fork_id()) { /* else it was closed at the fork, and its number may be another's */
        wci_fork_guard_remove(deputy.link);
        close(deputy.link);
    }
    deputy.link = 0;
}

/* What a start that failed would cost each time. */
static int32_t remember_why(int32_t code, const char *message)
{
    if (!atomic_load(&deputy.has_why))
        snprintf(deputy.why, sizeof deputy.why, ": %s", message);
    deputy.code = code;
    atomic_store(&deputy.has_why, 1);
    return code;
}

static int32_t read_greeting(int link, wc_error **err)
{
    wci_deputy_answer head = {0};
    char text[sizeof deputy.why - 2];
    struct iovec parts[] = {{&head, sizeof head}, {text, sizeof text - 1}};
    int fds[WCI_DEPUTY_FDS];
    size_t got = 0;
    int failed = wci_deputy_receive(link, parts, 2, fds, &got);
    if (failed && failed != EMSGSIZE)
        return wci_err_errno(err, failed, "wc-helper: starting");
    if (got < sizeof head)
        return wci_err(err, WC_E_CLOSED, "wc-helper: ended while it started");
    text[got - sizeof head] = '\0';
    return head.failed ? wci_err(err, head.failed, "%s", text) : WC_OK;
}

static int32_t launch(int *link, wc_error **err)
{
    char *found = NULL;
    int ends[2];
    if (!deputy.helper && wci_helper_find(NULL, &found, err))
        return WC_E_MISSING;
    deputy.helper = deputy.helper ? deputy.helper : found;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return wci_err_errno(err, errno, "socket pair: making");
    *link = wci_posix_off_stdio(ends[0]);
    ends[1] = wci_posix_off_stdio(ends[1]);
    const char *const argv[] = {deputy.helper, "files", deputy.run_root, NULL};
    const char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    const wci_spawn_fd fd = {ends[1], HELPER_LINK};
    int32_t rc = wci_spawn_helper(argv, env, &fd, 1, err);
    close(ends[1]);
    if (!rc)
        rc = read_greeting(*link, err);
    if (rc)
        close(*link);
    return rc;
}

/* With the mutex. A child that the host forks meanwhile does not keep the deputy from its end. */
static int32_t start_one(int *link, wc_error **err)
{
    wc_error *why = NULL;
    if (deputy.code)
        return wci_err(err, deputy.code, "%s", deputy.why + 2);
    int32_t rc = deputy.run_root ? launch(link, &why) : wci_err(&why, WC_E_STATE, "no store is open");
    if (rc) {
        remember_why(rc, why ? wc_error_message(why) : "wc-helper cannot be started");
        return wci_err_move(err, why);
    }
    wci_fork_guard_add(*link);
    return WC_OK;
}

/* With the mutex. */
static int32_t be_there(wc_error **err)
{
    int link = -1;
    if (deputy.link && deputy.fork_id == wci_fork_id())
        return WC_OK;
    drop_link();
    int32_t rc = start_one(&link, err);
    if (rc)
        return rc;
    deputy.link = link;
    deputy.fork_id = wci_fork_id();
    return WC_OK;
}

int32_t wci_deputy_start(wc_error **err)
{
    wci_global_lock(&deputy.mutex);
    int32_t rc = be_there(err);
    wci_global_unlock(&deputy.mutex);
    return rc;
}

void wci_deputy_stop(void)
{
    wci_global_lock(&deputy.mutex);
    drop_link();
    deputy.code = 0;
    wci_global_unlock(&deputy.mutex);
}

const char *wci_deputy_why(void)
{
    return atomic_load(&deputy.has_why) ? deputy.why : "";
}

/* ---- Asking --------------------------------------------------------------------------------------- */

static struct iovec text_part(const char *text, uint32_t *size)
{
    *size = text ? (uint32_t)strlen(text) + 1 : 0;
    return (struct iovec){(void *)(uintptr_t)text, *size};
}

static int send_deed(int link, const wci_deed *d)
{
    wci_deputy_request head = {.kind = d->kind, .flags = d->flags, .resolve = d->resolve, .mode = d->mode, .uid = d->uid,
                               .gid = d->gid, .device = d->device, .room = d->room, .sec = d->time.tv_sec,
                               .nsec = d->time.tv_nsec, .value_size = (uint32_t)d->value_size};
    struct iovec parts[4] = {{&head, sizeof head}, text_part(d->name, &head.name_size),
                             text_part(d->second, &head.second_size), {(void *)(uintptr_t)d->value, d->value_size}};
    int dirs[] = {d->dir, d->other};
    const int *fds = d->file_count ? d->files : dirs;
    head.has_dir = !d->file_count && d->dir != AT_FDCWD;
    head.has_other = d->kind == WCI_DEED_LINK;
    head.file_count = (uint32_t)d->file_count;
    if (head.name_size > WCI_DEPUTY_TEXT || head.second_size > WCI_DEPUTY_TEXT || d->value_size > WCI_DEPUTY_DATA)
        return ENAMETOOLONG;
    return wci_deputy_send(link, parts, 4, fds, head.has_dir + head.has_other + d->file_count);
}

/* 0 or errno of the connection; what became of the deed is in the answer. */
static int take_answer(int link, const wci_deed *d, wci_deputy_answer *head, int *fd)
{
    struct iovec parts[2] = {{head, sizeof *head}, {d->out, d->room}};
    int fds[WCI_DEPUTY_FDS];
    size_t got = 0;
    int failed = wci_deputy_receive(link, parts, 2, fds, &got);
    if (!failed && (got < sizeof *head || (head->has_fd && fds[0] < 0)))
        failed = EPIPE;
    *fd = fds[0];
    if (failed && *fd >= 0)
        close(*fd);
    return failed;
}

/* What was under way when the connection broke may have been done, so it is not tried again. */
static int exchange(int link, const wci_deed *d, wci_deputy_answer *head, int *fd)
{
    int failed = send_deed(link, d);
    if (!failed)
        failed = take_answer(link, d, head, fd);
    return failed == EPIPE || failed == ECONNRESET ? EOWNERDEAD : failed;
}

static int ask_shared(const wci_deed *d, wci_deputy_answer *head, int *fd)
{
    wci_global_lock(&deputy.mutex);
    int failed = be_there(NULL) ? EACCES : exchange(deputy.link, d, head, fd);
    if (failed == EOWNERDEAD)
        drop_link();
    wci_global_unlock(&deputy.mutex);
    return failed;
}

/* Another one, for what takes long: other threads go on. */
static int ask_alone(const wci_deed *d, wci_deputy_answer *head, int *fd)
{
    int link = -1;
    wci_global_lock(&deputy.mutex);
    int failed = start_one(&link, NULL) ? EACCES : 0;
    wci_global_unlock(&deputy.mutex);
    if (failed)
        return failed;
    failed = exchange(link, d, head, fd);
    wci_fork_guard_remove(link);
    close(link);
    return failed;
}

static ssize_t ask(const wci_deed *d)
{
    wci_deputy_answer head = {0};
    int fd = -1;
    int failed = d->kind == WCI_DEED_REMOVE_TREE ? ask_alone(d, &head, &fd) : ask_shared(d, &head, &fd);
    if (!failed)
        failed = head.failed;
    if (failed) {
        errno = failed;
        return -1;
    }
    if (d->st)
        *d->st = head.st;
    return head.has_fd ? fd : (ssize_t)head.done;
}

ssize_t wci_deputy_ask(const wci_deed *d)
{
    /* A size that is asked for is told with the rest. */
    if (d->kind == WCI_DEED_SET_XATTR || d->room <= WCI_DEPUTY_DATA)
        return ask(d);
    wci_deed less = *d;
    less.room = WCI_DEPUTY_DATA;
    return ask(&less);
}
