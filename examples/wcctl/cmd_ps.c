/* SPDX-License-Identifier: Apache-2.0 */
/* ps: containers in a list. */
#include <stdlib.h>
#include <string.h>

#include "ps.h"

typedef struct ps_options {
    int all, quiet, full, latest, sizes;
    const char *last, *format;
    text_list filters;
} ps_options;

/* ---- A row --------------------------------------------------------------------------------------- */

json_t *ps_json(ps_item *item)
{
    if (!item->json)
        item->json = json_loads(wc_container_info_json(item->info), 0, NULL);
    return item->json;
}

static const char *health_of(const wc_container_info *info)
{
    static const char *const texts[] = {"", " (health: starting)", " (healthy)", " (unhealthy)"};
    int32_t health = wc_container_info_health(info);
    return health >= WC_HEALTH_NONE && health <= WC_HEALTH_UNHEALTHY ? texts[health] : "";
}

static char *status_text(const ps_item *c)
{
    char ago[64];
    int32_t state = wc_container_info_status(c->info);
    int up = state == WC_STATUS_RUNNING || state == WC_STATUS_PAUSED;
    format_ago(up ? wc_container_info_started(c->info) : wc_container_info_finished(c->info), ago);
    if (up)
        return xasprintf("Up %.*s%s", (int)strlen(ago) - 4, ago,
                         state == WC_STATUS_PAUSED ? " (Paused)" : health_of(c->info));
    if (state == WC_STATUS_EXITED || state == WC_STATUS_RESTARTING)
        return xasprintf("%s (%d) %s", state == WC_STATUS_EXITED ? "Exited" : "Restarting",
                         (int)wc_container_info_exit_code(c->info), ago);
    const char *word = wc_container_info_status_text(c->info);
    return xasprintf("%c%s", *word & ~0x20, word + 1);
}

/* Words of an object's keys or of one member of its items, between commas; taken over. */
static char *add_word(char *text, const char *word)
{
    char *longer = xasprintf("%s%s%s", text, *text ? "," : "", word);
    free(text);
    return longer;
}

static json_t *to_json(char *text)
{
    json_t *value = json_text(text);
    free(text);
    return value;
}

static json_t *shown_command(const ps_item *c, int full)
{
    const char *words = wc_container_info_command(c->info);
    char *text = full || strlen(words) <= 20 ? xstrdup(words) : xasprintf("%.19s…", words), *out = xstrdup("\"");
    for (const char *p = text; *p; p++) { /* quoted as Go does */
        const char *escaped = *p == '"' ? "\\\"" : *p == '\\' ? "\\\\" : *p == '\n' ? "\\n" : *p == '\t' ? "\\t" : NULL;
        char *longer = escaped ? xasprintf("%s%s", out, escaped) : xasprintf("%s%c", out, *p);
        free(out);
        out = longer;
    }
    char *quoted = xasprintf("%s\"", out);
    free(text);
    free(out);
    return to_json(quoted);
}

static json_t *keys_text(json_t *object)
{
    const char *key;
    json_t *value;
    char *text = xstrdup("");
    json_object_foreach(object, key, value)
        text = add_word(text, key);
    return to_json(text);
}

/* As Docker: the names of volumes, and what is bound. */
static json_t *mounts_text(json_t *mounts)
{
    size_t i;
    json_t *mount;
    char *text = xstrdup("");
    json_array_foreach(mounts, i, mount) {
        const char *name = json_string_value(json_object_get(mount, "Name"));
        const char *source = json_string_value(json_object_get(mount, "Source"));
        if (name || source)
            text = add_word(text, name && *name ? name : source);
    }
    return to_json(text);
}

static json_t *volume_count(json_t *mounts)
{
    size_t i, count = 0;
    json_t *mount;
    json_array_foreach(mounts, i, mount) {
        const char *type = json_string_value(json_object_get(mount, "Type"));
        count += type && !strcmp(type, "volume");
    }
    return json_sprintf("%zu", count);
}

static json_t *networks_text(json_t *json)
{
    json_t *networks = json_object_get(json_object_get(json, "NetworkSettings"), "Networks");
    json_t *mode = json_object_get(json_object_get(json, "HostConfig"), "NetworkMode");
    return json_object_size(networks) ? keys_text(networks) : json_text(json_is_string(mode) ? json_string_value(mode) : "");
}

/* `usage` as of wc_system_df(); NULL: sizes are not wanted. */
static json_t *size_text(const ps_item *c, json_t *usage)
{
    size_t i;
    json_t *entry;
    char own[32] = "0B", all[32] = "0B";
    double size = 0, virtual = 0;
    json_array_foreach(json_object_get(usage, "Containers"), i, entry)
        if (!strcmp(json_string_value(json_object_get(entry, "Id")), wc_container_info_id(c->info)))
            size = virtual = (double)json_integer_value(json_object_get(entry, "Size"));
    json_array_foreach(json_object_get(usage, "Images"), i, entry)
        if (!strcmp(json_string_value(json_object_get(entry, "Id")), wc_container_info_image_id(c->info)))
            virtual += (double)json_integer_value(json_object_get(entry, "Size"));
    format_bytes(size, own);
    format_bytes(virtual, all);
    return usage ? json_sprintf("%s (virtual %s)", own, all) : json_string("");
}

/* What only a format of the user's shows. */
static json_t *rarer_columns(ps_item *c, json_t *usage)
{
    char created[64];
    json_t *json = ps_json(c), *mounts = json_object_get(json, "Mounts");
    json_t *labels = json_object_get(json_object_get(json, "Config"), "Labels");
    format_time(wc_container_info_created(c->info), created);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:O?}", "CreatedAt", created, "State",
                     wc_container_info_status_text(c->info), "Labels", json_pairs_text(labels), "Mounts", mounts_text(mounts),
                     "LocalVolumes", volume_count(mounts), "Networks", networks_text(json), "Size", size_text(c, usage),
                     ".labels", labels);
}

static json_t *row_of(ps_item *c, const ps_options *o, json_t *usage)
{
    char id[16], ago[64], *status = status_text(c), *ports = ports_text(c->info);
    format_ago(wc_container_info_created(c->info), ago);
    json_t *row = json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:o, s:s}", "ID",
        o->full ? wc_container_info_id(c->info) : short_id(wc_container_info_id(c->info), id), "Image",
        json_text(familiar_name(wc_container_info_image(c->info))), "Command", shown_command(c, o->full), "RunningFor",
        ago, "Status", status, "Ports", json_text(ports), "Names", wc_container_info_name(c->info));
    if (o->format || o->sizes) {
        json_t *more = rarer_columns(c, usage);
        json_object_update(row, more);
        json_decref(more);
    }
    free(status);
    free(ports);
    return row;
}

/* ---- Which --------------------------------------------------------------------------------------- */

static int is_up(const wc_container_info *info)
{
    int32_t status = wc_container_info_status(info);
    return status == WC_STATUS_RUNNING || status == WC_STATUS_PAUSED || status == WC_STATUS_RESTARTING;
}

/* The newest comes first in the list. */
static size_t choose(const ps_options *o, const wc_list *list, ps_item *out)
{
    size_t count = 0;
    int64_t most = o->latest ? 1 : o->last ? value_number("--last", o->last) : -1;
    int all = o->all || most > 0 || ps_filter_says_state(&o->filters);
    for (size_t i = 0; i < wc_list_count(list) && (most <= 0 || count < (size_t)most); i++) {
        wc_container_info *info = wc_list_container_info(list, i);
        if (!all && !is_up(info))
            continue;
        ps_item item = {info, NULL};
        if (ps_filter_passes(&item, &o->filters))
            out[count++] = item;
        else
            json_decref(item.json);
    }
    return count;
}

/* ---- Printing ------------------------------------------------------------------------------------ */

static void print_ids(const ps_item *items, size_t count, int full)
{
    char id[16];
    for (size_t i = 0; i < count; i++)
        printf("%s\n", full ? wc_container_info_id(items[i].info) : short_id(wc_container_info_id(items[i].info), id));
}

static json_t *read_usage(void)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    TRY(wc_system_df(app_context(), wcctl.cancel, &text, &err));
    json_t *usage = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    wc_buf_unref(text);
    return usage;
}

static void print_rows(ps_item *items, size_t count, const ps_options *o)
{
    json_t *rows = json_array();
    json_t *usage = o->sizes || (o->format && strstr(o->format, ".Size")) ? read_usage() : NULL;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, row_of(&items[i], o, usage));
    json_t *headings = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "ID",
                                 "CONTAINER ID", "Image", "IMAGE", "Command", "COMMAND", "CreatedAt", "CREATED AT",
                                 "RunningFor", "CREATED", "State", "STATE", "Status", "STATUS", "Ports", "PORTS", "Labels",
                                 "LABELS", "Mounts", "MOUNTS", "LocalVolumes", "LOCAL VOLUMES", "Networks", "NETWORKS",
                                 "Size", "SIZE", "Names", "NAMES", ".labels", 1);
    const char *fallback = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
    char *longer = xasprintf("%s%s", fallback, o->sizes ? "\t{{.Size}}" : "");
    format_rows(o->format, longer, headings, rows);
    free(longer);
    json_decref(usage);
}

static void print_json_rows(ps_item *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(array, ps_json(&items[i]));
    print_array(array);
}

int ps_command(int argc, char **argv)
{
    static ps_options o; /* lives as long as the program */
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "also those that do not run", &o.all},
        {'q', "quiet", OPTION_FLAG, NULL, "print ids only", &o.quiet},
        {0, "no-trunc", OPTION_FLAG, NULL, "print whole ids and commands", &o.full},
        {'f', "filter", OPTION_LIST, "KEY=VALUE", "name, id, status, label, ancestor, …", &o.filters},
        {0, "format", OPTION_TEXT, "TEMPLATE", "table, json, or what {{.Field}} says", &o.format},
        {'n', "last", OPTION_TEXT, "NUMBER", "only the newest, in any state", &o.last},
        {'l', "latest", OPTION_FLAG, NULL, "only the newest one, in any state", &o.latest},
        {'s', "size", OPTION_FLAG, NULL, "also what they take on the disk", &o.sizes},
    };
    wc_error *err = NULL;
    wc_list *list = NULL;
    options_read_all("ps", "Lists containers.", options, countof(options), argc, argv);
    ps_filter_check(&o.filters);
    TRY(wc_container_list(app_context(), &list, &err));
    ps_item *items = xrealloc(NULL, (wc_list_count(list) + 1) * sizeof *items);
    size_t count = choose(&o, list, items);
    if (wcctl.json)
        print_json_rows(items, count);
    else if (o.quiet)
        print_ids(items, count, o.full);
    else
        print_rows(items, count, &o);
    for (size_t i = 0; i < count; i++)
        json_decref(items[i].json);
    free(items);
    wc_list_unref(list);
    return 0;
}
