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

/* For the life of the program. */
static void join_value(const char **target, const char *value)
{
    int is_further = *target && **target && *value;
    *target = is_further ? xasprintf("%s,%s", *target, value) : value;
}

static void set_value(const option *o, const char *value)
{
    if (!*value && o->kind == OPTION_WORDS)
        return;
    if (!*value && o->kind != OPTION_MAYBE && o->kind != OPTION_JOIN)
        die_usage("--%s is empty: it takes %s", o->name, o->arg);
    if (o->kind == OPTION_LIST || o->kind == OPTION_WORDS)
        list_add(o->target, value);
    else if (o->kind == OPTION_JOIN)
        join_value(o->target, value);
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

/* What a command line is read by, and how far it has been read. */
typedef struct reading {
    const char *name, *usage, *about;
    const option *options;
    size_t count;
    char **argv;
    int end;            /* of the words to read: the one that is being completed comes after them */
    int at, kept;       /* words read, and arguments among them */
    int only_arguments; /* nothing is an option any more */
} reading;

/* Up to the first argument with `stop`, and up to "--". */
static void read_options(reading *r, int stop)
{
    for (; r->at < r->end && !r->only_arguments; r->at++) {
        const char *word = r->argv[r->at];
        int is_option = word[0] == '-' && word[1];
        if (!is_option && stop)
            break;
        if (!is_option)
            r->argv[r->kept++] = r->argv[r->at];
        else if (!strcmp(word, "--"))
            r->only_arguments = 1;
        else if (!strcmp(word, "--help"))
            help(r->name, r->usage, r->about, r->options, r->count);
        else if (word[1] == '-')
            r->at += read_long(r->options, r->count, r->argv, r->end, r->at);
        else
            r->at += read_letters(r->options, r->count, r->argv, r->end, r->at);
    }
    r->only_arguments |= r->at < r->end;
}

_Noreturn static void complete(const reading *r)
{
    char what[32];
    const char *word = r->argv[r->end], *equals = strchr(word, '=');
    argument_word(r->usage, r->kept, what);
    if (r->only_arguments || *word != '-')
        complete_argument(what, word);
    if (word[1] != '-' || !equals)
        complete_option(r->options, r->count, word);
    const option *o = find_long(r->options, r->count, word + 2, (size_t)(equals - word) - 2);
    if (!o || o->kind == OPTION_FLAG)
        exit(0);
    char *before = xstrdup(word);
    before[equals + 1 - word] = '\0';
    complete_value(o, before, equals + 1);
}

int options_read(const char *name, const char *usage, const char *about, const option *options,
                 size_t count, int stop, int argc, char **argv)
{
    reading r = {.name = name, .usage = usage, .about = about, .options = options, .count = count, .argv = argv,
                 .end = wcctl.completing ? argc - 1 : argc};
    read_options(&r, stop);
    while (r.at < r.end)
        argv[r.kept++] = argv[r.at++];
    if (!wcctl.completing) {
        check_arguments(name, usage, stop && r.kept ? 1 : r.kept, argv);
        return r.kept;
    }
    if (*name || (!r.kept && *argv[r.end] == '-')) /* commands are not named here */
        complete(&r);
    argv[r.kept++] = argv[r.end];
    return r.kept;
}

void options_read_all(const char *name, const char *about, const option *options, size_t count, int argc, char **argv)
{
    if (options_read(name, count ? "[OPTIONS]" : "", about, options, count, 0, argc, argv))
        die_usage("%s takes no argument", name);
}
