/* SPDX-License-Identifier: Apache-2.0 */
/* Into an OCI layout directory, beside what it holds already. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/outlet.h"

/* A file that becomes a blob once its bytes are there and verified. */
typedef struct part {
    wci_digest digest;
    wci_fd fd;    /* WCI_FD_NONE: it has its place */
    char *beside; /* the name that it has meanwhile, if any */
} part;

typedef struct layout_outlet {
    wci_outlet base; /* first */
    char *dir;
    char *ref;
    json_t *added; /* an index of what is new */
    part *parts;
    size_t part_count, part_cap;
} layout_outlet;

static char *blob_path(const layout_outlet *l, const wci_digest *digest)
{
    return wci_asprintf("%s/blobs/%s/%s", l->dir, wci_digest_algo_name(digest),
                        wci_digest_hex(digest));
}

static int has(const layout_outlet *l, const wci_descriptor *descriptor)
{
    wci_file_info info;
    char *path = blob_path(l, &descriptor->digest);
    int there = path && !wci_file_info_of(path, &info, NULL) && info.type == WCI_FILE_REGULAR &&
                info.size == (uint64_t)descriptor->size;
    wci_free(path);
    return there;
}

static int32_t find(wc_call *call, wci_outlet *outlet, const wci_descriptor *const *blobs, size_t count, int *there,
                    wc_error **err)
{
    (void)call;
    (void)err;
    for (size_t i = 0; i < count; i++)
        there[i] = has((layout_outlet *)outlet, blobs[i]);
    return WC_OK;
}

static int32_t make_algo_dir(const layout_outlet *l, const wci_digest *digest, wc_error **err)
{
    char *dir = wci_asprintf("%s/blobs/%s", l->dir, wci_digest_algo_name(digest));
    int32_t code = dir ? wci_dir_make(dir, 0755, err) : wci_err_nomem(err);
    wci_free(dir);
    return code;
}

static void drop_part(part *p)
{
    wci_fd_close(p->fd);
    if (p->beside)
        wci_file_remove(p->beside, NULL);
    wci_free(p->beside);
    p->fd = WCI_FD_NONE;
    p->beside = NULL;
}

static int32_t stage(wci_outlet *outlet, const wci_descriptor *d, wci_berth *out, wc_error **err)
{
    layout_outlet *l = (layout_outlet *)outlet;
    part p = {d->digest, WCI_FD_NONE, NULL};
    if (!wci_grow(&l->parts, &l->part_cap, l->part_count + 1, sizeof *l->parts))
        return wci_err_nomem(err);
    char *path = blob_path(l, &d->digest);
    int32_t code = path ? make_algo_dir(l, &d->digest, err) : wci_err_nomem(err);
    if (!code)
        code = wci_file_open_unseen(path, 0644, &p.fd, &p.beside, err);
    wci_free(path);
    if (code)
        return code;
    l->parts[l->part_count++] = p;
    *out = (wci_berth){p.fd, 0};
    return WC_OK;
}

static part *part_of(const layout_outlet *l, const wci_digest *digest)
{
    for (size_t i = 0; i < l->part_count; i++)
        if (l->parts[i].fd != WCI_FD_NONE && wci_digest_equal(&l->parts[i].digest, digest))
            return &l->parts[i];
    return NULL;
}

static int32_t copy_into_part(wc_call *call, layout_outlet *l, const wci_blob_source *from, const wci_descriptor *d,
                              wc_error **err)
{
    wci_berth berth;
    int32_t code = stage(&l->base, d, &berth, err);
    return code ? code : wci_blob_pass_to(call, from, d, &berth, err);
}

static int32_t give_place(layout_outlet *l, part *staged, wc_error **err)
{
    char *path = blob_path(l, &staged->digest);
    int32_t code = path ? wci_file_publish(staged->fd, staged->beside, path, err) : wci_err_nomem(err);
    wci_free(path);
    if (code)
        return code;
    wci_free(staged->beside);
    staged->beside = NULL;
    drop_part(staged);
    return WC_OK;
}

/* Whole and verified before it has its name. */
static int32_t put_blob(wc_call *call, layout_outlet *l, const wci_blob_source *from, const wci_descriptor *d,
                        wc_error **err)
{
    if (has(l, d))
        return wci_call_report(call, WC_PROGRESS_EXISTS, d->digest.text, d->size, d->size, NULL,
                               err);
    int32_t code = WC_OK;
    if (part_of(l, &d->digest))
        code = wci_call_report(call, WC_PROGRESS_DONE, d->digest.text, d->size, d->size, NULL, err);
    else
        code = copy_into_part(call, l, from, d, err);
    return code ? code : give_place(l, part_of(l, &d->digest), err);
}

static int32_t put_manifest(const layout_outlet *l, const wci_raw *manifest, wc_error **err)
{
    char *path = blob_path(l, &manifest->digest);
    int32_t code = path ? make_algo_dir(l, &manifest->digest, err) : wci_err_nomem(err);
    if (!code)
        code = wci_file_write_atomic(path, wc_buf_data(manifest->body),
                                     wc_buf_size(manifest->body), 0644, 0, err);
    wci_free(path);
    return code;
}

static int32_t put_blobs(wc_call *call, wci_outlet *outlet, const wci_blob_source *from,
                         const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < count && !code; i++)
        code = put_blob(call, (layout_outlet *)outlet, from, blobs[i], err);
    return code;
}

static int32_t put_document(wc_call *call, wci_outlet *outlet, const wci_cargo *cargo, wc_error **err)
{
    layout_outlet *l = (layout_outlet *)outlet;
    int32_t code = wci_call_check(call, err);
    if (!code)
        code = put_manifest(l, cargo->raw, err);
    return code ? code : wci_layout_index_add(l->added, cargo, l->ref, err);
}

static int32_t write_named(const layout_outlet *l, const char *name, const void *data, size_t size,
                           wc_error **err)
{
    char *path = wci_path_join(l->dir, name);
    int32_t code =
        path ? wci_file_write_atomic(path, data, size, 0644, 0, err) : wci_err_nomem(err);
    wci_free(path);
    return code;
}

static int32_t read_index(const layout_outlet *l, json_t **out, wc_error **err)
{
    wc_buf *bytes = NULL;
    wc_error *why = NULL;
    char *path = wci_path_join(l->dir, "index.json");
    int32_t code = path ? wci_file_read_all(path, WCI_MANIFEST_MAX, &bytes, &why)
                        : wci_err_nomem(&why);
    wci_free(path);
    if (code && code != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wci_err_clear(&why);
    code = wci_layout_index_open(bytes, out, err);
    wc_buf_unref(bytes);
    return code;
}

static int32_t write_marker(const layout_outlet *l, const char *path, wc_error **err)
{
    return wci_file_exists(path)
               ? WC_OK
               : write_named(l, "oci-layout", WCI_LAYOUT_MARKER, sizeof WCI_LAYOUT_MARKER - 1, err);
}

static int32_t change_index(const layout_outlet *l, wc_error **err)
{
    json_t *index = NULL;
    wc_buf *bytes = NULL;
    int32_t code = read_index(l, &index, err);
    if (!code)
        code = wci_layout_index_merge(index, l->added, err);
    if (!code)
        code = wci_json_dump(index, &bytes, err);
    if (!code)
        code = write_named(l, "index.json", wc_buf_data(bytes), wc_buf_size(bytes), err);
    wc_buf_unref(bytes);
    json_decref(index);
    return code;
}

/* Others may add to the layout at the same time: whoever changes the index has the marker locked. Where the file
 * system knows no locks it goes without. */
static int32_t finish(wci_outlet *outlet, wc_error **err)
{
    WCI_CALL_NONE(call);
    layout_outlet *l = (layout_outlet *)outlet;
    wci_lock *lock = NULL;
    char *marker = wci_path_join(l->dir, "oci-layout");
    int32_t code = marker ? write_marker(l, marker, err) : wci_err_nomem(err);
    if (!code)
        wci_lock_acquire(&call, marker, WCI_LOCK_EXCLUSIVE, &lock, NULL);
    if (!code)
        code = change_index(l, err);
    wci_lock_release(lock);
    wci_free(marker);
    return code;
}

static void close_layout(wci_outlet *outlet)
{
    layout_outlet *l = (layout_outlet *)outlet;
    for (size_t i = 0; i < l->part_count; i++)
        drop_part(&l->parts[i]);
    wci_free(l->parts);
    json_decref(l->added);
    wci_free(l->dir);
    wci_free(l->ref);
    wci_free(l);
}

static const wci_outlet_ops layout_ops = {find, NULL, put_blobs, put_document, finish, close_layout, stage};

/* What is there must be readable before anything is fetched. */
static int32_t check_index(const layout_outlet *l, wc_error **err)
{
    json_t *index = NULL;
    int32_t code = read_index(l, &index, err);
    json_decref(index);
    return code;
}

int32_t wci_outlet_open_layout(const wci_place *place, wci_outlet **out, wc_error **err)
{
    layout_outlet *l = wci_calloc(1, sizeof *l);
    if (!l)
        return wci_err_nomem(err);
    l->base.ops = &layout_ops;
    l->dir = wci_strdup(place->path);
    int32_t code = l->dir && (!place->ref || !wci_replace(&l->ref, place->ref))
                       ? wci_dir_make(l->dir, 0755, err)
                       : wci_err_nomem(err);
    if (!code)
        code = check_index(l, err);
    if (!code)
        code = wci_layout_index_open(NULL, &l->added, err);
    if (code) {
        close_layout(&l->base);
        return wci_err_wrap(err, code, "layout '%s': cannot be written to", place->path);
    }
    *out = &l->base;
    return WC_OK;
}
