/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <stdlib.h>
#include <string.h>

static const char *weight;
static text_list devices, rules, weights, read_bps, write_bps, read_iops, write_iops;

static const option options[] = {
    {0, "device", OPTION_LIST, "PATH[:PATH][:rwm]|VENDOR/CLASS=NAME", "device of the host, or of CDI", &devices},
    {0, "device-cgroup-rule", OPTION_LIST, "RULE", "what it may do with devices, 'c 10:* rwm'", &rules},
    {0, "blkio-weight", OPTION_TEXT, "NUMBER", "weight of its reads and writes, 10 to 1000", &weight},
    {0, "blkio-weight-device", OPTION_LIST, "PATH:NUMBER", "the same for one device", &weights},
    {0, "device-read-bps", OPTION_LIST, "PATH:SIZE", "bytes per second from a device", &read_bps},
    {0, "device-write-bps", OPTION_LIST, "PATH:SIZE", "bytes per second to a device", &write_bps},
    {0, "device-read-iops", OPTION_LIST, "PATH:NUMBER", "reads per second from a device", &read_iops},
    {0, "device-write-iops", OPTION_LIST, "PATH:NUMBER", "writes per second to a device", &write_iops},
};

static int is_access(const char *text)
{
    return *text && strspn(text, "rwm") == strlen(text);
}

/* HOST[:CONTAINER][:ACCESS]; with two parts the second is the access when it can be. */
static void add_device(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *host, *target = NULL;
    const char *rest, *access = NULL;
    if (*text != '/' && strchr(text, '=')) {
        TRY(wc_container_options_add_cdi_device(to, text, &err));
        return;
    }
    cut_text(text, ':', &host, &rest);
    if (rest && is_access(rest))
        access = rest;
    else if (rest)
        cut_text(rest, ':', &target, &access);
    TRY(wc_container_options_add_device(to, host, target, access, &err));
    free(host);
    free(target);
}

static void add_rule(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    TRY(wc_container_options_add_device_rule(to, text, &err));
}

static void add_limits(wc_container_options *to, const text_list *list, const char *name, const char *kind,
                       int64_t (*read)(const char *, const char *))
{
    wc_error *err = NULL;
    for (size_t i = 0; i < list->count; i++) {
        char *path;
        const char *value;
        cut_text(list->items[i], ':', &path, &value);
        if (!value)
            die_usage("%s '%s': write PATH:%s", name, list->items[i], read == value_bytes ? "SIZE" : "NUMBER");
        TRY(wc_container_options_add_blkio_device(to, path, kind, read(name, value), &err));
        free(path);
    }
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    run_each(&devices, to, add_device);
    run_each(&rules, to, add_rule);
    if (weight)
        TRY(wc_container_options_set_blkio_weight(to, value_number("--blkio-weight", weight), &err));
    add_limits(to, &weights, "--blkio-weight-device", "weight", value_number);
    add_limits(to, &read_bps, "--device-read-bps", "read-bps", value_bytes);
    add_limits(to, &write_bps, "--device-write-bps", "write-bps", value_bytes);
    add_limits(to, &read_iops, "--device-read-iops", "read-iops", value_number);
    add_limits(to, &write_iops, "--device-write-iops", "write-iops", value_number);
}

const option_group run_devices = {options, countof(options), apply};
