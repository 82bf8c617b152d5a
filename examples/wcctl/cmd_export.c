/* SPDX-License-Identifier: Apache-2.0 */
/* Root file systems as tars. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wcctl.h"

/* A container or an image. */
typedef struct exported {
    wc_container *container;
    wc_image *image;
} exported;

static void open_exported(const char *name, const char *type, exported *out)
{
    wc_error *err = NULL;
    int may_be_image = !type || !strcmp(type, "image");
    if (type && strcmp(type, "image") && strcmp(type, "container"))
        die_usage("--type takes container or image, not '%s'", type);
    int32_t code = type && may_be_image ? WC_E_NOT_FOUND : wc_container_open(app_context(), name, &out->container, &err);
    if (code == WC_E_NOT_FOUND && may_be_image) {
        wc_error *why = NULL;
        code = wc_image_open(app_context(), name, &out->image, &why);
        if (code == WC_E_NOT_FOUND && !type)
            die_usage("'%s': neither a container nor an image has this name", name);
        wc_error_unref(err);
        err = why;
    }
    TRY(code);
}

static int32_t write_file(const exported *e, const char *path, wc_error **err)
{
    return e->container ? wc_container_export(e->container, path, wcctl.cancel, err)
                        : wc_image_export(e->image, path, wcctl.cancel, err);
}

static int32_t write_output(const exported *e, wc_error **err)
{
    int32_t code = e->container ? wc_container_export_fd(e->container, STDOUT_FILENO, wcctl.cancel, err)
                                : wc_image_export_fd(e->image, STDOUT_FILENO, wcctl.cancel, err);
    if (code == WC_E_CLOSED)
        exit(EXIT_BROKEN_PIPE);
    return code;
}

int export_command(int argc, char **argv)
{
    const char *output = NULL, *type = NULL;
    const option options[] = {
        {'o', "output", OPTION_TEXT, "FILE", "file to write; default standard output", &output},
        {0, "type", OPTION_TEXT, "container|image", "what the name is of; default: a container, else an image", &type},
    };
    wc_error *err = NULL;
    exported e = {NULL, NULL};
    argc = options_read("export", "[OPTIONS] CONTAINER|IMAGE",
                        "Writes the whole file system of a container or an image as a tar.", options, countof(options), 0,
                        argc, argv);
    if (argc != 1)
        die_usage("export takes one CONTAINER or IMAGE");
    if (!output && isatty(STDOUT_FILENO))
        die_usage("export would write a tar to a terminal; take -o FILE or a pipe");
    open_exported(argv[0], type, &e);
    TRY(output ? write_file(&e, output, &err) : write_output(&e, &err));
    if (wcctl.json && output)
        print_texts("Source", argv[0], "Target", output, NULL);
    wc_container_unref(e.container);
    wc_image_unref(e.image);
    return 0;
}
