/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/assemble.h"
#include "image/drop.h"
#include "image/graph.h"
#include "image/names.h"
#include "image/passage.h"
#include "image/pull.h"
#include "image/reference.h"

/* ---- Out of the store --------------------------------------------------------------------------- */

/* What was asked for: each image once, under the names that were used for it. */
typedef struct selection {
    wci_image_record *record;
    wci_digest index; /* the whole of which is meant; or unset */
    wci_strv names;
} selection;

static int is_selected(const selection *chosen, const wci_image_record *record, const wci_digest *index)
{
    return wci_digest_equal(&chosen->record->manifest, &record->manifest) && wci_digest_equal(&chosen->index, index);
}

/* Through which index the image is meant: when all of it goes, or the image for another platform. */
static void choose_index(wci_store *store, const wci_image_record *image, const char *name, const wci_transfer *transfer,
                         wci_digest *out)
{
    uint64_t size;
    wci_digest index = {""};
    int is_whole = wci_transfer_is_of_index(transfer);
    if (!is_whole && !transfer->has_platform)
        return;
    wci_index_of_name(image, name, &index);
    if (is_whole || (wci_digest_is_set(&index) && !wci_blob_stat(store, &index, &size, NULL)))
        *out = index;
}

static int32_t select_image(wci_store *store, const char *text, const wci_transfer *transfer, selection *list,
                            size_t *count, wc_error **err)
{
    wci_image_record *record = NULL;
    char *name = NULL;
    wci_digest index = {""};
    int32_t code = wci_image_lookup(store, text, &record, &name, err);
    if (code)
        return code;
    choose_index(store, record, name, transfer, &index);
    size_t i = 0;
    while (i < *count && !is_selected(&list[i], record, &index))
        i++;
    if (i < *count)
        wci_image_record_free(record);
    else
        list[(*count)++] = (selection){record, index, WCI_STRV_INIT};
    if (!name || wci_strv_contains(&list[i].names, name)) {
        wci_free(name);
        return WC_OK;
    }
    return wci_strv_add_take(&list[i].names, name) ? wci_err_nomem(err) : WC_OK;
}

static int32_t pass_out(const wci_ferry *ferry, const selection *chosen, const wci_place *place,
                        const wci_transfer *transfer, wc_error **err)
{
    wci_reference target = WCI_REFERENCE_INIT;
    int32_t code = place->kind == WCI_PLACE_REGISTRY ? wci_reference_parse(place->ref, &target, err) : WC_OK;
    /* The login is that of a registry that is the target, else of whoever blobs are fetched from again. */
    const wci_restoring how = {ferry->hold, transfer, target.host, 0};
    wci_origin_restore_by(ferry->origin, &how);
    if (!code)
        code = wci_pass(ferry, NULL, &chosen->names, transfer, err);
    wci_reference_free(&target);
    return code;
}

static int32_t save_one(wc_call *call, wci_store *store, wci_hold *hold, const selection *chosen,
                        const wci_place *place, const wci_transfer *transfer, wci_outlet *outlet, wc_error **err)
{
    wci_origin *origin = NULL;
    int32_t code = wci_hold_image(call, hold, chosen->record, err);
    if (!code)
        code = wci_origin_open_store(store, &chosen->record->manifest, &chosen->index, &origin, err);
    const wci_ferry ferry = {call, store, origin, outlet, hold};
    if (!code)
        code = pass_out(&ferry, chosen, place, transfer, err);
    wci_origin_close(origin);
    if (code == WC_E_NOT_FOUND && wci_digest_is_set(&chosen->index))
        return wci_err_wrap(err, code, "the store has not all of the index '%s'; pull it with all its platforms first",
                            chosen->index.text);
    return code;
}

/* Which of several it was. */
static int32_t name_failed(const selection *chosen, int32_t code, wc_error **err)
{
    return wci_err_wrap(err, code, "image '%s'",
                        chosen->names.count ? chosen->names.items[0] : chosen->record->manifest.text);
}

static int32_t save_selected(wc_call *call, wci_store *store, const selection *list, size_t count,
                             const wci_place *place, const wci_transfer *transfer, wc_error **err)
{
    wci_hold *hold = NULL;
    wci_outlet *outlet = NULL;
    if (place->ref && count > 1)
        return wci_err(err, WC_E_INVALID, "'%s' can be the name of one image only", place->ref);
    int32_t code = wci_hold_new(store, &hold, err);
    if (code)
        return code;
    code = wci_outlet_open(call, store, place, &transfer->registry, transfer, &outlet, err);
    for (size_t i = 0; i < count && !code; i++) {
        code = save_one(call, store, hold, &list[i], place, transfer, outlet, err);
        if (code && count > 1)
            code = name_failed(&list[i], code, err);
    }
    if (!code)
        code = outlet->ops->finish(outlet, err);
    wci_outlet_close(outlet);
    wci_hold_free(hold);
    return code;
}

static int32_t save_to(wc_call *call, wci_store *store, const char *const *names, size_t count,
                       const wci_place *place, const wci_transfer *transfer, wc_error **err)
{
    size_t selected = 0;
    selection *list = wci_calloc(count + 1, sizeof *list);
    int32_t code = list ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++)
        code = select_image(store, names[i], transfer, list, &selected, err);
    if (!code)
        code = save_selected(call, store, list, selected, place, transfer, err);
    for (size_t i = 0; i < selected; i++) {
        wci_image_record_free(list[i].record);
        wci_strv_free(&list[i].names);
    }
    wci_free(list);
    return code;
}

/* What goes out takes along what refers to it, unless the caller has said. */
static wci_transfer outward(const wci_transfer *transfer)
{
    wci_transfer own = *transfer;
    if (own.companions == WCI_COMPANIONS_UNSAID)
        own.companions = WCI_COMPANIONS_TRY;
    return own;
}

int32_t wci_image_save(wc_call *call, wci_store *store, const char *const *names, size_t count,
                       const char *target, const wci_transfer *transfer, wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    int32_t code = wci_place_parse(target, &place, err);
    if (code)
        return code;
    const wci_transfer own = outward(transfer);
    code = save_to(call, store, names, count, &place, &own, err);
    wci_place_free(&place);
    return code ? wci_err_wrap(err, code, "'%s': cannot be written", target) : WC_OK;
}

static int32_t own_target(wci_store *store, const char *name, char **out, wc_error **err)
{
    wci_image_record *record = NULL;
    int32_t code = wci_image_lookup(store, name, &record, out, err);
    wci_image_record_free(record);
    if (!code && !*out)
        code = wci_err(err, WC_E_INVALID, "image '%s': is not a name; say where to push it", name);
    return code;
}

int32_t wci_image_push(wc_call *call, wci_store *store, const char *name, const char *target,
                       const wci_transfer *transfer, wc_error **err)
{
    const wci_transfer out = outward(transfer);
    wci_place place = WCI_PLACE_INIT;
    char *own = NULL;
    int32_t code = target ? WC_OK : own_target(store, name, &own, err);
    if (!code)
        code = wci_place_parse(own ? own : target, &place, err);
    if (!code && place.kind != WCI_PLACE_REGISTRY)
        code = wci_err(err, WC_E_INVALID, "'%s': is no registry; use copy or save for other places", target);
    if (!code)
        code = save_to(call, store, &name, 1, &place, &out, err);
    const char *to = own ? own : target;
    if (code)
        code = to ? wci_err_wrap(err, code, "image '%s': cannot be pushed to '%s'", name, to)
                  : wci_err_wrap(err, code, "image '%s': cannot be pushed", name);
    wci_place_free(&place);
    wci_free(own);
    return code;
}

/* ---- Between places ----------------------------------------------------------------------------- */

/* What names us to one registry is not for another. */
static wci_registry_config target_config(const wci_transfer *transfer, const wci_place *from)
{
    wci_registry_config config = transfer->registry;
    if (from->kind == WCI_PLACE_REGISTRY || transfer->target_username) {
        config.username = transfer->target_username;
        config.password = transfer->target_password;
    }
    if (from->kind == WCI_PLACE_REGISTRY || transfer->target_cert_dir) {
        config.client_cert = config.client_key = NULL;
        config.cert_dir = transfer->target_cert_dir;
    }
    return config;
}

/* Within one registry blobs are mounted instead of sent. */
static int32_t set_near(wci_outlet *outlet, const wci_place *from, const wci_place *to, wc_error **err)
{
    wci_reference a = WCI_REFERENCE_INIT, b = WCI_REFERENCE_INIT;
    if (from->kind != WCI_PLACE_REGISTRY || to->kind != WCI_PLACE_REGISTRY)
        return WC_OK;
    int32_t code = wci_reference_parse(from->ref, &a, err);
    if (!code)
        code = wci_reference_parse(to->ref, &b, err);
    if (!code && !strcmp(a.host, b.host) && strcmp(a.repository, b.repository) &&
        wci_replace(&outlet->near, a.repository))
        code = wci_err_nomem(err);
    wci_reference_free(&a);
    wci_reference_free(&b);
    return code;
}

static int32_t copy_between(wc_call *call, wci_store *store, const wci_place *from,
                            const wci_place *to, const wci_transfer *transfer, wc_error **err)
{
    const wci_strv no_names = WCI_STRV_INIT;
    wci_registry_config target = target_config(transfer, from);
    wci_origin *origin = NULL;
    wci_outlet *outlet = NULL;
    int32_t code = wci_origin_open(call, store, from, transfer, &origin, err);
    if (!code)
        code = wci_outlet_open(call, store, to, &target, transfer, &outlet, err);
    if (!code)
        code = set_near(outlet, from, to, err);
    const wci_ferry ferry = {call, store, origin, outlet, NULL};
    if (!code)
        code = wci_pass(&ferry, from, &no_names, transfer, err);
    if (!code)
        code = outlet->ops->finish(outlet, err);
    wci_outlet_close(outlet);
    wci_origin_close(origin);
    return code;
}

static int32_t report_manifest(wc_call *call, const wci_digest *manifest, wc_error **err)
{
    return wci_call_report(call, WC_PROGRESS_DONE, manifest->text, 0, -1, NULL, err);
}

/* Into the store: as a pull, under the name that was given. */
static int32_t copy_in(wc_call *call, wci_store *store, const wci_place *from, const char *name,
                       const wci_transfer *transfer, wc_error **err)
{
    wci_transfer named = *transfer;
    wci_image_record *record = NULL;
    named.names = (wci_strv)WCI_STRV_INIT;
    named.is_renamed = 1;
    int32_t code = wci_strv_copy(&named.names, &transfer->names) ||
                           wci_strv_add(&named.names, name)
                       ? wci_err_nomem(err)
                       : wci_image_pull(call, store, from, &named, &record, err);
    if (!code)
        code = report_manifest(call, &record->manifest, err);
    wci_strv_free(&named.names);
    wci_image_record_free(record);
    return code;
}

static int32_t tag(wci_store *store, const wci_image_record *image, const char *had, const char *name, wc_error **err)
{
    wci_digest index = {""};
    wci_index_of_name(image, had, &index);
    return wci_image_tag(store, &image->manifest, &index, name, err);
}

static int32_t retag(wc_call *call, wci_store *store, const char *from, const char *to, const wci_transfer *transfer,
                     wc_error **err)
{
    wci_image_record *record = NULL;
    char *had = NULL, *name = NULL;
    int32_t code = wci_image_lookup(store, from, &record, &had, err);
    if (!code)
        code = wci_name_normalise_tag(to, &name, err);
    if (!code && wci_transfer_is_of_index(transfer))
        code = wci_index_tag(call, store, record, had, name, transfer, err);
    else if (!code)
        code = tag(store, record, had, name, err);
    if (!code && !wci_transfer_is_of_index(transfer))
        code = report_manifest(call, &record->manifest, err);
    wci_free(had);
    wci_free(name);
    wci_image_record_free(record);
    return code;
}

int32_t wci_image_copy(wc_call *call, wci_store *store, const char *source, const char *target,
                       const wci_transfer *given, wc_error **err)
{
    const wci_transfer own = outward(given), *transfer = &own;
    const char *stored = wci_place_store_name(source), *wanted = wci_place_store_name(target);
    if (stored && wanted)
        return retag(call, store, stored, wanted, transfer, err);
    if (stored)
        return wci_image_save(call, store, &stored, 1, target, transfer, err);
    wci_place from = WCI_PLACE_INIT, to = WCI_PLACE_INIT;
    int32_t code = wci_place_parse(source, &from, err);
    if (!code && !wanted)
        code = wci_place_parse(target, &to, err);
    if (!code)
        code = wanted ? copy_in(call, store, &from, wanted, transfer, err)
                      : copy_between(call, store, &from, &to, transfer, err);
    wci_place_free(&from);
    wci_place_free(&to);
    return code ? wci_err_wrap(err, code, "image '%s': cannot be copied to '%s'", source, target)
                : WC_OK;
}
