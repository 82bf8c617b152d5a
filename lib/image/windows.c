/* SPDX-License-Identifier: Apache-2.0 */
#include "image/windows.h"

#include <string.h>

/* From here on later hosts keep the system calls that images of earlier builds use. */
#define STABLE 20348
#define BUILD_MAX 999999

/* How Microsoft tags its images, and most others theirs after them. */
static const struct {
    unsigned build;
    const char *tag;
} tags[] = {{14393, "ltsc2016"}, {17763, "ltsc2019"}, {20348, "ltsc2022"}, {26100, "ltsc2025"}};

/* ---- Versions ------------------------------------------------------------------------------------- */

static unsigned part(const char *version, int number)
{
    while (number-- > 0) {
        version = strchr(version, '.');
        if (!version)
            return 0;
        version++;
    }
    char digits[8];
    size_t size = strspn(version, "0123456789");
    uint64_t value = 0;
    if (size >= sizeof digits || (version[size] && version[size] != '.'))
        return 0;
    memcpy(digits, version, size);
    digits[size] = '\0';
    return wci_parse_u64(digits, BUILD_MAX, &value) ? (unsigned)value : 0;
}

unsigned wci_windows_build(const char *version)
{
    return part(version, 2);
}

unsigned wci_windows_revision(const char *version)
{
    return part(version, 3);
}

static int count_parts(const char *version)
{
    int count = 0;
    for (;; version++) {
        size_t digits = strspn(version, "0123456789");
        if (!digits || digits > 6)
            return 0;
        count++;
        version += digits;
        if (*version != '.')
            return *version ? 0 : count;
    }
}

int wci_windows_is_version(const char *text)
{
    int parts = count_parts(text);
    return (parts == 3 || parts == 4) && wci_starts_with(text, "10.0.") && wci_windows_build(text);
}

/* ---- The rule ------------------------------------------------------------------------------------- */

int wci_windows_runs(unsigned host, unsigned image, wci_isolation isolation)
{
    if (isolation == WCI_ISOLATION_HYPERV)
        return image <= host;
    return image == host || (host > STABLE && image >= STABLE && image < host);
}

/* ---- What to do when nothing fits ----------------------------------------------------------------- */

static void append_range(unsigned host, wci_isolation isolation, wci_str *out)
{
    if (isolation == WCI_ISOLATION_HYPERV)
        wci_str_printf(out, "builds up to %u", host);
    else if (host > STABLE)
        wci_str_printf(out, "builds %d to %u", STABLE, host);
    else
        wci_str_printf(out, "build %u alone", host);
}

static const char *best_tag(unsigned host, wci_isolation isolation)
{
    for (size_t i = sizeof tags / sizeof *tags; i-- > 0;)
        if (wci_windows_runs(host, tags[i].build, isolation))
            return tags[i].tag;
    return NULL;
}

static unsigned smallest_above(unsigned host, const unsigned *builds, size_t count)
{
    unsigned smallest = 0;
    for (size_t i = 0; i < count; i++)
        if (builds[i] > host && (!smallest || builds[i] < smallest))
            smallest = builds[i];
    return smallest;
}

static int runs_any(unsigned host, const unsigned *builds, size_t count, wci_isolation isolation)
{
    for (size_t i = 0; i < count; i++)
        if (wci_windows_runs(host, builds[i], isolation))
            return 1;
    return 0;
}

static void append_advice(unsigned host, wci_isolation isolation, const unsigned *builds, size_t count, wci_str *out)
{
    const char *tag = best_tag(host, isolation);
    unsigned later = smallest_above(host, builds, count);
    wci_str_append(out, "; what would run: another tag of the image, made for one of those");
    if (tag)
        wci_str_printf(out, " (often '%s')", tag);
    if (isolation == WCI_ISOLATION_PROCESS && runs_any(host, builds, count, WCI_ISOLATION_HYPERV))
        wci_str_printf(out, ", or this one with Hyper-V isolation, which takes builds up to %u", host);
    if (later)
        wci_str_printf(out, ", or this one on a host of build %u", later);
}

void wci_windows_explain(unsigned host, wci_isolation isolation, const unsigned *builds, size_t count, wci_str *out)
{
    wci_str_printf(out, "a host of Windows build %u runs with %s isolation ", host,
                   isolation == WCI_ISOLATION_HYPERV ? "Hyper-V" : "process");
    append_range(host, isolation, out);
    wci_str_printf(out, ", and there is build ");
    for (size_t i = 0; i < count; i++)
        wci_str_printf(out, "%s%u", i ? ", " : "", builds[i]);
    append_advice(host, isolation, builds, count, out);
}
