/* SPDX-License-Identifier: Apache-2.0 */
#include "container/mount.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "store/store_volume.h"

char *wci_clean_path(const char *path)
{
    char *out = wci_malloc(strlen(path) + 2);
    if (!out)
        return NULL;
    size_t size = 0;
    for (const char *p = path; *p;) {
        size_t part = strcspn(p, "/");
        if (part == 2 && !strncmp(p, "..", 2)) {
            while (size && out[--size] != '/')
                ;
        } else if (part && !(part == 1 && *p == '.')) {
            out[size++] = '/';
            memcpy(out + size, p, part);
            size += part;
        }
        p += part + (p[part] == '/');
    }
    if (!size)
        out[size++] = '/';
    out[size] = '\0';
    return out;
}

static int32_t check_source(const char *type, const char *source, wc_error **err)
{
    if (!strcmp(type, "bind") && !wci_path_is_absolute(source))
        return wci_err(err, WC_E_INVALID, "bind mount '%.200s': the source must be an absolute path", source);
    if (!strcmp(type, "volume") && *source)
        return wci_volume_name_check(source, err);
    if (!strcmp(type, "image") && !*source)
        return wci_err(err, WC_E_INVALID, "image mount: needs the name of an image as its source");
    if (!strcmp(type, "tmpfs") && *source)
        return wci_err(err, WC_E_INVALID, "tmpfs mount '%.200s': takes no source", source);
    return WC_OK;
}

static int32_t check_target(const wci_config *config, const char *target, wc_error **err)
{
    if (!strcmp(target, "/"))
        return wci_err(err, WC_E_INVALID, "mount target '/': the root cannot be mounted over");
    return wci_mount_find_target(config, target)
               ? wci_err(err, WC_E_INVALID, "mount target '%.200s': given twice", target)
               : WC_OK;
}

wci_mount *wci_mount_find_target(const wci_config *config, const char *target)
{
    for (size_t i = 0; i < config->mount_count; i++)
        if (!strcmp(config->mounts[i].target, target))
            return &config->mounts[i];
    return NULL;
}

int32_t wci_mount_add(wci_config *config, const char *type, const char *source, const char *target,
                      const char *flags, wc_error **err)
{
    source = source ? source : "";
    int32_t rc = wci_mount_check_type(type, err);
    if (!rc)
        rc = check_source(type, source, err);
    if (!rc && target[0] != '/')
        rc = wci_err(err, WC_E_INVALID, "mount target '%.200s': must be an absolute path", target);
    if (rc)
        return rc;
    wci_strv options = WCI_STRV_INIT;
    char *clean = wci_clean_path(target);
    rc = clean ? check_target(config, clean, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_mount_flags(type, flags, &options, err);
    if (!rc && wci_config_add_mount(config, type, source, clean, &options))
        rc = wci_err_nomem(err);
    wci_strv_free(&options);
    wci_free(clean);
    return rc;
}

int32_t wci_mounts_check_sources(const wci_config *config, wc_error **err)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        const wci_mount *m = &config->mounts[i];
        if (!strcmp(m->type, "bind") && !wci_mount_has(m, "create") && !wci_file_exists(m->source))
            return wci_err(err, WC_E_NOT_FOUND,
                           "bind mount '%s': the source does not exist; make it first", m->source);
    }
    return WC_OK;
}

int32_t wci_mounts_make_sources(const wci_config *config, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < config->mount_count; i++) {
        const wci_mount *m = &config->mounts[i];
        if (!strcmp(m->type, "bind") && wci_mount_has(m, "create") && !wci_file_exists(m->source))
            rc = wci_dir_make(m->source, 0755, err);
        if (rc)
            rc = wci_err_wrap(err, rc, "bind mount '%s': the source does not exist and cannot be made", m->source);
    }
    return rc;
}
