/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "platform/posix/posix.h"
#include "platform/process.h"

/* ---- Time and chance -------------------------------------------------------------------------- */

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t wci_now_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t wci_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int32_t wci_random_bytes(void *out, size_t size, wc_error **err)
{
    char *to = out;
    while (size) {
        ssize_t n = getrandom(to, size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wci_err_errno(err, errno, "random numbers");
        to += n;
        size -= (size_t)n;
    }
    return WC_OK;
}

int32_t wci_random_hex(size_t bytes, char *out, wc_error **err)
{
    static const char digits[] = "0123456789abcdef";
    /* The bytes go into the second half and are spread from the front. */
    unsigned char *raw = (unsigned char *)out + bytes;
    int32_t rc = wci_random_bytes(raw, bytes, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char b = raw[i];
        out[2 * i] = digits[b >> 4];
        out[2 * i + 1] = digits[b & 15];
    }
    out[2 * bytes] = '\0';
    return WC_OK;
}

/* ---- Processes -------------------------------------------------------------------------------- */

int64_t wci_host_pid(void)
{
    return getpid();
}

/* Fields of /proc/<pid>/stat from the third on, which is the state; 0 when there is no process. */
static int read_stat(int64_t pid, char *text, size_t size, const char **fields)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int fd = wci_posix_open_at(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return 0;
    size_t got = 0;
    int32_t rc = wci_fd_read(fd, text, size - 1, &got, NULL);
    close(fd);
    text[rc ? 0 : got] = '\0';
    /* The second field is the program's name, which may hold anything but ends with the last ')'. */
    const char *end = strrchr(text, ')');
    if (!end || end[1] != ' ')
        return 0;
    *fields = end + 2;
    return 1;
}

static int64_t start_time(const char *fields)
{
    for (int i = 3; i < 22; i++) {
        fields = strchr(fields, ' ');
        if (!fields)
            return 0;
        fields++;
    }
    return strtoll(fields, NULL, 10);
}

int64_t wci_host_process_start(int64_t pid)
{
    char text[1024];
    const char *fields;
    return read_stat(pid, text, sizeof text, &fields) ? start_time(fields) : 0;
}

int wci_process_alive(int64_t pid, int64_t start)
{
    char text[1024];
    const char *fields;
    return read_stat(pid, text, sizeof text, &fields) && *fields != 'Z' && *fields != 'X' &&
           start_time(fields) == start;
}

int wci_process_goes_on(int64_t pid, int64_t start)
{
    enum { EXITING = 4 }; /* the kernel's PF_EXITING, among its flags in the ninth field */
    char text[1024];
    const char *fields;
    if (!wci_process_alive(pid, start) || !read_stat(pid, text, sizeof text, &fields))
        return 0;
    for (int i = 3; i < 9 && fields; i++) {
        fields = strchr(fields, ' ');
        fields += fields != NULL;
    }
    return fields && !(strtoul(fields, NULL, 10) & EXITING);
}

int wci_host_is_root(void)
{
    return geteuid() == 0;
}

uint32_t wci_host_uid(void)
{
    return geteuid();
}

uint32_t wci_host_gid(void)
{
    return getegid();
}

/* ---- Kernel ----------------------------------------------------------------------------------- */

static struct utsname kernel;
static pthread_once_t kernel_once = PTHREAD_ONCE_INIT;

static void ask_kernel(void)
{
    if (uname(&kernel))
        memset(&kernel, 0, sizeof kernel);
}

/* What the kernel calls a machine, and what OCI does. */
static const struct {
    const char *machine, *arch, *variant;
} machines[] = {
    {"x86_64", "amd64", ""},     {"aarch64", "arm64", ""},   {"armv8l", "arm", "v8"},
    {"armv7l", "arm", "v7"},     {"armv6l", "arm", "v6"},    {"armv5tel", "arm", "v5"},
    {"i386", "386", ""},         {"i586", "386", ""},        {"i686", "386", ""},
    {"ppc64le", "ppc64le", ""},  {"ppc64", "ppc64", ""},     {"s390x", "s390x", ""},
    {"riscv64", "riscv64", ""},  {"loongarch64", "loong64", ""}, {"mips64", "mips64le", ""},
};

static int machine_index(void)
{
    pthread_once(&kernel_once, ask_kernel);
    for (int i = 0; i < (int)(sizeof machines / sizeof *machines); i++)
        if (!strcmp(machines[i].machine, kernel.machine))
            return i;
    return -1;
}

const char *wci_host_os(void)
{
    return "linux";
}

const char *wci_host_arch(void)
{
    int i = machine_index();
    return i < 0 ? kernel.machine : machines[i].arch;
}

const char *wci_host_variant(void)
{
    int i = machine_index();
    return i < 0 ? "" : machines[i].variant;
}

const char *wci_host_kernel(void)
{
    pthread_once(&kernel_once, ask_kernel);
    return kernel.release;
}

const char *wci_host_name(char *out, size_t size)
{
    if (gethostname(out, size))
        out[0] = '\0';
    out[size - 1] = '\0';
    return out;
}

/* ---- errno ------------------------------------------------------------------------------------ */

void wci_host_errno_text(int errnum, char *out, size_t size)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
    /* Unlike strerror_r() it does not follow the locale of the host. */
    const char *text = strerrordesc_np(errnum);
    snprintf(out, size, "%s", text ? text : "unknown error");
#elif defined(__GLIBC__)
    char buffer[128];
    snprintf(out, size, "%s", strerror_r(errnum, buffer, sizeof buffer));
#else
    if (strerror_r(errnum, out, size))
        snprintf(out, size, "error %d", errnum);
#endif
}

int32_t wci_host_code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return WC_E_NOMEM;
    case EINVAL:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case EILSEQ:
        return WC_E_INVALID;
    case ENOENT:
    case ENODATA:
    case ENXIO:
    case ESRCH:
        return WC_E_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return WC_E_EXISTS;
    case EBUSY:
    case EAGAIN:
    case ETXTBSY:
    case ESTALE:
        return WC_E_BUSY;
    case ETIMEDOUT:
        return WC_E_TIMEOUT;
    case ENOSYS:
    case EOPNOTSUPP:
    case EXDEV:
        return WC_E_UNSUPPORTED;
    case EPERM:
    case EACCES:
    case EROFS:
        return WC_E_PERMISSION;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
        return WC_E_NETWORK;
    case ECONNRESET:
    case EPIPE:
        return WC_E_CLOSED;
    case ENOSPC:
    case EDQUOT:
        return WC_E_NO_SPACE;
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case EMLINK:
        return WC_E_LIMIT;
    default:
        return WC_E_IO;
    }
}
