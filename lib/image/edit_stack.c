/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers the new image has, and their blobs. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/documents.h"
#include "image/drop.h"
#include "image/edit_layer.h"
#include "image/edit_work.h"

/* ---- Descriptors ------------------------------------------------------------------------------------ */

static const char *type_of_codec(wci_codec codec)
{
    return codec == WCI_CODEC_GZIP   ? WCI_TYPE_OCI_LAYER "+gzip"
           : codec == WCI_CODEC_ZSTD ? WCI_TYPE_OCI_LAYER "+zstd"
                                     : WCI_TYPE_OCI_LAYER;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Docker's names for the same things; foreign layers keep theirs. */
static void use_oci_type(json_t *descriptor)
{
    static const char docker[] = "application/vnd.docker.image.rootfs.diff.tar";
    const char *type = text_of(descriptor, "mediaType"), *codec = type + sizeof docker - 1;
    if (!wci_starts_with(type, docker))
        return;
    const char *same = !strcmp(codec, ".gzip")   ? type_of_codec(WCI_CODEC_GZIP)
                       : !strcmp(codec, ".zstd") ? type_of_codec(WCI_CODEC_ZSTD)
                       : !*codec                 ? type_of_codec(WCI_CODEC_NONE)
                                                 : NULL;
    if (same)
        json_object_set_new(descriptor, "mediaType", json_string(same));
}

/* Takes the descriptor over. */
static int32_t add_item(wci_edit_work *w, const wci_digest *digest, const wci_digest *diff_id, json_t *descriptor,
                        int is_new, wc_error **err)
{
    if (!descriptor || !wci_grow(&w->items, &w->cap, w->count + 1, sizeof *w->items)) {
        json_decref(descriptor);
        return wci_err_nomem(err);
    }
    w->items[w->count++] = (wci_edit_item){*digest, *diff_id, descriptor, is_new};
    return WC_OK;
}

static json_t *new_descriptor(wci_codec codec, const wci_new_layer *layer)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", type_of_codec(codec), "digest", layer->digest.text, "size",
                     (json_int_t)layer->size);
}

/* ---- What is there ---------------------------------------------------------------------------------- */

static int32_t add_layers_of(wci_edit_work *w, const wci_edit_source *image, size_t from, wc_error **err)
{
    json_t *layers = json_object_get(image->manifest, "layers");
    size_t count = image->record ? image->record->layer_count : 0;
    int32_t code = WC_OK;
    for (size_t i = from; i < count && !code; i++) {
        const wci_layer_record *layer = &image->record->layers[i];
        json_t *descriptor = json_deep_copy(json_array_get(layers, i));
        use_oci_type(descriptor);
        code = add_item(w, &layer->digest, &layer->diff_id, descriptor, 0, err);
    }
    return code;
}

static int32_t check_old_base(const wci_edit_work *w, wc_error **err)
{
    const wci_image_record *image = w->base.record, *old = w->old_base.record;
    if (!image)
        return wci_err(err, WC_E_INVALID, "there is no image to move to another base");
    for (size_t i = 0; i < old->layer_count; i++)
        if (i >= image->layer_count || !wci_digest_equal(&image->layers[i].diff_id, &old->layers[i].diff_id))
            return wci_err(err, WC_E_INVALID,
                           "it is not made on '%s': layer %zu is another one; name the base that it was built from",
                           w->edit->old_base, i + 1);
    return WC_OK;
}

/* Programs of the one do not run on the other, so somebody has to say what the outcome is for. Versions are another
 * matter: to get a newer one is why people do this. */
static int32_t check_platforms(const wci_edit_work *w, wc_error **err)
{
    const wci_image_record *image = w->base.record, *base = w->new_base.record;
    int same = !strcmp(image->os, base->os) && !strcmp(image->arch, base->arch) &&
               (!*image->variant || !*base->variant || !strcmp(image->variant, base->variant));
    return same || w->edit->platform
               ? WC_OK
               : wci_err(err, WC_E_PLATFORM, "it is for %s/%s%s%s, the new base '%s' for %s/%s%s%s; take a base for the same "
                          "platform, or say which platform the outcome is for", image->os, image->arch, *image->variant ? "/" : "", image->variant, w->edit->new_base,
                          base->os, base->arch, *base->variant ? "/" : "", base->variant);
}

static int32_t add_base(wci_edit_work *w, wc_error **err)
{
    if (!w->new_base.record)
        return add_layers_of(w, &w->base, 0, err);
    int32_t code = check_old_base(w, err);
    if (!code)
        code = check_platforms(w, err);
    if (!code)
        code = add_layers_of(w, &w->new_base, 0, err);
    return code ? code : add_layers_of(w, &w->base, w->old_base.record->layer_count, err);
}

/* ---- New layers ------------------------------------------------------------------------------------- */

/* Those that are merged or only read again need no compression. */
static wci_codec codec_of(const wci_edit_work *w, size_t i, int collecting)
{
    const wci_edit *edit = w->edit;
    int is_merged = edit->squashes && (!edit->squash_count || edit->layer_count - i <= edit->squash_count);
    return is_merged || collecting ? WCI_CODEC_NONE : edit->codec;
}

static int32_t add_new(wci_edit_work *w, int collecting, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < w->edit->layer_count && !code; i++) {
        wci_new_layer made;
        wci_codec codec = codec_of(w, i, collecting);
        code = wci_edit_layer_write(w->call, &w->edit->layers[i], codec, w->latest_sec, w->layout.blobs, &made, err);
        if (!code)
            code = add_item(w, &made.digest, &made.diff_id, new_descriptor(codec, &made), 1, err);
    }
    w->added = w->edit->layer_count;
    return code;
}

/* ---- Reading layers again --------------------------------------------------------------------------- */

static int32_t open_item(void *self, size_t i, wci_fd *out, wc_error **err)
{
    const wci_edit_work *w = self;
    const wci_edit_item *item = &w->items[i];
    const wci_layer_record old = {.digest = item->digest, .diff_id = item->diff_id};
    if (!item->is_new)
        return wci_layer_open_tar(w->call, w->store, &old, out, err);
    char *path = wci_path_join(w->layout.blobs, wci_digest_hex(&item->digest));
    int32_t code = path ? wci_file_open(path, WCI_OPEN_READ, 0, out, err) : wci_err_nomem(err);
    wci_free(path);
    return code;
}

static const wci_digest *diff_id_of(void *self, size_t i)
{
    const wci_edit_work *w = self;
    return &w->items[i].diff_id;
}

wci_tar_stack wci_edit_stack_tars(wci_edit_work *w)
{
    return (wci_tar_stack){w->count, open_item, diff_id_of, w};
}

/* ---- Squashing -------------------------------------------------------------------------------------- */

typedef struct merging {
    wci_edit_work *work;
    size_t below;
} merging;

static int32_t fill_merged(void *self, wc_call *call, const wci_sink *to, wc_error **err)
{
    const merging *m = self;
    const wci_tar_stack tars = wci_edit_stack_tars(m->work);
    wci_merged *merged = NULL;
    int32_t code = wci_merged_read(call, &tars, m->below, 0, &merged, err);
    if (!code)
        code = wci_merged_write(call, merged, &tars, 0, to, err);
    wci_merged_free(merged);
    return code;
}

static void drop_items(wci_edit_work *w, size_t from)
{
    while (w->count > from)
        json_decref(w->items[--w->count].descriptor);
}

int32_t wci_edit_check_mergeable(const wci_edit_work *w, const char *what, wc_error **err)
{
    if (!w->base.config || strcmp(text_of(w->base.config, "os"), "windows"))
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED, "layers of Windows images cannot be %s: what they say of security and "
                   "attributes would be lost; unpacking and saving keep it", what);
}

static int32_t squash(wci_edit_work *w, wc_error **err)
{
    size_t wanted = w->edit->squash_count ? w->edit->squash_count : w->count;
    wci_new_layer made;
    if (!w->edit->squashes)
        return WC_OK;
    if (wanted > w->count)
        return wci_err(err, WC_E_INVALID, "%zu layers are to become one, but there are only %zu", wanted, w->count);
    if (wanted < 2)
        return WC_OK;
    merging m = {w, w->count - wanted};
    const wci_layer_fill from = {fill_merged, &m};
    int32_t code = wci_edit_check_mergeable(w, "squashed", err);
    if (code)
        return code;
    code = wci_edit_layer_fill(w->call, &from, w->edit->codec, w->layout.blobs, &made, err);
    if (code)
        return wci_err_wrap(err, code, "squashing");
    drop_items(w, m.below);
    w->squashed = wanted;
    return add_item(w, &made.digest, &made.diff_id, new_descriptor(w->edit->codec, &made), 1, err);
}

/* ---- Compressing anew ------------------------------------------------------------------------------- */

typedef struct unpressing {
    wci_edit_work *work;
    size_t item;
} unpressing;

static int32_t fill_decoded(void *self, wc_call *call, const wci_sink *to, wc_error **err)
{
    const unpressing *u = self;
    wci_fd file = WCI_FD_NONE;
    int32_t code = wci_call_check(call, err);
    if (!code)
        code = open_item(u->work, u->item, &file, err);
    if (!code)
        code = wci_edit_layer_decode(file, to, err);
    wci_fd_close(file);
    return code;
}

/* Layers that may not be distributed stay as they are: their blobs are somebody else's. */
static int must_recompress(const wci_edit_work *w, const wci_edit_item *item)
{
    const char *type = text_of(item->descriptor, "mediaType");
    wci_codec codec;
    return wci_starts_with(type, WCI_TYPE_OCI_LAYER) && !wci_codec_of_media_type(type, &codec, NULL) &&
           codec != w->edit->codec;
}

static int32_t recompress_one(wci_edit_work *w, size_t i, wc_error **err)
{
    wci_edit_item *item = &w->items[i];
    unpressing u = {w, i};
    const wci_layer_fill from = {fill_decoded, &u};
    wci_new_layer made;
    int32_t code = wci_edit_layer_fill(w->call, &from, w->edit->codec, w->layout.blobs, &made, err);
    if (!code && !wci_digest_equal(&made.diff_id, &item->diff_id))
        code = wci_err(err, WC_E_DIGEST, "unpacked it is %s instead of %s; 'system check' tells what is damaged",
                       made.diff_id.text, item->diff_id.text);
    json_t *descriptor = code ? NULL : new_descriptor(w->edit->codec, &made);
    if (!code && !descriptor)
        code = wci_err_nomem(err);
    if (code)
        return wci_err_wrap(err, code, "layer '%s': cannot be compressed anew", item->digest.text);
    json_decref(item->descriptor);
    *item = (wci_edit_item){made.digest, item->diff_id, descriptor, 1};
    return WC_OK;
}

static int32_t recompress(wci_edit_work *w, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; w->edit->recompresses && i < w->count && !code; i++)
        if (must_recompress(w, &w->items[i]))
            code = recompress_one(w, i, err);
    return code;
}

/* ---- All together ----------------------------------------------------------------------------------- */

int32_t wci_edit_stack_collect(wci_edit_work *w, wc_error **err)
{
    int32_t code = add_base(w, err);
    return code ? code : add_new(w, 1, err);
}

int32_t wci_edit_stack_make(wci_edit_work *w, wc_error **err)
{
    int32_t code = add_base(w, err);
    if (!code)
        code = add_new(w, 0, err);
    if (!code)
        code = squash(w, err);
    return code ? code : recompress(w, err);
}
