/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on images. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wcctl.h"

static void print_image(wc_image *image, const char *before)
{
    if (wcctl.json)
        print_object(json_image(image));
    else
        printf("%s%s\n", before, !wc_image_name_count(image) ? wc_image_id(image)
                                 : *before                    ? familiar_name(wc_image_name(image, 0))
                                                              : wc_image_name(image, 0));
}

static wc_image *open_image(const char *name)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    TRY(wc_image_open(app_context(), name, &image, &err));
    return image;
}

static int pull(int argc, char **argv)
{
    transfer t = {.takes_index = 1};
    wc_error *err = NULL;
    const option options[] = {
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress", &t.quiet},
        {0, "drop-blobs", OPTION_FLAG, NULL, "keep the unpacked layers alone; fetch the others again when they are needed", &t.drop_blobs},
        TRANSFER_OPTIONS(t),
        INDEX_OPTIONS(t),
        POLICY_OPTIONS(t),
    };
    argc = options_read("pull", "[OPTIONS] SOURCE",
                        "Brings an image into the store, ready to run. SOURCE is a name (docker://), oci:DIR:TAG,\n"
                        "oci-archive:FILE:REF, docker-archive:FILE:REF or docker-daemon:NAME.",
                        options, countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("pull takes one SOURCE");
    wc_image *image = transfer_pull(&t, argv[0]);
    if (t.drop_blobs)
        TRY(wc_image_drop_blobs(image, wcctl.cancel, NULL, &err));
    print_image(image, "");
    wc_image_unref(image);
    return 0;
}

/* What docker prints, for people and for scripts that wait for the digest. */
static void print_pushed(const char *target, const char *digest)
{
    if (wcctl.json)
        print_texts("Target", target, "Digest", digest, NULL);
    else
        printf("%s: digest: %s\n", target, digest);
}

static int push(int argc, char **argv)
{
    transfer t = {.takes_index = 1};
    const option options[] = {
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress", &t.quiet},
        TRANSFER_OPTIONS(t),
        INDEX_OPTIONS(t),
        LEAVE_OPTION(t),
        FOREIGN_OPTION(t),
        SIGN_OPTIONS(t),
    };
    wc_error *err = NULL;
    argc = options_read("push", "[OPTIONS] IMAGE [TARGET]",
                        "Sends an image of the store to a registry: to the place that its name says, or to TARGET.",
                        options, countof(options), 0, argc, argv);
    if (argc < 1 || argc > 2)
        die_usage("push takes IMAGE and perhaps TARGET");
    transfer_begin(&t);
    int32_t code = wc_image_push(app_context(), argv[0], argc > 1 ? argv[1] : NULL, t.options, wcctl.cancel, &err);
    char *digest = xstrdup(progress_last_done(t.progress));
    transfer_end(&t);
    TRY(code);
    print_pushed(argc > 1 ? argv[1] : argv[0], digest);
    free(digest);
    return 0;
}

static int tag(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_image *image;
    argc = options_read("tag", "IMAGE NAME", "Gives an image a further name.", NULL, 0, 0, argc, argv);
    if (argc != 2)
        die_usage("tag takes IMAGE and NAME");
    image = open_image(argv[0]);
    TRY(wc_image_tag(image, argv[1], &err));
    wc_image_unref(image);
    if (wcctl.json) {
        image = open_image(argv[1]);
        print_object(json_image(image));
        wc_image_unref(image);
    }
    return 0;
}

/* "Untagged: NAME", "Deleted: ID" */
static void print_removed(const char *line)
{
    const char *colon = strstr(line, ": ");
    if (!wcctl.json || !colon) { /* names as Docker prints them */
        printf("%.*s%s\n", (int)(colon ? colon + 2 - line : 0), line, familiar_name(colon ? colon + 2 : line));
        return;
    }
    char *what = xstrdup(line);
    what[colon - line] = '\0';
    print_texts(what, colon + 2, NULL);
    free(what);
}

static int rmi(int argc, char **argv)
{
    int force = 0, result = 0;
    const option options[] = {{'f', "force", OPTION_FLAG, NULL, "also with several names or stopped containers", &force}};
    argc = options_read("rmi", "[OPTIONS] IMAGE [IMAGE ...]", "Removes names, and images without names.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("rmi takes at least one IMAGE");
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        wc_list *removed = NULL;
        if (wc_image_remove(app_context(), argv[i], force ? WC_REMOVE_FORCE : 0, wcctl.cancel, &removed, &err)) {
            int is_missing = wc_error_code(err) == WC_E_NOT_FOUND;
            complain(err);
            result |= !(force && is_missing); /* Docker tells of it, and is content */
            continue;
        }
        for (size_t k = 0; k < wc_list_count(removed); k++)
            print_removed(wc_list_string(removed, k));
        wc_list_unref(removed);
    }
    return result;
}

static void print_saved(const char *name, const char *target)
{
    wc_image *image = open_image(name);
    json_t *object = json_image(image);
    json_object_set_new(object, "Target", json_text(target));
    print_object(object);
    wc_image_unref(image);
}

static int save(int argc, char **argv)
{
    transfer t = {.takes_index = 1};
    const char *output = NULL, *format = "docker-archive";
    const option options[] = {
        {'o', "output", OPTION_TEXT, "FILE", "where to write the archive; default standard output", &output},
        {0, "format", OPTION_TEXT, "docker-archive|oci-archive", "kind of archive", &format},
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress", &t.quiet},
        TRANSFER_OPTIONS(t),
        INDEX_OPTIONS(t),
        LEAVE_OPTION(t),
    };
    wc_error *err = NULL;
    argc = options_read("save", "[OPTIONS] IMAGE [IMAGE ...]", "Writes images to an archive.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("save takes at least one IMAGE");
    if (strcmp(format, "docker-archive") && strcmp(format, "oci-archive"))
        die_usage("--format takes docker-archive or oci-archive, not '%s'", format);
    if (!output && isatty(STDOUT_FILENO))
        die_usage("save would write an archive to a terminal; take -o FILE or a pipe");
    for (int i = 0; i < argc; i++)
        wc_image_unref(open_image(argv[i])); /* before anything is written */
    transfer_begin(&t);
    char *target = xasprintf("%s:%s", format, output ? output : passing_file());
    int32_t code = wc_image_save(app_context(), (const char *const *)argv, (size_t)argc, target, t.options,
                                 wcctl.cancel, &err);
    transfer_end(&t);
    TRY(code);
    if (!output)
        pass_to_output();
    for (int i = 0; output && wcctl.json && i < argc; i++)
        print_saved(argv[i], target);
    free(target);
    return 0;
}

static int load(int argc, char **argv)
{
    transfer t = {.takes_index = 1};
    const char *input = NULL;
    const option options[] = {
        {'i', "input", OPTION_TEXT, "FILE", "archive to read; default standard input", &input},
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress", &t.quiet},
        {0, "platform", OPTION_JOIN, "OS/ARCH[/VARIANT][:VERSION]", "choose this platform", &t.platform},
        INDEX_OPTIONS(t),
        POLICY_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_list *list = NULL;
    argc = options_read("load", "[OPTIONS]", "Brings every image of an archive into the store.", options,
                        countof(options), 0, argc, argv);
    if (argc)
        die_usage("load takes no argument: -i FILE, or the archive at standard input");
    if (!input && isatty(STDIN_FILENO))
        die_usage("load would read an archive from a terminal; take -i FILE or a pipe");
    if (!input)
        input = input_as_file();
    transfer_begin(&t);
    TRY(wc_transfer_options_set_trust_names(t.options, 1, &err));
    int32_t code = wc_image_load(app_context(), input, t.options, wcctl.cancel, &list, &err);
    transfer_end(&t);
    TRY(code);
    for (size_t i = 0; i < wc_list_count(list); i++)
        print_image(wc_list_image(list, i), "Loaded image: ");
    wc_list_unref(list);
    return 0;
}

static int copy(int argc, char **argv)
{
    transfer t = {.takes_index = 1};
    const option options[] = {
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress", &t.quiet},
        TRANSFER_OPTIONS(t),
        INDEX_OPTIONS(t),
        LEAVE_OPTION(t),
        POLICY_OPTIONS(t),
        FOREIGN_OPTION(t),
        SIGN_OPTIONS(t),
        {0, "dest-creds", OPTION_TEXT, "USER:PASSWORD", "credentials for the registry of TARGET", &t.target_creds},
        {0, "dest-cert-dir", OPTION_TEXT, "DIR", "certificates for the registry of TARGET", &t.target_cert_dir},
    };
    wc_error *err = NULL;
    argc = options_read("copy", "[OPTIONS] SOURCE TARGET",
                        "Copies an image between two places: docker://NAME, oci:DIR:TAG, oci-archive:FILE:REF,\n"
                        "docker-archive:FILE:REF, docker-daemon:NAME, wc-store:NAME.",
                        options, countof(options), 0, argc, argv);
    if (argc != 2)
        die_usage("copy takes SOURCE and TARGET");
    transfer_begin(&t);
    int32_t code = wc_image_copy(app_context(), argv[0], argv[1], t.options, wcctl.cancel, &err);
    if (!code && wcctl.json)
        print_texts("Source", argv[0], "Target", argv[1], "Digest", progress_last_done(t.progress), NULL);
    transfer_end(&t);
    TRY(code);
    return 0;
}

const command image_commands[] = {
    {"pull", pull, "bring an image into the store"},
    {"push", push, "send an image to a registry"},
    {"images", images_command, "list images"},
    {"tree", tree_command, "draw images as a tree of layers"},
    {"tag", tag, "give an image a further name"},
    {"rmi", rmi, "remove images"},
    {"save", save, "write images to an archive"},
    {"load", load, "read images from an archive"},
    {"copy", copy, "copy an image between two places"},
    {"mount", mount_command, "mount an image on a directory"},
    {"unmount", unmount_command, "unmount images"},
    {"unpack", unpack_command, "unpack an image to a directory"},
    {"pack", pack_command, "make an image of such a directory"},
    {NULL, NULL, NULL},
};
