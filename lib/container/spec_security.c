/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp, and the paths that are hidden or cannot be written. */
#include "container/spec.h"

#include "container/seccomp.h"
#include "core/error.h"

static int hide_paths(json_t *os)
{
    return json_object_set_new(
               os, "maskedPaths",
               json_pack("[s,s,s,s,s,s,s,s,s,s,s]", "/proc/asound", "/proc/acpi",
                         "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                         "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                         "/proc/scsi", "/sys/firmware")) ||
           json_array_append_new(json_object_get(os, "maskedPaths"),
                                 json_string("/sys/devices/virtual/powercap")) ||
           json_object_set_new(os, "readonlyPaths",
                               json_pack("[s,s,s,s,s]", "/proc/bus", "/proc/fs", "/proc/irq",
                                         "/proc/sys", "/proc/sysrq-trigger"));
}

static int32_t add_seccomp(json_t *os, const wci_config *config, const wci_strv *caps,
                           wc_error **err)
{
    json_t *profile = NULL;
    int32_t rc = wci_seccomp_make(config->seccomp, caps, &profile, err);
    if (!rc && profile && json_object_set_new(os, "seccomp", profile))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wci_spec_security(const wci_config *config, const wci_strv *caps, json_t *os, wc_error **err)
{
    if (config->privileged)
        return WC_OK;
    return hide_paths(os) ? wci_err_nomem(err) : add_seccomp(os, config, caps, err);
}
