/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wcctl.h"

static wc_volume *open_volume(const char *name)
{
    wc_error *err = NULL;
    wc_volume *volume = NULL;
    TRY(wc_volume_open(app_context(), name, &volume, &err));
    return volume;
}

/* What inspect tells; the caller releases it. */
static json_t *describe(wc_volume *volume)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    TRY(wc_volume_inspect(volume, &text, &err));
    json_t *json = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    wc_buf_unref(text);
    return json;
}

/* ---- create ------------------------------------------------------------------------------------- */

/* "KEY=VALUE"; a label may have no value. */
static void add_pairs(wc_volume_options *options, const text_list *list, const char *what, int needs_value,
                      int32_t (*add)(wc_volume_options *, const char *, const char *, wc_error **))
{
    wc_error *err = NULL;
    for (size_t i = 0; i < list->count; i++) {
        char *key;
        const char *value;
        if (needs_value)
            cut_pair(what, list->items[i], &key, &value);
        else
            cut_text(list->items[i], '=', &key, &value);
        TRY(add(options, key, value ? value : "", &err));
        free(key);
    }
}

static int create(int argc, char **argv)
{
    const char *driver = NULL, *name = NULL;
    text_list opts = {NULL, 0}, labels = {NULL, 0};
    const option options[] = {
        {'d', "driver", OPTION_TEXT, "local", "the driver; there is one", &driver},
        {'o', "opt", OPTION_LIST, "type|device|o=VALUE", "what is to be mounted instead", &opts},
        {0, "label", OPTION_LIST, "KEY[=VALUE]", "set a label", &labels},
        {0, "name", OPTION_TEXT, "NAME", "same as the argument", &name},
    };
    wc_error *err = NULL;
    wc_volume_options *wanted = NULL;
    wc_volume *volume = NULL;
    argc = options_read("volume create", "[OPTIONS] [NAME]", "Makes a volume.", options, countof(options), 0, argc, argv);
    if (argc > 1 || (argc && name))
        die_usage("volume create takes one NAME");
    TRY(wc_volume_options_new(&wanted, &err));
    if (driver)
        TRY(wc_volume_options_set_driver(wanted, driver, &err));
    add_pairs(wanted, &opts, "--opt", 1, wc_volume_options_add_option);
    add_pairs(wanted, &labels, "--label", 0, wc_volume_options_add_label);
    TRY(wc_volume_create(app_context(), argc ? argv[0] : name, wanted, wcctl.cancel, &volume, &err));
    if (wcctl.json)
        print_object(describe(volume));
    else
        printf("%s\n", wc_volume_name(volume));
    wc_volume_unref(volume);
    wc_volume_options_unref(wanted);
    return 0;
}

/* ---- ls, inspect -------------------------------------------------------------------------------- */

/* dangling=true|false, driver=D, label=K[=V], name=PART; several of one kind: any of them, except labels. */
static int has_label(json_t *volume, const char *wanted)
{
    const char *equals = strchr(wanted, '=');
    char *key = xstrdup(wanted);
    if (equals)
        key[equals - wanted] = '\0';
    const char *value = json_string_value(json_object_get(json_object_get(volume, "Labels"), key));
    free(key);
    return value && (!equals || !strcmp(value, equals + 1));
}

static int matches(json_t *volume, const char *key, const char *value)
{
    if (!strcmp(key, "name"))
        return strstr(json_string_value(json_object_get(volume, "Name")), value) != NULL;
    if (!strcmp(key, "driver"))
        return !strcmp(json_string_value(json_object_get(volume, "Driver")), value);
    if (!strcmp(key, "label"))
        return has_label(volume, value);
    int is_dangling = !json_array_size(json_object_get(volume, "Containers"));
    return is_dangling == (!strcmp(value, "true") || !strcmp(value, "1"));
}

static int is_wanted(json_t *volume, const text_list *filters)
{
    static const char *const keys[] = {"name", "driver", "label", "dangling"};
    for (size_t k = 0; k < countof(keys); k++) {
        size_t asked = 0, met = 0, size = strlen(keys[k]);
        for (size_t i = 0; i < filters->count; i++)
            if (!strncmp(filters->items[i], keys[k], size) && filters->items[i][size] == '=') {
                asked++;
                met += (size_t)matches(volume, keys[k], filters->items[i] + size + 1);
            }
        if (asked && (!strcmp(keys[k], "label") ? met < asked : !met))
            return 0;
    }
    return 1;
}

static void check_filters(const text_list *filters)
{
    static const char *const known[] = {"name=", "driver=", "label=", "dangling="};
    for (size_t i = 0; i < filters->count; i++) {
        size_t k = 0;
        while (k < countof(known) && strncmp(filters->items[i], known[k], strlen(known[k])))
            k++;
        if (k == countof(known))
            die_usage("--filter '%s': there are name=, driver=, label= and dangling=true|false", filters->items[i]);
    }
}

static json_t *list_volumes(const text_list *filters)
{
    wc_error *err = NULL;
    wc_list *list = NULL;
    json_t *all = json_array();
    TRY(wc_volume_list(app_context(), &list, &err));
    for (size_t i = 0; i < wc_list_count(list); i++) {
        json_t *volume = describe(wc_list_volume(list, i));
        if (is_wanted(volume, filters))
            json_array_append(all, volume);
        json_decref(volume);
    }
    wc_list_unref(list);
    return all;
}

static json_t *row_of(json_t *volume)
{
    json_t *labels = json_object_get(volume, "Labels");
    return json_pack("{s:O, s:O, s:O, s:s, s:o, s:i, s:s, s:O}", "Name", json_object_get(volume, "Name"), "Driver",
                     json_object_get(volume, "Driver"), "Mountpoint", json_object_get(volume, "Mountpoint"), "Scope",
                     "local", "Labels", json_pairs_text(labels), "Links",
                     (int)json_array_size(json_object_get(volume, "Containers")), "Size", "N/A", ".labels", labels);
}

static void print_volumes(json_t *volumes, const char *format)
{
    size_t i;
    json_t *volume, *rows = json_array();
    json_array_foreach(volumes, i, volume)
        json_array_append_new(rows, row_of(volume));
    json_t *headings = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "Name", "VOLUME NAME", "Driver", "DRIVER",
                                 "Mountpoint", "MOUNTPOINT", "Scope", "SCOPE", "Labels", "LABELS", "Links", "LINKS", "Size",
                                 "SIZE", ".labels", 1);
    format_rows(format, "table {{.Driver}}\t{{.Name}}", headings, rows);
}

static int ls(int argc, char **argv)
{
    text_list filters = {NULL, 0};
    int quiet = 0;
    const char *format = NULL;
    const option options[] = {
        {'f', "filter", OPTION_LIST, "KEY=VALUE", "name, driver, label, dangling", &filters},
        {0, "format", OPTION_MAYBE, "TEMPLATE", "table, json, or what {{.Field}} says", &format},
        {'q', "quiet", OPTION_FLAG, NULL, "only names", &quiet},
    };
    options_read_all("volume ls", "Lists volumes.", options, countof(options), argc, argv);
    check_filters(&filters);
    json_t *all = list_volumes(&filters);
    if (wcctl.json) {
        print_array(all);
        return 0;
    }
    print_volumes(all, quiet ? "{{.Name}}" : format);
    json_decref(all);
    return 0;
}

static int inspect(int argc, char **argv)
{
    int with_size = 0, result = 0;
    const char *format = NULL;
    const option options[] = {
        FORMAT_OPTION(format),
        {'s', "size", OPTION_FLAG, NULL, "also how much it takes", &with_size},
    };
    json_t *all = json_array();
    argc = options_read("volume inspect", "[OPTIONS] VOLUME [VOLUME ...]", "Tells all about volumes.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("volume inspect takes at least one VOLUME");
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        wc_volume *volume = NULL;
        int64_t bytes = 0;
        if (wc_volume_open(app_context(), argv[i], &volume, &err)) {
            complain(err);
            result = 1;
            continue;
        }
        json_t *one = describe(volume);
        if (with_size) {
            TRY(wc_volume_size(volume, wcctl.cancel, &bytes, &err));
            json_object_set_new(one, "Size", json_integer(bytes));
        }
        json_array_append_new(all, one);
        wc_volume_unref(volume);
    }
    format_found(wcctl.json ? NULL : format, all);
    return result;
}

/* ---- rm, prune ---------------------------------------------------------------------------------- */

static int remove_one(const char *name, int force)
{
    wc_error *err = NULL;
    wc_volume *volume = NULL;
    int32_t code = wc_volume_open(app_context(), name, &volume, &err);
    if (code == WC_E_NOT_FOUND && force) { /* Docker names it, too */
        wc_error_unref(err);
        err = NULL;
        code = WC_OK;
    }
    if (!code && volume)
        code = wc_volume_remove(volume, force ? WC_VOLUME_FORCE : 0, wcctl.cancel, &err);
    wc_volume_unref(volume);
    if (code == WC_E_CANCELLED)
        die(code, err);
    if (code) {
        complain(err);
        return 1;
    }
    if (wcctl.json)
        print_texts("Name", name, NULL);
    else
        printf("%s\n", name);
    return 0;
}

static int rm(int argc, char **argv)
{
    int force = 0, result = 0;
    const option options[] = {{'f', "force", OPTION_FLAG, NULL, "one that is not there is no error", &force}};
    argc = options_read("volume rm", "[OPTIONS] VOLUME [VOLUME ...]", "Removes volumes that no container uses.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("volume rm takes at least one VOLUME");
    for (int i = 0; i < argc; i++)
        result |= remove_one(argv[i], force);
    return result;
}

static int confirm(int all)
{
    fprintf(stderr, "This removes all %svolumes that no container uses. Go on? [y/N] ", all ? "" : "anonymous ");
    int answer = getchar();
    return answer == 'y' || answer == 'Y';
}

static void print_pruned(const wc_list *removed, int64_t bytes)
{
    char size[32];
    if (wcctl.json) {
        print_object(json_pack("{s:o, s:I}", "Removed", json_list(removed), "SpaceReclaimed", (json_int_t)bytes));
        return;
    }
    if (wc_list_count(removed))
        printf("Deleted Volumes:\n");
    for (size_t i = 0; i < wc_list_count(removed); i++)
        printf("%s\n", wc_list_string(removed, i));
    format_bytes((double)bytes, size);
    printf("%sTotal reclaimed space: %s\n", wc_list_count(removed) ? "\n" : "", size);
}

static int prune(int argc, char **argv)
{
    int all = 0, force = 0;
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "named volumes, too", &all},
        {'f', "force", OPTION_FLAG, NULL, "do not ask", &force},
    };
    wc_error *err = NULL;
    wc_list *removed = NULL;
    int64_t bytes = 0;
    options_read_all("volume prune", "Removes anonymous volumes that no container uses.", options, countof(options), argc,
                     argv);
    if (!force && !confirm(all))
        return 1;
    TRY(wc_volume_prune(app_context(), all ? WC_VOLUME_PRUNE_ALL : 0, wcctl.cancel, &bytes, &removed, &err));
    print_pruned(removed, bytes);
    wc_list_unref(removed);
    return 0;
}

/* ---- export, import ----------------------------------------------------------------------------- */

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) {
        fprintf(stderr, "wcctl: '%s': %s\n", path, strerror(errno));
        exit(EXIT_OURS);
    }
    return fd;
}

static int export_volume(int argc, char **argv)
{
    const char *output = NULL;
    const option options[] = {
        {'o', "output", OPTION_TEXT, "FILE", "file to write; default standard output", &output}};
    wc_error *err = NULL;
    argc = options_read("volume export", "[OPTIONS] VOLUME", "Writes what a volume holds as a tar.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("volume export takes one VOLUME");
    if (!output && isatty(STDOUT_FILENO))
        die_usage("volume export would write a tar to a terminal; take -o FILE or a pipe");
    wc_volume *volume = open_volume(argv[0]);
    char *beside = output ? xasprintf("%s.part", output) : NULL;
    int fd = output ? open_file(beside, O_WRONLY | O_CREAT | O_TRUNC) : STDOUT_FILENO;
    int32_t code = wc_volume_export_fd(volume, fd, wcctl.cancel, &err);
    if (code == WC_E_CLOSED)
        exit(EXIT_BROKEN_PIPE);
    if (code && output)
        unlink(beside);
    TRY(code);
    if (output && (close(fd) || rename(beside, output))) {
        fprintf(stderr, "wcctl: '%s': %s\n", output, strerror(errno));
        return EXIT_OURS;
    }
    if (wcctl.json && output)
        print_texts("Name", argv[0], "Target", output, NULL);
    free(beside);
    wc_volume_unref(volume);
    return 0;
}

static int import_volume(int argc, char **argv)
{
    wc_error *err = NULL;
    argc = options_read("volume import", "[OPTIONS] VOLUME FILE|-",
                        "Unpacks a tar, compressed or not, into a volume; what is there stays.", NULL, 0, 0, argc, argv);
    if (argc != 2)
        die_usage("volume import takes a VOLUME and a FILE");
    wc_volume *volume = open_volume(argv[0]);
    int fd = strcmp(argv[1], "-") ? open_file(argv[1], O_RDONLY) : STDIN_FILENO;
    TRY(wc_volume_import_fd(volume, fd, wcctl.cancel, &err));
    if (wcctl.json)
        print_object(describe(volume));
    wc_volume_unref(volume);
    return 0;
}

static const command volume_table[] = {
    {"create", create, "make a volume"},
    {"ls", ls, "list volumes"},
    {"inspect", inspect, "tell all about volumes"},
    {"rm", rm, "remove volumes"},
    {"prune", prune, "remove volumes that nobody uses"},
    {"export", export_volume, "write what a volume holds as a tar"},
    {"import", import_volume, "unpack a tar into a volume"},
    {NULL, NULL, NULL},
};

static int volume_command(int argc, char **argv)
{
    return subcommand("volume", volume_table, argc, argv);
}

const command volume_commands[] = {
    {"volume", volume_command, "create, ls, inspect, rm, prune, export, import"},
    {NULL, NULL, NULL},
};
