/* SPDX-License-Identifier: Apache-2.0 */
/* container ... and image ...: Docker's long names of commands, and what they have besides: prune. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

/* ---- prune ------------------------------------------------------------------------------------------- */

static int confirm(const char *what)
{
    fprintf(stderr, "This removes all %s. Go on? [y/N] ", what);
    int answer = getchar();
    return answer == 'y' || answer == 'Y';
}

/* "container ID (NAME)" of what is removed, as Docker lists it. */
static void print_removed(const wc_list *removed, const char *title, const char *before)
{
    if (wc_list_count(removed))
        printf("%s:\n", title);
    for (size_t i = 0; i < wc_list_count(removed); i++) {
        const char *line = wc_list_string(removed, i), *colon = strstr(line, ": ");
        const char *rest = colon ? colon + 2 : line;
        rest += strncmp(rest, "container ", 10) ? 0 : 10;
        printf("%s%.*s\n", before, (int)strcspn(rest, " "), rest);
    }
    if (wc_list_count(removed))
        printf("\n");
}

static int prune(uint64_t flags, const char *title, const char *before)
{
    wc_error *err = NULL;
    wc_list *removed = NULL;
    int64_t bytes = 0;
    char size[32];
    TRY(wc_system_prune(app_context(), flags, wcctl.cancel, &bytes, &removed, &err));
    if (wcctl.json) {
        print_object(json_pack("{s:o, s:I}", "Removed", json_list(removed), "SpaceReclaimed", (json_int_t)bytes));
    } else {
        print_removed(removed, title, before);
        format_bytes((double)bytes, size);
        printf("Total reclaimed space: %s\n", size);
    }
    wc_list_unref(removed);
    return 0;
}

static int container_prune(int argc, char **argv)
{
    int force = 0;
    const option options[] = {{'f', "force", OPTION_FLAG, NULL, "do not ask", &force}};
    options_read_all("container prune", "Removes containers that do not run.", options, countof(options), argc, argv);
    return !force && !confirm("containers that do not run") ? 1
                                                            : prune(WC_PRUNE_CONTAINERS, "Deleted Containers", "");
}

static int image_prune(int argc, char **argv)
{
    int force = 0, all = 0;
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "all that no container uses, not just those without a name", &all},
        {'f', "force", OPTION_FLAG, NULL, "do not ask", &force},
    };
    options_read_all("image prune", "Removes images without a name that no container uses.", options, countof(options),
                     argc, argv);
    if (!force && !confirm(all ? "images that no container uses" : "images without a name"))
        return 1;
    return prune(all ? WC_PRUNE_UNUSED : WC_PRUNE_DANGLING, "Deleted Images", "deleted: ");
}

/* ---- Names ------------------------------------------------------------------------------------------- */

typedef struct long_name {
    const char *name;
    const char *command; /* of the same kind without `container` or `image`; NULL: the same word */
    int (*run)(int argc, char **argv);
} long_name;

static const long_name container_names[] = {
    {"attach", NULL, NULL}, {"commit", NULL, NULL},  {"cp", NULL, NULL},     {"create", NULL, NULL},
    {"diff", NULL, NULL},   {"exec", NULL, NULL},    {"export", NULL, NULL}, {"inspect", NULL, inspect_container},
    {"kill", NULL, NULL},   {"list", "ps", NULL},    {"logs", NULL, NULL},   {"ls", "ps", NULL},
    {"pause", NULL, NULL},  {"port", NULL, NULL},    {"prune", NULL, container_prune}, {"ps", NULL, NULL},
    {"rename", NULL, NULL}, {"restart", NULL, NULL}, {"rm", NULL, NULL},     {"run", NULL, NULL},
    {"start", NULL, NULL},  {"stats", NULL, NULL},   {"stop", NULL, NULL},   {"top", NULL, NULL},
    {"unpause", NULL, NULL}, {"update", NULL, NULL}, {"wait", NULL, NULL},   {NULL, NULL, NULL},
};

static const long_name image_names[] = {
    {"history", NULL, NULL}, {"import", NULL, NULL}, {"inspect", NULL, inspect_image}, {"list", "images", NULL},
    {"load", NULL, NULL},    {"ls", "images", NULL}, {"prune", NULL, image_prune},     {"pull", NULL, NULL},
    {"push", NULL, NULL},    {"remove", "rmi", NULL}, {"rm", "rmi", NULL},             {"save", NULL, NULL},
    {"tag", NULL, NULL},     {NULL, NULL, NULL},
};

static int show_names(const char *kind, const long_name *names)
{
    printf("Usage: wcctl %s NAME [ARG ...]\n\nThe commands by their long names; 'wcctl %s NAME --help' tells more.\n\nNAME is", kind,
           kind);
    for (; names->name; names++)
        printf(" %s", names->name);
    printf(".\n");
    return 0;
}

static int run_long(const char *kind, const long_name *names, int argc, char **argv)
{
    const long_name *at = names;
    if (!argc)
        die_usage("%s takes a command", kind);
    if (!strcmp(argv[0], "--help"))
        return show_names(kind, names);
    while (at->name && strcmp(at->name, argv[0]))
        at++;
    if (wcctl.completing && argc == 1 && *argv[0] == '-')
        complete_option(NULL, 0, argv[0]);
    if (wcctl.completing && argc == 1) {
        for (at = names; at->name; at++)
            if (!strncmp(at->name, argv[0], strlen(argv[0])))
                printf("%s\t%s\n", at->name, kind);
        exit(0);
    }
    if (!*argv[0])
        die_usage("%s: NAME is empty", kind);
    if (!at->name)
        die_usage("%s: unknown command '%s'", kind, argv[0]);
    return at->run ? at->run(argc - 1, argv + 1)
                   : app_command(at->command ? at->command : at->name)->run(argc - 1, argv + 1);
}

static int container_kind(int argc, char **argv)
{
    return run_long("container", container_names, argc, argv);
}

static int image_kind(int argc, char **argv)
{
    return run_long("image", image_names, argc, argv);
}

const command kind_commands[] = {
    {"container", container_kind, "commands on containers by their long names, and prune"},
    {"image", image_kind, "commands on images by their long names, and prune"},
    {NULL, NULL, NULL},
};
