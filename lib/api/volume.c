/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/volume.h>

#include <string.h>

#include "api/context.h"
#include "container/options.h"
#include "container/volume.h"
#include "core/alloc.h"
#include "core/list.h"

/* ---- Options ------------------------------------------------------------------------------------ */

int32_t wc_volume_options_new(wc_volume_options **out, wc_error **err)
{
    WCI_REQUIRE(out, "out is NULL");
    wc_volume_options *options = wci_calloc(1, sizeof *options);
    if (!options)
        return wci_err_nomem(err);
    *out = options;
    return WC_OK;
}

void wc_volume_options_unref(wc_volume_options *options)
{
    if (!options)
        return;
    wci_pairs_free(&options->options);
    wci_pairs_free(&options->labels);
    wci_free(options);
}

int32_t wc_volume_options_set_driver(wc_volume_options *options, const char *driver, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, driver, "volume driver", err);
    if (!rc && strcmp(driver, WCI_VOLUME_DRIVER))
        rc = wci_err(err, WC_E_UNSUPPORTED, "volume driver '%.80s': there is none but 'local'", driver);
    return rc;
}

int32_t wc_volume_options_add_option(wc_volume_options *options, const char *key, const char *value, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, key, "volume option", err);
    if (!rc)
        rc = wci_option_check_text(options, value, "value of a volume option", err);
    if (!rc)
        rc = wci_volume_option_check(key, value, err);
    return rc ? rc : wci_pairs_set(&options->options, key, value, err);
}

int32_t wc_volume_options_add_label(wc_volume_options *options, const char *key, const char *value, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, key, "label", err);
    if (!rc)
        rc = wci_option_check_text(options, value, "value of a label", err);
    if (rc)
        return rc;
    WCI_REQUIRE(*key, "the key of a label is empty");
    return wci_pairs_set(&options->labels, key, value, err);
}

/* ---- Volumes ------------------------------------------------------------------------------------ */

static int32_t begin(wc_volume *volume, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    WCI_REQUIRE(volume, "volume is NULL");
    return wci_api_begin_engine(volume->engine, cancel, call, err);
}

int32_t wc_volume_create(wc_context *context, const char *name, const wc_volume_options *options, wc_cancel *cancel,
                         wc_volume **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_vol_create(&call, context->engine, name, options, out, err);
}

int32_t wc_volume_open(wc_context *context, const char *name, wc_volume **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name && *name && out, "name or out is empty");
    return wci_vol_open(context->engine, name, out, err);
}

int32_t wc_volume_list(wc_context *context, wc_list **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_vol_list(context->engine, out, err);
}

int32_t wc_volume_inspect(wc_volume *volume, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(volume, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_vol_inspect(volume, out, err);
}

int32_t wc_volume_size(wc_volume *volume, wc_cancel *cancel, int64_t *bytes, wc_error **err)
{
    wc_call call;
    uint64_t size = 0;
    int32_t rc = begin(volume, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(bytes, "bytes is NULL");
    rc = wci_vol_size(&call, volume, &size, err);
    if (!rc)
        *bytes = (int64_t)size;
    return rc;
}

int32_t wc_volume_remove(wc_volume *volume, uint64_t flags, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    wc_error *why = NULL;
    int32_t rc = begin(volume, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_VOLUME_FORCE), "unknown flags");
    rc = wci_volume_remove(&call, volume->engine->store, volume->name, NULL, &why);
    if (rc != WC_E_NOT_FOUND || !(flags & WC_VOLUME_FORCE))
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return WC_OK;
}

int32_t wc_volume_prune(wc_context *context, uint64_t flags, wc_cancel *cancel, int64_t *reclaimed, wc_list **removed,
                        wc_error **err)
{
    wc_call call;
    wci_strv names = WCI_STRV_INIT;
    uint64_t bytes = 0;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_VOLUME_PRUNE_ALL), "unknown flags");
    rc = wci_volume_prune(&call, context->engine->store, flags != 0, &names, &bytes, err);
    if (!rc && removed)
        rc = wci_list_of_strings(&names, removed, err);
    if (!rc && reclaimed)
        *reclaimed = (int64_t)bytes;
    wci_strv_free(&names);
    return rc;
}

int32_t wc_volume_export_fd(wc_volume *volume, intptr_t fd, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(volume, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(fd >= 0, "fd is negative");
    return wci_vol_export(&call, volume, (wci_fd)fd, err);
}

int32_t wc_volume_import_fd(wc_volume *volume, intptr_t fd, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(volume, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(fd >= 0, "fd is negative");
    return wci_vol_import(&call, volume, (wci_fd)fd, err);
}

const char *wc_volume_name(const wc_volume *volume)
{
    return volume ? volume->name : "";
}

const char *wc_volume_path(const wc_volume *volume)
{
    return volume ? volume->path : "";
}

wc_volume *wc_volume_ref(wc_volume *volume)
{
    if (volume)
        wci_ref_take(&volume->refs);
    return volume;
}

void wc_volume_unref(wc_volume *volume)
{
    if (volume && wci_ref_drop(&volume->refs))
        wci_vol_free(volume);
}
