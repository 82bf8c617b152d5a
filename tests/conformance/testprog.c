/* SPDX-License-Identifier: Apache-2.0 */
/* The program in the conformance image: does for real what the mock backend computes. Its command
 * line is a script in the language of docs/mock.md. Static, because the image holds nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIGNALS 65

static struct {
    enum { DEFAULT, IGNORED, TRAPPED, REPORTED } what;
    int exit_code;
    const char *text;
} dispositions[SIGNALS];

static void write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(3);
        data += n;
        size -= (size_t)n;
    }
}

static void put(int fd, const char *text)
{
    write_all(fd, text, strlen(text));
}

static void put_line(int fd, const char *text)
{
    size_t n = strlen(text);
    char *line = malloc(n + 1);
    if (!line)
        _exit(3);
    memcpy(line, text, n);
    line[n] = '\n';
    write_all(fd, line, n + 1);
    free(line);
}

static void complain(const char *what, const char *why)
{
    put(2, what);
    put(2, ": ");
    put(2, why);
    put(2, "\n");
}

/* ---- Signals -------------------------------------------------------------------------------- */

/* The first process of a container is spared the default action by the kernel, so a handler does
 * what that action would have led to. */
static void on_signal(int number)
{
    switch (dispositions[number].what) {
    case DEFAULT:
        _exit(128 + number);
    case TRAPPED:
        _exit(dispositions[number].exit_code);
    case REPORTED:
        put(1, dispositions[number].text);
        put(1, "\n");
        break;
    case IGNORED:
        break;
    }
}

static int is_harmless(int number)
{
    return number == SIGCHLD || number == SIGCONT || number == SIGTSTP || number == SIGTTIN ||
           number == SIGTTOU || number == SIGURG || number == SIGWINCH;
}

static void handle(int number)
{
    struct sigaction action = {0};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, NULL); /* refused for KILL, STOP and the C library's own */
}

static void handle_fatal_ones(void)
{
    for (int number = 1; number < SIGNALS; number++)
        if (!is_harmless(number))
            handle(number);
}

static const struct {
    const char *name;
    int number;
} names[] = {{"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"KILL", SIGKILL},
             {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"TERM", SIGTERM}, {"SEGV", SIGSEGV},
             {"ABRT", SIGABRT}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"WINCH", SIGWINCH}};

static int signal_number(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == size && memcmp(names[i].name, text, size) == 0)
            return names[i].number;
    return atoi(text);
}

/* ---- Actions -------------------------------------------------------------------------------- */

static void sleep_ms(long long ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += ms % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
        continue;
}

static void copy(int from, int to)
{
    static char buffer[65536];
    for (;;) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        write_all(to, buffer, (size_t)n);
    }
}

static void show_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain(path, strerror(errno));
        _exit(1);
    }
    copy(fd, 1);
    close(fd);
}

static void put_lines(long long count, const char *text)
{
    char line[1024];
    for (long long i = 1; i <= count; i++) {
        snprintf(line, sizeof line, "%s %lld\n", text, i);
        put(1, line);
    }
}

static void put_bytes(long long count)
{
    char block[26 * 1024];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)('a' + i % 26);
    for (; count > 0; count -= (long long)sizeof block)
        write_all(1, block, count < (long long)sizeof block ? (size_t)count : sizeof block);
}

static void put_ids(void)
{
    char text[64];
    snprintf(text, sizeof text, "%lu:%lu", (unsigned long)getuid(), (unsigned long)getgid());
    put_line(1, text);
}

static void send_to_self(int number)
{
    if (number == SIGKILL)
        _exit(128 + SIGKILL);
    raise(number);
}

/* What follows the word's first ':', and what follows the second. */
typedef struct argument {
    const char *first, *second;
    size_t first_size;
} argument;

static argument split(const char *word)
{
    argument a = {"", "", 0};
    const char *colon = strchr(word, ':');
    if (!colon)
        return a;
    a.first = colon + 1;
    a.first_size = strcspn(a.first, ":");
    if (a.first[a.first_size])
        a.second = a.first + a.first_size + 1;
    return a;
}

static int dispose(const char *verb, const argument *a)
{
    int number = signal_number(a->first, a->first_size);
    if (number < 1 || number >= SIGNALS)
        return 0;
    if (strcmp(verb, "trap") == 0) {
        dispositions[number].exit_code = atoi(a->second);
        dispositions[number].what = TRAPPED;
    } else if (strcmp(verb, "on") == 0) {
        dispositions[number].text = a->second;
        dispositions[number].what = REPORTED;
    } else {
        dispositions[number].what = IGNORED;
    }
    handle(number);
    return 1;
}

static int tell(const char *verb, const argument *a)
{
    char text[4096] = "";
    if (strcmp(verb, "env") == 0) {
        const char *value = getenv(a->first);
        put_line(1, value ? value : "");
    } else if (strcmp(verb, "workdir") == 0) {
        put_line(1, getcwd(text, sizeof text) ? text : "?");
    } else if (strcmp(verb, "hostname") == 0) {
        put_line(1, gethostname(text, sizeof text - 1) == 0 ? text : "?");
    } else if (strcmp(verb, "user") == 0) {
        put_ids();
    } else if (strcmp(verb, "tty") == 0) {
        put_line(1, isatty(1) ? "yes" : "no");
    } else if (strcmp(verb, "file") == 0) {
        show_file(a->first);
    } else {
        return 0;
    }
    return 1;
}

static int print(const char *verb, const argument *a)
{
    if (strcmp(verb, "out") == 0)
        put(1, a->first);
    else if (strcmp(verb, "outln") == 0)
        put_line(1, a->first);
    else if (strcmp(verb, "err") == 0)
        put(2, a->first);
    else if (strcmp(verb, "errln") == 0)
        put_line(2, a->first);
    else if (strcmp(verb, "lines") == 0)
        put_lines(atoll(a->first), a->second);
    else if (strcmp(verb, "bytes") == 0)
        put_bytes(atoll(a->first));
    else if (strcmp(verb, "repeat") == 0)
        for (long long n = atoll(a->first); n > 0; n--)
            put(1, a->second);
    else
        return 0;
    return 1;
}

static int act(const char *verb, const argument *a)
{
    if (strcmp(verb, "sleep") == 0)
        sleep_ms(atoll(a->first));
    else if (strcmp(verb, "forever") == 0)
        for (;;)
            pause();
    else if (strcmp(verb, "cat") == 0)
        copy(0, 1);
    else if (strcmp(verb, "exit") == 0)
        _exit(atoi(a->first) & 255);
    else if (strcmp(verb, "signal") == 0)
        send_to_self(signal_number(a->first, a->first_size));
    else if (strcmp(verb, "trap") == 0 || strcmp(verb, "on") == 0 || strcmp(verb, "ignore") == 0)
        return dispose(verb, a);
    else
        return 0;
    return 1;
}

int main(int argc, char **argv)
{
    handle_fatal_ones();
    for (int i = 1; i < argc; i++) {
        argument a = split(argv[i]);
        char verb[16] = "";
        size_t n = strcspn(argv[i], ":");
        if (n < sizeof verb)
            memcpy(verb, argv[i], n);
        if (strcmp(verb, "args") == 0)
            for (int k = 1; k < argc; k++)
                put_line(1, argv[k]);
        else if (!print(verb, &a) && !tell(verb, &a) && !act(verb, &a)) {
            complain(argv[i], "no such action");
            return 2;
        }
    }
    return 0;
}
