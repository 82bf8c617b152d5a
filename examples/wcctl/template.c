/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and runs a template in one go: what is not to happen (a branch that is not taken, a loop over nothing) is read
 * with `dry` set. Blocks: if, else if, else, with, range, end; variables; pipelines; brackets. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"
#include "wcctl.h"

#define VARIABLES_MAX 32

typedef struct run {
    const char *at; /* of the template */
    json_t *root, *dot;
    char *out;
    size_t size;
    int dry, escapes, trim_next; /* trim_next: an action has ended with -}} */
    struct variable {
        char *name;
        json_t *value;
    } variables[VARIABLES_MAX];
    size_t variable_count;
} run;

static json_t *pipeline(run *r);

/* ---- Text between actions ------------------------------------------------------------------------ */

static void put(run *r, const char *text, size_t size)
{
    if (r->dry)
        return;
    r->out = xrealloc(r->out, r->size + size + 1);
    memcpy(r->out + r->size, text, size);
    r->size += size;
    r->out[r->size] = '\0';
}

static void put_escaped(run *r, const char *p, const char *end)
{
    for (; p < end; p++) {
        int escape = r->escapes && *p == '\\' && p + 1 < end && (p[1] == 't' || p[1] == 'n');
        put(r, escape && p[1] == 't' ? "\t" : escape ? "\n" : p, 1);
        p += escape;
    }
}

/* Up to the next action or the end. */
static void literal(run *r)
{
    const char *end = strstr(r->at, "{{"), *stop;
    stop = end = end ? end : r->at + strlen(r->at);
    while (r->trim_next && r->at < stop && isspace((unsigned char)*r->at))
        r->at++;
    if (!strncmp(end, "{{- ", 4))
        while (stop > r->at && isspace((unsigned char)stop[-1]))
            stop--;
    put_escaped(r, r->at, stop);
    r->trim_next = 0;
    r->at = end;
}

/* ---- Words --------------------------------------------------------------------------------------- */

static void skip_space(run *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static int at_end(run *r)
{
    skip_space(r);
    return !*r->at || !strncmp(r->at, "}}", 2) || !strncmp(r->at, "-}}", 3);
}

static void action_end(run *r)
{
    if (!at_end(r) || !*r->at)
        template_die("'%.40s': }} is missing", r->at);
    r->trim_next = *r->at == '-';
    r->at += r->trim_next ? 3 : 2;
}

static size_t word_size(const char *p)
{
    size_t size = 0;
    while (isalnum((unsigned char)p[size]) || p[size] == '_')
        size++;
    return size;
}

/* Takes the word when it comes next. */
static int take(run *r, const char *word)
{
    skip_space(r);
    size_t size = strlen(word);
    if (strncmp(r->at, word, size) || (isalnum((unsigned char)*word) && word_size(r->at) != size))
        return 0;
    r->at += size;
    return 1;
}

static char *word(run *r)
{
    size_t size = word_size(r->at);
    char *text = xasprintf("%.*s", (int)size, r->at);
    r->at += size;
    return text;
}

/* ---- Variables ------------------------------------------------------------------------------------- */

static struct variable *find_variable(run *r, const char *name)
{
    for (size_t i = r->variable_count; i-- > 0;)
        if (!strcmp(r->variables[i].name, name))
            return &r->variables[i];
    return NULL;
}

static void push_variable(run *r, const char *name, json_t *value)
{
    if (r->variable_count == VARIABLES_MAX)
        template_die("there are too many variables");
    r->variables[r->variable_count++] = (struct variable){xstrdup(name), json_incref(value)};
}

static void pop_variables(run *r, size_t count)
{
    while (r->variable_count > count) {
        struct variable *last = &r->variables[--r->variable_count];
        free(last->name);
        json_decref(last->value);
    }
}

/* ---- Operands -------------------------------------------------------------------------------------- */

/* .A.B after `value`, which is taken over. A map may lack a key; an object has its fields. */
static json_t *fields(run *r, json_t *value)
{
    while (*r->at == '.') {
        size_t size = word_size(++r->at);
        json_t *next = template_member(value, r->at, size);
        if (!next && !r->dry && (isupper((unsigned char)*r->at) && json_is_object(value)))
            template_die("there is no field '%.*s'", (int)size, r->at);
        r->at += size;
        json_incref(next);
        json_decref(value);
        value = next;
    }
    return value;
}

static json_t *quoted(run *r)
{
    char quote = *r->at++, *text = xstrdup(r->at), *to = text;
    for (; *r->at && *r->at != quote; r->at++) {
        int escape = quote == '"' && *r->at == '\\' && r->at[1];
        r->at += escape;
        *to++ = escape && *r->at == 'n' ? '\n' : escape && *r->at == 't' ? '\t' : *r->at;
    }
    if (*r->at++ != quote)
        template_die("a %c is missing", quote);
    *to = '\0';
    json_t *value = json_text(text);
    free(text);
    return value;
}

static json_t *number(run *r)
{
    char *end;
    long long value = strtoll(r->at, &end, 10);
    if (*end == '.') {
        double real = strtod(r->at, &end);
        r->at = end;
        return json_real(real);
    }
    r->at = end;
    return json_integer(value);
}

static json_t *variable(run *r)
{
    r->at++;
    char *name = word(r);
    struct variable *found = find_variable(r, name);
    if (*name && !found && !r->dry)
        template_die("there is no variable '$%s'", name);
    json_t *value = json_incref(*name ? (found ? found->value : NULL) : r->root);
    free(name);
    return fields(r, value);
}

/* One value that begins here: no function. NULL is what a map lacks. */
static json_t *operand(run *r)
{
    if (*r->at == '.' && word_size(r->at + 1))
        return fields(r, json_incref(r->dot));
    if (*r->at == '.')
        return r->at++, json_incref(r->dot);
    if (*r->at == '$')
        return variable(r);
    if (*r->at == '"' || *r->at == '`')
        return quoted(r);
    if (isdigit((unsigned char)*r->at) || (*r->at == '-' && isdigit((unsigned char)r->at[1])))
        return number(r);
    if (take(r, "true"))
        return json_true();
    if (take(r, "false"))
        return json_false();
    if (take(r, "nil"))
        return json_null();
    if (!take(r, "("))
        template_die("'%.40s' is not understood", r->at);
    json_t *value = pipeline(r);
    if (!take(r, ")"))
        template_die("a ) is missing");
    return fields(r, value);
}

static int begins_operand(run *r)
{
    skip_space(r);
    return !at_end(r) && *r->at != '|' && *r->at != ')';
}

static size_t arguments(run *r, json_t **args, size_t count)
{
    while (begins_operand(r)) {
        if (count == TEMPLATE_ARGS_MAX)
            template_die("a function has too many arguments");
        args[count] = operand(r);
        args[count] = args[count] ? args[count] : json_null();
        count++;
    }
    return count;
}

/* ---- Commands and pipelines ------------------------------------------------------------------------ */

static json_t *call(run *r, const char *name, json_t **args, size_t count)
{
    json_t *value = r->dry ? NULL : template_call(name, args, count);
    for (size_t i = 0; i < count; i++)
        json_decref(args[i]);
    return value;
}

/* {{.Label "key"}} */
static json_t *label(run *r)
{
    json_t *labels = json_object_get(r->root, TEMPLATE_LABELS), *args[TEMPLATE_ARGS_MAX + 1] = {json_incref(labels)};
    size_t count = arguments(r, args, 1);
    if (!labels)
        template_die("'.Label' is not known here");
    if (!json_is_true(labels))
        return call(r, "index", args, count);
    for (size_t i = 0; i < count; i++) /* the heading of a column */
        if (i != 1)
            json_decref(args[i]);
    return count > 1 ? args[1] : json_string("");
}

/* `piped` comes from the command before, and is taken over. */
static json_t *command_value(run *r, json_t *piped)
{
    json_t *args[TEMPLATE_ARGS_MAX + 1];
    skip_space(r);
    if (!strncmp(r->at, ".Label ", 7)) {
        r->at += 7;
        return label(r);
    }
    size_t size = word_size(r->at);
    int is_function = size && !isdigit((unsigned char)*r->at) && strncmp(r->at, "true", 4) &&
                      strncmp(r->at, "false", 5) && strncmp(r->at, "nil", 3);
    if (!is_function) {
        if (piped)
            template_die("'%.40s' takes nothing", r->at);
        return operand(r);
    }
    char *name = word(r);
    size_t count = arguments(r, args, 0);
    if (piped)
        args[count++] = piped;
    json_t *value = call(r, name, args, count);
    free(name);
    return value;
}

static json_t *commands(run *r)
{
    json_t *value = command_value(r, NULL);
    while (take(r, "|"))
        value = command_value(r, value ? value : json_null());
    return value;
}

/* "$name :=" or "$name =" in front of what a pipeline gives; NULL when there is none. */
static char *declared(run *r, int *is_new)
{
    const char *begin = r->at;
    skip_space(r);
    if (*r->at != '$')
        return NULL;
    r->at++;
    char *name = word(r);
    *is_new = take(r, ":=");
    if (*is_new || (*name && take(r, "=")))
        return name;
    free(name);
    r->at = begin;
    return NULL;
}

static json_t *pipeline(run *r)
{
    int is_new = 0;
    char *name = declared(r, &is_new);
    json_t *value = commands(r);
    if (!name)
        return value;
    struct variable *old = is_new ? NULL : find_variable(r, name);
    if (old) {
        json_decref(old->value);
        old->value = json_incref(value);
    } else {
        push_variable(r, name, value);
    }
    free(name);
    return value;
}

/* ---- Blocks ---------------------------------------------------------------------------------------- */

typedef enum block_end { END_OF_TEMPLATE, END_OF_BLOCK, ELSE_FOLLOWS } block_end;

static block_end block(run *r);
static void if_or_with(run *r, int with);

static block_end dry_block(run *r, int dry)
{
    int before = r->dry;
    r->dry |= dry;
    block_end end = block(r);
    r->dry = before;
    if (end == END_OF_TEMPLATE)
        template_die("{{end}} is missing");
    return end;
}

/* After {{else; `taken` when the part before was. */
static void else_part(run *r, int taken)
{
    int before = r->dry;
    r->dry |= taken;
    if (take(r, "if")) {
        if_or_with(r, 0);
    } else {
        action_end(r);
        if (dry_block(r, 0) == ELSE_FOLLOWS)
            template_die("{{else}} is there twice");
    }
    r->dry = before;
}

static void if_or_with(run *r, int with)
{
    size_t variables = r->variable_count;
    json_t *value = pipeline(r), *dot = r->dot;
    int truth = template_truth(value);
    action_end(r);
    if (with)
        r->dot = value;
    block_end end = dry_block(r, !truth);
    r->dot = dot;
    if (end == ELSE_FOLLOWS)
        else_part(r, truth);
    json_decref(value);
    pop_variables(r, variables);
}

typedef struct loop {
    const char *body;
    int trims; /* the text that the body begins with */
    char *index, *item; /* names of variables, or NULL */
} loop;

/* "$index, $item :=" or "$item :=" in front. */
static void loop_names(run *r, loop *l)
{
    const char *begin = r->at;
    skip_space(r);
    if (*r->at != '$')
        return;
    r->at++;
    l->item = word(r);
    if (take(r, ",") && take(r, "$")) {
        l->index = l->item;
        l->item = word(r);
    }
    if (take(r, ":="))
        return;
    free(l->index);
    free(l->item);
    l->index = l->item = NULL;
    r->at = begin;
}

/* `key` is taken over. */
static block_end loop_once(run *r, const loop *l, json_t *key, json_t *value)
{
    size_t variables = r->variable_count;
    json_t *dot = r->dot;
    r->at = l->body;
    r->trim_next = l->trims;
    r->dot = value;
    if (l->index)
        push_variable(r, l->index, key);
    if (l->item)
        push_variable(r, l->item, value);
    block_end end = dry_block(r, 0);
    pop_variables(r, variables);
    r->dot = dot;
    json_decref(key);
    return end;
}

static block_end loop_object(run *r, const loop *l, json_t *object)
{
    block_end end = END_OF_BLOCK;
    const char **keys = template_keys(object);
    for (size_t i = 0; keys[i]; i++)
        end = loop_once(r, l, json_text(keys[i]), json_object_get(object, keys[i]));
    free(keys);
    return end;
}

static block_end loop_array(run *r, const loop *l, json_t *array)
{
    size_t i;
    json_t *value;
    block_end end = END_OF_BLOCK;
    json_array_foreach(array, i, value)
        end = loop_once(r, l, json_integer((json_int_t)i), value);
    return end;
}

static void range(run *r)
{
    loop l = {0};
    loop_names(r, &l);
    json_t *value = commands(r);
    action_end(r);
    l.body = r->at;
    l.trims = r->trim_next;
    int empty = r->dry || !(json_array_size(value) || json_object_size(value));
    block_end end = empty                  ? dry_block(r, 1)
                    : json_is_object(value) ? loop_object(r, &l, value)
                                            : loop_array(r, &l, value);
    if (end == ELSE_FOLLOWS)
        else_part(r, !empty);
    json_decref(value);
    free(l.index);
    free(l.item);
}

static void output(run *r)
{
    int is_new = 0;
    const char *begin = r->at;
    char *name = declared(r, &is_new);
    r->at = begin;
    json_t *value = pipeline(r);
    action_end(r);
    char *text = name ? xstrdup("") : template_text(value);
    put(r, text, strlen(text));
    free(text);
    free(name);
    json_decref(value);
}

/* Behind {{; 1 when it ends a block. */
static int action(run *r, block_end *end)
{
    if (!strncmp(r->at, "/*", 2)) {
        const char *close = strstr(r->at, "*/");
        r->at = close ? close + 2 : r->at + strlen(r->at);
        action_end(r);
        return 0;
    }
    if (take(r, "end")) {
        action_end(r);
        *end = END_OF_BLOCK;
        return 1;
    }
    if (take(r, "else")) {
        *end = ELSE_FOLLOWS;
        return 1;
    }
    if (take(r, "if"))
        if_or_with(r, 0);
    else if (take(r, "with"))
        if_or_with(r, 1);
    else if (take(r, "range"))
        range(r);
    else
        output(r);
    return 0;
}

/* Up to {{end}}, {{else or the end of the template; behind {{else it stands before the rest of the action. */
static block_end block(run *r)
{
    block_end end = END_OF_TEMPLATE;
    for (;;) {
        literal(r);
        if (!*r->at)
            return END_OF_TEMPLATE;
        r->at += strncmp(r->at, "{{- ", 4) ? 2 : 4;
        if (action(r, &end))
            return end;
    }
}

char *template_run(const char *template, json_t *value, int escapes)
{
    run r = {.at = template, .root = value, .dot = value, .out = xstrdup(""), .escapes = escapes};
    if (block(&r) != END_OF_TEMPLATE)
        template_die("{{end}} or {{else}} has nothing before it that it belongs to");
    pop_variables(&r, 0);
    return r.out;
}
