/* SPDX-License-Identifier: Apache-2.0 */
/* Into what `docker load` reads: manifest.json, configs, and layers as plain tars. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/archive.h"
#include "image/outlet.h"
#include "image/reference.h"
#include "layer/layer.h"

#define CHUNK ((size_t)256 * 1024)

typedef struct docker_outlet {
    wci_outlet base; /* first */
    char *ref;
    wci_archive_writer *tar;
    json_t *manifest;     /* manifest.json */
    json_t *repositories; /* for readers older than manifest.json */
    wci_strv written;     /* member names */
} docker_outlet;

/* ---- Layers ------------------------------------------------------------------------------------- */

typedef struct extent_source {
    const wci_extent *extent;
    uint64_t at;
} extent_source;

static int32_t read_extent(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    extent_source *s = self;
    uint64_t left = s->extent->size - s->at;
    int32_t code = wci_fd_pread(s->extent->fd, data, left < size ? (size_t)left : size,
                                s->extent->offset + s->at, got, err);
    if (!code)
        s->at += *got;
    return code;
}

/* One pass over the plain bytes of a layer: hashed, counted, and written when there is a tar. */
typedef struct pass {
    wc_call *call;
    const wci_extent *from;
    wci_codec codec;
    char *buffer;
    wci_hasher *hasher;  /* may be NULL */
    wci_archive_writer *tar; /* may be NULL */
    uint64_t size;
} pass;

static int32_t take_bytes(pass *p, size_t size, wc_error **err)
{
    p->size += size;
    if (p->size > wci_limits_default.max_bytes)
        return wci_err(err, WC_E_LIMIT, "it unpacks to over %llu bytes",
                       (unsigned long long)wci_limits_default.max_bytes);
    if (p->hasher)
        wci_hasher_update(p->hasher, p->buffer, size);
    return p->tar ? wci_archive_writer_write(p->tar, p->buffer, size, err) : WC_OK;
}

static int32_t run_pass(pass *p, wc_error **err)
{
    extent_source from = {p->from, 0};
    const wci_source source = {read_extent, &from};
    wci_decoder *decoder = NULL;
    size_t got = 1;
    p->size = 0;
    int32_t code = wci_decoder_new(p->codec, &source, &decoder, err);
    while (!code && got) {
        code = wci_call_check(p->call, err);
        if (!code)
            code = wci_decoder_read(decoder, p->buffer, CHUNK, &got, err);
        if (!code && got)
            code = take_bytes(p, got, err);
    }
    wci_decoder_free(decoder);
    return code;
}

/* The size must be known before the bytes are written, hence the first pass; it also verifies. */
static int32_t measure(pass *p, const wci_digest *diff_id, wc_error **err)
{
    wci_digest digest = {{0}};
    int32_t code = wci_hasher_new(wci_digest_algo(diff_id), &p->hasher, err);
    if (!code)
        code = run_pass(p, err);
    if (!code)
        code = wci_hasher_final(p->hasher, &digest, err);
    wci_hasher_free(p->hasher);
    p->hasher = NULL;
    if (!code && !wci_digest_equal(&digest, diff_id))
        code = wci_err(err, WC_E_DIGEST, "it unpacks to '%s' instead of '%s'", digest.text,
                       diff_id->text);
    return code;
}

static int32_t write_layer(wc_call *call, docker_outlet *d, const wci_extent *from,
                           const wci_digest *diff_id, const char *name, wc_error **err)
{
    char head[8];
    size_t got = 0;
    pass p = {.call = call, .from = from, .buffer = wci_malloc(CHUNK)};
    int32_t code = p.buffer ? wci_fd_pread(from->fd, head,
                                           from->size < sizeof head ? (size_t)from->size
                                                                    : sizeof head,
                                           from->offset, &got, err)
                            : wci_err_nomem(err);
    p.codec = wci_codec_guess(head, got);
    if (!code)
        code = measure(&p, diff_id, err);
    if (!code)
        code = wci_archive_writer_begin(d->tar, name, p.size, err);
    p.tar = d->tar;
    if (!code)
        code = run_pass(&p, err);
    wci_free(p.buffer);
    return code;
}

static int32_t put_layer(wc_call *call, docker_outlet *d, wci_outgoing *image, size_t i,
                         const char *name, wc_error **err)
{
    const wci_descriptor *layer = &image->resolved->document->items[i];
    wci_extent from = WCI_EXTENT_NONE;
    if (wci_strv_contains(&d->written, name))
        return WC_OK;
    if (wci_strv_add(&d->written, name))
        return wci_err_nomem(err);
    int32_t code = wci_call_report(call, WC_PROGRESS_WRITE, layer->digest.text, 0, layer->size,
                                   NULL, err);
    if (!code)
        code = image->blobs.open(image->blobs.self, &layer->digest, &from, err);
    if (!code) {
        code = write_layer(call, d, &from, &image->config->diff_ids[i], name, err);
        wci_extent_close(&from);
    }
    if (code)
        return wci_err_wrap(err, code, "layer '%s': cannot be copied", layer->digest.text);
    return wci_call_report(call, WC_PROGRESS_DONE, layer->digest.text, layer->size, layer->size,
                           NULL, err);
}

static int32_t put_layers(wc_call *call, docker_outlet *d, wci_outgoing *image, json_t *names,
                          wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < image->resolved->document->count && !code; i++) {
        char *name = wci_asprintf("%s.tar", wci_digest_hex(&image->config->diff_ids[i]));
        if (!name || json_array_append_new(names, json_string(name)))
            code = wci_err_nomem(err);
        if (!code)
            code = put_layer(call, d, image, i, name, err);
        wci_free(name);
    }
    return code;
}

/* ---- Configs and names -------------------------------------------------------------------------- */

static int32_t write_tar(void *self, const void *data, size_t size, wc_error **err)
{
    return wci_archive_writer_write(self, data, size, err);
}

static int32_t put_config(wc_call *call, docker_outlet *d, wci_outgoing *image, const char *name,
                          wc_error **err)
{
    const wci_descriptor *config = &image->resolved->document->config;
    if (wci_strv_contains(&d->written, name))
        return WC_OK;
    if (wci_strv_add(&d->written, name))
        return wci_err_nomem(err);
    int32_t code = wci_archive_writer_begin(d->tar, name, (uint64_t)config->size, err);
    return code ? code : wci_blob_pass(call, &image->blobs, config, write_tar, d->tar, err);
}

/* "repositories": {"docker.io/library/alpine": {"3.19": "<the topmost layer>"}} */
static int add_repository(docker_outlet *d, const char *repository, const char *tag,
                          const char *top)
{
    json_t *tags = json_object_get(d->repositories, repository);
    if (!tags) {
        tags = json_object();
        if (json_object_set_new(d->repositories, repository, tags))
            return WC_E_NOMEM;
    }
    return json_object_set_new(tags, tag, json_string(top)) ? WC_E_NOMEM : WC_OK;
}

/* Whole names, which no reader takes for another registry's. Those with digests are left out, since
 * no reader takes them. */
static int32_t add_name(docker_outlet *d, const char *name, const char *top, json_t *tags,
                        wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(name, &ref, err);
    if (code)
        return code;
    if (!wci_digest_is_set(&ref.digest)) {
        const char *tag = ref.tag ? ref.tag : "latest";
        wci_reference bare = {ref.host, ref.repository, (char *)tag, {""}};
        char *whole = wci_reference_format(&bare);
        char *repository = wci_asprintf("%s/%s", ref.host, ref.repository);
        if (!whole || !repository || json_array_append_new(tags, json_string(whole)) ||
            (top && add_repository(d, repository, tag, top)))
            code = wci_err_nomem(err);
        wci_free(repository);
        wci_free(whole);
    }
    wci_reference_free(&ref);
    return code;
}

static int32_t add_names(docker_outlet *d, const wci_outgoing *image, json_t *tags,
                         wc_error **err)
{
    size_t layers = image->config->diff_id_count;
    const char *top = layers ? wci_digest_hex(&image->config->diff_ids[layers - 1]) : NULL;
    if (d->ref)
        return add_name(d, d->ref, top, tags, err);
    int32_t code = WC_OK;
    for (size_t i = 0; i < image->names->count && !code; i++)
        code = add_name(d, image->names->items[i], top, tags, err);
    return code;
}

static int32_t put(wc_call *call, wci_outlet *outlet, wci_outgoing *image, wc_error **err)
{
    docker_outlet *d = (docker_outlet *)outlet;
    char *config =
        wci_asprintf("%s.json", wci_digest_hex(&image->resolved->document->config.digest));
    json_t *tags = json_array(), *layers = json_array();
    int32_t code = config && tags && layers ? put_config(call, d, image, config, err)
                                            : wci_err_nomem(err);
    if (!code)
        code = put_layers(call, d, image, layers, err);
    if (!code)
        code = add_names(d, image, tags, err);
    if (!code && json_array_append_new(d->manifest, json_pack("{s:s,s:O,s:O}", "Config", config,
                                                              "RepoTags", tags, "Layers", layers)))
        code = wci_err_nomem(err);
    json_decref(tags);
    json_decref(layers);
    wci_free(config);
    return code;
}

/* ---- The archive -------------------------------------------------------------------------------- */

static int32_t put_json(docker_outlet *d, const char *name, json_t *value, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_json_dump(value, &bytes, err);
    if (!code)
        code = wci_archive_writer_put(d->tar, name, wc_buf_data(bytes), wc_buf_size(bytes), err);
    wc_buf_unref(bytes);
    return code;
}

static int32_t finish(wci_outlet *outlet, wc_error **err)
{
    docker_outlet *d = (docker_outlet *)outlet;
    int32_t code = put_json(d, "manifest.json", d->manifest, err);
    if (!code)
        code = put_json(d, "repositories", d->repositories, err);
    return code ? code : wci_archive_writer_finish(d->tar, err);
}

static void close_docker(wci_outlet *outlet)
{
    docker_outlet *d = (docker_outlet *)outlet;
    wci_archive_writer_close(d->tar);
    json_decref(d->manifest);
    json_decref(d->repositories);
    wci_strv_free(&d->written);
    wci_free(d->ref);
    wci_free(d);
}

static const wci_outlet_ops docker_ops = {NULL, put, NULL, NULL, finish, close_docker, NULL};

int32_t wci_outlet_open_docker(const wci_place *place, wci_outlet **out, wc_error **err)
{
    docker_outlet *d = wci_calloc(1, sizeof *d);
    if (!d)
        return wci_err_nomem(err);
    d->base.ops = &docker_ops;
    d->base.takes_tars = 1;
    d->manifest = json_array();
    d->repositories = json_object();
    int32_t code = !d->manifest || !d->repositories ||
                           (place->ref && wci_replace(&d->ref, place->ref))
                       ? wci_err_nomem(err)
                       : wci_archive_writer_open(place->path, &d->tar, err);
    if (code) {
        close_docker(&d->base);
        return wci_err_wrap(err, code, "archive '%s': cannot be written", place->path);
    }
    *out = &d->base;
    return WC_OK;
}
