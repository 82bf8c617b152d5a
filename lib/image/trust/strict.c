/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/strict.h"

#include <string.h>

#include "core/error.h"
#include "core/str.h"

static int is_listed(const char *const *list, const char *key)
{
    for (; *list; list++)
        if (!strcmp(*list, key))
            return 1;
    return 0;
}

int32_t wci_strict_keys(json_t *object, const char *const *known, const char *what, wc_error **err)
{
    const char *key;
    json_t *value;
    char shown[WCI_SHOWN_SIZE];
    if (!json_is_object(object))
        return wci_err(err, WC_E_FORMAT, "%s: a JSON object must stand here", what);
    json_object_foreach (object, key, value) {
        if (is_listed(known, key))
            continue;
        wci_show(key, shown);
        return wci_err(err, WC_E_FORMAT, "%s: unknown key '%s'", what, shown);
    }
    return WC_OK;
}

int32_t wci_strict_exactly(json_t *object, const char *const *keys, const char *what, wc_error **err)
{
    int32_t code = wci_strict_keys(object, keys, what, err);
    for (; !code && *keys; keys++) {
        json_t *value = json_object_get(object, *keys);
        if (!value || json_is_null(value))
            code = wci_err(err, WC_E_FORMAT, "%s: '%s' is missing", what, *keys);
    }
    return code;
}

int32_t wci_strict_text(json_t *object, const char *key, const char *what, const char **out, wc_error **err)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_string(value) || !json_string_length(value))
        return wci_err(err, WC_E_FORMAT, "%s: '%s' must be a text that is not empty", what, key);
    *out = json_string_value(value);
    return WC_OK;
}
