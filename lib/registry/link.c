/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/link.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* The end of a parameter: the next ';' or ',' outside quotes. NULL for an open quote. */
static const char *param_end(const char *p)
{
    for (; *p && *p != ';' && *p != ','; p++) {
        if (*p != '"')
            continue;
        for (p++; *p && *p != '"'; p++)
            if (*p == '\\' && p[1])
                p++;
        if (!*p)
            return NULL;
    }
    return p;
}

/* rel=next, rel="next", rel="prev next". */
static int says_next(const char *p, const char *end)
{
    if ((size_t)(end - p) < 4 || (p[0] | 0x20) != 'r' || (p[1] | 0x20) != 'e' || (p[2] | 0x20) != 'l')
        return 0;
    p = skip_blanks(p + 3);
    if (p >= end || *p++ != '=')
        return 0;
    for (; p < end; p++) {
        size_t n = 0;
        while (p + n < end && (p[n] | 0x20) >= 'a' && (p[n] | 0x20) <= 'z')
            n++;
        if (n == 4 && !memcmp(p, "next", 4))
            return 1;
        p += n;
    }
    return 0;
}

static int32_t malformed(wc_error **err)
{
    return wci_err(err, WC_E_FORMAT, "the registry's Link header cannot be read");
}

int32_t wci_link_next(const char *header, char **out, wc_error **err)
{
    *out = NULL;
    for (const char *p = skip_blanks(header); *p; p = skip_blanks(p)) {
        const char *target = p + 1, *target_end = strchr(p, '>');
        if (*p != '<' || !target_end)
            return malformed(err);
        int is_next = 0;
        for (p = skip_blanks(target_end + 1); *p == ';';) {
            const char *param = skip_blanks(p + 1), *end = param_end(param);
            if (!end)
                return malformed(err);
            is_next |= says_next(param, end);
            p = end;
        }
        if (*p && *p != ',')
            return malformed(err);
        p += *p == ',';
        if (!is_next)
            continue;
        *out = wci_strndup(target, (size_t)(target_end - target));
        return *out ? WC_OK : wci_err_nomem(err);
    }
    return WC_OK;
}
