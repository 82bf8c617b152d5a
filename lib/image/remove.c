/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/inspect.h"
#include "image/names.h"

/* Names by digest come and go with the tags of an image. */
static int is_tag(const char *name)
{
    return !strchr(name, '@');
}

static size_t count_tags(const wci_image_record *record, const char *besides)
{
    size_t count = 0;
    for (size_t i = 0; i < record->names.count; i++) {
        const char *name = record->names.items[i];
        count += is_tag(name) && !(besides && !strcmp(name, besides));
    }
    return count;
}

static int32_t untag(wc_call *call, wci_store *store, const wci_image_record *record, const char *name,
                     wci_strv *removed, int *changed, wc_error **err)
{
    int32_t code = wci_image_untag_seen(call, store, record, name, changed, err);
    if (!code && !*changed && wci_strv_add_take(removed, wci_asprintf("Untagged: %s", name)))
        code = wci_err_nomem(err);
    return code;
}

static int32_t has_other_names(const wci_image_record *record, const char *text, wc_error **err)
{
    wci_str names = WCI_STR_INIT;
    for (size_t i = 0; i < record->names.count; i++)
        if (is_tag(record->names.items[i]))
            wci_str_printf(&names, "%s'%s'", names.size ? ", " : "", record->names.items[i]);
    int32_t code = wci_err(err, WC_E_IN_USE,
                           "image '%s': it has several names (%s); remove them one by one, or "
                           "force it",
                           text, names.data ? names.data : "");
    wci_str_free(&names);
    return code;
}

/* What was removed when an image ID was meant: several manifests may have one configuration, whose digest is
 * the ID of all of them. */
typedef struct meant {
    wci_digest id, manifest;
} meant;

static int32_t forget(wc_call *call, wci_store *store, const char *name_or_id, int force, wci_strv *removed,
                      meant *by_id, int *changed, wc_error **err)
{
    wci_image_record *record = NULL;
    char *name = NULL;
    int32_t code = wci_image_lookup(store, name_or_id, &record, &name, err);
    if (code)
        return code;
    if (!name && strcmp(name_or_id, record->manifest.text) != 0)
        *by_id = (meant){record->config, record->manifest};
    if (name && count_tags(record, name))
        code = untag(call, store, record, name, removed, changed, err);
    else if (!name && !force && count_tags(record, NULL) > 1)
        code = has_other_names(record, name_or_id, err);
    else
        code = wci_image_remove_seen(call, store, record, force, removed, changed, err);
    wci_free(name);
    wci_image_record_free(record);
    return code;
}

/* Others may tag and remove meanwhile: a name that came in between must not go with the image, and of two last
 * names that go at once the second takes the image along. */
static int32_t forget_one(wc_call *call, wci_store *store, const char *name_or_id, int force,
                          wci_strv *removed, meant *by_id, wc_error **err)
{
    int changed;
    int32_t code;
    do {
        changed = 0;
        code = forget(call, store, name_or_id, force, removed, by_id, &changed, err);
    } while (!code && changed);
    return code;
}

/* One that stays, for a container, is no other. */
static int has_another(wci_store *store, const meant *last)
{
    wci_image_record *record = NULL;
    if (!wci_digest_is_set(&last->id) || wci_image_find(store, last->id.text, &record, NULL))
        return 0;
    int another = !wci_digest_equal(&record->manifest, &last->manifest);
    wci_image_record_free(record);
    return another;
}

int32_t wci_image_forget(wc_call *call, wci_store *store, const char *name_or_id, int force,
                         wci_strv *removed, wc_error **err)
{
    meant last = {{""}, {""}};
    int32_t code = forget_one(call, store, name_or_id, force, removed, &last, err);
    while (!code && has_another(store, &last))
        code = forget_one(call, store, last.id.text, force, removed, &last, err);
    return code;
}
