/* SPDX-License-Identifier: Apache-2.0 */
/* Templates in Go's language (text/template), as Docker takes them for --format. Every value is one of JSON. */
#ifndef WCCTL_TEMPLATE_H
#define WCCTL_TEMPLATE_H

#include <jansson.h>

#define TEMPLATE_LABELS ".labels" /* of a row: for {{.Label "key"}}, no field; true: in headings the key itself */
#define TEMPLATE_ARGS_MAX 16

/* What the template makes of the value; owned. With `escapes` \t and \n in its text are a tab and a line end. Ends the
 * program when it is wrong, or names a field that there is not. */
char *template_run(const char *template, json_t *value, int escapes);

/* ---- template_functions.c ------------------------------------------------------------------------ */

/* As Go prints the value; owned. NULL is what a map does not have. */
char *template_text(json_t *value);
/* Whether `if` takes it for true. */
int template_truth(json_t *value);
/* What the function makes of its arguments, a new value; ends the program when there is no such function. */
json_t *template_call(const char *name, json_t **args, size_t count);
/* The keys of a map in the order in which Go shows them; owned, NULL at the end. */
const char **template_keys(json_t *object);
/* The member of that name, borrowed. Go's names and those of JSON differ in capitals alone. */
json_t *template_member(json_t *object, const char *name, size_t size);
_Noreturn void template_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
