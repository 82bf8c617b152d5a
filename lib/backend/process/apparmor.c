/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/apparmor.h"

#include <string.h>

#include <wincontainer/memory.h>

#include "platform/file.h"

#define LIST_MAX ((size_t)4 << 20)

int wci_apparmor_is_listed(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = list; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, name, size) == 0 && strncmp(at + size, " (", 2) == 0)
            return 1;
    }
    return 0;
}

int wci_apparmor_is_loaded(const char *name)
{
    wc_buf *list = NULL;
    if (wci_file_read_all(WCI_APPARMOR_LOADED, LIST_MAX, &list, NULL))
        return -1;
    int is = wci_apparmor_is_listed(wc_buf_data(list), name);
    wc_buf_unref(list);
    return is;
}
