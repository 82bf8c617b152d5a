/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/script.h"
#include "core/str.h"

/* Containers number signals as Linux does, whatever the host is. */
static const char *const names[] = {
    NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

int32_t wci_mock_signal_parse(const char *text)
{
    uint64_t number = 0;
    if (wci_parse_u64(text, MOCK_SIGNAL_COUNT - 1, &number))
        return (int32_t)number;
    if (wci_starts_with(text, "SIG"))
        text += 3;
    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (wci_streq(names[i], text))
            return (int32_t)i;
    return 0;
}

int wci_mock_signal_is_fatal(int32_t signal)
{
    switch (signal) {
    case 17: /* CHLD */
    case 18: /* CONT */
    case 19: /* STOP */
    case 20: /* TSTP */
    case 21: /* TTIN */
    case 22: /* TTOU */
    case 23: /* URG */
    case 28: /* WINCH */
        return 0;
    default:
        return 1;
    }
}
