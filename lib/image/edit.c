/* SPDX-License-Identifier: Apache-2.0 */
#include "image/edit.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/documents.h"
#include "image/edit_work.h"
#include "image/names.h"
#include "platform/host.h"

#define NS_PER_S 1000000000LL

int32_t wci_edit_add_layer(wci_edit *edit, const char *path, int is_tar, wci_strv *skip, wc_error **err)
{
    char *copy = wci_strdup(path);
    if (!copy || !wci_grow(&edit->layers, &edit->layer_cap, edit->layer_count + 1, sizeof *edit->layers)) {
        wci_free(copy);
        if (skip)
            wci_strv_free(skip);
        return wci_err_nomem(err);
    }
    edit->layers[edit->layer_count++] = (wci_edit_layer){copy, is_tar, skip ? *skip : (wci_strv)WCI_STRV_INIT};
    if (skip)
        *skip = (wci_strv)WCI_STRV_INIT;
    return WC_OK;
}

void wci_edit_free(wci_edit *edit)
{
    wci_strv *lists[] = {&edit->env,     &edit->labels,     &edit->annotations, &edit->ports,
                         &edit->volumes, &edit->entrypoint, &edit->cmd,         &edit->dropped,
                         &edit->instructions};
    char *texts[] = {edit->base,   edit->user,    edit->workdir,    edit->stop_signal, edit->platform,
                     edit->author, edit->comment, edit->created_by, edit->old_base,    edit->new_base};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        wci_strv_free(lists[i]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wci_free(texts[i]);
    for (size_t i = 0; i < edit->layer_count; i++) {
        wci_free(edit->layers[i].path);
        wci_strv_free(&edit->layers[i].skip);
    }
    wci_free(edit->layers);
    *edit = (wci_edit)WCI_EDIT_INIT;
}

/* ---- What there is ---------------------------------------------------------------------------------- */

static int32_t read_epoch(wci_edit_work *w, wc_error **err)
{
    int32_t code = wci_source_date_epoch(&w->latest_sec, err);
    w->created_ns = w->edit->created_ns >= 0 ? w->edit->created_ns
                    : w->latest_sec >= 0     ? w->latest_sec * NS_PER_S
                                             : wci_now_ns();
    return code;
}

static int32_t read_document(const wci_edit_work *w, const wci_image_record *record, const wci_digest *digest,
                             const char *kind, json_t **out, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_image_document_read(w->store, record, digest, kind, WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = wci_json_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_CONFIG_MAX, kind, out, err);
    wc_buf_unref(bytes);
    return code;
}

static int32_t open_source(const wci_edit_work *w, const char *name, wci_edit_source *out, wc_error **err)
{
    if (!name)
        return WC_OK;
    int32_t code = wci_image_lookup(w->store, name, &out->record, &out->name, err);
    if (!code)
        code = wci_hold_image(w->call, w->hold, out->record, err);
    if (!code)
        code = read_document(w, out->record, &out->record->config, "config", &out->config, err);
    return code ? code : read_document(w, out->record, &out->record->manifest, "manifest", &out->manifest, err);
}

static void close_source(wci_edit_source *source)
{
    wci_image_record_free(source->record);
    json_decref(source->config);
    json_decref(source->manifest);
    wci_free(source->name);
}

static int32_t open_work(wci_edit_work *w, wc_error **err)
{
    int32_t code = wci_hold_new(w->store, &w->hold, err);
    if (!code)
        code = read_epoch(w, err);
    if (!code)
        code = open_source(w, w->edit->base, &w->base, err);
    if (!code)
        code = open_source(w, w->edit->old_base, &w->old_base, err);
    if (!code)
        code = open_source(w, w->edit->new_base, &w->new_base, err);
    return code ? code : wci_own_layout_open(w->store, &w->layout, err);
}

static void close_work(wci_edit_work *w)
{
    wci_own_layout_close(&w->layout);
    if (w->hold)
        wci_hold_free(w->hold);
    close_source(&w->base);
    close_source(&w->old_base);
    close_source(&w->new_base);
    for (size_t i = 0; i < w->count; i++)
        json_decref(w->items[i].descriptor);
    wci_free(w->items);
}

/* ---- As an image ------------------------------------------------------------------------------------ */

static int32_t make(wci_edit_work *w, const char *name, wci_image_record **out, wc_error **err)
{
    wci_platform platform = WCI_PLATFORM_INIT;
    int32_t code = open_work(w, err);
    if (!code)
        code = wci_edit_stack_make(w, err);
    if (!code)
        code = wci_edit_documents_write(w, &platform, err);
    if (!code)
        code = wci_own_layout_bring_in(w->call, w->store, &w->layout, &platform, name, out, err);
    wci_platform_clear(&platform);
    return code;
}

int32_t wci_edit_apply(wc_call *call, wci_store *store, const wci_edit *edit, const char *name,
                       wci_image_record **out, wc_error **err)
{
    wci_edit_work w = {.call = call, .store = store, .edit = edit};
    char *whole = NULL;
    int32_t code = name ? wci_name_normalise_tag(name, &whole, err) : WC_OK;
    if (!code)
        code = make(&w, whole, out, err);
    close_work(&w);
    wci_free(whole);
    if (!code)
        return WC_OK;
    const char *called = name ? name : edit->base;
    return called ? wci_err_wrap(err, code, "image '%s': cannot be made", called)
                  : wci_err_wrap(err, code, "the image cannot be made");
}

/* ---- As a tar --------------------------------------------------------------------------------------- */

int32_t wci_edit_export(wc_call *call, wci_store *store, const wci_edit *edit, const wci_sink *to, wc_error **err)
{
    wci_edit_work w = {.call = call, .store = store, .edit = edit};
    wci_merged *merged = NULL;
    int32_t code = open_work(&w, err);
    if (!code)
        code = wci_edit_check_mergeable(&w, "exported as one file system", err);
    if (!code)
        code = wci_edit_stack_collect(&w, err);
    const wci_tar_stack tars = wci_edit_stack_tars(&w);
    if (!code)
        code = wci_merged_read(call, &tars, 0, 0, &merged, err);
    if (!code)
        code = wci_merged_write(call, merged, &tars, WCI_MERGED_DIRS_LAST, to, err);
    wci_merged_free(merged);
    close_work(&w);
    return code;
}
