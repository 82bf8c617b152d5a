/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <string.h>

#include "container/caps.h"
#include "container/seccomp.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

/* As podman; the backend lowers what the host does not allow. */
#define DEFAULT_LIMIT 1048576

static json_t *user_to_json(const wci_user *user)
{
    json_t *groups = json_array();
    int failed = !groups;
    for (size_t i = 0; i < user->group_count; i++)
        failed |= json_array_append_new(groups, json_integer(user->groups[i]));
    json_t *object = json_pack("{s:I, s:I, s:o}", "uid", (json_int_t)user->uid, "gid",
                               (json_int_t)user->gid, "additionalGids", groups);
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* What execve gives: only root gets the capabilities at once, others may get at them through files
 * that carry them. */
static json_t *caps_to_json(const wci_strv *caps, uint32_t uid)
{
    json_t *object = json_pack("{s:o}", "bounding", wci_json_from_strv(caps));
    if (!object || uid)
        return object;
    if (json_object_set_new(object, "effective", wci_json_from_strv(caps)) ||
        json_object_set_new(object, "permitted", wci_json_from_strv(caps))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_int_t limit_value(int64_t value)
{
    return value < 0 ? INT64_MAX : value;
}

static int add_limit(json_t *array, const char *name, int64_t soft, int64_t hard)
{
    char type[32] = "RLIMIT_";
    size_t n = strlen(type);
    for (; *name && n < sizeof type - 1; name++)
        type[n++] = *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
    return json_array_append_new(array, json_pack("{s:s, s:I, s:I}", "type", type, "soft",
                                                  limit_value(soft), "hard", limit_value(hard)));
}

static int has_limit(const wci_config *config, const char *name)
{
    for (size_t i = 0; i < config->rlimit_count; i++)
        if (!strcmp(config->rlimits[i].name, name))
            return 1;
    return 0;
}

static json_t *limits_to_json(const wci_config *config)
{
    static const char *const defaults[] = {"nofile", "nproc", NULL};
    json_t *array = json_array();
    int failed = !array;
    for (size_t i = 0; i < config->rlimit_count; i++)
        failed |= add_limit(array, config->rlimits[i].name, config->rlimits[i].soft,
                            config->rlimits[i].hard);
    for (const char *const *p = defaults; *p; p++)
        if (!has_limit(config, *p))
            failed |= add_limit(array, *p, DEFAULT_LIMIT, DEFAULT_LIMIT);
    if (failed) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* The environment of a process: the container's, then its own, then what is still missing. */
static int make_env(const wci_config *config, const wci_strv *own, int tty, const char *home,
                    wci_strv *env)
{
    int failed = wci_strv_copy(env, &config->env);
    for (size_t i = 0; !failed && own && i < own->count; i++) {
        const char *equals = strchr(own->items[i], '=');
        char *name = wci_strndup(own->items[i], (size_t)(equals - own->items[i]));
        failed = !name || wci_env_set(env, name, equals + 1);
        wci_free(name);
    }
    if (!failed && tty && !wci_env_has(env, "TERM"))
        failed = wci_env_set(env, "TERM", "xterm");
    if (!failed && !wci_env_has(env, "HOME"))
        failed = wci_env_set(env, "HOME", home);
    return failed;
}

static int32_t make_process(const wci_exec_input *in, const wci_strv *caps, json_t **out,
                            wc_error **err)
{
    const wci_config *config = in->config;
    wci_strv env = WCI_STRV_INIT;
    int failed = make_env(config, in->env, in->tty, in->user->home, &env);
    json_t *process = json_pack(
        "{s:b, s:o, s:o, s:o, s:s, s:o, s:o, s:b}", "terminal", in->tty, "user",
        user_to_json(in->user), "args", wci_json_from_strv(in->args), "env",
        wci_json_from_strv(&env), "cwd", in->workdir, "capabilities",
        caps_to_json(caps, in->user->uid), "rlimits", limits_to_json(config), "noNewPrivileges",
        config->no_new_privileges);
    wci_strv_free(&env);
    /* A host that is protected from the out-of-memory killer must not protect its containers. */
    if (process && wci_host_is_root())
        failed |= json_object_set_new(process, "oomScoreAdj", json_integer(0));
    if (process && in->tty && in->console_columns)
        failed |= json_object_set_new(process, "consoleSize",
                                      json_pack("{s:I, s:I}", "width", (json_int_t)in->console_columns,
                                                "height", (json_int_t)in->console_rows));
    if (failed || !process) {
        json_decref(process);
        return wci_err_nomem(err);
    }
    *out = process;
    return WC_OK;
}

int32_t wci_spec_make_process(const wci_exec_input *input, char **out, wc_error **err)
{
    const wci_config *config = input->config;
    wci_strv caps = WCI_STRV_INIT;
    json_t *process = NULL;
    int32_t rc = wci_caps_resolve(&config->cap_add, &config->cap_drop,
                                  input->privileged || config->privileged, &caps, err);
    if (!rc)
        rc = make_process(input, &caps, &process, err);
    wci_strv_free(&caps);
    if (rc)
        return rc;
    char *text = wci_json_dump_text(process);
    json_decref(process);
    if (!text)
        return wci_err_nomem(err);
    *out = text;
    return WC_OK;
}

/* ---- linux ------------------------------------------------------------------------------------ */

static const char *propagation(const wci_config *config)
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

static int hide_paths(json_t *os)
{
    return json_object_set_new(
               os, "maskedPaths",
               json_pack("[s,s,s,s,s,s,s,s,s,s,s]", "/proc/asound", "/proc/acpi",
                         "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                         "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                         "/proc/scsi", "/sys/firmware")) ||
           json_array_append_new(json_object_get(os, "maskedPaths"),
                                 json_string("/sys/devices/virtual/powercap")) ||
           json_object_set_new(os, "readonlyPaths",
                               json_pack("[s,s,s,s,s]", "/proc/bus", "/proc/fs", "/proc/irq",
                                         "/proc/sys", "/proc/sysrq-trigger"));
}

/* Low ports and ping need no privilege, as in Docker, where the network is the container's own. */
static int add_sysctls(json_t *os)
{
    return json_object_set_new(os, "sysctl",
                               json_pack("{s:s, s:s}", "net.ipv4.ip_unprivileged_port_start", "0",
                                         "net.ipv4.ping_group_range", "0 2147483647"));
}

static int32_t add_seccomp(json_t *os, const wci_config *config, const wci_strv *caps,
                           wc_error **err)
{
    json_t *profile = NULL;
    int32_t rc = wci_seccomp_make(config->seccomp, caps, &profile, err);
    if (!rc && profile && json_object_set_new(os, "seccomp", profile))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t add_host_devices(json_t *os, wc_error **err)
{
    json_t *devices = NULL;
    int32_t rc = wci_spec_host_devices(&devices, err);
    if (!rc && json_object_set_new(os, "devices", devices))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t make_linux(const wci_spec_input *in, const wci_strv *caps, json_t **out,
                          wc_error **err)
{
    const wci_config *config = in->config;
    json_t *os = json_pack("{s:o, s:o, s:s}", "namespaces", wci_spec_namespaces(in->network),
                           "resources", wci_spec_resources(config), "rootfsPropagation",
                           propagation(config));
    int32_t rc = os ? WC_OK : wci_err_nomem(err);
    if (!rc && config->privileged)
        rc = add_host_devices(os, err);
    if (!rc && !config->privileged && hide_paths(os))
        rc = wci_err_nomem(err);
    if (!rc && !config->privileged)
        rc = add_seccomp(os, config, caps, err);
    if (!rc && in->network == WCI_NETWORK_NONE && wci_host_is_root() && add_sysctls(os))
        rc = wci_err_nomem(err);
    if (rc)
        json_decref(os);
    else
        *out = os;
    return rc;
}

static int32_t make_parts(const wci_spec_input *in, const wci_strv *caps, json_t *root,
                          wc_error **err)
{
    json_t *process = NULL, *os = NULL;
    wci_strv args = WCI_STRV_INIT;
    if (wci_config_args(in->config, &args)) {
        wci_strv_free(&args);
        return wci_err_nomem(err);
    }
    wci_exec_input exec = {
        .config = in->config,
        .args = &args,
        .workdir = in->config->workdir,
        .user = in->user,
        .tty = in->config->tty,
        .privileged = in->config->privileged,
        .console_columns = in->config->console_columns,
        .console_rows = in->config->console_rows,
    };
    int32_t rc = make_process(&exec, caps, &process, err);
    if (!rc && json_object_set_new(root, "process", process))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = make_linux(in, caps, &os, err);
    if (!rc && json_object_set_new(root, "linux", os))
        rc = wci_err_nomem(err);
    if (!rc && json_object_set_new(root, "mounts", wci_spec_mounts(in)))
        rc = wci_err_nomem(err);
    wci_strv_free(&args);
    return rc;
}

int32_t wci_spec_make(const wci_spec_input *input, char **out, wc_error **err)
{
    const wci_config *config = input->config;
    wci_strv caps = WCI_STRV_INIT;
    json_t *root = json_pack("{s:s, s:{s:b}, s:s}", "ociVersion", "1.0.2", "root", "readonly",
                             config->read_only, "hostname", config->hostname);
    int32_t rc = root ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = wci_caps_resolve(&config->cap_add, &config->cap_drop, config->privileged, &caps, err);
    if (!rc)
        rc = make_parts(input, &caps, root, err);
    char *text = rc ? NULL : wci_json_dump_text(root);
    wci_strv_free(&caps);
    json_decref(root);
    if (!rc && !text)
        rc = wci_err_nomem(err);
    if (!rc)
        *out = text;
    return rc;
}
