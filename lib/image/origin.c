/* SPDX-License-Identifier: Apache-2.0 */
#include "image/origin.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/archive.h"
#include "image/members.h"
#include "registry/docker_engine.h"

#define CHUNK ((size_t)256 * 1024)

void wci_extent_close(wci_extent *extent)
{
    if (extent->is_owned)
        wci_fd_close(extent->fd);
    *extent = (wci_extent)WCI_EXTENT_NONE;
}

int32_t wci_extent_read(const wci_extent *extent, size_t max, const char *what, wc_buf **out,
                        wc_error **err)
{
    if (extent->size > max)
        return wci_err(err, WC_E_LIMIT, "%s: %llu bytes; at most %zu are accepted", what,
                       (unsigned long long)extent->size, max);
    wci_str bytes = WCI_STR_INIT;
    size_t size = (size_t)extent->size, got = 0;
    char *to = wci_str_reserve(&bytes, size);
    if (!to)
        return wci_err_nomem(err);
    int32_t code = wci_fd_pread(extent->fd, to, size, extent->offset, &got, err);
    if (!code && got != size)
        code = wci_err(err, WC_E_FORMAT, "%s: it ends after %zu of %zu bytes", what, got, size);
    if (code) {
        wci_str_free(&bytes);
        return code;
    }
    wci_str_added(&bytes, size);
    return wci_str_to_buf(&bytes, out, err);
}

void wci_raw_clear(wci_raw *raw)
{
    wc_buf_unref(raw->body);
    wci_free(raw->media_type);
    *raw = (wci_raw)WCI_RAW_INIT;
}

int32_t wci_raw_copy(const wci_raw *raw, wci_raw *out, wc_error **err)
{
    char *type = raw->media_type ? wci_strdup(raw->media_type) : NULL;
    if (raw->media_type && !type)
        return wci_err_nomem(err);
    *out = (wci_raw){wc_buf_ref(raw->body), type, raw->digest};
    return WC_OK;
}

/* ---- The common head ---------------------------------------------------------------------------- */

int32_t wci_origin_set_count(wci_origin *origin, size_t count, wc_error **err)
{
    wci_strv *names = wci_calloc(count ? count : 1, sizeof *names);
    if (!names)
        return wci_err_nomem(err);
    origin->names = names;
    origin->image_count = count;
    return WC_OK;
}

void wci_origin_clear(wci_origin *origin)
{
    for (size_t i = 0; origin->names && i < origin->image_count; i++)
        wci_strv_free(&origin->names[i]);
    wci_free(origin->names);
    origin->names = NULL;
}

void wci_origin_list_names(const wci_origin *origin, wci_str *out)
{
    const size_t shown_max = 20;
    size_t shown = 0;
    for (size_t i = 0; i < origin->image_count; i++) {
        for (size_t k = 0; k < origin->names[i].count; k++) {
            char name[WCI_SHOWN_SIZE];
            if (shown++ == shown_max) {
                wci_str_append(out, " …");
                return;
            }
            wci_show(origin->names[i].items[k], name);
            wci_str_printf(out, "%s'%s'", shown > 1 ? ", " : "", name);
        }
    }
    if (!shown)
        wci_str_append(out, "none that has a name");
}

void wci_origin_close(wci_origin *origin)
{
    if (origin)
        origin->ops->close(origin);
}

static int32_t open_layout(wc_call *call, const wci_place *place, int all, wci_origin **out, wc_error **err)
{
    wci_members members = WCI_MEMBERS_NONE;
    int32_t code = wci_members_open_dir(place->path, &members, err);
    if (code)
        return wci_err_wrap(err, code, "layout '%s': cannot be opened", place->path);
    return wci_origin_open_layout(call, &members, place, all, out, err);
}

static int32_t open_tar(wc_call *call, wci_store *store, const char *path, wci_members *out,
                        wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    int32_t code = wci_archive_open(call, store, path, &fd, err);
    if (code)
        return code;
    code = wci_members_open_tar(call, fd, out, err);
    return code ? wci_err_wrap(err, code, "archive '%s': cannot be read", path) : WC_OK;
}

/* What the engine has is saved into a scratch file first: its blobs are wanted in any order. */
static int32_t open_daemon(wc_call *call, wci_store *store, const wci_place *place, wci_origin **out, wc_error **err)
{
    wci_members members = WCI_MEMBERS_NONE;
    wci_docker_engine *engine = NULL;
    wci_fd fd = WCI_FD_NONE;
    int32_t code = wci_docker_engine_open(call, &engine, err);
    if (!code)
        code = wci_archive_scratch(store, &fd, err);
    if (!code)
        code = wci_docker_engine_save(call, engine, place->ref, fd, err);
    wci_docker_engine_close(engine);
    if (code) {
        wci_fd_close(fd);
        return code;
    }
    code = wci_members_open_tar(call, fd, &members, err);
    return code ? code : wci_origin_open_docker(&members, place, 0, out, err);
}

static int32_t open_place(wc_call *call, wci_store *store, const wci_place *place, const wci_transfer *transfer,
                          wci_origin **out, wc_error **err)
{
    wci_members members = WCI_MEMBERS_NONE;
    if (place->kind == WCI_PLACE_DOCKER_DAEMON)
        return open_daemon(call, store, place, out, err);
    if (place->kind == WCI_PLACE_REGISTRY)
        return wci_origin_open_registry(call, place, transfer, out, err);
    if (place->kind == WCI_PLACE_OCI)
        return open_layout(call, place, 0, out, err);
    int32_t code = open_tar(call, store, place->path, &members, err);
    if (code)
        return code;
    return place->kind == WCI_PLACE_OCI_ARCHIVE
               ? wci_origin_open_layout(call, &members, place, 0, out, err)
               : wci_origin_open_docker(&members, place, 0, out, err);
}

int32_t wci_origin_open(wc_call *call, wci_store *store, const wci_place *place,
                        const wci_transfer *transfer, wci_origin **out, wc_error **err)
{
    int32_t code = open_place(call, store, place, transfer, out, err);
    if (!code) {
        (*out)->kind = place->kind;
        (*out)->places = &transfer->registry;
    }
    return code;
}

/* Present-day `docker save` writes both formats into one file. The layout has the true manifests. */
int32_t wci_origin_open_archive(wc_call *call, wci_store *store, const char *path, const wci_transfer *transfer,
                                wci_origin **out, wc_error **err)
{
    wci_members members = WCI_MEMBERS_NONE;
    wci_extent index = WCI_EXTENT_NONE;
    wci_place place = {.kind = WCI_PLACE_OCI_ARCHIVE, .path = (char *)path};
    int32_t code = open_tar(call, store, path, &members, err);
    if (code)
        return code;
    int is_layout = !wci_members_find(&members, "index.json", &index, NULL);
    wci_extent_close(&index);
    code = is_layout ? wci_origin_open_layout(call, &members, &place, 1, out, err)
                     : wci_origin_open_docker(&members, &place, 1, out, err);
    if (!code) {
        (*out)->kind = is_layout ? WCI_PLACE_OCI_ARCHIVE : WCI_PLACE_DOCKER_ARCHIVE;
        (*out)->places = &transfer->registry;
    }
    return code;
}

/* ---- Blobs of local files ----------------------------------------------------------------------- */

typedef struct copier {
    wc_call *call;
    wci_origin *origin;
    char *buffer;
    int32_t (*tick)(uintptr_t payload, wc_error **err);
    uintptr_t payload;
} copier;

static int32_t copy_extent(const copier *c, wci_fetch *fetch, const wci_extent *from,
                           wc_error **err)
{
    uint64_t at = fetch->offset(fetch);
    while (at < from->size) {
        size_t want = from->size - at < CHUNK ? (size_t)(from->size - at) : CHUNK, got = 0;
        int32_t code = wci_fd_pread(from->fd, c->buffer, want, from->offset + at, &got, err);
        if (!code && got != want)
            code = wci_err(err, WC_E_FORMAT, "blob '%s': its file ends too early",
                           fetch->digest.text);
        if (!code)
            code = fetch->write(fetch, c->buffer, got, err);
        if (!code)
            code = wci_call_check(c->call, err);
        if (!code && c->tick)
            code = c->tick(c->payload, err);
        if (code)
            return code;
        at += got;
    }
    return WC_OK;
}

static int32_t check_extent(const wci_fetch *fetch, const wci_extent *extent, wc_error **err)
{
    if (fetch->size < 0 || (uint64_t)fetch->size == extent->size)
        return WC_OK;
    return wci_err(err, WC_E_DIGEST, "blob '%s': it has %llu bytes instead of %lld",
                   fetch->digest.text, (unsigned long long)extent->size, (long long)fetch->size);
}

/* Layers that may not be distributed are left out of layouts, and are where their URLs say. */
static int32_t fetch_elsewhere(const copier *c, wci_fetch *fetch, wc_error **err)
{
    wci_remote *remote = NULL;
    int32_t code = wci_remote_open_places(c->call, c->origin->places, &remote, err);
    if (!code)
        code = wci_remote_fetch(c->call, remote, &fetch, 1, c->tick, c->payload, err);
    wci_remote_close(remote);
    return code;
}

static int32_t copy_blob(const copier *c, wci_fetch *fetch, wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    wc_error *why = NULL;
    int32_t code = c->origin->ops->open_blob(c->origin, &fetch->digest, &extent, &why);
    if (code == WC_E_NOT_FOUND && fetch->urls && c->origin->places) {
        wci_err_clear(&why);
        return fetch_elsewhere(c, fetch, err);
    }
    if (!code)
        code = check_extent(fetch, &extent, &why);
    int was_partial = !code && fetch->offset(fetch) > 0;
    if (!code)
        code = copy_extent(c, fetch, &extent, &why);
    if (code) {
        wci_extent_close(&extent);
        fetch->done(fetch, why, NULL);
        return why ? wci_err_move(err, why) : code;
    }
    code = fetch->done(fetch, NULL, &why);
    if (code == WC_E_DIGEST && was_partial) {
        /* The fault may lie with what an earlier attempt left. */
        wci_err_clear(&why);
        code = fetch->restart(fetch, &why);
        if (!code)
            code = copy_extent(c, fetch, &extent, &why);
        if (!code)
            code = fetch->done(fetch, NULL, &why);
    }
    wci_extent_close(&extent);
    return code ? wci_err_move(err, why) : WC_OK;
}

static int32_t fetch_local(copier *c, wci_fetch **fetches, size_t count, wc_error **err)
{
    c->buffer = wci_malloc(CHUNK);
    int32_t code = c->buffer ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++)
        code = copy_blob(c, fetches[i], err);
    wci_free(c->buffer);
    return code;
}

int32_t wci_origin_fetch(wc_call *call, wci_origin *origin, wci_fetch **fetches, size_t count,
                         int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload,
                         wc_error **err)
{
    if (origin->ops->fetch)
        return origin->ops->fetch(call, origin, fetches, count, tick, payload, err);
    copier c = {call, origin, NULL, tick, payload};
    return fetch_local(&c, fetches, count, err);
}

/* ---- Small documents ---------------------------------------------------------------------------- */

typedef struct memory_fetch {
    wci_fetch fetch; /* first */
    wci_str bytes;
    size_t max;
} memory_fetch;

static uint64_t memory_offset(wci_fetch *fetch)
{
    return ((memory_fetch *)fetch)->bytes.size;
}

static int32_t memory_restart(wci_fetch *fetch, wc_error **err)
{
    (void)err;
    wci_str_clear(&((memory_fetch *)fetch)->bytes);
    return WC_OK;
}

static int32_t memory_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    memory_fetch *m = (memory_fetch *)fetch;
    if (size > m->max - m->bytes.size)
        return wci_err(err, WC_E_LIMIT, "blob '%s': over %zu bytes; so much is not accepted here",
                       fetch->digest.text, m->max);
    wci_str_append_n(&m->bytes, data, size);
    return m->bytes.failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t memory_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    const memory_fetch *m = (const memory_fetch *)fetch;
    if (why)
        return WC_OK;
    wci_descriptor promised = {.digest = fetch->digest, .size = fetch->size};
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "blob", &fetch->digest);
    return wci_document_verify(m->bytes.data ? m->bytes.data : "", m->bytes.size, &promised, what,
                               err);
}

int32_t wci_origin_read(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                        size_t max, wc_buf **out, wc_error **err)
{
    if (descriptor->size > 0 && (uint64_t)descriptor->size > max)
        return wci_err(err, WC_E_LIMIT, "blob '%s': %lld bytes; at most %zu are accepted here",
                       descriptor->digest.text, (long long)descriptor->size, max);
    memory_fetch m = {
        .fetch = {.digest = descriptor->digest, .size = descriptor->size, .urls = NULL,
                  .offset = memory_offset, .restart = memory_restart, .write = memory_write,
                  .done = memory_done, .payload = 0},
        .bytes = WCI_STR_INIT,
        .max = max,
    };
    wci_fetch *fetches[] = {&m.fetch};
    int32_t code = wci_origin_fetch(call, origin, fetches, 1, NULL, 0, err);
    if (code) {
        wci_str_free(&m.bytes);
        return code;
    }
    return wci_str_to_buf(&m.bytes, out, err);
}

int32_t wci_origin_document(wc_call *call, wci_store *store, wci_origin *origin, const wci_descriptor *descriptor,
                            wc_buf **out, wc_error **err)
{
    if (store && !wci_blob_read(store, &descriptor->digest, WCI_MANIFEST_MAX, out, NULL))
        return WC_OK;
    return wci_origin_manifest(call, origin, descriptor, out, err);
}

int32_t wci_origin_manifest(wc_call *call, wci_origin *origin, const wci_descriptor *descriptor,
                            wc_buf **out, wc_error **err)
{
    if (!origin->ops->manifest)
        return wci_origin_read(call, origin, descriptor, WCI_MANIFEST_MAX, out, err);
    wc_buf *body = NULL;
    int32_t code = origin->ops->manifest(call, origin, descriptor, &body, err);
    if (code)
        return code;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &descriptor->digest);
    code = wci_document_verify(wc_buf_data(body), wc_buf_size(body), descriptor, what, err);
    if (code)
        wc_buf_unref(body);
    else
        *out = body;
    return code;
}
