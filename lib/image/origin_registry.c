/* SPDX-License-Identifier: Apache-2.0 */
/* From a registry, or from one of its mirrors: whoever has the manifest is asked for the blobs, too, and what it
 * lacks comes from the next one. */
#include "core/alloc.h"
#include "core/error.h"
#include "image/origin.h"
#include "image/ways.h"

typedef struct registry_origin {
    wci_origin base; /* first */
    wci_ways ways;
    wci_raw root; /* fetched while the name was found out */
} registry_origin;

/* ---- Manifests ------------------------------------------------------------------------------------ */

static int32_t fetch_manifest(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    wci_raw *out = arg;
    return wci_remote_manifest(call, remote, target, &out->body, &out->media_type, &out->digest, err);
}

static int32_t root(wc_call *call, wci_origin *origin, size_t image, wci_raw *out, wc_error **err)
{
    (void)image;
    registry_origin *r = (registry_origin *)origin;
    if (r->root.body) {
        *out = r->root;
        r->root = (wci_raw)WCI_RAW_INIT;
        return WC_OK;
    }
    return wci_ways_try(call, &r->ways, fetch_manifest, out, err);
}

typedef struct wanted {
    const char *digest;
    wc_buf **out;
} wanted;

static int32_t fetch_by_digest(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    const wanted *w = arg;
    char *media_type = NULL;
    wci_digest digest;
    (void)target;
    int32_t code = wci_remote_manifest(call, remote, w->digest, w->out, &media_type, &digest, err);
    wci_free(media_type);
    return code;
}

static int32_t manifest(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                        wc_buf **out, wc_error **err)
{
    registry_origin *r = (registry_origin *)origin;
    wanted w = {descriptor->digest.text, out};
    return wci_ways_try(call, &r->ways, fetch_by_digest, &w, err);
}

/* ---- What belongs to an image ---------------------------------------------------------------------- */

typedef struct look {
    const char *tag;           /* or: */
    const wci_digest *subject;
    wci_raw *raw;
    wc_buf **index;
} look;

static int32_t fetch_tagged(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    const look *l = arg;
    (void)target;
    if (wci_remote_lacks_tag(remote, l->tag))
        return wci_err(err, WC_E_NOT_FOUND, "tag '%s': is not there", l->tag);
    return fetch_manifest(call, remote, l->tag, l->raw, err);
}

static int32_t learn_tags(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    (void)target, (void)arg, (void)err;
    wci_remote_learn_tags(call, remote);
    return WC_OK;
}

static void expect_tags(wc_call *call, wci_origin *origin)
{
    wci_ways_look(call, &((registry_origin *)origin)->ways, learn_tags, NULL, NULL);
}

static int32_t fetch_referrers(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err)
{
    const look *l = arg;
    (void)target;
    return wci_remote_referrers(call, remote, l->subject, l->index, err);
}

static int32_t tagged(wc_call *call, wci_origin *origin, const char *tag, wci_raw *out, wc_error **err)
{
    look l = {.tag = tag, .raw = out};
    return wci_ways_look(call, &((registry_origin *)origin)->ways, fetch_tagged, &l, err);
}

static int32_t referrers(wc_call *call, wci_origin *origin, const wci_digest *subject, wc_buf **out, wc_error **err)
{
    look l = {.subject = subject, .index = out};
    return wci_ways_look(call, &((registry_origin *)origin)->ways, fetch_referrers, &l, err);
}

/* ---- Blobs ---------------------------------------------------------------------------------------- */

/* All the blobs of one call, and what stands between each and its taker. */
typedef struct relays {
    struct relay *items;
    wci_fetch **left; /* those that are not there yet */
    size_t count;
    int is_ours;    /* the failure is not that of the server */
    int is_useless; /* a server that failed altogether, not over a blob */
    int32_t (*tick)(uintptr_t payload, wc_error **err);
    uintptr_t payload;
} relays;

typedef struct relay {
    wci_fetch fetch; /* first */
    relays *all;
    wci_fetch *to;
    int is_told;     /* of its end */
    int is_bad;      /* its bytes were not the ones that were promised */
} relay;

static int32_t judge(relays *all, int32_t code)
{
    all->is_ours |= code && code != WC_E_DIGEST && code != WC_E_FORMAT;
    return code;
}

static uint64_t relay_offset(wci_fetch *fetch)
{
    wci_fetch *to = ((relay *)fetch)->to;
    return to->offset(to);
}

static int32_t relay_restart(wci_fetch *fetch, wc_error **err)
{
    const relay *r = (const relay *)fetch;
    return judge(r->all, r->to->restart(r->to, err));
}

static int32_t relay_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    relay *r = (relay *)fetch;
    int32_t code = judge(r->all, r->to->write(r->to, data, size, err));
    r->is_bad |= code != WC_OK;
    return code;
}

/* That a blob was given up is told when it is known that nobody else has it. */
static int32_t relay_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    relay *r = (relay *)fetch;
    if (why)
        return WC_OK;
    int32_t code = judge(r->all, r->to->done(r->to, NULL, err));
    r->is_told = 1;
    r->is_bad = code != WC_OK;
    return code;
}

static int32_t relay_tick(uintptr_t payload, wc_error **err)
{
    relays *all = (relays *)payload;
    int32_t code = all->tick(all->payload, err);
    all->is_ours |= code != WC_OK;
    return code;
}

static void give_up(relays *all, const wc_error *why)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].is_told)
            all->items[i].to->done(all->items[i].to, why, NULL);
}

/* Those that are not there yet; what came of them was perhaps not theirs. */
static int32_t list_left(relays *all, size_t *count, wc_error **err)
{
    int32_t code = WC_OK;
    *count = 0;
    for (size_t i = 0; i < all->count && !code; i++) {
        relay *r = &all->items[i];
        if (r->is_told && !r->is_bad)
            continue;
        if (r->is_bad)
            code = r->to->restart(r->to, err);
        r->is_told = r->is_bad = 0;
        all->left[(*count)++] = &r->fetch;
    }
    return code;
}

static int32_t fetch_left(wc_call *call, wci_ways *ways, relays *all, wc_error **err)
{
    wci_remote *remote = NULL;
    size_t count = 0;
    int32_t code = list_left(all, &count, err);
    all->is_ours = code != WC_OK;
    if (!code)
        code = wci_ways_remote(call, ways, &remote, err);
    return code ? code
                : wci_remote_fetch(call, remote, all->left, count, all->tick ? relay_tick : NULL, (uintptr_t)all, err);
}

static int32_t fetch_all(wc_call *call, wci_ways *ways, relays *all, wc_error **err)
{
    for (;;) {
        wc_error *why = NULL;
        int32_t code = fetch_left(call, ways, all, &why);
        if (!code)
            return WC_OK;
        all->is_useless |= code != WC_E_NOT_FOUND && code != WC_E_DIGEST && code != WC_E_UNSUPPORTED;
        if (!all->is_ours && wci_ways_next(call, ways, &why))
            continue;
        if (!why)
            wci_err(&why, code, "fetching blobs: ended");
        give_up(all, why);
        wci_err_move(err, why);
        return wci_ways_error(ways, code, err);
    }
}

static int32_t fetch(wc_call *call, wci_origin *origin, wci_fetch **fetches, size_t count,
                     int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                     wc_error **err)
{
    registry_origin *r = (registry_origin *)origin;
    relays all = {.count = count, .tick = tick, .payload = payload};
    all.items = wci_calloc(count + 1, sizeof *all.items);
    all.left = wci_calloc(count + 1, sizeof *all.left);
    for (size_t i = 0; all.items && i < count; i++) {
        all.items[i] = (relay){.fetch = *fetches[i], .all = &all, .to = fetches[i]};
        all.items[i].fetch.offset = relay_offset;
        all.items[i].fetch.restart = relay_restart;
        all.items[i].fetch.write = relay_write;
        all.items[i].fetch.done = relay_done;
    }
    size_t present = r->ways.at;
    int32_t code = all.items && all.left ? fetch_all(call, &r->ways, &all, err) : wci_err_nomem(err);
    /* Who lacked one blob may well have the next. */
    if (!all.is_useless)
        r->ways.at = present;
    wci_free(all.items);
    wci_free(all.left);
    return code;
}

/* ---- Life ----------------------------------------------------------------------------------------- */

static void close_registry(wci_origin *origin)
{
    registry_origin *r = (registry_origin *)origin;
    wci_ways_free(&r->ways);
    wci_raw_clear(&r->root);
    wci_origin_clear(origin);
    wci_free(r);
}

static const wci_origin_ops registry_ops = {root, manifest, fetch, NULL, close_registry, tagged, referrers,
                                            expect_tags};

/* A short name that may stand for several: the first that exists is meant. */
static int32_t choose_name(wc_call *call, registry_origin *r, wc_error **err)
{
    if (r->ways.name_count == 1)
        return WC_OK;
    int32_t code = wci_ways_try(call, &r->ways, fetch_manifest, &r->root, err);
    if (!code)
        wci_ways_settle(&r->ways);
    return code;
}

static int32_t open_registry(wc_call *call, const wci_place *place, const wci_transfer *transfer, int is_named,
                             wci_origin **out, wc_error **err)
{
    registry_origin *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(err);
    r->base.ops = &registry_ops;
    r->base.kind = WCI_PLACE_REGISTRY;
    int32_t code = wci_origin_set_count(&r->base, 1, err);
    if (!code)
        code = is_named ? wci_ways_find_named(place, &transfer->registry, &r->ways, err)
                        : wci_ways_find(place, &transfer->registry, &r->ways, err);
    if (!code)
        code = choose_name(call, r, err);
    if (!code && wci_strv_add_take(&r->base.names[0], wci_reference_format(wci_ways_present(&r->ways)->name)))
        code = wci_err_nomem(err);
    if (code) {
        close_registry(&r->base);
        return code;
    }
    *out = &r->base;
    return WC_OK;
}

int32_t wci_origin_open_registry(wc_call *call, const wci_place *place,
                                 const wci_transfer *transfer, wci_origin **out, wc_error **err)
{
    return open_registry(call, place, transfer, 0, out, err);
}

int32_t wci_origin_open_named(wc_call *call, const wci_place *place, const wci_transfer *transfer, wci_origin **out,
                              wc_error **err)
{
    return open_registry(call, place, transfer, 1, out, err);
}
