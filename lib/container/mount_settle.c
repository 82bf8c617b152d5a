/* SPDX-License-Identifier: Apache-2.0 */
#include "container/mount_settle.h"

#include <string.h>

#include "container/container.h"
#include "container/mount.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

/* ---- Mounts of other containers ----------------------------------------------------------------- */

/* Of another container: its content is there already, and who made the volume stays who made it. */
static int32_t copy_options(const wci_mount *from, int read_only, wci_strv *out, wc_error **err)
{
    int failed = wci_strv_copy(out, &from->options);
    if (!failed && !strcmp(from->type, "volume"))
        failed = wci_mount_set_flag(out, "nocopy");
    if (!failed && read_only)
        failed = wci_mount_set_flag(out, "ro");
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t take_mount(const wci_mount *from, int read_only, const wci_config *own, wci_config *taken,
                          wc_error **err)
{
    wci_strv options = WCI_STRV_INIT;
    if (!strcmp(from->type, "tmpfs") || wci_mount_find_target(own, from->target))
        return WC_OK;
    int32_t rc = copy_options(from, read_only, &options, err);
    wci_mount *there = wci_mount_find_target(taken, from->target); /* of a container named before: the later counts */
    if (!rc && there) {
        wci_strv before = there->options;
        there->options = options;
        options = before;
        rc = wci_replace(&there->type, from->type) || wci_replace(&there->source, from->source) ? wci_err_nomem(err)
                                                                                               : WC_OK;
    } else if (!rc && wci_config_add_mount(taken, from->type, from->source, from->target, &options)) {
        rc = wci_err_nomem(err);
    }
    wci_strv_free(&options);
    return rc;
}

static int32_t take_mounts(wci_engine *engine, const char *name, int read_only, const wci_config *own,
                           wci_config *taken, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_config config = {0};
    int32_t rc = wci_container_find(engine->store, name, &record, err);
    if (!rc)
        rc = wci_config_from_json(record->config, &config, err);
    for (size_t i = 0; !rc && i < config.mount_count; i++)
        rc = take_mount(&config.mounts[i], read_only, own, taken, err);
    wci_config_free(&config);
    wci_container_record_free(record);
    return rc ? wci_err_wrap(err, rc, "volumes from '%s'", name) : WC_OK;
}

/* "NAME[:ro]"; the mode was checked when it was set. */
static int32_t take_from(wci_engine *engine, const char *text, const wci_config *own, wci_config *taken,
                         wc_error **err)
{
    const char *mode = strchr(text, ':');
    char *name = mode ? wci_strndup(text, (size_t)(mode - text)) : wci_strdup(text);
    int32_t rc = name ? take_mounts(engine, name, mode && strstr(mode, "ro"), own, taken, err) : wci_err_nomem(err);
    wci_free(name);
    return rc;
}

static int32_t append(wci_config *config, const wci_config *taken, wc_error **err)
{
    for (size_t i = 0; i < taken->mount_count; i++) {
        const wci_mount *m = &taken->mounts[i];
        if (wci_config_add_mount(config, m->type, m->source, m->target, &m->options))
            return wci_err_nomem(err);
    }
    return WC_OK;
}

static int32_t take_all(wci_engine *engine, wci_config *config, wc_error **err)
{
    wci_config taken = {0};
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < config->volumes_from.count; i++)
        rc = take_from(engine, config->volumes_from.items[i], config, &taken, err);
    if (!rc)
        rc = append(config, &taken, err);
    wci_config_free(&taken);
    return rc;
}

/* ---- Volumes and images ------------------------------------------------------------------------- */

static int32_t add_image_volumes(wci_config *config, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < config->volumes.count; i++)
        if (!wci_mount_find_target(config, config->volumes.items[i]))
            rc = wci_mount_add(config, "volume", NULL, config->volumes.items[i], NULL, err);
    return rc;
}

static int32_t name_volume(wci_mount *mount, wc_error **err)
{
    char name[65];
    int32_t rc = wci_random_hex(32, name, err);
    if (!rc && (wci_replace(&mount->source, name) || wci_mount_set_flag(&mount->options, WCI_MOUNT_ANONYMOUS)))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t find_image(wci_engine *engine, wci_mount *mount, wc_error **err)
{
    wci_image_record *image = NULL;
    if (wci_mount_value(mount, WCI_MOUNT_IMAGE)) /* of another container */
        return WC_OK;
    int32_t rc = wci_ctr_find_image(engine->store, mount->source, &image, err);
    if (rc)
        return wci_err_wrap(err, rc, "image mount at '%s'", mount->target);
    char *option = wci_asprintf(WCI_MOUNT_IMAGE "=%s", image->manifest.text);
    rc = option && !wci_mount_set_flag(&mount->options, option) ? WC_OK : wci_err_nomem(err);
    wci_free(option);
    wci_image_record_free(image);
    return rc;
}

static int32_t settle_one(wci_engine *engine, wci_mount *mount, wc_error **err)
{
    if (!strcmp(mount->type, "volume"))
        return *mount->source ? WC_OK : name_volume(mount, err);
    return !strcmp(mount->type, "image") ? find_image(engine, mount, err) : WC_OK;
}

int32_t wci_mounts_settle(wci_engine *engine, wci_config *config, wc_error **err)
{
    int32_t rc = take_all(engine, config, err);
    if (!rc)
        rc = add_image_volumes(config, err);
    for (size_t i = 0; !rc && i < config->mount_count; i++)
        rc = settle_one(engine, &config->mounts[i], err);
    return rc;
}

int32_t wci_mounts_uses(const wci_config *config, wci_volume_use **uses, size_t *count, wc_error **err)
{
    wci_volume_use *list = wci_calloc(config->mount_count + 1, sizeof *list);
    size_t n = 0;
    if (!list)
        return wci_err_nomem(err);
    for (size_t i = 0; i < config->mount_count; i++) {
        const wci_mount *m = &config->mounts[i];
        const char *what = !strcmp(m->type, "volume")  ? m->source
                           : !strcmp(m->type, "image") ? wci_mount_value(m, WCI_MOUNT_IMAGE)
                                                       : NULL;
        if (what)
            list[n++] = (wci_volume_use){what, m->target, wci_mount_has(m, WCI_MOUNT_ANONYMOUS)};
    }
    *uses = list;
    *count = n;
    return WC_OK;
}
