/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of a mount: which there are for its type, and which of them override others. */
#include <string.h>

#include "container/mount.h"
#include "core/alloc.h"
#include "core/error.h"

#define ACCESS "ro", "rw", "nosuid", "suid", "noexec", "exec", "nodev", "dev"
#define PROPAGATION "rprivate", "private", "rslave", "slave", "rshared", "shared"

/* `values` begin so and have something after the '='. `defaults` come first. */
typedef struct kind {
    const char *type;
    const char *flags[24], *values[8], *defaults[6];
} kind;

static const kind kinds[] = {
    {"bind",
     {ACCESS, PROPAGATION, "bind", "rbind", "z", "Z", "U", "create", NULL},
     {NULL},
     {"rbind", "rprivate", "rw", NULL}},
    {"volume",
     {ACCESS, "rprivate", "private", "z", "Z", "U", "nocopy", NULL},
     {"subpath=", NULL},
     {"rbind", "rprivate", "rw", NULL}},
    {"image", {"ro", NULL}, {"subpath=", NULL}, {"rbind", "rprivate", "ro", "nosuid", "nodev", NULL}},
    {"tmpfs",
     {ACCESS, "noatime", "relatime", "strictatime", "sync", "async", NULL},
     {"size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=", NULL},
     {"nosuid", "nodev", "noexec", "rw", NULL}},
};

/* Flags of one row exclude each other; the last one given counts. */
static const char *const exclusive[][6] = {
    {"ro", "rw"},
    {"suid", "nosuid"},
    {"exec", "noexec"},
    {"dev", "nodev"},
    {"bind", "rbind"},
    {"noatime", "relatime", "strictatime"},
    {"sync", "async"},
    {"z", "Z"},
    {"private", "rprivate", "slave", "rslave", "shared", "rshared"},
};

/* What Docker takes for its desktops' sake and ignores elsewhere. */
static const char *const ignored[] = {"consistent", "cached", "delegated", "default", NULL};
/* What wc-helper does with the mount; the runtime does not know of it. */
static const char *const ours[] = {"z", "Z", "U", "create", "nocopy", WCI_MOUNT_ANONYMOUS, NULL};

static int listed(const char *const *list, const char *option)
{
    for (; *list; list++)
        if (!strcmp(*list, option))
            return 1;
    return 0;
}

static int has_value(const kind *k, const char *option)
{
    for (const char *const *p = k->values; *p; p++)
        if (wci_starts_with(option, *p))
            return option[strlen(*p)] != '\0';
    return 0;
}

static const kind *kind_of(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].type, type))
            return &kinds[i];
    return NULL;
}

int32_t wci_mount_check_type(const char *type, wc_error **err)
{
    return kind_of(type) ? WC_OK
                         : wci_err(err, WC_E_INVALID,
                                   "mount type '%.40s': must be 'bind', 'volume', 'image' or 'tmpfs'", type);
}

/* ---- Values ------------------------------------------------------------------------------------- */

/* Digits of a base up to 10, for a size also a unit. */
static int is_number(const char *text, const char *digits, const char *units)
{
    size_t size = strspn(text, digits);
    return size && (!text[size] || (!text[size + 1] && strchr(units, text[size])));
}

/* What it means is up to who resolves it, inside the volume; that it is meant to lead out is no use to anybody. */
static int32_t check_subpath(const char *path, wc_error **err)
{
    int leads_out = *path == '/';
    for (const char *p = path; *p;) {
        size_t size = strcspn(p, "/");
        leads_out |= size == 2 && !strncmp(p, "..", 2);
        p += size + (p[size] == '/');
    }
    return leads_out ? wci_err(err, WC_E_INVALID,
                               "mount flag 'subpath=%.200s': must be a path below the root of the volume, without '..'",
                               path)
                     : WC_OK;
}

static int32_t check_value(const char *option, wc_error **err)
{
    const char *value = strchr(option, '=') + 1;
    if (wci_starts_with(option, "subpath="))
        return check_subpath(value, err);
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

/* ---- Adding ------------------------------------------------------------------------------------- */

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

int wci_mount_set_flag(wci_strv *options, const char *option)
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

static int32_t add_flag(const kind *k, wci_strv *options, const char *flag, wc_error **err)
{
    if (!*flag || listed(ignored, flag))
        return WC_OK;
    if (!listed(k->flags, flag) && !has_value(k, flag))
        return wci_err(err, WC_E_INVALID, "mount flag '%.40s': not known for a %s mount%s", flag, k->type,
                       !strcmp(flag, "rw") ? "; an image cannot be written" : "");
    int32_t rc = strchr(flag, '=') ? check_value(flag, err) : WC_OK;
    return rc || !wci_mount_set_flag(options, flag) ? rc : wci_err_nomem(err);
}

static int32_t add_defaults(const kind *k, wci_strv *options, wc_error **err)
{
    for (const char *const *p = k->defaults; *p; p++)
        if (wci_strv_add(options, *p))
            return wci_err_nomem(err);
    return WC_OK;
}

int32_t wci_mount_flags(const char *type, const char *flags, wci_strv *options, wc_error **err)
{
    const kind *k = kind_of(type);
    int32_t rc = add_defaults(k, options, err);
    for (const char *p = flags; !rc && p && *p;) {
        size_t size = strcspn(p, ",");
        char *flag = wci_strndup(p, size);
        rc = flag ? add_flag(k, options, flag, err) : wci_err_nomem(err);
        wci_free(flag);
        p += size + (p[size] == ',');
    }
    return rc;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

int wci_mount_has(const wci_mount *mount, const char *flag)
{
    return wci_strv_contains(&mount->options, flag);
}

const char *wci_mount_value(const wci_mount *mount, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < mount->options.count; i++)
        if (!strncmp(mount->options.items[i], key, size) && mount->options.items[i][size] == '=')
            return mount->options.items[i] + size + 1;
    return NULL;
}

int wci_mount_flag_is_ours(const char *option)
{
    return listed(ours, option) || wci_starts_with(option, "subpath=") ||
           wci_starts_with(option, WCI_MOUNT_IMAGE "=");
}
