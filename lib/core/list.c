/* SPDX-License-Identifier: Apache-2.0 */
#include "core/list.h"

#include <wincontainer/stats.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/ref.h"

struct wc_list {
    wci_ref refs;
    wci_list_kind kind;
    void (*release)(void *);
    void **items;
    size_t count;
    size_t cap;
};

int32_t wci_list_new(wci_list_kind kind, void (*release)(void *), wc_list **out, wc_error **err)
{
    wc_list *list = wci_calloc(1, sizeof *list);
    if (!list)
        return wci_err_nomem(err);
    wci_ref_init(&list->refs);
    list->kind = kind;
    list->release = release;
    *out = list;
    return WC_OK;
}

int32_t wci_list_add(wc_list *list, void *element, wc_error **err)
{
    if (!element)
        return wci_err_nomem(err);
    if (!wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items)) {
        list->release(element);
        return wci_err_nomem(err);
    }
    list->items[list->count++] = element;
    return WC_OK;
}

void *wci_list_at(const wc_list *list, wci_list_kind kind, size_t index)
{
    return list && list->kind == kind && index < list->count ? list->items[index] : NULL;
}

size_t wc_list_count(const wc_list *list)
{
    return list ? list->count : 0;
}

const char *wc_list_string(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_STRING, index);
}

wc_image *wc_list_image(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_IMAGE, index);
}

wc_container_info *wc_list_container_info(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_CONTAINER_INFO, index);
}

wc_volume *wc_list_volume(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_VOLUME, index);
}

wc_group *wc_list_group(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_GROUP, index);
}

wc_stats *wc_list_stats(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_STATS, index);
}

wc_list *wc_list_ref(wc_list *list)
{
    if (list)
        wci_ref_take(&list->refs);
    return list;
}

void wc_list_unref(wc_list *list)
{
    if (!list || !wci_ref_drop(&list->refs))
        return;
    for (size_t i = 0; i < list->count; i++)
        list->release(list->items[i]);
    wci_free(list->items);
    wci_free(list);
}

int32_t wci_list_of_strings(const wci_strv *texts, wc_list **out, wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_STRING, wci_free, &list, err);
    for (size_t i = 0; !rc && i < texts->count; i++)
        rc = wci_list_add(list, wci_strdup(texts->items[i]), err);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}
