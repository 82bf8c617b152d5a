/* SPDX-License-Identifier: Apache-2.0 */
/* What `docker save` writes: manifest.json names configs and layer tars. There is no OCI manifest in
 * it that we could rely on, so one is made, always the same for the same content. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/config.h"
#include "image/members.h"
#include "image/origin.h"
#include "image/reference.h"

#define CHUNK ((size_t)256 * 1024)
#define IMAGES_MAX 4096

static const char *const entry_keys[] = {"Config", "RepoTags", "Layers", NULL};

typedef struct entry {
    char *config;
    wci_strv layers;
} entry;

/* Something of the archive whose digest we know. */
typedef struct known_blob {
    wci_digest digest;
    wci_extent extent;
} known_blob;

typedef struct docker_origin {
    wci_origin base; /* first */
    char *path;
    wci_members members;
    entry *entries; /* of each image */
    known_blob *blobs;
    size_t blob_count, blob_cap;
} docker_origin;

static int32_t open_blob(wci_origin *origin, const wci_digest *digest, wci_extent *out,
                         wc_error **err)
{
    const docker_origin *d = (const docker_origin *)origin;
    for (size_t i = 0; i < d->blob_count; i++) {
        if (wci_digest_equal(&d->blobs[i].digest, digest)) {
            *out = d->blobs[i].extent;
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_NOT_FOUND, "archive '%s': blob '%s' is not in it", d->path,
                   digest->text);
}

static int32_t remember(docker_origin *d, const wci_digest *digest, const wci_extent *extent,
                        wc_error **err)
{
    if (!wci_grow(&d->blobs, &d->blob_cap, d->blob_count + 1, sizeof *d->blobs))
        return wci_err_nomem(err);
    d->blobs[d->blob_count++] = (known_blob){*digest, *extent};
    return WC_OK;
}

/* ---- The manifest ------------------------------------------------------------------------------- */

static json_t *descriptor(const char *media_type, const wci_digest *digest, uint64_t size)
{
    return json_pack("{s:s,s:s,s:I}", "mediaType", media_type, "digest", digest->text, "size",
                     (json_int_t)size);
}

static int32_t hash_extent(wc_call *call, const wci_extent *extent, wci_digest *out,
                           wc_error **err)
{
    wci_hasher *hasher = NULL;
    char *buffer = wci_malloc(CHUNK);
    int32_t code = buffer ? wci_hasher_new(WCI_SHA256, &hasher, err) : wci_err_nomem(err);
    for (uint64_t at = 0; !code && at < extent->size;) {
        size_t want = extent->size - at < CHUNK ? (size_t)(extent->size - at) : CHUNK, got = 0;
        code = wci_call_check(call, err);
        if (!code)
            code = wci_fd_pread(extent->fd, buffer, want, extent->offset + at, &got, err);
        if (!code && got != want)
            code = wci_err(err, WC_E_FORMAT, "the archive ends too early");
        if (!code)
            wci_hasher_update(hasher, buffer, got);
        at += got;
    }
    if (!code)
        code = wci_hasher_final(hasher, out, err);
    wci_hasher_free(hasher);
    wci_free(buffer);
    return code;
}

static const char *layer_type(wci_codec codec)
{
    switch (codec) {
    case WCI_CODEC_GZIP:
        return WCI_TYPE_OCI_LAYER "+gzip";
    case WCI_CODEC_ZSTD:
        return WCI_TYPE_OCI_LAYER "+zstd";
    case WCI_CODEC_NONE:
        break;
    }
    return WCI_TYPE_OCI_LAYER;
}

static int32_t find_named(const docker_origin *d, const char *name, const char *what,
                          wci_extent *out, wc_error **err)
{
    int32_t code = wci_members_find(&d->members, name, out, err);
    if (code != WC_E_NOT_FOUND)
        return code;
    char shown[WCI_SHOWN_SIZE];
    wci_show(name, shown);
    wci_err_clear(err);
    return wci_err(err, WC_E_FORMAT, "%s '%s': named in 'manifest.json' but not in the archive",
                   what, shown);
}

/* A plain tar's digest is its DiffID, which the config tells and which is verified on the way into
 * the store; only compressed layers must be read for it. */
static int32_t add_layer(wc_call *call, docker_origin *d, const char *name,
                         const wci_digest *diff_id, json_t *layers, wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    char head[8];
    size_t got = 0;
    int32_t code = find_named(d, name, "layer", &extent, err);
    if (!code)
        code = wci_fd_pread(extent.fd, head,
                            extent.size < sizeof head ? (size_t)extent.size : sizeof head,
                            extent.offset, &got, err);
    if (code)
        return code;
    wci_codec codec = wci_codec_guess(head, got);
    wci_digest digest = *diff_id;
    if (codec != WCI_CODEC_NONE)
        code = hash_extent(call, &extent, &digest, err);
    if (!code)
        code = remember(d, &digest, &extent, err);
    if (!code && json_array_append_new(layers, descriptor(layer_type(codec), &digest, extent.size)))
        code = wci_err_nomem(err);
    return code;
}

/* "<hex>.json" and "blobs/sha256/<hex>" promise what is in them. */
static int32_t check_config_name(const char *name, const wci_digest *digest, wc_error **err)
{
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    size_t hex = strspn(base, "0123456789abcdef");
    if (hex != 64 || (base[hex] && strcmp(base + hex, ".json")) ||
        !strncmp(base, wci_digest_hex(digest), hex))
        return WC_OK;
    return wci_err(err, WC_E_DIGEST, "config '%s': the bytes have the digest '%s'", name,
                   digest->text);
}

static int32_t read_config(docker_origin *d, const entry *e, wci_digest *digest, uint64_t *size,
                           wci_image_config **out, wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    wc_buf *bytes = NULL;
    int32_t code = find_named(d, e->config, "config", &extent, err);
    if (!code)
        code = wci_extent_read(&extent, WCI_CONFIG_MAX, "config", &bytes, err);
    if (!code)
        code = wci_digest_of(WCI_SHA256, wc_buf_data(bytes), wc_buf_size(bytes), digest, err);
    if (!code)
        code = check_config_name(e->config, digest, err);
    if (!code)
        code = remember(d, digest, &extent, err);
    if (!code)
        code = wci_image_config_parse(wc_buf_data(bytes), wc_buf_size(bytes), "config", out, err);
    wc_buf_unref(bytes);
    *size = extent.size;
    return code;
}

static int32_t make_layers(wc_call *call, docker_origin *d, const entry *e,
                           const wci_image_config *config, json_t *layers, wc_error **err)
{
    if (!layers)
        return wci_err_nomem(err);
    if (e->layers.count != config->diff_id_count)
        return wci_err(err, WC_E_FORMAT, "'manifest.json' names %zu layers, the config %zu",
                       e->layers.count, config->diff_id_count);
    int32_t code = WC_OK;
    for (size_t i = 0; i < e->layers.count && !code; i++)
        code = add_layer(call, d, e->layers.items[i], &config->diff_ids[i], layers, err);
    return code;
}

static int32_t make_manifest(wc_call *call, docker_origin *d, const entry *e, wc_buf **out,
                             wc_error **err)
{
    wci_image_config *config = NULL;
    wci_digest digest;
    uint64_t size = 0;
    int32_t code = read_config(d, e, &digest, &size, &config, err);
    if (code)
        return code;
    json_t *layers = json_array();
    code = make_layers(call, d, e, config, layers, err);
    if (!code) {
        json_t *manifest =
            json_pack("{s:i,s:s,s:o,s:O}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_MANIFEST,
                      "config", descriptor(WCI_TYPE_OCI_CONFIG, &digest, size), "layers", layers);
        code = wci_json_dump(manifest, out, err);
        json_decref(manifest);
    }
    json_decref(layers);
    wci_image_config_free(config);
    return code;
}

static int32_t root(wc_call *call, wci_origin *origin, size_t image, wci_raw *out, wc_error **err)
{
    docker_origin *d = (docker_origin *)origin;
    wci_raw raw = {.body = NULL, .media_type = wci_strdup(WCI_TYPE_OCI_MANIFEST)};
    int32_t code = raw.media_type ? make_manifest(call, d, &d->entries[image], &raw.body, err)
                                  : wci_err_nomem(err);
    if (!code)
        code = wci_digest_of(WCI_SHA256, wc_buf_data(raw.body), wc_buf_size(raw.body), &raw.digest,
                             err);
    if (code) {
        wci_raw_clear(&raw);
        return wci_err_wrap(err, code, "archive '%s'", d->path);
    }
    *out = raw;
    return WC_OK;
}

static void close_docker(wci_origin *origin)
{
    docker_origin *d = (docker_origin *)origin;
    for (size_t i = 0; d->entries && i < origin->image_count; i++) {
        wci_free(d->entries[i].config);
        wci_strv_free(&d->entries[i].layers);
    }
    wci_free(d->entries);
    wci_free(d->blobs);
    wci_members_close(&d->members);
    wci_origin_clear(origin);
    wci_free(d->path);
    wci_free(d);
}

static const wci_origin_ops docker_ops = {root, NULL, NULL, open_blob, close_docker, NULL, NULL, NULL};

/* ---- manifest.json ------------------------------------------------------------------------------ */

static int32_t read_entry(json_t *object, entry *e, wci_strv *names, wc_error **err)
{
    const char *what = "'manifest.json'", *config = NULL;
    if (!json_is_object(object))
        return wci_err(err, WC_E_FORMAT, "%s: it must be an array of objects", what);
    int32_t code = wci_json_check_case(object, entry_keys, what, err);
    if (!code)
        code = wci_json_get_string(object, "Config", what, &config, err);
    if (!code && !config)
        code = wci_err(err, WC_E_FORMAT, "%s: 'Config' is missing", what);
    if (!code && wci_replace(&e->config, config))
        code = wci_err_nomem(err);
    if (!code)
        code = wci_json_get_strings(object, "RepoTags", what, names, err);
    if (!code)
        code = wci_json_get_strings(object, "Layers", what, &e->layers, err);
    if (!code && e->layers.count > WCI_LAYERS_MAX)
        code = wci_err(err, WC_E_LIMIT, "%s: %zu layers; at most %d are accepted", what,
                       e->layers.count, WCI_LAYERS_MAX);
    return code;
}

static int32_t read_entries(docker_origin *d, json_t *list, wc_error **err)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || !count)
        return wci_err(err, WC_E_FORMAT, "'manifest.json': it must be an array of images");
    if (count > IMAGES_MAX)
        return wci_err(err, WC_E_LIMIT, "'manifest.json': %zu images; at most %d are accepted",
                       count, IMAGES_MAX);
    int32_t code = wci_origin_set_count(&d->base, count, err);
    d->entries = wci_calloc(count, sizeof *d->entries);
    if (!code && !d->entries)
        code = wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++)
        code = read_entry(json_array_get(list, i), &d->entries[i], &d->base.names[i], err);
    return code;
}

static int32_t read_list(docker_origin *d, wc_error **err)
{
    wc_buf *bytes = NULL;
    json_t *list = NULL;
    int32_t code = wci_members_read(&d->members, "manifest.json", WCI_MANIFEST_MAX, &bytes, err);
    if (code == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        return wci_err(err, WC_E_FORMAT, "it has no 'manifest.json'; docker before 1.10 made it, "
                                         "or it is no image archive");
    }
    if (!code)
        code = wci_json_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_MANIFEST_MAX,
                              "'manifest.json'", &list, err);
    if (!code)
        code = read_entries(d, list, err);
    json_decref(list);
    wc_buf_unref(bytes);
    return code;
}

/* ---- Choosing ----------------------------------------------------------------------------------- */

static int has_name(const wci_strv *names, const char *wanted)
{
    int found = 0;
    for (size_t i = 0; i < names->count && !found; i++) {
        wci_reference ref = WCI_REFERENCE_INIT;
        if (wci_reference_parse(names->items[i], &ref, NULL))
            continue;
        char *text = wci_reference_format(&ref);
        found = wci_streq(text, wanted);
        wci_free(text);
        wci_reference_free(&ref);
    }
    return found;
}

static void make_first(docker_origin *d, size_t chosen)
{
    entry e = d->entries[0];
    wci_strv names = d->base.names[0];
    d->entries[0] = d->entries[chosen];
    d->base.names[0] = d->base.names[chosen];
    d->entries[chosen] = e;
    d->base.names[chosen] = names;
}

/* Leaves the images that were asked for. */
static void keep(docker_origin *d, size_t count)
{
    for (size_t i = count; i < d->base.image_count; i++) {
        wci_free(d->entries[i].config);
        wci_strv_free(&d->entries[i].layers);
        wci_strv_free(&d->base.names[i]);
    }
    d->base.image_count = count;
}

static int32_t no_such_image(const docker_origin *d, const char *ref, wc_error **err)
{
    wci_str names = WCI_STR_INIT;
    wci_origin_list_names(&d->base, &names);
    int32_t code = wci_err(err, WC_E_NOT_FOUND, "no image in it is called '%s'; there is: %s", ref,
                           names.data ? names.data : "");
    wci_str_free(&names);
    return code;
}

static int32_t choose(docker_origin *d, const char *ref, int all, wc_error **err)
{
    if (ref) {
        size_t i = 0;
        while (i < d->base.image_count && !has_name(&d->base.names[i], ref))
            i++;
        if (i == d->base.image_count)
            return no_such_image(d, ref, err);
        make_first(d, i);
        keep(d, 1);
    }
    if (d->base.image_count == 1 || all)
        return WC_OK;
    wci_str names = WCI_STR_INIT;
    wci_origin_list_names(&d->base, &names);
    int32_t code = wci_err(err, WC_E_INVALID,
                           "there are %zu images in it; append ':' and the name of one of them: %s",
                           d->base.image_count, names.data ? names.data : "");
    wci_str_free(&names);
    return code;
}

int32_t wci_origin_open_docker(wci_members *members, const wci_place *place, int all,
                               wci_origin **out, wc_error **err)
{
    docker_origin *d = wci_calloc(1, sizeof *d);
    if (!d) {
        wci_members_close(members);
        return wci_err_nomem(err);
    }
    d->base.ops = &docker_ops;
    d->members = *members;
    d->path = wci_strdup(place->path ? place->path : place->ref); /* for errors */
    int32_t code = d->path ? read_list(d, err) : wci_err_nomem(err);
    if (!code)
        code = choose(d, place->ref, all, err);
    if (code) {
        close_docker(&d->base);
        return wci_err_wrap(err, code, "archive '%s': cannot be read", place->path ? place->path : place->ref);
    }
    *out = &d->base;
    return WC_OK;
}
