/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

static json_t *mounts_json(const wci_config *c)
{
    json_t *mounts = json_array();
    for (size_t i = 0; mounts && i < c->mount_count; i++) {
        const wci_mount *m = &c->mounts[i];
        json_array_append_new(mounts, json_pack("{s:s, s:s, s:s, s:b}", "Type", m->type, "Source",
                                                m->source ? m->source : "", "Destination", m->target, "RW",
                                                !wci_strv_contains(&m->options, "ro")));
    }
    return mounts;
}

int wci_info_add_storage(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    return json_object_set_new(root, "Mounts", mounts_json(c)) ||
           wci_info_put(root, "HostConfig", json_pack("{s:b}", "ReadonlyRootfs", c->read_only));
}
