/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on containers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "actions.h"
#include "run_options.h"

wc_container *open_container(const char *name)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    TRY(wc_container_open(app_context(), name, &container, &err));
    return container;
}

/* What --json tells of a container that is worked on; NULL without --json. It may be gone afterwards. */
static json_t *container_object(wc_container *container)
{
    wc_container_info *info = NULL;
    if (!wcctl.json)
        return NULL;
    wc_container_inspect(container, &info, NULL);
    json_t *object = json_pack("{s:s, s:s}", "Id", wc_container_id(container), "Name", wc_container_info_name(info));
    wc_container_info_unref(info);
    return object;
}

/* `object` is taken over. */
static void print_new(const wc_container *container, json_t *object)
{
    if (object)
        print_object(object);
    else
        printf("%s\n", wc_container_id(container));
}

static int create(int argc, char **argv)
{
    static run_options o; /* its lists live as long as the program */
    argc = run_options_read(&o, "create", argc, argv);
    wc_container *container = run_options_create(&o, argc, argv);
    print_new(container, container_object(container));
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
    json_t *object = o.detach ? container_object(container) : NULL;
    start_or_die(container, o.detach ? 0 : run_options_attach(&o), o.remove, &stream);
    if (o.detach) {
        print_new(container, object);
    } else {
        exit_code = attach_run(&(attachment){
            .stream = stream,
            .container = container,
            .until = o.remove ? WC_WAIT_REMOVED : WC_WAIT_NOT_RUNNING,
            .with_stdin = (run_options_attach(&o) & WC_ATTACH_STDIN) && o.interactive,
            .tty = o.tty,
            .keys = o.keys,
            .keeps_signals = !o.sig_proxy,
        });
    }
    wc_container_unref(container);
    return exit_code;
}

static int is_kill(const char *signal)
{
    return !strcmp(signal, "9") || !strcasecmp(signal, "KILL") || !strcasecmp(signal, "SIGKILL");
}

/* As Docker: what is killed does not run any more when we are through, so that it can be removed. What the kernel
 * holds back is nobody's fault. */
static void wait_for_end(wc_container *c)
{
    wc_cancel *patience = NULL;
    if (wc_cancel_new(&patience, NULL))
        return;
    wc_cancel_set_timeout(patience, INT64_C(10000000000));
    (void)wc_container_wait(c, WC_WAIT_NOT_RUNNING, patience, NULL, NULL);
    wc_cancel_unref(patience);
}

static int32_t for_kill(wc_container *c, action *a, wc_error **err)
{
    int32_t code = wc_container_kill(c, a->signal, err);
    if (!code && is_kill(a->signal))
        wait_for_end(c);
    return code;
}

static int32_t for_stop(wc_container *c, action *a, wc_error **err)
{
    return wc_container_stop(c, a->timeout_ns, wcctl.cancel, err);
}

static int is_running(wc_container *c)
{
    wc_container_info *info = NULL;
    int32_t status = wc_container_inspect(c, &info, NULL) ? WC_STATUS_DEAD : wc_container_info_status(info);
    int running = status == WC_STATUS_RUNNING || status == WC_STATUS_RESTARTING;
    wc_container_info_unref(info);
    return running;
}

/* One that runs has what was wanted, as Docker sees it; somebody else may have started it just now. */
static int32_t start_or_leave(wc_container *c, uint64_t attach, wc_stream **stream, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = wc_container_start(c, attach, wcctl.cancel, stream, &why);
    if (code == WC_E_STATE && is_running(c)) {
        wc_error_unref(why);
        return attach ? wc_container_attach(c, attach, wcctl.cancel, stream, err) : WC_OK;
    }
    *err = why;
    return code;
}

static int32_t for_start(wc_container *c, action *a, wc_error **err)
{
    (void)a;
    return start_or_leave(c, 0, NULL, err);
}

static int32_t for_restart(wc_container *c, action *a, wc_error **err)
{
    return wc_container_restart(c, a->timeout_ns, wcctl.cancel, err);
}

static int32_t for_rm(wc_container *c, action *a, wc_error **err)
{
    return wc_container_remove(c, (a->force ? WC_REMOVE_FORCE : 0) | (a->volumes ? WC_REMOVE_VOLUMES : 0), wcctl.cancel,
                               err);
}

static int32_t for_wait(wc_container *c, action *a, wc_error **err)
{
    if (!a->conditions)
        return wc_container_wait(c, WC_WAIT_NOT_RUNNING, wcctl.cancel, &a->exit_code, err);
    return wc_container_wait_any(c, a->conditions, wcctl.cancel, NULL, &a->exit_code, err);
}

/* `object` is for --json, and taken over. */
static void print_done(const action *a, const char *name, json_t *object)
{
    if (object && a->gives_exit_code)
        json_object_set_new(object, "ExitCode", json_integer(a->exit_code));
    if (object)
        print_object(object);
    else if (a->gives_exit_code)
        printf("%d\n", (int)a->exit_code);
    else
        printf("%s\n", name);
    fflush(stdout);
}

static int do_one(const char *name, action *a)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    json_t *object = NULL;
    int32_t code = wc_container_open(app_context(), name, &container, &err);
    if (!code)
        object = container_object(container);
    if (!code)
        code = a->act(container, a, &err);
    wc_container_unref(container);
    if (!code) {
        print_done(a, name, object);
        return 0;
    }
    json_decref(object);
    if (code == WC_E_CANCELLED)
        die(code, err);
    complain(err);
    return !(a->force && code == WC_E_NOT_FOUND); /* Docker tells of it, and is content */
}

int for_each(int argc, char **argv, action *a)
{
    int result = 0;
    for (int i = 0; i < argc; i++)
        result |= do_one(argv[i], a);
    return result;
}

static int start(int argc, char **argv)
{
    int attach = 0, interactive = 0, sig_proxy = 1;
    const char *detach_keys_text = NULL;
    const option options[] = {
        {'a', "attach", OPTION_FLAG, NULL, "show its output and pass its exit code on", &attach},
        {'i', "interactive", OPTION_FLAG, NULL, "pass standard input to it", &interactive},
        DETACH_KEYS_OPTION(detach_keys_text),
        SIG_PROXY_OPTION(sig_proxy),
    };
    wc_error *err = NULL;
    wc_stream *stream = NULL;
    argc = options_read("start", "[OPTIONS] CONTAINER [CONTAINER ...]", "Starts containers.", options, countof(options),
                        0, argc, argv);
    if (!argc)
        die_usage("start takes at least one CONTAINER");
    if (!attach && !interactive)
        return for_each(argc, argv, &(action){.act = for_start});
    if (argc != 1)
        die_usage("start -a and -i take one CONTAINER");
    detach_keys keys = detach_keys_parse(detach_keys_text);
    wc_container *container = open_container(argv[0]);
    uint64_t what = ATTACH_OUTPUT | (interactive ? WC_ATTACH_STDIN | WC_ATTACH_ONCE : 0);
    int tty = container_has_tty(container);
    TRY(start_or_leave(container, what, &stream, &err));
    int exit_code = attach_run(&(attachment){
        .stream = stream,
        .container = container,
        .with_stdin = interactive,
        .tty = tty,
        .keys = keys,
        .keeps_signals = !sig_proxy,
    });
    wc_container_unref(container);
    return exit_code;
}

static int stop_like(const char *name, const char *about, action a, int argc, char **argv)
{
    const char *timeout = NULL;
    const option options[] = {{'t', "time", OPTION_TEXT, "SECONDS", "wait so long before SIGKILL; -1: without end", &timeout}};
    argc = options_read(name, "[OPTIONS] CONTAINER [CONTAINER ...]", about, options, countof(options), 0, argc, argv);
    if (!argc)
        die_usage("%s takes at least one CONTAINER", name);
    a.timeout_ns = timeout ? value_seconds_ns("--time", timeout) : -1;
    return for_each(argc, argv, &a);
}

static int stop(int argc, char **argv)
{
    return stop_like("stop", "Stops containers: their stop signal, then SIGKILL.", (action){.act = for_stop}, argc, argv);
}

static int restart(int argc, char **argv)
{
    return stop_like("restart", "Stops containers and starts them again.", (action){.act = for_restart}, argc, argv);
}

static int kill_command(int argc, char **argv)
{
    const char *signal = "KILL";
    const option options[] = {{'s', "signal", OPTION_TEXT, "SIGNAL", "name or number, default KILL", &signal}};
    argc = options_read("kill", "[OPTIONS] CONTAINER [CONTAINER ...]", "Sends a signal to containers.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("kill takes at least one CONTAINER");
    return for_each(argc, argv, &(action){.act = for_kill, .signal = signal});
}

static int rm(int argc, char **argv)
{
    int force = 0, volumes = 0;
    const option options[] = {
        {'f', "force", OPTION_FLAG, NULL, "kill it first when it runs", &force},
        {'v', "volumes", OPTION_FLAG, NULL, "with its anonymous volumes", &volumes},
    };
    argc = options_read("rm", "[OPTIONS] CONTAINER [CONTAINER ...]", "Removes containers.", options, countof(options), 0,
                        argc, argv);
    if (!argc)
        die_usage("rm takes at least one CONTAINER");
    return for_each(argc, argv, &(action){.act = for_rm, .force = force, .volumes = volumes});
}

static uint64_t read_conditions(const text_list *words)
{
    static const char *const names[] = {"not-running", "next-exit", "removed", "running", "healthy", "unhealthy"};
    uint64_t conditions = 0;
    for (size_t i = 0; i < words->count; i++) {
        size_t k = 0;
        while (k < countof(names) && strcmp(names[k], words->items[i]))
            k++;
        if (k == countof(names))
            die_usage("--condition takes not-running, next-exit, removed, running, healthy or unhealthy, not '%s'",
                      words->items[i]);
        conditions |= (uint64_t)1 << k;
    }
    return conditions;
}

static int wait_command(int argc, char **argv)
{
    static text_list conditions;
    const option options[] = {
        {0, "condition", OPTION_LIST, "not-running|next-exit|removed|running|healthy|unhealthy", "wait for any of these",
         &conditions},
    };
    argc = options_read("wait", "[OPTIONS] CONTAINER [CONTAINER ...]", "Waits for the end and prints exit codes.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("wait takes at least one CONTAINER");
    return for_each(argc, argv, &(action){.act = for_wait, .gives_exit_code = 1, .conditions = read_conditions(&conditions)});
}

static int attach(int argc, char **argv)
{
    int no_stdin = 0, sig_proxy = 1;
    const char *detach_keys_text = NULL;
    const option options[] = {
        {0, "no-stdin", OPTION_FLAG, NULL, "do not pass standard input", &no_stdin},
        DETACH_KEYS_OPTION(detach_keys_text),
        SIG_PROXY_OPTION(sig_proxy),
    };
    wc_error *err = NULL;
    wc_stream *stream = NULL;
    argc = options_read("attach", "[OPTIONS] CONTAINER", "Joins our standard streams to a running container's.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("attach takes one CONTAINER");
    detach_keys keys = detach_keys_parse(detach_keys_text);
    wc_container *container = open_container(argv[0]);
    uint64_t what = ATTACH_OUTPUT | (no_stdin ? 0 : WC_ATTACH_STDIN);
    int tty = container_has_tty(container);
    TRY(wc_container_attach(container, what, wcctl.cancel, &stream, &err));
    int exit_code = attach_run(&(attachment){
        .stream = stream,
        .container = container,
        .with_stdin = !no_stdin,
        .tty = tty,
        .keys = keys,
        .keeps_signals = !sig_proxy,
    });
    wc_container_unref(container);
    return exit_code;
}

static void add_exec_env(wc_exec_options *o, const text_list *list)
{
    wc_error *err = NULL;
    for (size_t i = 0; i < list->count; i++) {
        char *name;
        const char *value;
        cut_text(list->items[i], '=', &name, &value);
        if (!value)
            value = getenv(name);
        if (value)
            TRY(wc_exec_options_add_env(o, name, value, &err));
        free(name);
    }
}

static int exec(int argc, char **argv)
{
    int detach = 0, interactive = 0, tty = 0, privileged = 0;
    const char *workdir = NULL, *user = NULL, *detach_keys_text = NULL;
    static text_list env, env_files, all_env; /* live as long as the program */
    const option options[] = {
        {'d', "detach", OPTION_FLAG, NULL, "go on in the background", &detach},
        {'i', "interactive", OPTION_FLAG, NULL, "pass standard input to it", &interactive},
        {'t', "tty", OPTION_FLAG, NULL, "give it a terminal", &tty},
        {'e', "env", OPTION_LIST, "KEY[=VALUE]", "set a variable, or pass ours on", &env},
        {0, "env-file", OPTION_LIST, "FILE", "variables, one on a line", &env_files},
        {'w', "workdir", OPTION_MAYBE, "DIR", "working directory", &workdir},
        {'u', "user", OPTION_MAYBE, "USER[:GROUP]", "names or numbers", &user},
        {0, "privileged", OPTION_FLAG, NULL, "every right", &privileged},
        DETACH_KEYS_OPTION(detach_keys_text),
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
    if (tty && interactive && !detach && !isatty(STDIN_FILENO))
        die_usage("-t: standard input is not a terminal; leave -t out");
    detach_keys keys = detach_keys_parse(detach_keys_text);
    wc_container *container = open_container(argv[0]);
    TRY(wc_exec_options_new((const char *const *)argv + 1, (size_t)argc - 1, &o, &err));
    for (size_t i = 0; i < env_files.count; i++)
        env_file_read(env_files.items[i], &all_env);
    for (size_t i = 0; i < env.count; i++)
        list_add(&all_env, env.items[i]);
    add_exec_env(o, &all_env);
    if (workdir && *workdir)
        TRY(wc_exec_options_set_workdir(o, workdir, &err));
    if (user && *user)
        TRY(wc_exec_options_set_user(o, user, &err));
    TRY(wc_exec_options_set_tty(o, tty, &err));
    uint32_t columns, rows;
    if (tty && terminal_size(&columns, &rows))
        TRY(wc_exec_options_set_console_size(o, columns, rows, &err));
    TRY(wc_exec_options_set_privileged(o, privileged, &err));
    uint64_t what = detach ? 0 : ATTACH_OUTPUT | (interactive ? WC_ATTACH_STDIN | WC_ATTACH_ONCE : 0);
    TRY(wc_container_exec(container, o, what, wcctl.cancel, &process, &stream, &err));
    wc_exec_options_unref(o);
    if (detach && wcctl.json)
        print_texts("Id", wc_process_id(process), NULL);
    if (!detach) {
        exit_code = attach_run(&(attachment){
            .stream = stream, .container = container, .process = process, .with_stdin = interactive, .tty = tty, .keys = keys});
    }
    wc_process_unref(process);
    wc_container_unref(container);
    return exit_code;
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
    {"logs", logs_command, "print what a container wrote"},
    {"ps", ps_command, "list containers"},
    {"inspect", inspect_command, "what is known of containers and images"},
    {"wait", wait_command, "wait for the end and print exit codes"},
    {"cp", cp_command, "copy files between a container and the host"},
    {"rm", rm, "remove containers"},
    {NULL, NULL, NULL},
};
