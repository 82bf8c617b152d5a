/* SPDX-License-Identifier: Apache-2.0 */
#include "container/system_paths.h"

#include <string.h>

#include "core/error.h"

/* Docker's lists. */
static const char *const hidden_paths[] = {
    "/proc/asound",     "/proc/acpi",        "/proc/interrupts",  "/proc/kcore",       "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
    "/sys/firmware",    "/sys/devices/virtual/powercap",
};
static const char *const read_only_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* A '*' at the end stands for the rest of a name. */
static int matches(const char *pattern, const char *path)
{
    size_t size = strlen(pattern);
    if (!size || pattern[size - 1] != '*')
        return !strcmp(pattern, path);
    return !strncmp(pattern, path, size - 1) && !strchr(path + size - 1, '/');
}

static int is_unmasked(const wci_strv *unmask, const char *path)
{
    for (size_t i = 0; i < unmask->count; i++)
        if (!strcmp(unmask->items[i], "ALL") || matches(unmask->items[i], path))
            return 1;
    return 0;
}

static int add(const char *const *paths, size_t count, const wci_strv *unmask, wci_strv *out)
{
    for (size_t i = 0; i < count; i++)
        if (!is_unmasked(unmask, paths[i]) && wci_strv_add(out, paths[i]))
            return -1;
    return 0;
}

int wci_system_paths(const wci_config *config, wci_strv *hidden, wci_strv *read_only)
{
    int failed = 0;
    if (!config->privileged)
        failed = add(hidden_paths, sizeof hidden_paths / sizeof *hidden_paths, &config->unmask, hidden) ||
                 add(read_only_paths, sizeof read_only_paths / sizeof *read_only_paths, &config->unmask, read_only);
    for (size_t i = 0; !failed && i < config->mask.count; i++)
        failed = wci_strv_add(hidden, config->mask.items[i]);
    return failed ? WC_E_NOMEM : WC_OK;
}
