/* SPDX-License-Identifier: Apache-2.0 */
#include "container/namespace.h"

#include <stddef.h>
#include <string.h>

#include "container/keep_id.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

#define CONTAINER "container:"
#define BIT(mode) (1u << (mode))

typedef struct rule {
    const char *name, *modes;
    unsigned allowed;
    size_t field;
} rule;

static const rule kinds[WCI_NS_KINDS] = {
    [WCI_NS_PID] = {"pid", "'private', 'host' or 'container:NAME'",
                    BIT(WCI_NS_PRIVATE) | BIT(WCI_NS_HOST) | BIT(WCI_NS_CONTAINER), offsetof(wci_config, pid_mode)},
    [WCI_NS_IPC] = {"ipc", "'private', 'shareable', 'none', 'host' or 'container:NAME'",
                    BIT(WCI_NS_PRIVATE) | BIT(WCI_NS_SHAREABLE) | BIT(WCI_NS_NONE) | BIT(WCI_NS_HOST) |
                        BIT(WCI_NS_CONTAINER),
                    offsetof(wci_config, ipc_mode)},
    [WCI_NS_UTS] = {"uts", "'private', 'host' or 'container:NAME'",
                    BIT(WCI_NS_PRIVATE) | BIT(WCI_NS_HOST) | BIT(WCI_NS_CONTAINER), offsetof(wci_config, uts_mode)},
    [WCI_NS_CGROUP] = {"cgroup", "'private', 'host' or 'container:NAME'",
                       BIT(WCI_NS_PRIVATE) | BIT(WCI_NS_HOST) | BIT(WCI_NS_CONTAINER),
                       offsetof(wci_config, cgroup_mode)},
    [WCI_NS_USER] = {"user", "'host', 'private' or 'keep-id'", BIT(WCI_NS_HOST) | BIT(WCI_NS_PRIVATE),
                     offsetof(wci_config, user_mode)},
};

static const char *const modes[] = {
    [WCI_NS_PRIVATE] = "private", [WCI_NS_SHAREABLE] = "shareable", [WCI_NS_NONE] = "none", [WCI_NS_HOST] = "host",
};

int32_t wci_ns_kind_parse(const char *text, wci_ns_kind *out, wc_error **err)
{
    for (int i = 0; i < WCI_NS_KINDS; i++)
        if (!strcmp(text, kinds[i].name)) {
            *out = (wci_ns_kind)i;
            return WC_OK;
        }
    return wci_err(err, WC_E_INVALID, "namespace '%.40s': must be 'pid', 'ipc', 'uts', 'cgroup' or 'user'", text);
}

const char *wci_ns_kind_name(wci_ns_kind kind)
{
    return kinds[kind].name;
}

/* As Docker: only where the v2 tree is the only one a container has its own. */
static wci_ns_mode default_mode(wci_ns_kind kind)
{
    if (kind == WCI_NS_CGROUP && !wci_file_exists("/sys/fs/cgroup/cgroup.controllers"))
        return WCI_NS_HOST;
    return kind == WCI_NS_USER ? WCI_NS_HOST : WCI_NS_PRIVATE;
}

static int find_mode(const char *text, wci_ns_mode *out)
{
    if (wci_starts_with(text, CONTAINER) && *wci_ns_mode_target(text)) {
        *out = WCI_NS_CONTAINER;
        return 1;
    }
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(text, modes[i])) {
            *out = (wci_ns_mode)i;
            return 1;
        }
    return 0;
}

int32_t wci_ns_mode_parse(wci_ns_kind kind, const char *text, wci_ns_mode *out, wc_error **err)
{
    wci_ns_mode mode = default_mode(kind);
    if (kind == WCI_NS_USER && wci_keep_id_is(text)) {
        *out = WCI_NS_PRIVATE;
        return WC_OK;
    }
    if (*text && (!find_mode(text, &mode) || !(kinds[kind].allowed & BIT(mode))))
        return wci_err(err, WC_E_INVALID, "%s namespace '%.80s': must be %s", kinds[kind].name, text,
                       kinds[kind].modes);
    *out = mode;
    return WC_OK;
}

const char *wci_ns_mode_target(const char *text)
{
    return text + sizeof CONTAINER - 1;
}

char **wci_ns_field(wci_config *config, wci_ns_kind kind)
{
    return (char **)(void *)((char *)config + kinds[kind].field);
}

const char *wci_ns_text(const wci_config *config, wci_ns_kind kind)
{
    const char *text = *(char *const *)(const void *)((const char *)config + kinds[kind].field);
    return text ? text : "";
}

wci_ns_mode wci_ns_mode_of(const wci_config *config, wci_ns_kind kind)
{
    wci_ns_mode mode = WCI_NS_PRIVATE;
    if (kind == WCI_NS_USER && config->uid_maps.count)
        return mode;
    (void)wci_ns_mode_parse(kind, wci_ns_text(config, kind), &mode, NULL);
    return mode;
}

char *wci_ns_joined_path(const char *run_dir, wci_ns_kind kind)
{
    return wci_asprintf("%s/ns-%s", run_dir, kinds[kind].name);
}
