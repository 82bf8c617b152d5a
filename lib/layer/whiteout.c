/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/whiteout.h"

#include <string.h>

#include "core/error.h"
#include "core/str.h"
#include "layer/path.h"

#define META_PREFIX ".wh..wh."

static int32_t bad_whiteout(const char *path, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    return wci_err(err, WC_E_FORMAT, "whiteout '%s': hides no possible name",
                   wci_path_shown(path, shown));
}

static int32_t kind_of_last(const char *path, const char *name, wci_name_kind *kind, wc_error **err)
{
    const char *hidden = name + strlen(WCI_WHITEOUT_PREFIX);
    if (strcmp(name, WCI_OPAQUE_NAME) == 0)
        *kind = WCI_NAME_OPAQUE;
    else if (wci_starts_with(name, META_PREFIX))
        *kind = WCI_NAME_META;
    else if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        return bad_whiteout(path, err);
    else
        *kind = WCI_NAME_WHITEOUT;
    return WC_OK;
}

int32_t wci_name_kind_of(const char *path, wci_name_kind *kind, wc_error **err)
{
    *kind = WCI_NAME_PLAIN;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!wci_starts_with(part, WCI_WHITEOUT_PREFIX))
            continue;
        if (!strchr(part, '/'))
            return kind_of_last(path, part, kind, err);
        if (!wci_starts_with(part, META_PREFIX))
            return bad_whiteout(path, err);
        *kind = WCI_NAME_META;
        return WC_OK;
    }
    return WC_OK;
}

int wci_entry_is_whiteout(const wci_tar_entry *entry)
{
    return entry->type == WCI_ENTRY_CHAR && !entry->dev_major && !entry->dev_minor;
}
