/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/process/linux/helper/hub.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"

#define PATIENCE_MS 20000

void hub_close(hub *h)
{
    const int fds[] = {h->connection, h->netns, h->mounts};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *h = HUB_NONE;
}

/* ---- One that is there -------------------------------------------------------------------------- */

/* The path may be longer than an address holds. */
static int call(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = at < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" HUB_SOCKET, at);
    int failed = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0;
    if (at >= 0)
        close(at);
    if (failed && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int receive(hub *h)
{
    char byte;
    union {
        struct cmsghdr align;
        char data[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.data,
                             .msg_controllen = sizeof control.data};
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    int fds[2] = {-1, -1};
    setsockopt(h->connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t n = recvmsg(h->connection, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fds))
        return 0;
    memcpy(fds, CMSG_DATA(c), sizeof fds);
    h->netns = fds[0];
    h->mounts = fds[1];
    return 1;
}

static int connect_existing(const char *dir, hub *out)
{
    hub h = HUB_NONE;
    h.connection = call(dir);
    if (h.connection < 0)
        return 0;
    if (!receive(&h)) { /* it was about to end */
        hub_close(&h);
        return 0;
    }
    *out = h;
    return 1;
}

/* ---- A new one ---------------------------------------------------------------------------------- */

static void run(int link, int old)
{
    char self[PATH_MAX];
    sigset_t none;
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size < 0 ? 0 : size] = '\0';
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int from = fcntl(link, F_DUPFD_CLOEXEC, HUB_NETNS_FD + 1); /* either may have the other's number */
    int netns = old < 0 ? -1 : fcntl(old, F_DUPFD_CLOEXEC, HUB_NETNS_FD + 1);
    close(HUB_NETNS_FD);
    if (dup2(from, HELPER_LINK) < 0 || (old >= 0 && dup2(netns, HUB_NETNS_FD) < 0))
        _exit(127);
    execl(self, self, "hub", (char *)NULL);
    _exit(127);
}

static int send_request(int link, const char *dir, json_t *wishes)
{
    unsigned char header[WCI_FRAME_HEADER];
    char *run_root = wci_path_parent(dir);
    json_t *document = json_pack("{s:i, s:s?, s:s, s:O}", "version", WCI_PROTOCOL_VERSION, "runRoot", run_root, "runDir", dir,
                                "network", wishes);
    char *text = document ? wci_json_dump_text(document) : NULL;
    size_t size = text ? strlen(text) : 0;
    wci_frame_header(header, WCI_FRAME_REQUEST, 0, (uint32_t)size);
    int sent = text && run_root && send(link, header, sizeof header, MSG_NOSIGNAL) == (ssize_t)sizeof header &&
               send(link, text, size, MSG_NOSIGNAL) == (ssize_t)size;
    json_decref(document);
    wci_free(text);
    wci_free(run_root);
    return sent;
}

static int read_whole(int fd, void *data, size_t size)
{
    for (size_t used = 0; used < size;) {
        ssize_t n = read(fd, (char *)data + used, size - used);
        if (n == 0 || (n < 0 && errno != EINTR))
            return 0;
        used += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

/* Its REPORT. */
static int32_t read_outcome(int link, wc_error **err)
{
    unsigned char header[WCI_FRAME_HEADER];
    char text[4096];
    json_t *report = NULL;
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int whole = read_whole(link, header, sizeof header) && wci_get_u32(header) < sizeof text &&
                read_whole(link, text, wci_get_u32(header));
    if (!whole || wci_json_parse(text, wci_get_u32(header), sizeof text, "report of the hub", &report, NULL))
        return wci_err(err, WC_E_RUNTIME, "networks of an ordinary user: the process that holds them ended without a word");
    int32_t rc = (int32_t)json_integer_value(json_object_get(report, "code"));
    const char *message = json_string_value(json_object_get(report, "message"));
    if (rc)
        rc = wci_err_native(err, rc, (int32_t)json_integer_value(json_object_get(report, "domain")),
                            json_integer_value(json_object_get(report, "native")), "%s", message ? message : "it failed");
    json_decref(report);
    return rc;
}

/* It is nobody's child for long: it outlives us, should others need it. */
static int32_t spawn(const char *dir, json_t *wishes, int old, wc_error **err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return wci_err_errno(err, errno, "networks of an ordinary user");
    pid_t pid = fork();
    if (pid == 0)
        run(ends[1], old);
    close(ends[1]);
    int32_t rc = pid < 0 ? wci_err_errno(err, errno, "networks of an ordinary user") : WC_OK;
    if (!rc)
        (void)send_request(ends[0], dir, wishes); /* what it says then is why it failed */
    if (!rc)
        rc = read_outcome(ends[0], err);
    close(ends[0]);
    return rc;
}

int32_t hub_connect(const char *dir, json_t *wishes, int old, hub *out, wc_error **err)
{
    for (int waited = 0; !connect_existing(dir, out); waited += 5) {
        if (!wishes)
            return wci_err(err, WC_E_NOT_FOUND, "networks of an ordinary user: nobody holds them");
        int32_t rc = spawn(dir, wishes, old, err);
        if (rc)
            return rc;
        if (waited >= PATIENCE_MS)
            return wci_err(err, WC_E_TIMEOUT, "networks of an ordinary user: they do not come");
        poll(NULL, 0, waited ? 5 : 0);
    }
    return WC_OK;
}
