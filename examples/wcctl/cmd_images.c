/* SPDX-License-Identifier: Apache-2.0 */
/* images: those of the store, in a list. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

typedef struct images_options {
    int quiet, full, digests, all;
    const char *format, *reference;
    text_list filters;
} images_options;

/* ---- Which ------------------------------------------------------------------------------------------ */

/* Without the tag when the pattern has none, as Docker compares. */
static int fits_reference(const char *name, const char *pattern)
{
    char *bare = xstrdup(familiar_name(name));
    char *slash = strrchr(bare, '/'), *colon = strrchr(slash ? slash : bare, ':');
    int fits = !fnmatch(pattern, bare, FNM_PATHNAME);
    if (colon)
        *colon = '\0';
    fits |= !fnmatch(pattern, bare, FNM_PATHNAME);
    free(bare);
    return fits;
}

static int has_label(wc_image *image, const char *wanted)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    TRY(wc_image_inspect(image, &text, &err));
    json_t *json = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    const char *equals = strchr(wanted, '=');
    char *key = xasprintf("%.*s", (int)(equals ? equals - wanted : (long)strlen(wanted)), wanted);
    json_t *labels = json_object_get(json_object_get(json, "Config"), "Labels");
    const char *value = json_string_value(json_object_get(labels, key));
    int fits = value && (!equals || !strcmp(value, equals + 1));
    free(key);
    json_decref(json);
    wc_buf_unref(text);
    return fits;
}

static int64_t created_of(const char *name)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    TRY(wc_image_open(app_context(), name, &image, &err));
    int64_t when = wc_image_created(image);
    wc_image_unref(image);
    return when;
}

static const char *value_of(const char *filter, const char *key)
{
    size_t size = strlen(key);
    return !strncmp(filter, key, size) && filter[size] == '=' ? filter + size + 1 : NULL;
}

/* Filters that look at the image; reference looks at each name. */
static int passes(wc_image *image, const text_list *filters)
{
    for (size_t i = 0; i < filters->count; i++) {
        const char *filter = filters->items[i], *value;
        int fits = 1;
        if ((value = value_of(filter, "dangling")))
            fits = (!strcmp(value, "true") || !strcmp(value, "1")) == !wc_image_name_count(image);
        else if ((value = value_of(filter, "label")))
            fits = has_label(image, value);
        else if ((value = value_of(filter, "before")))
            fits = wc_image_created(image) < created_of(value);
        else if ((value = value_of(filter, "since")))
            fits = wc_image_created(image) > created_of(value);
        else if (!value_of(filter, "reference"))
            die_usage("--filter '%s': there are dangling=, label=, before=, since= and reference=", filter);
        if (!fits)
            return 0;
    }
    return 1;
}

/* `name` NULL: it has none. */
static int name_passes(const char *name, const images_options *o)
{
    size_t asked = 0, met = 0;
    if (o->reference && (!name || !fits_reference(name, o->reference)))
        return 0;
    for (size_t i = 0; i < o->filters.count; i++) {
        const char *pattern = value_of(o->filters.items[i], "reference");
        asked += pattern != NULL;
        met += pattern && name && fits_reference(name, pattern);
    }
    return !asked || met;
}

/* ---- Rows ------------------------------------------------------------------------------------------- */

static json_t *row_of(wc_image *image, const char *name, int full)
{
    char id[16], ago[64], size[32], created[64];
    char *repository = xstrdup(name ? familiar_name(name) : "<none>");
    char *at = strchr(repository, '@'), *slash = strrchr(repository, '/');
    char *colon = strrchr(slash ? slash : repository, ':');
    const char *tag = "<none>";
    if (at) {
        *at = '\0';
    } else if (colon) {
        *colon = '\0';
        tag = colon + 1;
    }
    format_ago(wc_image_created(image), ago);
    format_time(wc_image_created(image), created);
    format_bytes((double)wc_image_size(image), size);
    const char *shown = full ? wc_image_id(image) : short_id(wc_image_id(image), id);
    json_t *row = json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "ID", shown, "Repository", json_text(repository), "Tag",
                            tag, "Digest", wc_image_digest(image), "CreatedSince", ago, "CreatedAt", created, "Size", size);
    free(repository);
    return row;
}

/* A row for each name, or one of an image without any. */
static void add_rows(json_t *rows, wc_image *image, const images_options *o)
{
    size_t names = wc_image_name_count(image);
    for (size_t k = 0; k < (names ? names : 1); k++) {
        const char *name = names ? wc_image_name(image, k) : NULL;
        if (name_passes(name, o))
            json_array_append_new(rows, row_of(image, name, o->full));
    }
}

static json_t *entry_of(wc_image *image)
{
    char created[64];
    json_t *names = json_array();
    for (size_t k = 0; k < wc_image_name_count(image); k++)
        json_array_append_new(names, json_text(wc_image_name(image, k)));
    format_time(wc_image_created(image), created);
    char *platform = xasprintf("%s/%s%s%s", wc_image_os(image), wc_image_architecture(image),
                               *wc_image_variant(image) ? "/" : "", wc_image_variant(image));
    json_t *entry = json_pack("{s:s, s:s, s:o, s:s, s:I, s:o}", "Id", wc_image_id(image), "Digest",
                              wc_image_digest(image), "Names", names, "Created", created, "Size",
                              (json_int_t)wc_image_size(image), "Platform", json_text(platform));
    free(platform);
    return entry;
}

static void add_entry(json_t *entries, wc_image *image, const images_options *o)
{
    size_t names = wc_image_name_count(image), fitting = 0;
    for (size_t k = 0; k < (names ? names : 1); k++)
        fitting += (size_t)name_passes(names ? wc_image_name(image, k) : NULL, o);
    if (fitting)
        json_array_append_new(entries, entry_of(image));
}

static void print_rows(const images_options *o, json_t *rows)
{
    json_t *headings = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ID", "IMAGE ID", "Repository", "REPOSITORY", "Tag",
                                 "TAG", "Digest", "DIGEST", "CreatedSince", "CREATED", "CreatedAt", "CREATED AT", "Size",
                                 "SIZE");
    const char *fallback = o->digests
                               ? "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
                               : "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
    format_rows(o->format, fallback, headings, rows);
}

/* Each once, as Docker prints them. */
static void print_ids(json_t *rows)
{
    size_t i;
    json_t *row, *seen = json_object();
    json_array_foreach(rows, i, row) {
        const char *id = json_string_value(json_object_get(row, "ID"));
        if (!json_object_get(seen, id))
            printf("%s\n", id);
        json_object_set_new(seen, id, json_true());
    }
    json_decref(seen);
    json_decref(rows);
}

int images_command(int argc, char **argv)
{
    static images_options o; /* its lists live as long as the program */
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "means nothing here; for scripts", &o.all},
        {0, "digests", OPTION_FLAG, NULL, "also the digests of their manifests", &o.digests},
        {'f', "filter", OPTION_LIST, "KEY=VALUE", "dangling, label, before, since, reference", &o.filters},
        {0, "format", OPTION_MAYBE, "TEMPLATE", "table, json, or what {{.Field}} says", &o.format},
        {0, "no-trunc", OPTION_FLAG, NULL, "print whole ids", &o.full},
        {'q', "quiet", OPTION_FLAG, NULL, "print ids only", &o.quiet},
    };
    wc_error *err = NULL;
    wc_list *list = NULL;
    argc = options_read("images", "[OPTIONS] [IMAGE]", "Lists the images of the store.", options, countof(options), 0, argc,
                        argv);
    if (argc > 1)
        die_usage("images takes one IMAGE");
    o.reference = argc ? argv[0] : NULL;
    TRY(wc_image_list(app_context(), &list, &err));
    json_t *rows = json_array();
    for (size_t i = 0; i < wc_list_count(list); i++) {
        wc_image *image = wc_list_image(list, i);
        if (passes(image, &o.filters))
            wcctl.json ? add_entry(rows, image, &o) : add_rows(rows, image, &o);
    }
    if (wcctl.json)
        print_array(rows);
    else if (o.quiet)
        print_ids(rows);
    else
        print_rows(&o, rows);
    wc_list_unref(list);
    return 0;
}
