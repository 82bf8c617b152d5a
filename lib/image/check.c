/* SPDX-License-Identifier: Apache-2.0 */
/* Each layer is unpacked once more, beside its tree, and the two are compared: nothing less shows
 * that a name, an attribute or a byte of the tree has changed. Others may be at work; what is seen
 * counts only when the tree is still the same one afterwards. */
#include "image/check.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/drop.h"
#include "image/layer_reader.h"
#include "image/layers.h"
#include "layer/compare.h"
#include "platform/host.h"

typedef struct check {
    wc_call *call;
    wci_store *store;
    int repair;
    wci_strv *findings;
    wci_strv seen, bad; /* marks of trees: looked at; and not sound, so that nothing is built on them */
} check;

/* One tree of one image. */
typedef struct tree {
    const wci_image_record *image;
    size_t layer;
    wci_tree_kind kind;
    const wci_digest *key;
    char *mark;    /* of kind and key: the ids of a lowest layer are equal */
    char *id;      /* NULL: it is not there */
    char *problem; /* NULL: none */
} tree;

/* ---- What it should be ---------------------------------------------------------------------------- */

/* A wci_source that ends with the call. */
typedef struct called_reader {
    const wc_call *call;
    wci_layer_reader reader;
} called_reader;

static int32_t read_called(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    called_reader *r = self;
    int32_t code = wci_call_check(r->call, err);
    return code ? code : wci_layer_reader_read(&r->reader, data, size, got, err);
}

static int32_t unpack_reader(called_reader *r, const wci_digest *diff_id, const char *dir,
                             wc_error **err)
{
    const wci_source source = {read_called, r};
    wci_unpack_stats stats = {0};
    wci_codec codec = WCI_CODEC_NONE;
    int32_t code = wci_layer_reader_codec(&r->reader, &codec, err);
    if (!code)
        code = wci_layer_unpack(&source, codec, diff_id, dir, &wci_limits_default, NULL, &stats, err);
    wci_strv_free(&stats.skipped);
    return code;
}

static int32_t unpack_blob(check *c, const wci_layer_record *layer, const char *dir, wc_error **err)
{
    _Atomic uint64_t position;
    called_reader r = {.call = c->call};
    int32_t code = wci_layer_reader_open(c->store, &layer->digest, NULL, &position, &r.reader, err);
    if (code)
        return code;
    code = unpack_reader(&r, &layer->diff_id, dir, err);
    wci_layer_reader_close(&r.reader);
    return code;
}

static int32_t write_file(void *self, const void *data, size_t size, wc_error **err)
{
    return wci_fd_write(*(wci_fd *)self, data, size, err);
}

static int32_t unpack_file(check *c, const wci_layer_record *layer, const char *path, const char *dir,
                           wc_error **err)
{
    _Atomic uint64_t position;
    called_reader r = {c->call, {NULL, WCI_FD_NONE, 0, &position}};
    int32_t code = wci_file_open(path, WCI_OPEN_READ, 0, &r.reader.fd, err);
    if (!code)
        code = unpack_reader(&r, &layer->diff_id, dir, err);
    wci_fd_close(r.reader.fd);
    return code;
}

/* Of a layer whose blob was dropped there is the tar. */
static int32_t unpack_dropped(check *c, const wci_layer_record *layer, const char *dir, wc_error **err)
{
    wci_fd tar = WCI_FD_NONE;
    const wci_sink to = {write_file, &tar};
    char *path = wci_path_join(dir, "tar");
    int32_t code = path ? wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0600, &tar, err)
                        : wci_err_nomem(err);
    if (!code)
        code = wci_layer_join_dropped(c->store, layer, &to, err);
    wci_fd_close(tar);
    if (!code)
        code = unpack_file(c, layer, path, dir, err);
    wci_free(path);
    return code;
}

static int32_t unpack_layer(check *c, const wci_layer_record *layer, const char *dir, wc_error **err)
{
    wci_again again = WCI_AGAIN_NOT;
    int32_t code = wci_blob_again(c->call, c->store, &layer->digest, &again, err);
    if (code)
        return code;
    return again ? unpack_dropped(c, layer, dir, err) : unpack_blob(c, layer, dir, err);
}

static int32_t link_layers(check *c, const wci_layer_record *layers, size_t count, const char *dir,
                           int *is_empty, wc_error **err)
{
    wci_level *levels = wci_calloc(count, sizeof *levels);
    int32_t code = levels ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++) {
        code = wci_level_open(c->store, &layers[i], &levels[i], err);
        if (!code && i + 1 < count)
            code = wci_level_open_links(c->store, &layers[i], &levels[i], err);
    }
    if (!code)
        code = wci_layer_link(levels, count, dir, is_empty, err);
    wci_levels_free(levels, count);
    return code;
}

static int32_t make_expected(check *c, const tree *t, const char *dir, int *is_empty, wc_error **err)
{
    *is_empty = 0;
    return t->kind == WCI_TREE_LAYER
               ? unpack_layer(c, &t->image->layers[t->layer], dir, err)
               : link_layers(c, t->image->layers, t->layer + 1, dir, is_empty, err);
}

/* ---- Looking -------------------------------------------------------------------------------------- */

static int32_t set_problem(tree *t, char *problem, wc_error **err)
{
    t->problem = problem;
    return problem ? WC_OK : wci_err_nomem(err);
}

/* *dir NULL: recorded as empty, or it is missing, which is the problem. */
static int32_t find_dir(check *c, tree *t, char **dir, wc_error **err)
{
    char *fs = NULL;
    wc_error *why = NULL;
    int32_t code = wci_tree_path(c->store, t->kind, t->key, &fs, &why);
    *dir = NULL;
    if (code == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return set_problem(t, wci_strdup("is missing"), err);
    }
    if (code)
        return wci_err_move(err, why);
    if (fs && !(*dir = wci_path_parent(fs)))
        code = wci_err_nomem(err);
    wci_free(fs);
    return code;
}

static int32_t compare_dirs(check *c, tree *t, const char *dir, const char *expected, wc_error **err)
{
    char *difference = NULL;
    int32_t code = wci_layer_compare(c->call, dir, expected, &difference, err);
    if (!code && difference)
        code = set_problem(t, wci_asprintf("is damaged: %s", difference), err);
    wci_free(difference);
    return code;
}

static int32_t compare_tree(check *c, tree *t, const char *dir, const char *expected, wc_error **err)
{
    int is_empty;
    int32_t code = make_expected(c, t, expected, &is_empty, err);
    if (code)
        return code;
    if (dir && !is_empty)
        return compare_dirs(c, t, dir, expected, err);
    return (dir == NULL) == is_empty
               ? WC_OK
               : set_problem(t, wci_strdup("is damaged: it is not what its layers give"), err);
}

static int32_t look(check *c, tree *t, wc_error **err)
{
    wci_scratch scratch;
    char *dir = NULL;
    int32_t code = find_dir(c, t, &dir, err);
    if (code || t->problem)
        return code;
    code = wci_scratch_new(c->store, &scratch, err);
    if (!code) {
        code = compare_tree(c, t, dir, scratch.dir, err);
        wci_scratch_free(&scratch);
    }
    wci_free(dir);
    return code;
}

/* 1: the tree is gone, or another one. */
static int32_t has_changed(check *c, const tree *t, int *changed, wc_error **err)
{
    char *id = NULL;
    int32_t code = wci_tree_id(c->call, c->store, t->kind, t->key, &id, err);
    *changed = !code && (!id || strcmp(id, t->id) != 0);
    wci_free(id);
    return code;
}

/* Whether an error only says that there is nothing sound to compare with. */
static int is_about_bytes(int32_t code)
{
    return code == WC_E_NOT_FOUND || code == WC_E_FORMAT || code == WC_E_DIGEST ||
           code == WC_E_LIMIT || code == WC_E_CORRUPT;
}

static int is_named(const wci_strv *findings, const char *digest)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strstr(findings->items[i], digest))
            return 1;
    return 0;
}

/* A blob that is damaged has its own finding. */
static int32_t take_failure(check *c, tree *t, int32_t code, wc_error *why, wc_error **err)
{
    if (!is_about_bytes(code))
        return wci_err_move(err, why);
    code = WC_OK;
    if (!is_named(c->findings, t->image->layers[t->layer].digest.text))
        code = set_problem(t, wci_asprintf("cannot be verified: %s", wc_error_message(why)), err);
    wc_error_unref(why);
    return code;
}

static int32_t look_at_id(check *c, tree *t, wc_error **err)
{
    int changed;
    wc_error *why = NULL;
    int32_t found = look(c, t, &why), code = WC_OK;
    if (!found && !t->problem)
        return WC_OK;
    code = has_changed(c, t, &changed, err);
    if (code || changed) {
        wc_error_unref(why);
        wci_free(t->problem);
        t->problem = NULL;
        return code;
    }
    if (found)
        code = take_failure(c, t, found, why, err);
    return code;
}

static int32_t examine(check *c, tree *t, wc_error **err)
{
    int32_t code = wci_tree_id(c->call, c->store, t->kind, t->key, &t->id, err);
    if (code)
        return code;
    return t->id ? look_at_id(c, t, err) : set_problem(t, wci_strdup("is missing"), err);
}

/* ---- Mending -------------------------------------------------------------------------------------- */

static int32_t make_trees(check *c, const wci_image_record *image, wci_hold *hold,
                          wci_origin *origin, wci_stagings *trees, wc_error **err)
{
    wci_document *manifest = NULL;
    wci_image_config *config = NULL;
    int32_t code = wci_image_manifest_load(c->store, image, &manifest, err);
    if (!code)
        code = wci_image_config_load(c->store, image, &config, err);
    if (!code)
        code = wci_layers_bring(c->call, c->store, hold, origin, manifest, config, NULL, trees, err);
    if (!code)
        code = wci_layers_link(c->call, c->store, hold, image->layers, image->layer_count, trees,
                               err);
    wci_image_config_free(config);
    wci_document_free(manifest);
    return code;
}

/* Every tree that the image lacks, from its blobs. */
static int32_t make_again(check *c, const wci_image_record *image, wc_error **err)
{
    wci_hold *hold = NULL;
    wci_origin *origin = NULL;
    wci_stagings trees = WCI_STAGINGS_INIT;
    int32_t code = wci_hold_new(c->store, &hold, err);
    if (!code)
        code = wci_origin_open_store(c->store, &image->manifest, NULL, &origin, err);
    if (!code)
        code = make_trees(c, image, hold, origin, &trees, err);
    if (!code)
        code = wci_trees_publish(c->call, c->store, trees.items, trees.count, err);
    if (!code)
        trees.count = 0;
    wci_stagings_free(&trees);
    wci_origin_close(origin);
    if (hold)
        wci_hold_free(hold);
    return code;
}

/* *how: how it ended, for the finding. */
static int32_t mend(check *c, const tree *t, int *mended, const char **how, wc_error **err)
{
    int retired = !t->id;
    int32_t code = retired ? WC_OK
                           : wci_tree_retire(c->call, c->store, t->kind, t->key, t->id, &retired, err);
    if (code)
        return code;
    if (!retired) {
        *how = "; in use, stop its containers and check again";
        return WC_OK;
    }
    wc_error *why = NULL;
    code = make_again(c, t->image, &why);
    *mended = !code;
    *how = code ? "; put aside, pull the image again" : "; made again from its blob";
    if (code && !is_about_bytes(code))
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

/* ---- One tree, one image, all --------------------------------------------------------------------- */

static int32_t add_finding(check *c, const tree *t, const char *how, wc_error **err)
{
    const wci_image_record *image = t->image;
    char *line = wci_asprintf("layer %s: %s of image '%s' %s%s", t->key->text,
                              t->kind == WCI_TREE_LAYER ? "its unpacked tree" : "its tree of links",
                              image->names.count ? image->names.items[0] : image->config.text,
                              t->problem, how);
    return wci_strv_add_take(c->findings, line) ? wci_err_nomem(err) : WC_OK;
}

static int32_t report(check *c, const tree *t, wc_error **err)
{
    int mended = 0;
    const char *how = "";
    int32_t code = c->repair ? mend(c, t, &mended, &how, err) : WC_OK;
    if (!code)
        code = add_finding(c, t, how, err);
    if (!code && !mended && wci_strv_add(&c->bad, t->mark))
        code = wci_err_nomem(err);
    return code;
}

/* An image that went meanwhile has lost its trees with good reason. */
static int32_t is_there(check *c, const wci_image_record *image, int *there, wc_error **err)
{
    wci_image_record *found = NULL;
    wc_error *why = NULL;
    int32_t code = wci_image_find(c->store, image->manifest.text, &found, &why);
    *there = !code;
    if (found)
        wci_image_record_free(found);
    if (code && code != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

static int32_t check_marked(check *c, tree *t, wc_error **err)
{
    int there = 0;
    if (wci_strv_contains(&c->seen, t->mark))
        return WC_OK;
    if (wci_strv_add(&c->seen, t->mark))
        return wci_err_nomem(err);
    int32_t code = examine(c, t, err);
    if (!code && t->problem)
        code = is_there(c, t->image, &there, err);
    return code || !there ? code : report(c, t, err);
}

/* *is_bad: the tree is known not to be sound. */
static int32_t check_tree(check *c, const wci_image_record *image, size_t layer, wci_tree_kind kind,
                          int *is_bad, wc_error **err)
{
    const wci_layer_record *record = &image->layers[layer];
    tree t = {.image = image, .layer = layer, .kind = kind,
              .key = kind == WCI_TREE_LAYER ? &record->diff_id : &record->chain_id};
    if (!(t.mark = wci_asprintf("%d %s", kind, t.key->text)))
        return wci_err_nomem(err);
    int32_t code = check_marked(c, &t, err);
    *is_bad = wci_strv_contains(&c->bad, t.mark);
    wci_free(t.problem);
    wci_free(t.id);
    wci_free(t.mark);
    return code;
}

static int32_t check_image(check *c, const wci_image_record *image, wc_error **err)
{
    int32_t code = WC_OK;
    int is_bad = 0, is_any_bad = 0;
    for (size_t i = 0; i < image->layer_count && !code; i++) {
        code = check_tree(c, image, i, WCI_TREE_LAYER, &is_bad, err);
        is_any_bad |= is_bad;
        if (!code && !is_any_bad) /* else there is nothing sound to link again */
            code = check_tree(c, image, i, WCI_TREE_LINKS, &is_bad, err);
        is_any_bad |= is_bad;
    }
    return code;
}

int32_t wci_images_check(wc_call *call, wci_store *store, int repair, wci_strv *findings,
                         wc_error **err)
{
    check c = {call, store, repair, findings, WCI_STRV_INIT, WCI_STRV_INIT};
    wci_image_record **images = NULL;
    size_t count = 0;
    int32_t code = wci_store_check(call, store, repair, findings, err);
    if (!code)
        code = wci_image_list(store, &images, &count, err);
    for (size_t i = 0; i < count && !code; i++)
        code = check_image(&c, images[i], err);
    wci_image_records_free(images, count);
    wci_strv_free(&c.seen);
    wci_strv_free(&c.bad);
    return code;
}
