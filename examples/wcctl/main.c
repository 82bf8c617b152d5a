/* SPDX-License-Identifier: Apache-2.0 */
/* wcctl [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGS] */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

static const option global_options[] = {
    {0, "root", OPTION_TEXT, "DIR", "directory of the store", &wcctl.root},
    {0, "run-root", OPTION_TEXT, "DIR", "directory of what a reboot clears", &wcctl.run_root},
    {0, "backend", OPTION_TEXT, "process|mock|NAME", "what runs containers", &wcctl.backend},
    {0, "load-backend", OPTION_LIST, "FILE", "load a backend from a shared object", &wcctl.plugins},
    {0, "runtime", OPTION_TEXT, "crun|runc|PATH", "OCI runtime, default: the first that works",
     &wcctl.runtime},
    {0, "cgroup-manager", OPTION_TEXT, "cgroupfs|systemd", "who makes control groups, default: cgroupfs",
     &wcctl.cgroup_manager},
    {0, "network-helper", OPTION_TEXT, "pasta|slirp4netns|PATH", "what connects containers without root, default: the first",
     &wcctl.network_helper},
    {0, "helper", OPTION_TEXT, "PATH", "wc-helper, default: the installed one", &wcctl.helper},
    {0, "json", OPTION_FLAG, NULL, "print JSON on standard output", &wcctl.json},
    {0, "progress", OPTION_TEXT, "auto|plain|json|none", "how long work reports", &wcctl.progress},
    {0, "log-level", OPTION_TEXT, "none|error|warn|info|debug", "what to log", &wcctl.log_level},
};

static const command *const tables[] = {
    image_commands,
    edit_commands,
    registry_commands,
    signature_commands,
    container_commands,
    volume_commands,
    life_commands,
    group_commands,
    network_commands,
    watch_commands,
    kind_commands,
    system_commands,
};
static const char *const titles[] = {
    "Images",
    "Editing",
    "Registries",
    "Signatures",
    "Containers",
    "Volumes",
    "Life of containers",
    "Groups",
    "Networks",
    "Watching",
    "Long names",
    "System",
};

const command *command_find(const command *commands, const char *name)
{
    for (; commands->name; commands++)
        if (!strcmp(commands->name, name))
            return commands;
    return NULL;
}

const command *app_command(const char *name)
{
    const command *found = NULL;
    for (size_t i = 0; i < countof(tables) && !found; i++)
        found = command_find(tables[i], name);
    return found;
}

int subcommand(const char *name, const command *commands, int argc, char **argv)
{
    const command *found = argc ? command_find(commands, argv[0]) : NULL;
    if (wcctl.completing && argc == 1)
        complete_command(&commands, 1, argv[0]);
    if (found)
        return found->run(argc - 1, argv + 1);
    if (!argc)
        die_usage("%s takes a command", name);
    if (strcmp(argv[0], "--help"))
        die_usage("%s: unknown command '%s'", name, argv[0]);
    printf("Usage: wcctl %s COMMAND\n\n", name);
    for (const command *c = commands; c->name; c++)
        printf("  %-10s %s\n", c->name, c->help);
    return 0;
}

static void print_commands(void)
{
    printf("Usage: wcctl [OPTIONS] COMMAND [ARGS]\n\n"
           "Images and containers without a daemon.\n");
    for (size_t i = 0; i < countof(tables); i++) {
        printf("\n%s:\n", titles[i]);
        for (const command *c = tables[i]; c->name; c++)
            printf("  %-10s %s\n", c->name, c->help);
    }
    printf("\nOptions:\n");
    for (size_t i = 0; i < countof(global_options); i++) {
        char left[64];
        const option *o = &global_options[i];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        printf("  %-38s %s\n", left, o->help);
    }
    printf("\n'wcctl COMMAND --help' tells more; 'man wcctl' tells all.\n");
}

int main(int argc, char **argv)
{
    wc_error *err = NULL;
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
        print_commands();
        return argc < 2 ? EXIT_OURS : 0;
    }
    if (!strcmp(argv[1], "__complete")) {
        wcctl.completing = 1;
        argv++;
        if (--argc < 2)
            return 0;
    }
    if (!strcmp(argv[1], "--version"))
        argv[1] = (char *)"version";
    TRY(wc_cancel_new(&wcctl.cancel, &err));
    signals_prepare();
    argc = options_read("", "[OPTIONS] COMMAND", "", global_options, countof(global_options), 1,
                        argc - 1, argv + 1);
    progress_check();
    if (argc < 1)
        die_usage("no command given");
    if (wcctl.completing && argc == 1)
        complete_command(tables, countof(tables), argv[1]);
    const command *found = app_command(argv[1]);
    if (!found)
        die_usage("unknown command '%s'", argv[1]);
    int code = found->run(argc - 1, argv + 2);
    if (fflush(stdout) || ferror(stdout)) {
        fputs("wcctl: cannot write to standard output\n", stderr);
        code = code ? code : EXIT_OURS;
    }
    exit(code);
}
