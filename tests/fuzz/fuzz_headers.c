/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer of a hostile registry, line by line, and every value that we read ourselves. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "registry/address.h"
#include "registry/headers.h"
#include "registry/retry.h"
#include "registry/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void read_lines(wci_strv *headers, const char *data, size_t size)
{
    const char *end = data + size;
    for (const char *line = data; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line);
        long status = wci_headers_status(line, length);
        must(status >= 0 && status <= 999);
        must(!wci_headers_add(headers, line, length));
        line += length + 1;
    }
    for (size_t i = 0; i < headers->count; i++)
        must(strstr(headers->items[i], ": ") != NULL);
}

static void try_ranges(const char *text)
{
    uint64_t from = 0, total = 0, arrived = 0;
    if (wci_header_content_range(text, &from, &total))
        must(from <= INT64_MAX && (total <= INT64_MAX || total == UINT64_MAX));
    if (wci_header_upload_range(text, &arrived))
        must(arrived <= (uint64_t)INT64_MAX + 1 && arrived != 1);
}

static void try_media_type(const char *text)
{
    char *type = wci_header_media_type(text);
    must(type && strlen(type) <= strlen(text) && !strpbrk(type, "; \tABCXYZ"));
    wci_free(type);
}

/* Where it leads is what curl will take, again to the same place, and nothing in it ends a header. */
static void try_location(const char *text)
{
    wci_url base = WCI_URL_INIT, to = WCI_URL_INIT, again = WCI_URL_INIT;
    must(wci_url_parse("https://registry.example:5000/v2/a/blobs/uploads/1?state=x", NULL, &base, NULL) == WC_OK);
    if (!wci_url_parse(text, &base, &to, NULL)) {
        must(!strpbrk(to.text, "\r\n ") && !strchr(to.shown, '?'));
        must(wci_url_parse(to.text, NULL, &again, NULL) == WC_OK && wci_url_same_origin(&to, &again));
        wci_address_class class = WCI_ADDRESS_PUBLIC;
        must(wci_address_of_host(to.host, &class) || class == WCI_ADDRESS_PUBLIC);
    }
    wci_url_free(&base);
    wci_url_free(&to);
    wci_url_free(&again);
}

static void try_retry_after(const char *text)
{
    int64_t ms = wci_retry_after_ms(text, INT64_C(1700000000) * 1000000000);
    must(ms >= -1 && ms <= 60000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name;
        void (*check)(const char *text);
    } readers[] = {
        {"content-range", try_ranges},     {"range", try_ranges},          {"content-type", try_media_type},
        {"retry-after", try_retry_after},  {"location", try_location},
    };
    wci_strv headers = WCI_STRV_INIT;
    read_lines(&headers, (const char *)data, size);
    for (size_t r = 0; r < sizeof readers / sizeof *readers; r++) {
        const char *value;
        for (size_t n = 0; (value = wci_headers_get(&headers, readers[r].name, n)); n++)
            readers[r].check(value);
    }
    wci_strv_free(&headers);
    return 0;
}
