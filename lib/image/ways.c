/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ways.h"

#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"

/* ---- Finding them --------------------------------------------------------------------------------- */

static int32_t add_name(wci_ways *ways, const wci_registries *registries, const char *text, wc_error **err)
{
    wci_reference *name = &ways->names[ways->name_count];
    wci_sites *sites = &ways->sites[ways->name_count];
    int32_t code = wci_reference_parse(text, name, err);
    if (code)
        return code;
    ways->name_count++;
    char *whole = wci_reference_format(name);
    code = whole ? wci_registries_sites(registries, whole, sites, err) : wci_err_nomem(err);
    wci_free(whole);
    if (!code)
        ways->count += sites->count;
    return code;
}

static int32_t add_names(wci_ways *ways, const wci_registries *registries, const wci_strv *texts, wc_error **err)
{
    int32_t code = WC_OK;
    ways->names = wci_calloc(texts->count + 1, sizeof *ways->names);
    ways->sites = wci_calloc(texts->count + 1, sizeof *ways->sites);
    if (!ways->names || !ways->sites)
        return wci_err_nomem(err);
    for (size_t i = 0; i < texts->count && !code; i++)
        code = add_name(ways, registries, texts->items[i], err);
    return code;
}

static int32_t list(wci_ways *ways, wc_error **err)
{
    wci_way *next = ways->items = wci_calloc(ways->count + 1, sizeof *ways->items);
    if (!ways->items)
        return wci_err_nomem(err);
    for (size_t i = 0; i < ways->name_count; i++)
        for (size_t k = 0; k < ways->sites[i].count; k++)
            *next++ = (wci_way){&ways->names[i], &ways->sites[i].items[k], NULL};
    return WC_OK;
}

static int32_t find(wci_ways *ways, const wci_registries *registries, const wci_place *place, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = WC_OK;
    if (place->short_name)
        code = wci_registries_expand(registries, place->short_name, &names, err);
    else if (wci_strv_add(&names, place->ref))
        code = wci_err_nomem(err);
    if (!code)
        code = add_names(ways, registries, &names, err);
    if (!code)
        code = list(ways, err);
    wci_strv_free(&names);
    return code;
}

int32_t wci_ways_find(const wci_place *place, const wci_registry_config *config, wci_ways *out, wc_error **err)
{
    wci_ways ways = WCI_WAYS_INIT;
    wci_registries *registries = NULL;
    ways.config = config;
    int32_t code = wci_registries_load(config->registries_conf, &registries, err);
    if (!code)
        code = find(&ways, registries, place, err);
    wci_registries_free(registries);
    if (code)
        wci_ways_free(&ways);
    else
        *out = ways;
    return code;
}

void wci_ways_free(wci_ways *ways)
{
    size_t all = 0;
    for (size_t i = 0; i < ways->name_count; i++) {
        all += ways->sites[i].count;
        wci_reference_free(&ways->names[i]);
        wci_sites_free(&ways->sites[i]);
    }
    for (size_t i = 0; ways->items && i < all; i++)
        wci_remote_close(ways->items[i].remote);
    wci_free(ways->items);
    wci_free(ways->names);
    wci_free(ways->sites);
    wci_str_free(&ways->failed);
    *ways = (wci_ways)WCI_WAYS_INIT;
}

/* ---- Connections ---------------------------------------------------------------------------------- */

/* Credentials and certificates that were given are for the registry, not for its mirrors. */
static wci_registry_config config_of(const wci_registry_config *config, const wci_site *site)
{
    wci_registry_config own = wci_registry_config_for(config, site->insecure);
    if (site->is_mirror) {
        own.username = own.password = NULL;
        own.client_cert = own.client_key = own.cert_dir = NULL;
    }
    return own;
}

int32_t wci_ways_remote(wc_call *call, wci_ways *ways, wci_remote **out, wc_error **err)
{
    wci_way *way = &ways->items[ways->at];
    int32_t code = WC_OK;
    if (!way->remote) {
        wci_registry_config config = config_of(ways->config, way->site);
        code = wci_remote_open(call, &config, way->site->host, way->site->repository, &way->remote, err);
    }
    if (!code)
        *out = way->remote;
    return code;
}

/* ---- Trying them ---------------------------------------------------------------------------------- */

/* In few words; the whole error is in the log. */
static void add_reason(wci_str *to, const wc_error *why)
{
    while (wc_error_cause(why))
        why = wc_error_cause(why);
    if (wc_error_domain(why) == WC_DOMAIN_HTTP)
        wci_str_printf(to, "HTTP %lld", (long long)wc_error_native(why));
    else
        wci_str_printf(to, "%.160s", why ? wc_error_message(why) : "failed");
}

static void note_failure(wc_call *call, wci_ways *ways, const wc_error *why)
{
    const wci_site *site = ways->items[ways->at].site;
    wc_buf *text = NULL;
    if (why && !wc_error_format(why, &text))
        wci_log_printf(call->log, WC_LOG_INFO, "'%s/%s': not to be had there: %s", site->host, site->repository,
                       wc_buf_data(text));
    wc_buf_unref(text);
    wci_str_printf(&ways->failed, "%s'%s/%s' (", ways->failed.size ? ", " : "", site->host, site->repository);
    add_reason(&ways->failed, why);
    wci_str_append_c(&ways->failed, ')');
}

int wci_ways_next(wc_call *call, wci_ways *ways, wc_error **why)
{
    if (ways->at + 1 >= ways->count || wci_call_check(call, NULL))
        return 0;
    note_failure(call, ways, *why);
    wci_err_clear(why);
    ways->at++;
    return 1;
}

void wci_ways_settle(wci_ways *ways)
{
    size_t end = ways->at + 1;
    while (end < ways->count && ways->items[end].name == ways->items[ways->at].name)
        end++;
    ways->count = end;
}

void wci_ways_to_registry(wci_ways *ways)
{
    while (ways->items[ways->at].site->is_mirror)
        ways->at++;
}

int32_t wci_ways_error(const wci_ways *ways, int32_t code, wc_error **err)
{
    if (!ways->failed.size || ways->failed.failed)
        return code;
    return wci_err_wrap(err, code, "tried before: %s", ways->failed.data);
}

int32_t wci_ways_try(wc_call *call, wci_ways *ways, wci_way_try what, void *arg, wc_error **err)
{
    for (;;) {
        wci_remote *remote = NULL;
        wc_error *why = NULL;
        int32_t code = wci_ways_remote(call, ways, &remote, &why);
        if (!code)
            code = what(call, remote, ways->items[ways->at].site->target, arg, &why);
        if (!code)
            return WC_OK;
        if (wci_ways_next(call, ways, &why))
            continue;
        if (why)
            wci_err_move(err, why);
        return wci_ways_error(ways, code, err);
    }
}
