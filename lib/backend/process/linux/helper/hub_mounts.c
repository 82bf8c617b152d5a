/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/hub.h"
#include "backend/process/linux/helper/launch.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/file.h"

#define RESOLV "/etc/resolv.conf"
#define RESOLV_OWN "resolv.conf"

/* Of the container whose monitor has started us: they would stay as long as we do. From the last one on, since they lie on
 * each other. */
static int32_t leave_containers(const char *run_root, wc_error **err)
{
    wci_strv below = WCI_STRV_INIT;
    char line[PATH_MAX + 512], where[PATH_MAX];
    char *prefix = wci_path_join(run_root, "containers/");
    FILE *f = fopen("/proc/self/mountinfo", "re");
    int failed = !prefix || !f;
    while (!failed && fgets(line, sizeof line, f))
        if (sscanf(line, "%*d %*d %*s %*s %4095s", where) == 1 && wci_starts_with(where, prefix))
            failed = wci_strv_add(&below, where);
    if (f)
        fclose(f);
    for (size_t i = below.count; i > 0; i--)
        umount2(below.items[i - 1], MNT_DETACH);
    wci_strv_free(&below);
    wci_free(prefix);
    return failed ? wci_err_nomem(err) : WC_OK;
}

/* An empty /run, with the run root where it was, should it be in there. */
static int32_t renew_run(const char *run_root, wc_error **err)
{
    char kept[64];
    int fd = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0) {
        int32_t rc = wci_err_errno(err, errno, "networks of an ordinary user: a directory /run of their own");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    int32_t rc = WC_OK;
    if (wci_starts_with(run_root, "/run/")) {
        snprintf(kept, sizeof kept, "/proc/self/fd/%d", fd);
        rc = wci_dir_make(run_root, 0700, err);
        if (!rc && mount(kept, run_root, NULL, MS_BIND | MS_REC, NULL) != 0)
            rc = wci_err_errno(err, errno, "directory '%s'", run_root);
    }
    close(fd);
    return rc;
}

/* The link's end, which may lie in what /run was. */
static int32_t show_name_server(const char *real, const char *name_server, wc_error **err)
{
    char text[128];
    snprintf(text, sizeof text, "nameserver %s\n", name_server);
    int32_t rc = wci_file_write_atomic(RESOLV_OWN, text, strlen(text), 0644, 0, err);
    if (rc || !*real)
        return rc;
    char *parent = wci_path_parent(real);
    if (parent && !wci_file_exists(real) && !wci_dir_make(parent, 0755, NULL)) {
        int fd = open(real, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0)
            close(fd);
    }
    wci_free(parent);
    if (mount(RESOLV_OWN, real, NULL, MS_BIND, NULL) != 0)
        return wci_err_errno(err, errno, "file '%s': it cannot be replaced for aardvark-dns", real);
    return WC_OK;
}

static int32_t enter_new(wc_error **err)
{
    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
        return WC_OK;
    return wci_err_errno(err, errno, "networks of an ordinary user: a mount namespace of their own");
}

int32_t hub_mounts_enter(const char *run_root, wc_error **err)
{
    int32_t rc = enter_new(err);
    return rc ? rc : leave_containers(run_root, err);
}

static int32_t make_for_guests(const char *run_root, const char *name_server, wc_error **err)
{
    char real[PATH_MAX] = "", here[PATH_MAX];
    if (!realpath(RESOLV, real))
        real[0] = '\0';
    if (!getcwd(here, sizeof here))
        return wci_err_errno(err, errno, "working directory");
    int32_t rc = enter_new(err);
    if (!rc)
        rc = renew_run(run_root, err);
    if (!rc && chdir(here) != 0)
        rc = wci_err_errno(err, errno, "directory '%s'", here);
    return rc ? rc : show_name_server(real, name_server, err);
}

/* In a child, which is there until the namespace is open. What it says is why it failed. */
static void make_in_child(const char *run_root, const char *name_server, int words)
{
    wc_error *err = NULL;
    const char *said = make_for_guests(run_root, name_server, &err) ? wc_error_message(err) : "";
    (void)!write(words, said, strlen(said) + 1);
    pause();
    _exit(0);
}

int32_t hub_mounts_make(const char *run_root, const char *name_server, int *out, wc_error **err)
{
    char said[1024] = "it ended without a word", path[64];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return wci_err_errno(err, errno, "networks of an ordinary user");
    pid_t monitor = getpid(), pid = fork();
    if (pid == 0) {
        child_begin(monitor);
        make_in_child(run_root, name_server, ends[1]);
    }
    close(ends[1]);
    ssize_t n = pid < 0 ? -1 : read(ends[0], said, sizeof said - 1);
    said[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    snprintf(path, sizeof path, "/proc/%ld/ns/mnt", (long)pid);
    *out = n > 0 && !said[0] ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int32_t rc = *out < 0 ? wci_err(err, WC_E_RUNTIME, "networks of an ordinary user: %s", said) : WC_OK;
    if (pid > 0) {
        kill(pid, SIGKILL);
        reap(pid);
    }
    return rc;
}
