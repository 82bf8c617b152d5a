/* SPDX-License-Identifier: Apache-2.0 */
/* Use of the disk, as JSON. */
#include <jansson.h>

#include "container/container.h"
#include "container/info.h"
#include "container/system.h"
#include "core/error.h"
#include "core/json.h"

static json_t *usage_row(const char *type, uint64_t total, uint64_t active, uint64_t bytes, uint64_t reclaimable)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "Type", type, "TotalCount", (json_int_t)total, "Active",
                     (json_int_t)active, "Size", (json_int_t)bytes, "Reclaimable", (json_int_t)reclaimable);
}

static json_t *usage_rows(const wci_usage *u)
{
    return json_pack(
        "[o, o, o, o, o, o, o]",
        usage_row("Images", u->images, u->images_active, u->images_bytes, u->images_reclaimable),
        usage_row("Containers", u->containers, u->containers_active, u->containers_bytes, u->containers_reclaimable),
        usage_row("Local Volumes", u->volumes, u->volumes_active, u->volumes_bytes, u->volumes_reclaimable),
        usage_row("Layers", u->layers, u->layers, u->layers_bytes, 0),
        usage_row("Blobs", u->blobs, u->blobs, u->blobs_bytes, 0),
        usage_row("Partial downloads", 0, 0, u->partial_bytes, u->partial_bytes),
        usage_row("Litter", 0, 0, u->litter_bytes, u->litter_bytes));
}

/* An image that went or came between the two looks is left out. */
static const wci_image_record *record_of(wci_image_record *const *images, size_t count, const wci_digest *manifest)
{
    for (size_t i = 0; i < count; i++)
        if (wci_digest_equal(&images[i]->manifest, manifest))
            return images[i];
    return NULL;
}

static json_t *image_json(const wci_image_record *image, const wci_image_usage *usage)
{
    char created[WCI_TIME_TEXT_SIZE];
    wci_time_format(image->created_ns, created);
    return json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I}", "Id", image->config.text, "Digest",
                     image->manifest.text, "Names", wci_json_from_strv(&image->names), "Created",
                     image->created_ns ? created : "", "Size", (json_int_t)usage->bytes, "SharedSize",
                     (json_int_t)(usage->bytes - usage->unique_bytes), "UniqueSize", (json_int_t)usage->unique_bytes,
                     "Containers", (json_int_t)usage->containers);
}

static json_t *images_json(const wci_usage_parts *parts, wci_image_record *const *images, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < parts->image_count; i++) {
        const wci_image_record *image = record_of(images, count, &parts->images[i].manifest);
        if (image)
            json_array_append_new(list, image_json(image, &parts->images[i]));
    }
    return list;
}

static json_t *layers_json(const wci_usage_parts *parts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < parts->layer_count; i++) {
        const wci_layer_usage *layer = &parts->layers[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "DiffId", layer->diff_id.text, "Size",
                                              (json_int_t)layer->bytes, "Images", (json_int_t)layer->images));
    }
    return list;
}

static json_t *containers_json(const wci_usage_parts *parts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < parts->container_count; i++) {
        const wci_container_record *c = parts->containers[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "Id", c->id, "Name", c->name, "Image",
                                              c->image_name, "State", wci_status_text(c->status), "Size",
                                              (json_int_t)parts->container_bytes[i]));
    }
    return list;
}

static json_t *volumes_json(const wci_usage_parts *parts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < parts->volume_count; i++) {
        const wci_volume_usage *volume = &parts->volumes[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Name", volume->name, "Links",
                                              (json_int_t)volume->containers, "Size", (json_int_t)volume->bytes));
    }
    return list;
}

int32_t wci_system_df(wc_call *call, wci_engine *engine, wc_buf **out, wc_error **err)
{
    wci_usage usage;
    wci_usage_parts parts;
    wci_image_record **images = NULL;
    size_t count = 0;
    int32_t rc = wci_store_usage(call, engine->store, &usage, &parts, err);
    if (rc)
        return rc;
    rc = wci_image_list(engine->store, &images, &count, err);
    json_t *json = rc ? NULL
                      : json_pack("{s:o, s:o, s:o, s:o, s:o}", "Usage", usage_rows(&usage), "Images",
                                  images_json(&parts, images, count), "Containers", containers_json(&parts), "Volumes",
                                  volumes_json(&parts), "Layers", layers_json(&parts));
    if (!rc)
        rc = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    wci_image_records_free(images, count);
    wci_usage_parts_free(&parts);
    return rc;
}
