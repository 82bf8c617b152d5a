/* SPDX-License-Identifier: Apache-2.0 */
#include "image/resolve.h"

#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/offers.h"

#define MAX_DEPTH 4   /* of indexes in indexes */
#define MAX_LOOKUPS 64 /* documents read to choose one */

typedef struct search {
    wc_call *call;
    wci_store *store;
    wci_origin *origin;
    wci_platform wanted;
    wci_isolation isolation;
    size_t lookups;
    int best_rank; /* negative: nothing found yet */
    wci_descriptor best; /* digest, size, and owned media type and platform */
    wci_offers offers;
} search;

void wci_resolved_clear(wci_resolved *resolved)
{
    wci_raw_clear(&resolved->manifest);
    wci_raw_clear(&resolved->index);
    wci_document_free(resolved->document);
    *resolved = (wci_resolved)WCI_RESOLVED_INIT;
}

/* ---- Documents ---------------------------------------------------------------------------------- */

static int32_t load(search *s, const wci_descriptor *descriptor, wc_buf **out, wc_error **err)
{
    if (++s->lookups > MAX_LOOKUPS)
        return wci_err(err, WC_E_LIMIT, "over %d documents would have to be read to choose one",
                       MAX_LOOKUPS);
    return wci_origin_document(s->call, s->store, s->origin, descriptor, out, err);
}

static int32_t load_document(search *s, const wci_descriptor *descriptor, wc_buf **body,
                             wci_document **out, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = load(s, descriptor, &bytes, err);
    if (code)
        return code;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &descriptor->digest);
    code = wci_document_parse(wc_buf_data(bytes), wc_buf_size(bytes), descriptor->media_type, what,
                              out, err);
    if (!code && body)
        *body = bytes;
    else
        wc_buf_unref(bytes);
    return code;
}

/* ---- Choosing ----------------------------------------------------------------------------------- */

static int is_better(const search *s, const wci_platform *platform)
{
    int rank = wci_platform_rank(&s->wanted, s->isolation, platform);
    if (rank < 0 || s->best_rank < 0)
        return rank >= 0;
    return rank < s->best_rank ||
           (rank == s->best_rank && wci_platform_is_newer(&s->wanted, platform, &s->best.platform));
}

static int32_t offer(search *s, const wci_descriptor *d, const wci_platform *platform,
                     wc_error **err)
{
    int32_t code = wci_offers_add(&s->offers, &s->wanted, platform, err);
    if (code || !is_better(s, platform))
        return code;
    if (wci_replace(&s->best.media_type, d->media_type))
        return wci_err_nomem(err);
    s->best.digest = d->digest;
    s->best.size = d->size;
    s->best_rank = wci_platform_rank(&s->wanted, s->isolation, platform);
    return wci_platform_copy(platform, &s->best.platform, err);
}

static int is_manifest_type(const char *type)
{
    return !strcmp(type, WCI_TYPE_OCI_MANIFEST) || !strcmp(type, WCI_TYPE_DOCKER_MANIFEST);
}

static int is_index_type(const char *type)
{
    return !strcmp(type, WCI_TYPE_OCI_INDEX) || !strcmp(type, WCI_TYPE_DOCKER_LIST);
}

/* For entries that do not say, or not fully, what they are for: their configs do. Attestations and other artifacts
 * among them are passed over. */
static int32_t probe(search *s, const wci_descriptor *d, wc_error **err)
{
    wci_document *manifest = NULL;
    wci_image_config *config = NULL;
    wc_buf *bytes = NULL;
    int32_t code = load_document(s, d, NULL, &manifest, err);
    if (code)
        return code;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "config", &manifest->config.digest);
    if (manifest->kind == WCI_DOCUMENT_MANIFEST && !wci_manifest_check_image(manifest, what, NULL))
        code = wci_origin_read(s->call, s->origin, &manifest->config, WCI_CONFIG_MAX, &bytes, err);
    if (!code && bytes)
        code = wci_image_config_parse(wc_buf_data(bytes), wc_buf_size(bytes), what, &config, err);
    if (!code && config)
        code = offer(s, d, &config->platform, err);
    wc_buf_unref(bytes);
    wci_image_config_free(config);
    wci_document_free(manifest);
    return code;
}

/* Where builds matter and the index does not tell of them. */
static int lacks_version(const search *s, const wci_platform *offered)
{
    return !strcmp(s->wanted.os, "windows") && *s->wanted.os_version && !*offered->os_version &&
           wci_platform_rank(&s->wanted, s->isolation, offered) >= 0;
}

static int32_t search_index(search *s, const wci_document *index, int depth, wc_error **err);

static int32_t search_nested(search *s, const wci_descriptor *d, int depth, wc_error **err)
{
    if (depth >= MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "index '%s': indexes are nested deeper than %d",
                       d->digest.text, MAX_DEPTH);
    wci_document *nested = NULL;
    int32_t code = load_document(s, d, NULL, &nested, err);
    if (!code && nested->kind == WCI_DOCUMENT_INDEX)
        code = search_index(s, nested, depth + 1, err);
    wci_document_free(nested);
    return code;
}

static int32_t search_index(search *s, const wci_document *index, int depth, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < index->count && !code; i++) {
        const wci_descriptor *d = &index->items[i];
        if (is_index_type(d->media_type))
            code = search_nested(s, d, depth, err);
        else if (is_manifest_type(d->media_type) && d->has_platform)
            code = lacks_version(s, &d->platform) ? probe(s, d, err) : offer(s, d, &d->platform, err);
    }
    return code;
}

static int32_t probe_unnamed(search *s, const wci_document *index, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < index->count && !code; i++)
        if (!index->items[i].has_platform && is_manifest_type(index->items[i].media_type))
            code = probe(s, &index->items[i], err);
    return code;
}

static int32_t choose(search *s, const wci_document *index, wc_error **err)
{
    int32_t code = search_index(s, index, 1, err);
    if (!code && s->best_rank < 0)
        code = probe_unnamed(s, index, err);
    if (!code && s->best_rank < 0)
        code = wci_offers_refuse(&s->offers, &s->wanted, s->isolation, err);
    return code;
}

/* ---- The whole way ------------------------------------------------------------------------------ */

static int32_t take_chosen(search *s, wci_resolved *r, wc_error **err)
{
    int32_t code = load_document(s, &s->best, &r->manifest.body, &r->document, err);
    if (code)
        return code;
    r->manifest.digest = s->best.digest;
    r->manifest.media_type = s->best.media_type;
    s->best.media_type = NULL;
    return WC_OK;
}

static int32_t choose_from_index(search *s, const wci_transfer *transfer, wci_raw *root,
                                 const wci_document *index, wci_resolved *r, wc_error **err)
{
    int32_t code = transfer->has_platform
                       ? wci_platform_copy(&transfer->platform, &s->wanted, err)
                       : wci_platform_host(&s->wanted, err);
    if (!code)
        code = choose(s, index, err);
    if (code)
        return wci_err_wrap(err, code, "index '%s'", root->digest.text);
    r->index = *root;
    *root = (wci_raw)WCI_RAW_INIT;
    return take_chosen(s, r, err);
}

/* Takes the root over. */
static int32_t resolve_root(search *s, wci_raw root, const wci_transfer *transfer, wci_resolved *r, wc_error **err)
{
    wci_document *document = NULL;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &root.digest);
    int32_t code = wci_document_parse(wc_buf_data(root.body), wc_buf_size(root.body), root.media_type,
                                      what, &document, err);
    if (!code && document->kind == WCI_DOCUMENT_INDEX) {
        code = choose_from_index(s, transfer, &root, document, r, err);
    } else if (!code) {
        r->manifest = root;
        root = (wci_raw)WCI_RAW_INIT;
        r->document = document;
        document = NULL;
    }
    wci_document_free(document);
    wci_raw_clear(&root);
    return code;
}

static int32_t check_manifest(const wci_resolved *r, wc_error **err)
{
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &r->manifest.digest);
    if (r->document->kind != WCI_DOCUMENT_MANIFEST)
        return wci_err(err, WC_E_FORMAT, "%s: an index where a manifest was announced", what);
    return WC_OK;
}

int32_t wci_resolved_check_image(const wci_resolved *resolved, wc_error **err)
{
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &resolved->manifest.digest);
    return wci_manifest_check_image(resolved->document, what, err);
}

/* Takes the root over. */
static int32_t resolve(wc_call *call, wci_store *store, wci_origin *origin, wci_raw root, const wci_transfer *transfer,
                       wci_resolved *out, wc_error **err)
{
    search s = {.call = call, .store = store, .origin = origin, .isolation = transfer->isolation, .best_rank = -1};
    wci_resolved r = WCI_RESOLVED_INIT;
    int32_t code = resolve_root(&s, root, transfer, &r, err);
    if (!code)
        code = check_manifest(&r, err);
    wci_platform_clear(&s.wanted);
    wci_platform_clear(&s.best.platform);
    wci_offers_free(&s.offers);
    wci_free(s.best.media_type);
    if (code)
        wci_resolved_clear(&r);
    else
        *out = r;
    return code;
}

int32_t wci_resolve(wc_call *call, wci_store *store, wci_origin *origin, size_t image,
                    const wci_transfer *transfer, wci_resolved *out, wc_error **err)
{
    wci_raw root = WCI_RAW_INIT;
    int32_t code = origin->ops->root(call, origin, image, &root, err);
    return code ? code : resolve(call, store, origin, root, transfer, out, err);
}

int32_t wci_resolve_from(wc_call *call, wci_store *store, wci_origin *origin, const wci_raw *root,
                         const wci_transfer *transfer, wci_resolved *out, wc_error **err)
{
    wci_raw own = WCI_RAW_INIT;
    int32_t code = wci_raw_copy(root, &own, err);
    return code ? code : resolve(call, store, origin, own, transfer, out, err);
}

/* ---- Config and manifest together --------------------------------------------------------------- */

static int32_t refuse(const wci_platform *wanted, const wci_image_config *config, const wci_transfer *transfer,
                      wc_error **err)
{
    wci_offers offers = WCI_OFFERS_INIT;
    int32_t code = wci_offers_add(&offers, wanted, &config->platform, err);
    if (!code)
        code = wci_offers_refuse(&offers, wanted, transfer->isolation, err);
    wci_offers_free(&offers);
    return code;
}

static void warn(wc_call *call, const wci_platform *host, const wci_image_config *config)
{
    wci_str text = WCI_STR_INIT;
    wci_platform_format(&config->platform, &text);
    wci_str_append(&text, ", this host is ");
    wci_platform_format(host, &text);
    wci_log_printf(call->log, WC_LOG_WARN, "the image is for %s", text.data ? text.data : "");
    wci_str_free(&text);
}

/* One image for one platform is taken as it is, with a word of warning, unless a platform was asked for. But of another
 * build of Windows people have no idea until it fails: then they have to ask. */
static int32_t check_platform(wc_call *call, const wci_image_config *config,
                              const wci_transfer *transfer, wc_error **err)
{
    wci_platform host = WCI_PLATFORM_INIT;
    const wci_platform *wanted = transfer->has_platform ? &transfer->platform : &host;
    int32_t code = transfer->has_platform ? WC_OK : wci_platform_host(&host, err);
    if (!code && wci_platform_rank(wanted, transfer->isolation, &config->platform) < 0) {
        if (transfer->has_platform || wci_platform_differs_in_version(wanted, &config->platform))
            code = refuse(wanted, config, transfer, err);
        else
            warn(call, &host, config);
    }
    wci_platform_clear(&host);
    return code;
}

int32_t wci_resolved_check_layers(const wci_resolved *resolved, const wci_image_config *config, wc_error **err)
{
    if (config->diff_id_count == resolved->document->count)
        return WC_OK;
    return wci_err(err, WC_E_FORMAT, "manifest '%s': it has %zu layers, but its config tells of %zu",
                   resolved->manifest.digest.text, resolved->document->count, config->diff_id_count);
}

int32_t wci_resolved_check_config(wc_call *call, const wci_resolved *resolved, const wci_image_config *config,
                                  const wci_transfer *transfer, wc_error **err)
{
    int32_t code = wci_resolved_check_layers(resolved, config, err);
    if (code || resolved->index.body)
        return code; /* an index has been asked already, and often tells more of variants than the config */
    code = check_platform(call, config, transfer, err);
    return code ? wci_err_wrap(err, code, "manifest '%s'", resolved->manifest.digest.text) : WC_OK;
}
