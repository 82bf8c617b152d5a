/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/subject.h"

#include <string.h>

#include "core/error.h"

/* Up to a comma; *at is moved behind it, and NULL after the last. Spaces around it count only where they are
 * escaped. */
static void next_part(const char **at, wci_str *part)
{
    const char *p = *at + strspn(*at, " ");
    size_t kept = 0;
    wci_str_clear(part);
    for (; *p && *p != ','; p++) {
        int is_escaped = *p == '\\' && p[1];
        p += is_escaped;
        wci_str_append_c(part, *p);
        if (is_escaped || *p != ' ')
            kept = part->size;
    }
    if (part->data) {
        part->data[kept] = '\0';
        part->size = kept;
    }
    *at = *p ? p + 1 : NULL;
}

static int32_t add_part(const wci_str *part, const char *whole, wci_strv *out, wc_error **err)
{
    const char *equals = part->size ? strchr(part->data, '=') : NULL;
    char shown[WCI_SHOWN_SIZE];
    wci_show(whole, shown);
    if (!equals || equals == part->data || !equals[1])
        return wci_err(err, WC_E_FORMAT, "subject '%s': must be TYPE=VALUE, joined by commas", shown);
    return wci_strv_add(out, part->data) ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_subject_parse(const char *text, wci_strv *out, wc_error **err)
{
    wci_str part = WCI_STR_INIT;
    const char *at = text;
    int32_t code = WC_OK;
    do {
        next_part(&at, &part);
        code = part.failed ? wci_err_nomem(err) : add_part(&part, text, out, err);
    } while (!code && at);
    wci_str_free(&part);
    return code;
}

static int has_once(const wci_strv *subject, const char *part)
{
    size_t type = strcspn(part, "=") + 1;
    int same_type = 0, same = 0;
    for (size_t i = 0; i < subject->count; i++) {
        same_type += !strncmp(subject->items[i], part, type);
        same += !strcmp(subject->items[i], part);
    }
    return same == 1 && same_type == 1;
}

int wci_subject_matches(const wci_strv *wanted, const wci_strv *subject)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!has_once(subject, wanted->items[i]))
            return 0;
    return wanted->count > 0;
}
