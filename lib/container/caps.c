/* SPDX-License-Identifier: Apache-2.0 */
#include "container/caps.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "platform/file.h"

/* By number. */
static const char *const names[] = {
    "CAP_CHOWN",          "CAP_DAC_OVERRIDE",   "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID",         "CAP_KILL",           "CAP_SETGID",          "CAP_SETUID",
    "CAP_SETPCAP",        "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",      "CAP_NET_RAW",        "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",     "CAP_SYS_RAWIO",      "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",      "CAP_SYS_ADMIN",      "CAP_SYS_BOOT",        "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",   "CAP_SYS_TIME",       "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
    "CAP_LEASE",          "CAP_AUDIT_WRITE",    "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",   "CAP_MAC_ADMIN",      "CAP_SYSLOG",          "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",  "CAP_AUDIT_READ",     "CAP_PERFMON",         "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
#define CAP_COUNT (sizeof names / sizeof *names)
#define ALL_CAPS ((UINT64_C(1) << CAP_COUNT) - 1)
#define BIT(n) (UINT64_C(1) << (n))

/* Docker's fourteen. */
static const uint64_t defaults = BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) |
                                 BIT(8) | BIT(10) | BIT(13) | BIT(18) | BIT(27) | BIT(29) | BIT(31);

const char *wci_cap_normalise(const char *name)
{
    if (!wci_strcasecmp(name, "ALL"))
        return "ALL";
    for (size_t i = 0; i < CAP_COUNT; i++)
        if (!wci_strcasecmp(name, names[i]) || !wci_strcasecmp(name, names[i] + 4))
            return names[i];
    return NULL;
}

static uint64_t mask_of(const wci_strv *list)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!strcmp(list->items[i], "ALL"))
            return ALL_CAPS;
        for (size_t n = 0; n < CAP_COUNT; n++)
            if (!strcmp(list->items[i], names[n]))
                mask |= BIT(n);
    }
    return mask;
}

/* What this process could pass on. A runtime refuses a set that the host does not have, as in a
 * container within a container or on an older kernel. */
static uint64_t bounding_set(void)
{
    wc_buf *status = NULL;
    if (wci_file_read_all("/proc/self/status", 64 * 1024, &status, NULL))
        return ALL_CAPS;
    const char *line = strstr(wc_buf_data(status), "\nCapBnd:");
    uint64_t mask = line ? strtoull(line + 8, NULL, 16) : ALL_CAPS;
    wc_buf_unref(status);
    return mask;
}

int32_t wci_caps_resolve(const wci_strv *add, const wci_strv *drop, int privileged, wci_strv *out,
                         wc_error **err)
{
    uint64_t adds = mask_of(add), drops = mask_of(drop);
    uint64_t mask;
    if (privileged)
        mask = ALL_CAPS;
    else if (drops == ALL_CAPS)
        mask = adds;
    else if (adds == ALL_CAPS)
        mask = ALL_CAPS & ~drops;
    else
        mask = (defaults & ~drops) | adds;
    mask &= bounding_set();
    for (size_t i = 0; i < CAP_COUNT; i++)
        if ((mask & BIT(i)) && wci_strv_add(out, names[i]))
            return wci_err_nomem(err);
    return WC_OK;
}
