/* SPDX-License-Identifier: Apache-2.0 */
#include "image/choose.h"

#include "core/alloc.h"
#include "core/error.h"
#include "image/names.h"
#include "image/offers.h"
#include "image/origin.h"
#include "image/pull.h"
#include "image/resolve.h"

/* ---- Without an index ----------------------------------------------------------------------------- */

static int32_t platform_of(const wci_image_record *image, wci_platform *out, wc_error **err)
{
    return wci_platform_set(out, image->os, image->arch, image->variant, image->os_version, err);
}

static int32_t check_fit(const wci_image_record *image, const wci_transfer *transfer, wc_error **err)
{
    wci_platform has = WCI_PLATFORM_INIT;
    wci_offers offers = WCI_OFFERS_INIT;
    int32_t code = platform_of(image, &has, err);
    if (!code && wci_platform_rank(&transfer->platform, transfer->isolation, &has) < 0) {
        code = wci_offers_add(&offers, &transfer->platform, &has, err);
        if (!code)
            code = wci_offers_refuse(&offers, &transfer->platform, transfer->isolation, err);
    }
    wci_offers_free(&offers);
    wci_platform_clear(&has);
    return code;
}

/* ---- From an index -------------------------------------------------------------------------------- */

static int32_t bring(wc_call *call, wci_store *store, wci_origin *origin, const wci_transfer *transfer,
                     wci_image_record **out, wc_error **err)
{
    wci_transfer own = *transfer;
    own.is_own_work = 1; /* the policy was asked when it came into the store */
    own.companions = WCI_COMPANIONS_NONE;
    return wci_image_bring(call, store, origin, &own, out, err);
}

static int32_t choose_from(wc_call *call, wci_store *store, wci_origin *origin, const wci_transfer *transfer,
                           wci_image_record **out, wc_error **err)
{
    wci_resolved resolved = WCI_RESOLVED_INIT;
    int32_t code = wci_resolve(call, store, origin, 0, transfer, &resolved, err);
    if (code)
        return code;
    code = wci_image_find(store, resolved.manifest.digest.text, out, NULL);
    if (code == WC_E_NOT_FOUND)
        code = bring(call, store, origin, transfer, out, err);
    wci_resolved_clear(&resolved);
    return code;
}

static int32_t choose_from_index(wc_call *call, wci_store *store, const wci_image_record *image,
                                 const wci_digest *index, const wci_transfer *transfer, wci_image_record **out,
                                 wc_error **err)
{
    wci_origin *origin = NULL;
    int32_t code = wci_origin_open_store(store, &image->manifest, index, &origin, err);
    if (!code)
        code = choose_from(call, store, origin, transfer, out, err);
    wci_origin_close(origin);
    if (code == WC_E_NOT_FOUND)
        return wci_err_wrap(err, code, "the store has not all of the index '%s'; pull it for this platform",
                            index->text);
    return code;
}

/* ---- Either --------------------------------------------------------------------------------------- */

/* Takes `image` over. An index of which too little is kept to choose from it is no hindrance to an image that fits. */
static int32_t choose(wc_call *call, wci_store *store, wci_image_record *image, const char *name,
                      const wci_transfer *transfer, wci_image_record **out, wc_error **err)
{
    wci_image_record *chosen = NULL;
    wci_digest index = {""};
    wc_error *why = NULL;
    wci_index_of_name(image, name, &index);
    int32_t code = wci_digest_is_set(&index)
                       ? choose_from_index(call, store, image, &index, transfer, &chosen, &why)
                       : check_fit(image, transfer, &why);
    if (code == WC_E_NOT_FOUND && !check_fit(image, transfer, NULL)) {
        wci_err_clear(&why);
        code = WC_OK;
    }
    if (code) {
        wci_image_record_free(image);
        return wci_err_move(err, why);
    }
    if (chosen)
        wci_image_record_free(image);
    *out = chosen ? chosen : image;
    return WC_OK;
}

int32_t wci_image_choose(wc_call *call, wci_store *store, const char *text, const wci_transfer *transfer,
                         wci_image_record **out, wc_error **err)
{
    wci_image_record *image = NULL;
    char *name = NULL;
    int32_t code = wci_image_lookup(store, text, &image, &name, err);
    if (code)
        return code;
    if (transfer->has_platform)
        code = choose(call, store, image, name, transfer, &image, err);
    if (!code && name)
        wci_names_put_first(image, name);
    wci_free(name);
    if (code)
        return wci_err_wrap(err, code, "image '%s'", text);
    *out = image;
    return WC_OK;
}
