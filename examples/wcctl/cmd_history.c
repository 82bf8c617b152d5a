/* SPDX-License-Identifier: Apache-2.0 */
/* history: how an image came about. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

typedef struct history_options {
    int full, quiet, human;
    const char *format;
} history_options;

static const char *text_of(json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text ? text : "";
}

/* The size of the layer that the step has made; `layer` counts them down. */
static int64_t size_of(json_t *entry, wc_image *image, size_t *layer)
{
    int is_empty = json_is_true(json_object_get(entry, "empty_layer"));
    return is_empty || !*layer ? 0 : wc_layer_size(wc_image_layer(image, --*layer));
}

static json_t *row_of(const history_options *o, json_t *entry, const char *id, int64_t bytes)
{
    char ago[64] = "", size[32], short_form[16];
    const char *created = text_of(entry, "created"), *by = text_of(entry, "created_by");
    if (*created)
        format_ago(value_time_ns("history", created), ago);
    format_bytes((double)bytes, size);
    char *shown = !o->full && strlen(by) > 45 ? xasprintf("%.44s…", by) : xstrdup(by);
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:s}", "ID", o->full || *id == '<' ? id : short_id(id, short_form),
                            "CreatedSince", o->human ? ago : created, "CreatedAt", created, "CreatedBy", json_text(shown),
                            "Size", o->human ? json_string(size) : json_sprintf("%lld", (long long)bytes), "Comment",
                            text_of(entry, "comment"));
    free(shown);
    return row;
}

/* The latest step first, which alone is known by the image's id. */
static json_t *rows_of(const history_options *o, wc_image *image, json_t *steps)
{
    json_t *rows = json_array();
    size_t layer = wc_image_layer_count(image), count = json_array_size(steps);
    for (size_t i = count; i-- > 0;) {
        json_t *entry = json_array_get(steps, i);
        int64_t bytes = size_of(entry, image, &layer);
        json_array_append_new(rows, row_of(o, entry, i + 1 == count ? wc_image_id(image) : "<missing>", bytes));
    }
    return rows;
}

static void print_rows(const history_options *o, json_t *rows)
{
    json_t *headings = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "ID", "IMAGE", "CreatedSince", "CREATED", "CreatedAt",
                                 "CREATED AT", "CreatedBy", "CREATED BY", "Size", "SIZE", "Comment", "COMMENT");
    format_rows(o->quiet ? "{{.ID}}" : o->format,
                "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}", headings, rows);
}

int history_command(int argc, char **argv)
{
    history_options o = {.human = 1};
    const option options[] = {
        {0, "format", OPTION_MAYBE, "TEMPLATE", "table, json, or what {{.Field}} says", &o.format},
        {'H', "human", OPTION_FLAG, NULL, "times and sizes for people, the default; =false: exact", &o.human},
        {0, "no-trunc", OPTION_FLAG, NULL, "print whole lines", &o.full},
        {'q', "quiet", OPTION_FLAG, NULL, "print ids only", &o.quiet},
    };
    wc_error *err = NULL;
    wc_image *image = NULL;
    wc_buf *config = NULL;
    argc = options_read("history", "[OPTIONS] IMAGE", "Tells how an image came about, the latest step first.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("history takes one IMAGE");
    TRY(wc_image_open(app_context(), argv[0], &image, &err));
    TRY(wc_image_config(image, &config, &err));
    json_t *document = json_loadb(wc_buf_data(config), wc_buf_size(config), 0, NULL);
    json_t *steps = json_object_get(document, "history");
    if (wcctl.json)
        print_array(steps ? json_incref(steps) : json_array());
    else
        print_rows(&o, rows_of(&o, image, steps));
    json_decref(document);
    wc_buf_unref(config);
    wc_image_unref(image);
    return 0;
}
