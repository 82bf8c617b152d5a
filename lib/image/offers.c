/* SPDX-License-Identifier: Apache-2.0 */
#include "image/offers.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

#define SHOWN 40

static void add_build(wci_offers *offers, unsigned build)
{
    for (size_t i = 0; i < offers->build_count; i++)
        if (offers->builds[i] == build)
            return;
    if (build && offers->build_count < WCI_OFFERS_BUILDS)
        offers->builds[offers->build_count++] = build;
}

int32_t wci_offers_add(wci_offers *offers, const wci_platform *wanted, const wci_platform *offered, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    wci_platform_format(offered, &text);
    char *owned = wci_str_take(&text);
    if (!owned)
        return wci_err_nomem(err);
    if (wci_platform_differs_in_version(wanted, offered))
        add_build(offers, wci_windows_build(offered->os_version));
    /* Attestations are of no platform. */
    if (wci_strv_contains(&offers->texts, owned) || !strcmp(owned, "unknown/unknown"))
        wci_free(owned);
    else if (wci_strv_add_take(&offers->texts, owned))
        return wci_err_nomem(err);
    return WC_OK;
}

void wci_offers_free(wci_offers *offers)
{
    wci_strv_free(&offers->texts);
}

static void append_texts(const wci_offers *offers, wci_str *out)
{
    wci_str_append(out, offers->texts.count ? "there is " : "there is no image for any platform");
    for (size_t i = 0; i < offers->texts.count && i < SHOWN; i++) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(offers->texts.items[i], shown);
        wci_str_printf(out, "%s%s", i ? ", " : "", shown);
    }
    if (offers->texts.count > SHOWN)
        wci_str_printf(out, " and %zu more", offers->texts.count - SHOWN);
}

int32_t wci_offers_refuse(const wci_offers *offers, const wci_platform *wanted, wci_isolation isolation,
                          wc_error **err)
{
    wci_str want = WCI_STR_INIT, why = WCI_STR_INIT;
    wci_platform_format(wanted, &want);
    if (offers->build_count)
        wci_windows_explain(wci_windows_build(wanted->os_version), isolation, offers->builds, offers->build_count, &why);
    else
        append_texts(offers, &why);
    int32_t code = wci_err(err, WC_E_PLATFORM, "nothing fits %s; %s", want.data ? want.data : "",
                           why.data ? why.data : "");
    wci_str_free(&want);
    wci_str_free(&why);
    return code;
}
