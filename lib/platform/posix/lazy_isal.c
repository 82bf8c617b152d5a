/* SPDX-License-Identifier: Apache-2.0 */
/* ISA-L, loaded on first use: most programs unpack nothing. */
#include "platform/lazy.h"

#ifdef WC_HAVE_ISAL
#include <isa-l/igzip_lib.h>

#include "platform/posix/lazy_load.h"

#define FUNCTIONS(WITH_RESULT, WITHOUT)                                        \
    WITH_RESULT(int, isal_inflate, (struct inflate_state * state), (state))    \
    WITHOUT(void, isal_inflate_init, (struct inflate_state * state), (state))  \
    WITHOUT(void, isal_inflate_reset, (struct inflate_state * state), (state))

FUNCTIONS(WCI_LAZY_POINTER, WCI_LAZY_POINTER)
FUNCTIONS(WCI_LAZY_FORWARD, WCI_LAZY_FORWARD_VOID)

static const wci_lazy_symbol symbols[] = {FUNCTIONS(WCI_LAZY_SYMBOL, WCI_LAZY_SYMBOL)};
static const char *const sonames[] = {"libisal.so.2", "libisal.2.dylib", NULL};
static wci_lazy_library library = {sonames, symbols, sizeof symbols / sizeof *symbols, "libisal2", ""};

static void load(void)
{
    wci_lazy_load(&library);
}

int32_t wci_lazy_isal(wc_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return wci_lazy_result(&library, err);
}
#else
int32_t wci_lazy_isal(wc_error **err)
{
    (void)err;
    return WC_E_UNSUPPORTED;
}
#endif
