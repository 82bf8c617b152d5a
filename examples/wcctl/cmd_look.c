/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that look at containers and change nothing. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

/* ---- logs ---------------------------------------------------------------------------------------- */

typedef struct log_style {
    int timestamps, flush;
} log_style;

/* As Docker's log files have it. */
static void print_log_json(int32_t channel, const char *when, const wc_buf *line)
{
    print_object(json_pack("{s:o, s:s, s:s}", "log", json_bytes(wc_buf_data(line), wc_buf_size(line)), "stream",
                           channel == WC_STREAM_STDERR ? "stderr" : "stdout", "time", when));
}

static void print_log_line(const log_style *style, int32_t channel, int64_t time_ns, const wc_buf *line)
{
    FILE *to = channel == WC_STREAM_STDERR && !wcctl.json ? stderr : stdout;
    char when[64];
    format_time(time_ns, when);
    if (to == stderr) /* which has no buffer: both may go to one place */
        fflush(stdout);
    if (wcctl.json) {
        print_log_json(channel, when, line);
    } else {
        if (style->timestamps)
            fprintf(to, "%s ", when);
        fwrite(wc_buf_data(line), 1, wc_buf_size(line), to);
    }
    if (style->flush)
        fflush(to);
}

static void print_log(wc_logs *reader, const log_style *style)
{
    for (;;) {
        wc_error *err = NULL;
        int32_t channel = 0;
        int64_t when = 0;
        wc_buf *line = NULL;
        int32_t code = wc_logs_next(reader, &channel, &when, &line, -1, wcctl.cancel, &err);
        if (code == WC_E_CLOSED) {
            wc_error_unref(err);
            return;
        }
        TRY(code);
        print_log_line(style, channel, when, line);
        wc_buf_unref(line);
    }
}

int logs_command(int argc, char **argv)
{
    int follow = 0, timestamps = 0;
    const char *tail = NULL, *since = NULL, *until = NULL;
    const option options[] = {
        {'f', "follow", OPTION_FLAG, NULL, "go on until the container ends", &follow},
        {'n', "tail", OPTION_TEXT, "LINES|all", "only the last lines", &tail},
        {0, "since", OPTION_TEXT, "TIME", "only from this time on", &since},
        {0, "until", OPTION_TEXT, "TIME", "only up to this time", &until},
        {'t', "timestamps", OPTION_FLAG, NULL, "show when", &timestamps},
    };
    wc_error *err = NULL;
    wc_log_options *o = NULL;
    wc_logs *reader = NULL;
    argc = options_read("logs", "[OPTIONS] CONTAINER", "Prints what a container wrote.", options, countof(options), 0,
                        argc, argv);
    if (argc != 1)
        die_usage("logs takes one CONTAINER");
    wc_container *container = open_container(argv[0]);
    TRY(wc_log_options_new(&o, &err));
    TRY(wc_log_options_set_follow(o, follow, &err));
    if (tail && strcmp(tail, "all"))
        TRY(wc_log_options_set_tail(o, value_number("--tail", tail), &err));
    if (since)
        TRY(wc_log_options_set_since(o, value_time_ns("--since", since), &err));
    if (until)
        TRY(wc_log_options_set_until(o, value_time_ns("--until", until), &err));
    TRY(wc_container_logs(container, o, &reader, &err));
    print_log(reader, &(log_style){timestamps, follow});
    wc_logs_unref(reader);
    wc_log_options_unref(o);
    wc_container_unref(container);
    return 0;
}

/* ---- ps ------------------------------------------------------------------------------------------ */

static void ps_row(table *out, wc_container_info *info, int full)
{
    char id[16], created[64], ago[64], status[128], command_text[32];
    const char *text = wc_container_info_command(info);
    format_ago(wc_container_info_created(info), created);
    int32_t state = wc_container_info_status(info);
    if (state == WC_STATUS_EXITED) {
        format_ago(wc_container_info_finished(info), ago);
        snprintf(status, sizeof status, "Exited (%d) %s", (int)wc_container_info_exit_code(info), ago);
    } else if (state == WC_STATUS_RESTARTING) {
        format_ago(wc_container_info_finished(info), ago);
        snprintf(status, sizeof status, "Restarting (%d) %s", (int)wc_container_info_exit_code(info), ago);
    } else if (state == WC_STATUS_RUNNING || state == WC_STATUS_PAUSED) {
        format_ago(wc_container_info_started(info), ago);
        snprintf(status, sizeof status, "Up %.*s%s", (int)strlen(ago) - 4, ago,
                 state == WC_STATUS_PAUSED ? " (Paused)" : "");
    } else {
        const char *word = wc_container_info_status_text(info);
        snprintf(status, sizeof status, "%c%s", *word & ~0x20, word + 1);
    }
    char *ports = ports_text(info);
    snprintf(command_text, sizeof command_text, full || strlen(text) <= 20 ? "\"%.24s\"" : "\"%.19s…\"", text);
    const char *cells[] = {full ? wc_container_info_id(info) : short_id(wc_container_info_id(info), id),
                           familiar_name(wc_container_info_image(info)),
                           command_text,
                           created,
                           status,
                           ports,
                           wc_container_info_name(info)};
    table_row(out, cells);
    free(ports);
}

static int has_name(const wc_container_info *info, const char *value)
{
    return strstr(wc_container_info_name(info), value) != NULL;
}

static int has_id(const wc_container_info *info, const char *value)
{
    return !strncmp(wc_container_info_id(info), value, strlen(value));
}

static int has_status(const wc_container_info *info, const char *value)
{
    return !strcmp(wc_container_info_status_text(info), value);
}

/* KEY or KEY=VALUE */
static int has_label(const wc_container_info *info, const char *value)
{
    char *key = xstrdup(value), *wanted = strchr(key, '=');
    if (wanted)
        *wanted++ = '\0';
    const char *label = wc_container_info_label(info, key);
    int result = label && (!wanted || !strcmp(label, wanted));
    free(key);
    return result;
}

static const struct {
    const char *key;
    int (*passes)(const wc_container_info *info, const char *value);
} filter_kinds[] = {{"name=", has_name}, {"id=", has_id}, {"status=", has_status}, {"label=", has_label}};

/* Its index, after which the value begins. */
static size_t filter_kind(const char *filter)
{
    for (size_t i = 0; i < countof(filter_kinds); i++)
        if (!strncmp(filter, filter_kinds[i].key, strlen(filter_kinds[i].key)))
            return i;
    die_usage("--filter '%s': write KEY=VALUE; the keys are name, id, status and label", filter);
}

static int passes(const wc_container_info *info, const char *filter)
{
    size_t kind = filter_kind(filter);
    return filter_kinds[kind].passes(info, filter + strlen(filter_kinds[kind].key));
}

/* Those that a command line asks for: running ones unless something else is said. */
static int is_shown(const wc_container_info *info, int all, const text_list *filters)
{
    int32_t status = wc_container_info_status(info);
    int shown = all || filters->count || status == WC_STATUS_RUNNING || status == WC_STATUS_PAUSED ||
                status == WC_STATUS_RESTARTING;
    for (size_t i = 0; i < filters->count && shown; i++)
        shown = passes(info, filters->items[i]);
    return shown;
}

static wc_list *chosen(int all, const text_list *filters, wc_container_info ***out, size_t *count)
{
    wc_error *err = NULL;
    wc_list *list = NULL;
    for (size_t i = 0; i < filters->count; i++)
        filter_kind(filters->items[i]); /* also when there is nothing to list */
    TRY(wc_container_list(app_context(), &list, &err));
    *out = xrealloc(NULL, (wc_list_count(list) + 1) * sizeof **out);
    *count = 0;
    for (size_t i = 0; i < wc_list_count(list); i++) {
        wc_container_info *info = wc_list_container_info(list, i);
        if (is_shown(info, all, filters))
            (*out)[(*count)++] = info;
    }
    return list;
}

static void ps_json(wc_container_info *const *shown, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_loads(wc_container_info_json(shown[i]), 0, NULL));
    print_array(array);
}

static void ps_ids(wc_container_info *const *shown, size_t count, int full)
{
    char id[16];
    for (size_t i = 0; i < count; i++)
        printf("%s\n", full ? wc_container_info_id(shown[i]) : short_id(wc_container_info_id(shown[i]), id));
}

static void ps_table(wc_container_info *const *shown, size_t count, int full)
{
    static const char *const headings[] = {"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"};
    table *out = table_new(headings, countof(headings));
    for (size_t i = 0; i < count; i++)
        ps_row(out, shown[i], full);
    table_print(out);
    table_free(out);
}

int ps_command(int argc, char **argv)
{
    int all = 0, quiet = 0, full = 0;
    static text_list filters; /* lives as long as the program */
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "also those that do not run", &all},
        {'q', "quiet", OPTION_FLAG, NULL, "print ids only", &quiet},
        {0, "no-trunc", OPTION_FLAG, NULL, "print whole ids", &full},
        {'f', "filter", OPTION_LIST, "KEY=VALUE", "name, id, status or label", &filters},
    };
    wc_container_info **shown = NULL;
    size_t count = 0;
    options_read_all("ps", "Lists containers.", options, countof(options), argc, argv);
    wc_list *list = chosen(all, &filters, &shown, &count);
    if (wcctl.json)
        ps_json(shown, count);
    else if (quiet)
        ps_ids(shown, count, full);
    else
        ps_table(shown, count, full);
    free(shown);
    wc_list_unref(list);
    return 0;
}

/* ---- inspect ------------------------------------------------------------------------------------- */

static int32_t container_json(const char *name, json_t **out, wc_error **err)
{
    wc_container *container = NULL;
    wc_container_info *info = NULL;
    int32_t code = wc_container_open(app_context(), name, &container, err);
    if (!code)
        code = wc_container_inspect(container, &info, err);
    if (!code)
        *out = json_loads(wc_container_info_json(info), 0, NULL);
    wc_container_info_unref(info);
    wc_container_unref(container);
    return code;
}

static int32_t image_json(const char *name, json_t **out, wc_error **err)
{
    wc_image *image = NULL;
    wc_buf *json = NULL;
    int32_t code = wc_image_open(app_context(), name, &image, err);
    if (!code)
        code = wc_image_inspect(image, &json, err);
    if (!code)
        *out = json_loadb(wc_buf_data(json), wc_buf_size(json), 0, NULL);
    wc_buf_unref(json);
    wc_image_unref(image);
    return code;
}

/* The object for one name; NULL, and a word on standard error, when there is none. */
static json_t *inspect_one(const char *name, const char *type)
{
    wc_error *err = NULL;
    json_t *object = NULL;
    int32_t code = WC_E_NOT_FOUND;
    if (!type || !strcmp(type, "container"))
        code = container_json(name, &object, &err);
    if (code == WC_E_NOT_FOUND && (!type || !strcmp(type, "image"))) {
        wc_error_unref(err);
        err = NULL;
        code = image_json(name, &object, &err);
    }
    if (code == WC_E_NOT_FOUND) {
        fprintf(stderr, "wcctl: '%s': no such %s\n", name, type ? type : "container or image");
        wc_error_unref(err);
    } else if (code) {
        complain(err);
    }
    return object;
}

int inspect_command(int argc, char **argv)
{
    const char *type = NULL;
    const option options[] = {{0, "type", OPTION_TEXT, "container|image", "look only for these", &type}};
    argc = options_read("inspect", "[OPTIONS] CONTAINER|IMAGE [CONTAINER|IMAGE ...]",
                        "Prints what is known of containers and images, as JSON.", options, countof(options), 0, argc, argv);
    if (!argc)
        die_usage("inspect takes at least one CONTAINER or IMAGE");
    if (type && strcmp(type, "container") && strcmp(type, "image"))
        die_usage("--type takes container or image, not '%s'", type);
    json_t *found = json_array();
    for (int i = 0; i < argc; i++) {
        json_t *object = inspect_one(argv[i], type);
        if (object)
            json_array_append_new(found, object);
    }
    int result = json_array_size(found) < (size_t)argc;
    json_dumpf(found, stdout, JSON_INDENT(4));
    putchar('\n');
    json_decref(found);
    return result;
}
