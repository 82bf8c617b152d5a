/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/archive.h"
#include "image/drop.h"
#include "image/names.h"
#include "image/outlet.h"
#include "image/pull.h"
#include "image/trust/trust.h"
#include "platform/tree.h"

#define STORE_PREFIX "wc-store:"

/* A blob of a registry, kept for as long as the copy takes. */
typedef struct staged {
    struct passage *owner;
    const wci_descriptor *descriptor;
    wci_fetch fetch;
    wci_berth berth;
    int is_owned; /* the descriptor is of a scratch file of our own */
    uint64_t size;
    wci_hasher *hasher;
} staged;

/* One image on its way from an origin to an outlet. */
typedef struct passage {
    wc_call *call;
    wci_store *store;
    wci_origin *origin;
    wci_outlet *outlet;
    const wci_transfer *transfer;
    wci_resolved resolved;
    wci_image_config *config;
    staged *staged;
    size_t staged_count;
    int64_t reported_ns;
} passage;

/* ---- Staging what comes from a registry --------------------------------------------------------- */

static staged *staged_of(wci_fetch *fetch)
{
    return (staged *)fetch->payload;
}

static uint64_t staged_offset(wci_fetch *fetch)
{
    return staged_of(fetch)->size;
}

static int32_t staged_restart(wci_fetch *fetch, wc_error **err)
{
    staged *s = staged_of(fetch);
    wci_hasher_free(s->hasher);
    s->hasher = NULL;
    s->size = 0;
    return wci_hasher_new(wci_digest_algo(&fetch->digest), &s->hasher, err);
}

static int32_t staged_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    staged *s = staged_of(fetch);
    if (size > (uint64_t)fetch->size - s->size) /* what lies behind it may be another blob's */
        return wci_err(err, WC_E_DIGEST, "blob '%s': more than its %lld bytes come", fetch->digest.text,
                       (long long)fetch->size);
    int32_t code = wci_tree_file_write_at(s->berth.fd, data, size, s->berth.offset + s->size, err);
    wci_hasher_update(s->hasher, data, size);
    s->size += size;
    return code;
}

static int32_t staged_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    staged *s = staged_of(fetch);
    wci_digest digest = {{0}};
    if (why)
        return WC_OK;
    int32_t code = wci_hasher_final(s->hasher, &digest, err);
    if (!code && !wci_digest_equal(&digest, &fetch->digest))
        code = wci_err(err, WC_E_DIGEST, "blob '%s': the bytes have the digest '%s'",
                       fetch->digest.text, digest.text);
    return code;
}

static int32_t add_staged(passage *p, const wci_descriptor *d, wc_error **err)
{
    for (size_t i = 0; i < p->staged_count; i++)
        if (wci_digest_equal(&p->staged[i].descriptor->digest, &d->digest))
            return WC_OK;
    if (p->outlet->ops->has(p->outlet, d))
        return WC_OK;
    staged *s = &p->staged[p->staged_count];
    *s = (staged){.owner = p, .descriptor = d, .berth = {WCI_FD_NONE, 0}};
    s->fetch = (wci_fetch){.digest = d->digest, .size = d->size,
                           .urls = d->urls.count ? &d->urls : NULL, .offset = staged_offset,
                           .restart = staged_restart, .write = staged_write, .done = staged_done,
                           .payload = (uintptr_t)s};
    p->staged_count++;
    s->is_owned = !p->outlet->ops->stage;
    int32_t code = s->is_owned ? wci_archive_scratch(p->store, &s->berth.fd, err)
                               : p->outlet->ops->stage(p->outlet, d, &s->berth, err);
    return code ? code : wci_hasher_new(wci_digest_algo(&d->digest), &s->hasher, err);
}

static int32_t tick(uintptr_t payload, wc_error **err)
{
    passage *p = (passage *)payload;
    int32_t code = wci_call_check(p->call, err);
    for (size_t i = 0; i < p->staged_count && !code; i++)
        code = wci_call_report(p->call, WC_PROGRESS_DOWNLOAD, p->staged[i].fetch.digest.text,
                               (int64_t)p->staged[i].size, p->staged[i].fetch.size, NULL, err);
    return code;
}

static int32_t stage(passage *p, wc_error **err)
{
    const wci_document *document = p->resolved.document;
    if (p->origin->ops->open_blob)
        return WC_OK;
    p->staged = wci_calloc(document->count + 1, sizeof *p->staged);
    wci_fetch **fetches = wci_calloc(document->count + 1, sizeof *fetches);
    int32_t code = p->staged && fetches ? add_staged(p, &document->config, err)
                                        : wci_err_nomem(err);
    for (size_t i = 0; i < document->count && !code; i++)
        code = add_staged(p, &document->items[i], err);
    for (size_t i = 0; i < p->staged_count && !code; i++)
        fetches[i] = &p->staged[i].fetch;
    if (!code && p->staged_count)
        code = wci_origin_fetch(p->call, p->origin, fetches, p->staged_count, tick, (uintptr_t)p,
                                err);
    wci_free(fetches);
    return code;
}

static int32_t open_blob(wci_outgoing *image, const wci_digest *digest, wci_extent *out,
                         wc_error **err)
{
    const passage *p = image->owner;
    if (p->origin->ops->open_blob)
        return p->origin->ops->open_blob(p->origin, digest, out, err);
    for (size_t i = 0; i < p->staged_count; i++) {
        if (wci_digest_equal(&p->staged[i].descriptor->digest, digest)) {
            *out = (wci_extent){p->staged[i].berth.fd, p->staged[i].berth.offset, p->staged[i].size, 0};
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_INTERNAL, "blob '%s': it was not fetched", digest->text);
}

/* ---- One image ---------------------------------------------------------------------------------- */

static int32_t read_config(passage *p, wc_error **err)
{
    const wci_descriptor *d = &p->resolved.document->config;
    wc_buf *bytes = NULL;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "config", &d->digest);
    int32_t code = wci_origin_read(p->call, p->origin, d, WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = wci_image_config_parse(wc_buf_data(bytes), wc_buf_size(bytes), what, &p->config, err);
    wc_buf_unref(bytes);
    return code ? code
                : wci_resolved_check_config(p->call, &p->resolved, p->config, p->transfer, err);
}

/* The last report of a copy: callers learn from it which manifest it was. */
static int32_t report_manifest(wc_call *call, const wci_digest *manifest, wc_error **err)
{
    return wci_call_report(call, WC_PROGRESS_DONE, manifest->text, 0, -1, NULL, err);
}

/* `from` is NULL for images of the store, which were judged when they came in. */
static int32_t pass_image(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *from,
                          const wci_strv *names, const wci_transfer *transfer,
                          wci_outlet *outlet, wc_error **err)
{
    passage p = {.call = call, .store = store, .origin = origin, .outlet = outlet,
                 .transfer = transfer, .resolved = WCI_RESOLVED_INIT};
    int32_t code = wci_resolve(call, store, origin, 0, transfer, &p.resolved, err);
    if (!code && from)
        code = wci_trust_check(call, store, origin, from, transfer, &p.resolved, err);
    if (!code)
        code = read_config(&p, err);
    if (!code)
        code = stage(&p, err);
    if (!code) {
        wci_outgoing image = {&p.resolved, p.config, names, open_blob, &p};
        code = outlet->ops->put(call, outlet, &image, err);
    }
    if (!code)
        code = report_manifest(call, &p.resolved.manifest.digest, err);
    for (size_t i = 0; i < p.staged_count; i++) {
        if (p.staged[i].is_owned)
            wci_fd_close(p.staged[i].berth.fd);
        wci_hasher_free(p.staged[i].hasher);
    }
    wci_free(p.staged);
    wci_image_config_free(p.config);
    wci_resolved_clear(&p.resolved);
    return code;
}

/* ---- Out of the store --------------------------------------------------------------------------- */

/* What was asked for: each image once, under the names that were used for it. */
typedef struct selection {
    wci_image_record *record;
    wci_strv names;
} selection;

static int32_t select_image(wci_store *store, const char *text, selection *list, size_t *count,
                            wc_error **err)
{
    wci_image_record *record = NULL;
    char *name = NULL;
    int32_t code = wci_image_lookup(store, text, &record, &name, err);
    if (code)
        return code;
    size_t i = 0;
    while (i < *count && !wci_digest_equal(&list[i].record->manifest, &record->manifest))
        i++;
    if (i < *count)
        wci_image_record_free(record);
    else
        list[(*count)++] = (selection){record, WCI_STRV_INIT};
    if (!name)
        return WC_OK;
    return wci_strv_add_take(&list[i].names, name) ? wci_err_nomem(err) : WC_OK;
}

static int32_t hold_image(wc_call *call, wci_hold *hold, const wci_image_record *record,
                          wc_error **err)
{
    int32_t code = wci_hold_add(call, hold, &record->manifest, err);
    if (!code)
        code = wci_hold_add(call, hold, &record->config, err);
    for (size_t i = 0; i < record->layer_count && !code; i++)
        code = wci_hold_add(call, hold, &record->layers[i].digest, err);
    return code;
}

static int32_t save_one(wc_call *call, wci_store *store, wci_hold *hold, const selection *chosen,
                        const wci_transfer *transfer, wci_outlet *outlet, wc_error **err)
{
    wci_origin *origin = NULL;
    int32_t code = hold_image(call, hold, chosen->record, err);
    if (!code)
        code = wci_image_restore_blobs(call, store, hold, chosen->record, transfer, err);
    if (!code)
        code = wci_origin_open_store(store, &chosen->record->manifest, &origin, err);
    if (!code)
        code = pass_image(call, store, origin, NULL, &chosen->names, transfer, outlet, err);
    wci_origin_close(origin);
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
        code = save_one(call, store, hold, &list[i], transfer, outlet, err);
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
        code = select_image(store, names[i], list, &selected, err);
    if (!code)
        code = save_selected(call, store, list, selected, place, transfer, err);
    for (size_t i = 0; i < selected; i++) {
        wci_image_record_free(list[i].record);
        wci_strv_free(&list[i].names);
    }
    wci_free(list);
    return code;
}

int32_t wci_image_save(wc_call *call, wci_store *store, const char *const *names, size_t count,
                       const char *target, const wci_transfer *transfer, wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    int32_t code = wci_place_parse(target, &place, err);
    if (code)
        return code;
    code = save_to(call, store, names, count, &place, transfer, err);
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
    wci_place place = WCI_PLACE_INIT;
    char *own = NULL;
    int32_t code = target ? WC_OK : own_target(store, name, &own, err);
    if (!code)
        code = wci_place_parse(own ? own : target, &place, err);
    if (!code && place.kind != WCI_PLACE_REGISTRY)
        code = wci_err(err, WC_E_INVALID, "'%s': is no registry; use copy or save for other places", target);
    if (!code)
        code = save_to(call, store, &name, 1, &place, transfer, err);
    if (code)
        code = wci_err_wrap(err, code, "image '%s': cannot be pushed to '%s'", name, own ? own : target ? target : "");
    wci_place_free(&place);
    wci_free(own);
    return code;
}

/* ---- Between places ----------------------------------------------------------------------------- */

/* One registry's credentials are never another's. */
static wci_registry_config target_config(const wci_transfer *transfer, const wci_place *from)
{
    wci_registry_config config = transfer->registry;
    if (from->kind == WCI_PLACE_REGISTRY || transfer->target_username) {
        config.username = transfer->target_username;
        config.password = transfer->target_password;
    }
    return config;
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
        code = pass_image(call, store, origin, from, &no_names, transfer, outlet, err);
    if (!code)
        code = outlet->ops->finish(outlet, err);
    wci_outlet_close(outlet);
    wci_origin_close(origin);
    return code;
}

/* Into the store: as a pull, under the name that was given. */
static int32_t copy_in(wc_call *call, wci_store *store, const wci_place *from, const char *name,
                       const wci_transfer *transfer, wc_error **err)
{
    wci_transfer named = *transfer;
    wci_image_record *record = NULL;
    named.names = (wci_strv)WCI_STRV_INIT;
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

static int32_t retag(wc_call *call, wci_store *store, const char *from, const char *to, wc_error **err)
{
    wci_image_record *record = NULL;
    char *name = NULL;
    int32_t code = wci_image_lookup(store, from, &record, NULL, err);
    if (!code)
        code = wci_name_normalise_tag(to, &name, err);
    if (!code)
        code = wci_image_tag(store, &record->manifest, name, err);
    if (!code)
        code = report_manifest(call, &record->manifest, err);
    wci_free(name);
    wci_image_record_free(record);
    return code;
}

int32_t wci_image_copy(wc_call *call, wci_store *store, const char *source, const char *target,
                       const wci_transfer *transfer, wc_error **err)
{
    const size_t prefix = strlen(STORE_PREFIX);
    int from_store = wci_starts_with(source, STORE_PREFIX);
    int to_store = wci_starts_with(target, STORE_PREFIX);
    if (from_store && to_store)
        return retag(call, store, source + prefix, target + prefix, err);
    if (from_store) {
        const char *name = source + prefix;
        return wci_image_save(call, store, &name, 1, target, transfer, err);
    }
    wci_place from = WCI_PLACE_INIT, to = WCI_PLACE_INIT;
    int32_t code = wci_place_parse(source, &from, err);
    if (!code && !to_store)
        code = wci_place_parse(target, &to, err);
    if (!code)
        code = to_store ? copy_in(call, store, &from, target + prefix, transfer, err)
                        : copy_between(call, store, &from, &to, transfer, err);
    wci_place_free(&from);
    wci_place_free(&to);
    return code ? wci_err_wrap(err, code, "image '%s': cannot be copied to '%s'", source, target)
                : WC_OK;
}
