/* SPDX-License-Identifier: Apache-2.0 */
/* The words that Docker's command line uses for sizes, times and names. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wcctl.h"

void cut_text(const char *text, char separator, char **name, const char **value)
{
    const char *at = strchr(text, separator);
    *name = xstrdup(text);
    *value = NULL;
    if (at) {
        (*name)[at - text] = '\0';
        *value = at + 1;
    }
}

void cut_pair(const char *what, const char *text, char **key, const char **value)
{
    cut_text(text, '=', key, value);
    if (!*value)
        die_usage("%s '%s': write KEY=VALUE", what, text);
}

int64_t value_bytes(const char *what, const char *text)
{
    static const char units[] = "bkmgtp";
    char *end;
    if (!strcmp(text, "-1"))
        return -1;
    double value = strtod(text, &end);
    if (end == text || value < 0 || !isfinite(value))
        die_usage("%s: '%s' is not a size; write 64m, 1.5g or bytes", what, text);
    if (*end) {
        const char *unit = strchr(units, *end | 0x20);
        const char *rest = end + 1;
        if (!strcmp(rest, "ib") || !strcmp(rest, "iB") || !strcmp(rest, "b") || !strcmp(rest, "B"))
            rest = "";
        if (!unit || *rest)
            die_usage("%s: '%s' is not a size; the units are b, k, m, g, t", what, text);
        value *= pow(1024, (double)(unit - units));
    }
    if (value >= 9.2e18)
        die_usage("%s: '%s' is too large", what, text);
    return (int64_t)value;
}

int64_t value_number(const char *what, const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end)
        die_usage("%s: '%s' is not a whole number", what, text);
    return value;
}

static double decimal(const char *what, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < 0 || value > 9e9)
        die_usage("%s: '%s' is not a number of 0 or more", what, text);
    return value;
}

int64_t value_nano_cpus(const char *what, const char *text)
{
    return (int64_t)llround(decimal(what, text) * 1e9);
}

int64_t value_seconds_ns(const char *what, const char *text)
{
    if (!strcmp(text, "-1"))
        return INT64_MAX; /* without end */
    return (int64_t)llround(decimal(what, text) * 1e9);
}

/* "1h30m", "10s": a Go duration, back from now. */
static int duration_ns(const char *text, int64_t *out)
{
    double total = 0;
    const char *p = text;
    while (*p) {
        char *end;
        double value = strtod(p, &end);
        if (end == p)
            return 0;
        double unit = !strncmp(end, "ms", 2) ? 1e6
                      : *end == 'h'          ? 3600e9
                      : *end == 'm'          ? 60e9
                      : *end == 's'          ? 1e9
                                             : 0;
        if (unit == 0)
            return 0;
        total += value * unit;
        p = end + (unit == 1e6 ? 2 : 1);
    }
    *out = (int64_t)total;
    return p != text;
}

static int64_t now_ns(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t fraction_ns(const char **p)
{
    int64_t ns = 0, unit = 100000000;
    if (**p != '.')
        return 0;
    for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
        ns += unit * (**p - '0');
    return ns;
}

/* A date, perhaps with hours, minutes and seconds; how many characters it took, 0 when it is none. */
static int read_date(const char *text, struct tm *tm)
{
    int date = 0, minutes = 0, seconds = 0;
    if (sscanf(text, "%d-%d-%d%n", &tm->tm_year, &tm->tm_mon, &tm->tm_mday, &date) != 3)
        return 0;
    if (text[date] != 'T')
        return date;
    if (sscanf(text + date, "T%d:%d%n", &tm->tm_hour, &tm->tm_min, &minutes) != 2)
        return 0;
    if (text[date + minutes] != ':')
        return date + minutes;
    return sscanf(text + date + minutes, ":%d%n", &tm->tm_sec, &seconds) == 1 ? date + minutes + seconds : 0;
}

int64_t value_time_ns(const char *what, const char *text)
{
    struct tm tm = {0};
    int64_t back;
    char *end;
    long long seconds = strtoll(text, &end, 10);
    const char *p = end;
    if (end != text && (*end == '\0' || *end == '.')) {
        int64_t ns = fraction_ns(&p);
        if (!*p)
            return seconds * 1000000000 + ns;
    }
    if (duration_ns(text, &back))
        return now_ns() - back;
    int used = read_date(text, &tm);
    if (!used)
        die_usage("%s: '%s' is not a time; write 2026-01-31T12:00:00Z, Unix seconds or 10m", what,
                  text);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    p = text + used;
    int64_t ns = fraction_ns(&p);
    int hours = 0, minutes = 0;
    int sign = *p == '-' ? 1 : -1;
    if (*p && *p != 'Z' && sscanf(p + 1, "%d:%d", &hours, &minutes) != 2)
        die_usage("%s: '%s' has no valid time zone; end it with Z or +01:00", what, text);
    return ((int64_t)timegm(&tm) + sign * (hours * 3600 + minutes * 60)) * 1000000000 + ns;
}

void format_bytes(double bytes, char out[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < countof(units)) {
        bytes /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(out, 32, "%.0fB", bytes);
    else
        snprintf(out, 32, "%.3g%s", bytes, units[unit]);
}

void format_ago(int64_t time_ns, char out[64])
{
    /* Docker's words; each unit from so many seconds on. */
    static const struct {
        int64_t from, seconds;
        const char *name;
    } units[] = {{2 * 31536000, 31536000, "year"}, {60 * 86400, 2592000, "month"}, {14 * 86400, 604800, "week"},
                 {48 * 3600, 86400, "day"},        {2 * 3600, 3600, "hour"},       {120, 60, "minute"}};
    int64_t seconds = (now_ns() - time_ns) / 1000000000;
    if (time_ns == 0) {
        snprintf(out, 64, "N/A");
        return;
    }
    if (seconds < 1) {
        snprintf(out, 64, "Less than a second ago");
        return;
    }
    for (size_t i = 0; i < countof(units); i++)
        if (seconds >= units[i].from) {
            snprintf(out, 64, "%" PRId64 " %ss ago", seconds / units[i].seconds, units[i].name);
            return;
        }
    if (seconds >= 60)
        snprintf(out, 64, "About %s ago", seconds >= 3600 ? "an hour" : "a minute");
    else
        snprintf(out, 64, "%" PRId64 " second%s ago", seconds, seconds == 1 ? "" : "s");
}

void format_time(int64_t time_ns, char out[64])
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, 64, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 64 - n, ".%09" PRId64 "Z", time_ns % 1000000000);
}

const char *short_id(const char *digest_or_id, char out[16])
{
    const char *colon = strchr(digest_or_id, ':');
    snprintf(out, 16, "%.12s", colon ? colon + 1 : digest_or_id);
    return out;
}

const char *familiar_name(const char *name)
{
    static const char *const prefixes[] = {"docker.io/library/", "docker.io/"};
    for (size_t i = 0; i < countof(prefixes); i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return name + strlen(prefixes[i]);
    return name;
}

char *value_restart(const char *text, int64_t *max)
{
    char *policy = xstrdup(text), *count = strchr(policy, ':');
    *max = 0;
    if (count) {
        *count++ = '\0';
        *max = value_number("--restart", count);
    }
    return policy;
}

int64_t value_duration_ns(const char *what, const char *text)
{
    int64_t value = 0;
    if (strcmp(text, "0") && (!duration_ns(text, &value) || value < 0))
        die_usage("%s: '%s' is not a duration; write 1m30s or 500ms", what, text);
    return value;
}
