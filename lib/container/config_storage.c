/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted. */
#include "container/config.h"

#include "core/alloc.h"
#include "core/error.h"

static const wci_field mount_fields[] = {
    WCI_FIELD("type", TEXT, wci_mount, type),
    WCI_FIELD("source", TEXT, wci_mount, source),
    WCI_FIELD("target", TEXT, wci_mount, target),
    WCI_FIELD("options", TEXTS, wci_mount, options),
};
static const wci_fields mount_table = WCI_FIELDS(mount_fields, wci_mount);

static const wci_field fields[] = {
    WCI_FIELD("readOnly", FLAG, wci_config, read_only),
    WCI_FIELD_LIST("mounts", wci_config, mounts, mount_count, mount_cap, &mount_table),
    WCI_FIELD("volumes", TEXTS, wci_config, volumes),
    WCI_FIELD("volumesFrom", TEXTS, wci_config, volumes_from),
};
const wci_fields wci_config_storage = WCI_FIELDS(fields, wci_config);

int wci_config_add_mount(wci_config *config, const char *type, const char *source,
                         const char *target, const wci_strv *options)
{
    if (!wci_grow(&config->mounts, &config->mount_cap, config->mount_count + 1,
                  sizeof *config->mounts))
        return WC_E_NOMEM;
    wci_mount m = {wci_strdup(type), wci_strdup(source), wci_strdup(target), WCI_STRV_INIT};
    if (!m.type || !m.source || !m.target || wci_strv_copy(&m.options, options)) {
        wci_free(m.type);
        wci_free(m.source);
        wci_free(m.target);
        wci_strv_free(&m.options);
        return WC_E_NOMEM;
    }
    config->mounts[config->mount_count++] = m;
    return WC_OK;
}
