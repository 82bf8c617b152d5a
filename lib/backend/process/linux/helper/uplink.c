/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/hostports.h"
#include "backend/process/linux/helper/launch.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

#define TUN "/dev/net/tun"
#define PATIENCE_MS 10000
#define SAID_MAX (64 * 1024)
#define SHOWN_MAX 400
/* Between attempts to have one that ended work again: doubled each time. */
#define DELAY_FIRST_MS 500
#define DELAY_LAST_MS 30000

static const uplink_kind *const kinds[] = {&uplink_pasta, &uplink_slirp};

/* ---- What is wished ------------------------------------------------------------------------------- */

const char *uplink_text(const uplink *u, const char *key)
{
    const char *text = json_string_value(json_object_get(u->wishes, key));
    return text ? text : "";
}

int64_t uplink_mtu(const uplink *u)
{
    return (int64_t)json_integer_value(json_object_get(u->wishes, "mtu"));
}

json_t *uplink_ports(const uplink *u)
{
    return json_object_get(u->wishes, "ports");
}

void uplink_free(uplink *u)
{
    wci_free(u->program);
    wci_free(u->netns);
    json_decref(u->wishes);
    memset(u, 0, sizeof *u);
}

static const uplink_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

static int32_t check_port(const uplink *u, json_t *port, wc_error **err)
{
    const char *protocol = json_string_value(json_object_get(port, "protocol"));
    const char *ip = json_string_value(json_object_get(port, "host_ip"));
    int number = (int)json_integer_value(json_object_get(port, "host_port"));
    if (!protocol || !ip)
        return wci_err(err, WC_E_FORMAT, "wc-helper: a port of the request has no address or protocol");
    if (strcmp(protocol, "tcp") && strcmp(protocol, "udp"))
        return wci_err(err, WC_E_UNSUPPORTED, "port %d/%s: %s forwards tcp and udp alone; run as root for others", number,
                       protocol, u->kind->name);
    if (strchr(ip, ':') && !u->kind->has_ports6)
        return wci_err(err, WC_E_UNSUPPORTED,
                       "port [%s]:%d/%s: %s forwards no ports of IPv6; install pasta (package passt)", ip, number, protocol,
                       u->kind->name);
    return WC_OK;
}

static int32_t check_ports(const uplink *u, wc_error **err)
{
    json_t *port;
    size_t i;
    int32_t rc = WC_OK;
    json_array_foreach(uplink_ports(u), i, port)
        if (!rc)
            rc = check_port(u, port, err);
    return rc;
}

int32_t uplink_read(json_t *wishes, const char *netns, uplink *out, wc_error **err)
{
    const char *name = json_string_value(json_object_get(wishes, "name"));
    memset(out, 0, sizeof *out);
    out->kind = find_kind(name ? name : "");
    if (!out->kind)
        return wci_err(err, WC_E_INVALID, "network of an ordinary user: '%s' is neither pasta nor slirp4netns",
                       name ? name : "");
    out->wishes = json_incref(wishes);
    out->program = wci_strdup(uplink_text(out, "program"));
    out->netns = wci_strdup(netns);
    int32_t rc = out->program && out->netns ? check_ports(out, err) : wci_err_nomem(err);
    if (rc)
        uplink_free(out);
    return rc;
}

/* ---- The program ---------------------------------------------------------------------------------- */

static void run(const uplink *u, const wci_strv *words, pid_t monitor)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int said = open(UPLINK_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    int ready = open(UPLINK_READY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    child_begin(monitor); /* and so SIGPIPE is not ignored, with which pasta refuses to work */
    if (dup2(null, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0 ||
        (ready == UPLINK_READY_FD ? fcntl(ready, F_SETFD, 0) : dup2(ready, UPLINK_READY_FD)) < 0)
        _exit(127);
    execv(u->program, words->items);
    _exit(127);
}

static int32_t make_words(const uplink *u, wci_strv *words, wc_error **err)
{
    int failed = wci_strv_add(words, u->kind->name) || u->kind->arguments(u, words);
    char **grown = failed ? NULL : wci_realloc(words->items, (words->count + 1) * sizeof *grown);
    if (!grown)
        return wci_err_nomem(err);
    words->items = grown;
    words->items[words->count] = NULL;
    return WC_OK;
}

static int is_ready(void)
{
    struct stat st;
    return stat(UPLINK_READY, &st) == 0 && st.st_size > 0;
}

/* What matters of a log: pasta complains of a missing syslog, too. */
static void add_words(const char *said, wci_str *out)
{
    for (const char *line = said; *line && out->size < SHOWN_MAX;) {
        size_t size = strcspn(line, "\n");
        if (size && !memmem(line, size, "to syslog", strlen("to syslog")))
            wci_str_printf(out, "%s%.*s", out->size ? "; " : "", (int)(size < SHOWN_MAX ? size : SHOWN_MAX), line);
        line += size + (line[size] == '\n');
    }
}

static int32_t say_why(const uplink *u, wc_error **err)
{
    wc_buf *log = NULL;
    wci_str words = WCI_STR_INIT;
    (void)wci_file_read_all(UPLINK_LOG, SAID_MAX, &log, NULL);
    char *said = log ? wci_strndup(wc_buf_data(log), wc_buf_size(log)) : NULL;
    if (said)
        add_words(said, &words);
    if (words.data)
        wci_make_plain(words.data);
    int32_t rc = wci_err(err, WC_E_RUNTIME, "%s '%s': it gives no network: %s%s", u->kind->name, u->program,
                         words.size ? words.data : "it ended and did not say why",
                         strstr(words.size ? words.data : "", "routable") ? "; this host has no default route, use "
                                                                            "slirp4netns or the network 'none'"
                                                                          : "");
    wci_free(said);
    wci_str_free(&words);
    wc_buf_unref(log);
    return rc;
}

static void kill_it(uplink *u)
{
    kill(u->child.pid, SIGKILL);
    reap(u->child.pid);
    u->child.pid = 0;
}

static int32_t wait_until_ready(uplink *u, wc_error **err)
{
    for (int waited = 0; !is_ready(); waited++) {
        int gives_up = link_cancelled();
        if (waitpid(u->child.pid, NULL, WNOHANG) == u->child.pid) {
            u->child.pid = 0;
            return say_why(u, err);
        }
        if (gives_up || waited >= PATIENCE_MS) {
            kill_it(u);
            return gives_up ? wci_err(err, WC_E_CANCELLED, "network: the caller gave it up")
                            : wci_err(err, WC_E_RUNTIME, "%s: it was not ready within ten seconds", u->kind->name);
        }
        poll(NULL, 0, 1);
    }
    return WC_OK;
}

static int32_t check_tun(wc_error **err)
{
    int fd = open(TUN, O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? WC_OK
                   : wci_err_errno(err, errno, "network of an ordinary user: " TUN
                                   " cannot be opened; run: modprobe tun && chmod 666 " TUN);
}

int32_t uplink_start(uplink *u, wc_error **err)
{
    wci_strv words = WCI_STRV_INIT;
    pid_t monitor = getpid();
    int32_t rc = check_tun(err);
    if (!rc)
        rc = hostports_check(uplink_ports(u), u->kind->has_ports6, err);
    if (!rc)
        rc = make_words(u, &words, err);
    unlink(UPLINK_READY);
    unlink(UPLINK_SOCKET);
    u->child.pid = rc ? 0 : fork();
    if (!rc && u->child.pid == 0)
        run(u, &words, monitor);
    if (!rc && u->child.pid < 0)
        rc = wci_err_errno(err, errno, "%s", u->kind->name);
    if (!rc)
        rc = wait_until_ready(u, err);
    if (!rc && u->kind->publish)
        rc = u->kind->publish(u, err);
    if (rc && u->child.pid > 0)
        kill_it(u);
    wci_strv_free(&words);
    return rc;
}

/* ---- Its end -------------------------------------------------------------------------------------- */

static void ended(void *owner, int status);

static void watch_child(uplink *u)
{
    u->child.ended = ended;
    u->child.owner = u;
    loop_add_child(u->loop, &u->child);
}

static void try_again(void *owner)
{
    uplink *u = owner;
    if (uplink_start(u, NULL)) {
        u->delay_ms = u->delay_ms * 2 > DELAY_LAST_MS ? DELAY_LAST_MS : u->delay_ms * 2;
        u->again.at_ms = monotonic_ms() + u->delay_ms;
        loop_add_timer(u->loop, &u->again);
        return;
    }
    watch_child(u);
    u->told(u->owner, NULL);
}

static void ended(void *owner, int status)
{
    uplink *u = owner;
    char why[64];
    u->child.pid = 0;
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "killed by signal %d", WTERMSIG(status));
    else
        snprintf(why, sizeof why, "ended with %d", WEXITSTATUS(status));
    u->told(u->owner, why);
    u->delay_ms = DELAY_FIRST_MS;
    u->again = (loop_timer){monotonic_ms(), try_again, u, NULL};
    loop_add_timer(u->loop, &u->again);
}

void uplink_watch(uplink *u, loop *l, void (*told)(void *owner, const char *why), void *owner)
{
    if (!u->kind)
        return;
    u->loop = l;
    u->told = told;
    u->owner = owner;
    watch_child(u);
}

void uplink_stop(uplink *u)
{
    if (u->loop) {
        loop_remove_child(u->loop, &u->child);
        loop_remove_timer(u->loop, &u->again);
    }
    if (u->child.pid > 0)
        kill_it(u);
    unlink(UPLINK_SOCKET);
    unlink(UPLINK_READY);
    unlink(UPLINK_LOG);
    uplink_free(u);
}
