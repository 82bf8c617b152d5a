/* SPDX-License-Identifier: Apache-2.0 */
/* Names of entries: one component that is neither "." nor "..". */
#ifndef WCI_TREE_NAME_H
#define WCI_TREE_NAME_H

#include <string.h>

#include <wincontainer/error.h>

static inline int wci_posix_is_name(const char *name)
{
    if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
        return 0;
    return name[0] && !strchr(name, '/');
}

int32_t wci_posix_bad_name(const char *name, wc_error **err);
/* name NULL: the directory itself. */
int32_t wci_posix_entry_failed(const char *name, int errnum, const char *doing, wc_error **err);

#endif
