/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wincontainer/container.h>
#include <wincontainer/stream.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

#define READ_SIZE WCI_FRAME_STREAM_MAX
#define INPUT_MAX (64 * 1024)
#define FIXED_FDS 5 /* listener, out[0], out[1], in, log */

void session_terminate(void *owner)
{
    session *s = owner;
    if (!s->ended && s->process.pid > 0)
        kill(s->process.pid, SIGTERM); /* the host goes down: let it end in order */
}

int32_t session_init(session *s, int tty, wc_error **err)
{
    memset(s, 0, sizeof *s);
    s->process = (launched){0, -1, {-1, -1}};
    s->tty = tty;
    s->listener = s->log_room = -1;
    int32_t rc = loop_init(&s->loop, err);
    s->loop.terminate = session_terminate;
    s->loop.owner = s;
    return rc;
}

int32_t session_listen(session *s, wc_error **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = WCI_RUN_SOCKET};
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(WCI_RUN_SOCKET);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(WCI_RUN_SOCKET, 0600) != 0 || listen(s->listener, 64) != 0)
        return wci_err_errno(err, errno, "monitor: cannot listen on '%s'", WCI_RUN_SOCKET);
    return WC_OK;
}

uint32_t session_flags(const session *s)
{
    return (s->process.in >= 0 ? WCI_HELLO_STDIN : 0) | (s->tty ? WCI_HELLO_TTY : 0) |
           (s->command ? WCI_HELLO_COMMANDS : 0) | (s->exec ? WCI_HELLO_EXEC : 0);
}

static client *add_client(session *s, int fd)
{
    client *c = NULL;
    if (wci_grow(&s->clients, &s->client_cap, s->client_count + 1, sizeof *s->clients))
        c = client_new(fd);
    else
        close(fd);
    if (!c)
        return NULL;
    c->id = ++s->last_client;
    s->clients[s->client_count++] = c;
    return c;
}

void session_adopt_link(session *s, uint32_t attach)
{
    if (!attach) {
        link_close();
        return;
    }
    link_given_away();
    client *c = add_client(s, HELPER_LINK);
    if (c)
        c->attach = attach;
}

static void accept_clients(session *s)
{
    int fd;
    while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        client *c = add_client(s, fd);
        unsigned char hello[8];
        wci_put_u32(hello, WCI_PROTOCOL_VERSION);
        wci_put_u32(hello + 4, session_flags(s));
        if (c)
            client_send(c, WCI_FRAME_HELLO, 0, hello, sizeof hello);
    }
}

/* ---- Input ---- */

/* The writers learn of it by a broken pipe. */
static void close_input(session *s)
{
    if (s->process.in >= 0)
        close(s->process.in);
    s->process.in = -1;
    wci_str_free(&s->input);
    s->input_used = 0;
    for (size_t i = 0; i < s->client_count; i++) {
        client *c = s->clients[i];
        if (c->attach & WC_ATTACH_STDIN)
            client_deafen(c);
    }
}

static void write_input(session *s)
{
    while (s->input_used < s->input.size) {
        ssize_t n = write(s->process.in, s->input.data + s->input_used,
                          s->input.size - s->input_used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            close_input(s);
            return;
        }
        s->input_used += (size_t)n;
    }
    wci_str_free(&s->input);
    s->input_used = 0;
    if (s->input_ends && !s->tty)
        close_input(s);
}

static int has_input(const session *s)
{
    return s->input.size > s->input_used;
}

static void end_input(session *s)
{
    s->input_ends = 1;
    if (!has_input(s) && !s->tty)
        close_input(s);
}

static void take_input(session *s, const char *data, size_t size)
{
    if (s->process.in < 0)
        return;
    wci_str_append_n(&s->input, data, size);
    if (s->input.failed) {
        close_input(s);
        return;
    }
    write_input(s);
}

/* ---- Requests of clients ---- */

static void answer(client *c, int32_t code, const char *text)
{
    char data[128];
    size_t size = strnlen(text, sizeof data - 4);
    wci_put_u32((unsigned char *)data, (uint32_t)code);
    memcpy(data + 4, text, size);
    client_send(c, WCI_FRAME_RESULT, 0, data, 4 + size);
}

static void kill_for(session *s, client *c, uint32_t signal)
{
    if (s->ended) {
        int taken = s->signalled && s->signalled(s->command_owner, (int)signal);
        answer(c, taken ? WC_OK : WC_E_STATE, taken ? "" : "the process has ended");
    } else if (kill(s->process.pid, (int)signal) == 0) {
        answer(c, WC_OK, "");
        if (s->signalled)
            (void)s->signalled(s->command_owner, (int)signal);
    } else {
        answer(c, errno == EINVAL ? WC_E_INVALID : WC_E_STATE, strerror(errno));
    }
}

static void resize(session *s, const char *data)
{
    struct winsize size = {.ws_col = (unsigned short)wci_get_u32(data),
                           .ws_row = (unsigned short)wci_get_u32(data + 4)};
    if (s->tty && s->process.out[0] >= 0)
        (void)ioctl(s->process.out[0], TIOCSWINSZ, &size);
}

static void attach(session *s, client *c, uint32_t what)
{
    c->attach = what;
    client_send(c, WCI_FRAME_ATTACHED, 0, NULL, 0);
    if ((what & WC_ATTACH_STDIN) && s->process.in < 0)
        client_deafen(c);
}

/* What is given up at once is not begun. */
static int is_cancelled(const client *c, size_t size)
{
    const char *next = c->in.data + WCI_FRAME_HEADER + size;
    return c->in.size - WCI_FRAME_HEADER - size >= WCI_FRAME_HEADER && next[4] == WCI_FRAME_CANCEL;
}

static void exec_for(session *s, client *c, const char *data, size_t size)
{
    wc_error *err = NULL;
    if (!is_cancelled(c, size) && s->exec(s->command_owner, c->fd, data, size, &err)) {
        json_t *outcome = outcome_json(err);
        char *text = outcome ? wci_json_dump_text(outcome) : NULL;
        if (text)
            client_send(c, WCI_FRAME_REPORT, 0, text, strlen(text));
        json_decref(outcome);
        wci_free(text);
    }
    wc_error_unref(err);
    c->gone = 1;
}

static void handle_frame(session *s, client *c, int type, const char *data, size_t size)
{
    if (type == WCI_FRAME_ATTACH && size >= 4)
        attach(s, c, wci_get_u32(data));
    else if (type == WCI_FRAME_STDIN && (c->attach & WC_ATTACH_STDIN))
        take_input(s, data, size);
    else if (type == WCI_FRAME_STDIN_END && (c->attach & WC_ATTACH_STDIN))
        end_input(s);
    else if (type == WCI_FRAME_RESIZE && size >= 8)
        resize(s, data);
    else if (type == WCI_FRAME_KILL && size >= 4)
        kill_for(s, c, wci_get_u32(data));
    else if (type == WCI_FRAME_COMMAND && s->command)
        s->command(s->command_owner, c->id, data, size);
    else if (type == WCI_FRAME_EXEC && s->exec)
        exec_for(s, c, data, size);
    else if (type != WCI_FRAME_WAIT && type != WCI_FRAME_CANCEL)
        answer(c, WC_E_UNSUPPORTED, "this monitor does not know the request");
}

/* Input waits in the client's own socket while the process does not read. */
static int may_take(const session *s, int type)
{
    return type != WCI_FRAME_STDIN || s->input.size - s->input_used < INPUT_MAX;
}

static void handle_frames(session *s, client *c)
{
    int type;
    const char *data;
    size_t size;
    while (!c->gone && client_frame(c, &type, &data, &size) && may_take(s, type)) {
        handle_frame(s, c, type, data, size);
        client_consume(c);
    }
}

static int wants_more(const session *s, const client *c)
{
    if (c->deaf || c->gone)
        return 0;
    return !(c->attach & WC_ATTACH_STDIN) || s->input.size - s->input_used < INPUT_MAX;
}

static void remove_gone(session *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->client_count; i++)
        if (s->clients[i]->gone && (s->clients[i]->attach & WC_ATTACH_ONCE))
            end_input(s);
    for (size_t i = 0; i < s->client_count; i++) {
        if (s->clients[i]->gone)
            client_free(s->clients[i]);
        else
            s->clients[kept++] = s->clients[i];
    }
    s->client_count = kept;
}

/* ---- Output ---- */

/* While a client or the log is behind, the process waits for it: for a short time, or as long as it takes. Once the
 * process has ended what it left is read at once, so that its end is known whoever reads. */
static int output_waits(const session *s, int *patience_ms)
{
    int waits = s->log_room >= 0 && !s->ended;
    for (size_t i = 0; i < s->client_count; i++) {
        const client *c = s->clients[i];
        if (!c->attach || c->finished || !client_is_behind(c))
            continue;
        int patience = client_patience_ms(c);
        if (!client_is_patient(c) || !s->ended)
            waits = 1;
        if (patience < 0)
            continue;
        if (*patience_ms < 0 || patience < *patience_ms)
            *patience_ms = patience;
    }
    return waits;
}

static void drop_stalled(session *s)
{
    for (size_t i = 0; i < s->client_count; i++) {
        client *c = s->clients[i];
        if (c->finished && client_patience_ms(c) == 0)
            c->gone = 1;
        else if (c->attach && client_patience_ms(c) == 0)
            client_drop(c);
    }
}

static void give_output(session *s, int channel, const char *data, size_t size)
{
    uint32_t bit = channel == WC_STREAM_STDERR ? WC_ATTACH_STDERR : WC_ATTACH_STDOUT;
    if (s->log)
        s->log->write(s->log, channel, data, size);
    for (size_t i = 0; i < s->client_count; i++)
        if (s->clients[i]->attach & bit)
            client_send(s->clients[i], WCI_FRAME_OUTPUT, channel, data, size);
}

static void read_output(session *s, int which)
{
    static char data[READ_SIZE];
    int *fd = &s->process.out[which];
    ssize_t n = read(*fd, data, sizeof data);
    if (n > 0) {
        give_output(s, which ? WC_STREAM_STDERR : WC_STREAM_STDOUT, data, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(*fd); /* a terminal ends with EIO */
        *fd = -1;
    }
}

/* ---- The loop ---- */

static void note_end(void *owner, int status)
{
    session *s = owner;
    s->ended = 1;
    s->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    s->finished_ns = wci_now_ns();
    if (s->process_ended)
        s->process_ended(s->command_owner);
}

static int client_events(const session *s, const client *c)
{
    return (wants_more(s, c) ? POLLIN : 0) | (client_is_behind(c) ? POLLOUT : 0);
}

static void fill_poll(const session *s, int output_paused, struct pollfd *fds)
{
    const launched *p = &s->process;
    fds[0] = (struct pollfd){s->listener, POLLIN, 0};
    fds[1] = (struct pollfd){output_paused ? -1 : p->out[0], POLLIN, 0};
    fds[2] = (struct pollfd){output_paused ? -1 : p->out[1], POLLIN, 0};
    /* Without anything to write it only tells that nobody reads any more. */
    fds[3] = (struct pollfd){p->in, has_input(s) ? POLLOUT : 0, 0};
    fds[4] = (struct pollfd){s->log_room, POLLOUT, 0};
    for (size_t i = 0; i < s->client_count; i++) {
        const client *c = s->clients[i];
        int events = client_events(s, c);
        /* One that waits for room may have hung up: what it sent before counts all the same. */
        fds[FIXED_FDS + i] = (struct pollfd){events || c->deaf ? c->fd : -1, (short)events, 0};
    }
}

static void serve_client(session *s, client *c, short events)
{
    if (events & POLLOUT)
        client_flush(c);
    if (c->finished && !client_is_behind(c))
        c->gone = 1;
    if (events & POLLIN && !c->deaf)
        client_receive(c);
    else if (events & (POLLHUP | POLLERR))
        c->gone = 1;
    handle_frames(s, c);
}

static void serve(session *s, const struct pollfd *fds, size_t clients)
{
    for (int i = 0; i < 2; i++)
        if (fds[1 + i].revents)
            read_output(s, i);
    s->log_room = s->log && s->log->go_on ? s->log->go_on(s->log) : -1;
    if (fds[3].revents & POLLOUT)
        write_input(s);
    else if (fds[3].revents & POLLERR && !s->tty)
        close_input(s);
    for (size_t i = 0; i < clients; i++)
        serve_client(s, s->clients[i], fds[FIXED_FDS + i].revents);
    for (size_t i = 0; i < s->client_count; i++) /* input that had no room before */
        handle_frames(s, s->clients[i]);
    if (fds[0].revents)
        accept_clients(s);
    drop_stalled(s);
    remove_gone(s);
}

/* What the process wrote before its end is there already: the first look that finds nothing is the
 * last. Whoever else holds its pipes does not count. */
static int is_drained(const session *s, int output_paused, const struct pollfd *fds)
{
    int more = fds[1].revents || fds[2].revents;
    for (size_t i = 0; i < s->client_count && more; i++)
        more = !client_is_full(s->clients[i]);
    return s->ended && !output_paused && !more;
}

static void set_nonblocking(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void session_turn(session *s)
{
    int timeout = -1;
    int paused = output_waits(s, &timeout);
    int was_ended = s->ended;
    size_t clients = s->client_count;
    if (!wci_grow(&s->fds, &s->fds_cap, FIXED_FDS + clients, sizeof *s->fds))
        return; /* there is nobody to tell; memory comes back or we are killed */
    fill_poll(s, paused, s->fds);
    if (!loop_turn(&s->loop, s->fds, FIXED_FDS + clients, s->ended && !s->drained && !paused ? 0 : timeout))
        return;
    if (!s->drained && was_ended && is_drained(s, paused, s->fds))
        s->drained = 1;
    else
        serve(s, s->fds, clients);
}

void session_run(session *s)
{
    s->ended = s->drained = 0;
    s->child = (loop_child){s->process.pid, note_end, s, NULL};
    loop_add_child(&s->loop, &s->child);
    set_nonblocking(s->process.in);
    set_nonblocking(s->process.out[0]);
    set_nonblocking(s->process.out[1]);
    loop_reap(&s->loop); /* it may be over already */
    while (!s->drained)
        session_turn(s);
    launched_close(&s->process);
}

void session_answer(session *s, uint64_t id, const wc_error *err, json_t *result)
{
    json_t *outcome = outcome_json(err);
    if (result)
        json_object_set_new(outcome, "result", result);
    char *text = outcome ? wci_json_dump_text(outcome) : NULL;
    for (size_t i = 0; text && i < s->client_count; i++)
        if (s->clients[i]->id == id)
            client_send(s->clients[i], WCI_FRAME_ANSWER, 0, text, strlen(text));
    json_decref(outcome);
    wci_free(text);
}

/* ---- The end ---- */

static void tell_end(session *s)
{
    unsigned char end[12];
    wci_put_u32(end, (uint32_t)s->exit_code);
    wci_put_u64(end + 4, (uint64_t)s->finished_ns);
    for (size_t i = 0; i < s->client_count; i++)
        if (!s->clients[i]->finished)
            client_send(s->clients[i], WCI_FRAME_EXIT, 0, end, sizeof end);
}

/* Those who are behind get a last chance. */
static void flush_clients(session *s)
{
    for (size_t i = 0; i < s->client_count; i++) {
        client *c = s->clients[i];
        int patience;
        while (!c->gone && (patience = client_patience_ms(c)) > 0) {
            struct pollfd fd = {c->fd, POLLOUT, 0};
            if (poll(&fd, 1, patience) > 0)
                client_flush(c);
        }
    }
}

/* They keep what they have not taken yet, while the next run goes on. */
static void dismiss_clients(session *s)
{
    for (size_t i = 0; i < s->client_count; i++) {
        client *c = s->clients[i];
        c->finished = 1;
        c->attach &= WC_ATTACH_WAIT;
        client_deafen(c);
        if (!client_is_behind(c))
            c->gone = 1;
    }
    remove_gone(s);
}

void session_end_run(session *s)
{
    tell_end(s);
    dismiss_clients(s);
    wci_str_free(&s->input);
    s->input_used = 0;
    s->input_ends = 0;
    s->process = (launched){0, -1, {-1, -1}};
}

void session_finish(session *s)
{
    accept_clients(s);
    tell_end(s);
    flush_clients(s);
    unlink(WCI_RUN_SOCKET);
    close(s->listener);
    loop_close(&s->loop);
    wci_free(s->fds);
}

/* It may hang up, too; what it still says counts for nothing. */
static void flush_patiently(client *c)
{
    while (!c->gone && client_is_behind(c)) {
        struct pollfd fd = {c->fd, POLLOUT, 0};
        if (poll(&fd, 1, -1) > 0)
            client_flush(c);
    }
}

/* In any order: each has its own socket, and the slowest decides. SIGTERM ends us now: a host that goes down waits for
 * no reader. */
void session_linger(session *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    for (size_t i = 0; i < s->client_count; i++)
        client_flush(s->clients[i]);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    for (size_t i = 0; i < s->client_count; i++) {
        client *c = s->clients[i];
        if (client_is_patient(c))
            flush_patiently(c);
        client_free(c);
    }
    wci_free(s->clients);
    s->client_count = 0;
}
