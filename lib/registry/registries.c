/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "registry/registries_data.h"

#define DEFAULT_HOST "docker.io"

int wci_is_host_part(const char *part, size_t size)
{
    if (size == strlen("localhost") && !strncmp(part, "localhost", size))
        return 1;
    for (size_t i = 0; i < size; i++)
        if (part[i] == '.' || part[i] == ':' || (part[i] >= 'A' && part[i] <= 'Z'))
            return 1;
    return 0;
}

int wci_name_has_host(const char *name)
{
    size_t n = strcspn(name, "/");
    return name[n] && wci_is_host_part(name, n);
}

const wci_strv *wci_registries_helpers(const wci_registries *registries)
{
    return &registries->helpers;
}

/* Where the tag or digest begins: at the '@', else at a ':' of the last part; else at the end. */
static size_t name_length(const char *name)
{
    size_t n = strcspn(name, "@"), colon = n;
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '/')
            colon = n;
        else if (name[i] == ':' && colon == n)
            colon = i;
    }
    return colon;
}

/* ---- Which table is meant ------------------------------------------------------------------------- */

/* How much of the name a prefix takes; 0: it does not fit. */
static size_t wildcard_length(const char *name, const char *domain)
{
    size_t n = strcspn(name, ":/@"), m = strlen(domain);
    return n > m && !memcmp(name + n - m, domain, m) ? n : 0;
}

static size_t prefix_length(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);
    if (wci_starts_with(prefix, "*."))
        return wildcard_length(name, prefix + 1);
    if (strncmp(name, prefix, n))
        return 0;
    /* What follows a host after ':' is a port, and another server. */
    int is_end = !name[n] || name[n] == '/' || name[n] == '@' || (name[n] == ':' && strchr(prefix, '/'));
    return is_end ? n : 0;
}

static int is_better(const wci_registry *one, size_t length, const wci_registry *other, size_t other_length)
{
    if (length != other_length)
        return length > other_length;
    return strlen(one->prefix) > strlen(other->prefix) || (other->prefix[0] == '*' && one->prefix[0] != '*');
}

static const wci_registry *find(const wci_registries *r, const char *name, size_t *length)
{
    const wci_registry *best = NULL;
    *length = 0;
    for (size_t i = 0; i < r->count; i++) {
        size_t n = prefix_length(name, r->items[i].prefix);
        if (!n || (best && !is_better(&r->items[i], n, best, *length)))
            continue;
        best = &r->items[i];
        *length = n;
    }
    return best;
}

static int32_t blocked(const wci_registry *registry, wc_error **err)
{
    return wci_err(err, WC_E_PERMISSION,
                   "registry '%s': blocked in '%s'; use another one, or have 'blocked' taken out of that file",
                   registry->prefix, registry->file);
}

int32_t wci_registries_check(const wci_registries *registries, const char *name, int *insecure, wc_error **err)
{
    size_t length;
    const wci_registry *found = find(registries, name, &length);
    if (found && found->blocked)
        return blocked(found, err);
    *insecure = found && found->own.insecure;
    return WC_OK;
}

/* ---- Sites ---------------------------------------------------------------------------------------- */

void wci_sites_free(wci_sites *sites)
{
    for (size_t i = 0; i < sites->count; i++) {
        wci_free(sites->items[i].host);
        wci_free(sites->items[i].repository);
        wci_free(sites->items[i].target);
    }
    wci_free(sites->items);
    *sites = (wci_sites)WCI_SITES_INIT;
}

/* Takes a whole name apart. */
static int32_t split(const char *name, wci_site *out, wc_error **err)
{
    size_t host = strcspn(name, "/"), end = name_length(name);
    const char *at = strchr(name, '@');
    if (!name[host] || !host || end <= host + 1)
        return wci_err(err, WC_E_INVALID, "'%.255s': not a host with a repository", name);
    out->host = wci_strndup(name, host);
    out->repository = wci_strndup(name + host + 1, end - host - 1);
    out->target = wci_strdup(at ? at + 1 : name[end] ? name + end + 1 : "latest");
    return out->host && out->repository && out->target ? WC_OK : wci_err_nomem(err);
}

/* The name with its first `length` bytes replaced by the place of the endpoint. */
static int32_t add_site(wci_sites *out, const char *name, size_t length, const wci_endpoint *endpoint, int is_mirror,
                          wc_error **err)
{
    wci_site *site = &out->items[out->count];
    *site = (wci_site){.insecure = endpoint && endpoint->insecure, .is_mirror = is_mirror};
    int is_moved = endpoint && endpoint->location;
    char *whole = wci_asprintf("%s%s", is_moved ? endpoint->location : "", is_moved ? name + length : name);
    int32_t code = whole ? split(whole, site, err) : wci_err_nomem(err);
    wci_free(whole);
    out->count++;
    return code;
}

static int may_use(const wci_registry *registry, const wci_endpoint *mirror, const char *name)
{
    int has_digest = strchr(name, '@') != NULL;
    if (registry->mirror_by_digest_only || mirror->pulls == WCI_PULLS_BY_DIGEST)
        return has_digest;
    return mirror->pulls == WCI_PULLS_ALL || !has_digest;
}

static int32_t list_sites(const wci_registry *registry, size_t length, const char *name, wci_sites *out,
                            wc_error **err)
{
    size_t mirrors = registry ? registry->mirror_count : 0;
    int32_t code = WC_OK;
    out->items = wci_calloc(mirrors + 1, sizeof *out->items);
    if (!out->items)
        return wci_err_nomem(err);
    for (size_t i = 0; i < mirrors && !code; i++)
        if (may_use(registry, &registry->mirrors[i], name))
            code = add_site(out, name, length, &registry->mirrors[i], 1, err);
    return code ? code : add_site(out, name, length, registry ? &registry->own : NULL, 0, err);
}

int32_t wci_registries_sites(const wci_registries *registries, const char *name, wci_sites *out, wc_error **err)
{
    size_t length;
    wci_sites sites = WCI_SITES_INIT;
    const wci_registry *found = find(registries, name, &length);
    if (found && found->blocked)
        return blocked(found, err);
    int32_t code = list_sites(found, length, name, &sites, err);
    if (code)
        wci_sites_free(&sites);
    else
        *out = sites;
    return code;
}

int32_t wci_registries_named(const wci_registries *registries, const char *name, wci_sites *out, wc_error **err)
{
    wci_sites sites = WCI_SITES_INIT;
    int insecure = 0;
    int32_t code = wci_registries_check(registries, name, &insecure, err);
    if (!code)
        code = list_sites(NULL, 0, name, &sites, err);
    if (code) {
        wci_sites_free(&sites);
        return code;
    }
    sites.items[0].insecure = insecure;
    *out = sites;
    return WC_OK;
}

/* ---- Short names ---------------------------------------------------------------------------------- */

static int32_t add_name(wci_strv *out, const char *first, const char *between, const char *rest, wc_error **err)
{
    return wci_strv_add_take(out, wci_asprintf("%s%s%s", first, between, rest)) ? wci_err_nomem(err) : WC_OK;
}

/* The value of an alias, lent, or NULL. */
static const char *find_alias(const wci_registries *r, const char *name, size_t length)
{
    for (size_t i = 0; i < r->alias_names.count; i++)
        if (strlen(r->alias_names.items[i]) == length && !memcmp(r->alias_names.items[i], name, length))
            return *r->alias_values.items[i] ? r->alias_values.items[i] : NULL;
    return NULL;
}

static int32_t ambiguous(const wci_registries *r, const char *short_name, wc_error **err)
{
    wci_str list = WCI_STR_INIT;
    for (size_t i = 0; i < r->search.count; i++)
        wci_str_printf(&list, "%s'%s/%s'", i ? " or " : "", r->search.items[i], short_name);
    if (list.failed) {
        wci_str_free(&list);
        return wci_err_nomem(err);
    }
    wci_err(err, WC_E_INVALID, "image name '%s': may be %s, and registries.conf wants no guessing; write the one you mean",
            short_name, list.data);
    wci_str_free(&list);
    return WC_E_INVALID;
}

int32_t wci_registries_expand(const wci_registries *registries, const char *short_name, wci_strv *out, wc_error **err)
{
    size_t length = name_length(short_name);
    const char *alias = find_alias(registries, short_name, length);
    int32_t code = WC_OK;
    if (alias)
        return add_name(out, alias, "", short_name + length, err);
    if (!registries->has_search)
        return add_name(out, DEFAULT_HOST, "/", short_name, err);
    if (!registries->search.count)
        return wci_err(err, WC_E_INVALID,
                       "image name '%s': registries.conf lists no registries for short names; write the name with its "
                       "registry",
                       short_name);
    if (registries->is_enforcing && registries->search.count > 1)
        return ambiguous(registries, short_name, err);
    for (size_t i = 0; i < registries->search.count && !code; i++)
        code = add_name(out, registries->search.items[i], "/", short_name, err);
    return code;
}
