/* SPDX-License-Identifier: Apache-2.0 */
/* Images as directories of their layers' trees, and back. */
#include <stdlib.h>

#include "wcctl.h"

int unpack_command(int argc, char **argv)
{
    transfer t = {0};
    const option options[] = {
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress", &t.quiet},
        TRANSFER_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_image *image = NULL;
    argc = options_read("unpack", "[OPTIONS] IMAGE DIRECTORY",
                        "Unpacks an image, of whatever platform, to a directory: each layer as a tree, with all that a tree\n"
                        "cannot say beside it. 'pack' makes the same image of it, or another one when files were changed.",
                        options, countof(options), 0, argc, argv);
    if (argc != 2)
        die_usage("unpack takes IMAGE and DIRECTORY");
    TRY(transfer_choose(&t, argv[0], &image, &err));
    transfer_begin(&t);
    int32_t code = wc_image_unpack(image, argv[1], t.options, wcctl.cancel, &err);
    transfer_end(&t);
    TRY(code);
    if (wcctl.json)
        print_texts("Image", argv[0], "Digest", wc_image_digest(image), "Path", argv[1], NULL);
    else
        printf("%s\n", argv[1]);
    wc_image_unref(image);
    return 0;
}

/* "layer 2: 1 changed, 3 added, 0 deleted", on standard error: the id alone goes to the output. */
static void tell_changes(const json_t *changes, int64_t layers)
{
    for (int64_t layer = 1; layer <= layers; layer++) {
        size_t i, counts[3] = {0, 0, 0};
        json_t *change;
        json_array_foreach((json_t *)(uintptr_t)changes, i, change)
            if (json_integer_value(json_object_get(change, "Layer")) == layer)
                counts[json_integer_value(json_object_get(change, "Kind"))]++;
        if (counts[0] || counts[1] || counts[2])
            fprintf(stderr, "layer %lld: %zu changed, %zu added, %zu deleted\n", (long long)layer, counts[0], counts[1],
                    counts[2]);
    }
}

static void print_packed(wc_image *image, wc_buf *bytes, int quiet)
{
    json_t *changes = json_loadb(wc_buf_data(bytes), wc_buf_size(bytes), 0, NULL);
    if (wcctl.json) {
        json_t *object = json_image(image);
        json_object_set(object, "Changes", changes);
        print_object(object);
    } else {
        if (!quiet)
            tell_changes(changes, (int64_t)wc_image_layer_count(image));
        printf("%s\n", wc_image_id(image));
    }
    json_decref(changes);
}

int pack_command(int argc, char **argv)
{
    transfer t = {0};
    const option options[] = {
        {'q', "quiet", OPTION_FLAG, NULL, "show no progress and no changes", &t.quiet},
    };
    wc_error *err = NULL;
    wc_image *image = NULL;
    wc_buf *changes = NULL;
    argc = options_read("pack", "[OPTIONS] DIRECTORY [NAME]",
                        "Makes an image of a directory that 'unpack' has made, with what has been changed in it.", options,
                        countof(options), 0, argc, argv);
    if (argc < 1 || argc > 2)
        die_usage("pack takes DIRECTORY and perhaps NAME");
    transfer_begin(&t);
    int32_t code = wc_image_pack(app_context(), argv[0], argc > 1 ? argv[1] : NULL, t.options, wcctl.cancel, &image,
                                 &changes, &err);
    transfer_end(&t);
    TRY(code);
    print_packed(image, changes, t.quiet);
    wc_buf_unref(changes);
    wc_image_unref(image);
    return 0;
}
