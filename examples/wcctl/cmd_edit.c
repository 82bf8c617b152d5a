/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that make images from others. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wcctl.h"

/* ---- Changes, as options and as lines of a Dockerfile -------------------------------------------- */

typedef int32_t (*pair_setter)(wc_image_edit *, const char *, const char *, wc_error **);
typedef int32_t (*text_setter)(wc_image_edit *, const char *, wc_error **);

static void set_pair(wc_image_edit *edit, const char *what, const char *text, pair_setter set)
{
    wc_error *err = NULL;
    char *name;
    const char *value;
    cut_pair(what, text, &name, &value);
    TRY(set(edit, name, value, &err));
    free(name);
}

static void set_text(wc_image_edit *edit, const char *text, text_setter set)
{
    wc_error *err = NULL;
    if (text)
        TRY(set(edit, text, &err));
}

static void add_changes(wc_image_edit *edit, const text_list *lines)
{
    wc_error *err = NULL;
    for (size_t i = 0; i < lines->count; i++)
        if (wc_image_edit_add_instruction(edit, lines->items[i], &err))
            die_usage("--change %s", wc_error_message(err));
}

static void set_squash(wc_image_edit *edit, const char *text)
{
    wc_error *err = NULL;
    if (!text)
        return;
    int64_t layers = strcmp(text, "all") ? value_number("--squash", text) : 0;
    if (layers < 0 || layers > UINT32_MAX || (!layers && strcmp(text, "all")))
        die_usage("--squash '%s': must be 'all' or a number of layers", text);
    TRY(wc_image_edit_set_squash(edit, (uint32_t)layers, &err));
}

static void set_base(wc_image_edit *edit, const char *old_base, const char *new_base)
{
    wc_error *err = NULL;
    if (!old_base != !new_base)
        die_usage("--old-base and --new-base belong together");
    if (old_base)
        TRY(wc_image_edit_set_base(edit, old_base, new_base, &err));
}

static int finish(wc_image_edit *edit, const char *name)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    TRY(wc_image_edit_apply(edit, name, wcctl.cancel, &image, &err));
    wc_image_edit_unref(edit);
    if (wcctl.json)
        print_object(json_image(image));
    else
        printf("%s\n", wc_image_id(image));
    wc_image_unref(image);
    return 0;
}

/* ---- Commands ------------------------------------------------------------------------------------- */

static wc_container *held;

static void let_go(void)
{
    wc_container_unpause(held, NULL, NULL);
}

/* So that its files stay as they are meanwhile; whatever comes, it goes on in the end. One that cannot be held goes on at
 * once. */
static void hold(wc_container *container)
{
    wc_container_info *info = NULL;
    int runs = !wc_container_inspect(container, &info, NULL) && wc_container_info_status(info) == WC_STATUS_RUNNING;
    wc_container_info_unref(info);
    held = container;
    if (runs && !wc_container_pause(container, wcctl.cancel, NULL))
        atexit(let_go);
}

static int commit(int argc, char **argv)
{
    int pause = 1;
    const char *author = NULL, *message = NULL, *compression = NULL;
    static text_list changes; /* lives as long as the program */
    const option options[] = {
        {'p', "pause", OPTION_FLAG, NULL, "hold it meanwhile when it runs, the default; =false: do not", &pause},
        {'a', "author", OPTION_MAYBE, "NAME", "who made it", &author},
        {'m', "message", OPTION_MAYBE, "TEXT", "a word on the change, kept in the history", &message},
        {'c', "change", OPTION_LIST, "INSTRUCTION", "ENV A=b, CMD [\"x\"], USER …, as in a Dockerfile", &changes},
        {0, "compression", OPTION_TEXT, "gzip|zstd|none", "of the new layer", &compression},
    };
    wc_error *err = NULL;
    wc_container *container = NULL;
    wc_image_edit *edit = NULL;
    argc = options_read("commit", "[OPTIONS] CONTAINER [NAME]", "Makes an image of a container and what it has changed.",
                        options, countof(options), 0, argc, argv);
    if (argc < 1 || argc > 2)
        die_usage("commit takes CONTAINER and perhaps NAME");
    TRY(wc_container_open(app_context(), argv[0], &container, &err));
    if (pause)
        hold(container); /* which stays open as long as the program */
    TRY(wc_image_edit_new_from_container(app_context(), container, &edit, &err));
    set_text(edit, author, wc_image_edit_set_author);
    set_text(edit, message, wc_image_edit_set_comment);
    set_text(edit, compression, wc_image_edit_set_compression);
    add_changes(edit, &changes);
    return finish(edit, argc > 1 ? argv[1] : NULL);
}

static int import(int argc, char **argv)
{
    const char *message = NULL, *platform = NULL, *compression = NULL;
    static text_list changes; /* lives as long as the program */
    const option options[] = {
        {'m', "message", OPTION_MAYBE, "TEXT", "a word on it, kept in the history", &message},
        {'c', "change", OPTION_LIST, "INSTRUCTION", "ENV A=b, CMD [\"x\"], USER …, as in a Dockerfile", &changes},
        {0, "platform", OPTION_JOIN, "OS/ARCH[/VARIANT][:VERSION]", "what it is for, default: this host", &platform},
        {0, "compression", OPTION_TEXT, "gzip|zstd|none", "of the layer", &compression},
    };
    wc_error *err = NULL;
    wc_image_edit *edit = NULL;
    argc = options_read("import", "[OPTIONS] FILE|- [NAME]",
                        "Makes an image of one layer from a tar of a root file system; - is standard input.",
                        options, countof(options), 0, argc, argv);
    if (argc < 1 || argc > 2)
        die_usage("import takes FILE and perhaps NAME");
    int from_input = !strcmp(argv[0], "-");
    if (from_input && isatty(STDIN_FILENO))
        die_usage("import would read a tar from a terminal; take a FILE or a pipe");
    TRY(wc_image_edit_new(app_context(), NULL, &edit, &err));
    TRY(wc_image_edit_add_tar(edit, from_input ? input_as_file() : argv[0], &err));
    set_text(edit, message ? message : "Imported from a tar", wc_image_edit_set_comment);
    set_text(edit, platform && *platform ? platform : NULL, wc_image_edit_set_platform);
    set_text(edit, compression, wc_image_edit_set_compression);
    add_changes(edit, &changes);
    return finish(edit, argc > 1 ? argv[1] : NULL);
}

static void add_layer(wc_image_edit *edit, const char *path)
{
    wc_error *err = NULL;
    struct stat st;
    int is_directory = !stat(path, &st) && S_ISDIR(st.st_mode);
    TRY((is_directory ? wc_image_edit_add_directory : wc_image_edit_add_tar)(edit, path, &err));
}

static int edit(int argc, char **argv)
{
    const char *author = NULL, *message = NULL, *compression = NULL, *platform = NULL, *squash = NULL, *old_base = NULL,
               *new_base = NULL;
    int recompress = 0;
    static text_list changes, layers, annotations, dropped; /* live as long as the program */
    const option options[] = {
        {'c', "change", OPTION_LIST, "INSTRUCTION", "ENV A=b, CMD [\"x\"], USER …, as in a Dockerfile", &changes},
        {0, "append", OPTION_LIST, "DIR|TAR", "one more layer with this content", &layers},
        {0, "annotation", OPTION_LIST, "KEY=VALUE", "annotation of the manifest", &annotations},
        {0, "drop-annotation", OPTION_LIST, "KEY", "without this annotation of IMAGE", &dropped},
        {0, "squash", OPTION_TEXT, "all|N", "make one layer of all or the last N", &squash},
        {0, "old-base", OPTION_TEXT, "IMAGE", "what it was built on: gives way to --new-base", &old_base},
        {0, "new-base", OPTION_TEXT, "IMAGE", "what it is to stand on, for the same platform", &new_base},
        {0, "compression", OPTION_TEXT, "gzip|zstd|none", "of new layers", &compression},
        {0, "recompress", OPTION_FLAG, NULL, "--compression of all layers", &recompress},
        {0, "platform", OPTION_JOIN, "OS/ARCH[/VARIANT][:VERSION]", "what it is for", &platform},
        {'a', "author", OPTION_MAYBE, "NAME", "who made it", &author},
        {'m', "message", OPTION_MAYBE, "TEXT", "a word on the change, kept in the history", &message},
    };
    wc_error *err = NULL;
    wc_image_edit *e = NULL;
    argc = options_read("edit", "[OPTIONS] IMAGE [NAME]",
                        "Makes an image from another: other layers, another configuration. IMAGE \"scratch\" is nothing.",
                        options, countof(options), 0, argc, argv);
    if (argc < 1 || argc > 2)
        die_usage("edit takes IMAGE and perhaps NAME");
    TRY(wc_image_edit_new(app_context(), strcmp(argv[0], "scratch") ? argv[0] : NULL, &e, &err));
    for (size_t i = 0; i < layers.count; i++)
        add_layer(e, layers.items[i]);
    add_changes(e, &changes);
    for (size_t i = 0; i < annotations.count; i++)
        set_pair(e, "--annotation", annotations.items[i], wc_image_edit_add_annotation);
    for (size_t i = 0; i < dropped.count; i++)
        TRY(wc_image_edit_drop_annotation(e, dropped.items[i], &err));
    set_squash(e, squash);
    set_base(e, old_base, new_base);
    TRY(wc_image_edit_set_recompress(e, recompress, &err));
    set_text(e, compression, wc_image_edit_set_compression);
    set_text(e, platform && *platform ? platform : NULL, wc_image_edit_set_platform);
    set_text(e, author, wc_image_edit_set_author);
    set_text(e, message, wc_image_edit_set_comment);
    return finish(e, argc > 1 ? argv[1] : NULL);
}

static int diff(int argc, char **argv)
{
    static const char letters[] = "CAD";
    wc_error *err = NULL;
    wc_container *container = NULL;
    wc_buf *changes = NULL;
    argc = options_read("diff", "CONTAINER | IMAGE IMAGE",
                        "Lists what a container, or the second of two images, has changed (C), added (A) and deleted (D).",
                        NULL, 0, 0, argc, argv);
    if (argc == 2)
        return diff_images(argv[0], argv[1]);
    if (argc != 1)
        die_usage("diff takes one CONTAINER or two images");
    TRY(wc_container_open(app_context(), argv[0], &container, &err));
    TRY(wc_container_diff(container, wcctl.cancel, &changes, &err));
    wc_container_unref(container);
    if (wcctl.json) {
        print_json(wc_buf_data(changes), wc_buf_size(changes));
    } else {
        json_t *list = json_loadb(wc_buf_data(changes), wc_buf_size(changes), 0, NULL), *change;
        size_t i;
        json_array_foreach(list, i, change)
            printf("%c %s\n", letters[json_integer_value(json_object_get(change, "Kind"))],
                   json_string_value(json_object_get(change, "Path")));
        json_decref(list);
    }
    wc_buf_unref(changes);
    return 0;
}

const command edit_commands[] = {
    {"commit", commit, "make an image of a container"},
    {"diff", diff, "what a container has changed"},
    {"edit", edit, "make an image from another"},
    {"import", import, "make an image from a tar"},
    {"export", export_command, "write a whole file system as a tar"},
    {"history", history_command, "how an image came about"},
    {NULL, NULL, NULL},
};
