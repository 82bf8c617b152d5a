/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/page.h"

#include "core/error.h"
#include "core/json.h"

/* Far above what a registry has; below what a hostile one could fill the memory with. */
#define MAX_NAMES ((size_t)1 << 20)
#define MAX_ENTRIES 4096

int32_t wci_page_parse(const char *text, size_t size, const char *what, json_t **out, wc_error **err)
{
    return wci_json_parse(text, size, WCI_PAGE_MAX, what, out, err);
}

int32_t wci_page_names(json_t *page, const char *key, const char *what, wci_strv *names, wc_error **err)
{
    wci_strv more = WCI_STRV_INIT;
    int32_t code = wci_json_get_strings(page, key, what, &more, err);
    for (size_t i = 0; i < more.count && !code; i++)
        if (wci_strv_add(names, more.items[i]))
            code = wci_err_nomem(err);
    wci_strv_free(&more);
    if (!code && names->count > MAX_NAMES)
        code = wci_err(err, WC_E_LIMIT, "%s: more than %zu names", what, MAX_NAMES);
    return code;
}

int32_t wci_page_entries(json_t *page, const char *key, const char *what, json_t **index, wc_error **err)
{
    json_t *entries = json_object_get(page, key), *all;
    if (!json_is_array(entries))
        return wci_err(err, WC_E_FORMAT, "%s: the answer is no index", what);
    if (!*index) {
        *index = json_incref(page);
        return WC_OK;
    }
    all = json_object_get(*index, key);
    if (json_array_size(all) + json_array_size(entries) > MAX_ENTRIES)
        return wci_err(err, WC_E_LIMIT, "%s: more than %d", what, MAX_ENTRIES);
    return json_array_extend(all, entries) ? wci_err_nomem(err) : WC_OK;
}
