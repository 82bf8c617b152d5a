/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/bundle.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/needs.h"
#include "backend/process/linux/rootless.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define INIT_PATH "/dev/init"
#define SPEC_MAX (8 * 1024 * 1024)

static rlim_t nr_open(void)
{
    unsigned long long value = 1024 * 1024;
    FILE *f = fopen("/proc/sys/fs/nr_open", "re");
    if (f && fscanf(f, "%llu", &value) != 1)
        value = 1024 * 1024;
    if (f)
        fclose(f);
    return (rlim_t)value;
}

/* The highest hard limit that may be set, by the runtime's name for it. */
static rlim_t ceiling(const char *type, int may_raise)
{
    static const struct {
        const char *name;
        int resource;
    } known[] = {{"AS", RLIMIT_AS},         {"CORE", RLIMIT_CORE},
                 {"CPU", RLIMIT_CPU},       {"DATA", RLIMIT_DATA},
                 {"FSIZE", RLIMIT_FSIZE},   {"LOCKS", RLIMIT_LOCKS},
                 {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE},
                 {"NICE", RLIMIT_NICE},     {"NOFILE", RLIMIT_NOFILE},
                 {"NPROC", RLIMIT_NPROC},   {"RSS", RLIMIT_RSS},
                 {"RTPRIO", RLIMIT_RTPRIO}, {"RTTIME", RLIMIT_RTTIME},
                 {"SIGPENDING", RLIMIT_SIGPENDING}, {"STACK", RLIMIT_STACK}};
    const char *name = strncmp(type, "RLIMIT_", 7) == 0 ? type + 7 : type;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct rlimit now;
        if (strcmp(name, known[i].name) != 0 || getrlimit(known[i].resource, &now) != 0)
            continue;
        if (!may_raise)
            return now.rlim_max;
        return known[i].resource == RLIMIT_NOFILE ? nr_open() : RLIM_INFINITY;
    }
    return RLIM_INFINITY;
}

/* -1 means "no limit" to people, but runtimes take no negative numbers. */
static int lower(json_t *limit, const char *key, rlim_t max)
{
    json_t *value = json_object_get(limit, key);
    json_int_t highest = max > INT64_MAX ? INT64_MAX : (json_int_t)max;
    json_int_t n = json_integer_value(value);
    if (!value || (json_is_integer(value) && n >= 0 && n <= highest))
        return 1;
    return json_object_set_new(limit, key, json_integer(highest)) == 0;
}

static int lower_limits(json_t *process)
{
    json_t *limits = json_object_get(process, "rlimits"), *limit;
    int may_raise = json_array_size(limits) && wci_needs_has(CAP_SYS_RESOURCE);
    size_t i;
    json_array_foreach(limits, i, limit)
    {
        const char *type = json_string_value(json_object_get(limit, "type"));
        rlim_t max = type ? ceiling(type, may_raise) : RLIM_INFINITY;
        if (!lower(limit, "hard", max) || !lower(limit, "soft", max))
            return 0;
    }
    return 1;
}

static json_t *get_or_add(json_t *object, const char *key, json_t *(*make)(void))
{
    json_t *value = json_object_get(object, key);
    if (!value && json_object_set_new(object, key, make()) == 0)
        value = json_object_get(object, key);
    return value;
}

static int add_init(json_t *spec, const char *init)
{
    json_t *mounts = get_or_add(spec, "mounts", json_array);
    json_t *args = json_object_get(json_object_get(spec, "process"), "args");
    json_t *mount = json_pack("{s:s, s:s, s:s, s:[s,s,s,s]}", "destination", INIT_PATH, "type",
                              "bind", "source", init, "options", "bind", "ro", "nosuid", "nodev");
    return json_array_append_new(mounts, mount) == 0 &&
           json_array_insert_new(args, 0, json_string("--")) == 0 &&
           json_array_insert_new(args, 0, json_string(INIT_PATH)) == 0;
}

/* Those of this type are made before the runtime starts. */
static int set_path(json_t *os, const char *wanted, const char *run_dir, const char *name)
{
    json_t *namespace;
    size_t i;
    json_array_foreach(json_object_get(os, "namespaces"), i, namespace)
    {
        const char *type = json_string_value(json_object_get(namespace, "type"));
        if (type && strcmp(type, wanted) == 0)
            return json_object_set_new(namespace, "path", json_sprintf("%s/%s", run_dir, name)) == 0;
    }
    return 1;
}

/* A network namespace belongs to a user namespace: to that of the container, when it has one. */
static int set_namespaces(json_t *os, const char *run_dir)
{
    return !run_dir || (set_path(os, "network", run_dir, WCI_RUN_NETNS) && set_path(os, "user", run_dir, WCI_RUN_USERNS));
}

static int complete(json_t *spec, const char *group, const char *rootfs, const char *init, const char *run_dir)
{
    json_t *root = get_or_add(spec, "root", json_object);
    json_t *os = get_or_add(spec, "linux", json_object);
    return json_object_set_new(root, "path", json_string(rootfs)) == 0 &&
           json_object_set_new(os, "cgroupsPath", json_string(group)) == 0 && set_namespaces(os, run_dir) &&
           lower_limits(json_object_get(spec, "process")) && (!init || add_init(spec, init));
}

/* The kernel lets nobody else go below where he is, and runtimes do not say so. */
static int32_t check_score(json_t *process, wc_error **err)
{
    int now = 0;
    json_int_t score = json_integer_value(json_object_get(process, "oomScoreAdj"));
    FILE *f = fopen("/proc/self/oom_score_adj", "re");
    if (f && fscanf(f, "%d", &now) != 1)
        now = 0;
    if (f)
        fclose(f);
    if (score >= 0 || score >= now || wci_needs_has(CAP_SYS_RESOURCE))
        return WC_OK;
    return wci_err(err, WC_E_PERMISSION,
                   "out-of-memory score %lld: a score below the own one, %d, needs CAP_SYS_RESOURCE, which this process "
                   "lacks",
                   (long long)score, now);
}

int32_t wci_bundle_config(const char *spec, const char *group, const char *rootfs, const char *init,
                          const char *run_dir, const char *settings, char **out, wc_error **err)
{
    json_t *document = NULL;
    int32_t rc = wci_json_parse(spec, strlen(spec), SPEC_MAX, "runtime configuration", &document,
                                err);
    if (rc)
        return rc;
    if (!json_is_array(json_object_get(json_object_get(document, "process"), "args")))
        rc = wci_err(err, WC_E_FORMAT, "runtime configuration: process.args is missing");
    if (!rc)
        rc = check_score(json_object_get(document, "process"), err);
    char *text = NULL;
    int is_whole = !rc && complete(document, group, rootfs, init, run_dir);
    if (is_whole)
        rc = wci_rootless_amend(document, group, settings, err);
    if (is_whole && !rc)
        text = wci_json_dump_text(document);
    json_decref(document);
    if (rc)
        return rc;
    if (!text)
        return wci_err_nomem(err);
    *out = text;
    return WC_OK;
}

int32_t wci_bundle_process(const char *process, char **out, wc_error **err)
{
    json_t *document = NULL;
    int32_t rc = wci_json_parse(process, strlen(process), SPEC_MAX, "process", &document, err);
    if (rc)
        return rc;
    rc = wci_rootless_amend_process(document, err);
    char *text = !rc && lower_limits(document) ? wci_json_dump_text(document) : NULL;
    json_decref(document);
    if (rc)
        return rc;
    if (!text)
        return wci_err_nomem(err);
    *out = text;
    return WC_OK;
}
