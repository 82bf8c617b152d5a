/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on containers. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_options.h"

static wc_container *open_container(const char *name)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    TRY(wc_container_open(app_context(), name, &container, &err));
    return container;
}

static int create(int argc, char **argv)
{
    static run_options o; /* its lists live as long as the program */
    argc = run_options_read(&o, "create", argc, argv);
    wc_container *container = run_options_create(&o, argc, argv);
    printf("%s\n", wc_container_id(container));
    wc_container_unref(container);
    return 0;
}

/* A container that could not be started is removed again when --rm was given, as Docker does. */
static void start_or_die(wc_container *container, uint64_t attach, int remove, wc_stream **stream)
{
    wc_error *err = NULL;
    int32_t code = wc_container_start(container, attach, wcctl.cancel, stream, &err);
    if (code && remove)
        wc_container_remove(container, WC_REMOVE_FORCE, NULL, NULL);
    TRY(code);
}

static int run(int argc, char **argv)
{
    static run_options o; /* its lists live as long as the program */
    wc_stream *stream = NULL;
    int32_t exit_code = 0;
    argc = run_options_read(&o, "run", argc, argv);
    if (o.tty && !o.detach && o.interactive && !isatty(STDIN_FILENO))
        die_usage("-t: standard input is not a terminal; leave -t out");
    wc_container *container = run_options_create(&o, argc, argv);
    start_or_die(container, o.detach ? 0 : run_options_attach(&o), o.remove, &stream);
    if (o.detach) {
        printf("%s\n", wc_container_id(container));
    } else {
        exit_code = attach_run(&(attachment){
            .stream = stream,
            .container = container,
            .until = o.remove ? WC_WAIT_REMOVED : WC_WAIT_NOT_RUNNING,
            .with_stdin = (run_options_attach(&o) & WC_ATTACH_STDIN) && o.interactive,
            .tty = o.tty,
        });
    }
    wc_container_unref(container);
    return exit_code;
}

/* What one command does to each of several containers. */
typedef struct action {
    const char *signal;
    int64_t timeout_ns;
    int force;
} action;

static int32_t for_kill(wc_container *c, const action *a, wc_error **err)
{
    return wc_container_kill(c, a->signal, err);
}

static int32_t for_stop(wc_container *c, const action *a, wc_error **err)
{
    return wc_container_stop(c, a->timeout_ns, wcctl.cancel, err);
}

static int32_t for_start(wc_container *c, const action *a, wc_error **err)
{
    (void)a;
    return wc_container_start(c, 0, wcctl.cancel, NULL, err);
}

static int32_t for_restart(wc_container *c, const action *a, wc_error **err)
{
    int32_t code = wc_container_stop(c, a->timeout_ns, wcctl.cancel, err);
    return code ? code : wc_container_start(c, 0, wcctl.cancel, NULL, err);
}

static int32_t for_rm(wc_container *c, const action *a, wc_error **err)
{
    return wc_container_remove(c, a->force ? WC_REMOVE_FORCE : 0, wcctl.cancel, err);
}

/* Goes on after a failure, as Docker does, and ends with 1 then. Prints each name that worked. */
static int for_each(int argc, char **argv, const action *a, int32_t (*act)(wc_container *, const action *, wc_error **))
{
    int result = 0;
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        wc_container *container = NULL;
        int32_t code = wc_container_open(app_context(), argv[i], &container, &err);
        if (!code)
            code = act(container, a, &err);
        if (code) {
            complain(err);
            result = 1;
        } else {
            printf("%s\n", argv[i]);
        }
        wc_container_unref(container);
    }
    return result;
}

static int start(int argc, char **argv)
{
    int attach = 0, interactive = 0;
    const option options[] = {
        {'a', "attach", OPTION_FLAG, NULL, "show its output and pass its exit code on", &attach},
        {'i', "interactive", OPTION_FLAG, NULL, "pass standard input to it", &interactive},
    };
    wc_error *err = NULL;
    wc_stream *stream = NULL;
    argc = options_read("start", "[OPTIONS] CONTAINER [CONTAINER ...]", "Starts containers.", options, countof(options),
                        0, argc, argv);
    if (!argc)
        die_usage("start takes at least one CONTAINER");
    if (!attach && !interactive)
        return for_each(argc, argv, &(action){0}, for_start);
    if (argc != 1)
        die_usage("start -a and -i take one CONTAINER");
    wc_container *container = open_container(argv[0]);
    uint64_t what = WC_ATTACH_STDOUT | WC_ATTACH_STDERR | (interactive ? WC_ATTACH_STDIN : 0);
    TRY(wc_container_start(container, what, wcctl.cancel, &stream, &err));
    int exit_code =
        attach_run(&(attachment){.stream = stream, .container = container, .with_stdin = interactive});
    wc_container_unref(container);
    return exit_code;
}

static int stop_like(const char *name, const char *about, int argc, char **argv,
                     int32_t (*act)(wc_container *, const action *, wc_error **))
{
    const char *timeout = NULL;
    const option options[] = {{'t', "time", OPTION_TEXT, "SECONDS", "wait so long before SIGKILL", &timeout}};
    argc = options_read(name, "[OPTIONS] CONTAINER [CONTAINER ...]", about, options, countof(options), 0, argc, argv);
    if (!argc)
        die_usage("%s takes at least one CONTAINER", name);
    return for_each(argc, argv, &(action){.timeout_ns = timeout ? value_seconds_ns("--time", timeout) : -1}, act);
}

static int stop(int argc, char **argv)
{
    return stop_like("stop", "Stops containers: their stop signal, then SIGKILL.", argc, argv, for_stop);
}

static int restart(int argc, char **argv)
{
    return stop_like("restart", "Stops containers and starts them again.", argc, argv, for_restart);
}

static int kill_command(int argc, char **argv)
{
    const char *signal = "KILL";
    const option options[] = {{'s', "signal", OPTION_TEXT, "SIGNAL", "name or number, default KILL", &signal}};
    argc = options_read("kill", "[OPTIONS] CONTAINER [CONTAINER ...]", "Sends a signal to containers.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("kill takes at least one CONTAINER");
    return for_each(argc, argv, &(action){.signal = signal}, for_kill);
}

static int rm(int argc, char **argv)
{
    int force = 0, volumes = 0;
    const option options[] = {
        {'f', "force", OPTION_FLAG, NULL, "kill it first when it runs", &force},
        {'v', "volumes", OPTION_FLAG, NULL, "with its anonymous volumes (always so in this version)", &volumes},
    };
    argc = options_read("rm", "[OPTIONS] CONTAINER [CONTAINER ...]", "Removes containers.", options, countof(options), 0,
                        argc, argv);
    if (!argc)
        die_usage("rm takes at least one CONTAINER");
    return for_each(argc, argv, &(action){.force = force}, for_rm);
}

static int wait_command(int argc, char **argv)
{
    argc = options_read("wait", "CONTAINER [CONTAINER ...]", "Waits for the end and prints exit codes.", NULL, 0, 0,
                        argc, argv);
    if (!argc)
        die_usage("wait takes at least one CONTAINER");
    int result = 0;
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        wc_container *container = NULL;
        int32_t exit_code = 0;
        int32_t code = wc_container_open(app_context(), argv[i], &container, &err);
        if (!code)
            code = wc_container_wait(container, WC_WAIT_NOT_RUNNING, wcctl.cancel, &exit_code, &err);
        if (code) {
            complain(err);
            result = 1;
        } else {
            printf("%d\n", (int)exit_code);
        }
        wc_container_unref(container);
    }
    return result;
}

static int attach(int argc, char **argv)
{
    int no_stdin = 0;
    const option options[] = {{0, "no-stdin", OPTION_FLAG, NULL, "do not pass standard input", &no_stdin}};
    wc_error *err = NULL;
    wc_stream *stream = NULL;
    argc = options_read("attach", "[OPTIONS] CONTAINER", "Joins our standard streams to a running container's.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("attach takes one CONTAINER");
    wc_container *container = open_container(argv[0]);
    uint64_t what = WC_ATTACH_STDOUT | WC_ATTACH_STDERR | (no_stdin ? 0 : WC_ATTACH_STDIN);
    TRY(wc_container_attach(container, what, wcctl.cancel, &stream, &err));
    int exit_code = attach_run(&(attachment){
        .stream = stream,
        .container = container,
        .with_stdin = !no_stdin,
        .tty = isatty(STDIN_FILENO) && !no_stdin,
    });
    wc_container_unref(container);
    return exit_code;
}

static int exec(int argc, char **argv)
{
    int detach = 0, interactive = 0, tty = 0, privileged = 0;
    const char *workdir = NULL, *user = NULL;
    static text_list env; /* lives as long as the program */
    const option options[] = {
        {'d', "detach", OPTION_FLAG, NULL, "go on in the background", &detach},
        {'i', "interactive", OPTION_FLAG, NULL, "pass standard input to it", &interactive},
        {'t', "tty", OPTION_FLAG, NULL, "give it a terminal", &tty},
        {'e', "env", OPTION_LIST, "KEY=VALUE", "set a variable", &env},
        {'w', "workdir", OPTION_TEXT, "DIR", "working directory", &workdir},
        {'u', "user", OPTION_TEXT, "USER[:GROUP]", "names or numbers", &user},
        {0, "privileged", OPTION_FLAG, NULL, "every right", &privileged},
    };
    wc_error *err = NULL;
    wc_exec_options *o = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    int32_t exit_code = 0;
    argc = options_read("exec", "[OPTIONS] CONTAINER COMMAND [ARG ...]", "Runs a command in a running container.",
                        options, countof(options), 1, argc, argv);
    if (argc < 2)
        die_usage("exec takes CONTAINER and COMMAND");
    wc_container *container = open_container(argv[0]);
    TRY(wc_exec_options_new((const char *const *)argv + 1, (size_t)argc - 1, &o, &err));
    for (size_t i = 0; i < env.count; i++) {
        char *name = xstrdup(env.items[i]), *value = strchr(name, '=');
        if (value)
            *value++ = '\0';
        TRY(wc_exec_options_add_env(o, name, value, &err));
        free(name);
    }
    if (workdir)
        TRY(wc_exec_options_set_workdir(o, workdir, &err));
    if (user)
        TRY(wc_exec_options_set_user(o, user, &err));
    TRY(wc_exec_options_set_tty(o, tty, &err));
    uint32_t columns, rows;
    if (tty && terminal_size(&columns, &rows))
        TRY(wc_exec_options_set_console_size(o, columns, rows, &err));
    TRY(wc_exec_options_set_privileged(o, privileged, &err));
    uint64_t what = detach ? 0 : WC_ATTACH_STDOUT | WC_ATTACH_STDERR | (interactive ? WC_ATTACH_STDIN : 0);
    TRY(wc_container_exec(container, o, what, wcctl.cancel, &process, &stream, &err));
    wc_exec_options_unref(o);
    if (!detach) {
        exit_code = attach_run(&(attachment){
            .stream = stream, .container = container, .process = process, .with_stdin = interactive, .tty = tty});
    }
    wc_process_unref(process);
    wc_container_unref(container);
    return exit_code;
}

static int logs(int argc, char **argv)
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
    for (;;) {
        int32_t channel = 0;
        int64_t when = 0;
        wc_buf *line = NULL;
        int32_t code = wc_logs_next(reader, &channel, &when, &line, -1, wcctl.cancel, &err);
        if (code == WC_E_CLOSED)
            break;
        TRY(code);
        FILE *to = channel == WC_STREAM_STDERR ? stderr : stdout;
        if (to == stderr) /* which has no buffer: both may go to one place */
            fflush(stdout);
        char text[64];
        format_time(when, text);
        if (timestamps)
            fprintf(to, "%s ", text);
        fwrite(wc_buf_data(line), 1, wc_buf_size(line), to);
        if (follow)
            fflush(to);
        wc_buf_unref(line);
    }
    wc_error_unref(err);
    wc_logs_unref(reader);
    wc_log_options_unref(o);
    wc_container_unref(container);
    return 0;
}

static void ps_row(table *out, wc_container_info *info, int full)
{
    char id[16], created[64], ago[64], status[128], command_text[32];
    const char *text = wc_container_info_command(info);
    format_ago(wc_container_info_created(info), created);
    int32_t state = wc_container_info_status(info);
    if (state == WC_STATUS_EXITED) {
        format_ago(wc_container_info_finished(info), ago);
        snprintf(status, sizeof status, "Exited (%d) %s", (int)wc_container_info_exit_code(info), ago);
    } else if (state == WC_STATUS_RUNNING) {
        format_ago(wc_container_info_started(info), ago);
        snprintf(status, sizeof status, "Up %.*s", (int)strlen(ago) - 4, ago);
    } else {
        const char *word = wc_container_info_status_text(info);
        snprintf(status, sizeof status, "%c%s", *word & ~0x20, word + 1);
    }
    snprintf(command_text, sizeof command_text, full || strlen(text) <= 20 ? "\"%.24s\"" : "\"%.19s…\"", text);
    const char *cells[] = {full ? wc_container_info_id(info) : short_id(wc_container_info_id(info), id),
                           familiar_name(wc_container_info_image(info)),
                           command_text,
                           created,
                           status,
                           wc_container_info_name(info)};
    table_row(out, cells);
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

static int ps(int argc, char **argv)
{
    static const char *const headings[] = {"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAMES"};
    int all = 0, quiet = 0, full = 0, printed = 0;
    static text_list filters; /* lives as long as the program */
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "also those that do not run", &all},
        {'q', "quiet", OPTION_FLAG, NULL, "print ids only", &quiet},
        {0, "no-trunc", OPTION_FLAG, NULL, "print whole ids", &full},
        {'f', "filter", OPTION_LIST, "KEY=VALUE", "name, id, status or label", &filters},
    };
    wc_error *err = NULL;
    wc_list *list = NULL;
    argc = options_read("ps", "[OPTIONS]", "Lists containers.", options, countof(options), 0, argc, argv);
    if (argc)
        die_usage("ps takes no argument");
    for (size_t i = 0; i < filters.count; i++)
        filter_kind(filters.items[i]); /* also when there is nothing to list */
    TRY(wc_container_list(app_context(), &list, &err));
    table *out = table_new(headings, countof(headings));
    if (wcctl.json)
        printf("[");
    for (size_t i = 0; i < wc_list_count(list); i++) {
        wc_container_info *info = wc_list_container_info(list, i);
        int shown = all || filters.count || wc_container_info_status(info) == WC_STATUS_RUNNING ||
                    wc_container_info_status(info) == WC_STATUS_PAUSED;
        for (size_t k = 0; k < filters.count && shown; k++)
            shown = passes(info, filters.items[k]);
        char id[16];
        if (!shown)
            continue;
        if (wcctl.json)
            printf("%s\n%s", printed++ ? "," : "", wc_container_info_json(info));
        else if (quiet)
            printf("%s\n", full ? wc_container_info_id(info) : short_id(wc_container_info_id(info), id));
        else
            ps_row(out, info, full);
    }
    if (wcctl.json)
        printf("%s]\n", printed ? "\n" : "");
    else if (!quiet)
        table_print(out);
    table_free(out);
    wc_list_unref(list);
    return 0;
}

/* Prints the object for one name; 0 when neither a container nor an image has it. */
static int inspect_one(const char *name, const char *type, int first)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    wc_container_info *info = NULL;
    wc_image *image = NULL;
    wc_buf *json = NULL;
    int32_t code = WC_E_NOT_FOUND;
    if (!type || !strcmp(type, "container")) {
        code = wc_container_open(app_context(), name, &container, &err);
        if (!code)
            code = wc_container_inspect(container, &info, &err);
    }
    if (code == WC_E_NOT_FOUND && (!type || !strcmp(type, "image"))) {
        wc_error_unref(err);
        err = NULL;
        code = wc_image_open(app_context(), name, &image, &err);
        if (!code)
            code = wc_image_inspect(image, &json, &err);
    }
    if (!code) {
        printf(first ? "" : ",\n");
        const char *text = info ? wc_container_info_json(info) : wc_buf_data(json);
        print_json(text, strlen(text));
    } else if (code == WC_E_NOT_FOUND) {
        fprintf(stderr, "wcctl: '%s': no such %s\n", name, type ? type : "container or image");
        wc_error_unref(err);
    } else {
        complain(err);
    }
    wc_container_info_unref(info);
    wc_container_unref(container);
    wc_buf_unref(json);
    wc_image_unref(image);
    return !code;
}

static int inspect(int argc, char **argv)
{
    const char *type = NULL;
    const option options[] = {{0, "type", OPTION_TEXT, "container|image", "look only for these", &type}};
    argc = options_read("inspect", "[OPTIONS] NAME [NAME ...]", "Prints what is known of containers and images, as JSON.",
                        options, countof(options), 0, argc, argv);
    if (!argc)
        die_usage("inspect takes at least one NAME");
    if (type && strcmp(type, "container") && strcmp(type, "image"))
        die_usage("--type takes container or image, not '%s'", type);
    int result = 0, first = 1;
    printf("[\n");
    for (int i = 0; i < argc; i++) {
        if (inspect_one(argv[i], type, first))
            first = 0;
        else
            result = 1;
    }
    printf("]\n");
    return result;
}

/* "NAME:PATH" of a container; NULL for a host path. A path with '/' before ':' is the host's. */
static char *container_side(const char *text, const char **path)
{
    const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
    if (!colon || *text == '.' || (slash && slash < colon))
        return NULL;
    char *name = xstrdup(text);
    name[colon - text] = '\0';
    *path = colon + 1;
    return name;
}

static int cp(int argc, char **argv)
{
    wc_error *err = NULL;
    const char *from = NULL, *to = NULL;
    argc = options_read("cp", "CONTAINER:PATH HOSTPATH | HOSTPATH CONTAINER:PATH",
                        "Copies files and trees between a container and the host.", NULL, 0, 0, argc, argv);
    if (argc != 2)
        die_usage("cp takes a source and a target");
    char *source = container_side(argv[0], &from), *target = container_side(argv[1], &to);
    if (!source == !target)
        die_usage("cp: exactly one side is CONTAINER:PATH");
    wc_container *container = open_container(source ? source : target);
    if (source)
        TRY(wc_container_copy_out(container, from, argv[1], wcctl.cancel, &err));
    else
        TRY(wc_container_copy_in(container, argv[0], to, wcctl.cancel, &err));
    wc_container_unref(container);
    free(source);
    free(target);
    return 0;
}

const command container_commands[] = {
    {"run", run, "create a container and run a command in it"},
    {"create", create, "create a container"},
    {"start", start, "start containers"},
    {"stop", stop, "stop containers"},
    {"restart", restart, "stop containers and start them again"},
    {"kill", kill_command, "send a signal to containers"},
    {"exec", exec, "run a command in a running container"},
    {"attach", attach, "join a running container's standard streams"},
    {"logs", logs, "print what a container wrote"},
    {"ps", ps, "list containers"},
    {"inspect", inspect, "what is known of containers and images"},
    {"wait", wait_command, "wait for the end and print exit codes"},
    {"cp", cp, "copy files between a container and the host"},
    {"rm", rm, "remove containers"},
    {NULL, NULL, NULL},
};
