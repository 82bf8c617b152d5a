/* SPDX-License-Identifier: Apache-2.0 */
/* Images as directories of the host. */
#include <stdlib.h>

#include "wcctl.h"

static json_t *read_mounts(void)
{
    wc_error *err = NULL;
    wc_buf *bytes = NULL;
    TRY(wc_image_mounts(app_context(), &bytes, &err));
    json_t *list = json_loadb(wc_buf_data(bytes), wc_buf_size(bytes), 0, NULL);
    wc_buf_unref(bytes);
    return list;
}

static int list_mounts(void)
{
    static const char *const headings[] = {"PATH", "IMAGE"};
    json_t *list = read_mounts(), *mount;
    size_t i;
    if (wcctl.json) {
        print_array(list);
        return 0;
    }
    table *out = table_new(headings, countof(headings));
    json_array_foreach(list, i, mount)
    {
        const char *name = json_string_value(json_object_get(mount, "Image"));
        const char *cells[] = {json_string_value(json_object_get(mount, "Path")),
                               *name ? familiar_name(name) : json_string_value(json_object_get(mount, "Digest"))};
        table_row(out, cells);
    }
    table_print(out);
    table_free(out);
    json_decref(list);
    return 0;
}

int mount_command(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    argc = options_read("mount", "[IMAGE DIRECTORY]",
                        "Mounts an image on a directory, read-only; without arguments, lists those that are mounted.", NULL, 0,
                        0, argc, argv);
    if (!argc)
        return list_mounts();
    if (argc != 2)
        die_usage("mount takes IMAGE and DIRECTORY, or nothing");
    TRY(wc_image_open(app_context(), argv[0], &image, &err));
    TRY(wc_image_mount(image, argv[1], &err));
    wc_image_unref(image);
    if (wcctl.json)
        print_texts("Image", argv[0], "Path", argv[1], NULL);
    else
        printf("%s\n", argv[1]);
    return 0;
}

int unmount_command(int argc, char **argv)
{
    int force = 0, result = 0;
    const option options[] = {
        {'f', "force", OPTION_FLAG, NULL, "also forget one in a mount namespace that is not seen from here", &force},
    };
    argc = options_read("unmount", "[OPTIONS] DIRECTORY [DIRECTORY ...]", "Unmounts images.", options, countof(options), 0,
                        argc, argv);
    if (!argc)
        die_usage("unmount takes at least one DIRECTORY");
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        if (wc_image_unmount(app_context(), argv[i], force ? WC_UNMOUNT_FORCE : 0, &err)) {
            complain(err);
            result = 1;
        } else if (wcctl.json) {
            print_texts("Unmounted", argv[i], NULL);
        } else {
            printf("%s\n", argv[i]);
        }
    }
    return result;
}
