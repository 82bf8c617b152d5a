/* SPDX-License-Identifier: Apache-2.0 */
/* Names of log files, shared by the reader and the writer in wc-helper. */
#include <string.h>

#include "backend/process/logs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/file.h"

static uint32_t number_of(const char *name)
{
    char digits[9] = "";
    uint64_t number = 0;
    if (strlen(name) != 12 || !wci_ends_with(name, ".log"))
        return 0;
    memcpy(digits, name, 8);
    return wci_parse_u64(digits, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

int32_t wci_log_range(const char *dir, uint32_t *first, uint32_t *last, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    wc_error *why = NULL;
    int32_t rc = wci_dir_list(dir, &names, &why);
    if (rc == WC_E_NOT_FOUND) {
        wci_err_clear(&why);
        rc = WC_OK;
    }
    *first = *last = 0;
    for (size_t i = 0; !rc && i < names.count; i++) {
        uint32_t number = number_of(names.items[i]);
        if (!number)
            continue;
        if (!*first)
            *first = number;
        *last = number;
    }
    wci_strv_free(&names);
    return rc ? wci_err_move(err, why) : WC_OK;
}

char *wci_log_path(const char *dir, uint32_t number)
{
    return wci_asprintf("%s/" WCI_LOG_NAME, dir, (unsigned)number);
}
