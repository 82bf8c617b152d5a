/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

static const struct {
    const char *said, *arch, *variant;
} aliases[] = {
    {"x86_64", "amd64", ""},     {"x86-64", "amd64", ""},      {"i386", "386", ""},
    {"i486", "386", ""},         {"i586", "386", ""},          {"i686", "386", ""},
    {"x86", "386", ""},          {"aarch64", "arm64", ""},     {"armhf", "arm", "v7"},
    {"armv7l", "arm", "v7"},     {"armel", "arm", "v6"},       {"armv6l", "arm", "v6"},
    {"armv8l", "arm", "v8"},     {"ppc64el", "ppc64le", ""},   {"powerpc64le", "ppc64le", ""},
    {"mips64el", "mips64le", ""}, {"mipsel", "mipsle", ""},    {"loongarch64", "loong64", ""},
};

static char *lower_copy(const char *text)
{
    char *copy = wci_strdup(text ? text : "");
    for (char *p = copy; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p += 'a' - 'A';
    return copy;
}

void wci_platform_clear(wci_platform *platform)
{
    wci_free(platform->os);
    wci_free(platform->arch);
    wci_free(platform->variant);
    wci_free(platform->os_version);
    wci_strv_free(&platform->os_features);
    *platform = (wci_platform)WCI_PLATFORM_INIT;
}

static int normalise(wci_platform *p)
{
    if (!strcmp(p->os, "macos") && wci_replace(&p->os, "darwin"))
        return WC_E_NOMEM;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(p->arch, aliases[i].said))
            continue;
        if (!*p->variant && wci_replace(&p->variant, aliases[i].variant))
            return WC_E_NOMEM;
        return wci_replace(&p->arch, aliases[i].arch);
    }
    return WC_OK;
}

int32_t wci_platform_set(wci_platform *platform, const char *os, const char *arch,
                         const char *variant, const char *os_version, wc_error **err)
{
    wci_platform made = {lower_copy(os), lower_copy(arch), lower_copy(variant),
                         wci_strdup(os_version ? os_version : ""), WCI_STRV_INIT};
    if (!made.os || !made.arch || !made.variant || !made.os_version || normalise(&made)) {
        wci_platform_clear(&made);
        return wci_err_nomem(err);
    }
    wci_platform_clear(platform);
    *platform = made;
    return WC_OK;
}

int32_t wci_platform_copy(const wci_platform *from, wci_platform *to, wc_error **err)
{
    int32_t code = wci_platform_set(to, from->os, from->arch, from->variant, from->os_version, err);
    return !code && wci_strv_copy(&to->os_features, &from->os_features) ? wci_err_nomem(err) : code;
}

/* ---- As text ------------------------------------------------------------------------------------ */

static int is_word(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return n > 0 && !text[n];
}

/* Takes ":version" off the end, or "(version)" off the first part. */
static char *cut_version(char *text)
{
    char *open = strchr(text, '('), *close = strstr(text, ")/"), *colon = strchr(text, ':');
    char *version = NULL;
    if (open && close > open && (version = wci_strndup(open + 1, (size_t)(close - open - 1)))) {
        memmove(open, close + 1, strlen(close + 1) + 1);
    } else if (colon && (version = wci_strdup(colon + 1))) {
        *colon = '\0';
    }
    return version;
}

static int split(char *copy, char *parts[3])
{
    int count = 1;
    parts[0] = copy;
    for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
        if (count == 3)
            return 0;
        *slash = '\0';
        parts[count++] = slash + 1;
    }
    for (int i = 0; i < count; i++)
        if (!is_word(parts[i]))
            return 0;
    return count >= 2;
}

/* What looks like a version and is none would be passed over without a word. */
static int32_t check_version(const wci_platform *platform, const char *shown, wc_error **err)
{
    const char *version = platform->os_version;
    if (!*version)
        return WC_OK;
    if (strcmp(platform->os, "windows"))
        return wci_err(err, WC_E_INVALID, "platform '%s': only images of Windows have versions; leave ':' and what follows out",
                       shown);
    if (!wci_windows_is_version(version))
        return wci_err(err, WC_E_INVALID, "platform '%s': '%.64s' is no version of Windows; write 10.0.BUILD or "
                       "10.0.BUILD.REVISION, for example 'windows/amd64:10.0.20348'", shown, version);
    return WC_OK;
}

/* Leaves *out as it was on failure. */
static int32_t set_checked(char *const parts[3], const char *version, const char *shown, wci_platform *out,
                           wc_error **err)
{
    wci_platform made = WCI_PLATFORM_INIT;
    int32_t code = wci_platform_set(&made, parts[0], parts[1], parts[2], version, err);
    if (!code)
        code = check_version(&made, shown, err);
    if (code) {
        wci_platform_clear(&made);
        return code;
    }
    wci_platform_clear(out);
    *out = made;
    return WC_OK;
}

int32_t wci_platform_parse(const char *text, wci_platform *platform, wc_error **err)
{
    char *copy = wci_strdup(text);
    if (!copy)
        return wci_err_nomem(err);
    char *version = cut_version(copy), *parts[3] = {NULL, NULL, NULL};
    char shown[WCI_SHOWN_SIZE];
    wci_show(text, shown);
    int32_t code =
        split(copy, parts) && (!version || is_word(version))
            ? set_checked(parts, version, shown, platform, err)
            : wci_err(err, WC_E_INVALID,
                      "platform '%s': not valid; write OS/ARCH, OS/ARCH/VARIANT or OS/ARCH:VERSION, for example "
                      "'linux/arm64' or 'windows/amd64:10.0.20348'",
                      shown);
    wci_free(version);
    wci_free(copy);
    return code;
}

void wci_platform_format(const wci_platform *platform, wci_str *out)
{
    wci_str_printf(out, "%s/%s", *platform->os ? platform->os : "unknown",
                   *platform->arch ? platform->arch : "unknown");
    if (*platform->variant)
        wci_str_printf(out, "/%s", platform->variant);
    if (*platform->os_version)
        wci_str_printf(out, ":%s", platform->os_version);
}

/* ---- As JSON ------------------------------------------------------------------------------------ */

/* Which kernel interface an image of Windows uses; every host that runs its build has it. */
static int has_any(const char *feature)
{
    return !strcmp(feature, "win32k");
}

static int32_t read_features(json_t *object, const char *what, wci_strv *out, wc_error **err)
{
    wci_strv all = WCI_STRV_INIT;
    int32_t code = wci_json_get_strings(object, "os.features", what, &all, err);
    for (size_t i = 0; i < all.count && !code; i++)
        if (!has_any(all.items[i]) && wci_strv_add(out, all.items[i]))
            code = wci_err_nomem(err);
    wci_strv_free(&all);
    return code;
}

int32_t wci_platform_read(json_t *object, const char *what, wci_platform *platform, wc_error **err)
{
    const char *os = "", *arch = "", *variant = "", *version = "";
    int32_t code = wci_json_get_string(object, "os", what, &os, err);
    if (!code)
        code = wci_json_get_string(object, "architecture", what, &arch, err);
    if (!code)
        code = wci_json_get_string(object, "variant", what, &variant, err);
    if (!code)
        code = wci_json_get_string(object, "os.version", what, &version, err);
    if (!code)
        code = wci_platform_set(platform, os, arch, variant, version, err);
    return code ? code : read_features(object, what, &platform->os_features, err);
}

/* ---- Choosing ----------------------------------------------------------------------------------- */

int32_t wci_platform_host(wci_platform *platform, wc_error **err)
{
    const char *os = wci_host_os();
    const char *version = strcmp(os, "windows") ? NULL : wci_host_kernel();
    return wci_platform_set(platform, os, wci_host_arch(), wci_host_variant(), version, err);
}

/* Variants of these are generations, each able to run the ones before: "v8.2" is 802; 0 for nonsense. */
static int generation(const char *arch, const char *variant)
{
    int plain = !strcmp(arch, "arm") ? 700 : !strcmp(arch, "arm64") ? 800 : !strcmp(arch, "amd64") ? 100 : 0;
    if (!*variant || !plain)
        return plain;
    variant += *variant == 'v';
    if (*variant < '1' || *variant > '9')
        return 0;
    int minor = variant[1] == '.' && variant[2] >= '0' && variant[2] <= '9' && !variant[3] ? variant[2] - '0' : 0;
    return variant[1] && !minor && strcmp(variant + 1, ".0") ? 0 : (*variant - '0') * 100 + minor;
}

/* Armv9.0 has what Armv8.5 has, and so on; generations of other processors contain all before. */
static int runs_generation(int want, int have)
{
    if (want >= 900 && have >= 800 && have < 900)
        return have - 800 <= want - 900 + 5;
    return have <= want;
}

static int rank_variant(const wci_platform *wanted, const wci_platform *offered)
{
    int want = generation(wanted->arch, wanted->variant);
    int have = generation(offered->arch, offered->variant);
    if (want && have)
        return runs_generation(want, have) ? want - have : -1;
    if (!strcmp(wanted->variant, offered->variant))
        return 0;
    return *wanted->variant && *offered->variant ? -1 : 1;
}

#define WORST_VERSION 999999

/* An image that does not say is the last choice. */
static int rank_version(const wci_platform *wanted, wci_isolation isolation, const wci_platform *offered)
{
    unsigned host = wci_windows_build(wanted->os_version), image = wci_windows_build(offered->os_version);
    if (strcmp(wanted->os, "windows") || !host)
        return 0;
    if (!image)
        return WORST_VERSION;
    return wci_windows_runs(host, image, isolation) ? (int)(host - image) : -1;
}

static int has_features(const wci_platform *wanted, const wci_platform *offered)
{
    for (size_t i = 0; i < offered->os_features.count; i++)
        if (!wci_strv_contains(&wanted->os_features, offered->os_features.items[i]))
            return 0;
    return 1;
}

/* The variant's part of the rank, or negative. */
static int rank_machine(const wci_platform *wanted, const wci_platform *offered)
{
    if (strcmp(wanted->os, offered->os) || strcmp(wanted->arch, offered->arch) || !has_features(wanted, offered))
        return -1;
    int variant = rank_variant(wanted, offered);
    return variant < 1000 ? variant : 1000;
}

int wci_platform_rank(const wci_platform *wanted, wci_isolation isolation, const wci_platform *offered)
{
    int machine = rank_machine(wanted, offered), version = rank_version(wanted, isolation, offered);
    return machine < 0 || version < 0 ? -1 : machine * (WORST_VERSION + 1) + version;
}

int wci_platform_differs_in_version(const wci_platform *wanted, const wci_platform *offered)
{
    return !strcmp(wanted->os, "windows") && wci_windows_build(wanted->os_version) &&
           wci_windows_build(offered->os_version) && rank_machine(wanted, offered) >= 0;
}

int wci_platform_is_newer(const wci_platform *wanted, const wci_platform *a, const wci_platform *b)
{
    int is_given = *wanted->os_version != '\0';
    if (strcmp(wanted->os, "windows") || (is_given && !strcmp(b->os_version, wanted->os_version)))
        return 0;
    if (is_given && !strcmp(a->os_version, wanted->os_version))
        return 1;
    unsigned builds[] = {wci_windows_build(a->os_version), wci_windows_build(b->os_version)};
    return builds[0] != builds[1] ? builds[0] > builds[1]
                                  : wci_windows_revision(a->os_version) > wci_windows_revision(b->os_version);
}
