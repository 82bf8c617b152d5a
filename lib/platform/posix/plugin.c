/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/plugin.h"

#include <dlfcn.h>
#include <string.h>

#include "core/error.h"
#include "platform/file.h"

int32_t wci_plugin_load(const char *path, const char *symbol_name, wci_symbol *symbol,
                        wc_error **err)
{
    if (!wci_file_exists(path))
        return wci_err(err, WC_E_NOT_FOUND, "plugin '%s': no such file", path);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object) {
        const char *why = dlerror();
        return wci_err(err, WC_E_INVALID, "plugin '%s': cannot be loaded: %s", path,
                       why ? why : "no reason given");
    }
    void *found = dlsym(object, symbol_name);
    memcpy(symbol, &found, sizeof found); /* ISO C has no cast from data to function */
    dlclose(object);
    return WC_OK;
}
