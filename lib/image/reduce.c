/* SPDX-License-Identifier: Apache-2.0 */
/* An index for fewer platforms. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/graph.h"
#include "image/offers.h"

/* BuildKit's: an attestation is a manifest of the same index and names the one that it is about. */
#define ANNOTATION_ABOUT "vnd.docker.reference.digest"

/* ---- Which ones stay ------------------------------------------------------------------------------ */

static int rank(const wci_descriptor *entry, const wci_wanted *wanted, size_t which)
{
    return entry->has_platform ? wci_platform_rank(&wanted->platforms[which], wanted->isolation, &entry->platform) : -1;
}

static int best_rank(const wci_document *index, const wci_wanted *wanted, size_t which)
{
    int best = -1;
    for (size_t i = 0; i < index->count; i++) {
        int found = rank(&index->items[i], wanted, which);
        if (found >= 0 && (best < 0 || found < best))
            best = found;
    }
    return best;
}

static int32_t is_missing(const wci_document *index, const wci_wanted *wanted, size_t which, wc_error **err)
{
    wci_offers offers = WCI_OFFERS_INIT;
    int32_t code = WC_OK;
    for (size_t i = 0; i < index->count && !code; i++)
        if (index->items[i].has_platform)
            code = wci_offers_add(&offers, &wanted->platforms[which], &index->items[i].platform, err);
    if (!code)
        code = wci_offers_refuse(&offers, &wanted->platforms[which], wanted->isolation, err);
    wci_offers_free(&offers);
    return code;
}

/* All that fit equally well: an index for Windows may have one for each of its builds. */
static int32_t keep_platform(const wci_document *index, const wci_wanted *wanted, size_t which, int *keep,
                             wc_error **err)
{
    int best = best_rank(index, wanted, which);
    if (best < 0)
        return is_missing(index, wanted, which, err);
    for (size_t i = 0; i < index->count; i++)
        if (rank(&index->items[i], wanted, which) == best)
            keep[i] = 1;
    return WC_OK;
}

static int is_kept(const wci_document *index, const int *keep, const char *digest)
{
    for (size_t i = 0; i < index->count; i++)
        if (keep[i] && !strcmp(index->items[i].digest.text, digest))
            return 1;
    return 0;
}

/* Both readings are of the same bytes, so the entries are the same. */
static void keep_attestations(const wci_document *index, json_t *entries, int *keep)
{
    for (size_t i = 0; i < index->count; i++) {
        json_t *notes = json_object_get(json_array_get(entries, i), "annotations");
        const char *about = json_string_value(json_object_get(notes, ANNOTATION_ABOUT));
        if (about && is_kept(index, keep, about))
            keep[i] = 1;
    }
}

static int32_t check_flat(const wci_document *index, wc_error **err)
{
    for (size_t i = 0; i < index->count; i++)
        if (!strcmp(index->items[i].media_type, WCI_TYPE_OCI_INDEX) ||
            !strcmp(index->items[i].media_type, WCI_TYPE_DOCKER_LIST))
            return wci_err(err, WC_E_UNSUPPORTED, "it holds a further index, among whose platforms none can be chosen; "
                           "take all of it");
    return WC_OK;
}

static int32_t choose(const wci_document *index, const wci_wanted *wanted, json_t *entries, int *keep, wc_error **err)
{
    int32_t code = check_flat(index, err);
    for (size_t i = 0; i < wanted->count && !code; i++)
        code = keep_platform(index, wanted, i, keep, err);
    if (!code)
        keep_attestations(index, entries, keep);
    return code;
}

/* ---- The new document ----------------------------------------------------------------------------- */

static int32_t write_index(json_t *json, const wci_raw *index, wci_raw *out, wc_error **err)
{
    wci_raw made = WCI_RAW_INIT;
    int32_t code = wci_json_dump(json, &made.body, err);
    if (!code)
        code = wci_digest_of(wci_digest_algo(&index->digest), wc_buf_data(made.body), wc_buf_size(made.body),
                             &made.digest, err);
    if (!code && index->media_type && !(made.media_type = wci_strdup(index->media_type)))
        code = wci_err_nomem(err);
    if (code)
        wci_raw_clear(&made);
    else
        *out = made;
    return code;
}

static int32_t drop_entries(json_t *json, json_t *entries, const int *keep, const wci_raw *index, wci_raw *out,
                            wc_error **err)
{
    size_t count = json_array_size(entries), dropped = 0;
    for (size_t i = count; i-- > 0;)
        if (!keep[i] && ++dropped)
            json_array_remove(entries, i);
    return dropped ? write_index(json, index, out, err) : wci_raw_copy(index, out, err);
}

int32_t wci_index_reduce(const wci_raw *index, const wci_document *document, const wci_wanted *wanted,
                         wci_raw *out, wc_error **err)
{
    json_t *json = NULL;
    int *keep = wci_calloc(document->count + 1, sizeof *keep);
    int32_t code = keep ? wci_json_parse(wc_buf_data(index->body), wc_buf_size(index->body), WCI_MANIFEST_MAX, "index",
                                         &json, err)
                        : wci_err_nomem(err);
    json_t *entries = json_object_get(json, "manifests");
    if (!code)
        code = choose(document, wanted, entries, keep, err);
    if (!code)
        code = drop_entries(json, entries, keep, index, out, err);
    wci_free(keep);
    json_decref(json);
    return code ? wci_err_wrap(err, code, "index '%s'", index->digest.text) : WC_OK;
}
