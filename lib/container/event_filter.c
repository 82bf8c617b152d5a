/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a reader wants, by Docker's rules. */
#include <string.h>

#include "container/events.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* ---- Options ------------------------------------------------------------------------------------ */

void wci_events_options_free_contents(wc_events_options *options)
{
    wci_free(options->cursor);
    wci_strv_free(&options->keys);
    wci_strv_free(&options->values);
}

int32_t wci_events_options_copy(const wc_events_options *from, wc_events_options *to, wc_error **err)
{
    *to = (wc_events_options){.since_ns = from->since_ns, .until_ns = from->until_ns};
    for (size_t i = 0; i < from->keys.count; i++)
        if (wci_strv_add(&to->keys, from->keys.items[i]) || wci_strv_add(&to->values, from->values.items[i]))
            return wci_err_nomem(err);
    return WC_OK;
}

/* ---- Filters ------------------------------------------------------------------------------------ */

typedef struct facts {
    const wci_event_record *record;
    json_t *attributes;
} facts;

static const char *attribute(const facts *f, const char *key)
{
    const char *value = json_string_value(json_object_get(f->attributes, key));
    return value ? value : "";
}

static int is_type(const facts *f, const char *key, const char *value)
{
    (void)key;
    return !strcmp(f->record->type, value);
}

/* Also "exec_create" for "exec_create: COMMAND". */
static int is_action(const facts *f, const char *key, const char *value)
{
    size_t size = strlen(value);
    const char *action = f->record->action;
    (void)key;
    return !strcmp(action, value) || (size && !strncmp(action, value, size) && action[size] == ':');
}

/* The key is the type; it happened to the one of this name, or whose id begins so. */
static int happened_to(const facts *f, const char *key, const char *value)
{
    return !strcmp(f->record->type, key) && *value &&
           (!strncmp(f->record->id, value, strlen(value)) || !strcmp(attribute(f, "name"), value));
}

/* Also to a container of the image. */
static int concerns_image(const facts *f, const char *key, const char *value)
{
    return happened_to(f, key, value) || (*value && !strcmp(attribute(f, "image"), value));
}

static int has_label(const facts *f, const char *key, const char *value)
{
    const char *equals = strchr(value, '=');
    char *name = wci_strndup(value, equals ? (size_t)(equals - value) : strlen(value));
    const char *label = json_string_value(name ? json_object_get(f->attributes, name) : NULL);
    (void)key;
    wci_free(name);
    return label && (!equals || !strcmp(label, equals + 1));
}

static const struct {
    const char *key;
    int (*fits)(const facts *f, const char *key, const char *value);
    int each; /* every value must fit */
} kinds[] = {{"type", is_type, 0},           {"event", is_action, 0},         {"container", happened_to, 0},
             {"image", concerns_image, 0},   {"volume", happened_to, 0},      {"network", happened_to, 0},
             {"label", has_label, 1}};
#define KINDS (sizeof kinds / sizeof *kinds)

int32_t wci_event_filter_check(const char *key, wc_error **err)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].key, key))
            return WC_OK;
    return wci_err(err, WC_E_INVALID,
                   "filter of events '%.80s': the keys are type, event, container, image, volume, network and label", key);
}

static int passes_kind(const wc_events_options *filter, const facts *f, size_t kind)
{
    size_t given = 0, fit = 0;
    for (size_t i = 0; i < filter->keys.count; i++) {
        if (strcmp(filter->keys.items[i], kinds[kind].key))
            continue;
        given++;
        fit += kinds[kind].fits(f, kinds[kind].key, filter->values.items[i]) != 0;
    }
    return kinds[kind].each ? fit == given : !given || fit;
}

int wci_event_passes(const wc_events_options *filter, const wci_event_record *record)
{
    if (record->time_ns < filter->since_ns)
        return 0;
    if (!filter->keys.count)
        return 1;
    facts f = {record, json_loads(record->attributes, 0, NULL)};
    int passes = 1;
    for (size_t kind = 0; kind < KINDS && passes; kind++)
        passes = passes_kind(filter, &f, kind);
    json_decref(f.attributes);
    return passes;
}
