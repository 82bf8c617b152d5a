/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include "container/caps.h"
#include "container/cdi.h"
#include "container/namespace.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

/* That of a uts namespace of its own; in another's both names stay as they are. */
static int add_names(const wci_config *config, json_t *root)
{
    wci_ns_mode uts = wci_ns_mode_of(config, WCI_NS_UTS);
    if (uts == WCI_NS_HOST || uts == WCI_NS_CONTAINER)
        return 0;
    json_t *os = json_object_get(root, "linux"), *sysctl = json_object_get(os, "sysctl");
    if (*config->domainname && !sysctl) {
        sysctl = json_object();
        if (json_object_set_new(os, "sysctl", sysctl))
            return -1;
    }
    return json_object_set_new(root, "hostname", json_string(config->hostname)) ||
           (*config->domainname &&
            json_object_set_new(sysctl, "kernel.domainname", json_string(config->domainname)));
}

/* Low ports and ping need no privilege, as in Docker, where the network is the container's own. */
static int add_sysctls(const wci_spec_input *in, json_t *os)
{
    const wci_config *config = in->config;
    json_t *sysctls = json_object();
    int failed = !sysctls;
    if (in->network == WCI_NETWORK_NONE || in->network == WCI_NETWORK_NAMED)
        failed |= json_object_set_new(sysctls, "net.ipv4.ip_unprivileged_port_start", json_string("0")) ||
                  (!config->gid_maps.count && /* whose groups are not all there */
                   json_object_set_new(sysctls, "net.ipv4.ping_group_range", json_string("0 2147483647")));
    for (size_t i = 0; i < config->sysctl_count; i++)
        failed |= json_object_set_new(sysctls, config->sysctls[i].name, json_string(config->sysctls[i].value));
    if (sysctls && !json_object_size(sysctls)) {
        json_decref(sysctls);
        return 0;
    }
    return json_object_set_new(os, "sysctl", sysctls) || failed;
}

static int32_t make_linux(const wci_spec_input *in, const wci_strv *caps, json_t **out,
                          wc_error **err)
{
    json_t *os = json_pack("{s:o, s:o, s:s}", "namespaces", wci_spec_namespaces(in),
                           "resources", wci_spec_resources(in->config), "rootfsPropagation",
                           wci_spec_propagation(in->config));
    int32_t rc = os ? wci_spec_block_io(in->config, json_object_get(os, "resources"), err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_spec_devices(in->config, os, err);
    if (!rc)
        rc = wci_spec_security(in->config, caps, os, err);
    if (!rc && add_sysctls(in, os))
        rc = wci_err_nomem(err);
    if (rc)
        json_decref(os);
    else
        *out = os;
    return rc;
}

static int32_t make_parts(const wci_spec_input *in, const wci_strv *caps, json_t *root,
                          wc_error **err)
{
    json_t *process = NULL, *os = NULL;
    wci_strv args = WCI_STRV_INIT;
    if (wci_config_args(in->config, &args)) {
        wci_strv_free(&args);
        return wci_err_nomem(err);
    }
    wci_exec_input exec = {
        .config = in->config,
        .args = &args,
        .workdir = in->config->workdir,
        .user = in->user,
        .tty = in->config->tty,
        .privileged = in->config->privileged,
        .console_columns = in->config->console_columns,
        .console_rows = in->config->console_rows,
    };
    int32_t rc = wci_spec_process(&exec, caps, &process, err);
    if (!rc && json_object_set_new(root, "process", process))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = make_linux(in, caps, &os, err);
    if (!rc && json_object_set_new(root, "linux", os))
        rc = wci_err_nomem(err);
    if (!rc && json_object_set_new(root, "mounts", wci_spec_mounts(in)))
        rc = wci_err_nomem(err);
    wci_strv_free(&args);
    return rc;
}

int32_t wci_spec_make(const wci_spec_input *input, char **out, wc_error **err)
{
    const wci_config *config = input->config;
    wci_strv caps = WCI_STRV_INIT;
    json_t *root = json_pack("{s:s, s:{s:b}}", "ociVersion", "1.0.2", "root", "readonly", config->read_only);
    int32_t rc = root ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = wci_caps_resolve(&config->cap_add, &config->cap_drop, config->privileged, &caps, err);
    if (!rc)
        rc = make_parts(input, &caps, root, err);
    if (!rc && add_names(config, root))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_cdi_apply(&config->cdi_devices, root, err);
    char *text = rc ? NULL : wci_json_dump_text(root);
    wci_strv_free(&caps);
    json_decref(root);
    if (!rc && !text)
        rc = wci_err_nomem(err);
    if (!rc)
        *out = text;
    return rc;
}
