/* SPDX-License-Identifier: Apache-2.0 */
/* The deputy: root of a user namespace, who does what he is asked for by the process that started him. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/error.h"
#include "platform/posix/deputy.h"

static union {
    struct {
        wci_deputy_request head;
        char rest[2 * WCI_DEPUTY_TEXT + WCI_DEPUTY_DATA];
    } request;
    char bytes[1];
} in;
static char out[WCI_DEPUTY_DATA];

/* The next part behind the request; NULL when it has none. 0: it is not whole. */
static int take_part(size_t size, size_t *at, size_t end, int is_text, const char **part)
{
    *part = NULL;
    if (!size)
        return 1;
    if (size > end - *at || (is_text && in.request.rest[*at + size - 1]))
        return 0;
    *part = in.request.rest + *at;
    *at += size;
    return 1;
}

/* What it is done on is given, and what it is done with. */
static int is_whole(const wci_deed *deed)
{
    if (deed->dir == AT_FDCWD && deed->kind != WCI_DEED_FINISH_ALL && (!deed->name || deed->name[0] != '/'))
        return 0;
    switch (deed->kind) {
    case WCI_DEED_OPEN:
    case WCI_DEED_RESOLVE:
    case WCI_DEED_MKDIR:
    case WCI_DEED_MKNOD:
    case WCI_DEED_UNLINK:
    case WCI_DEED_REMOVE_TREE:
    case WCI_DEED_READLINK:
        return deed->name != NULL;
    case WCI_DEED_FINISH_ALL:
        return deed->files[deed->file_count - 1] >= 0;
    case WCI_DEED_SYMLINK:
    case WCI_DEED_LINK:
        return deed->name && deed->second;
    case WCI_DEED_SET_XATTR:
    case WCI_DEED_GET_XATTR:
        return deed->second != NULL;
    default:
        return 1;
    }
}

static int read_deed(size_t got, const int fds[WCI_DEPUTY_FDS], wci_deed *deed, struct stat *st)
{
    const wci_deputy_request *r = &in.request.head;
    size_t at = 0;
    const char *value = NULL;
    if (got < sizeof *r || r->room > sizeof out || r->kind <= WCI_DEED_NONE || r->kind >= WCI_DEED_COUNT ||
        r->file_count > WCI_DEPUTY_FDS || (r->kind == WCI_DEED_FINISH_ALL) != (r->file_count > 0))
        return 0;
    size_t end = got - sizeof *r;
    *deed = (wci_deed){.kind = (wci_deed_kind)r->kind, .flags = r->flags, .resolve = r->resolve, .mode = r->mode,
                       .uid = r->uid, .gid = r->gid, .device = r->device, .time = {(time_t)r->sec, r->nsec},
                       .out = r->room ? out : NULL, .room = r->room, .value_size = r->value_size, .st = st,
                       .dir = r->has_dir ? fds[0] : AT_FDCWD, .other = r->has_other ? fds[1] : AT_FDCWD,
                       .files = fds, .file_count = r->file_count};
    if (!take_part(r->name_size, &at, end, 1, &deed->name) || !take_part(r->second_size, &at, end, 1, &deed->second) ||
        !take_part(r->value_size, &at, end, 0, &value))
        return 0;
    deed->value = value ? value : "";
    return is_whole(deed);
}

static int answer(int link, const wci_deed *deed, ssize_t done, int failed, const struct stat *st)
{
    int fd = done >= 0 && wci_deed_opens(deed->kind) ? (int)done : -1;
    wci_deputy_answer head = {.done = done, .failed = done < 0 ? failed : 0, .has_fd = fd >= 0, .st = *st};
    size_t size = done > 0 && fd < 0 && deed->out ? (size_t)done : 0;
    struct iovec parts[] = {{&head, sizeof head}, {out, size}};
    int rc = wci_deputy_send(link, parts, 2, &fd, fd >= 0);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* 0: it is over. */
static int serve_one(int link)
{
    int fds[WCI_DEPUTY_FDS];
    size_t got = 0;
    wci_deed deed = {0};
    struct stat st = {0};
    struct iovec part = {&in, sizeof in};
    int failed = wci_deputy_receive(link, &part, 1, fds, &got);
    if (!failed && !got)
        return 0;
    ssize_t done = -1;
    errno = failed ? failed : EINVAL;
    if (!failed && read_deed(got, fds, &deed, &st))
        done = wci_deed_perform(&deed);
    failed = errno;
    for (int i = 0; i < WCI_DEPUTY_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return answer(link, &deed, done, failed, &st) == 0;
}

void wci_deputy_serve(int link, const wc_error *why)
{
    wci_deputy_answer head = {.failed = why ? wc_error_code(why) : 0};
    const char *text = why ? wc_error_message(why) : "";
    struct iovec parts[] = {{&head, sizeof head}, {(void *)(uintptr_t)text, strlen(text)}};
    if (wci_deputy_send(link, parts, 2, NULL, 0) || why)
        return;
    while (serve_one(link))
        ;
}
