/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "container/idmap.h"
#include "container/keep_id.h"
#include "container/namespace.h"
#include "container/seccomp.h"
#include "core/alloc.h"
#include "core/error.h"
#include "network/mode.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"

/* A profile becomes part of the settings: the file may change or go later. */
static int32_t load_seccomp(const wc_container_options *o, wci_config *c, wc_error **err)
{
    if (!o->seccomp_file)
        return wci_merge_default(&c->seccomp, "default", err);
    wc_buf *text = NULL;
    json_t *profile = NULL;
    if (!wci_file_exists(o->seccomp_file))
        return wci_err(err, WC_E_NOT_FOUND,
                       "security option 'seccomp=%s': there is no such file; name a profile in Docker's format, or "
                       "'unconfined'",
                       o->seccomp_file);
    int32_t rc = wci_file_read_all(o->seccomp_file, WCI_SECCOMP_MAX, &text, err);
    if (!rc)
        rc = wci_seccomp_check(wc_buf_data(text), wc_buf_size(text), "profile", err);
    if (!rc)
        rc = wci_json_parse(wc_buf_data(text), wc_buf_size(text), WCI_SECCOMP_MAX, "profile", &profile, err);
    wc_buf_unref(text);
    if (rc)
        return wci_err_wrap(err, rc, "security option 'seccomp=%s'", o->seccomp_file);
    wci_free(c->seccomp);
    c->seccomp = wci_json_dump_text(profile);
    json_decref(profile);
    return c->seccomp ? WC_OK : wci_err_nomem(err);
}

/* Who shares a uts namespace has the names that are there. */
static int32_t settle_names(const wci_merge *in, wci_config *c, wc_error **err)
{
    char name[256];
    wci_ns_mode uts = wci_ns_mode_of(c, WCI_NS_UTS);
    const char *asked = in->options->settings.hostname;
    if (uts != WCI_NS_HOST && uts != WCI_NS_CONTAINER)
        return WC_OK;
    if (asked && *asked)
        return wci_err(err, WC_E_INVALID,
                       "hostname '%s': conflicting options: hostname and the UTS mode '%s'; leave one out", asked,
                       c->uts_mode);
    if (c->domainname && *c->domainname)
        return wci_err(err, WC_E_INVALID,
                       "domain name '%s': conflicting options: domain name and the UTS mode '%s'; leave one out",
                       c->domainname, c->uts_mode);
    if (uts == WCI_NS_HOST && wci_replace(&c->hostname, wci_host_name(name, sizeof name)))
        return wci_err_nomem(err);
    return WC_OK;
}

/* Those of shared memory and queues belong to the ipc namespace: the host's, or another container's, stay as they are. */
static int32_t check_sysctls(const wci_config *c, wc_error **err)
{
    wci_ns_mode ipc = wci_ns_mode_of(c, WCI_NS_IPC);
    for (size_t i = 0; i < c->sysctl_count; i++)
        if (!wci_starts_with(c->sysctls[i].name, "net.") && (ipc == WCI_NS_HOST || ipc == WCI_NS_CONTAINER))
            return wci_err(err, WC_E_INVALID, "sysctl '%s': not allowed with the IPC mode '%s'", c->sysctls[i].name,
                           c->ipc_mode);
    return WC_OK;
}

/* Who asks for one kind of map only means both. */
static int32_t complete_maps(wci_config *c, wc_error **err)
{
    uint32_t host;
    if (!c->gid_maps.count && wci_strv_copy(&c->gid_maps, &c->uid_maps))
        return wci_err_nomem(err);
    if (!c->uid_maps.count && wci_strv_copy(&c->uid_maps, &c->gid_maps))
        return wci_err_nomem(err);
    if (!wci_idmap_find(&c->uid_maps, 0, &host) || !wci_idmap_find(&c->gid_maps, 0, &host))
        return wci_err(err, WC_E_INVALID, "user namespace: user and group 0 of the container must have a map");
    return WC_OK;
}

/* Which belongs to the user namespace; another's does not. */
static int32_t check_network(const wci_config *c, wc_error **err)
{
    wci_network_mode mode;
    int32_t rc = wci_network_mode_parse(c->network, &mode, err);
    if (rc || mode == WCI_NETWORK_NONE || mode == WCI_NETWORK_NAMED)
        return rc;
    return wci_err(err, WC_E_UNSUPPORTED, "user namespace: network '%s' cannot be had with it; use one by name, or 'none'",
                   c->network);
}

static int32_t check_user_namespace(const wci_merge *in, wci_config *c, wc_error **err)
{
    const char *user = in->options->settings.user;
    int32_t rc = wci_keep_id_settle(c, user && *user, err);
    if (rc)
        return rc;
    int has_maps = c->uid_maps.count || c->gid_maps.count;
    if (!has_maps && !strcmp(c->user_mode, "private"))
        return wci_err(err, WC_E_INVALID, "user namespace 'private': needs a map, such as 0:100000:65536");
    if (!has_maps)
        return WC_OK;
    if (!strcmp(c->user_mode, "host"))
        return wci_err(err, WC_E_INVALID, "user namespace 'host': has no maps; leave one out");
    if (c->privileged)
        return wci_err(err, WC_E_INVALID, "user namespace: privileged mode is incompatible with user namespaces");
    rc = check_network(c, err);
    if (rc)
        return rc;
    for (int kind = 0; kind < WCI_NS_USER; kind++) {
        wci_ns_mode mode = wci_ns_mode_of(c, (wci_ns_kind)kind);
        if (mode == WCI_NS_CONTAINER || (mode == WCI_NS_HOST && kind != WCI_NS_CGROUP))
            return wci_err(err, WC_E_UNSUPPORTED, "user namespace: the %s namespace must be private with it",
                           wci_ns_kind_name((wci_ns_kind)kind));
    }
    return complete_maps(c, err);
}

int32_t wci_merge_security(const wci_merge *in, wci_config *c, wc_error **err)
{
    int32_t rc = settle_names(in, c, err);
    if (!rc)
        rc = check_sysctls(c, err);
    if (!rc)
        rc = check_user_namespace(in, c, err);
    return rc ? rc : load_seccomp(in->options, c, err);
}
