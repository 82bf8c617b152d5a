/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_options_read(run_options *o, const char *name, int argc, char **argv)
{
    const option options[] = {
        {'d', "detach", OPTION_FLAG, NULL, "go on in the background, print the id", &o->detach},
        {'i', "interactive", OPTION_FLAG, NULL, "keep standard input open", &o->interactive},
        {'t', "tty", OPTION_FLAG, NULL, "give it a terminal", &o->tty},
        {'a', "attach", OPTION_LIST, "stdin|stdout|stderr", "attach only these", &o->attach},
        DETACH_KEYS_OPTION(o->detach_keys),
        {0, "rm", OPTION_FLAG, NULL, "remove it when it ends", &o->remove},
        {0, "name", OPTION_MAYBE, "NAME", "name of the container", &o->name},
        {0, "pull", OPTION_TEXT, "missing|always|never", "when to pull the image", &o->pull},
        {0, "entrypoint", OPTION_MAYBE, "COMMAND", "instead of the image's; \"\" clears it", &o->entrypoint},
        {'e', "env", OPTION_LIST, "KEY[=VALUE]", "set a variable, or pass ours on", &o->env},
        {0, "env-file", OPTION_LIST, "FILE", "variables, one on a line", &o->env_files},
        {'l', "label", OPTION_LIST, "KEY[=VALUE]", "set a label", &o->labels},
        {'v', "volume", OPTION_LIST, "HOST:PATH[:OPTIONS]", "bind mount a host path", &o->volumes},
        {0, "mount", OPTION_LIST, "type=…,source=…,target=…", "bind or tmpfs mount", &o->mounts},
        {0, "tmpfs", OPTION_LIST, "PATH[:OPTIONS]", "mount a tmpfs", &o->tmpfs},
        {'w', "workdir", OPTION_MAYBE, "DIR", "working directory", &o->workdir},
        {'u', "user", OPTION_MAYBE, "USER[:GROUP]", "names or numbers", &o->user},
        {'h', "hostname", OPTION_MAYBE, "NAME", "host name", &o->hostname},
        {0, "network", OPTION_MAYBE, "none|host", "network", &o->network},
        {0, "net", OPTION_MAYBE, "none|host", "same as --network", &o->network},
        {'p', "publish", OPTION_LIST, "PORT", "not in this version", &o->ports},
        {0, "init", OPTION_FLAG, NULL, "run a small init that reaps", &o->init},
        {0, "read-only", OPTION_FLAG, NULL, "read-only root file system", &o->read_only},
        {0, "privileged", OPTION_FLAG, NULL, "every right", &o->privileged},
        {'m', "memory", OPTION_TEXT, "SIZE", "memory limit", &o->memory},
        {0, "memory-swap", OPTION_TEXT, "SIZE", "memory plus swap, -1: unlimited", &o->memory_swap},
        {0, "cpus", OPTION_TEXT, "NUMBER", "processors, may be a fraction", &o->cpus},
        {'c', "cpu-shares", OPTION_TEXT, "NUMBER", "relative weight", &o->cpu_shares},
        {0, "cpuset-cpus", OPTION_MAYBE, "LIST", "processors it may use", &o->cpuset},
        {0, "pids-limit", OPTION_TEXT, "NUMBER", "processes and threads", &o->pids},
        {0, "ulimit", OPTION_LIST, "NAME=SOFT[:HARD]", "resource limit", &o->ulimits},
        {0, "cap-add", OPTION_LIST, "CAPABILITY", "add a capability", &o->cap_add},
        {0, "cap-drop", OPTION_LIST, "CAPABILITY", "drop a capability", &o->cap_drop},
        {0, "security-opt", OPTION_LIST, "OPTION", "seccomp=FILE|unconfined, no-new-privileges", &o->security},
        {0, "stop-signal", OPTION_MAYBE, "SIGNAL", "what `stop` sends first", &o->stop_signal},
        {0, "stop-timeout", OPTION_TEXT, "SECONDS", "how long `stop` waits; -1: without end", &o->stop_timeout},
        {0, "log-opt", OPTION_LIST, "max-size=…|max-file=…", "log rotation", &o->log_options},
        {0, "cidfile", OPTION_MAYBE, "FILE", "write the id to a new file", &o->cid_file},
        {'q', "quiet", OPTION_FLAG, NULL, "show no pull progress", &o->transfer.quiet},
        TRANSFER_OPTIONS(o->transfer),
        POLICY_OPTIONS(o->transfer),
    };
    int run = !strcmp(name, "run");
    argc = options_read(name, "[OPTIONS] IMAGE [COMMAND [ARG ...]]",
                        run ? "Creates a container and runs a command in it."
                            : "Creates a container without starting it.",
                        options, countof(options), 1, argc, argv);
    if (!argc)
        die_usage("%s takes an IMAGE", name);
    o->keys = detach_keys_parse(o->detach_keys);
    if (o->ports.count)
        die_usage("-p: published ports are not in this version; use --network host");
    return argc;
}

/* Cuts "a=b" (or another separator) into *name and *value; *value NULL when there is none. */
static void cut(const char *text, char separator, char **name, const char **value)
{
    const char *at = strchr(text, separator);
    *name = xstrdup(text);
    *value = NULL;
    if (at) {
        (*name)[at - text] = '\0';
        *value = at + 1;
    }
}

static void add_env(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *name;
    const char *value;
    cut(text, '=', &name, &value);
    TRY(wc_container_options_add_env(options, name, value, &err));
    free(name);
}

static void add_env_file(wc_container_options *options, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    if (!file) {
        fprintf(stderr, "wcctl: --env-file '%s': %s\n", path, strerror(errno));
        exit(EXIT_OURS);
    }
    while ((n = getline(&line, &size, file)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        const char *start = line + strspn(line, " \t");
        if (*start && *start != '#')
            add_env(options, start);
    }
    free(line);
    fclose(file);
}

static void add_label(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *key;
    const char *value;
    cut(text, '=', &key, &value);
    TRY(wc_container_options_add_label(options, key, value ? value : "", &err));
    free(key);
}

static void add_volume(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *source, *target;
    const char *rest, *flags;
    cut(text, ':', &source, &rest);
    if (!rest || *source != '/')
        die_usage("-v '%s': named and anonymous volumes are not in this version; write /HOST/PATH:/PATH[:ro]", text);
    cut(rest, ':', &target, &flags);
    if (access(source, F_OK) && errno == ENOENT)
        die_usage("-v '%s': the host path '%s' does not exist; make it first", text, source);
    TRY(wc_container_options_add_mount(options, "bind", source, target, flags, &err));
    free(source);
    free(target);
}

static void add_tmpfs(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *target;
    const char *flags;
    cut(text, ':', &target, &flags);
    TRY(wc_container_options_add_mount(options, "tmpfs", NULL, target, flags, &err));
    free(target);
}

/* --mount type=bind,source=/a,target=/b,readonly,bind-propagation=rslave,tmpfs-size=64m */
static void add_mount(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    const char *type = "volume", *source = NULL, *target = NULL;
    char *copy = xstrdup(text), *flags = xstrdup(""), *rest = copy, *word;
    while ((word = strsep(&rest, ","))) {
        char *key = word, *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        const char *flag = NULL;
        char *made = NULL;
        if (!strcmp(key, "type") && value)
            type = value;
        else if ((!strcmp(key, "source") || !strcmp(key, "src")) && value)
            source = value;
        else if ((!strcmp(key, "target") || !strcmp(key, "destination") || !strcmp(key, "dst")) && value)
            target = value;
        else if (!strcmp(key, "readonly") || !strcmp(key, "ro"))
            flag = value && (!strcmp(value, "false") || !strcmp(value, "0")) ? "rw" : "ro";
        else if (!strcmp(key, "bind-propagation") && value)
            flag = value;
        else if (!strcmp(key, "tmpfs-size") && value)
            flag = made = xasprintf("size=%s", value);
        else if (!strcmp(key, "tmpfs-mode") && value)
            flag = made = xasprintf("mode=%s", value);
        else
            die_usage("--mount '%s': unknown part '%s'", text, key);
        if (flag) {
            char *longer = xasprintf("%s%s%s", flags, *flags ? "," : "", flag);
            free(flags);
            flags = longer;
        }
        free(made);
    }
    if (!strcmp(type, "volume"))
        die_usage("--mount '%s': volumes are not in this version; say type=bind or type=tmpfs", text);
    if (!target)
        die_usage("--mount '%s': target=PATH is missing", text);
    TRY(wc_container_options_add_mount(options, type, source, target, *flags ? flags : NULL, &err));
    free(flags);
    free(copy);
}

static void add_ulimit(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *name, *soft;
    const char *value, *hard;
    cut(text, '=', &name, &value);
    if (!value)
        die_usage("--ulimit '%s': write NAME=SOFT[:HARD]", text);
    cut(value, ':', &soft, &hard);
    int64_t low = value_number("--ulimit", soft);
    TRY(wc_container_options_add_rlimit(options, name, low, hard ? value_number("--ulimit", hard) : low, &err));
    free(name);
    free(soft);
}

static void set_log_options(wc_container_options *options, const text_list *list)
{
    wc_error *err = NULL;
    int64_t size = 0, files = 1;
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i];
        if (!strncmp(text, "max-size=", 9))
            size = value_bytes("--log-opt max-size", text + 9);
        else if (!strncmp(text, "max-file=", 9))
            files = value_number("--log-opt max-file", text + 9);
        else
            die_usage("--log-opt '%s': only max-size and max-file are known", text);
    }
    if (files < 1 || files > 1000)
        die_usage("--log-opt max-file: 1 to 1000");
    if (list->count)
        TRY(wc_container_options_set_log_rotation(options, size, (uint32_t)files, &err));
}

static void each(const text_list *list, wc_container_options *options,
                 void (*add)(wc_container_options *, const char *))
{
    for (size_t i = 0; i < list->count; i++)
        add(options, list->items[i]);
}

static void set_lists(const run_options *o, wc_container_options *options)
{
    wc_error *err = NULL;
    each(&o->env_files, options, add_env_file);
    each(&o->env, options, add_env);
    each(&o->labels, options, add_label);
    each(&o->volumes, options, add_volume);
    each(&o->mounts, options, add_mount);
    each(&o->tmpfs, options, add_tmpfs);
    each(&o->ulimits, options, add_ulimit);
    for (size_t i = 0; i < o->cap_add.count; i++)
        TRY(wc_container_options_add_capability(options, o->cap_add.items[i], &err));
    for (size_t i = 0; i < o->cap_drop.count; i++)
        TRY(wc_container_options_drop_capability(options, o->cap_drop.items[i], &err));
    for (size_t i = 0; i < o->security.count; i++)
        TRY(wc_container_options_add_security(options, o->security.items[i], &err));
    set_log_options(options, &o->log_options);
}

static void set_texts(const run_options *o, wc_container_options *options)
{
    const struct {
        const char *value;
        int32_t (*set)(wc_container_options *, const char *, wc_error **);
    } texts[] = {
        {o->name, wc_container_options_set_name},
        {o->workdir, wc_container_options_set_workdir},
        {o->user, wc_container_options_set_user},
        {o->hostname, wc_container_options_set_hostname},
        {o->network, wc_container_options_set_network},
        {o->transfer.isolation, wc_container_options_set_isolation},
        {o->cpuset, wc_container_options_set_cpuset},
        {o->stop_signal, wc_container_options_set_stop_signal},
    };
    wc_error *err = NULL;
    for (size_t i = 0; i < countof(texts); i++)
        if (texts[i].value && *texts[i].value)
            TRY(texts[i].set(options, texts[i].value, &err));
}

static void set_numbers(const run_options *o, wc_container_options *options)
{
    wc_error *err = NULL;
    if (o->memory)
        TRY(wc_container_options_set_memory(options, value_bytes("--memory", o->memory), &err));
    if (o->memory_swap)
        TRY(wc_container_options_set_memory_swap(options, value_bytes("--memory-swap", o->memory_swap), &err));
    if (o->cpus)
        TRY(wc_container_options_set_nano_cpus(options, value_nano_cpus("--cpus", o->cpus), &err));
    if (o->cpu_shares)
        TRY(wc_container_options_set_cpu_shares(options, value_number("--cpu-shares", o->cpu_shares), &err));
    if (o->pids)
        TRY(wc_container_options_set_pids_limit(options, value_number("--pids-limit", o->pids), &err));
    if (o->stop_timeout)
        TRY(wc_container_options_set_stop_timeout(options, value_seconds_ns("--stop-timeout", o->stop_timeout), &err));
}

static void set_flags(const run_options *o, wc_container_options *options)
{
    wc_error *err = NULL;
    TRY(wc_container_options_set_tty(options, o->tty, &err));
    uint32_t columns, rows;
    if (o->tty && terminal_size(&columns, &rows))
        TRY(wc_container_options_set_console_size(options, columns, rows, &err));
    TRY(wc_container_options_set_open_stdin(options, o->interactive, &err));
    TRY(wc_container_options_set_auto_remove(options, o->remove, &err));
    TRY(wc_container_options_set_init(options, o->init, &err));
    TRY(wc_container_options_set_read_only(options, o->read_only, &err));
    TRY(wc_container_options_set_privileged(options, o->privileged, &err));
}

static void set_command(const run_options *o, wc_container_options *options, int argc, char **argv)
{
    wc_error *err = NULL;
    if (o->entrypoint)
        TRY(wc_container_options_set_entrypoint(options, &o->entrypoint, *o->entrypoint ? 1 : 0, &err));
    if (argc)
        TRY(wc_container_options_set_command(options, (const char *const *)argv, (size_t)argc, &err));
}

/* Makes sure that the image is there; returns what to name it. */
static int is_in_store(const char *name)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    int32_t code = wc_image_open(app_context(), name, &image, &err);
    if (code == WC_E_NOT_FOUND) {
        wc_error_unref(err);
        return 0;
    }
    TRY(code);
    wc_image_unref(image);
    return 1;
}

/* What the image is called in the store: a source such as oci:DIR:TAG is no name there. Owned. */
static char *pull_image(run_options *o, const char *source)
{
    wc_image *image = transfer_pull(&o->transfer, source);
    const char *name = is_in_store(source)           ? source
                       : wc_image_name_count(image) ? wc_image_name(image, 0)
                                                    : wc_image_id(image);
    char *copy = xstrdup(name);
    wc_image_unref(image);
    return copy;
}

/* The image, by a name that is in the store; owned. */
static char *ensure_image(run_options *o, const char *name)
{
    const char *pull = o->pull ? o->pull : "missing";
    if (strcmp(pull, "missing") && strcmp(pull, "always") && strcmp(pull, "never"))
        die_usage("--pull takes missing, always or never, not '%s'", pull);
    if (!strcmp(pull, "never") || (strcmp(pull, "always") && is_in_store(name)))
        return xstrdup(name);
    return pull_image(o, name);
}

static FILE *cid_file;

_Noreturn static void cid_file_failed(const char *path)
{
    fprintf(stderr, "wcctl: --cidfile '%s': %s\n", path, strerror(errno));
    exit(EXIT_OURS);
}

/* Before the container is created: one that cannot be told of is not made. */
static void open_cid_file(const char *path)
{
    cid_file = fopen(path, "wxe");
    if (!cid_file && errno == EEXIST)
        die_usage("--cidfile '%s': is there already, perhaps of another container; remove it or name another", path);
    if (!cid_file)
        cid_file_failed(path);
}

static void write_cid_file(const char *path, wc_container *container)
{
    if (fputs(wc_container_id(container), cid_file) >= 0 && !fclose(cid_file))
        return;
    int why = errno;
    wc_container_remove(container, WC_REMOVE_FORCE, wcctl.cancel, NULL);
    remove(path);
    errno = why;
    cid_file_failed(path);
}

wc_container *run_options_create(run_options *o, int argc, char **argv)
{
    wc_error *err = NULL;
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    char *image = ensure_image(o, argv[0]);
    TRY(wc_container_options_new(image, &options, &err));
    free(image);
    set_flags(o, options);
    set_texts(o, options);
    set_numbers(o, options);
    set_lists(o, options);
    set_command(o, options, argc - 1, argv + 1);
    const char *cid_path = o->cid_file && *o->cid_file ? o->cid_file : NULL;
    if (cid_path)
        open_cid_file(cid_path);
    int32_t code = wc_container_create(app_context(), options, wcctl.cancel, &container, &err);
    if (code && cid_path)
        remove(cid_path);
    TRY(code);
    wc_container_options_unref(options);
    if (cid_path)
        write_cid_file(cid_path, container);
    return container;
}

uint64_t run_options_attach(const run_options *o)
{
    uint64_t attach = 0;
    for (size_t i = 0; i < o->attach.count; i++) {
        const char *word = o->attach.items[i];
        if (!strcmp(word, "stdin"))
            attach |= WC_ATTACH_STDIN;
        else if (!strcmp(word, "stdout"))
            attach |= WC_ATTACH_STDOUT;
        else if (!strcmp(word, "stderr"))
            attach |= WC_ATTACH_STDERR;
        else
            die_usage("--attach takes stdin, stdout or stderr, not '%s'", word);
    }
    if (!attach)
        attach = WC_ATTACH_STDOUT | WC_ATTACH_STDERR | (o->interactive ? WC_ATTACH_STDIN : 0);
    return attach;
}
