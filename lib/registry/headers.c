/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/headers.h"

#include <string.h>

#include <wincontainer/error.h>

#include "core/alloc.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

long wci_headers_status(const char *line, size_t size)
{
    const char *space = memchr(line, ' ', size);
    char digits[4] = "";
    uint64_t status = 0;
    if (space && (size_t)(line + size - space) >= 4)
        memcpy(digits, space + 1, 3);
    return wci_parse_u64(digits, 999, &status) ? (long)status : 0;
}

int wci_headers_add(wci_strv *headers, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon || memchr(line, '\0', size))
        return WC_OK;
    const char *value = colon + 1, *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    wci_str s = WCI_STR_INIT;
    for (const char *p = line; p < colon; p++)
        wci_str_append_c(&s, lower(*p));
    wci_str_append(&s, ": ");
    wci_str_append_n(&s, value, (size_t)(end - value));
    return wci_strv_add_take(headers, wci_str_take(&s));
}

const char *wci_headers_get(const wci_strv *headers, const char *name, size_t n)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < headers->count; i++) {
        const char *line = headers->items[i];
        if (strncmp(line, name, length) || line[length] != ':')
            continue;
        if (!n--)
            return line + length + 2;
    }
    return NULL;
}

int wci_header_content_range(const char *text, uint64_t *from, uint64_t *total)
{
    char number[24];
    if (!wci_starts_with(text, "bytes "))
        return 0;
    text += 6 + strspn(text + 6, " ");
    size_t n = strcspn(text, "-");
    if (text[n] != '-' || n >= sizeof number)
        return 0;
    memcpy(number, text, n);
    number[n] = '\0';
    const char *slash = strchr(text, '/');
    *total = UINT64_MAX;
    if (slash && strcmp(slash, "/*") && !wci_parse_u64(slash + 1, INT64_MAX, total))
        return 0;
    return wci_parse_u64(number, INT64_MAX, from);
}

int wci_header_upload_range(const char *text, uint64_t *arrived)
{
    uint64_t last;
    if (wci_starts_with(text, "bytes="))
        text += 6;
    if (!wci_starts_with(text, "0-") || !wci_parse_u64(text + 2, INT64_MAX, &last))
        return 0;
    /* An upload without a byte says "0-0", too. */
    *arrived = last ? last + 1 : 0;
    return 1;
}

char *wci_header_media_type(const char *text)
{
    char *type = wci_strndup(text, strcspn(text, "; \t"));
    for (char *p = type; p && *p; p++)
        *p = lower(*p);
    return type;
}
