/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <string.h>

#include "container/caps.h"
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

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Replaces the values of what is there, and adds the rest. */
static int override_env(wci_strv *env, const wci_strv *from)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < from->count; i++) {
        const char *equals = strchr(from->items[i], '=');
        char *name = wci_strndup(from->items[i], (size_t)(equals - from->items[i]));
        failed = !name || wci_env_set(env, name, equals + 1);
        wci_free(name);
    }
    return failed;
}

/* The environment of a process, in Docker's order: PATH, HOSTNAME, TERM, the container's, its own, HOME. */
static int make_env(const wci_config *config, const wci_strv *own, int tty, const char *home,
                    wci_strv *env)
{
    int failed = wci_env_set(env, "PATH", DEFAULT_PATH) || wci_env_set(env, "HOSTNAME", config->hostname) ||
                 (tty && wci_env_set(env, "TERM", "xterm")) || override_env(env, &config->env) ||
                 (own && override_env(env, own));
    if (!failed && !wci_env_has(env, "HOME"))
        failed = wci_env_set(env, "HOME", home);
    return failed;
}

int32_t wci_spec_process(const wci_exec_input *in, const wci_strv *caps, json_t **out,
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
    if (process && (wci_host_is_root() || config->oom_score_adj))
        failed |= json_object_set_new(process, "oomScoreAdj", json_integer(config->oom_score_adj));
    if (process && in->tty && in->console_columns)
        failed |= json_object_set_new(process, "consoleSize",
                                      json_pack("{s:I, s:I}", "width", (json_int_t)in->console_columns,
                                                "height", (json_int_t)in->console_rows));
    if (failed || !process) {
        json_decref(process);
        return wci_err_nomem(err);
    }
    int32_t rc = wci_spec_modules(config, process, err);
    if (rc)
        json_decref(process);
    else
        *out = process;
    return rc;
}

int32_t wci_spec_make_process(const wci_exec_input *input, char **out, wc_error **err)
{
    const wci_config *config = input->config;
    wci_strv caps = WCI_STRV_INIT;
    json_t *process = NULL;
    int32_t rc = wci_caps_resolve(&config->cap_add, &config->cap_drop,
                                  input->privileged || config->privileged, &caps, err);
    if (!rc)
        rc = wci_spec_process(input, &caps, &process, err);
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
