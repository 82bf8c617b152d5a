/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups that an ordinary user may make: below the highest group above this process that was given to him. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "platform/host.h"
#include "platform/userns.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Whoever is to put processes there and let groups below it have limits must be able to write these. */
static int is_given(const char *path)
{
    static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control"};
    char name[WCI_CGROUP_PATH_SIZE + 64];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(name, sizeof name, CGROUP_ROOT "%s%s", path, files[i]);
        if (access(name, W_OK) != 0)
            return 0;
    }
    return 1;
}

/* Of version 2: the line "0::/path". */
static int read_own(char *out, size_t size)
{
    char line[WCI_CGROUP_PATH_SIZE + 16];
    int found = 0;
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && !found && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        found = !strncmp(line, "0::/", 4) && strlen(line + 3) < size;
        if (found)
            strcpy(out, line + 3);
    }
    if (f)
        fclose(f);
    return found;
}

int wci_cgroup_user_base(char *out, size_t size)
{
    char own[WCI_CGROUP_PATH_SIZE];
    out[0] = '\0';
    if (!wci_cgroup_is_unified() || !read_own(own, sizeof own))
        return 0;
    for (char *end = own + strlen(own); end > own; end = strrchr(own, '/')) {
        *end = '\0';
        if (!is_given(own)) {
            if (*out)
                break;
            continue;
        }
        if (strlen(own) + sizeof WCI_CGROUP_PARENT < size)
            snprintf(out, size, "%s", own);
    }
    return *out != '\0';
}

int wci_cgroup_is_users(void)
{
    return (!wci_host_is_root() || wci_userns_is_inside()) && wci_cgroup_check(NULL) != 0;
}

void wci_cgroup_place(const char *path, char out[WCI_CGROUP_PATH_SIZE])
{
    char base[WCI_CGROUP_PATH_SIZE / 4];
    size_t size = strlen(path);
    out[0] = '\0';
    if (!wci_cgroup_is_users())
        snprintf(out, WCI_CGROUP_PATH_SIZE, "%s", path);
    else if (wci_cgroup_user_base(base, sizeof base) && size + strlen(base) < WCI_CGROUP_PATH_SIZE)
        snprintf(out, WCI_CGROUP_PATH_SIZE, "%s%s", base, path);
}
