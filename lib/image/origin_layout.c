/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts, in a directory or a tar. Specification: OCI image-spec 1.1, image-layout.md. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/members.h"
#include "image/origin.h"
#include "image/trust/attached.h"
#include "image/trust/layout.h"

typedef struct layout_origin {
    wci_origin base; /* first */
    char *path;
    wci_members members;
    wc_buf *index_bytes;
    wci_document *index;
    size_t *entries; /* of each image: its place in the index */
    int is_one_index; /* index.json itself is the image, for several platforms */
} layout_origin;

static int32_t blob_name(const wci_digest *digest, char **out, wc_error **err)
{
    char *name = wci_asprintf("blobs/%s/%s", wci_digest_algo_name(digest), wci_digest_hex(digest));
    if (!name)
        return wci_err_nomem(err);
    *out = name;
    return WC_OK;
}

static int32_t open_blob(wci_origin *origin, const wci_digest *digest, wci_extent *out,
                         wc_error **err)
{
    layout_origin *l = (layout_origin *)origin;
    char *name = NULL;
    int32_t code = blob_name(digest, &name, err);
    if (!code)
        code = wci_members_find(&l->members, name, out, err);
    wci_free(name);
    return code ? wci_err_wrap(err, code, "layout '%s': blob '%s': cannot be opened", l->path,
                               digest->text)
                : WC_OK;
}

static int32_t root_index(const layout_origin *l, wci_raw *out, wc_error **err)
{
    wci_raw raw = WCI_RAW_INIT;
    int32_t code = wci_digest_of(WCI_SHA256, wc_buf_data(l->index_bytes),
                                 wc_buf_size(l->index_bytes), &raw.digest, err);
    if (code)
        return code;
    raw.media_type = wci_strdup(l->index->media_type);
    if (!raw.media_type)
        return wci_err_nomem(err);
    raw.body = wc_buf_ref(l->index_bytes);
    *out = raw;
    return WC_OK;
}

static int32_t root(wc_call *call, wci_origin *origin, size_t image, wci_raw *out, wc_error **err)
{
    layout_origin *l = (layout_origin *)origin;
    if (l->is_one_index)
        return root_index(l, out, err);
    const wci_descriptor *entry = &l->index->items[l->entries[image]];
    wci_raw raw = {.body = NULL, .media_type = wci_strdup(entry->media_type),
                   .digest = entry->digest};
    int32_t code = raw.media_type ? wci_origin_manifest(call, origin, entry, &raw.body, err)
                                  : wci_err_nomem(err);
    if (code)
        wci_raw_clear(&raw);
    else
        *out = raw;
    return code;
}

static void close_layout(wci_origin *origin)
{
    layout_origin *l = (layout_origin *)origin;
    wci_members_close(&l->members);
    wci_document_free(l->index);
    wc_buf_unref(l->index_bytes);
    wci_origin_clear(origin);
    wci_free(l->entries);
    wci_free(l->path);
    wci_free(l);
}

static int32_t tagged(wc_call *call, wci_origin *origin, const char *tag, wci_raw *out, wc_error **err)
{
    const layout_origin *l = (const layout_origin *)origin;
    return wci_layout_tagged(call, origin, l->index, tag, out, err);
}

static int32_t referrers(wc_call *call, wci_origin *origin, const wci_digest *subject, wc_buf **out, wc_error **err)
{
    const layout_origin *l = (const layout_origin *)origin;
    return wci_layout_referrers(call, origin, l->index, subject, out, err);
}

static const wci_origin_ops layout_ops = {root, NULL, NULL, open_blob, close_layout, tagged, referrers, NULL};

/* ---- Which images there are ---------------------------------------------------------------------- */

static int is_named(const wci_descriptor *entry)
{
    return entry->ref_name || entry->image_name;
}

/* Manifests for several platforms and no names: together they are one image. */
static int is_one_index(const wci_document *index)
{
    int platforms = 0;
    for (size_t i = 0; i < index->count; i++) {
        if (is_named(&index->items[i]))
            return 0;
        platforms += index->items[i].has_platform;
    }
    return index->count > 1 && platforms > 0;
}

static int is_wanted(const wci_descriptor *entry, const char *ref)
{
    return !ref || wci_streq(entry->ref_name, ref) || wci_streq(entry->image_name, ref);
}

/* Signatures and the like are no images of their own: not those under cosign's tags, nor what has a subject. */
static int is_companion(wc_call *call, wci_origin *origin, const wci_descriptor *entry)
{
    wc_buf *body = NULL;
    wci_document *document = NULL;
    if (wci_attached_is_tag(entry->ref_name) || wci_layout_is_signature(entry))
        return 1;
    int is_one = !strcmp(entry->media_type, WCI_TYPE_OCI_MANIFEST) &&
                 !wci_origin_manifest(call, origin, entry, &body, NULL) &&
                 !wci_document_parse(wc_buf_data(body), wc_buf_size(body), entry->media_type, "manifest", &document,
                                     NULL) &&
                 wci_digest_is_set(&document->subject);
    wci_document_free(document);
    wc_buf_unref(body);
    return is_one;
}

/* Beside a whole name the reference is only its tag. */
static int32_t add_name(wci_strv *names, const wci_descriptor *entry, wc_error **err)
{
    const char *name = entry->image_name ? entry->image_name : entry->ref_name;
    if (name && !wci_strv_contains(names, name) && wci_strv_add(names, name))
        return wci_err_nomem(err);
    return WC_OK;
}

/* Entries with the same digest are one image under several names. */
static int32_t add_entry(layout_origin *l, size_t entry, wc_error **err)
{
    const wci_descriptor *d = &l->index->items[entry];
    size_t i = 0;
    while (i < l->base.image_count &&
           !wci_digest_equal(&l->index->items[l->entries[i]].digest, &d->digest))
        i++;
    if (i == l->base.image_count)
        l->entries[l->base.image_count++] = entry;
    return add_name(&l->base.names[i], d, err);
}

static int32_t list_images(wc_call *call, layout_origin *l, const char *ref, wc_error **err)
{
    size_t count = l->index->count;
    int32_t code = wci_origin_set_count(&l->base, count + 1, err);
    l->entries = wci_calloc(count + 1, sizeof *l->entries);
    l->base.image_count = 0;
    if (code || !l->entries)
        return wci_err_nomem(err);
    l->is_one_index = !ref && is_one_index(l->index);
    if (l->is_one_index) {
        l->base.image_count = 1;
        return WC_OK;
    }
    for (size_t i = 0; i < count && !code; i++)
        if (is_wanted(&l->index->items[i], ref) &&
            (ref || count == 1 || !is_companion(call, &l->base, &l->index->items[i])))
            code = add_entry(l, i, err);
    return code;
}

/* A slip in the name is found by those that are there. */
static int32_t no_such_image(const layout_origin *l, const wci_place *place, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    wci_str shown = WCI_STR_INIT;
    int32_t code = WC_OK;
    for (size_t i = 0; i < l->index->count && !code; i++)
        code = add_name(&names, &l->index->items[i], err);
    if (!code) {
        wci_origin_list_names(&(wci_origin){.image_count = 1, .names = &names}, &shown);
        code = wci_err(err, WC_E_NOT_FOUND, "layout '%s': no image in it is called '%s'; there is: %s", place->path,
                       place->ref, shown.data ? shown.data : "");
    }
    wci_str_free(&shown);
    wci_strv_free(&names);
    return code;
}

static int32_t check_choice(const layout_origin *l, const wci_place *place, int all,
                            wc_error **err)
{
    size_t count = l->base.image_count;
    if (!count && place->ref)
        return no_such_image(l, place, err);
    if (!count)
        return wci_err(err, WC_E_NOT_FOUND, "layout '%s': there is no image in it", place->path);
    if (count == 1 || all)
        return WC_OK;
    wci_str names = WCI_STR_INIT;
    wci_origin_list_names(&l->base, &names);
    int32_t code = wci_err(err, WC_E_INVALID,
                           "layout '%s': there are %zu images in it; append ':' and the name of "
                           "one of them: %s",
                           place->path, count, names.data ? names.data : "");
    wci_str_free(&names);
    return code;
}

static int32_t read_index(layout_origin *l, wc_error **err)
{
    int32_t code = wci_members_read(&l->members, "index.json", WCI_MANIFEST_MAX, &l->index_bytes,
                                    err);
    if (code)
        return wci_err_wrap(err, code, "layout '%s': not an OCI layout: no 'index.json'", l->path);
    code = wci_document_parse(wc_buf_data(l->index_bytes), wc_buf_size(l->index_bytes), NULL,
                              "'index.json'", &l->index, err);
    if (!code && l->index->kind != WCI_DOCUMENT_INDEX)
        code = wci_err(err, WC_E_FORMAT, "'index.json': it is not an index");
    return code ? wci_err_wrap(err, code, "layout '%s'", l->path) : WC_OK;
}

int32_t wci_origin_open_layout(wc_call *call, wci_members *members, const wci_place *place, int all,
                               wci_origin **out, wc_error **err)
{
    layout_origin *l = wci_calloc(1, sizeof *l);
    if (!l) {
        wci_members_close(members);
        return wci_err_nomem(err);
    }
    l->base.ops = &layout_ops;
    l->members = *members;
    l->path = wci_strdup(place->path);
    int32_t code = l->path ? read_index(l, err) : wci_err_nomem(err);
    if (!code)
        code = list_images(call, l, place->ref, err);
    if (!code)
        code = check_choice(l, place, all, err);
    if (code) {
        close_layout(&l->base);
        return code;
    }
    *out = &l->base;
    return WC_OK;
}
