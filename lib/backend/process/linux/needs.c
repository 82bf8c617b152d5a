/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/needs.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/rootless.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/userns.h"

#define WHAT_TO_DO "run it with all rights of root; if it is in a container, run that one with --privileged"

/* What runtimes use. Some work only needs with some options or users, and then the runtime fails. */
static const struct right {
    int number;
    const char *name;
    int always;
    const char *word; /* in what was refused, "" for whatever it was */
} rights[] = {
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", 1, ""},
    {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", 1, ""}, /* overlayfs works in a directory without modes */
    {CAP_SETGID, "CAP_SETGID", 1, ""},
    {CAP_SETUID, "CAP_SETUID", 0, ""},
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", 0, ""},
    {CAP_MKNOD, "CAP_MKNOD", 0, ""},
    {CAP_CHOWN, "CAP_CHOWN", 0, ""},
    {CAP_FOWNER, "CAP_FOWNER", 0, ""},
    {CAP_FSETID, "CAP_FSETID", 0, ""},
    {CAP_KILL, "CAP_KILL", 0, ""},
    {CAP_SETPCAP, "CAP_SETPCAP", 0, ""},
    {CAP_SYS_CHROOT, "CAP_SYS_CHROOT", 0, ""},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", 0, ""},
    {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", 0, "rlimit"},
};

/* What a program has that root starts from here: not the effective set, but what execve() makes of the
 * others. capabilities(7). */
static uint64_t granted(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    uint64_t all = 0;
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            all |= UINT64_C(1) << i;
    if (syscall(SYS_capget, &head, data) != 0)
        return all;
    all |= data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        all &= data[0].permitted | (uint64_t)data[1].permitted << 32;
    return all;
}

int wci_needs_has(int capability)
{
    return wci_host_is_root() && (granted() >> capability & 1) && !wci_userns_is_inside();
}

/* Names those that lack, between commas: for what was refused, or, with NULL, of those without which nothing works. */
static void list_lacking(const char *refused, wci_str *out)
{
    uint64_t all = granted();
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (!(all >> rights[i].number & 1) && (refused ? strstr(refused, rights[i].word) != NULL : rights[i].always))
            wci_str_printf(out, "%s%s", out->size ? ", " : "", rights[i].name);
}

/* An ordinary user is root of a namespace of his, see helper/user.h. */
int32_t wci_needs_root(wc_error **err)
{
    const char *forbidden = wci_host_is_root() ? NULL : wci_userns_forbidden();
    if (!forbidden)
        return WC_OK;
    return wci_err(err, WC_E_PERMISSION,
                   "process backend: ordinary users need a user namespace, but %s; or run it as root", forbidden);
}

int32_t wci_needs_rights(wc_error **err)
{
    wci_str names = WCI_STR_INIT;
    int32_t rc = wci_needs_root(err);
    if (rc || !wci_host_is_root())
        return rc;
    list_lacking(NULL, &names);
    if (names.size)
        rc = wci_err(err, WC_E_PERMISSION, "process backend: containers need %s, which this process lacks; " WHAT_TO_DO,
                     names.data);
    wci_str_free(&names);
    return rc;
}

/* Without control groups of his own a user's containers do without them. */
int32_t wci_needs_start(wc_error **err)
{
    int32_t rc = wci_needs_rights(err);
    return rc || wci_rootless() ? rc : wci_cgroup_check(err);
}

char *wci_needs_reason(const char *refused)
{
    wci_str names = WCI_STR_INIT;
    if (wci_host_is_root())
        list_lacking(refused, &names);
    char *reason = names.size ? wci_asprintf("this process lacks %s; " WHAT_TO_DO, names.data) : NULL;
    wci_str_free(&names);
    if (!reason && wci_userns_is_inside())
        reason = wci_strdup("this process is root only inside of a user namespace; run it as root of the host");
    return reason;
}
