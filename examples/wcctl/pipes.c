/* SPDX-License-Identifier: Apache-2.0 */
/* Files that come or go through standard input and output. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wcctl.h"

/* Archives are read and written as files, so one that comes or goes through a pipe rests in a file meanwhile. */
static char *temporary_file(int *fd)
{
    const char *dir = getenv("TMPDIR");
    char *path = xasprintf("%s/wcctl-XXXXXX", dir && *dir ? dir : "/var/tmp");
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0) {
        fprintf(stderr, "wcctl: file '%s': %s; set TMPDIR to a directory with room\n", path, strerror(errno));
        exit(EXIT_OURS);
    }
    return path;
}

static void copy_descriptor(int from, int to)
{
    static char data[1 << 16];
    ssize_t n;
    while ((n = read(from, data, sizeof data)) > 0)
        write_all(to, data, (size_t)n);
    if (n < 0) {
        fprintf(stderr, "wcctl: reading: %s\n", strerror(errno));
        exit(errno == EINTR ? 130 : EXIT_OURS);
    }
    close(from);
}

static int is_whole_file(int fd)
{
    struct stat st;
    return !fstat(fd, &st) && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
}

/* A path of what comes at standard input. What is no file becomes one, without a name: it goes with us. */
const char *input_as_file(void)
{
    static const char path[] = "/dev/stdin";
    int fd;
    if (is_whole_file(STDIN_FILENO))
        return path;
    char *name = temporary_file(&fd);
    unlink(name);
    free(name);
    copy_descriptor(STDIN_FILENO, fd);
    dup2(fd, STDIN_FILENO);
    close(fd);
    return path;
}

/* What is to go to standard output; it is removed with the program. */
static char *passing;

static void remove_passing(void)
{
    unlink(passing);
    free(passing);
}

const char *passing_file(void)
{
    int fd;
    passing = temporary_file(&fd);
    close(fd);
    atexit(remove_passing);
    return passing;
}

void pass_to_output(void)
{
    copy_descriptor(open(passing, O_RDONLY | O_CLOEXEC), STDOUT_FILENO);
}
