/* SPDX-License-Identifier: Apache-2.0 */
/* Files between containers and the host. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int is_stream(const char *host_path)
{
    return !strcmp(host_path, "-");
}

static void copy_out(wc_container *container, const char *from, const char *host_path)
{
    wc_error *err = NULL;
    if (!is_stream(host_path)) {
        TRY(wc_container_copy_out(container, from, host_path, wcctl.cancel, &err));
        return;
    }
    if (isatty(STDOUT_FILENO))
        die_usage("cp would write a tar to a terminal; take a pipe or a file");
    int32_t code = wc_container_get_archive(container, from, STDOUT_FILENO, wcctl.cancel, &err);
    if (code == WC_E_CLOSED)
        exit(EXIT_BROKEN_PIPE);
    TRY(code);
}

static void copy_in(wc_container *container, const char *host_path, const char *to)
{
    wc_error *err = NULL;
    if (!is_stream(host_path)) {
        TRY(wc_container_copy_in(container, host_path, to, wcctl.cancel, &err));
        return;
    }
    if (isatty(STDIN_FILENO))
        die_usage("cp would read a tar from a terminal; take a pipe or a file");
    TRY(wc_container_put_archive(container, to, STDIN_FILENO, wcctl.cancel, &err));
}

int cp_command(int argc, char **argv)
{
    const char *from = NULL, *to = NULL;
    argc = options_read("cp", "CONTAINER:PATH HOSTPATH|- | HOSTPATH|- CONTAINER:PATH",
                        "Copies files and trees between a container and the host. \"-\" is a tar: at standard output,\n"
                        "or at standard input to be unpacked into the directory PATH.",
                        NULL, 0, 0, argc, argv);
    if (argc != 2)
        die_usage("cp takes a source and a target");
    char *source = container_side(argv[0], &from), *target = container_side(argv[1], &to);
    if (!source == !target)
        die_usage("cp: exactly one side is CONTAINER:PATH");
    wc_container *container = open_container(source ? source : target);
    if (source)
        copy_out(container, from, argv[1]);
    else
        copy_in(container, argv[0], to);
    wc_container_unref(container);
    free(source);
    free(target);
    if (wcctl.json && !is_stream(argv[1]))
        print_texts("Source", argv[0], "Target", argv[1], NULL);
    return 0;
}
