/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/regular.h"

#include "core/error.h"
#include "platform/tree.h"

int32_t wci_regular_open(wci_fd root, const char *path, wci_fd *out, uint64_t *size, wc_error **err)
{
    wci_file_info info;
    int32_t rc = wci_tree_resolve(root, path, out, err);
    if (rc)
        return rc;
    rc = wci_fd_info(*out, &info, err);
    if (!rc && info.type != WCI_FILE_REGULAR)
        rc = wci_err(err, WC_E_CORRUPT, "layer file '%s': not a regular file", path);
    if (rc) {
        wci_fd_close(*out);
        *out = WCI_FD_NONE;
    } else if (size) {
        *size = info.size;
    }
    return rc;
}
