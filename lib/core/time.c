/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 without the C library, whose calendar functions depend on the host's time zone. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/json.h"
#include "core/str.h"

#define NS_PER_S 1000000000LL

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that
 * the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    if (month <= 2)
        year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* Reads exactly `count` digits and then the character `after` (0: nothing); -1 otherwise. */
static int digits(const char **p, int count, char after)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    if (after && *(*p)++ != after)
        return -1;
    return value;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* ".123" as nanoseconds, further digits cut off; 0 when there is none; -1 for a lone point. */
static int64_t fraction(const char **p)
{
    if (**p != '.')
        return 0;
    const char *begin = ++*p;
    int64_t ns = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        if (*p - begin < 9)
            ns = ns * 10 + (**p - '0');
    if (*p == begin)
        return -1;
    for (long n = *p - begin; n < 9; n++)
        ns *= 10;
    return ns;
}

/* "Z" or "+hh:mm" to the end of the text, as seconds. */
static int zone(const char *p, int64_t *seconds)
{
    if (*p == 'Z' || *p == 'z') {
        *seconds = 0;
        return p[1] == '\0';
    }
    if (*p != '+' && *p != '-')
        return 0;
    int sign = *p++ == '-' ? -1 : 1;
    int hours = digits(&p, 2, ':');
    int minutes = hours < 0 ? -1 : digits(&p, 2, 0);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || *p)
        return 0;
    *seconds = sign * (hours * 3600LL + minutes * 60LL);
    return 1;
}

static int parse(const char *p, int64_t *seconds, int64_t *ns)
{
    int year, month, day, hour, minute, second;
    if ((year = digits(&p, 4, '-')) < 0 || (month = digits(&p, 2, '-')) < 0 ||
        (day = digits(&p, 2, 0)) < 0)
        return 0;
    if (*p != 'T' && *p != 't' && *p != ' ')
        return 0;
    p++;
    if ((hour = digits(&p, 2, ':')) < 0 || (minute = digits(&p, 2, ':')) < 0 ||
        (second = digits(&p, 2, 0)) < 0)
        return 0;
    int64_t offset;
    if ((*ns = fraction(&p)) < 0 || !zone(p, &offset))
        return 0;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 60)
        return 0;
    *seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
               offset;
    return 1;
}

int32_t wci_time_parse(const char *text, int64_t *ns, wc_error **err)
{
    /* Go's zero time, which many tools write for "not set". */
    const int64_t go_zero = -62135596800;
    int64_t seconds, rest;
    if (!parse(text, &seconds, &rest)) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(text, shown);
        return wci_err(err, WC_E_FORMAT, "time '%s': not valid; write it like %s", shown,
                       "2024-05-06T07:08:09Z");
    }
    if (seconds == go_zero && rest == 0) {
        *ns = 0;
        return WC_OK;
    }
    if (seconds >= INT64_MAX / NS_PER_S || seconds <= INT64_MIN / NS_PER_S) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(text, shown);
        return wci_err(err, WC_E_FORMAT, "time '%s': outside of the years 1678 to 2261", shown);
    }
    *ns = seconds * NS_PER_S + rest;
    return WC_OK;
}

void wci_time_format(int64_t ns, char out[WCI_TIME_TEXT_SIZE])
{
    int64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400, in_day = seconds % 86400;
    if (in_day < 0) {
        in_day += 86400;
        days--;
    }
    int64_t year;
    int month, day;
    date_from_days(days, &year, &month, &day);
    int size = snprintf(out, WCI_TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month,
                        day, (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60));
    if (rest) {
        size += snprintf(out + size, WCI_TIME_TEXT_SIZE - (size_t)size, ".%09d", (int)rest);
        while (out[size - 1] == '0')
            size--;
    }
    memcpy(out + size, "Z", 2);
}

/* ---- Lengths of time ------------------------------------------------------------------------------ */

static int64_t unit_ns(const char **p)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},          {"us", 1000},     {"\xc2\xb5s", 1000},     {"\xce\xbcs", 1000},
                 {"ms", 1000000},    {"s", NS_PER_S},  {"m", 60 * NS_PER_S},    {"h", 3600 * NS_PER_S}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (wci_starts_with(*p, units[i].name)) {
            *p += strlen(units[i].name);
            return units[i].ns;
        }
    return 0;
}

/* "1.5h" from *p on, added to *total; 0 when it is none or too long. */
static int add_part(const char **p, int64_t *total)
{
    char whole[20] = "";
    size_t size = strspn(*p, "0123456789");
    uint64_t count = 0;
    if (size >= sizeof whole || (!size && **p != '.'))
        return 0;
    memcpy(whole, *p, size);
    *p += size;
    int64_t part = fraction(p), unit = part < 0 ? 0 : unit_ns(p);
    if (!unit || (size && !wci_parse_u64(whole, (uint64_t)(INT64_MAX / unit), &count)))
        return 0;
    int64_t ns = (int64_t)count * unit, more = part / 1000 * unit / 1000000;
    if (ns > INT64_MAX - more || *total > INT64_MAX - more - ns)
        return 0;
    *total += ns + more;
    return 1;
}

int32_t wci_duration_parse(const char *text, int64_t *ns, wc_error **err)
{
    const char *p = text;
    int64_t total = 0;
    int is_good = *text != '\0';
    char shown[WCI_SHOWN_SIZE];
    if (wci_streq(text, "0"))
        p++;
    while (is_good && *p)
        is_good = add_part(&p, &total);
    if (!is_good)
        return wci_err(err, WC_E_INVALID, "duration '%s': write it as 1h30m, 10s or 200ms", (wci_show(text, shown), shown));
    *ns = total;
    return WC_OK;
}
