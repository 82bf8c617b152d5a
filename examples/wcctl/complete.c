/* SPDX-License-Identifier: Apache-2.0 */
/* `wcctl __complete WORD ...` prints what the last word may be, a line each: the word, a tab, what it is. The
 * line ":file" or ":dir" leaves paths to the shell. The tables that the commands read their options by are
 * all that it knows, so it cannot be behind them. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

static void offer(const char *before, const char *word, const char *begun, const char *about)
{
    if (!strncmp(word, begun, strlen(begun)))
        printf("%s%s\t%s\n", before, word, about);
}

static void offer_containers(const char *after, const char *begun)
{
    wc_list *list = NULL;
    if (wc_container_list(app_context(), &list, NULL))
        return;
    for (size_t i = 0; i < wc_list_count(list); i++) {
        wc_container_info *info = wc_list_container_info(list, i);
        char *name = xasprintf("%s%s", wc_container_info_name(info), after);
        offer("", name, begun, familiar_name(wc_container_info_image(info)));
        free(name);
    }
    wc_list_unref(list);
}

static void offer_images(const char *begun)
{
    wc_list *list = NULL;
    if (wc_image_list(app_context(), &list, NULL))
        return;
    for (size_t i = 0; i < wc_list_count(list); i++) {
        wc_image *image = wc_list_image(list, i);
        for (size_t k = 0; k < wc_image_name_count(image); k++)
            offer("", familiar_name(wc_image_name(image, k)), begun, "image");
    }
    wc_list_unref(list);
}

static void offer_volumes(const char *begun)
{
    wc_list *list = NULL;
    if (wc_volume_list(app_context(), &list, NULL))
        return;
    for (size_t i = 0; i < wc_list_count(list); i++)
        offer("", wc_volume_name(wc_list_volume(list, i)), begun, "volume");
    wc_list_unref(list);
}

static void offer_networks(const char *begun)
{
    wc_list *list = NULL;
    if (wc_network_list(app_context(), &list, NULL))
        return;
    for (size_t i = 0; i < wc_list_count(list); i++)
        offer("", wc_network_name(wc_list_network(list, i)), begun, "network");
    wc_list_unref(list);
}

static void offer_groups(const char *begun)
{
    wc_list *list = NULL;
    if (wc_group_list(app_context(), &list, NULL))
        return;
    for (size_t i = 0; i < wc_list_count(list); i++)
        offer("", wc_group_name(wc_list_group(list, i)), begun, "group");
    wc_list_unref(list);
}

static int is_any_of(const char *word, const char *const *list)
{
    while (*list && strcmp(word, *list))
        list++;
    return *list != NULL;
}

/* One of the alternatives that help names for a value or an argument: capitals stand for something. */
static void offer_kind(const char *kind, const char *before, const char *begun, const char *about)
{
    static const char *const files[] = {"FILE", "PATH", "TAR", "HOSTPATH", "SOURCE", "TARGET", "COMMAND", "ARG",
                                        "[HOST|NAME:]PATH[:OPTIONS]", NULL};
    if (!strcmp(kind, "CONTAINER"))
        offer_containers("", begun);
    else if (!strcmp(kind, "CONTAINER:PATH"))
        offer_containers(":", begun);
    else if (!strcmp(kind, "VOLUME"))
        offer_volumes(begun);
    else if (!strcmp(kind, "GROUP"))
        offer_groups(begun);
    else if (!strcmp(kind, "NETWORK"))
        offer_networks(begun);
    else if (!strcmp(kind, "IMAGE"))
        offer_images(begun);
    else if (!strcmp(kind, "DIR"))
        puts(":dir");
    else if (is_any_of(kind, files))
        puts(":file");
    else if (*kind && !kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        offer(before, kind, begun, about);
}

static void offer_kinds(const char *kinds, const char *before, const char *begun, const char *about)
{
    char *copy = xstrdup(kinds), *rest = copy, *kind;
    while ((kind = strsep(&rest, "|")))
        offer_kind(kind, before, begun, about);
    free(copy);
}

void complete_option(const option *options, size_t count, const char *word)
{
    char letter[3] = "-";
    for (size_t i = 0; i < count; i++) {
        letter[1] = options[i].letter;
        if (options[i].letter)
            offer("", letter, word, options[i].help);
        char *name = xasprintf("--%s", options[i].name);
        offer("", name, word, options[i].help);
        free(name);
    }
    offer("", "--help", word, "what the command does, and its options");
    exit(0);
}

void complete_value(const option *of, const char *before, const char *value)
{
    offer_kinds(of->arg, before, value, of->help);
    exit(0);
}

void complete_argument(const char *what, const char *word)
{
    /* Either side of cp may be the container's. */
    if (!strncmp(what, "HOSTPATH", 8) || !strncmp(what, "CONTAINER:", 10))
        what = "CONTAINER:PATH|HOSTPATH";
    offer_kinds(what, "", word, "");
    exit(0);
}

void complete_command(const command *const *tables, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        for (const command *c = tables[i]; c->name; c++)
            offer("", c->name, word, c->help);
    exit(0);
}
