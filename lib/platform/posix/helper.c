/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"

int wci_is_program(const char *path)
{
    wci_file_info info;
    return access(path, X_OK) == 0 && !wci_file_info_of(path, &info, NULL) && info.type != WCI_FILE_DIRECTORY;
}

/* PREFIX/lib/libwincontainer.so, also one directory deeper, has PREFIX/libexec/wincontainer. */
static char *beside_library(void)
{
    char *dir = wci_host_library_path();
    char *found = NULL;
    for (int up = 0; dir && !found && up < 3; up++) {
        char *parent = wci_path_parent(dir);
        wci_free(dir);
        dir = parent;
        if (!dir || up == 0)
            continue;
        found = wci_path_join(dir, "libexec/wincontainer/wc-helper");
        if (found && !wci_is_program(found)) {
            wci_free(found);
            found = NULL;
        }
    }
    wci_free(dir);
    return found;
}

int32_t wci_helper_find(const char *setting, char **path, wc_error **err)
{
    char *found = setting ? wci_strdup(setting) : beside_library();
    if (!found && !setting)
        found = wci_strdup(WC_LIBEXECDIR "/wc-helper");
    if (!found)
        return wci_err_nomem(err);
    if (!wci_is_program(found)) {
        int32_t rc = wci_err(err, WC_E_MISSING,
                             "wc-helper: '%s' is not there or cannot be executed; install it with "
                             "the library, or name its place",
                             found);
        wci_free(found);
        return rc;
    }
    *path = found;
    return WC_OK;
}
