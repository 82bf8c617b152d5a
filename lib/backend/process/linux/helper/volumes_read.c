/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "backend/process/linux/helper/volumes.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define WHAT "volumes of the request"

static void clear(volume *v)
{
    char *const texts[] = {v->type,  v->name,    v->target, v->source,    v->subpath,
                           v->label, v->fs_type, v->device, v->fs_options};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wci_free(texts[i]);
    wci_strv_free(&v->layers);
}

void volumes_free(request *req)
{
    for (size_t i = 0; i < req->volume_count; i++)
        clear(&req->volumes[i]);
    wci_free(req->volumes);
    req->volumes = NULL;
    req->volume_count = 0;
}

static int32_t take_text(json_t *item, const char *key, char **out, wc_error **err)
{
    const char *text = "";
    int32_t rc = wci_json_get_string(item, key, WHAT, &text, err);
    if (!rc && !(*out = wci_strdup(text ? text : "")))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t take_texts(json_t *item, volume *v, wc_error **err)
{
    const struct {
        const char *key;
        char **out;
    } texts[] = {{"type", &v->type},       {"name", &v->name},       {"target", &v->target},
                 {"source", &v->source},   {"subpath", &v->subpath}, {"label", &v->label},
                 {"fsType", &v->fs_type},  {"device", &v->device},   {"fsOptions", &v->fs_options}};
    int32_t rc = wci_json_get_strings(item, "layers", WHAT, &v->layers, err);
    for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++)
        rc = take_text(item, texts[i].key, texts[i].out, err);
    return rc;
}

static int32_t take(json_t *item, volume *v, wc_error **err)
{
    int64_t number = 0;
    int32_t rc = take_texts(item, v, err);
    if (!rc)
        rc = wci_json_get_int(item, "number", WHAT, 0, INT32_MAX, &number, err);
    if (!rc)
        rc = wci_json_get_bool(item, "copy", WHAT, &v->copy, err);
    if (!rc)
        rc = wci_json_get_bool(item, "owner", WHAT, &v->owner, err);
    if (!rc)
        rc = wci_json_get_bool(item, "readOnly", WHAT, &v->read_only, err);
    if (!rc && v->target[0] != '/')
        rc = wci_err(err, WC_E_FORMAT, WHAT ": a target is not absolute");
    v->number = (size_t)number;
    return rc;
}

int32_t volumes_read(json_t *storage, request *out, wc_error **err)
{
    json_t *mounts = NULL;
    int64_t uid = 0, gid = 0;
    if (!storage)
        return WC_OK;
    int32_t rc = wci_json_get_array(storage, "mounts", WHAT, &mounts, err);
    if (!rc)
        rc = wci_json_get_int(storage, "uid", WHAT, 0, UINT32_MAX, &uid, err);
    if (!rc)
        rc = wci_json_get_int(storage, "gid", WHAT, 0, UINT32_MAX, &gid, err);
    if (!rc && !(out->volumes = wci_calloc(json_array_size(mounts) + 1, sizeof *out->volumes)))
        rc = wci_err_nomem(err);
    for (size_t i = 0; !rc && i < json_array_size(mounts); i++)
        rc = take(json_array_get(mounts, i), &out->volumes[out->volume_count++], err);
    out->uid = (uint32_t)uid;
    out->gid = (uint32_t)gid;
    return rc;
}
