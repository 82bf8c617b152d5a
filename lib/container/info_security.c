/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

#include "core/json.h"

int wci_info_add_security(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    json_t *json = json_pack("{s:b, s:o, s:o}", "Privileged", c->privileged, "CapAdd",
                             wci_json_from_strv(&c->cap_add), "CapDrop", wci_json_from_strv(&c->cap_drop));
    return wci_info_put(root, "HostConfig", json);
}
