/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ways.h"

#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"

/* ---- Finding them --------------------------------------------------------------------------------- */

typedef int32_t (*site_finder)(const wci_registries *registries, const char *name, wci_sites *out, wc_error **err);

static int32_t add_name(wci_ways *ways, const wci_registries *registries, site_finder sites_of, const char *text,
                        wc_error **err)
{
    wci_reference *name = &ways->names[ways->name_count];
    wci_sites *sites = &ways->sites[ways->name_count];
    int32_t code = wci_reference_parse(text, name, err);
    if (code)
        return code;
    ways->name_count++;
    char *whole = wci_reference_format(name);
    code = whole ? sites_of(registries, whole, sites, err) : wci_err_nomem(err);
    wci_free(whole);
    if (!code)
        ways->count += sites->count;
    return code;
}

static int32_t add_names(wci_ways *ways, const wci_registries *registries, site_finder sites_of, const wci_strv *texts,
                         wc_error **err)
{
    int32_t code = WC_OK;
    ways->names = wci_calloc(texts->count + 1, sizeof *ways->names);
    ways->sites = wci_calloc(texts->count + 1, sizeof *ways->sites);
    if (!ways->names || !ways->sites)
        return wci_err_nomem(err);
    for (size_t i = 0; i < texts->count && !code; i++)
        code = add_name(ways, registries, sites_of, texts->items[i], err);
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

static int32_t find(wci_ways *ways, const wci_registries *registries, const wci_place *place, int is_named,
                    wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = WC_OK;
    if (place->short_name && !is_named)
        code = wci_registries_expand(registries, place->short_name, &names, err);
    else if (wci_strv_add(&names, place->ref))
        code = wci_err_nomem(err);
    if (!code)
        code = add_names(ways, registries, is_named ? wci_registries_named : wci_registries_sites, &names, err);
    if (!code)
        code = list(ways, err);
    wci_strv_free(&names);
    return code;
}

static int32_t load_and_find(const wci_place *place, const wci_registry_config *config, int is_named, wci_ways *out,
                             wc_error **err)
{
    wci_ways ways = WCI_WAYS_INIT;
    wci_registries *registries = NULL;
    ways.config = *config;
    int32_t code = wci_registries_load(config->registries_conf, &registries, err);
    if (!code)
        code = find(&ways, registries, place, is_named, err);
    wci_registries_free(registries);
    if (code)
        wci_ways_free(&ways);
    else
        *out = ways;
    return code;
}

int32_t wci_ways_find(const wci_place *place, const wci_registry_config *config, wci_ways *out, wc_error **err)
{
    return load_and_find(place, config, 0, out, err);
}

int32_t wci_ways_find_named(const wci_place *place, const wci_registry_config *config, wci_ways *out, wc_error **err)
{
    return load_and_find(place, config, 1, out, err);
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
        wci_registry_config config = config_of(&ways->config, way->site);
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

static int32_t try_present(wc_call *call, wci_ways *ways, wci_way_try what, void *arg, wc_error **err)
{
    wci_remote *remote = NULL;
    int32_t code = wci_ways_remote(call, ways, &remote, err);
    return code ? code : what(call, remote, wci_ways_present(ways)->site->target, arg, err);
}

int32_t wci_ways_try(wc_call *call, wci_ways *ways, wci_way_try what, void *arg, wc_error **err)
{
    for (;;) {
        wc_error *why = NULL;
        int32_t code = try_present(call, ways, what, arg, &why);
        if (!code)
            return WC_OK;
        if (wci_ways_next(call, ways, &why))
            continue;
        if (why)
            wci_err_move(err, why);
        return wci_ways_error(ways, code, err);
    }
}

int32_t wci_ways_look(wc_call *call, wci_ways *ways, wci_way_try what, void *arg, wc_error **err)
{
    size_t present = ways->at;
    int32_t code = WC_E_NOT_FOUND, result = WC_E_INTERNAL;
    wc_error *why = NULL;
    for (; code && ways->at < ways->count; ways->at++) {
        wc_error *reason = NULL;
        code = try_present(call, ways, what, arg, &reason);
        int counts = result != WC_E_NOT_FOUND || wci_call_check(call, NULL);
        if (!code || counts) {
            wc_error_unref(why);
            why = reason;
            result = code;
        } else {
            wc_error_unref(reason);
        }
    }
    ways->at = present;
    return why ? wci_err_move(err, why) : result;
}
