/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

#include <string.h>

#include "container/mount.h"
#include "core/alloc.h"
#include "core/json.h"
#include "store/store_volume.h"

/* Docker's Mode and Propagation. */
static json_t *mount_modes(const wci_mount *m)
{
    static const char *const spreads[] = {"rprivate", "private", "rslave", "slave", "rshared", "shared"};
    const char *label = wci_mount_has(m, "z") ? "z" : wci_mount_has(m, "Z") ? "Z" : "";
    const char *spread = "";
    for (size_t i = 0; !strcmp(m->type, "bind") && i < sizeof spreads / sizeof *spreads; i++)
        spread = wci_mount_has(m, spreads[i]) ? spreads[i] : spread;
    return json_pack("{s:s, s:b, s:s}", "Mode", label, "RW", !wci_mount_has(m, "ro"), "Propagation", spread);
}

static json_t *mount_json(const wci_store *store, const wci_mount *m)
{
    json_t *json = json_pack("{s:s}", "Type", m->type), *modes = mount_modes(m);
    int is_volume = !strcmp(m->type, "volume");
    char *data = is_volume ? wci_volume_data(store, m->source) : NULL;
    if (is_volume || !strcmp(m->type, "image"))
        json_object_set_new(json, "Name", json_string(m->source));
    json_object_set_new(json, "Source", json_string(data ? data : m->source ? m->source : ""));
    json_object_set_new(json, "Destination", json_string(m->target));
    if (is_volume)
        json_object_set_new(json, "Driver", json_string(WCI_VOLUME_DRIVER));
    json_object_update(json, modes);
    json_decref(modes);
    wci_free(data);
    return json;
}

static json_t *mounts_json(const wci_store *store, const wci_config *c)
{
    json_t *mounts = json_array();
    for (size_t i = 0; mounts && i < c->mount_count; i++)
        json_array_append_new(mounts, mount_json(store, &c->mounts[i]));
    return mounts;
}

/* The paths, as keys, as Docker has them. */
static json_t *image_volumes_json(const wci_config *c)
{
    json_t *volumes = json_object();
    for (size_t i = 0; volumes && i < c->volumes.count; i++)
        json_object_set_new(volumes, c->volumes.items[i], json_object());
    return volumes;
}

int wci_info_add_storage(json_t *root, const wci_store *store, const wci_config *c)
{
    return json_object_set_new(root, "Mounts", mounts_json(store, c)) ||
           wci_info_put(root, "Config", json_pack("{s:o}", "Volumes", image_volumes_json(c))) ||
           wci_info_put(root, "HostConfig", json_pack("{s:b, s:o}", "ReadonlyRootfs", c->read_only, "VolumesFrom",
                                                      wci_json_from_strv(&c->volumes_from)));
}
