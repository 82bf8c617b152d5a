/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry answers lists with, page after page: a line "-" stands between two pages. What has names has UTF-8
 * ones; entries are those of all pages. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/str.h"
#include "registry/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void read_names(json_t *page, const char *key, wci_strv *names)
{
    wc_error *err = NULL;
    int32_t code = wci_page_names(page, key, "tags", names, &err);
    must((code == WC_OK) == (err == NULL));
    for (size_t i = 0; i < names->count; i++)
        must(wci_is_utf8(names->items[i], strlen(names->items[i])));
    wc_error_unref(err);
}

static void read_entries(json_t *page, const char *key, json_t **index)
{
    wc_error *err = NULL;
    size_t before = json_array_size(json_object_get(*index, key)), more = json_array_size(json_object_get(page, key));
    int32_t code = wci_page_entries(page, key, "referrers", index, &err);
    must((code == WC_OK) == (err == NULL));
    must(json_array_size(json_object_get(*index, key)) == before + (code ? 0 : more));
    wc_error_unref(err);
}

static void read_page(const char *text, size_t size, wci_strv *names, json_t **index)
{
    json_t *page = NULL;
    wc_error *err = NULL;
    int32_t code = wci_page_parse(text, size, "page", &page, &err);
    must((code == WC_OK) == (err == NULL) && (code == WC_OK) == (page != NULL));
    wc_error_unref(err);
    if (code)
        return;
    read_names(page, "tags", names);
    read_names(page, "repositories", names);
    read_entries(page, "manifests", index);
    json_decref(page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    wci_strv names = WCI_STRV_INIT;
    json_t *index = NULL;
    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\n-\n", 3);
        read_page(at, (size_t)((stop ? stop : end) - at), &names, &index);
        at = stop ? stop + 3 : end;
    }
    json_decref(index);
    wci_strv_free(&names);
    return 0;
}
