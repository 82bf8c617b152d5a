/* SPDX-License-Identifier: Apache-2.0 */
/* Loading shared objects that somebody else wrote. */
#ifndef WCI_PLUGIN_H
#define WCI_PLUGIN_H

#include <wincontainer/error.h>

typedef void (*wci_symbol)(void);

/* Loads the object at an absolute path, for ever: code that has been handed out must not vanish.
 * *symbol is NULL when it has none of that name. WC_E_NOT_FOUND when there is no such file,
 * WC_E_INVALID when it cannot be loaded. */
int32_t wci_plugin_load(const char *path, const char *symbol_name, wci_symbol *symbol,
                        wc_error **err);

#endif
