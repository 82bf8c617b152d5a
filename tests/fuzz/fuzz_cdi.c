/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of devices: whatever is accepted, what becomes of the runtime document is one still. */
#include <stdlib.h>
#include <string.h>

#include "container/cdi.h"
#include "core/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_texts(json_t *list)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
        must(json_is_string(item) && strchr(json_string_value(item), '='));
}

static void check_objects(json_t *list, const char *key)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
        must(json_is_object(item) && json_string_value(json_object_get(item, key))[0] == '/');
}

static void edit(json_t *edits)
{
    wc_error *err = NULL;
    json_t *spec = json_pack("{s:{s:[s], s:{}}, s:[], s:{s:{s:[]}}}", "process", "env", "PATH=/bin", "user", "mounts",
                             "linux", "resources", "devices");
    int32_t code = wci_cdi_edit(edits, "description", spec, &err);
    must((code == WC_OK) == (err == NULL));
    wc_error_unref(err);
    json_t *os = json_object_get(spec, "linux");
    check_texts(json_object_get(json_object_get(spec, "process"), "env"));
    check_objects(json_object_get(os, "devices"), "path");
    check_objects(json_object_get(spec, "mounts"), "destination");
    must(json_is_array(json_object_get(json_object_get(os, "resources"), "devices")));
    json_decref(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wc_error *err = NULL;
    json_t *root = NULL, *device;
    size_t i;
    int32_t code = wci_cdi_parse((const char *)data, size, "description", &root, &err);
    must((code == WC_OK) == (err == NULL));
    wc_error_unref(err);
    edit(json_object_get(root, "containerEdits"));
    json_array_foreach(json_object_get(root, "devices"), i, device)
        edit(json_object_get(device, "containerEdits"));
    json_decref(root);
    return 0;
}
