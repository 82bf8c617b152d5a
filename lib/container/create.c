/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container/connect.h"
#include "container/container.h"
#include "container/group.h"
#include "container/merge.h"
#include "container/mount_settle.h"
#include "container/names.h"
#include "core/alloc.h"
#include "core/error.h"
#include "image/names.h"
#include "image/reference.h"
#include "platform/host.h"

#define NAME_ATTEMPTS 20

int32_t wci_ctr_new(wci_engine *engine, const char *id, wc_container **out, wc_error **err)
{
    wc_container *c = wci_calloc(1, sizeof *c);
    if (!c)
        return wci_err_nomem(err);
    wci_ref_init(&c->refs);
    memcpy(c->id, id, strlen(id) + 1);
    c->engine = wci_engine_ref(engine);
    *out = c;
    return WC_OK;
}

void wci_ctr_free(wc_container *container)
{
    wci_engine_unref(container->engine);
    wci_free(container);
}

/* ---- The image -------------------------------------------------------------------------------- */

/* As the store knows it: a digest when there is one, else the whole name. NULL: no reference. */
static char *full_name(const char *image)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    char *name = NULL;
    if (!wci_reference_parse(image, &ref, NULL))
        name = wci_digest_is_set(&ref.digest) ? wci_strdup(ref.digest.text)
                                              : wci_reference_format(&ref);
    wci_reference_free(&ref);
    return name;
}

/* A name goes before an id that is written the same. */
int32_t wci_ctr_find_image(wci_store *store, const char *image, wci_image_record **out, wc_error **err)
{
    char *name = full_name(image);
    int32_t rc = name ? wci_image_find(store, name, out, NULL) : WC_E_NOT_FOUND;
    wci_free(name);
    if (rc == WC_OK)
        return WC_OK;
    return wci_image_lookup(store, image, out, NULL, err);
}

static int32_t settle(wci_engine *engine, const wc_container_options *options,
                      const wci_image_record *image, const char *id, wci_config *out,
                      wc_error **err)
{
    wci_image_config *config = NULL;
    int32_t rc = wci_image_config_load(engine->store, image, &config, err);
    if (!rc)
        rc = wci_config_merge(&(wci_merge){.options = options, .image = config, .id = id}, image->config.text, out,
                              err);
    if (!rc)
        rc = wci_mounts_settle(engine, out, err);
    if (!rc)
        rc = wci_grp_join(engine, out, err);
    wci_image_config_free(config);
    if (!rc)
        wci_resources_warn(out, engine->log);
    return rc;
}

/* ---- The backend ------------------------------------------------------------------------------ */

static int gives_isolation(const wci_backend *backend, const char *isolation)
{
    int is_vm = (wci_backend_capabilities(backend) & WC_BACKEND_HYPERV) != 0;
    return is_vm == !strcmp(isolation, "hyperv");
}

/* The context's own backend when it gives the isolation, else the first that does. */
static int32_t choose_backend(wc_call *call, wci_engine *engine, const char *isolation,
                              char **out, wc_error **err)
{
    wci_backend *backend = NULL;
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_backends_get(engine->backends, call, engine->default_backend, &backend, err);
    int fits = !rc && gives_isolation(backend, isolation);
    if (!rc && !fits)
        rc = wci_backends_names(engine->backends, &names, err);
    for (size_t i = 0; !rc && !fits && i < names.count; i++) {
        wci_backend_unref(backend);
        backend = NULL;
        fits = !wci_backends_get(engine->backends, call, names.items[i], &backend, NULL) &&
               gives_isolation(backend, isolation);
    }
    if (!rc && !fits)
        rc = wci_err(err, WC_E_UNSUPPORTED, "isolation '%s': no backend of this host gives it", isolation);
    if (!rc && wci_replace(out, wci_backend_name(backend)))
        rc = wci_err_nomem(err);
    wci_strv_free(&names);
    wci_backend_unref(backend);
    return rc;
}

/* Processes need the kernel that the image is made for; whoever brings one of his own judges himself. */
static int32_t check_platform(const wci_image_record *image, const char *backend, const char *name, wc_error **err)
{
    if (strcmp(backend, "process") != 0 || !*image->os || !strcmp(image->os, wci_host_os()))
        return WC_OK;
    return wci_err(err, WC_E_PLATFORM, "image '%s': is for %s/%s%s%s, and this host runs %s; choose an image for %s/%s", name,
                   image->os, image->arch, *image->os_version ? ":" : "", image->os_version, wci_host_os(),
                   wci_host_os(), wci_host_arch());
}

/* Who restarts is the monitor that records, too. */
int32_t wci_ctr_check_backend(wc_call *call, wci_engine *engine, const char *name, const wci_config *config,
                              wc_error **err)
{
    wci_backend *backend = NULL;
    int32_t rc = wci_backends_get(engine->backends, call, name, &backend, err);
    if (!rc && strcmp(config->restart_policy, "no") != 0 && !(wci_backend_capabilities(backend) & WC_BACKEND_RECORDS))
        rc = wci_err(err, WC_E_UNSUPPORTED, "restart policy '%s': backend '%s' starts nothing by itself",
                     config->restart_policy, name);
    wci_backend_unref(backend);
    return rc;
}

/* ---- The record ------------------------------------------------------------------------------- */

/* A container that is to be: its record, and what it mounts. */
typedef struct making {
    wci_container_record *record;
    wci_config config;
    wci_volume_use *uses; /* lent by the configuration */
    size_t use_count;
} making;

static int32_t insert_named(wc_call *call, wci_store *store, making *m, const char *name, wc_error **err)
{
    if (wci_replace(&m->record->name, name))
        return wci_err_nomem(err);
    return wci_container_insert_using(call, store, m->record, m->uses, m->use_count, err);
}

static int32_t insert(wc_call *call, wci_store *store, making *m, const char *name, wc_error **err)
{
    if (name)
        return insert_named(call, store, m, name, err);
    char made[WCI_NAME_SIZE];
    for (int attempt = 0;; attempt++) {
        wc_error *why = NULL;
        int32_t rc = wci_name_make(attempt, made, err);
        if (rc)
            return rc;
        rc = insert_named(call, store, m, made, &why);
        if (rc != WC_E_EXISTS || attempt == NAME_ATTEMPTS)
            return rc ? wci_err_move(err, why) : WC_OK;
        wc_error_unref(why);
    }
}

static int32_t fill(const wci_config *config, const wci_image_record *image,
                    wci_container_record *record, wc_error **err)
{
    record->image = image->manifest;
    record->image_name = wci_strdup(config->image);
    record->config = wci_config_to_json(config);
    record->error = wci_strdup("");
    record->created_ns = wci_now_ns();
    record->auto_remove = config->auto_remove;
    record->status = WCI_STATUS_CREATED;
    record->group_name = wci_strdup(config->group);
    return record->image_name && record->config && record->error && record->group_name ? WC_OK : wci_err_nomem(err);
}

static int32_t make_record(wc_call *call, wci_engine *engine, const wc_container_options *options, making *m,
                           wc_error **err)
{
    wci_image_record *image = NULL;
    wci_container_record *record = m->record;
    int32_t rc = wci_random_hex(32, record->id, err);
    if (!rc)
        rc = wci_ctr_find_image(engine->store, options->settings.image, &image, err);
    if (!rc)
        rc = settle(engine, options, image, record->id, &m->config, err);
    if (!rc)
        rc = choose_backend(call, engine, m->config.isolation, &record->backend, err);
    if (!rc)
        rc = check_platform(image, record->backend, options->settings.image, err);
    if (!rc)
        rc = wci_ctr_check_backend(call, engine, record->backend, &m->config, err);
    if (!rc)
        rc = wci_net_wishes(call, engine, &m->config, &record->endpoints, &record->endpoint_count, err);
    if (!rc)
        rc = fill(&m->config, image, record, err);
    if (!rc)
        rc = wci_mounts_uses(&m->config, &m->uses, &m->use_count, err);
    wci_image_record_free(image);
    return rc;
}

int32_t wci_ctr_create(wc_call *call, wci_engine *engine, const wc_container_options *options,
                       wc_container **out, wc_error **err)
{
    wc_container *c = NULL;
    making m = {.record = wci_calloc(1, sizeof *m.record)};
    int32_t rc = m.record ? wci_call_check(call, err) : wci_err_nomem(err);
    if (!rc)
        rc = make_record(call, engine, options, &m, err);
    if (!rc)
        rc = wci_ctr_new(engine, m.record->id, &c, err);
    if (!rc)
        rc = insert(call, engine->store, &m, options->name, err);
    wci_container_record_free(m.record);
    wci_config_free(&m.config);
    wci_free(m.uses);
    if (rc && c)
        wci_ctr_free(c);
    if (!rc)
        *out = c;
    return rc;
}

int32_t wci_ctr_open(wci_engine *engine, const char *id_or_name, wc_container **out,
                     wc_error **err)
{
    wci_container_record *record = NULL;
    wc_container *c = NULL;
    int64_t seen = 0;
    /* First the events: an end after this moment is still found when the container is gone. */
    int32_t rc = wci_event_last(engine->store, &seen, err);
    if (!rc)
        rc = wci_container_find(engine->store, id_or_name, &record, err);
    if (!rc)
        rc = wci_ctr_new(engine, record->id, &c, err);
    wci_container_record_free(record);
    if (rc)
        return rc;
    atomic_store(&c->seen_event, seen);
    *out = c;
    return WC_OK;
}
