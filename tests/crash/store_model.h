/* SPDX-License-Identifier: Apache-2.0 */
/* What the victims of the crash test reported, one line each, written in one piece:
 *
 *     ? KIND NAME 0        from now on it may or may not be there
 *     + KIND NAME VALUE    it is there, with this value, and has to stay
 *     - KIND NAME 0        it is gone, and has to stay so */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_MAX 256

typedef struct model_entry {
    char kind[16], name[40];
    char state;
    int value;
} model_entry;

typedef struct model {
    model_entry entries[MODEL_MAX];
    size_t count;
} model;

static void model_set(model *m, const model_entry *entry)
{
    size_t i = 0;
    while (i < m->count && (strcmp(m->entries[i].kind, entry->kind) != 0 ||
                            strcmp(m->entries[i].name, entry->name) != 0))
        i++;
    if (i == MODEL_MAX) {
        fprintf(stderr, "model: too many entries\n");
        exit(2);
    }
    m->count += i == m->count;
    m->entries[i] = *entry;
}

/* Reads the lines of one victim to their end. */
static void model_read(model *m, FILE *lines)
{
    model_entry entry;
    while (fscanf(lines, " %c %15s %39s %d", &entry.state, entry.kind, entry.name, &entry.value) ==
           4)
        model_set(m, &entry);
}

#endif
