/* SPDX-License-Identifier: Apache-2.0 */
#include "container/workdir.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

/* `path` as wci_rootfs_resolve() gives it, `target` with a slash before it. */
static int is_below(const char *path, const char *target)
{
    size_t size = strlen(++target);
    return !strncmp(path, target, size) && (!path[size] || path[size] == '/');
}

static int is_mounted(const wci_config *config, const char *path)
{
    static const char *const always[] = {"/proc", "/dev", "/sys", NULL};
    for (const char *const *target = always; *target; target++)
        if (is_below(path, *target))
            return 1;
    for (size_t i = 0; i < config->mount_count; i++)
        if (is_below(path, config->mounts[i].target))
            return 1;
    return 0;
}

/* The first `size` bytes of the path; *go_on is 0 when nothing more is to be learnt. */
static int32_t check_part(const wci_rootfs *rootfs, const wci_config *config, const char *path, size_t size,
                          int must_exist, int *go_on, wc_error **err)
{
    wci_file_info info;
    char *part = wci_strndup(path, size), *inside = NULL;
    wc_error *why = NULL;
    int32_t rc = part ? wci_rootfs_info(rootfs, part, &inside, &info, &why) : wci_err_nomem(&why);
    wci_free(part);
    *go_on = !rc && !is_mounted(config, inside);
    wci_free(inside);
    if (rc && rc != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    if (rc)
        return must_exist ? wci_err(err, WC_E_NOT_FOUND,
                                    "working directory '%.200s': not in the container; make it, or name another", path)
                          : WC_OK;
    if (*go_on && info.type != WCI_FILE_DIRECTORY)
        return wci_err(err, WC_E_INVALID,
                       "working directory '%.200s': '%.*s' is not a directory in the container; name one that is",
                       path, (int)(size < 200 ? size : 200), path);
    return WC_OK;
}

int32_t wci_workdir_check(const wci_rootfs *rootfs, const wci_config *config, const char *path, int must_exist,
                          wc_error **err)
{
    int32_t rc = WC_OK;
    int go_on = 1;
    for (size_t size = 0; !rc && go_on && path[size];) {
        size += 1 + strcspn(path + size + 1, "/");
        rc = check_part(rootfs, config, path, size, must_exist, &go_on, err);
    }
    return rc;
}
