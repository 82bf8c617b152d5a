/* SPDX-License-Identifier: Apache-2.0 */
/* system df -v: each image, container and volume. */
#include <stdlib.h>
#include <string.h>

#include "cmd_df.h"

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void size_of(json_t *object, const char *key, char out[32])
{
    format_bytes((double)json_integer_value(json_object_get(object, key)), out);
}

static void image_row(table *out, json_t *image)
{
    char id[16], size[32], shared[32], unique[32], containers[32];
    const char *name = json_string_value(json_array_get(json_object_get(image, "Names"), 0));
    size_of(image, "Size", size);
    size_of(image, "SharedSize", shared);
    size_of(image, "UniqueSize", unique);
    snprintf(containers, sizeof containers, "%lld",
             (long long)json_integer_value(json_object_get(image, "Containers")));
    const char *cells[] = {name ? familiar_name(name) : "<none>", short_id(text_of(image, "Id"), id), size, shared, unique,
                           containers};
    table_row(out, cells);
}

static void container_row(table *out, json_t *container)
{
    char id[16], size[32];
    size_of(container, "Size", size);
    const char *cells[] = {short_id(text_of(container, "Id"), id), text_of(container, "Image"), size,
                           text_of(container, "State"), text_of(container, "Name")};
    table_row(out, cells);
}

static void volume_row(table *out, json_t *volume)
{
    char size[32], links[32];
    size_of(volume, "Size", size);
    snprintf(links, sizeof links, "%lld", (long long)json_integer_value(json_object_get(volume, "Links")));
    const char *cells[] = {text_of(volume, "Name"), links, size};
    table_row(out, cells);
}

static void print_rows(const char *title, table *out, json_t *list, void (*add)(table *, json_t *))
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
        add(out, row);
    printf("\n%s:\n\n", title);
    table_print(out);
    table_free(out);
}

void df_print_details(json_t *usage)
{
    static const char *const images[] = {"IMAGE", "IMAGE ID", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"};
    static const char *const containers[] = {"CONTAINER ID", "IMAGE", "SIZE", "STATE", "NAME"};
    static const char *const volumes[] = {"VOLUME NAME", "LINKS", "SIZE"};
    print_rows("Images", table_new(images, countof(images)), json_object_get(usage, "Images"), image_row);
    print_rows("Containers", table_new(containers, countof(containers)), json_object_get(usage, "Containers"),
               container_row);
    print_rows("Local Volumes", table_new(volumes, countof(volumes)), json_object_get(usage, "Volumes"), volume_row);
}
