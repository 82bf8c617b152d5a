/* SPDX-License-Identifier: Apache-2.0 */
/* Images as a tree of layers: what several of them share stands nearer to the root. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

/* One layer with all below it. */
typedef struct node {
    struct node *child, *sibling;
    wc_layer *layer; /* NULL: the root, which is no layer */
    int images;      /* of the whole store that have it */
    wc_image **tops; /* those whose uppermost layer it is, and that are shown */
    size_t top_count;
    int is_shown;
} node;

/* ---- Growing ---------------------------------------------------------------------------------------- */

static node *new_node(wc_layer *layer)
{
    node *n = xrealloc(NULL, sizeof *n);
    *n = (node){.layer = layer};
    return n;
}

static node *child_of(node *parent, wc_layer *layer)
{
    node **slot = &parent->child;
    while (*slot && strcmp(wc_layer_chain_id((*slot)->layer), wc_layer_chain_id(layer)) != 0)
        slot = &(*slot)->sibling;
    if (!*slot)
        *slot = new_node(layer);
    return *slot;
}

static void add_image(node *root, wc_image *image, int is_shown)
{
    node *at = root;
    at->is_shown |= is_shown;
    for (size_t i = 0; i < wc_image_layer_count(image); i++) {
        at = child_of(at, wc_image_layer(image, i));
        at->images++;
        at->is_shown |= is_shown;
    }
    if (!is_shown)
        return;
    at->tops = xrealloc(at->tops, (at->top_count + 1) * sizeof *at->tops);
    at->tops[at->top_count++] = image;
}

/* What is not asked for still counts as who shares. */
static node *grow(const wc_list *all, wc_image *const *wanted, size_t count)
{
    node *root = new_node(NULL);
    for (size_t i = 0; i < wc_list_count(all); i++) {
        wc_image *image = wc_list_image(all, i);
        int is_shown = !count;
        for (size_t k = 0; k < count; k++)
            is_shown |= !strcmp(wc_image_digest(wanted[k]), wc_image_digest(image));
        add_image(root, image, is_shown);
    }
    return root;
}

static void fell(node *n)
{
    while (n) {
        node *next = n->sibling;
        fell(n->child);
        free(n->tops);
        free(n);
        n = next;
    }
}

/* ---- Drawing ---------------------------------------------------------------------------------------- */

typedef struct pen {
    const char *fork, *corner, *line, *gap, *dot;
    int full; /* whole ids */
} pen;

static pen choose_pen(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"}, *locale = NULL;
    for (size_t i = 0; i < countof(names) && !(locale && *locale); i++)
        locale = getenv(names[i]);
    int is_utf8 = locale && (strstr(locale, "UTF-8") || strstr(locale, "utf8"));
    return is_utf8 ? (pen){"├─ ", "└─ ", "│  ", "   ", "●", 0} : (pen){"|- ", "`- ", "|  ", "   ", "*", 0};
}

static const char *shown_id(const pen *p, const char *digest, char out[16])
{
    return p->full ? digest : short_id(digest, out);
}

static void draw_image(const pen *p, wc_image *image)
{
    char id[16], size[32];
    format_bytes((double)wc_image_size(image), size);
    printf("%s %s", p->dot, shown_id(p, wc_image_id(image), id));
    for (size_t i = 0; i < wc_image_name_count(image); i++)
        printf("%s%s", i ? ", " : "  ", familiar_name(wc_image_name(image, i)));
    printf("  %s\n", size);
}

static void draw_layer(const pen *p, const node *n)
{
    char id[16], size[32], unpacked[32];
    format_bytes((double)wc_layer_size(n->layer), size);
    printf("%s  %s", shown_id(p, wc_layer_diff_id(n->layer), id), size);
    if (wc_layer_unpacked_size(n->layer) >= 0) {
        format_bytes((double)wc_layer_unpacked_size(n->layer), unpacked);
        printf(", unpacked %s", unpacked);
    }
    if (n->images > 1)
        printf("  shared by %d images", n->images);
    printf("\n");
}

static const node *next_shown(const node *n)
{
    while (n && !n->is_shown)
        n = n->sibling;
    return n;
}

static void draw_below(const pen *p, const node *n, const char *indent)
{
    const node *child = next_shown(n->child);
    for (size_t i = 0; i < n->top_count; i++) {
        printf("%s%s", indent, n->layer ? (i + 1 < n->top_count || child ? p->fork : p->corner) : "");
        draw_image(p, n->tops[i]);
    }
    while (child) {
        const node *next = next_shown(child->sibling);
        char *deeper = xasprintf("%s%s", indent, !n->layer ? "" : next ? p->line : p->gap);
        printf("%s%s", indent, !n->layer ? "" : next ? p->fork : p->corner);
        draw_layer(p, child);
        draw_below(p, child, deeper);
        free(deeper);
        child = next;
    }
}

/* ---- As JSON ---------------------------------------------------------------------------------------- */

static json_t *images_json(const node *n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n->top_count; i++) {
        wc_image *image = n->tops[i];
        json_t *names = json_array();
        for (size_t k = 0; k < wc_image_name_count(image); k++)
            json_array_append_new(names, json_string(wc_image_name(image, k)));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:I}", "Id", wc_image_id(image), "Digest",
                                              wc_image_digest(image), "Names", names, "Size",
                                              (json_int_t)wc_image_size(image)));
    }
    return list;
}

static json_t *layers_json(const node *n)
{
    json_t *list = json_array();
    for (const node *child = next_shown(n->child); child; child = next_shown(child->sibling))
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:i, s:o, s:o}", "DiffId", wc_layer_diff_id(child->layer), "ChainId",
                            wc_layer_chain_id(child->layer), "Digest", wc_layer_digest(child->layer), "Size",
                            (json_int_t)wc_layer_size(child->layer), "UnpackedSize",
                            (json_int_t)wc_layer_unpacked_size(child->layer), "SharedBy", child->images, "Images",
                            images_json(child), "Layers", layers_json(child)));
    return list;
}

/* ---- The command ------------------------------------------------------------------------------------ */

static wc_image **open_all(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_image **images = xrealloc(NULL, ((size_t)argc + 1) * sizeof *images);
    for (int i = 0; i < argc; i++)
        TRY(wc_image_open(app_context(), argv[i], &images[i], &err));
    return images;
}

int tree_command(int argc, char **argv)
{
    pen p = choose_pen();
    const option options[] = {{0, "no-trunc", OPTION_FLAG, NULL, "print whole ids", &p.full}};
    wc_error *err = NULL;
    wc_list *all = NULL;
    argc = options_read("tree", "[OPTIONS] [IMAGE ...]",
                        "Draws images as a tree of their layers: what they share stands nearer to the root.", options,
                        countof(options), 0, argc, argv);
    wc_image **wanted = open_all(argc, argv);
    TRY(wc_image_list(app_context(), &all, &err));
    node *root = grow(all, wanted, (size_t)argc);
    if (wcctl.json)
        print_object(json_pack("{s:o, s:o}", "Images", images_json(root), "Layers", layers_json(root)));
    else
        draw_below(&p, root, "");
    fell(root);
    wc_list_unref(all);
    for (int i = 0; i < argc; i++)
        wc_image_unref(wanted[i]);
    free(wanted);
    return 0;
}
