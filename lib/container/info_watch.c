/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

static json_t *log_config(const wci_config *c)
{
    json_t *options = c->log_max_bytes ? json_pack("{s:o, s:o}", "max-size", json_sprintf("%lld", (long long)c->log_max_bytes),
                                                   "max-file", json_sprintf("%lld", (long long)c->log_max_files))
                                       : json_object();
    if (*c->log_tag)
        json_object_set_new(options, "tag", json_string(c->log_tag));
    return json_pack("{s:{s:s, s:o}}", "LogConfig", "Type", *c->log_driver ? c->log_driver : "file", "Config", options);
}

int wci_info_add_watch(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    return wci_info_put(root, "Config", json_pack("{s:b, s:b, s:b}", "Tty", c->tty, "OpenStdin", c->open_stdin,
                                                  "StdinOnce", c->open_stdin)) /* it ends with whoever ends it */ ||
           wci_info_put(root, "HostConfig", log_config(c));
}
