/* SPDX-License-Identifier: Apache-2.0 */
/* Figures, processes and events. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wcctl.h"

/* ---- stats --------------------------------------------------------------------------------------- */

/* As Docker: powers of 1024. */
static void format_binary(int64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < countof(units); unit++)
        value /= 1024;
    snprintf(out, 32, "%.4g%s", value, units[unit]);
}

static json_t *io_text(int64_t in, int64_t out)
{
    char a[32], b[32];
    format_bytes((double)in, a);
    format_bytes((double)out, b);
    return json_sprintf("%s / %s", a, b);
}

static json_t *stats_row(const wc_stats *s, int full)
{
    char id[16], used[32], limit[32];
    const char *shown = full ? wc_stats_id(s) : short_id(wc_stats_id(s), id);
    double share = wc_stats_memory_limit(s) ? (double)wc_stats_memory(s) / (double)wc_stats_memory_limit(s) * 100 : 0;
    format_binary(wc_stats_memory(s), used);
    format_binary(wc_stats_memory_limit(s), limit);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "Container", shown, "ID", shown, "Name",
                     wc_stats_name(s), "CPUPerc", json_sprintf("%.2f%%", (double)wc_stats_nano_cpus(s) / 1e7), "MemUsage",
                     json_sprintf("%s / %s", used, limit), "MemPerc", json_sprintf("%.2f%%", share), "NetIO",
                     io_text(wc_stats_received_bytes(s), wc_stats_sent_bytes(s)), "BlockIO",
                     io_text(wc_stats_read_bytes(s), wc_stats_written_bytes(s)), "PIDs",
                     json_sprintf("%lld", (long long)wc_stats_pids(s)));
}

/* With what only differences tell. */
static json_t *stats_object(const wc_stats *s)
{
    json_t *object = json_loads(wc_stats_json(s), 0, NULL);
    json_object_set_new(object, "nano_cpus", json_integer(wc_stats_nano_cpus(s)));
    return object;
}

static void print_stats(const wc_list *list, const char *format, int full)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < wc_list_count(list); i++)
        json_array_append_new(rows, wcctl.json ? stats_object(wc_list_stats(list, i)) : stats_row(wc_list_stats(list, i), full));
    if (wcctl.json) {
        print_array(rows);
        return;
    }
    json_t *headings = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Container", "CONTAINER", "ID",
                                 "CONTAINER ID", "Name", "NAME", "CPUPerc", "CPU %", "MemUsage", "MEM USAGE / LIMIT",
                                 "MemPerc", "MEM %", "NetIO", "NET I/O", "BlockIO", "BLOCK I/O", "PIDs", "PIDS");
    format_rows(format,
                "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
                headings, rows);
}

typedef struct watched {
    wc_container **items;
    size_t count;
} watched;

static watched watch_named(int argc, char **argv)
{
    watched w = {xrealloc(NULL, ((size_t)argc + 1) * sizeof *w.items), (size_t)argc};
    for (int i = 0; i < argc; i++)
        w.items[i] = open_container(argv[i]);
    return w;
}

/* -a: those that do not run, too. */
static watched watch_all(void)
{
    wc_error *err = NULL;
    wc_list *list = NULL;
    TRY(wc_container_list(app_context(), &list, &err));
    watched w = {xrealloc(NULL, (wc_list_count(list) + 1) * sizeof *w.items), wc_list_count(list)};
    for (size_t i = 0; i < w.count; i++)
        w.items[i] = open_container(wc_container_info_id(wc_list_container_info(list, i)));
    wc_list_unref(list);
    return w;
}

/* The first look cannot tell of the processor yet: it is not shown. */
static void watch(wc_stats_reader *reader, const char *format, int once, int full)
{
    wc_error *err = NULL;
    int clears = isatty(STDOUT_FILENO) && !once && !wcctl.json && (!format || !strncmp(format, "table", 5));
    for (int look = 0; !once || look < 2; look++) {
        wc_list *list = NULL;
        TRY(wc_stats_next(reader, wcctl.cancel, &list, &err));
        if (look && clears)
            fputs("\033[2J\033[H", stdout);
        if (look)
            print_stats(list, format, full);
        fflush(stdout);
        wc_list_unref(list);
    }
}

static int stats(int argc, char **argv)
{
    int all = 0, once = 0, full = 0;
    const char *format = NULL;
    text_list groups = {NULL, 0};
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "also those that do not run", &all},
        {0, "no-stream", OPTION_FLAG, NULL, "look once", &once},
        {0, "no-trunc", OPTION_FLAG, NULL, "print whole ids", &full},
        {0, "format", OPTION_TEXT, "TEMPLATE", "table, json, or what {{.Field}} says", &format},
        {0, "group", OPTION_LIST, "GROUP", "how groups are divided and used, once", &groups},
    };
    wc_error *err = NULL;
    wc_stats_reader *reader = NULL;
    argc = options_read("stats", "[OPTIONS] [CONTAINER ...]", "Shows what containers use, every second.", options,
                        countof(options), 0, argc, argv);
    if (groups.count && (argc || all || full || format))
        die_usage("stats --group takes no CONTAINER and none of the options --all, --no-trunc and --format");
    if (groups.count)
        return group_stats((int)groups.count, (char **)(uintptr_t)groups.items);
    watched w = argc || !all ? watch_named(argc, argv) : watch_all();
    if (all && !argc && !w.count) { /* nothing, and not those that run */
        print_stats(NULL, format, full);
        return 0;
    }
    TRY(wc_stats_open(app_context(), w.items, w.count, 1000000000, &reader, &err));
    watch(reader, format, once, full);
    wc_stats_reader_unref(reader);
    for (size_t i = 0; i < w.count; i++)
        wc_container_unref(w.items[i]);
    free(w.items);
    return 0;
}

/* ---- top ----------------------------------------------------------------------------------------- */

static void print_cells(table **out, json_t *row)
{
    const char *cells[64] = {0};
    size_t i, count = json_array_size(row) < countof(cells) ? json_array_size(row) : countof(cells);
    for (i = 0; i < count; i++)
        cells[i] = json_string_value(json_array_get(row, i));
    if (*out)
        table_row(*out, cells);
    else
        *out = table_new(cells, count);
}

static int top(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    table *out = NULL;
    argc = options_read("top", "CONTAINER [ARG ...]", "Shows the processes of a container; the arguments are options of ps.",
                        NULL, 0, 1, argc, argv);
    if (!argc)
        die_usage("top takes CONTAINER and options of ps");
    wc_container *container = open_container(argv[0]);
    TRY(wc_container_processes(container, (const char *const *)argv + 1, (size_t)argc - 1, wcctl.cancel, &text, &err));
    json_t *answer = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL), *row;
    size_t i;
    if (wcctl.json) {
        print_object(json_incref(answer));
    } else {
        print_cells(&out, json_object_get(answer, "Titles"));
        json_array_foreach(json_object_get(answer, "Processes"), i, row)
            print_cells(&out, row);
        table_print(out);
        table_free(out);
    }
    json_decref(answer);
    wc_buf_unref(text);
    wc_container_unref(container);
    return 0;
}

/* ---- events -------------------------------------------------------------------------------------- */

static json_t *event_object(const wc_event *event)
{
    char when[64];
    format_time(wc_event_time(event), when);
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:o}", "Type", wc_event_type(event), "Action", wc_event_action(event),
                     "Id", json_text(wc_event_id(event)), "time", when, "cursor", wc_event_cursor(event), "Attributes",
                     json_loads(wc_event_attributes(event), 0, NULL));
}

/* In Docker's shape, for --format. */
static json_t *event_row(const wc_event *event)
{
    json_t *attributes = json_loads(wc_event_attributes(event), 0, NULL);
    const char *image = json_string_value(json_object_get(attributes, "image"));
    int64_t when = wc_event_time(event);
    json_t *row = json_pack("{s:s, s:o, s:s, s:s, s:s, s:{s:o, s:O}, s:s, s:I, s:I}", "status", wc_event_action(event), "id",
                            json_text(wc_event_id(event)), "from", image ? image : "", "Type", wc_event_type(event), "Action",
                            wc_event_action(event), "Actor", "ID", json_text(wc_event_id(event)), "Attributes", attributes,
                            "scope", "local", "time", (json_int_t)(when / 1000000000), "timeNano", (json_int_t)when);
    json_decref(attributes);
    return row;
}

static void print_event(const wc_event *event, const char *format)
{
    char when[64];
    format_time(wc_event_time(event), when);
    if (wcctl.json)
        print_object(event_object(event));
    else if (format) {
        json_t *row = event_row(event);
        format_line(format, row);
        json_decref(row);
    } else
        printf("%s %s %s %s %s\n", when, wc_event_type(event), wc_event_action(event), wc_event_id(event),
               wc_event_attributes(event));
    fflush(stdout);
}

static void add_filters(wc_events_options *o, const text_list *filters)
{
    wc_error *err = NULL;
    for (size_t i = 0; i < filters->count; i++) {
        char *key;
        const char *value;
        cut_pair("--filter", filters->items[i], &key, &value);
        TRY(wc_events_options_add_filter(o, key, value, &err));
        free(key);
    }
}

static int events(int argc, char **argv)
{
    static text_list filters; /* lives as long as the program */
    const char *cursor = NULL, *since = NULL, *until = NULL, *format = NULL;
    int past = 0;
    const option options[] = {
        {'f', "filter", OPTION_LIST, "KEY=VALUE", "type, event, container, image, volume, network or label", &filters},
        {0, "since", OPTION_TEXT, "TIME", "begin with what happened then", &since},
        {0, "until", OPTION_TEXT, "TIME", "end at this time", &until},
        {0, "format", OPTION_TEXT, "TEMPLATE", "json, or what {{.Field}} says", &format},
        {0, "after", OPTION_MAYBE, "CURSOR", "go on after this event; \"\" begins with the oldest", &cursor},
        {0, "no-follow", OPTION_FLAG, NULL, "end after the last event there is", &past},
    };
    wc_error *err = NULL;
    wc_events *reader = NULL;
    wc_events_options *o = NULL;
    options_read_all("events", "Prints what happens in the store.", options, countof(options), argc, argv);
    TRY(wc_events_options_new(&o, &err));
    add_filters(o, &filters);
    if (cursor)
        TRY(wc_events_options_set_cursor(o, cursor, &err));
    if (since)
        TRY(wc_events_options_set_since(o, value_time_ns("--since", since), &err));
    if (until)
        TRY(wc_events_options_set_until(o, value_time_ns("--until", until), &err));
    TRY(wc_events_open_with(app_context(), o, &reader, &err));
    for (;;) {
        wc_event *event = NULL;
        int32_t code = wc_events_next(reader, past ? 0 : -1, wcctl.cancel, &event, &err);
        if (code == WC_E_TIMEOUT || code == WC_E_CLOSED)
            break;
        TRY(code);
        print_event(event, format);
        wc_event_unref(event);
    }
    wc_error_unref(err);
    wc_events_unref(reader);
    wc_events_options_unref(o);
    return 0;
}

const command watch_commands[] = {
    {"stats", stats, "what containers use"},
    {"top", top, "the processes of a container"},
    {"events", events, "what happens in the store"},
    {NULL, NULL, NULL},
};
