/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include "container/mount.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

static int32_t merge_volumes(const wci_image_config *image, wci_config *c, wc_error **err)
{
    for (size_t i = 0; i < image->volumes.count; i++) {
        char *path = wci_clean_path(image->volumes.items[i]);
        if (!path)
            return wci_err_nomem(err);
        if (!path[1] || wci_strv_contains(&c->volumes, path)) {
            wci_free(path);
            continue;
        }
        if (wci_strv_add_take(&c->volumes, path))
            return wci_err_nomem(err);
    }
    return WC_OK;
}

int32_t wci_merge_storage(const wci_merge *in, wci_config *c, wc_error **err)
{
    int32_t rc = wci_mounts_check_sources(c, err);
    return rc ? rc : merge_volumes(in->image, c, err);
}
