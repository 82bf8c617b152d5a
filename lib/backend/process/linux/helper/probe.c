/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a program for its version: the first line of `PROGRAM --version`. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/launch.h"
#include "core/error.h"

#define PATIENCE_MS 5000

static void run(const char *program, int out)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
        _exit(127);
    execl(program, program, "--version", (char *)NULL);
    _exit(127);
}

static size_t read_line(int fd, char *line, size_t size)
{
    size_t used = 0;
    struct pollfd item = {fd, POLLIN, 0};
    while (used < size - 1 && poll(&item, 1, PATIENCE_MS) > 0) {
        ssize_t n = read(fd, line + used, size - 1 - used);
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    line[used] = '\0';
    return strcspn(line, "\n");
}

int probe_main(request *req)
{
    int fds[2];
    char line[256];
    wc_error *err = NULL;
    if (!req->program || pipe2(fds, O_CLOEXEC) != 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0)
        run(req->program, fds[1]);
    close(fds[1]);
    size_t size = pid > 0 ? read_line(fds[0], line, sizeof line) : 0;
    line[size] = '\0';
    if (pid > 0) {
        kill(pid, SIGKILL);
        reap(pid);
    }
    if (size) {
        report_ok(0, 0, line);
    } else {
        wci_err(&err, WC_E_RUNTIME, "'%s': does not tell its version", req->program);
        report_error(err);
    }
    wc_error_unref(err);
    close(fds[0]);
    return 0;
}
