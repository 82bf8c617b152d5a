/* SPDX-License-Identifier: Apache-2.0 */
/* ps --filter, with Docker's rules: of one key any value may fit, of several keys each must; labels must all fit. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "ps.h"

static json_t *at(json_t *json, const char *section, const char *key)
{
    return json_object_get(json_object_get(json, section), key);
}

static int has_prefix(const char *text, const char *value)
{
    return *value && !strncmp(text, value, strlen(value));
}

/* An expression, as in Docker; what is none is looked for as it stands. */
static int has_name(ps_item *c, const char *value)
{
    regex_t expression;
    const char *name = wc_container_info_name(c->info);
    if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB))
        return strstr(name, value) != NULL;
    char *path = xasprintf("/%s", name);
    int result = !regexec(&expression, name, 0, NULL, 0) || !regexec(&expression, path, 0, NULL, 0);
    free(path);
    regfree(&expression);
    return result;
}

static int has_id(ps_item *c, const char *value)
{
    return has_prefix(wc_container_info_id(c->info), value);
}

static int has_status(ps_item *c, const char *value)
{
    return !strcmp(wc_container_info_status_text(c->info), value);
}

/* KEY or KEY=VALUE */
static int has_label(ps_item *c, const char *value)
{
    char *key;
    const char *wanted;
    cut_text(value, '=', &key, &wanted);
    const char *label = wc_container_info_label(c->info, key);
    int result = label && (!wanted || !strcmp(label, wanted));
    free(key);
    return result;
}

static int has_exit_code(ps_item *c, const char *value)
{
    return wc_container_info_status(c->info) == WC_STATUS_EXITED &&
           wc_container_info_exit_code(c->info) == value_number("--filter exited", value);
}

static const char *digits(const char *id)
{
    return !strncmp(id, "sha256:", 7) ? id + 7 : id;
}

/* The layers of the image at the beginning are those of the other. */
static int is_built_on(const char *image_id, const char *base)
{
    wc_image *ours = NULL, *theirs = NULL;
    int result = 0;
    if (!wc_image_open(app_context(), base, &theirs, NULL) && !wc_image_open(app_context(), image_id, &ours, NULL)) {
        result = wc_image_layer_count(theirs) <= wc_image_layer_count(ours);
        for (size_t i = 0; result && i < wc_image_layer_count(theirs); i++)
            result = !strcmp(wc_layer_diff_id(wc_image_layer(theirs, i)), wc_layer_diff_id(wc_image_layer(ours, i)));
    }
    wc_image_unref(ours);
    wc_image_unref(theirs);
    return result;
}

/* A name, with or without its tag, an id, or an image that the container's is built on. */
static int has_ancestor(ps_item *c, const char *value)
{
    const char *name = familiar_name(wc_container_info_image(c->info)), *id = wc_container_info_image_id(c->info);
    size_t size = strlen(value);
    if (!strncmp(name, value, size) && (!name[size] || !strcmp(name + size, ":latest")))
        return 1;
    return has_prefix(digits(id), digits(value)) || is_built_on(id, value);
}

/* When another was created, found once. */
static int64_t created_of(const char *value)
{
    static const char *known;
    static int64_t created;
    if (known && !strcmp(known, value))
        return created;
    wc_error *err = NULL;
    wc_container_info *info = NULL;
    wc_container *other = open_container(value);
    TRY(wc_container_inspect(other, &info, &err));
    created = wc_container_info_created(info);
    known = value;
    wc_container_info_unref(info);
    wc_container_unref(other);
    return created;
}

static int is_before(ps_item *c, const char *value)
{
    return wc_container_info_created(c->info) < created_of(value);
}

static int is_since(ps_item *c, const char *value)
{
    return wc_container_info_created(c->info) > created_of(value);
}

static int has_health(ps_item *c, const char *value)
{
    const char *health = json_string_value(json_object_get(at(ps_json(c), "State", "Health"), "Status"));
    return !strcmp(health ? health : "none", value);
}

/* The name of a volume, or a path on either side. */
static int has_volume(ps_item *c, const char *value)
{
    static const char *const keys[] = {"Name", "Source", "Destination"};
    size_t i;
    json_t *mount;
    json_array_foreach(json_object_get(ps_json(c), "Mounts"), i, mount)
        for (size_t k = 0; k < countof(keys); k++) {
            const char *text = json_string_value(json_object_get(mount, keys[k]));
            if (text && !strcmp(text, value))
                return 1;
        }
    return 0;
}

static int has_network(ps_item *c, const char *value)
{
    const char *name, *mode = json_string_value(at(ps_json(c), "HostConfig", "NetworkMode"));
    json_t *network;
    json_object_foreach(at(ps_json(c), "NetworkSettings", "Networks"), name, network) {
        const char *id = json_string_value(json_object_get(network, "NetworkID"));
        if (!strcmp(name, value) || (id && has_prefix(id, value)))
            return 1;
    }
    return mode && !strcmp(mode, value);
}

/* PORT[-PORT][/PROTOCOL], tcp unless it says so. */
static int fits_port(const char *port, const char *protocol, const char *wanted)
{
    char *end;
    long number = strtol(port, NULL, 10), first = strtol(wanted, &end, 10), last = first;
    if (*end == '-')
        last = strtol(end + 1, &end, 10);
    return number >= first && number <= last && !strcmp(*end == '/' ? end + 1 : "tcp", protocol);
}

static int has_key(json_t *ports, const char *value)
{
    const char *key;
    json_t *unused;
    json_object_foreach(ports, key, unused) {
        const char *slash = strchr(key, '/');
        if (fits_port(key, slash ? slash + 1 : "tcp", value))
            return 1;
    }
    return 0;
}

static int is_exposed(ps_item *c, const char *value)
{
    return has_key(at(ps_json(c), "Config", "ExposedPorts"), value) || has_key(at(ps_json(c), "HostConfig", "PortBindings"), value);
}

static int is_published(ps_item *c, const char *value)
{
    const char *key;
    json_t *list, *one;
    size_t i;
    json_object_foreach(at(ps_json(c), "HostConfig", "PortBindings"), key, list) {
        const char *slash = strchr(key, '/');
        json_array_foreach(list, i, one) {
            const char *host = json_string_value(json_object_get(one, "HostPort"));
            if (host && fits_port(*host ? host : key, slash ? slash + 1 : "tcp", value))
                return 1;
        }
    }
    return 0;
}

static int is_in_group(ps_item *c, const char *value)
{
    const char *group = json_string_value(at(ps_json(c), "HostConfig", "Group"));
    return group && !strcmp(group, value);
}

/* Nothing of ours is a task of a swarm. */
static int is_task(ps_item *c, const char *value)
{
    (void)c;
    return strcmp(value, "true") && strcmp(value, "1");
}

static const struct {
    const char *key;
    int (*passes)(ps_item *c, const char *value);
    int each; /* every value must fit */
} kinds[] = {{"ancestor", has_ancestor, 0}, {"before", is_before, 0},       {"exited", has_exit_code, 0},
             {"expose", is_exposed, 0},     {"group", is_in_group, 0},      {"health", has_health, 0},
             {"id", has_id, 0},             {"is-task", is_task, 0},        {"label", has_label, 1},
             {"name", has_name, 0},         {"network", has_network, 0},    {"publish", is_published, 0},
             {"since", is_since, 0},        {"status", has_status, 0},      {"volume", has_volume, 0}};

/* The value, when the filter is of this kind. */
static const char *value_for(const char *filter, size_t kind)
{
    size_t size = strlen(kinds[kind].key);
    return !strncmp(filter, kinds[kind].key, size) && filter[size] == '=' ? filter + size + 1 : NULL;
}

static int is_word_of(const char *value, const char *const *words)
{
    while (*words && strcmp(*words, value))
        words++;
    return *words != NULL;
}

static void check_value(const char *filter)
{
    static const char *const states[] = {"created", "restarting", "running", "removing", "paused", "exited", "dead", NULL};
    static const char *const healths[] = {"starting", "healthy", "unhealthy", "none", NULL};
    if (!strncmp(filter, "status=", 7) && !is_word_of(filter + 7, states))
        die_usage("--filter '%s': a state is created, restarting, running, removing, paused, exited or dead", filter);
    if (!strncmp(filter, "health=", 7) && !is_word_of(filter + 7, healths))
        die_usage("--filter '%s': health is starting, healthy, unhealthy or none", filter);
    if (!strncmp(filter, "before=", 7) || !strncmp(filter, "since=", 6))
        created_of(strchr(filter, '=') + 1);
}

void ps_filter_check(const text_list *filters)
{
    for (size_t i = 0; i < filters->count; i++) {
        int known = 0;
        for (size_t kind = 0; kind < countof(kinds); kind++)
            known |= value_for(filters->items[i], kind) != NULL;
        if (!known)
            die_usage("--filter '%s': write KEY=VALUE; the keys are ancestor, before, exited, expose, group, health, id, "
                      "label, name, network, publish, since, status and volume",
                      filters->items[i]);
        check_value(filters->items[i]);
    }
}

static int passes_kind(ps_item *c, const text_list *filters, size_t kind)
{
    size_t given = 0, fit = 0;
    for (size_t i = 0; i < filters->count; i++) {
        const char *value = value_for(filters->items[i], kind);
        given += value != NULL;
        fit += value && kinds[kind].passes(c, value);
    }
    return kinds[kind].each ? fit == given : !given || fit;
}

int ps_filter_passes(ps_item *c, const text_list *filters)
{
    for (size_t kind = 0; kind < countof(kinds); kind++)
        if (!passes_kind(c, filters, kind))
            return 0;
    return 1;
}

int ps_filter_says_state(const text_list *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        if (!strncmp(filters->items[i], "status=", 7))
            return 1;
    return 0;
}
