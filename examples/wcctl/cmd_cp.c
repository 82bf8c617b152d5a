/* SPDX-License-Identifier: Apache-2.0 */
/* Files between containers and the host. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

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

int cp_command(int argc, char **argv)
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
