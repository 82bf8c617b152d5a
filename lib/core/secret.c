/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secret.h"

#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

/* Through a volatile pointer, or the compiler would leave out what nobody reads. */
void wci_wipe(void *data, size_t size)
{
    for (volatile char *p = data; size; size--)
        *p++ = '\0';
}

void wci_secret_free(char *text)
{
    if (text)
        wci_wipe(text, strlen(text));
    wci_free(text);
}

void wci_secret_strv_free(wci_strv *list)
{
    for (size_t i = 0; i < list->count; i++)
        wci_wipe(list->items[i], strlen(list->items[i]));
    wci_strv_free(list);
}

static void wipe_json(json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;
    if (json_is_string(value))
        wci_wipe((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_object_foreach (value, key, inner)
        wipe_json(inner);
    json_array_foreach (value, i, inner)
        wipe_json(inner);
}

void wci_secret_json_free(json_t *value)
{
    wipe_json(value);
    json_decref(value);
}

static int append(const char *data, size_t size, void *str)
{
    wci_str *s = str;
    wci_str_append_n(s, data, size);
    return s->failed ? -1 : 0;
}

char *wci_secret_json_dump(json_t *value, size_t flags)
{
    wci_str text = WCI_SECRET_STR_INIT;
    if (!value || json_dump_callback(value, append, &text, flags))
        text.failed = 1;
    return wci_str_take(&text);
}

int32_t wci_secret_make(size_t size, wci_secret *out, wc_error **err)
{
    char *data = wci_calloc(size + 1, 1);
    if (!data)
        return wci_err_nomem(err);
    *out = (wci_secret){data, size};
    return WC_OK;
}

void wci_secret_clear(wci_secret *secret)
{
    if (secret->data)
        wci_wipe(secret->data, secret->size);
    wci_free(secret->data);
    *secret = (wci_secret)WCI_SECRET_INIT;
}
