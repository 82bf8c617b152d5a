/* SPDX-License-Identifier: Apache-2.0 */
#include "container/seccomp.h"

#include <stdlib.h>
#include <string.h>

#include "container/seccomp_table.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

#define EPERM_NUMBER 1

static const struct {
    const char *arch; /* GOARCH */
    const char *names[3];
} architectures[] = {
    {"amd64", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
    {"386", {"SCMP_ARCH_X86"}},
    {"arm64", {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}},
    {"arm", {"SCMP_ARCH_ARM"}},
    {"ppc64le", {"SCMP_ARCH_PPC64LE"}},
    {"riscv64", {"SCMP_ARCH_RISCV64"}},
    {"s390x", {"SCMP_ARCH_S390X", "SCMP_ARCH_S390"}},
    {"loong64", {"SCMP_ARCH_LOONGARCH64"}},
};

static json_t *host_architectures(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (!strcmp(architectures[i].arch, wci_host_arch()))
            for (size_t n = 0; n < 3 && architectures[i].names[n]; n++)
                json_array_append_new(list, json_string(architectures[i].names[n]));
    return list;
}

/* "6.1.0-18" is 601. */
static int host_kernel(void)
{
    char *end;
    long major = strtol(wci_host_kernel(), &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return (int)(major * 100 + (minor > 99 ? 99 : minor));
}

/* Whether a blank-separated list has the word. */
static int has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *p = list; *p;) {
        size_t part = strcspn(p, " ");
        if (part == size && !memcmp(p, word, size))
            return 1;
        p += part + (p[part] == ' ');
    }
    return 0;
}

/* ---- The default profile ---------------------------------------------------------------------- */

static int applies(const wci_seccomp_rule *rule, const wci_strv *caps)
{
    if (rule->cap && !wci_strv_contains(caps, rule->cap))
        return 0;
    if (rule->without_cap && wci_strv_contains(caps, rule->without_cap))
        return 0;
    if (rule->arches && !has_word(rule->arches, wci_host_arch()))
        return 0;
    if (rule->not_arches && has_word(rule->not_arches, wci_host_arch()))
        return 0;
    return host_kernel() >= rule->min_kernel;
}

static json_t *words(const char *list)
{
    json_t *array = json_array();
    for (const char *p = list; *p;) {
        size_t part = strcspn(p, " ");
        if (part && json_array_append_new(array, json_stringn(p, part))) {
            json_decref(array);
            return NULL;
        }
        p += part + (p[part] == ' ');
    }
    return array;
}

static int append_rule(json_t *list, const wci_seccomp_rule *rule, json_t *args)
{
    json_t *item = json_pack("{s:o, s:s}", "names", words(rule->names), "action",
                             rule->errno_number ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW");
    int failed = !item;
    if (rule->errno_number)
        failed |= json_object_set_new(item, "errnoRet", json_integer(rule->errno_number));
    if (args)
        failed |= json_object_set_new(item, "args", args);
    return json_array_append_new(list, item) || failed;
}

static json_t *compare(const wci_seccomp_rule *rule, uint32_t value)
{
    /* MASKED_EQ: (argument & value) == valueTwo, which is 0. */
    return json_pack("[{s:I, s:I, s:I, s:s}]", "index", (json_int_t)rule->index, "value",
                     (json_int_t)value, "valueTwo", (json_int_t)0, "op", rule->op);
}

static int append_default(json_t *list, const wci_seccomp_rule *rule)
{
    if (!rule->op)
        return append_rule(list, rule, NULL);
    if (!rule->values)
        return append_rule(list, rule, compare(rule, rule->value));
    int failed = 0;
    for (size_t i = 0; i < rule->value_count; i++)
        failed |= append_rule(list, rule, compare(rule, rule->values[i]));
    return failed;
}

static int32_t make_default(const wci_strv *caps, json_t **out, wc_error **err)
{
    json_t *list = json_array();
    int failed = !list;
    for (const wci_seccomp_rule *rule = wci_seccomp_default_rules(); rule->names; rule++)
        if (applies(rule, caps))
            failed |= append_default(list, rule);
    json_t *profile =
        json_pack("{s:s, s:i, s:o, s:o}", "defaultAction", "SCMP_ACT_ERRNO", "defaultErrnoRet",
                  EPERM_NUMBER, "architectures", host_architectures(), "syscalls", list);
    if (failed || !profile) {
        json_decref(profile);
        return wci_err_nomem(err);
    }
    *out = profile;
    return WC_OK;
}

/* ---- Profiles in Docker's format -------------------------------------------------------------- */

static int lists_string(json_t *object, const char *key, const char *text)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(object, key), i, item)
        if (json_is_string(item) && !strcmp(json_string_value(item), text))
            return 1;
    return 0;
}

/* Docker calls some architectures otherwise than Go. */
static int lists_host_arch(json_t *filter)
{
    const char *arch = wci_host_arch();
    return lists_string(filter, "arches", arch) ||
           (!strcmp(arch, "386") && lists_string(filter, "arches", "x86"));
}

static int lists_any_cap(json_t *filter, const wci_strv *caps)
{
    for (size_t i = 0; i < caps->count; i++)
        if (lists_string(filter, "caps", caps->items[i]))
            return 1;
    return 0;
}

static int has_all_caps(json_t *filter, const wci_strv *caps)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(filter, "caps"), i, item)
        if (json_is_string(item) && !wci_strv_contains(caps, json_string_value(item)))
            return 0;
    return 1;
}

/* "4.8" against the host; what is not given is 0. */
static int kernel_reaches(json_t *filter, int when_absent)
{
    const char *text = json_string_value(json_object_get(filter, "minKernel"));
    if (!text)
        return when_absent;
    char *end;
    long major = strtol(text, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return host_kernel() >= major * 100 + minor;
}

static int entry_applies(json_t *entry, const wci_strv *caps)
{
    json_t *includes = json_object_get(entry, "includes");
    json_t *excludes = json_object_get(entry, "excludes");
    if (lists_host_arch(excludes) || lists_any_cap(excludes, caps) || kernel_reaches(excludes, 0))
        return 0;
    if (json_array_size(json_object_get(includes, "arches")) && !lists_host_arch(includes))
        return 0;
    return has_all_caps(includes, caps) && kernel_reaches(includes, 1);
}

static int copy_key(json_t *from, const char *key, json_t *to)
{
    json_t *value = json_object_get(from, key);
    return value && !json_is_null(value) ? json_object_set(to, key, value) : 0;
}

static int append_entry(json_t *list, json_t *entry)
{
    static const char *const keys[] = {"names", "action", "errnoRet", "args", NULL};
    json_t *item = json_object();
    int failed = 0;
    for (const char *const *key = keys; *key; key++)
        failed |= copy_key(entry, *key, item);
    json_t *name = json_object_get(entry, "name");
    if (json_is_string(name) && !json_object_get(item, "names"))
        failed |= json_object_set_new(item, "names", json_pack("[O]", name));
    return json_array_append_new(list, item) || failed;
}

static int add_architectures(json_t *profile, json_t *out)
{
    if (json_array_size(json_object_get(profile, "architectures")))
        return copy_key(profile, "architectures", out);
    return json_object_set_new(out, "architectures", host_architectures());
}

static int32_t make_from(json_t *profile, const wci_strv *caps, json_t **out, wc_error **err)
{
    static const char *const keys[] = {"defaultAction", "defaultErrnoRet", "flags", "listenerPath",
                                       "listenerMetadata", NULL};
    json_t *result = json_object(), *list = json_array(), *entry;
    size_t i;
    int failed = 0;
    for (const char *const *key = keys; *key; key++)
        failed |= copy_key(profile, *key, result);
    json_array_foreach(json_object_get(profile, "syscalls"), i, entry)
        if (entry_applies(entry, caps))
            failed |= append_entry(list, entry);
    failed |= add_architectures(profile, result);
    failed |= json_object_set_new(result, "syscalls", list);
    if (failed) {
        json_decref(result);
        return wci_err_nomem(err);
    }
    *out = result;
    return WC_OK;
}

static int32_t parse(const char *text, size_t size, const char *what, json_t **out, wc_error **err)
{
    json_t *profile = NULL;
    int32_t rc = wci_json_parse(text, size, WCI_SECCOMP_MAX, what, &profile, err);
    if (rc)
        return rc;
    json_t *entry, *calls = json_object_get(profile, "syscalls");
    size_t i;
    if (!json_is_string(json_object_get(profile, "defaultAction")))
        rc = wci_err(err, WC_E_FORMAT, "%s: 'defaultAction' is missing", what);
    else if (calls && !json_is_null(calls) && !json_is_array(calls))
        rc = wci_err(err, WC_E_FORMAT, "%s: 'syscalls' is not an array", what);
    json_array_foreach(calls, i, entry)
        if (!rc && !json_is_string(json_object_get(entry, "action")))
            rc = wci_err(err, WC_E_FORMAT, "%s: 'action' is missing in entry %zu of 'syscalls'",
                         what, i);
    if (rc)
        json_decref(profile);
    else
        *out = profile;
    return rc;
}

int32_t wci_seccomp_check(const char *text, size_t size, const char *what, wc_error **err)
{
    json_t *profile = NULL;
    int32_t rc = parse(text, size, what, &profile, err);
    json_decref(profile);
    return rc;
}

int32_t wci_seccomp_make(const char *setting, const wci_strv *caps, json_t **out, wc_error **err)
{
    if (!strcmp(setting, "unconfined")) {
        *out = NULL;
        return WC_OK;
    }
    if (setting[0] != '{')
        return make_default(caps, out, err);
    json_t *profile = NULL;
    int32_t rc = parse(setting, strlen(setting), "seccomp profile", &profile, err);
    if (!rc)
        rc = make_from(profile, caps, out, err);
    json_decref(profile);
    return rc;
}
