/* SPDX-License-Identifier: Apache-2.0 */
/* Documentation: slirp4netns(1). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/process/linux/helper/uplink.h"
#include "backend/process/slirp_answer.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number
#define PATIENCE_S 10
#define ANSWER_MAX 4096

static int arguments(const uplink *u, wci_strv *out)
{
    const char *const fixed[] = {"--configure", "--disable-host-loopback", "--enable-ipv6", "--enable-sandbox",
                                 "--enable-seccomp", "--ready-fd", TEXT_OF(UPLINK_READY_FD), "--api-socket",
                                 UPLINK_SOCKET, "--cidr", uplink_text(u, "subnet"), "--netns-type", "path", "--mtu"};
    int failed = 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        failed |= wci_strv_add(out, fixed[i]);
    failed |= wci_strv_add_take(out, wci_asprintf("%lld", (long long)uplink_mtu(u)));
    return failed | wci_strv_add(out, u->netns) | wci_strv_add(out, uplink_text(u, "interface"));
}

/* ---- Orders ------------------------------------------------------------------------------------- */

static int call_it(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = UPLINK_SOCKET};
    struct timeval patience = {PATIENCE_S, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* It takes one order for each connection and closes it after the answer. */
static int32_t order(const char *text, wc_error **err)
{
    char answer[ANSWER_MAX];
    size_t size = 0;
    ssize_t n = -1;
    int fd = call_it();
    if (fd >= 0 && send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) && shutdown(fd, SHUT_WR) == 0)
        while (size < sizeof answer && (n = recv(fd, answer + size, sizeof answer - size, 0)) > 0)
            size += (size_t)n;
    int code = errno;
    if (fd >= 0)
        close(fd);
    return n < 0 ? wci_err_errno(err, code, "slirp4netns: its socket") : wci_slirp_answer(answer, size, err);
}

static int32_t publish_one(const uplink *u, json_t *port, wc_error **err)
{
    const char *protocol = json_string_value(json_object_get(port, "protocol"));
    const char *ip = json_string_value(json_object_get(port, "host_ip"));
    int number = (int)json_integer_value(json_object_get(port, "host_port"));
    json_t *document = json_pack("{s:s, s:{s:s, s:s, s:i, s:s, s:O}}", "execute", "add_hostfwd", "arguments", "proto",
                                 protocol, "host_addr", *ip ? ip : "0.0.0.0", "host_port", number, "guest_addr",
                                 uplink_text(u, "address"), "guest_port", json_object_get(port, "container_port"));
    char *text = document ? wci_json_dump_text(document) : NULL;
    int32_t rc = text ? order(text, err) : wci_err_nomem(err);
    json_decref(document);
    wci_free(text);
    return rc ? wci_err_wrap(err, rc, "port %s:%d/%s: it cannot be forwarded", *ip ? ip : "0.0.0.0", number, protocol)
              : WC_OK;
}

static int32_t publish(const uplink *u, wc_error **err)
{
    json_t *port;
    size_t i;
    int32_t rc = WC_OK;
    json_array_foreach(uplink_ports(u), i, port)
        if (!rc)
            rc = publish_one(u, port, err);
    return rc;
}

const uplink_kind uplink_slirp = {"slirp4netns", arguments, publish, 0};
