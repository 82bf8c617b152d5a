/* SPDX-License-Identifier: Apache-2.0 */
#include "core/signal.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/str.h"

#define RTMIN 34
#define RTMAX 64

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", 1},   {"INT", 2},     {"QUIT", 3},   {"ILL", 4},    {"TRAP", 5},  {"ABRT", 6},
    {"IOT", 6},   {"BUS", 7},     {"FPE", 8},    {"KILL", 9},   {"USR1", 10}, {"SEGV", 11},
    {"USR2", 12}, {"PIPE", 13},   {"ALRM", 14},  {"TERM", 15},  {"STKFLT", 16}, {"CHLD", 17},
    {"CLD", 17},  {"CONT", 18},   {"STOP", 19},  {"TSTP", 20},  {"TTIN", 21}, {"TTOU", 22},
    {"URG", 23},  {"XCPU", 24},   {"XFSZ", 25},  {"VTALRM", 26}, {"PROF", 27}, {"WINCH", 28},
    {"IO", 29},   {"POLL", 29},   {"PWR", 30},   {"SYS", 31},   {"RTMIN", RTMIN}, {"RTMAX", RTMAX},
};

static int by_name(const char *name)
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (!wci_strcasecmp(signals[i].name, name))
            return signals[i].number;
    return 0;
}

/* "RTMIN+3" and "RTMAX-3". */
static int real_time(const char *name)
{
    char base[6] = "";
    uint64_t distance;
    if (strlen(name) < 7 || !wci_parse_u64(name + 6, RTMAX - RTMIN, &distance))
        return 0;
    memcpy(base, name, 5);
    if (!wci_strcasecmp(base, "RTMIN") && name[5] == '+')
        return RTMIN + (int)distance;
    if (!wci_strcasecmp(base, "RTMAX") && name[5] == '-')
        return RTMAX - (int)distance;
    return 0;
}

int32_t wci_signal_parse(const char *text, int *number, wc_error **err)
{
    const char *name = text;
    char prefix[4] = "";
    memcpy(prefix, text, strnlen(text, 3));
    if (!wci_strcasecmp(prefix, "SIG"))
        name += 3;
    uint64_t value;
    int found = by_name(name);
    if (!found)
        found = real_time(name);
    if (!found && name == text && wci_parse_u64(text, RTMAX, &value))
        found = (int)value;
    if (!found)
        return wci_err(err, WC_E_INVALID,
                       "signal '%.40s': not known; give a name such as TERM or a number from 1 to %d",
                       text, RTMAX);
    *number = found;
    return WC_OK;
}

void wci_signal_name(int number, char out[WCI_SIGNAL_NAME_SIZE])
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].number == number) {
            snprintf(out, WCI_SIGNAL_NAME_SIZE, "SIG%s", signals[i].name);
            return;
        }
    if (number > RTMIN && number < RTMAX)
        snprintf(out, WCI_SIGNAL_NAME_SIZE, "SIGRTMIN+%d", number - RTMIN);
    else
        snprintf(out, WCI_SIGNAL_NAME_SIZE, "%d", number);
}
