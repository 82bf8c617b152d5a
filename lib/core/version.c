/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/version.h>

#include <stddef.h>
#include <string.h>

#include "platform/host.h"

/* docs/features.md explains each. */
static const struct {
    const char *name;
    const char *os; /* only there; NULL: everywhere */
} features[] = {
    {"pull", NULL},
    {"push", NULL},
    {"registry", NULL},
    {"registry.certs", NULL},
    {"registry.mirrors", NULL},
    {"signatures", NULL},
    {"artifacts", NULL},
    {"import", NULL},
    {"export", NULL},
    {"edit", NULL},
    {"edit.layers", NULL},
    {"image-diff", NULL},
    {"export-tar", NULL},
    {"image-mount", "linux"},
    {"image-unpack", NULL},
    {"index", NULL},
    {"partial-pull", NULL},
    {"referrers", NULL},
    {"containers", NULL},
    {"exec", NULL},
    {"logs", NULL},
    {"copy-files", NULL},
    {"volumes", NULL},
    {"groups", NULL},
    {"cdi", "linux"},
    {"events", NULL},
    {"check", NULL},
    {"gzip", NULL},
    {"zstd", NULL},
    {"backend.mock", NULL},
    {"backend.plugin", NULL},
    {"backend.process", "linux"},
    {"rootless", "linux"},
    {"network.none", "linux"},
    {"network.host", "linux"},
    {"networks", NULL},
#ifdef WC_HAVE_ISAL
    {"isal", NULL},
#endif
};

const char *wc_version(void)
{
    return WC_VERSION_TEXT;
}

int32_t wc_version_number(void)
{
    return WC_VERSION_MAJOR * 1000000 + WC_VERSION_MINOR * 1000 + WC_VERSION_PATCH;
}

int32_t wc_has_feature(const char *name)
{
    if (!name)
        return 0;
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (!strcmp(name, features[i].name))
            return !features[i].os || !strcmp(features[i].os, wci_host_os());
    return 0;
}
