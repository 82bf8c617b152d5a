/* SPDX-License-Identifier: Apache-2.0 */
#include "image/names.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/reference.h"
#include "registry/registries.h"

static int32_t format_reference(wci_reference *ref, char **out, wc_error **err)
{
    if (wci_digest_is_set(&ref->digest)) {
        wci_free(ref->tag);
        ref->tag = NULL;
    }
    char *text = wci_reference_format(ref);
    if (!text)
        return wci_err_nomem(err);
    *out = text;
    return WC_OK;
}

int32_t wci_name_normalise(const char *text, char **out, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(text, &ref, err);
    if (code)
        return code;
    code = format_reference(&ref, out, err);
    wci_reference_free(&ref);
    return code;
}

int32_t wci_name_normalise_tag(const char *text, char **out, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(text, &ref, err);
    if (code)
        return code;
    code = wci_digest_is_set(&ref.digest)
               ? wci_err(err, WC_E_INVALID,
                         "name '%s': a name for an image cannot have a digest; leave out what "
                         "follows the '@'",
                         text)
               : format_reference(&ref, out, err);
    wci_reference_free(&ref);
    return code;
}

static int32_t add_name(wci_strv *names, char *name, wc_error **err)
{
    if (wci_strv_contains(names, name)) {
        wci_free(name);
        return WC_OK;
    }
    return wci_strv_add_take(names, name) ? wci_err_nomem(err) : WC_OK;
}

/* In layouts a name may be a bare tag, "latest" or "v1.2", which does not say of what. */
static int is_bare_tag(const char *text)
{
    if (strchr(text, '/') || strchr(text, ':'))
        return 0;
    text += *text == 'v';
    return !strcmp(text, "latest") || (*text >= '0' && *text <= '9');
}

int32_t wci_names_collect(const wci_strv *found, int trusted, const wci_strv *wanted,
                          wci_strv *out, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; trusted && i < found->count && !code; i++) {
        char *name = NULL;
        if (!is_bare_tag(found->items[i]) && !wci_name_normalise(found->items[i], &name, NULL))
            code = add_name(out, name, err);
    }
    for (size_t i = 0; i < wanted->count && !code; i++) {
        char *name = NULL;
        code = wci_name_normalise_tag(wanted->items[i], &name, err);
        if (!code)
            code = add_name(out, name, err);
    }
    if (code)
        wci_strv_free(out);
    return code;
}

/* ---- Looking up --------------------------------------------------------------------------------- */

/* Whether a name of the image leads, in the wanted repository, to the wanted digest. */
static int is_pinned(const wci_image_record *record, const wci_reference *wanted)
{
    int is_manifest = wci_digest_equal(&record->manifest, &wanted->digest);
    for (size_t i = 0; i < record->names.count; i++) {
        wci_reference ref = WCI_REFERENCE_INIT;
        if (wci_reference_parse(record->names.items[i], &ref, NULL))
            continue;
        int same = !strcmp(ref.host, wanted->host) && !strcmp(ref.repository, wanted->repository);
        wci_reference_free(&ref);
        if (same && (is_manifest || !strcmp(record->name_indexes.items[i], wanted->digest.text)))
            return 1;
    }
    return 0;
}

/* "repository@digest": the digest of a manifest, or of the index that it was chosen from. */
static int32_t find_pinned(wci_store *store, const wci_reference *wanted, wci_image_record **out,
                           wc_error **err)
{
    wci_image_record **all = NULL;
    size_t count = 0;
    int32_t code = wci_image_list(store, &all, &count, err);
    if (code)
        return code;
    code = WC_E_NOT_FOUND;
    for (size_t i = 0; i < count && code; i++) {
        if (is_pinned(all[i], wanted)) {
            *out = all[i];
            all[i] = all[--count];
            code = WC_OK;
        }
    }
    wci_image_records_free(all, count);
    return code;
}

static int32_t find_whole_name(wci_store *store, const char *text, wci_image_record **out, char **name,
                               wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    char *whole = NULL;
    if (wci_reference_parse(text, &ref, NULL))
        return WC_E_NOT_FOUND;
    int32_t code = format_reference(&ref, &whole, err);
    if (!code)
        code = wci_image_find(store, whole, out, err);
    if (!code && name) {
        *name = whole;
        whole = NULL;
    }
    if (code == WC_E_NOT_FOUND && wci_digest_is_set(&ref.digest)) {
        wci_err_clear(err);
        code = find_pinned(store, &ref, out, err);
    }
    wci_free(whole);
    wci_reference_free(&ref);
    return code;
}

/* By what registries.conf makes of a short name when it is pulled. A file that cannot be read is for those to
 * tell who pull. */
static int32_t find_short_name(wci_store *store, const char *text, wci_image_record **out, char **name, wc_error **err)
{
    wci_registries *registries = NULL;
    wci_strv names = WCI_STRV_INIT;
    int32_t code = WC_E_NOT_FOUND;
    if (!wci_registries_load(NULL, &registries, NULL))
        wci_registries_expand(registries, text, &names, NULL);
    for (size_t i = 0; i < names.count && code == WC_E_NOT_FOUND; i++) {
        wci_err_clear(err);
        code = find_whole_name(store, names.items[i], out, name, err);
    }
    wci_registries_free(registries);
    wci_strv_free(&names);
    return code;
}

static int32_t find_name(wci_store *store, const char *text, wci_image_record **out, char **name, wc_error **err)
{
    int32_t code = find_whole_name(store, text, out, name, err);
    if (code != WC_E_NOT_FOUND || wci_name_has_host(text))
        return code;
    wci_err_clear(err);
    return find_short_name(store, text, out, name, err);
}

int32_t wci_image_lookup(wci_store *store, const char *text, wci_image_record **out, char **name,
                         wc_error **err)
{
    wc_error *why = NULL;
    if (name)
        *name = NULL;
    int32_t code = find_name(store, text, out, name, &why);
    if (code == WC_E_NOT_FOUND) {
        wci_err_clear(&why);
        code = wci_image_find(store, text, out, &why);
    }
    if (code != WC_E_NOT_FOUND)
        return why ? wci_err_move(err, why) : code;
    wc_error_unref(why);
    char shown[WCI_SHOWN_SIZE];
    wci_show(text, shown);
    return wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store; pull it first", shown);
}

static void move_to_front(wci_strv *list, size_t i)
{
    char *item = list->items[i];
    memmove(&list->items[1], &list->items[0], i * sizeof *list->items);
    list->items[0] = item;
}

void wci_names_put_first(wci_image_record *record, const char *name)
{
    for (size_t i = 1; i < record->names.count; i++) {
        if (strcmp(record->names.items[i], name) != 0)
            continue;
        move_to_front(&record->names, i);
        move_to_front(&record->name_indexes, i);
        return;
    }
}

void wci_index_of_name(const wci_image_record *image, const char *name, wci_digest *out)
{
    *out = image->index;
    for (size_t i = 0; name && i < image->names.count; i++) {
        if (strcmp(image->names.items[i], name) != 0)
            continue;
        *out = (wci_digest){""};
        if (*image->name_indexes.items[i])
            wci_digest_parse(image->name_indexes.items[i], out, NULL);
    }
}
