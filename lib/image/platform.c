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
    *platform = (wci_platform){NULL, NULL, NULL, NULL};
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
                         wci_strdup(os_version ? os_version : "")};
    if (!made.os || !made.arch || !made.variant || !made.os_version || normalise(&made)) {
        wci_platform_clear(&made);
        return wci_err_nomem(err);
    }
    wci_platform_clear(platform);
    *platform = made;
    return WC_OK;
}

static int is_word(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return n > 0 && !text[n];
}

int32_t wci_platform_parse(const char *text, wci_platform *platform, wc_error **err)
{
    char *copy = wci_strdup(text);
    if (!copy)
        return wci_err_nomem(err);
    char *parts[3] = {copy, NULL, NULL};
    size_t count = 1;
    int good = 1;
    for (char *slash = strchr(copy, '/'); slash && good; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = count < 3;
        if (good)
            parts[count++] = slash + 1;
    }
    for (size_t i = 0; i < count; i++)
        good = good && is_word(parts[i]);
    char shown[WCI_SHOWN_SIZE];
    wci_show(text, shown);
    int32_t code =
        good && count >= 2
            ? wci_platform_set(platform, parts[0], parts[1], parts[2], NULL, err)
            : wci_err(err, WC_E_INVALID,
                      "platform '%s': not valid; write OS/ARCH or OS/ARCH/VARIANT, for example "
                      "'linux/arm64'",
                      shown);
    wci_free(copy);
    return code;
}

int32_t wci_platform_host(wci_platform *platform, wc_error **err)
{
    const char *os = wci_host_os();
    const char *version = strcmp(os, "windows") ? NULL : wci_host_kernel();
    return wci_platform_set(platform, os, wci_host_arch(), wci_host_variant(), version, err);
}

/* Variants of these are generations, each able to run the ones before; 0 for nonsense. */
static int generation(const char *arch, const char *variant)
{
    int plain = !strcmp(arch, "arm") ? 7 : !strcmp(arch, "arm64") ? 8 : !strcmp(arch, "amd64") ? 1
                                                                                              : 0;
    if (!*variant || !plain)
        return plain;
    if (*variant == 'v')
        variant++;
    return *variant >= '1' && *variant <= '9' ? atoi(variant) : 0;
}

static int rank_variant(const wci_platform *wanted, const wci_platform *offered)
{
    int want = generation(wanted->arch, wanted->variant);
    int have = generation(offered->arch, offered->variant);
    if (want && have)
        return have > want ? -1 : want - have;
    if (!strcmp(wanted->variant, offered->variant))
        return 0;
    return *wanted->variant && *offered->variant ? -1 : 1;
}

/* "10.0.17763.1" is 17763; 0 when there is none. */
static int windows_build(const char *version)
{
    for (int dots = 0; dots < 2; dots++) {
        version = strchr(version, '.');
        if (!version)
            return 0;
        version++;
    }
    return atoi(version);
}

/* Windows runs containers of its own build, and under Hyper-V older ones. */
static int rank_version(const wci_platform *wanted, const wci_platform *offered)
{
    int want = windows_build(wanted->os_version), have = windows_build(offered->os_version);
    if (strcmp(wanted->os, "windows") || !want || !have)
        return 0;
    return have > want ? -1 : want - have;
}

int wci_platform_rank(const wci_platform *wanted, const wci_platform *offered)
{
    if (strcmp(wanted->os, offered->os) || strcmp(wanted->arch, offered->arch))
        return -1;
    int variant = rank_variant(wanted, offered), version = rank_version(wanted, offered);
    if (variant < 0 || version < 0)
        return -1;
    const int limit = 1000000;
    return (variant < 1000 ? variant : 1000) * limit + (version < limit ? version : limit - 1);
}

void wci_platform_format(const wci_platform *platform, wci_str *out)
{
    wci_str_printf(out, "%s/%s", *platform->os ? platform->os : "unknown",
                   *platform->arch ? platform->arch : "unknown");
    if (*platform->variant)
        wci_str_printf(out, "/%s", platform->variant);
    if (*platform->os_version)
        wci_str_printf(out, " (%s)", platform->os_version);
}
