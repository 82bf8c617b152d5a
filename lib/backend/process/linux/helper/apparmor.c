/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/apparmor.h"

#include <string.h>
#include <sys/wait.h>

#include "backend/process/apparmor.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"

#define PATIENCE_MS 60000
#define NAME WCI_APPARMOR_DEFAULT

/* As Docker's "docker-default": all may be done that the kernel allows otherwise, except to mount, to write what belongs to the
 * whole host in /proc and /sys, and to look at or signal processes that are not of a container. */
static const char rules[] =
    "profile " NAME " flags=(attach_disconnected,mediate_deleted) {\n"
    "%s"
    "  network,\n"
    "  capability,\n"
    "  file,\n"
    "  umount,\n"
    "  signal (receive) peer=unconfined,\n"
    "  signal (receive) peer=runc,\n"
    "  signal (receive) peer=crun,\n"
    "  signal (send,receive) peer=" NAME ",\n"
    "  deny @{PROC}/* w,\n"
    "  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w,\n"
    "  deny @{PROC}/sys/[^k]** w,\n"
    "  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,\n"
    "  deny @{PROC}/sysrq-trigger rwklx,\n"
    "  deny @{PROC}/kcore rwklx,\n"
    "  deny mount,\n"
    "  deny /sys/[^f]*/** wklx,\n"
    "  deny /sys/f[^s]*/** wklx,\n"
    "  deny /sys/fs/[^c]*/** wklx,\n"
    "  deny /sys/fs/c[^g]*/** wklx,\n"
    "  deny /sys/fs/cg[^r]*/** wklx,\n"
    "  deny /sys/firmware/** rwklx,\n"
    "  deny /sys/devices/virtual/powercap/** rwklx,\n"
    "  deny /sys/kernel/security/** rwklx,\n"
    "  ptrace (trace,read,tracedby,readby) peer=" NAME ",\n"
    "}\n";

static int is_there(const char *dir, const char *name)
{
    char *path = wci_path_join(dir, name);
    int is = path && wci_file_exists(path);
    wci_free(path);
    return is;
}

char *apparmor_profile(const char *dir)
{
    wci_str text = WCI_STR_INIT;
    wci_str_append(&text, is_there(dir, "tunables/global") ? "#include <tunables/global>\n" : "@{PROC}=/proc/\n");
    wci_str_printf(&text, rules, is_there(dir, "abstractions/base") ? "  #include <abstractions/base>\n" : "");
    return wci_str_take(&text);
}

static void note_done(job *j, void *done)
{
    (void)j;
    *(int *)done = 1;
}

static int32_t judge(const job *j, const char *program, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (!j->failed && !j->timed_out && WIFEXITED(j->status) && WEXITSTATUS(j->status) == 0)
        return WC_OK;
    wci_show(j->err.data ? j->err.data : "", shown);
    return wci_err(err, WC_E_RUNTIME, "apparmor: '%s' does not load the profile '" NAME "': %s", program,
                   j->failed ? strerror(j->failed) : j->timed_out ? "it did not end within a minute" : shown);
}

static int32_t load(jobs *queue, const char *program, const char *profile, wc_error **err)
{
    const char *const argv[] = {program, "-Kr", NULL};
    int done = 0;
    job j = {.argv = argv, .input = profile, .timeout_ms = PATIENCE_MS, .done = note_done, .owner = &done};
    job_run(queue, &j);
    while (!done)
        loop_turn(queue->loop, NULL, 0, -1);
    int32_t rc = judge(&j, program, err);
    job_free(&j);
    return rc;
}

int32_t apparmor_prepare(const request *req, jobs *queue, wc_error **err)
{
    if (!req->needs_apparmor || wci_apparmor_is_loaded(NAME) == 1)
        return WC_OK;
    char *program = wci_host_find_program("apparmor_parser");
    if (!program)
        return wci_err(err, WC_E_MISSING,
                       "apparmor: the kernel has it, and the program 'apparmor_parser' that loads the default profile is not "
                       "installed; install apparmor, or use the security option 'apparmor=unconfined'");
    char *profile = apparmor_profile("/etc/apparmor.d");
    int32_t rc = profile ? load(queue, program, profile, err) : wci_err_nomem(err);
    wci_free(profile);
    wci_free(program);
    return rc;
}
