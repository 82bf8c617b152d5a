/* SPDX-License-Identifier: Apache-2.0 */
/* Our standard streams joined to a container's: the main thread copies its output, one thread feeds
 * its input, one forwards signals. Those two wait for what may never come, so they are woken in the end. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "wcctl.h"

static attachment attached;
static int input_stop[2]; /* a pipe */
static wc_cancel *detached; /* triggered by the detach keys */
static atomic_int signals_stop;
static struct termios saved_terminal;
static int terminal_changed;

static void on_signal(int number)
{
    (void)number;
    wc_cancel_trigger(wcctl.cancel);
}

void signals_prepare(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void restore_terminal(void)
{
    if (terminal_changed)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_terminal);
    terminal_changed = 0;
}

static void raw_terminal(void)
{
    struct termios raw;
    if (tcgetattr(STDIN_FILENO, &saved_terminal))
        return;
    raw = saved_terminal;
    cfmakeraw(&raw);
    terminal_changed = !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    atexit(restore_terminal);
}

int terminal_size(uint32_t *columns, uint32_t *rows)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
        return 0;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 1;
}

static void resize(void)
{
    uint32_t columns, rows;
    if (terminal_size(&columns, &rows))
        wc_stream_resize(attached.stream, columns, rows, NULL);
}

/* 0 at the end of the input, negative when it no longer matters. */
static ssize_t read_input(void *data, size_t size)
{
    struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {input_stop[0], POLLIN, 0}};
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            return -1;
        ssize_t n = read(STDIN_FILENO, data, size);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n < 0 ? 0 : n;
    }
}

/* 1 when all of it has gone to the container. */
static int write_input(const char *data, size_t size)
{
    size_t put = 0;
    for (size_t done = 0; done < size; done += put)
        if (wc_stream_write(attached.stream, data + done, size - done, &put, -1, NULL, NULL))
            return 0;
    return 1;
}

static void *feed_input(void *arg)
{
    char data[65536], passed[sizeof data + DETACH_KEYS_MAX];
    ssize_t n;
    (void)arg;
    if (!attached.tty || !isatty(STDIN_FILENO)) /* nobody types */
        attached.keys.count = 0;
    while ((n = read_input(data, sizeof data)) > 0) {
        size_t size = 0;
        int detach = detach_keys_filter(&attached.keys, data, (size_t)n, passed, &size);
        if (!write_input(passed, size))
            return NULL;
        if (detach) {
            wc_cancel_trigger(detached);
            return NULL;
        }
    }
    if (n == 0)
        wc_stream_close_write(attached.stream, NULL);
    return NULL;
}

static void forwarded_signals(sigset_t *set)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    sigemptyset(set);
    sigaddset(set, SIGWINCH);
    for (size_t i = 0; i < countof(numbers) && !attached.keeps_signals; i++)
        sigaddset(set, numbers[i]);
}

static void *forward_signals(void *arg)
{
    sigset_t set;
    int number;
    (void)arg;
    forwarded_signals(&set);
    while (!sigwait(&set, &number) && !atomic_load(&signals_stop)) {
        char text[16];
        snprintf(text, sizeof text, "%d", number);
        if (number == SIGWINCH && attached.tty)
            resize();
        else if (number != SIGWINCH && attached.process)
            wc_process_kill(attached.process, text, NULL);
        else if (number != SIGWINCH)
            wc_container_kill(attached.container, text, NULL);
    }
    return NULL;
}

static pthread_t start_thread(void *(*run)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, NULL)) {
        fputs("wcctl: cannot start a thread\n", stderr);
        exit(EXIT_OURS);
    }
    return thread;
}

static void stop_input(pthread_t thread)
{
    if (write(input_stop[1], "", 1) == 1)
        pthread_join(thread, NULL);
}

static void stop_signals(pthread_t thread)
{
    atomic_store(&signals_stop, 1);
    pthread_kill(thread, SIGWINCH); /* one that it waits for */
    pthread_join(thread, NULL);
}

/* Until the end of the output, or until the user detaches, which is 1. */
static int copy_output(void)
{
    static char data[65536];
    for (;;) {
        wc_error *err = NULL;
        int32_t channel = 0;
        size_t got = 0;
        int32_t code = wc_stream_read(attached.stream, &channel, data, sizeof data, &got, -1, detached, &err);
        if (code == WC_E_CLOSED || code == WC_E_CANCELLED) {
            wc_error_unref(err);
            return code == WC_E_CANCELLED;
        }
        TRY(code);
        write_all(channel == WC_STREAM_STDERR ? STDERR_FILENO : STDOUT_FILENO, data, got);
    }
}

int container_has_tty(wc_container *container)
{
    wc_error *err = NULL;
    wc_container_info *info = NULL;
    TRY(wc_container_inspect(container, &info, &err));
    json_t *json = json_loads(wc_container_info_json(info), 0, NULL);
    int tty = json_is_true(json_object_get(json_object_get(json, "Config"), "Tty"));
    json_decref(json);
    wc_container_info_unref(info);
    return tty;
}

static int wait_for_end(void)
{
    wc_error *err = NULL;
    int32_t exit_code = 0;
    if (attached.process)
        TRY(wc_process_wait(attached.process, wcctl.cancel, &exit_code, &err));
    else
        TRY(wc_container_wait(attached.container, attached.until ? attached.until : WC_WAIT_RUN_END, wcctl.cancel, &exit_code, &err));
    return exit_code;
}

int attach_run(const attachment *a)
{
    sigset_t set;
    wc_error *err = NULL;
    attached = *a;
    if (a->keeps_signals) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    TRY(wc_cancel_new(&detached, &err));
    forwarded_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_t signals = start_thread(forward_signals), input = signals;
    if (a->tty && a->with_stdin)
        raw_terminal();
    if (a->tty)
        resize();
    if (a->with_stdin) {
        if (pipe2(input_stop, O_CLOEXEC)) {
            perror("wcctl: pipe");
            exit(EXIT_OURS);
        }
        input = start_thread(feed_input);
    }
    int has_detached = copy_output();
    restore_terminal();
    if (a->with_stdin)
        stop_input(input);
    if (has_detached)
        fputs("\nwcctl: detached; it goes on\n", stderr);
    int exit_code = has_detached ? 0 : wait_for_end();
    stop_signals(signals);
    wc_cancel_unref(detached);
    wc_stream_unref(a->stream);
    return exit_code;
}
