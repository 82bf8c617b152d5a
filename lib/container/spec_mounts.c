/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/mount.h"
#include "container/namespace.h"
#include "core/alloc.h"
#include "core/json.h"
#include "platform/file.h"

#define SHM "/dev/shm"

/* One row of the table of mounts to be; options separated by commas. */
typedef struct row {
    const char *target, *type, *source, *options;
} row;

static const row defaults[] = {
    {"/proc", "proc", "proc", "nosuid,noexec,nodev"},
    {"/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
    {"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
    {"/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev"},
    {"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
    {"/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=67108864"},
};

static json_t *split_options(const char *text, int writable)
{
    json_t *array = json_array();
    for (const char *p = text; *p;) {
        size_t size = strcspn(p, ",");
        int is_ro = size == 2 && !memcmp(p, "ro", 2);
        if (json_array_append_new(array, is_ro && writable ? json_string("rw")
                                                           : json_stringn(p, size))) {
            json_decref(array);
            return NULL;
        }
        p += size + (p[size] == ',');
    }
    return array;
}

static json_t *mount_json(const char *target, const char *type, const char *source, json_t *options)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "destination", target, "type", type, "source", source,
                     "options", options);
}

/* As in the table, but /dev/shm has the size that was asked for. */
static json_t *default_options(const row *r, const wci_config *config)
{
    char shm[96];
    if (!config->shm_size || strcmp(r->target, "/dev/shm"))
        return split_options(r->options, config->privileged);
    snprintf(shm, sizeof shm, "nosuid,noexec,nodev,mode=1777,size=%lld", (long long)config->shm_size);
    return split_options(shm, config->privileged);
}

/* A mount of the user on or above a default one takes its place. */
static int is_replaced(const wci_config *config, const char *target)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        const char *own = config->mounts[i].target;
        if (!strcmp(own, target) || (!strcmp(own, "/dev") && wci_starts_with(target, "/dev/")))
            return 1;
    }
    return 0;
}

/* Where the helper has mounted the other container's, or the host's own. */
static int add_shared_memory(json_t *array, const wci_spec_input *in, wci_ns_mode ipc)
{
    char *joined = ipc == WCI_NS_CONTAINER ? wci_path_join(in->run_dir, WCI_RUN_SHM) : wci_strdup(SHM);
    json_t *options = json_pack("[s,s,s,s,s]", "rbind", "rprivate", "nosuid", "noexec", "nodev");
    int failed = !joined ||
                 json_array_append_new(array, mount_json(SHM, "bind", joined, json_incref(options)));
    json_decref(options);
    wci_free(joined);
    return failed;
}

/* 1: /dev/shm is no file system of the container's own. */
static int is_shared_memory(wci_ns_mode ipc, const char *target)
{
    return ipc != WCI_NS_PRIVATE && ipc != WCI_NS_SHAREABLE && !strcmp(target, SHM);
}

static int add_defaults(json_t *array, const wci_spec_input *in)
{
    const wci_config *config = in->config;
    wci_ns_mode ipc = wci_ns_mode_of(config, WCI_NS_IPC);
    int failed = 0;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const row *r = &defaults[i];
        if (is_replaced(config, r->target))
            continue;
        if (is_shared_memory(ipc, r->target))
            failed |= ipc != WCI_NS_NONE && add_shared_memory(array, in, ipc);
        else
            failed |= json_array_append_new(
                array, mount_json(r->target, r->type, r->source, default_options(r, config)));
    }
    return failed;
}

static int add_bind(json_t *array, const char *source, const char *target, int read_only)
{
    json_t *options = json_pack("[s,s,s]", "rbind", "rprivate", read_only ? "ro" : "rw");
    return json_array_append_new(array, mount_json(target, "bind", source, options));
}

static int add_etc(json_t *array, const wci_spec_input *in)
{
    static const char *const names[] = {"resolv.conf", "hostname", "hosts", NULL};
    int failed = 0;
    for (const char *const *name = names; *name; name++) {
        char *source = wci_path_join(in->etc_dir, *name);
        char *target = wci_asprintf("/etc/%s", *name);
        if (!source || !target)
            failed = 1;
        else if (!is_replaced(in->config, target))
            failed |= add_bind(array, source, target, in->config->read_only);
        wci_free(source);
        wci_free(target);
    }
    return failed;
}

/* The runtime gets a directory that is there, and those options that it knows. */
static json_t *own_options(const wci_mount *m, const char *more)
{
    json_t *array = json_array();
    for (size_t i = 0; i < m->options.count; i++)
        if (!wci_mount_flag_is_ours(m->options.items[i]) &&
            json_array_append_new(array, json_string(m->options.items[i]))) {
            json_decref(array);
            return NULL;
        }
    json_t *rest = split_options(more, 0);
    int failed = !rest || json_array_extend(array, rest);
    json_decref(rest);
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

/* Of one mount; "" where the list has none. */
static const char *text_at(const wci_strv *list, size_t index)
{
    return list && index < list->count ? list->items[index] : "";
}

static int add_own(json_t *array, const wci_spec_input *in)
{
    int failed = 0;
    for (size_t i = 0; i < in->config->mount_count; i++) {
        const wci_mount *m = &in->config->mounts[i];
        const char *source = text_at(in->mount_sources, i);
        int is_tmpfs = !strcmp(m->type, "tmpfs");
        failed |= json_array_append_new(
            array, mount_json(m->target, is_tmpfs ? m->type : "bind",
                              *source ? source : is_tmpfs ? m->type : m->source,
                              own_options(m, text_at(in->mount_flags, i))));
    }
    return failed;
}

static size_t depth(json_t *mount)
{
    size_t n = 0;
    for (const char *p = json_string_value(json_object_get(mount, "destination")); *p; p++)
        n += *p == '/';
    return n;
}

/* Parents before what is mounted in them; otherwise the order stays. */
static json_t *sorted(json_t *array)
{
    json_t *out = json_array(), *item;
    size_t i, deepest = 0, placed = 0;
    json_array_foreach(array, i, item)
        deepest = depth(item) > deepest ? depth(item) : deepest;
    for (size_t level = 0; level <= deepest; level++)
        json_array_foreach(array, i, item)
            if (depth(item) == level)
                placed += !json_array_append(out, item);
    if (placed == json_array_size(array))
        return out;
    json_decref(out);
    return NULL;
}

json_t *wci_spec_mounts(const wci_spec_input *input)
{
    json_t *array = json_array();
    int failed = !array || add_defaults(array, input) || add_etc(array, input) ||
                 add_own(array, input);
    json_t *out = failed ? NULL : sorted(array);
    json_decref(array);
    return out;
}

const char *wci_spec_propagation(const wci_config *config)
{
    const char *found = "private";
    for (size_t i = 0; i < config->mount_count; i++) {
        const wci_strv *options = &config->mounts[i].options;
        if (wci_strv_contains(options, "shared") || wci_strv_contains(options, "rshared"))
            return "shared";
        if (wci_strv_contains(options, "slave") || wci_strv_contains(options, "rslave"))
            found = "slave";
    }
    return found;
}
