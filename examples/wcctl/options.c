/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines as Docker reads them: --name value, --name=value, -abc, -n value, -nvalue, --. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

void *xrealloc(void *ptr, size_t size)
{
    void *p = realloc(ptr, size);
    if (!p) {
        fputs("wcctl: out of memory\n", stderr);
        exit(EXIT_OURS);
    }
    return p;
}

char *xstrdup(const char *s)
{
    size_t size = strlen(s) + 1;
    return memcpy(xrealloc(NULL, size), s, size);
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = xrealloc(NULL, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

void list_add(text_list *list, const char *item)
{
    list->items = xrealloc(list->items, (list->count + 2) * sizeof *list->items);
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

static _Noreturn void help(const char *name, const char *usage, const char *about,
                           const option *options, size_t count)
{
    if (wcctl.completing)
        exit(0);
    printf("Usage: wcctl %s%s%s\n\n%s\n", name, *usage ? " " : "", usage, about);
    if (count)
        printf("\nOptions:\n");
    for (size_t i = 0; i < count; i++) {
        const option *o = &options[i];
        char left[80];
        snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->arg ? " " : "",
                 o->arg ? o->arg : "");
        printf("  %-34s %s\n", left, o->help);
    }
    exit(0);
}

static const option *find_long(const option *options, size_t count, const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == size && !memcmp(options[i].name, name, size))
            return &options[i];
    return NULL;
}

static const option *find_letter(const option *options, size_t count, char letter)
{
    for (size_t i = 0; i < count; i++)
        if (options[i].letter == letter)
            return &options[i];
    return NULL;
}

static void set_flag(const option *o, const char *value)
{
    int on = !value || !strcmp(value, "true") || !strcmp(value, "1");
    if (!on && strcmp(value, "false") && strcmp(value, "0"))
        die_usage("--%s takes true or false, not '%s'", o->name, value);
    *(int *)o->target = on;
}

static void set_value(const option *o, const char *value)
{
    if (!*value && o->kind != OPTION_MAYBE)
        die_usage("--%s is empty: it takes %s", o->name, o->arg);
    if (o->kind == OPTION_LIST)
        list_add(o->target, value);
    else
        *(const char **)o->target = value;
}

/* The value of the last option: it is to be completed, or it is missing. */
_Noreturn static void value_missing(const option *o, const char *shown, char **argv, int argc)
{
    if (wcctl.completing)
        complete_value(o, "", argv[argc]);
    die_usage("option '%s' needs a value: %s", shown, o->arg);
}

/* Reads argv[at], which begins with "--"; returns how many further arguments it took. */
static int read_long(const option *options, size_t count, char **argv, int argc, int at)
{
    const char *name = argv[at] + 2, *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    const option *o = find_long(options, count, name, size);
    if (!o)
        die_usage("unknown option '--%.*s'", (int)size, name);
    if (o->kind == OPTION_FLAG) {
        set_flag(o, equals ? equals + 1 : NULL);
        return 0;
    }
    if (!equals && at + 1 >= argc)
        value_missing(o, argv[at], argv, argc);
    set_value(o, equals ? equals + 1 : argv[at + 1]);
    return equals ? 0 : 1;
}

/* Reads argv[at], which begins with one dash: a group of letters. */
static int read_letters(const option *options, size_t count, char **argv, int argc, int at)
{
    for (const char *p = argv[at] + 1; *p; p++) {
        const option *o = find_letter(options, count, *p);
        if (!o)
            die_usage("unknown option '-%c'", *p);
        if (o->kind == OPTION_FLAG && p[1] != '=') {
            set_flag(o, NULL);
            continue;
        }
        const char *value = p[1] == '=' ? p + 2 : p + 1;
        if (o->kind == OPTION_FLAG) {
            set_flag(o, value);
            return 0;
        }
        if (!*value && at + 1 >= argc)
            value_missing(o, (char[]){'-', *p, '\0'}, argv, argc);
        set_value(o, *value ? value : argv[at + 1]);
        return *value ? 0 : 1;
    }
    return 0;
}

/* The word of `usage` for an argument: "CONTAINER" for each of "[OPTIONS] CONTAINER [CONTAINER ...]"; "argument"
 * where there is to be none. */
static void argument_word(const char *usage, int number, char out[32])
{
    for (const char *p = usage; *p; p += strcspn(p, " ")) {
        p += strspn(p, " [");
        if (!strncmp(p, "OPTIONS]", 8))
            continue;
        if (*p == '.') /* the last one again */
            return;
        snprintf(out, 32, "%.*s", (int)strcspn(p, " ]"), p);
        if (number-- == 0)
            return;
    }
    snprintf(out, 32, "argument");
}

static void check_arguments(const char *name, const char *usage, int argc, char **argv)
{
    char word[32];
    for (int i = 0; i < argc; i++) {
        if (*argv[i])
            continue;
        argument_word(usage, i, word);
        die_usage("%s%s%s is empty", name, *name ? ": " : "", word);
    }
}

/* The word that is being completed comes after `argc` others, of which `kept` are arguments. */
_Noreturn static void complete(const char *usage, const option *options, size_t count, int kept, int only_arguments,
                               const char *word)
{
    char what[32];
    const char *equals = strchr(word, '=');
    argument_word(usage, kept, what);
    if (only_arguments || *word != '-')
        complete_argument(what, word);
    if (word[1] != '-' || !equals)
        complete_option(options, count, word);
    const option *o = find_long(options, count, word + 2, (size_t)(equals - word) - 2);
    if (!o || o->kind == OPTION_FLAG)
        exit(0);
    char *before = xstrdup(word);
    before[equals + 1 - word] = '\0';
    complete_value(o, before, equals + 1);
}

int options_read(const char *name, const char *usage, const char *about, const option *options,
                 size_t count, int stop, int argc, char **argv)
{
    int kept = 0, at = 0, end = wcctl.completing ? argc - 1 : argc, only_arguments = 0;
    for (; at < end && !only_arguments; at++) {
        const char *word = argv[at];
        if (!strcmp(word, "--")) {
            only_arguments = 1;
        } else if (word[0] != '-' || !word[1]) {
            if (stop)
                break;
            argv[kept++] = argv[at];
        } else if (!strcmp(word, "--help")) {
            help(name, usage, about, options, count);
        } else if (word[1] == '-') {
            at += read_long(options, count, argv, end, at);
        } else {
            at += read_letters(options, count, argv, end, at);
        }
    }
    int stopped = stop && at < end;
    while (at < end)
        argv[kept++] = argv[at++];
    if (!wcctl.completing) {
        check_arguments(name, usage, stop && kept ? 1 : kept, argv);
        return kept;
    }
    if (*name || (!kept && *argv[end] == '-')) /* commands are not named here */
        complete(usage, options, count, kept, stopped || only_arguments, argv[end]);
    argv[kept++] = argv[end];
    return kept;
}

void options_read_all(const char *name, const char *about, const option *options, size_t count, int argc, char **argv)
{
    if (options_read(name, count ? "[OPTIONS]" : "", about, options, count, 0, argc, argv))
        die_usage("%s takes no argument", name);
}
