/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/launch.h"
#include "backend/process/protocol.h"
#include "core/error.h"
#include "platform/process.h"

#define PORTS_MAX 1024 /* of a bridge, BR_MAX_PORTS */
#define PORTS_SHOWN 250 /* more is as much */

static int raise_loopback(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0;
    if (fd >= 0)
        close(fd);
    return failed;
}

/* ---- Interfaces by netlink ------------------------------------------------------------------------ */

typedef struct link_request {
    struct nlmsghdr head;
    struct ifinfomsg info;
    char attributes[128];
} link_request;

static struct rtattr *add_attribute(link_request *r, int type, const char *text, size_t size)
{
    struct rtattr *a = (struct rtattr *)(void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));
    a->rta_type = (unsigned short)type;
    a->rta_len = (unsigned short)RTA_LENGTH(size);
    memcpy(RTA_DATA(a), text, size);
    r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
    return a;
}

/* A bridge: of all kinds the one that needs nothing beside. */
static int make_interface(int fd, const char *name)
{
    link_request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                               .nlmsg_type = RTM_NEWLINK,
                               .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK}};
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    add_attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
    struct rtattr *kind = add_attribute(&r, IFLA_LINKINFO, "", 0);
    add_attribute(&r, IFLA_INFO_KIND, "bridge", sizeof "bridge");
    kind->rta_len = (unsigned short)((char *)&r + r.head.nlmsg_len - (char *)kind);
    if (send(fd, &r, r.head.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof(int)))
        return -1;
    return answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error == 0 ? 0 : -1;
}

static int make_interfaces(const wci_strv *names)
{
    int failed = 0, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    for (size_t i = 0; fd >= 0 && i < names->count; i++)
        failed |= strlen(names->items[i]) < IFNAMSIZ && make_interface(fd, names->items[i]);
    if (fd >= 0)
        close(fd);
    return fd < 0 || failed;
}

static int bridge_ports(const char *bridge)
{
    int ports[PORTS_MAX];
    unsigned long args[] = {BRCTL_GET_PORT_LIST, (unsigned long)(uintptr_t)ports, PORTS_MAX, 0};
    struct ifreq query = {.ifr_data = (char *)args};
    int count = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(bridge) >= IFNAMSIZ)
        count = -1;
    memset(ports, 0, sizeof ports); /* by number of the port; 0: none */
    memcpy(query.ifr_name, bridge, strnlen(bridge, IFNAMSIZ - 1));
    if (count == 0 && ioctl(fd, SIOCDEVPRIVATE, &query) < 0)
        count = -1;
    for (int i = 0; count >= 0 && count < PORTS_SHOWN && i < PORTS_MAX; i++)
        count += ports[i] != 0;
    if (fd >= 0)
        close(fd);
    return count;
}

/* In a child: nobody comes back from a namespace of a user into the host's. What the work answers is from -1 to 253. */
static int work_in(int netns, int (*work)(const char *name), const char *name)
{
    int status = 0;
    if (netns < 0)
        return work(name);
    pid_t pid = fork();
    if (pid == 0)
        _exit(setns(netns, CLONE_NEWNET) == 0 ? work(name) + 1 : 0);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) - 1 : -1;
}

int netns_bridge_ports(int netns, const char *bridge)
{
    return work_in(netns, bridge_ports, bridge);
}

/* To what it has: an address that was set stays. */
static int set_address(const char *bridge)
{
    struct ifreq query = {.ifr_name = ""};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(query.ifr_name, bridge, strnlen(bridge, IFNAMSIZ - 1));
    int failed = fd < 0 || ioctl(fd, SIOCGIFHWADDR, &query) != 0 || ioctl(fd, SIOCSIFHWADDR, &query) != 0;
    if (fd >= 0)
        close(fd);
    return failed ? -1 : 0;
}

void netns_pin_bridge(int netns, const char *bridge)
{
    (void)work_in(netns, set_address, bridge);
}

/* ---- Making --------------------------------------------------------------------------------------- */

/* In a child: enters a new namespace, and binds it when asked. What errno says. */
static int make_in_child(int bind, const wci_strv *interfaces)
{
    if (unshare(CLONE_NEWNET) != 0 || raise_loopback())
        return errno ? errno : EIO;
    if (interfaces && make_interfaces(interfaces))
        return errno ? errno : EIO;
    if (bind && mount("/proc/self/ns/net", WCI_RUN_NETNS, NULL, MS_BIND, NULL) != 0)
        return errno;
    return 0;
}

static int make_mount_point(void)
{
    int fd = open(WCI_RUN_NETNS, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void netns_release(void)
{
    umount2(WCI_RUN_NETNS, MNT_DETACH);
    unlink(WCI_RUN_NETNS);
}

static int32_t failed(int code, wc_error **err)
{
    return wci_err_errno(err, code, "network namespace: cannot be made");
}

/* A child has it until we have opened it. */
static int32_t make_held(int userns, const wci_strv *interfaces, int *fd, wc_error **err)
{
    char path[64];
    int ready[2], code = EIO;
    if (pipe2(ready, O_CLOEXEC) != 0)
        return failed(errno, err);
    pid_t pid = fork();
    if (pid == 0) {
        code = userns >= 0 && setns(userns, CLONE_NEWUSER) != 0 ? errno : make_in_child(0, interfaces);
        (void)!write(ready[1], &code, sizeof code);
        pause();
        _exit(0);
    }
    close(ready[1]);
    if (pid < 0 || read(ready[0], &code, sizeof code) != (ssize_t)sizeof code)
        code = EAGAIN;
    snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
    *fd = code ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    int32_t rc = code ? failed(code, err) : *fd < 0 ? failed(errno, err) : WC_OK;
    close(ready[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        reap(pid);
    }
    return rc;
}

int32_t netns_bind(int fd, wc_error **err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!make_mount_point() || mount(path, WCI_RUN_NETNS, NULL, MS_BIND, NULL) != 0)
        return wci_err_errno(err, errno, "network namespace: cannot be bound");
    return WC_OK;
}

/* Who has entered it cannot bind: that is for us to do. */
static int32_t make_of(int userns, int *fd, wc_error **err)
{
    static const wci_strv no_interfaces = WCI_STRV_INIT;
    int32_t rc = make_held(userns, &no_interfaces, fd, err);
    return rc ? rc : netns_bind(*fd, err);
}

int32_t netns_make(int userns, int *fd, wc_error **err)
{
    int status = 0;
    if (userns >= 0)
        return make_of(userns, fd, err);
    if (!make_mount_point())
        return failed(errno, err);
    pid_t pid = fork();
    if (pid == 0)
        _exit(make_in_child(1, NULL));
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
        return failed(pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN, err);
    *fd = open(WCI_RUN_NETNS, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? failed(errno, err) : WC_OK;
}

int32_t netns_stand_in(const wci_strv *interfaces, int *fd, wc_error **err)
{
    return make_held(-1, interfaces, fd, err);
}

int32_t netns_of(int64_t pid, int64_t start, int *fd, wc_error **err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/ns/net", (long long)pid);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0 && wci_process_alive(pid, start))
        return WC_OK;
    int code = errno;
    int was_open = *fd >= 0;
    if (was_open)
        close(*fd);
    *fd = -1;
    return was_open || code == ENOENT ? wci_err(err, WC_E_STATE, "network: the container has ended")
                                      : wci_err_errno(err, code, "network namespace of process %lld", (long long)pid);
}

int32_t netns_join(int64_t pid, int64_t start, int *fd, wc_error **err)
{
    int32_t rc = netns_of(pid, start, fd, err);
    return rc ? rc : netns_bind(*fd, err);
}

int netns_open_bound(void)
{
    return open(WCI_RUN_NETNS, O_RDONLY | O_CLOEXEC);
}
