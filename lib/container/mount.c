/* SPDX-License-Identifier: Apache-2.0 */
#include "container/mount.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

static const char *const bind_flags[] = {
    "ro", "rw", "rprivate", "private", "rslave", "slave", "rshared", "shared", "nosuid", "suid",
    "noexec", "exec", "nodev", "dev", "bind", "rbind", NULL,
};
static const char *const tmpfs_flags[] = {
    "ro", "rw", "nosuid", "suid", "noexec", "exec", "nodev", "dev", "noatime", "relatime",
    "strictatime", "sync", "async", NULL,
};
static const char *const tmpfs_values[] = {"size=", "mode=", "uid=", "gid=", "nr_inodes=",
                                           "nr_blocks=", NULL};

/* Options of one row exclude each other; the last one given counts. */
static const char *const exclusive[][6] = {
    {"ro", "rw"},
    {"suid", "nosuid"},
    {"exec", "noexec"},
    {"dev", "nodev"},
    {"bind", "rbind"},
    {"noatime", "relatime", "strictatime"},
    {"sync", "async"},
    {"private", "rprivate", "slave", "rslave", "shared", "rshared"},
};

static int listed(const char *const *list, const char *option)
{
    for (; *list; list++)
        if (!strcmp(*list, option))
            return 1;
    return 0;
}

static int has_value(const char *option)
{
    for (const char *const *p = tmpfs_values; *p; p++)
        if (wci_starts_with(option, *p))
            return option[strlen(*p)] != '\0';
    return 0;
}

/* Digits of a base up to 10, for a size also a unit. */
static int is_number(const char *text, const char *digits, const char *units)
{
    size_t size = strspn(text, digits);
    return size && (!text[size] || (!text[size + 1] && strchr(units, text[size])));
}

static int32_t check_value(const char *option, wc_error **err)
{
    const char *value = strchr(option, '=') + 1;
    if (wci_starts_with(option, "mode="))
        return is_number(value, "01234567", "")
                   ? WC_OK
                   : wci_err(err, WC_E_INVALID, "tmpfs mount, '%.40s': must be an octal number such as 1777", option);
    if (wci_starts_with(option, "uid=") || wci_starts_with(option, "gid="))
        return is_number(value, "0123456789", "")
                   ? WC_OK
                   : wci_err(err, WC_E_INVALID, "tmpfs mount, '%.40s': must be a number", option);
    return is_number(value, "0123456789", "kKmMgG%")
               ? WC_OK
               : wci_err(err, WC_E_INVALID, "tmpfs mount, '%.40s': must be a number, such as 64m or 50%%", option);
}

static int row_has(const char *const row[6], const char *option)
{
    for (size_t i = 0; i < 6 && row[i]; i++)
        if (!strcmp(row[i], option))
            return 1;
    return 0;
}

static int excludes(const char *a, const char *b)
{
    const char *value = strchr(a, '=');
    if (value)
        return !strncmp(a, b, (size_t)(value - a) + 1);
    for (size_t i = 0; i < sizeof exclusive / sizeof *exclusive; i++)
        if (row_has(exclusive[i], a) && row_has(exclusive[i], b))
            return 1;
    return !strcmp(a, b);
}

/* Adds an option, dropping those that it overrides. */
static int add_option(wci_strv *options, const char *option)
{
    size_t kept = 0;
    for (size_t i = 0; i < options->count; i++) {
        if (excludes(option, options->items[i]))
            wci_free(options->items[i]);
        else
            options->items[kept++] = options->items[i];
    }
    options->count = kept;
    if (options->items)
        options->items[kept] = NULL;
    return wci_strv_add(options, option);
}

static int32_t add_flags(wci_strv *options, int is_bind, const char *flags, wc_error **err)
{
    const char *const *known = is_bind ? bind_flags : tmpfs_flags;
    for (const char *p = flags; p && *p;) {
        size_t size = strcspn(p, ",");
        char *flag = wci_strndup(p, size);
        int32_t rc = WC_OK;
        if (!flag)
            return wci_err_nomem(err);
        if (*flag && !listed(known, flag) && (is_bind || !has_value(flag)))
            rc = wci_err(err, WC_E_INVALID, "mount flag '%.40s': not known for a %s mount%s", flag,
                         is_bind ? "bind" : "tmpfs",
                         !wci_strcasecmp(flag, "z") ? "; SELinux labels are not there yet" : "");
        else if (strchr(flag, '='))
            rc = check_value(flag, err);
        if (!rc && *flag && add_option(options, flag))
            rc = wci_err_nomem(err);
        wci_free(flag);
        if (rc)
            return rc;
        p += size + (p[size] == ',');
    }
    return WC_OK;
}

static int32_t add_defaults(wci_strv *options, int is_bind, wc_error **err)
{
    static const char *const bind[] = {"rbind", "rprivate", "rw", NULL};
    static const char *const tmpfs[] = {"nosuid", "nodev", "noexec", "rw", NULL};
    for (const char *const *p = is_bind ? bind : tmpfs; *p; p++)
        if (wci_strv_add(options, *p))
            return wci_err_nomem(err);
    return WC_OK;
}

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

static int32_t check_paths(int is_bind, const char *source, const char *target, wc_error **err)
{
    if (is_bind && (!source || !wci_path_is_absolute(source)))
        return wci_err(err, WC_E_INVALID, "bind mount '%.200s': the source must be an absolute path",
                       source ? source : "");
    if (!is_bind && source && *source)
        return wci_err(err, WC_E_INVALID, "tmpfs mount '%.200s': takes no source", source);
    if (target[0] != '/')
        return wci_err(err, WC_E_INVALID, "mount target '%.200s': must be an absolute path", target);
    return WC_OK;
}

static int32_t check_target(const wci_config *config, const char *target, wc_error **err)
{
    if (!strcmp(target, "/"))
        return wci_err(err, WC_E_INVALID, "mount target '/': the root cannot be mounted over");
    for (size_t i = 0; i < config->mount_count; i++)
        if (!strcmp(config->mounts[i].target, target))
            return wci_err(err, WC_E_INVALID, "mount target '%.200s': given twice", target);
    return WC_OK;
}

int32_t wci_mount_add(wci_config *config, const char *type, const char *source, const char *target,
                      const char *flags, wc_error **err)
{
    int is_bind = !strcmp(type, "bind");
    if (!is_bind && strcmp(type, "tmpfs"))
        return wci_err(err, WC_E_INVALID, "mount type '%.40s': must be 'bind' or 'tmpfs'%s", type,
                       !strcmp(type, "volume") ? "; volumes are not there yet" : "");
    int32_t rc = check_paths(is_bind, source, target, err);
    if (rc)
        return rc;
    wci_strv options = WCI_STRV_INIT;
    char *clean = wci_clean_path(target);
    rc = clean ? check_target(config, clean, err) : wci_err_nomem(err);
    if (!rc)
        rc = add_defaults(&options, is_bind, err);
    if (!rc)
        rc = add_flags(&options, is_bind, flags, err);
    if (!rc && wci_config_add_mount(config, type, is_bind ? source : "", clean, &options))
        rc = wci_err_nomem(err);
    wci_strv_free(&options);
    wci_free(clean);
    return rc;
}

int32_t wci_mounts_check_sources(const wci_config *config, wc_error **err)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        const wci_mount *m = &config->mounts[i];
        if (!strcmp(m->type, "bind") && !wci_file_exists(m->source))
            return wci_err(err, WC_E_NOT_FOUND,
                           "bind mount '%s': the source does not exist; make it first", m->source);
    }
    return WC_OK;
}
