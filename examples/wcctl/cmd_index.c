/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes made of images. */
#include "wcctl.h"

static void print_index(const char *name, const char *digest)
{
    if (wcctl.json)
        print_texts("Name", name, "Digest", digest, NULL);
    else
        printf("Created manifest list %s\n", name);
}

int manifest_create(int argc, char **argv)
{
    int amend = 0;
    transfer t = {.quiet = 0};
    const option options[] = {
        {'a', "amend", OPTION_FLAG, NULL, "what is in the index NAME already stays, but for the same platforms", &amend},
        REGISTRY_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_image *image = NULL;
    argc = options_read("manifest create", "[OPTIONS] NAME IMAGE [IMAGE ...]",
                        "Makes an index of images of the store, one for each platform, to be pushed with push --all.", options,
                        countof(options), 0, argc, argv);
    if (argc < 2)
        die_usage("manifest create takes NAME and at least one IMAGE");
    transfer_begin(&t);
    int32_t code = wc_image_index_create(app_context(), argv[0], (const char *const *)argv + 1, (size_t)argc - 1,
                                         amend ? WC_INDEX_AMEND : 0, t.options, wcctl.cancel, &image, &err);
    transfer_end(&t);
    TRY(code);
    print_index(wc_image_name(image, 0), wc_image_index_digest(image));
    wc_image_unref(image);
    return 0;
}
