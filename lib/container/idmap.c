/* SPDX-License-Identifier: Apache-2.0 */
#include "container/idmap.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

#define MAX_ID UINT64_C(4294967294)

/* The number up to the next ':', which is passed. */
static int take(const char **text, uint64_t max, uint64_t *out)
{
    size_t size = strcspn(*text, ":");
    char *number = wci_strndup(*text, size);
    int ok = number && wci_parse_u64(number, max, out);
    wci_free(number);
    *text += size + ((*text)[size] == ':');
    return ok;
}

int32_t wci_idmap_parse(const char *text, wci_idmap *out, wc_error **err)
{
    uint64_t container = 0, host = 0, size = 0;
    const char *p = text;
    int ok = take(&p, MAX_ID, &container) && take(&p, MAX_ID, &host) && take(&p, MAX_ID, &size) && !*p;
    if (!ok || !size || container + size > MAX_ID + 1 || host + size > MAX_ID + 1)
        return wci_err(err, WC_E_INVALID, "map of ids '%.80s': must be CONTAINER:HOST:SIZE, three numbers", text);
    *out = (wci_idmap){(uint32_t)container, (uint32_t)host, (uint32_t)size};
    return WC_OK;
}

int wci_idmap_find(const wci_strv *maps, uint32_t id, uint32_t *host)
{
    wci_idmap map;
    for (size_t i = 0; i < maps->count; i++)
        if (!wci_idmap_parse(maps->items[i], &map, NULL) && id >= map.container && id - map.container < map.size) {
            *host = map.host + (id - map.container);
            return 1;
        }
    return 0;
}

json_t *wci_idmap_json(const wci_strv *maps)
{
    json_t *list = json_array();
    wci_idmap map;
    int failed = !list;
    for (size_t i = 0; i < maps->count && !failed; i++)
        failed = wci_idmap_parse(maps->items[i], &map, NULL) ||
                 json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "containerID", (json_int_t)map.container,
                                                       "hostID", (json_int_t)map.host, "size", (json_int_t)map.size));
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}
