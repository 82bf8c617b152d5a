/* SPDX-License-Identifier: Apache-2.0 */
/* What two images have of each other not. */
#include "wcctl.h"

static wc_buf *compare(const char *from, const char *to)
{
    wc_error *err = NULL;
    wc_image *a = NULL, *b = NULL;
    wc_buf *changes = NULL;
    TRY(wc_image_open(app_context(), from, &a, &err));
    TRY(wc_image_open(app_context(), to, &b, &err));
    TRY(wc_image_diff(a, b, wcctl.cancel, &changes, &err));
    wc_image_unref(a);
    wc_image_unref(b);
    return changes;
}

static void print_change(json_t *change)
{
    static const char letters[] = "CAD";
    json_t *words = json_object_get(change, "What"), *word;
    size_t i;
    printf("%c %s", letters[json_integer_value(json_object_get(change, "Kind"))],
           json_string_value(json_object_get(change, "Path")));
    json_array_foreach(words, i, word)
        printf("%s%s", i ? ", " : "   (", json_string_value(word));
    printf(json_array_size(words) ? ")\n" : "\n");
}

int diff_images(const char *from, const char *to)
{
    wc_buf *changes = compare(from, to);
    json_t *list = json_loadb(wc_buf_data(changes), wc_buf_size(changes), 0, NULL), *change;
    size_t i;
    if (wcctl.json)
        print_json(wc_buf_data(changes), wc_buf_size(changes));
    else
        json_array_foreach(list, i, change)
            print_change(change);
    json_decref(list);
    wc_buf_unref(changes);
    return 0;
}
