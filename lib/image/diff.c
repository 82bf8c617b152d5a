/* SPDX-License-Identifier: Apache-2.0 */
#include "image/diff.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/drop.h"
#include "layer/merged.h"

/* ---- The layers of an image ------------------------------------------------------------------------- */

typedef struct layers {
    wc_call *call;
    wci_store *store;
    const wci_image_record *image;
} layers;

static int32_t open_layer(void *self, size_t i, wci_fd *out, wc_error **err)
{
    const layers *l = self;
    return wci_layer_open_tar(l->call, l->store, &l->image->layers[i], out, err);
}

static const wci_digest *diff_id_of(void *self, size_t i)
{
    const layers *l = self;
    return &l->image->layers[i].diff_id;
}

static int32_t read_view(wc_call *call, wci_store *store, wci_hold *held, const wci_image_record *image,
                         wci_merged **out, wc_error **err)
{
    layers l = {call, store, image};
    const wci_tar_stack stack = {image->layer_count, open_layer, diff_id_of, &l};
    int32_t code = wci_hold_image(call, held, image, err);
    if (!code)
        code = wci_merged_read(call, &stack, 0, WCI_MERGED_CONTENT, out, err);
    return code ? wci_err_wrap(err, code, "image '%s'", image->names.count ? image->names.items[0] : image->config.text)
                : WC_OK;
}

/* ---- As JSON ---------------------------------------------------------------------------------------- */

static json_t *words_of(unsigned what)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{WCI_DIFFERS_TYPE, "type"},
                 {WCI_DIFFERS_CONTENT, "content"},
                 {WCI_DIFFERS_MODE, "mode"},
                 {WCI_DIFFERS_OWNER, "owner"},
                 {WCI_DIFFERS_XATTRS, "xattrs"}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (what & words[i].bit)
            json_array_append_new(list, json_string(words[i].word));
    return list;
}

static int32_t add_difference(void *self, const wci_difference *d, wc_error **err)
{
    json_t *list = self;
    char *path = wci_asprintf("/%s", d->path);
    if (path && !wci_is_utf8(path, strlen(path))) /* which JSON cannot say */
        wci_make_plain(path);
    json_t *entry = path ? json_pack("{s:s, s:i}", "Path", path, "Kind", d->kind) : NULL;
    if (entry && d->kind == WCI_CHANGED)
        json_object_set_new(entry, "What", words_of(d->what));
    if (entry && d->old_size >= 0)
        json_object_set_new(entry, "OldSize", json_integer(d->old_size));
    if (entry && d->new_size >= 0)
        json_object_set_new(entry, "NewSize", json_integer(d->new_size));
    wci_free(path);
    return !entry || json_array_append_new(list, entry) ? wci_err_nomem(err) : WC_OK;
}

static int32_t compare(const wci_merged *from, const wci_merged *to, wc_buf **out, wc_error **err)
{
    json_t *list = json_array();
    int32_t code = list ? wci_merged_diff(from, to, add_difference, list, err) : wci_err_nomem(err);
    if (!code)
        code = wci_json_dump(list, out, err);
    json_decref(list);
    return code;
}

int32_t wci_image_diff(wc_call *call, wci_store *store, const wci_image_record *from, const wci_image_record *to,
                       wc_buf **out, wc_error **err)
{
    wci_hold *held = NULL;
    wci_merged *a = NULL, *b = NULL;
    int32_t code = wci_hold_new(store, &held, err);
    if (!code)
        code = read_view(call, store, held, from, &a, err);
    if (!code)
        code = read_view(call, store, held, to, &b, err);
    if (!code)
        code = compare(a, b, out, err);
    wci_merged_free(a);
    wci_merged_free(b);
    if (held)
        wci_hold_free(held);
    return code;
}
