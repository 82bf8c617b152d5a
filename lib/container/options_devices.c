/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <stdio.h>
#include <string.h>

#include "container/cdi.h"
#include "container/mount.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

/* Letters of "rwm", each once. */
static int is_access(const char *text)
{
    size_t size = strlen(text);
    if (!size || strspn(text, "rwm") != size)
        return 0;
    for (const char *p = text; *p; p++)
        if (strchr(p + 1, *p))
            return 0;
    return 1;
}

int32_t wc_container_options_add_device(wc_container_options *options, const char *host_path,
                                        const char *container_path, const char *access, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, host_path, "device", err);
    const char *target = container_path ? container_path : host_path;
    if (!rc)
        rc = wci_option_check_text(options, target, "path of a device", err);
    if (!rc)
        rc = wci_option_check_text(options, access ? access : "", "access to a device", err);
    if (rc)
        return rc;
    if (host_path[0] != '/' || target[0] != '/')
        return wci_err(err, WC_E_INVALID, "device '%.200s': '%.200s' must be an absolute path", host_path,
                       host_path[0] != '/' ? host_path : target);
    if (access && !is_access(access))
        return wci_err(err, WC_E_INVALID, "device '%.200s': the access '%.20s' must be of the letters 'rwm'", host_path,
                       access);
    char *clean = wci_clean_path(target);
    int failed = !clean || wci_config_add_device(&options->settings, host_path, clean, access ? access : "rwm");
    wci_free(clean);
    return failed ? wci_err_nomem(err) : WC_OK;
}

/* "*" or a number of the kernel's. */
static const char *skip_number(const char *p)
{
    if (*p == '*')
        return p + 1;
    size_t size = strspn(p, "0123456789");
    return size && size < 10 ? p + size : NULL;
}

/* "c 1:3 rwm", as the kernel's devices.allow reads it. */
static int is_rule(const char *text)
{
    const char *p = text;
    if (!strchr("abc", *p) || !*p || p[1] != ' ' || !(p = skip_number(p + 2)) || *p != ':' ||
        !(p = skip_number(p + 1)) || *p != ' ')
        return 0;
    return is_access(p + 1);
}

int32_t wc_container_options_add_device_rule(wc_container_options *options, const char *rule, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, rule, "device rule", err);
    if (!rc && !is_rule(rule))
        rc = wci_err(err, WC_E_INVALID, "device rule '%.80s': must be such as 'c 10:200 rwm' or 'b *:* r'", rule);
    if (!rc && wci_strv_add(&options->settings.device_rules, rule))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_container_options_add_cdi_device(wc_container_options *options, const char *name, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "CDI device", err);
    if (!rc)
        rc = wci_cdi_check_name(name, err);
    if (!rc && !wci_strv_contains(&options->settings.cdi_devices, name) &&
        wci_strv_add(&options->settings.cdi_devices, name))
        rc = wci_err_nomem(err);
    return rc;
}

/* ---- Reading and writing of block devices -------------------------------------------------------- */

#define MIN_WEIGHT 10
#define MAX_WEIGHT 1000

int32_t wc_container_options_set_blkio_weight(wc_container_options *options, int64_t weight, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.blkio_weight : NULL, weight,
                                 weight == 0 || (weight >= MIN_WEIGHT && weight <= MAX_WEIGHT), "block weight",
                                 "must be 0 (default) or from 10 to 1000", err);
}

static int is_kind(const char *kind)
{
    static const char *const kinds[] = {"weight", "read-bps", "write-bps", "read-iops", "write-iops"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i], kind))
            return 1;
    return 0;
}

int32_t wc_container_options_add_blkio_device(wc_container_options *options, const char *path, const char *kind,
                                              int64_t value, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, path, "block device", err);
    if (!rc)
        rc = wci_option_check_text(options, kind, "kind of a block limit", err);
    if (rc)
        return rc;
    if (!wci_starts_with(path, "/dev/"))
        return wci_err(err, WC_E_INVALID, "block device '%.200s': must begin with '/dev/'", path);
    if (!is_kind(kind))
        return wci_err(err, WC_E_INVALID,
                       "block device '%s': the kind '%.40s' is none of 'weight', 'read-bps', 'write-bps', 'read-iops' "
                       "and 'write-iops'",
                       path, kind);
    if (strcmp(kind, "weight") ? value < 1 : value < MIN_WEIGHT || value > MAX_WEIGHT)
        return wci_err(err, WC_E_INVALID, "block device '%s': %s %lld: must be %s", path, kind, (long long)value,
                       strcmp(kind, "weight") ? "at least 1" : "from 10 to 1000");
    return wci_config_add_block_limit(&options->settings, kind, path, value) ? wci_err_nomem(err) : WC_OK;
}
