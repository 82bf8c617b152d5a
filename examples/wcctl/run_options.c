/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const option_group *const groups[] = {
    &run_life, &run_watch, &run_resources, &run_devices, &run_security, &run_network, &run_storage,
};

/* The options of all groups after the basic ones; to be freed. */
static option *join(const option *basics, size_t basic_count, size_t *count)
{
    option *all = xrealloc(NULL, basic_count * sizeof *all);
    memcpy(all, basics, basic_count * sizeof *all);
    *count = basic_count;
    for (size_t i = 0; i < countof(groups); i++) {
        all = xrealloc(all, (*count + groups[i]->count) * sizeof *all);
        memcpy(all + *count, groups[i]->options, groups[i]->count * sizeof *all);
        *count += groups[i]->count;
    }
    return all;
}

int run_options_read(run_options *o, const char *name, int argc, char **argv)
{
    const option basics[] = {
        {'d', "detach", OPTION_FLAG, NULL, "go on in the background, print the id", &o->detach},
        {'i', "interactive", OPTION_FLAG, NULL, "keep standard input open", &o->interactive},
        {'t', "tty", OPTION_FLAG, NULL, "give it a terminal", &o->tty},
        {'a', "attach", OPTION_LIST, "stdin|stdout|stderr", "attach only these", &o->attach},
        DETACH_KEYS_OPTION(o->detach_keys),
        SIG_PROXY_OPTION(o->sig_proxy),
        {0, "rm", OPTION_FLAG, NULL, "remove it when it ends", &o->remove},
        {0, "name", OPTION_MAYBE, "NAME", "name of the container", &o->name},
        {0, "pull", OPTION_TEXT, "missing|always|never", "when to pull the image", &o->pull},
        {0, "entrypoint", OPTION_MAYBE, "COMMAND", "instead of the image's; \"\" clears it", &o->entrypoint},
        {'e', "env", OPTION_LIST, "KEY[=VALUE]", "set a variable, or pass ours on", &o->env},
        {0, "env-file", OPTION_LIST, "FILE", "variables, one on a line", &o->env_files},
        {'l', "label", OPTION_LIST, "KEY[=VALUE]", "set a label", &o->labels},
        {0, "label-file", OPTION_LIST, "FILE", "labels, one on a line", &o->label_files},
        {'w', "workdir", OPTION_MAYBE, "DIR", "working directory", &o->workdir},
        {'u', "user", OPTION_MAYBE, "USER[:GROUP]", "names or numbers", &o->user},
        {0, "init", OPTION_FLAG, NULL, "run a small init that reaps", &o->init},
        {0, "cidfile", OPTION_MAYBE, "FILE", "write the id to a new file", &o->cid_file},
        {'q', "quiet", OPTION_FLAG, NULL, "show no pull progress", &o->transfer.quiet},
        TRANSFER_OPTIONS(o->transfer),
        POLICY_OPTIONS(o->transfer),
    };
    int run = !strcmp(name, "run");
    size_t count;
    o->sig_proxy = 1;
    option *all = join(basics, countof(basics), &count);
    argc = options_read(name, "[OPTIONS] IMAGE [COMMAND [ARG ...]]",
                        run ? "Creates a container and runs a command in it."
                            : "Creates a container without starting it.",
                        all, count, 1, argc, argv);
    free(all);
    if (!argc)
        die_usage("%s takes an IMAGE", name);
    o->keys = detach_keys_parse(o->detach_keys);
    return argc;
}

void run_each(const text_list *list, wc_container_options *options,
              void (*add)(wc_container_options *, const char *))
{
    for (size_t i = 0; i < list->count; i++)
        add(options, list->items[i]);
}

void run_set(wc_container_options *options, const char *value,
             int32_t (*set)(wc_container_options *, const char *, wc_error **))
{
    wc_error *err = NULL;
    if (value && *value)
        TRY(set(options, value, &err));
}

static void add_env(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *name;
    const char *value;
    cut_text(text, '=', &name, &value);
    TRY(wc_container_options_add_env(options, name, value, &err));
    free(name);
}

static void add_env_file(wc_container_options *options, const char *path)
{
    text_list lines = {0};
    env_file_read(path, &lines);
    run_each(&lines, options, add_env);
}

static void add_label(wc_container_options *options, const char *text)
{
    wc_error *err = NULL;
    char *key;
    const char *value;
    cut_text(text, '=', &key, &value);
    TRY(wc_container_options_add_label(options, key, value ? value : "", &err));
    free(key);
}

/* As --env-file, but every line is a label. */
static void add_label_file(wc_container_options *options, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    if (!file) {
        fprintf(stderr, "wcctl: --label-file '%s': %s\n", path, strerror(errno));
        exit(EXIT_OURS);
    }
    while ((n = getline(&line, &size, file)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        const char *start = line + strspn(line, " \t");
        if (*start && *start != '#')
            add_label(options, start);
    }
    free(line);
    fclose(file);
}

static void set_basics(const run_options *o, wc_container_options *options)
{
    wc_error *err = NULL;
    uint32_t columns, rows;
    TRY(wc_container_options_set_tty(options, o->tty, &err));
    if (o->tty && terminal_size(&columns, &rows))
        TRY(wc_container_options_set_console_size(options, columns, rows, &err));
    TRY(wc_container_options_set_open_stdin(options, o->interactive, &err));
    TRY(wc_container_options_set_auto_remove(options, o->remove, &err));
    TRY(wc_container_options_set_init(options, o->init, &err));
    run_set(options, o->name, wc_container_options_set_name);
    run_set(options, o->workdir, wc_container_options_set_workdir);
    run_set(options, o->user, wc_container_options_set_user);
    run_set(options, o->transfer.isolation, wc_container_options_set_isolation);
    run_each(&o->env_files, options, add_env_file);
    run_each(&o->env, options, add_env);
    run_each(&o->label_files, options, add_label_file);
    run_each(&o->labels, options, add_label);
}

static void set_command(const run_options *o, wc_container_options *options, int argc, char **argv)
{
    wc_error *err = NULL;
    if (o->entrypoint)
        TRY(wc_container_options_set_entrypoint(options, &o->entrypoint, *o->entrypoint ? 1 : 0, &err));
    if (argc)
        TRY(wc_container_options_set_command(options, (const char *const *)argv, (size_t)argc, &err));
}

/* The image of the store, for the platform that is asked for; NULL: that is not there. */
static wc_image *find_image(run_options *o, const char *name, int is_needed)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    int32_t code = transfer_choose(&o->transfer, name, &image, &err);
    if (!is_needed && (code == WC_E_NOT_FOUND || code == WC_E_PLATFORM)) {
        wc_error_unref(err);
        return NULL;
    }
    TRY(code);
    return image;
}

static int is_called(const wc_image *image, const char *name)
{
    wc_image *named = NULL;
    int is_it = !wc_image_open(app_context(), name, &named, NULL) &&
                !strcmp(wc_image_digest(named), wc_image_digest(image));
    wc_image_unref(named);
    return is_it;
}

/* What the image is called in the store: a source such as oci:DIR:TAG is no name there, and a name may stand for the
 * image for another platform. Owned. */
static char *name_of(const wc_image *image, const char *source)
{
    return xstrdup(is_called(image, source)     ? source
                   : wc_image_name_count(image) ? wc_image_name(image, 0)
                                                : wc_image_digest(image));
}

/* The image, by a name that is in the store; owned. */
static char *ensure_image(run_options *o, const char *name)
{
    const char *pull = o->pull ? o->pull : "missing";
    if (strcmp(pull, "missing") && strcmp(pull, "always") && strcmp(pull, "never"))
        die_usage("--pull takes missing, always or never, not '%s'", pull);
    wc_image *image = strcmp(pull, "always") ? find_image(o, name, !strcmp(pull, "never")) : NULL;
    if (!image)
        image = transfer_pull(&o->transfer, name);
    char *called = name_of(image, name);
    wc_image_unref(image);
    return called;
}

static FILE *cid_file;

_Noreturn static void cid_file_failed(const char *path)
{
    fprintf(stderr, "wcctl: --cidfile '%s': %s\n", path, strerror(errno));
    exit(EXIT_OURS);
}

/* Before anything is pulled; nothing is made yet. */
static void check_cid_file(const char *path)
{
    if (!access(path, F_OK))
        die_usage("--cidfile '%s': is there already, perhaps of another container; remove it or name another", path);
}

/* Before the container is created: one that cannot be told of is not made. */
static void open_cid_file(const char *path)
{
    cid_file = fopen(path, "wxe");
    if (!cid_file && errno == EEXIST)
        check_cid_file(path);
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

/* All that is refused without the image, before anybody waits for one. */
static wc_container_options *make_options(const run_options *o, int argc, char **argv)
{
    wc_error *err = NULL;
    wc_container_options *options = NULL;
    TRY(wc_container_options_new(argv[0], &options, &err));
    set_basics(o, options);
    for (size_t i = 0; i < countof(groups); i++)
        groups[i]->apply(options);
    set_command(o, options, argc - 1, argv + 1);
    run_options_attach(o);
    if (o->detach && o->attach.count)
        die_usage("-a and -d: conflicting options; leave one out");
    return options;
}

static void set_image(run_options *o, wc_container_options *options, const char *name)
{
    wc_error *err = NULL;
    char *image = ensure_image(o, name);
    TRY(wc_container_options_set_image(options, image, &err));
    free(image);
}

wc_container *run_options_create(run_options *o, int argc, char **argv)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    const char *cid_path = o->cid_file && *o->cid_file ? o->cid_file : NULL;
    if (cid_path)
        check_cid_file(cid_path);
    wc_container_options *options = make_options(o, argc, argv);
    set_image(o, options, argv[0]);
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
        attach = ATTACH_OUTPUT | (o->interactive ? WC_ATTACH_STDIN : 0);
    return attach | WC_ATTACH_WAIT | (attach & WC_ATTACH_STDIN ? WC_ATTACH_ONCE : 0);
}
