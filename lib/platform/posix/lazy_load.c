/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/lazy_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static void *open_first(wci_lazy_library *library)
{
    for (const char *const *name = library->sonames; *name; name++) {
        void *object = dlopen(*name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (object)
            return object;
        const char *why = dlerror();
        if (!library->why[0])
            snprintf(library->why, sizeof library->why, "%s", why ? why : *name);
    }
    return NULL;
}

void wci_lazy_load(wci_lazy_library *library)
{
    void *object = open_first(library);
    if (!object)
        return;
    library->why[0] = 0;
    for (size_t i = 0; i < library->symbol_count; i++) {
        void *found = dlsym(object, library->symbols[i].name);
        memcpy(library->symbols[i].to, &found, sizeof found); /* ISO C has no such cast */
        if (!found && !library->why[0])
            snprintf(library->why, sizeof library->why, "it has no '%s'", library->symbols[i].name);
    }
    dlclose(object); /* RTLD_NODELETE keeps it */
}

int32_t wci_lazy_result(const wci_lazy_library *library, wc_error **err)
{
    if (!library->why[0])
        return WC_OK;
    return wci_err(err, WC_E_MISSING, "%s cannot be loaded: %s; install it (Debian: %s)", library->sonames[0],
                   library->why, library->package);
}
