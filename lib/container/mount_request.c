/* SPDX-License-Identifier: Apache-2.0 */
#include "container/mount_request.h"

#include <string.h>

#include "container/mount.h"
#include "container/rootfs.h"
#include "container/volume.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

typedef struct planner {
    wci_engine *engine;
    const char *run_dir;
    wci_mount_plan *plan;
} planner;

void wci_mount_plan_free(wci_mount_plan *plan)
{
    wci_strv_free(&plan->sources);
    wci_strv_free(&plan->flags);
    json_decref(plan->mounts);
    *plan = (wci_mount_plan)WCI_MOUNT_PLAN_INIT;
}

/* ---- For the helper ----------------------------------------------------------------------------- */

static int set_text(json_t *object, const char *key, const char *text)
{
    return text && *text ? json_object_set_new(object, key, json_string(text)) : 0;
}

/* What all kinds have. */
static int describe(const wci_mount *m, size_t number, json_t *object)
{
    const char *label = wci_mount_has(m, "z") ? "z" : wci_mount_has(m, "Z") ? "Z" : "";
    return json_object_set_new(object, "number", json_integer((json_int_t)number)) |
           set_text(object, "type", m->type) | set_text(object, "target", m->target) | set_text(object, "label", label) |
           set_text(object, "subpath", wci_mount_value(m, "subpath")) |
           json_object_set_new(object, "owner", json_boolean(wci_mount_has(m, "U"))) |
           json_object_set_new(object, "readOnly", json_boolean(wci_mount_has(m, "ro")));
}

static int set_option(json_t *object, const char *key, const wci_volume_record *record, const char *option)
{
    char *value = wci_volume_option(record, option);
    int failed = set_text(object, key, value);
    wci_free(value);
    return failed;
}

static int32_t describe_volume(planner *p, const wci_mount *m, json_t *object, wc_error **err)
{
    wci_volume_record record;
    int32_t rc = wci_volume_find(p->engine->store, m->source, &record, err);
    if (rc)
        return wci_err_wrap(err, rc, "mount at '%s'", m->target);
    char *dir = wci_volume_dir(p->engine->store, m->source);
    int failed = !dir || set_text(object, "name", m->source) || set_text(object, "source", dir) ||
                 set_option(object, "fsType", &record, "type") || set_option(object, "device", &record, "device") ||
                 set_option(object, "fsOptions", &record, "o") ||
                 json_object_set_new(object, "copy", json_boolean(!wci_mount_has(m, "nocopy")));
    wci_free(dir);
    wci_volume_record_clear(&record);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t describe_image(planner *p, const wci_mount *m, json_t *object, wc_error **err)
{
    const char *manifest = wci_mount_value(m, WCI_MOUNT_IMAGE);
    wci_image_record *image = NULL;
    wci_rootfs rootfs = {NULL, 0, 0};
    wci_strv layers = WCI_STRV_INIT;
    int32_t rc = wci_image_find(p->engine->store, manifest ? manifest : m->source, &image, err);
    if (!rc)
        rc = wci_rootfs_open(p->engine->store, image, NULL, &rootfs, err);
    if (!rc)
        rc = wci_rootfs_layers(&rootfs, &layers, err);
    if (!rc && (set_text(object, "name", m->source) ||
                json_object_set_new(object, "layers", wci_json_from_strv(&layers))))
        rc = wci_err_nomem(err);
    wci_strv_free(&layers);
    wci_rootfs_free(&rootfs);
    wci_image_record_free(image);
    return rc ? wci_err_wrap(err, rc, "mount at '%s'", m->target) : WC_OK;
}

/* ---- For the runtime ---------------------------------------------------------------------------- */

/* A volume as it lies in the store is mounted from there; what the helper has to mount first from its place. */
static char *source_of(const planner *p, const wci_mount *m, size_t number, const json_t *object)
{
    int is_volume = !strcmp(m->type, "volume");
    if (!is_volume && strcmp(m->type, "image"))
        return wci_strdup("");
    if (is_volume && !json_object_get(object, "fsType") && !json_object_get(object, "subpath"))
        return wci_volume_data(p->engine->store, m->source);
    return wci_asprintf("%s/volumes/%zu", p->run_dir, number);
}

/* A runtime that mounts anew what is mounted already may drop these unless it is told again. */
static char *flags_of(const json_t *object)
{
    static const char *const kept[] = {"ro", "nosuid", "nodev", "noexec"};
    const char *options = json_string_value(json_object_get(object, "fsOptions"));
    wci_str flags = WCI_STR_INIT;
    wci_str_printf(&flags, "%s", "");
    for (const char *p = options; p && *p;) {
        size_t size = strcspn(p, ",");
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            if (strlen(kept[i]) == size && !memcmp(kept[i], p, size))
                wci_str_printf(&flags, "%s%s", flags.size ? "," : "", kept[i]);
        p += size + (p[size] == ',');
    }
    return wci_str_take(&flags);
}

static int32_t plan_one(planner *p, const wci_mount *m, size_t number, wc_error **err)
{
    json_t *object = json_object();
    int32_t rc = object && !describe(m, number, object) ? WC_OK : wci_err_nomem(err);
    if (!rc && !strcmp(m->type, "volume"))
        rc = describe_volume(p, m, object, err);
    else if (!rc && !strcmp(m->type, "image"))
        rc = describe_image(p, m, object, err);
    else if (!rc && set_text(object, "source", m->source))
        rc = wci_err_nomem(err);
    if (!rc && (wci_strv_add_take(&p->plan->sources, source_of(p, m, number, object)) ||
                wci_strv_add_take(&p->plan->flags, flags_of(object))))
        rc = wci_err_nomem(err);
    if (!rc && strcmp(m->type, "tmpfs") && json_array_append(p->plan->mounts, object))
        rc = wci_err_nomem(err);
    json_decref(object);
    return rc;
}

int32_t wci_mount_plan_make(wci_engine *engine, const wci_config *config, const char *run_dir, wci_mount_plan *out,
                            wc_error **err)
{
    wci_mount_plan plan = {WCI_STRV_INIT, WCI_STRV_INIT, json_array()};
    planner p = {engine, run_dir, &plan};
    int32_t rc = plan.mounts ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; !rc && i < config->mount_count; i++)
        rc = plan_one(&p, &config->mounts[i], i, err);
    if (rc)
        wci_mount_plan_free(&plan);
    else
        *out = plan;
    return rc;
}

char *wci_mount_plan_text(const wci_mount_plan *plan, const wci_user *user)
{
    json_t *json = json_pack("{s:I, s:I, s:O}", "uid", (json_int_t)(user ? user->uid : 0), "gid",
                             (json_int_t)(user ? user->gid : 0), "mounts", plan->mounts);
    char *text = json ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    return text;
}
