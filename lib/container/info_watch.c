/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

int wci_info_add_watch(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    return wci_info_put(root, "Config", json_pack("{s:b, s:b}", "Tty", c->tty, "OpenStdin", c->open_stdin));
}
