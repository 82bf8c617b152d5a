/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of this folder that hand calls on to a library which is loaded on first use. */
#ifndef WCI_LAZY_LOAD_H
#define WCI_LAZY_LOAD_H

#include <pthread.h>
#include <stddef.h>

#include <wincontainer/error.h>

typedef void (*wci_lazy_function)(void);

typedef struct wci_lazy_symbol {
    const char *name;
    wci_lazy_function *to;
} wci_lazy_symbol;

typedef struct wci_lazy_library {
    const char *const *sonames; /* the first that can be loaded is taken; NULL at the end */
    const wci_lazy_symbol *symbols;
    size_t symbol_count;
    const char *package; /* Debian's */
    char why[256];       /* it could not be loaded; "" when it was */
} wci_lazy_library;

/* Once per library. It stays for the life of the process. */
void wci_lazy_load(wci_lazy_library *library);
int32_t wci_lazy_result(const wci_lazy_library *library, wc_error **err);

/* A function with a result, and one without: WCI_LAZY(type, name, (parameters), (arguments)). */
#define WCI_LAZY_POINTER(type, name, parameters, arguments) static type(*real_##name) parameters;
#define WCI_LAZY_SYMBOL(type, name, parameters, arguments) {#name, (wci_lazy_function *)(void *)&real_##name},
#define WCI_LAZY_FORWARD(type, name, parameters, arguments) \
    type name parameters                                    \
    {                                                       \
        return real_##name arguments;                       \
    }
#define WCI_LAZY_FORWARD_VOID(type, name, parameters, arguments) \
    type name parameters                                         \
    {                                                            \
        real_##name arguments;                                   \
    }

#endif
