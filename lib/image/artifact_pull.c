/* SPDX-License-Identifier: Apache-2.0 */
/* The titles come from outside: every step of a path is made or opened in the directory before it, no link is
 * followed, and nothing is written over. */
#include <string.h>

#include <jansson.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/artifact.h"
#include "image/place.h"
#include "image/stage.h"
#include "image/trust/trust.h"
#include "layer/path.h"
#include "platform/host.h"
#include "platform/tree.h"

/* What blobs become files of. */
typedef struct directory {
    wci_outlet base; /* first */
    wci_fd root;
    const wci_document *manifest;
    char **titles; /* of each layer: clean; NULL for those without */
} directory;

/* ---- One file ------------------------------------------------------------------------------------- */

static int32_t enter(wci_fd *dir, const char *name, wc_error **err)
{
    wci_fd next = WCI_FD_NONE;
    wc_error *why = NULL;
    int32_t code = wci_tree_make_dir(*dir, name, 0755, &why);
    if (code == WC_E_EXISTS)
        code = WC_OK;
    else if (code)
        wci_err_move(err, wc_error_ref(why));
    wc_error_unref(why);
    if (!code)
        code = wci_tree_open_dir(*dir, name, &next, err);
    if (code)
        return code;
    wci_fd_close(*dir);
    *dir = next;
    return WC_OK;
}

/* Opens the directory of the file; *name is its last component. The path is changed. */
static int32_t open_parent(wci_fd root, char *path, wci_fd *dir, char **name, wc_error **err)
{
    int32_t code = wci_tree_reopen(root, dir, err);
    *name = path;
    for (char *slash; !code && (slash = strchr(*name, '/')); *name = slash + 1) {
        *slash = '\0';
        code = enter(dir, *name, err);
    }
    return code;
}

static int32_t write_file(void *self, const void *data, size_t size, wc_error **err)
{
    return wci_fd_write(*(wci_fd *)self, data, size, err);
}

/* Under another name until it is whole. */
static int32_t write_named(wc_call *call, const wci_blob_source *from, const wci_descriptor *blob, wci_fd dir,
                           const char *name, wc_error **err)
{
    char suffix[17], *part = NULL;
    wci_fd fd = WCI_FD_NONE;
    int32_t code = wci_random_hex(8, suffix, err);
    if (!code && !(part = wci_asprintf(".part-%s", suffix)))
        code = wci_err_nomem(err);
    if (!code)
        code = wci_tree_create_file(dir, part, 0644, &fd, err);
    if (code) {
        wci_free(part);
        return code;
    }
    code = wci_blob_pass(call, from, blob, write_file, &fd, err);
    if (!code)
        code = wci_tree_link(dir, part, dir, name, err);
    wci_fd_close(fd);
    wci_tree_remove(dir, part, NULL);
    wci_free(part);
    return code;
}

static int32_t put_file(wc_call *call, const directory *d, const wci_blob_source *from, const wci_descriptor *blob,
                        const char *title, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    char *path = wci_strdup(title), *name = NULL;
    int32_t code = path ? open_parent(d->root, path, &dir, &name, err) : wci_err_nomem(err);
    if (!code)
        code = write_named(call, from, blob, dir, name, err);
    wci_fd_close(dir);
    wci_free(path);
    return code ? wci_err_wrap(err, code, "file '%s'", title) : WC_OK;
}

/* ---- As an outlet --------------------------------------------------------------------------------- */

static int32_t put_blobs(wc_call *call, wci_outlet *outlet, const wci_blob_source *from,
                         const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    const directory *d = (const directory *)outlet;
    int32_t code = WC_OK;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < d->manifest->count && !code; k++)
            if (d->titles[k] && wci_digest_equal(&d->manifest->items[k].digest, &blobs[i]->digest))
                code = put_file(call, d, from, blobs[i], d->titles[k], err);
    return code;
}

static const wci_outlet_ops directory_ops = {.put_blobs = put_blobs};

/* ---- Titles --------------------------------------------------------------------------------------- */

static int32_t clean_title(const char *title, char **out, wc_error **err)
{
    wci_str clean = WCI_STR_INIT;
    int32_t code = wci_path_clean(title, &wci_limits_default, "its title", &clean, err);
    char *text = wci_str_take(&clean);
    if (!code && !text)
        code = wci_err_nomem(err);
    if (!code && !*text)
        code = wci_err(err, WC_E_FORMAT, "its title '' names no file");
    if (code)
        wci_free(text);
    else
        *out = text;
    return code;
}

static int32_t read_titles(const wci_raw *manifest, directory *d, wc_error **err)
{
    json_t *json = NULL;
    int32_t code = wci_json_parse(wc_buf_data(manifest->body), wc_buf_size(manifest->body), WCI_MANIFEST_MAX,
                                  "manifest", &json, err);
    for (size_t i = 0; i < d->manifest->count && !code; i++) {
        json_t *layer = json_array_get(json_object_get(json, "layers"), i);
        const char *title = json_string_value(json_object_get(json_object_get(layer, "annotations"), WCI_ANNOTATION_TITLE));
        if (title)
            code = clean_title(title, &d->titles[i], err);
        if (code)
            code = wci_err_wrap(err, code, "layer '%s'", d->manifest->items[i].digest.text);
    }
    json_decref(json);
    return code;
}

/* Before anything is fetched for it. */
static int32_t check_new(const directory *d, const char *title, wc_error **err)
{
    wci_fd at = WCI_FD_NONE;
    if (wci_tree_resolve(d->root, title, &at, NULL))
        return WC_OK;
    wci_fd_close(at);
    return wci_err(err, WC_E_EXISTS, "file '%s': is there already", title);
}

/* Blobs with a title, each once. */
static int32_t list_blobs(const directory *d, const wci_descriptor **out, size_t *count, wc_error **err)
{
    int32_t code = WC_OK;
    *count = 0;
    for (size_t i = 0; i < d->manifest->count && !code; i++) {
        size_t k = 0;
        if (!d->titles[i])
            continue;
        code = check_new(d, d->titles[i], err);
        while (k < *count && !wci_digest_equal(&out[k]->digest, &d->manifest->items[i].digest))
            k++;
        if (k == *count)
            out[(*count)++] = &d->manifest->items[i];
    }
    if (!code && !*count)
        code = wci_err(err, WC_E_UNSUPPORTED, "none of its layers has a title, which would name a file");
    return code;
}

/* ---- The whole ------------------------------------------------------------------------------------ */

static int32_t bring(const wci_ferry *ferry, const wci_resolved *resolved, directory *d, wci_strv *files,
                     wc_error **err)
{
    const wci_descriptor **blobs = wci_calloc(d->manifest->count + 1, sizeof *blobs);
    size_t count = 0;
    d->titles = wci_calloc(d->manifest->count + 1, sizeof *d->titles);
    int32_t code = blobs && d->titles ? read_titles(&resolved->manifest, d, err) : wci_err_nomem(err);
    if (!code)
        code = list_blobs(d, blobs, &count, err);
    if (!code)
        code = wci_ferry_blobs(ferry, blobs, count, err);
    for (size_t i = 0; i < d->manifest->count && d->titles; i++) {
        if (!code && d->titles[i] && wci_strv_add(files, d->titles[i]))
            code = wci_err_nomem(err);
        wci_free(d->titles[i]);
    }
    wci_free(d->titles);
    wci_free(blobs);
    return code;
}

static int32_t pull_from(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                         const char *target, const wci_transfer *transfer, wci_strv *files, wc_error **err)
{
    wci_resolved resolved = WCI_RESOLVED_INIT;
    directory d = {.base.ops = &directory_ops, .root = WCI_FD_NONE};
    const wci_ferry ferry = {call, store, origin, &d.base, NULL};
    int32_t code = wci_tree_open_root(target, &d.root, err);
    if (!code)
        code = wci_resolve(call, store, origin, 0, transfer, &resolved, err);
    d.manifest = resolved.document;
    if (!code)
        code = wci_trust_check(call, store, origin, place, transfer, &resolved, err);
    if (!code)
        code = bring(&ferry, &resolved, &d, files, err);
    if (!code)
        code = wci_call_report(call, WC_PROGRESS_DONE, resolved.manifest.digest.text, 0, -1, NULL, err);
    wci_resolved_clear(&resolved);
    wci_fd_close(d.root);
    return code;
}

int32_t wci_artifact_pull(wc_call *call, wci_store *store, const char *source, const char *target,
                          const wci_transfer *transfer, wci_strv *files, wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    wci_origin *origin = NULL;
    int32_t code = wci_place_parse(source, &place, err);
    if (!code)
        code = wci_origin_open(call, store, &place, transfer, &origin, err);
    if (!code)
        code = pull_from(call, store, origin, &place, target, transfer, files, err);
    wci_origin_close(origin);
    wci_place_free(&place);
    return code ? wci_err_wrap(err, code, "artifact '%s': cannot be pulled", source) : WC_OK;
}
