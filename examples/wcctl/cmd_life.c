/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the life of containers beside starting and stopping. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"

static int32_t for_pause(wc_container *c, action *a, wc_error **err)
{
    (void)a;
    return wc_container_pause(c, wcctl.cancel, err);
}

static int32_t for_unpause(wc_container *c, action *a, wc_error **err)
{
    (void)a;
    return wc_container_unpause(c, wcctl.cancel, err);
}

static int plain(const char *name, const char *about, action a, int argc, char **argv)
{
    argc = options_read(name, "CONTAINER [CONTAINER ...]", about, NULL, 0, 0, argc, argv);
    if (!argc)
        die_usage("%s takes at least one CONTAINER", name);
    return for_each(argc, argv, &a);
}

static int pause_command(int argc, char **argv)
{
    return plain("pause", "Holds all processes of containers.", (action){.act = for_pause}, argc, argv);
}

static int unpause(int argc, char **argv)
{
    return plain("unpause", "Lets the processes of paused containers go on.", (action){.act = for_unpause}, argc, argv);
}

static int rename_command(int argc, char **argv)
{
    wc_error *err = NULL;
    argc = options_read("rename", "CONTAINER NAME", "Gives a container another name.", NULL, 0, 0, argc, argv);
    if (argc != 2)
        die_usage("rename takes CONTAINER and NAME");
    wc_container *container = open_container(argv[0]);
    TRY(wc_container_rename(container, argv[1], &err));
    if (wcctl.json)
        print_texts("Id", wc_container_id(container), "Name", argv[1], NULL);
    wc_container_unref(container);
    return 0;
}

const command life_commands[] = {
    {"pause", pause_command, "hold all processes of containers"},
    {"unpause", unpause, "let the processes of paused containers go on"},
    {"rename", rename_command, "give a container another name"},
    {NULL, NULL, NULL},
};
