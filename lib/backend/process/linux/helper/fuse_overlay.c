/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/fuse_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <wincontainer/error.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/launch.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/userns.h"

#define PROGRAM "fuse-overlayfs"
#define MOUNT_TRIES 5000 /* of 2 ms */

int fuse_overlay_may_help(int32_t refused)
{
    return (refused == WC_E_UNSUPPORTED || refused == WC_E_PERMISSION || refused == WC_E_MISSING) && wci_userns_is_inside();
}

static void add_maps(wci_str *text, const char *key, const wci_strv *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        wci_str_printf(text, "%s%s", i ? ":" : key, maps->items[i]);
}

/* By descriptors, since paths may hold what separates them. */
static char *make_options(const request *req, const wci_overlay *o)
{
    wci_str text = WCI_STR_INIT;
    wci_str_append(&text, "lowerdir=");
    for (size_t i = 0; i < o->count; i++)
        wci_str_printf(&text, "%s/proc/self/fd/%d", i ? ":" : "", (int)o->lower[i]);
    wci_str_printf(&text, ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d", (int)o->upper, (int)o->work);
    add_maps(&text, ",uidmapping=", &req->uid_maps);
    add_maps(&text, ",gidmapping=", &req->gid_maps);
    char *out = text.failed ? NULL : wci_strdup(text.data);
    wci_str_free(&text);
    return out;
}

static void keep(wci_fd fd)
{
    (void)fcntl((int)fd, F_SETFD, 0);
}

static void serve(const char *program, const wci_overlay *o, const char *options, int words)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < o->count; i++)
        keep(o->lower[i]);
    keep(o->upper);
    keep(o->work);
    if (dup2(null, 0) < 0 || dup2(words, 1) < 0 || dup2(words, 2) < 0)
        _exit(127);
    execl(program, program, "-f", "-o", options, o->target, (char *)NULL);
    _exit(127);
}

static dev_t device_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_dev : 0;
}

/* What it says while it lives may not stop it: the pipe is only read when it has failed. */
static int32_t failed(const wc_error *why, int words, wc_error **err)
{
    char text[300];
    fcntl(words, F_SETFL, O_NONBLOCK);
    ssize_t n = read(words, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return wci_err(err, WC_E_UNSUPPORTED, "%s%s" PROGRAM ": cannot mount the root: %s", why ? wc_error_message(why) : "", why ? "; " : "",
                   *text ? text : "it does not say why");
}

/* It does not tell when it is ready: then the directory is another one. */
static int32_t wait_mounted(const wci_overlay *o, pid_t pid, dev_t before, const wc_error *why, int words, wc_error **err)
{
    int status;
    for (int try = 0; try < MOUNT_TRIES; try++) {
        dev_t now = device_of(o->target);
        if (now && now != before)
            return WC_OK;
        if (waitpid(pid, &status, WNOHANG) == pid)
            return failed(why, words, err);
        poll(NULL, 0, 2);
    }
    kill(pid, SIGKILL);
    reap(pid);
    return failed(why, words, err);
}

static int32_t start(const char *program, const wci_overlay *o, const char *options, const wc_error *why, wc_error **err)
{
    int words[2];
    dev_t before = device_of(o->target);
    pid_t self = getpid();
    if (pipe2(words, O_CLOEXEC) != 0)
        return wci_err_errno(err, errno, PROGRAM);
    fcntl(words[1], F_SETFL, O_NONBLOCK); /* nobody reads it later */
    pid_t pid = fork();
    if (pid == 0) {
        child_begin(self);
        serve(program, o, options, words[1]);
    }
    close(words[1]);
    int32_t rc = pid < 0 ? wci_err_errno(err, errno, PROGRAM) : wait_mounted(o, pid, before, why, words[0], err);
    close(words[0]);
    return rc;
}

int32_t fuse_overlay_mount(const request *req, const wci_overlay *overlay, const wc_error *why, wc_error **err)
{
    char *program = wci_host_find_program(PROGRAM);
    if (!program)
        return wci_err(err, WC_E_MISSING, "%s%s" PROGRAM ": is needed and not installed; install the package " PROGRAM,
                       why ? wc_error_message(why) : "", why ? "; " : "");
    char *options = make_options(req, overlay);
    int32_t rc = options ? start(program, overlay, options, why, err) : wci_err_nomem(err);
    wci_free(options);
    wci_free(program);
    return rc;
}

/* ---- Marks --------------------------------------------------------------------------------------- */

#define REMOVED ".wh."
#define OPAQUE ".wh..wh..opq"
#define OPEN_DIRECTORIES 32

/* "dir/.wh.name" where the file system lets us make no other mark; "dir/.wh..wh..opq" always. */
static int settle(const char *path, const struct stat *st, int type, struct FTW *at)
{
    char other[PATH_MAX];
    const char *name = path + at->base;
    if (type != FTW_F || st->st_size || strncmp(name, REMOVED, strlen(REMOVED)) != 0)
        return 0;
    int size = snprintf(other, sizeof other, "%.*s%s", at->base, path, strcmp(name, OPAQUE) ? name + strlen(REMOVED) : ".");
    if (size < 0 || (size_t)size >= sizeof other)
        return 0;
    int done = strcmp(name, OPAQUE) ? mknod(other, S_IFCHR, makedev(0, 0)) : setxattr(other, "user.overlay.opaque", "y", 1, 0);
    if (done == 0)
        unlink(path);
    return 0;
}

void fuse_overlay_settle(const char *upper)
{
    (void)nftw(upper, settle, OPEN_DIRECTORIES, FTW_PHYS | FTW_MOUNT);
}
