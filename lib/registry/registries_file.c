/* SPDX-License-Identifier: Apache-2.0 */
/* Reading registries.conf and the files that add to it. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/toml.h"
#include "platform/file.h"
#include "platform/host.h"
#include "registry/registries_data.h"

#define MAX_FILE ((size_t)1 << 20)

static void free_registry(wci_registry *registry)
{
    for (size_t i = 0; i < registry->mirror_count; i++)
        wci_free(registry->mirrors[i].location);
    wci_free(registry->mirrors);
    wci_free(registry->own.location);
    wci_free(registry->prefix);
    wci_free(registry->file);
}

static void clear(wci_registries *registries)
{
    for (size_t i = 0; i < registries->count; i++)
        free_registry(&registries->items[i]);
    wci_free(registries->items);
    wci_strv_free(&registries->alias_names);
    wci_strv_free(&registries->alias_values);
    wci_strv_free(&registries->search);
    wci_strv_free(&registries->helpers);
}

void wci_registries_free(wci_registries *registries)
{
    if (!registries)
        return;
    clear(registries);
    wci_free(registries);
}

int32_t wci_registries_new(wci_registries **out, wc_error **err)
{
    *out = wci_calloc(1, sizeof **out);
    if (*out && !wci_strv_add(&(*out)->helpers, WCI_HELPER_FILES))
        return WC_OK;
    wci_registries_free(*out);
    return wci_err_nomem(err);
}

static int32_t bad(const char *file, const char *value, const char *why, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(value, shown);
    return wci_err(err, WC_E_FORMAT, "'%s': '%s' %s", file, shown, why);
}

/* ---- [[registry]] --------------------------------------------------------------------------------- */

/* "host[:port][/path]" without the slashes at its end; *out NULL when the key is absent. */
static int32_t read_place(json_t *table, const char *key, const char *file, char **out, wc_error **err)
{
    const char *text = NULL;
    int32_t code = wci_json_get_string(table, key, file, &text, err);
    if (code || !text)
        return code;
    size_t n = strlen(text);
    while (n && text[n - 1] == '/')
        n--;
    if (!n || strpbrk(text, " \t\r\n?#\\%") || (strchr(text, '*') && strcmp(key, "prefix")) || strstr(text, "://") || *text == '/' || *text == ':')
        return bad(file, text, "is not a registry as HOST[:PORT][/PATH], without a scheme", err);
    *out = wci_strndup(text, n);
    return *out ? WC_OK : wci_err_nomem(err);
}

static int is_wildcard(const char *prefix)
{
    return wci_starts_with(prefix, "*.") && prefix[2] && !strpbrk(prefix + 1, "*:/@");
}

static int32_t read_pulls(json_t *table, const wci_registry *registry, const char *file, wci_pulls *out, wc_error **err)
{
    static const char *const words[] = {[WCI_PULLS_ALL] = "all", [WCI_PULLS_BY_DIGEST] = "digest-only",
                                        [WCI_PULLS_BY_TAG] = "tag-only"};
    const char *text = NULL;
    int32_t code = wci_json_get_string(table, "pull-from-mirror", file, &text, err);
    if (code || !text || !*text)
        return code;
    if (registry->mirror_by_digest_only)
        return bad(file, registry->prefix, "has mirror-by-digest-only, so its mirrors cannot have pull-from-mirror", err);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], text) != 0)
            continue;
        *out = (wci_pulls)i;
        return WC_OK;
    }
    return bad(file, text, "is no value for pull-from-mirror: all, digest-only or tag-only", err);
}

static int32_t read_mirror(json_t *table, const wci_registry *registry, const char *file, wci_endpoint *out,
                           wc_error **err)
{
    if (!json_is_object(table))
        return bad(file, registry->prefix, "has a mirror that is no table", err);
    int32_t code = read_place(table, "location", file, &out->location, err);
    if (!code && !out->location)
        code = bad(file, registry->prefix, "has a mirror without 'location'", err);
    if (!code)
        code = wci_json_get_bool(table, "insecure", file, &out->insecure, err);
    return code ? code : read_pulls(table, registry, file, &out->pulls, err);
}

static int32_t read_mirrors(json_t *table, const char *file, wci_registry *out, wc_error **err)
{
    json_t *list = NULL;
    int32_t code = wci_json_get_array(table, "mirror", file, &list, err);
    if (code || !list)
        return code;
    out->mirrors = wci_calloc(json_array_size(list) + 1, sizeof *out->mirrors);
    if (!out->mirrors)
        return wci_err_nomem(err);
    for (size_t i = 0; i < json_array_size(list) && !code; i++)
        code = read_mirror(json_array_get(list, i), out, file, &out->mirrors[out->mirror_count++], err);
    return code;
}

static int32_t read_prefix(json_t *table, const char *file, wci_registry *out, wc_error **err)
{
    int32_t code = read_place(table, "prefix", file, &out->prefix, err);
    if (!code)
        code = read_place(table, "location", file, &out->own.location, err);
    if (!code && !out->prefix && !out->own.location)
        return wci_err(err, WC_E_FORMAT, "'%s': a [[registry]] has neither 'prefix' nor 'location'", file);
    if (!code && !out->prefix && wci_replace(&out->prefix, out->own.location))
        return wci_err_nomem(err);
    if (!code && strchr(out->prefix, '*') && !is_wildcard(out->prefix))
        code = bad(file, out->prefix, "has a '*' elsewhere than in '*.HOST'", err);
    return code;
}

static int32_t read_registry(json_t *table, const char *file, wci_registry *out, wc_error **err)
{
    if (!json_is_object(table))
        return wci_err(err, WC_E_FORMAT, "'%s': 'registry' is no [[registry]]", file);
    int32_t code = read_prefix(table, file, out, err);
    if (!code && wci_replace(&out->file, file))
        code = wci_err_nomem(err);
    if (!code)
        code = wci_json_get_bool(table, "insecure", file, &out->own.insecure, err);
    if (!code)
        code = wci_json_get_bool(table, "blocked", file, &out->blocked, err);
    if (!code)
        code = wci_json_get_bool(table, "mirror-by-digest-only", file, &out->mirror_by_digest_only, err);
    return code ? code : read_mirrors(table, file, out, err);
}

/* Takes the place of what an earlier file said of the same prefix. */
static int32_t keep_registry(wci_registries *to, wci_registry *registry, wc_error **err)
{
    for (size_t i = 0; i < to->count; i++) {
        if (strcmp(to->items[i].prefix, registry->prefix) != 0)
            continue;
        if (!strcmp(to->items[i].file, registry->file))
            return bad(registry->file, registry->prefix, "has two [[registry]] tables", err);
        wci_registry old = to->items[i];
        to->items[i] = *registry;
        *registry = old;
        return WC_OK;
    }
    if (!wci_grow(&to->items, &to->cap, to->count + 1, sizeof *to->items))
        return wci_err_nomem(err);
    to->items[to->count++] = *registry;
    *registry = (wci_registry){.prefix = NULL};
    return WC_OK;
}

static int32_t add_registries(wci_registries *to, json_t *root, const char *file, wc_error **err)
{
    json_t *list = NULL;
    int32_t code = wci_json_get_array(root, "registry", file, &list, err);
    for (size_t i = 0; i < json_array_size(list) && !code; i++) {
        wci_registry registry = {.prefix = NULL};
        code = read_registry(json_array_get(list, i), file, &registry, err);
        if (!code)
            code = keep_registry(to, &registry, err);
        free_registry(&registry);
    }
    return code;
}

/* ---- Short names ---------------------------------------------------------------------------------- */

static int32_t set_alias(wci_registries *to, const char *name, const char *value, wc_error **err)
{
    for (size_t i = 0; i < to->alias_names.count; i++)
        if (!strcmp(to->alias_names.items[i], name))
            return wci_replace(&to->alias_values.items[i], value) ? wci_err_nomem(err) : WC_OK;
    int failed = wci_strv_add(&to->alias_values, value) || wci_strv_add(&to->alias_names, name);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_aliases(wci_registries *to, json_t *root, const char *file, wc_error **err)
{
    json_t *table = NULL, *value;
    const char *name;
    int32_t code = wci_json_get_object(root, "aliases", file, &table, err);
    json_object_foreach (table, name, value) {
        const char *text = json_string_value(value), *path = text ? strchr(text, '/') : NULL;
        if (code)
            break;
        if (!*name || strpbrk(name, ":@ ") || wci_name_has_host(name))
            code = bad(file, name, "is no short name, without registry, tag and digest", err);
        else if (!text || (*text && (!wci_name_has_host(text) || strpbrk(text, "@ ") || strchr(path, ':'))))
            code = bad(file, name, "must be an alias for a name with its registry, without tag and digest", err);
        else
            code = set_alias(to, name, text, err);
    }
    return code;
}

static int32_t add_search(wci_registries *to, json_t *root, const char *file, wc_error **err)
{
    static const char key[] = "unqualified-search-registries";
    wci_strv list = WCI_STRV_INIT;
    int32_t code = wci_json_get_strings(root, key, file, &list, err);
    for (size_t i = 0; i < list.count && !code; i++)
        if (strpbrk(list.items[i], "/@ \t*") || !wci_is_host_part(list.items[i], strlen(list.items[i])))
            code = bad(file, list.items[i], "is not HOST[:PORT], as unqualified-search-registries wants it", err);
    if (code || !json_object_get(root, key)) {
        wci_strv_free(&list);
        return code;
    }
    wci_strv_free(&to->search);
    to->search = list;
    to->has_search = 1;
    return WC_OK;
}

static int32_t add_mode(wci_registries *to, json_t *root, const char *file, wc_error **err)
{
    const char *mode = NULL;
    int32_t code = wci_json_get_string(root, "short-name-mode", file, &mode, err);
    if (code || !mode)
        return code;
    to->is_enforcing = !strcmp(mode, "enforcing");
    if (to->is_enforcing || !*mode || !strcmp(mode, "permissive") || !strcmp(mode, "disabled"))
        return WC_OK;
    return bad(file, mode, "is no short-name-mode: enforcing, permissive or disabled", err);
}

/* ---- Logins --------------------------------------------------------------------------------------- */

static int32_t add_helpers(wci_registries *to, json_t *root, const char *file, wc_error **err)
{
    static const char key[] = "credential-helpers";
    wci_strv list = WCI_STRV_INIT;
    int32_t code = wci_json_get_strings(root, key, file, &list, err);
    for (size_t i = 0; i < list.count && !code; i++)
        if (!*list.items[i] || strpbrk(list.items[i], "/\\ \t"))
            code = bad(file, list.items[i], "is no name of a credential helper", err);
    if (code || !list.count) {
        wci_strv_free(&list);
        return code;
    }
    wci_strv_free(&to->helpers);
    to->helpers = list;
    return WC_OK;
}

/* ---- Version 1 ------------------------------------------------------------------------------------ */

/* A [[registry]] for each of [registries.`list`]; one that is in both lists is one table. */
static int32_t turn_list(json_t *old, const char *list, const char *flag, json_t *tables, const char *file,
                         wc_error **err)
{
    json_t *part = NULL, *seen;
    wci_strv places = WCI_STRV_INIT;
    int32_t code = wci_json_get_object(old, list, file, &part, err);
    if (!code && part)
        code = wci_json_get_strings(part, "registries", file, &places, err);
    for (size_t i = 0; i < places.count && !code; i++) {
        size_t k;
        json_array_foreach (tables, k, seen)
            if (!strcmp(json_string_value(json_object_get(seen, "location")), places.items[i]))
                break;
        if (k == json_array_size(tables) && json_array_append_new(tables, json_pack("{s:s}", "location", places.items[i])))
            code = wci_err_nomem(err);
        if (!code && json_object_set_new(json_array_get(tables, k), flag, json_true()))
            code = wci_err_nomem(err);
    }
    wci_strv_free(&places);
    return code;
}

static int32_t turn_search(json_t *old, json_t *root, const char *file, wc_error **err)
{
    json_t *part = NULL, *list = NULL;
    int32_t code = wci_json_get_object(old, "search", file, &part, err);
    if (!code && part)
        code = wci_json_get_array(part, "registries", file, &list, err);
    return !code && list && json_object_set(root, "unqualified-search-registries", list) ? wci_err_nomem(err) : code;
}

/* Writes what [registries.…] says as version 2 does. The two are not mixed, as the tools that know both refuse, too. */
static int32_t turn_version_1(json_t *root, const char *file, wc_error **err)
{
    json_t *old = NULL;
    int32_t code = wci_json_get_object(root, "registries", file, &old, err);
    if (code || !old)
        return code;
    if (json_object_size(root) > 1)
        return wci_err(err, WC_E_FORMAT,
                       "'%s': [registries.…] is version 1, all else version 2, and a file has one of them; write [[registry]] "
                       "tables, see containers-registries.conf(5)",
                       file);
    json_t *tables = json_array();
    code = tables ? turn_list(old, "insecure", "insecure", tables, file, err) : wci_err_nomem(err);
    if (!code)
        code = turn_list(old, "block", "blocked", tables, file, err);
    if (!code)
        code = turn_search(old, root, file, err);
    if (!code && json_object_set(root, "registry", tables))
        code = wci_err_nomem(err);
    json_decref(tables);
    return code;
}

/* ---- Files ---------------------------------------------------------------------------------------- */

static int32_t add_root(wci_registries *to, json_t *root, const char *file, wc_error **err)
{
    int32_t code = turn_version_1(root, file, err);
    if (!code)
        code = add_registries(to, root, file, err);
    if (!code)
        code = add_search(to, root, file, err);
    if (!code)
        code = add_helpers(to, root, file, err);
    if (!code)
        code = add_mode(to, root, file, err);
    return code ? code : add_aliases(to, root, file, err);
}

int32_t wci_registries_add(wci_registries *registries, const char *text, size_t size, const char *file, wc_error **err)
{
    json_t *root = NULL;
    char *what = wci_asprintf("'%s'", file);
    int32_t code = what ? wci_toml_parse(text, size, MAX_FILE, what, &root, err) : wci_err_nomem(err);
    if (!code)
        code = add_root(registries, root, file, err);
    json_decref(root);
    wci_free(what);
    return code;
}

static int32_t add_file(wci_registries *to, const char *file, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t code = wci_file_read_all(file, MAX_FILE, &text, err);
    if (!code)
        code = wci_registries_add(to, wc_buf_data(text), wc_buf_size(text), file, err);
    wc_buf_unref(text);
    return code;
}

/* In the order of their names, each before those that came earlier. */
static int32_t add_dir(wci_registries *to, const char *dir, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = wci_file_exists(dir) ? wci_dir_list(dir, &names, err) : WC_OK;
    for (size_t i = 0; i < names.count && !code; i++) {
        if (!wci_ends_with(names.items[i], ".conf"))
            continue;
        char *file = wci_path_join(dir, names.items[i]);
        code = file ? add_file(to, file, err) : wci_err_nomem(err);
        wci_free(file);
    }
    wci_strv_free(&names);
    return code;
}

/* The directory that adds to a file. */
static int32_t add_dir_of(wci_registries *to, const char *file, wc_error **err)
{
    char *dir = wci_asprintf("%s.d", file);
    int32_t code = dir ? add_dir(to, dir, err) : wci_err_nomem(err);
    wci_free(dir);
    return code;
}

static int32_t add_named(wci_registries *to, const char *file, wc_error **err)
{
    int32_t code = add_file(to, file, err);
    return code ? code : add_dir_of(to, file, err);
}

/* The system's file and directory, and the user's directory. */
static int32_t add_system(wci_registries *to, const char *system, const char *own, wc_error **err)
{
    int32_t code = wci_file_exists(system) ? add_file(to, system, err) : WC_OK;
    if (!code)
        code = add_dir_of(to, system, err);
    return code ? code : add_dir_of(to, own, err);
}

/* What podman has asked its user for goes before all files. */
static int32_t add_recorded(wci_registries *to, wc_error **err)
{
    wci_registries recorded = {.items = NULL};
    char *file = wci_host_short_names();
    int32_t code = !file ? wci_err_nomem(err) : wci_file_exists(file) ? add_file(&recorded, file, err) : WC_OK;
    for (size_t i = 0; i < recorded.alias_names.count && !code; i++)
        code = set_alias(to, recorded.alias_names.items[i], recorded.alias_values.items[i], err);
    clear(&recorded);
    wci_free(file);
    return code;
}

static int32_t add_usual(wci_registries *to, wc_error **err)
{
    wci_strv usual = WCI_STRV_INIT; /* the user's, the system's */
    int32_t code = wci_host_container_files("registries.conf", &usual) ? wci_err_nomem(err) : WC_OK;
    if (!code)
        code = wci_file_exists(usual.items[0]) ? add_named(to, usual.items[0], err)
                                               : add_system(to, usual.items[1], usual.items[0], err);
    wci_strv_free(&usual);
    return code ? code : add_recorded(to, err);
}

int32_t wci_registries_load(const char *file, wci_registries **out, wc_error **err)
{
    wci_registries *registries = NULL;
    const char *named = file ? file : wci_host_env("CONTAINERS_REGISTRIES_CONF");
    int32_t code = wci_registries_new(&registries, err);
    if (!code)
        code = named && *named ? add_named(registries, named, err) : add_usual(registries, err);
    if (code)
        wci_registries_free(registries);
    else
        *out = registries;
    return code ? wci_err_wrap(err, code, "registries") : WC_OK;
}
