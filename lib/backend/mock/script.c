/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/script.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

typedef enum argument {
    NOTHING,
    TEXT,
    NUMBER,
    NUMBER_TEXT,
    SIGNAL,
    SIGNAL_NUMBER,
    SIGNAL_TEXT,
} argument;

typedef struct verb_info {
    const char *name;
    mock_verb verb;
    argument argument;
} verb_info;

static const verb_info verbs[] = {
    {"out", MOCK_OUT, TEXT},
    {"outln", MOCK_OUTLN, TEXT},
    {"err", MOCK_ERR, TEXT},
    {"errln", MOCK_ERRLN, TEXT},
    {"repeat", MOCK_REPEAT, NUMBER_TEXT},
    {"lines", MOCK_LINES, NUMBER_TEXT},
    {"bytes", MOCK_BYTES, NUMBER},
    {"sleep", MOCK_SLEEP, NUMBER},
    {"forever", MOCK_FOREVER, NOTHING},
    {"cat", MOCK_CAT, NOTHING},
    {"exit", MOCK_EXIT, NUMBER},
    {"signal", MOCK_SIGNAL, SIGNAL},
    {"trap", MOCK_TRAP, SIGNAL_NUMBER},
    {"ignore", MOCK_IGNORE, SIGNAL},
    {"on", MOCK_ON, SIGNAL_TEXT},
    {"env", MOCK_ENV, TEXT},
    {"args", MOCK_ARGS, NOTHING},
    {"workdir", MOCK_WORKDIR, NOTHING},
    {"user", MOCK_USER, NOTHING},
    {"hostname", MOCK_HOSTNAME, NOTHING},
    {"tty", MOCK_TTY, NOTHING},
    {"file", MOCK_FILE, TEXT},
};

#define LARGEST_NUMBER 1000000000000ull
#define LONGEST_FIELD 32

static const verb_info *find_verb(const char *word)
{
    size_t n = strcspn(word, ":");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strlen(verbs[i].name) == n && memcmp(verbs[i].name, word, n) == 0)
            return &verbs[i];
    return NULL;
}

/* Copies the part of *rest before the next ':' and steps over it; 0 when it is too long. */
static int take_field(const char **rest, char field[LONGEST_FIELD])
{
    size_t n = strcspn(*rest, ":");
    if (n >= LONGEST_FIELD)
        return 0;
    memcpy(field, *rest, n);
    field[n] = '\0';
    *rest += (*rest)[n] == ':' ? n + 1 : n;
    return 1;
}

static int take_number(const char **rest, int64_t *number)
{
    char field[LONGEST_FIELD];
    uint64_t value = 0;
    if (!take_field(rest, field) || !wci_parse_u64(field, LARGEST_NUMBER, &value))
        return 0;
    *number = (int64_t)value;
    return 1;
}

static int take_signal(const char **rest, int32_t *signal)
{
    char field[LONGEST_FIELD];
    if (!take_field(rest, field))
        return 0;
    *signal = wci_mock_signal_parse(field);
    return *signal != 0;
}

static int parse_argument(argument kind, const char *rest, mock_action *action)
{
    switch (kind) {
    case NOTHING:
        return *rest == '\0';
    case TEXT:
        break;
    case NUMBER:
        return take_number(&rest, &action->number) && *rest == '\0';
    case NUMBER_TEXT:
        if (!take_number(&rest, &action->number))
            return 0;
        break;
    case SIGNAL:
        return take_signal(&rest, &action->signal) && *rest == '\0';
    case SIGNAL_NUMBER:
        return take_signal(&rest, &action->signal) && take_number(&rest, &action->number) &&
               *rest == '\0';
    case SIGNAL_TEXT:
        if (!take_signal(&rest, &action->signal))
            return 0;
        break;
    }
    action->text = rest;
    return 1;
}

static mock_action parse_word(const char *word)
{
    mock_action action = {.verb = MOCK_UNKNOWN, .text = word};
    const verb_info *info = find_verb(word);
    if (!info)
        return action;
    size_t n = strlen(info->name);
    mock_action parsed = {.verb = info->verb, .text = ""};
    return parse_argument(info->argument, word + n + (word[n] == ':'), &parsed) ? parsed : action;
}

int32_t wci_mock_script_parse(const wci_strv *args, mock_script *out, wc_error **err)
{
    size_t skip = args->count && args->items[0][0] == '/';
    if (args->count && !skip && !find_verb(args->items[0]))
        return wci_err(err, WC_E_COMMAND_NOT_FOUND,
                       "command '%s': the mock backend knows no such action: see docs/mock.md",
                       args->items[0]);
    size_t count = args->count - skip;
    mock_action *actions = wci_calloc(count ? count : 1, sizeof *actions);
    if (!actions)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count; i++)
        actions[i] = parse_word(args->items[skip + i]);
    *out = (mock_script){actions, count, args->items ? args->items + skip : NULL};
    return WC_OK;
}

void wci_mock_script_free(mock_script *script)
{
    wci_free(script->actions);
    memset(script, 0, sizeof *script);
}
