/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

#include <string.h>

#include "container/mount.h"
#include "core/alloc.h"
#include "core/json.h"
#include "store/store_volume.h"

static int is_one_of(const char *option, const char *const *list)
{
    while (*list && strcmp(*list, option))
        list++;
    return *list != NULL;
}

static int is_spread(const char *option)
{
    static const char *const spreads[] = {"rprivate", "private", "rslave", "slave", "rshared", "shared", NULL};
    return is_one_of(option, spreads);
}

/* What a user has said, with commas between: without what is so by itself, and without how mounts spread. */
static json_t *options_text(const wci_mount *m)
{
    static const char *const usual[] = {"rbind", "bind", "rw", "create", "anonymous", NULL};
    static const char *const usual_tmpfs[] = {"nosuid", "nodev", "noexec", "rw", NULL};
    const char *const *left_out = !strcmp(m->type, "tmpfs") ? usual_tmpfs : usual;
    wci_str text = WCI_STR_INIT;
    for (size_t i = 0; i < m->options.count; i++)
        if (!is_one_of(m->options.items[i], left_out) && !is_spread(m->options.items[i]))
            wci_str_printf(&text, "%s%s", text.size ? "," : "", m->options.items[i]);
    json_t *value = json_string(text.size ? text.data : "");
    wci_str_free(&text);
    return value;
}

/* Docker's Mode and Propagation. */
static json_t *mount_modes(const wci_mount *m)
{
    const char *spread = "";
    for (size_t i = 0; !strcmp(m->type, "bind") && i < m->options.count; i++)
        spread = is_spread(m->options.items[i]) ? m->options.items[i] : spread;
    return json_pack("{s:o, s:b, s:s}", "Mode", options_text(m), "RW", !wci_mount_has(m, "ro"), "Propagation", spread);
}

/* HostConfig.Tmpfs: options by paths. */
static json_t *tmpfs_json(const wci_config *c)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < c->mount_count; i++)
        if (!strcmp(c->mounts[i].type, "tmpfs"))
            json_object_set_new(object, c->mounts[i].target, options_text(&c->mounts[i]));
    return object;
}

/* HostConfig.Binds: paths and volumes as -v has them. */
static json_t *binds_json(const wci_config *c)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < c->mount_count; i++) {
        const wci_mount *m = &c->mounts[i];
        int is_named = !strcmp(m->type, "volume") && !wci_mount_has(m, "anonymous");
        if (strcmp(m->type, "bind") && !is_named)
            continue;
        json_t *mode = options_text(m);
        const char *text = json_string_value(mode);
        json_array_append_new(list, json_sprintf("%s:%s%s%s", m->source, m->target, text && *text ? ":" : "", text ? text : ""));
        json_decref(mode);
    }
    return list;
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
           wci_info_put(root, "HostConfig", json_pack("{s:b, s:o, s:o, s:o}", "ReadonlyRootfs", c->read_only, "VolumesFrom",
                                                      wci_json_from_strv(&c->volumes_from), "Tmpfs", tmpfs_json(c), "Binds",
                                                      binds_json(c)));
}
