/* SPDX-License-Identifier: Apache-2.0 */
#include "image/members.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/tree.h"

int32_t wci_members_open_dir(const char *path, wci_members *out, wc_error **err)
{
    wci_members members = WCI_MEMBERS_NONE;
    int32_t code = wci_tree_open_root(path, &members.dir, err);
    if (!code)
        *out = members;
    return code;
}

int32_t wci_members_open_tar(wc_call *call, wci_fd archive, wci_members *out, wc_error **err)
{
    wci_members members = {WCI_FD_NONE, archive, NULL};
    int32_t code = wci_tar_index_open(call, archive, &wci_limits_default, &members.index, err);
    if (code)
        wci_fd_close(archive);
    else
        *out = members;
    return code;
}

void wci_members_close(wci_members *members)
{
    wci_tar_index_free(members->index);
    wci_fd_close(members->archive);
    wci_fd_close(members->dir);
    *members = (wci_members)WCI_MEMBERS_NONE;
}

/* Opens the last component; `name` is cut up on the way. */
static int32_t open_below(wci_fd dir, char *name, wci_fd *out, wc_error **err)
{
    wci_fd here = dir;
    int32_t code = WC_OK;
    for (char *slash; (slash = strchr(name, '/')) && !code; name = slash + 1) {
        wci_fd next = WCI_FD_NONE;
        *slash = '\0';
        code = wci_tree_open_dir(here, name, &next, err);
        if (here != dir)
            wci_fd_close(here);
        here = next;
    }
    if (!code)
        code = wci_tree_open_file(here, name, out, err);
    if (here != dir)
        wci_fd_close(here);
    return code;
}

static int32_t find_file(wci_fd dir, const char *name, wci_extent *out, wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    wci_file_info info;
    char *copy = wci_strdup(name);
    int32_t code = copy ? open_below(dir, copy, &extent.fd, err) : wci_err_nomem(err);
    wci_free(copy);
    if (code)
        return code;
    code = wci_fd_info(extent.fd, &info, err);
    if (!code && info.type != WCI_FILE_REGULAR)
        code = wci_err(err, WC_E_FORMAT, "'%s': not a regular file", name);
    if (code) {
        wci_fd_close(extent.fd);
        return code;
    }
    extent.size = info.size;
    extent.is_owned = 1;
    *out = extent;
    return WC_OK;
}

int32_t wci_members_find(const wci_members *members, const char *name, wci_extent *out,
                         wc_error **err)
{
    if (!members->index)
        return find_file(members->dir, name, out, err);
    wci_extent extent = {members->archive, 0, 0, 0};
    int32_t code = wci_tar_index_find(members->index, name, &extent.offset, &extent.size, err);
    if (!code)
        *out = extent;
    return code;
}

int32_t wci_members_read(const wci_members *members, const char *name, size_t max, wc_buf **out,
                         wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    int32_t code = wci_members_find(members, name, &extent, err);
    if (!code)
        code = wci_extent_read(&extent, max, name, out, err);
    wci_extent_close(&extent);
    return code;
}
