/* SPDX-License-Identifier: Apache-2.0 */
/* The language of the mock backend: a command line whose words are actions. See docs/mock.md. */
#ifndef WCI_MOCK_SCRIPT_H
#define WCI_MOCK_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"

typedef enum mock_verb {
    MOCK_UNKNOWN, /* complains and exits with 2 */
    MOCK_OUT,
    MOCK_OUTLN,
    MOCK_ERR,
    MOCK_ERRLN,
    MOCK_REPEAT,
    MOCK_LINES,
    MOCK_BYTES,
    MOCK_SLEEP,
    MOCK_FOREVER,
    MOCK_CAT,
    MOCK_EXIT,
    MOCK_SIGNAL,
    MOCK_TRAP,
    MOCK_IGNORE,
    MOCK_ON,
    MOCK_ENV,
    MOCK_ARGS,
    MOCK_WORKDIR,
    MOCK_USER,
    MOCK_HOSTNAME,
    MOCK_TTY,
    MOCK_FILE,
} mock_verb;

typedef struct mock_action {
    mock_verb verb;
    int32_t signal;
    int64_t number;
    const char *text; /* lent by the command line; "" when the action has none */
} mock_action;

typedef struct mock_script {
    mock_action *actions;
    size_t count;
    char **words; /* lent: the words that are actions */
} mock_script;

#define MOCK_SIGNAL_COUNT 65 /* 1 to 64, numbered as on Linux */
#define MOCK_SIGKILL 9

/* An absolute path as first word names the program and is skipped. WC_E_COMMAND_NOT_FOUND when the
 * first word is neither a path nor an action. `args` must outlive the script. */
int32_t wci_mock_script_parse(const wci_strv *args, mock_script *out, wc_error **err);
void wci_mock_script_free(mock_script *script);

/* "TERM", "SIGTERM", "15"; 0 when it is none. */
int32_t wci_mock_signal_parse(const char *text);
/* What a program that installed no handler does: 1 when the signal ends it. */
int wci_mock_signal_is_fatal(int32_t signal);

#endif
