/* SPDX-License-Identifier: Apache-2.0 */
#include "container/changes.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/export.h"
#include "layer/view.h"
#include "platform/tree.h"

enum { CHANGED = 0, ADDED = 1, DELETED = 2, MAX_DEPTH = 256 };

/* ---- What is not the container's doing -------------------------------------------------------------- */

/* Where something is mounted the runtime makes a place for it, in the layer that the container writes. */
static int32_t mount_points(const wci_container_record *record, wci_strv *out, wc_error **err)
{
    static const char *const always[] = {"dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf"};
    wci_config config = {0};
    int32_t rc = wci_config_from_json(record->config, &config, err);
    int failed = 0;
    for (size_t i = 0; !rc && i < sizeof always / sizeof *always; i++)
        failed |= wci_strv_add(out, always[i]);
    for (size_t i = 0; !rc && i < config.mount_count; i++)
        failed |= wci_strv_add(out, config.mounts[i].target + strspn(config.mounts[i].target, "/"));
    wci_config_free(&config);
    return failed ? wci_err_nomem(err) : rc;
}

/* ---- Listing ---------------------------------------------------------------------------------------- */

typedef struct lister {
    wc_call *call;
    wci_rootfs below; /* the image alone */
    wci_strv hidden;
    json_t *list;
} lister;

static int32_t is_below(const lister *l, const char *path, int *there, wc_error **err)
{
    char *found = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_view_lookup(l->below.levels, l->below.count, path, &found, &why);
    *there = !rc;
    wci_free(found);
    if (rc && rc != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

static int32_t add_change(lister *l, const char *path, int kind, wc_error **err)
{
    char *absolute = wci_asprintf("/%s", path);
    json_t *entry = absolute ? json_pack("{s:s%, s:i}", "Path", absolute, strlen(absolute), "Kind", kind) : NULL;
    /* A name that is not UTF-8 cannot be in JSON. */
    if (absolute && !entry)
        entry = json_pack("{s:s, s:i}", "Path", "(a name that is not UTF-8)", "Kind", kind);
    int failed = !entry || json_array_append_new(l->list, entry);
    wci_free(absolute);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t list_dir(lister *l, wci_fd dir, const char *path, int depth, wc_error **err);

static int32_t list_below(lister *l, wci_fd parent, const char *name, const char *path, int depth, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    if (depth >= MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "directories are deeper than %d levels", MAX_DEPTH);
    int32_t rc = wci_tree_open_dir(parent, name, &dir, err);
    if (!rc)
        rc = list_dir(l, dir, path, depth + 1, err);
    wci_fd_close(dir);
    return rc;
}

static int is_stub(const lister *l, const char *path, const wci_node_info *info)
{
    return wci_strv_contains(&l->hidden, path) &&
           (info->type == WCI_NODE_DIR || (info->type == WCI_NODE_FILE && !info->size));
}

static int32_t list_entry(lister *l, wci_fd dir, const char *name, const char *path, int depth, wc_error **err)
{
    wci_node_info info;
    int there = 0;
    int32_t rc = wci_call_check(l->call, err);
    if (!rc)
        rc = wci_tree_stat(dir, name, &info, err);
    if (rc || is_stub(l, path, &info))
        return rc;
    if (wci_tree_is_whiteout(&info))
        return add_change(l, path, DELETED, err);
    rc = is_below(l, path, &there, err);
    if (!rc)
        rc = add_change(l, path, there ? CHANGED : ADDED, err);
    return rc || info.type != WCI_NODE_DIR ? rc : list_below(l, dir, name, path, depth, err);
}

static int32_t list_dir(lister *l, wci_fd dir, const char *path, int depth, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_tree_list(dir, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        char *child = *path ? wci_path_join(path, names.items[i]) : wci_strdup(names.items[i]);
        rc = child ? list_entry(l, dir, names.items[i], child, depth, err) : wci_err_nomem(err);
        wci_free(child);
    }
    wci_strv_free(&names);
    return rc;
}

/* ---- Both ------------------------------------------------------------------------------------------- */

static char *upper_of(const wci_engine *engine, const char *id)
{
    char *dir = wci_container_dir(engine->store, id);
    char *upper = dir ? wci_path_join(dir, "upper") : NULL;
    wci_free(dir);
    return upper;
}

static int32_t open_image(wci_engine *engine, const wci_container_record *record, wci_rootfs *out, wc_error **err)
{
    wci_image_record *image = NULL;
    int32_t rc = wci_image_find(engine->store, record->image.text, &image, err);
    if (!rc)
        rc = wci_rootfs_open(engine->store, image, NULL, out, err);
    wci_image_record_free(image);
    return rc;
}

static int32_t list_changes(lister *l, wci_engine *engine, const wci_container_record *record, wc_error **err)
{
    wci_fd dir = WCI_FD_NONE;
    char *upper = upper_of(engine, record->id);
    int32_t rc = upper ? open_image(engine, record, &l->below, err) : wci_err_nomem(err);
    if (!rc)
        rc = mount_points(record, &l->hidden, err);
    if (!rc && wci_file_exists(upper)) {
        rc = wci_tree_open_root(upper, &dir, err);
        if (!rc)
            rc = list_dir(l, dir, "", 0, err);
        wci_fd_close(dir);
    }
    wci_free(upper);
    return rc;
}

int32_t wci_ctr_diff(wc_call *call, wc_container *c, wc_buf **out, wc_error **err)
{
    wci_container_record *record = NULL;
    lister l = {.call = call, .list = json_array()};
    int32_t rc = l.list ? wci_ctr_record(call, c->engine, c->id, &record, err) : wci_err_nomem(err);
    if (!rc)
        rc = list_changes(&l, c->engine, record, err);
    if (!rc)
        rc = wci_json_dump(l.list, out, err);
    wci_rootfs_free(&l.below);
    wci_strv_free(&l.hidden);
    json_decref(l.list);
    wci_container_record_free(record);
    return rc ? wci_err_wrap(err, rc, "container '%.12s': its changes", c->id) : WC_OK;
}

/* "NAME=value" of each label. */
static int copy_labels(wci_edit *edit, const wci_config *c)
{
    int failed = 0;
    for (size_t i = 0; i < c->label_keys.count && !failed; i++)
        failed = wci_env_set(&edit->labels, c->label_keys.items[i], c->label_values.items[i]);
    return failed;
}

/* What the container was made with becomes the image's, as of `docker commit`. */
static int copy_config(wci_edit *edit, const wci_config *c)
{
    edit->has_entrypoint = edit->has_cmd = 1;
    return wci_strv_copy(&edit->env, &c->env) || wci_strv_copy(&edit->ports, &c->ports) ||
           wci_strv_copy(&edit->volumes, &c->volumes) || wci_strv_copy(&edit->entrypoint, &c->entrypoint) ||
           wci_strv_copy(&edit->cmd, &c->cmd) || copy_labels(edit, c) || (*c->user && wci_replace(&edit->user, c->user)) ||
           (strcmp(c->workdir, "/") && wci_replace(&edit->workdir, c->workdir)) ||
           (strcmp(c->stop_signal, "SIGTERM") && wci_replace(&edit->stop_signal, c->stop_signal));
}

/* As Docker's history has it: what the container ran. */
static int set_created_by(wci_edit *edit, const wci_config *c)
{
    wci_strv args = WCI_STRV_INIT;
    wci_str text = WCI_STR_INIT;
    int failed = wci_config_args(c, &args);
    for (size_t i = 0; i < args.count; i++)
        wci_str_printf(&text, "%s%s", i ? " " : "", args.items[i]);
    failed = failed || text.failed || wci_replace(&edit->created_by, text.size ? text.data : "");
    wci_strv_free(&args);
    wci_str_free(&text);
    return failed;
}

static int32_t fill_config(wci_edit *edit, const wci_container_record *record, wc_error **err)
{
    wci_config config;
    int32_t rc = wci_config_from_json(record->config, &config, err);
    if (!rc && (copy_config(edit, &config) || set_created_by(edit, &config)))
        rc = wci_err_nomem(err);
    wci_config_free(&config);
    return rc;
}

static int32_t fill_edit(wci_engine *engine, const wci_container_record *record, wci_edit *edit, wc_error **err)
{
    wci_strv skip = WCI_STRV_INIT;
    char *upper = upper_of(engine, record->id);
    int32_t rc = upper ? mount_points(record, &skip, err) : wci_err_nomem(err);
    if (!rc && wci_replace(&edit->base, record->image.text))
        rc = wci_err_nomem(err);
    if (!rc && wci_file_exists(upper))
        rc = wci_edit_add_layer(edit, upper, 0, &skip, err);
    if (!rc)
        rc = fill_config(edit, record, err);
    wci_strv_free(&skip);
    wci_free(upper);
    return rc;
}

int32_t wci_ctr_edit(wc_call *call, wc_container *c, wci_edit *out, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_edit edit = WCI_EDIT_INIT;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (!rc && !wci_digest_is_set(&record->image))
        rc = wci_err(err, WC_E_STATE, "container '%s': has no image any more", record->name);
    if (!rc)
        rc = fill_edit(c->engine, record, &edit, err);
    wci_container_record_free(record);
    if (rc)
        wci_edit_free(&edit);
    else
        *out = edit;
    return rc;
}

int32_t wci_ctr_export(wc_call *call, wc_container *c, const char *path, wci_fd fd, wc_error **err)
{
    wci_edit edit = WCI_EDIT_INIT;
    int32_t rc = wci_ctr_edit(call, c, &edit, err);
    if (!rc)
        rc = path ? wci_export_to_file(call, c->engine->store, &edit, path, err)
                  : wci_export_to_fd(call, c->engine->store, &edit, fd, err);
    wci_edit_free(&edit);
    return rc ? wci_err_wrap(err, rc, "container '%.12s': cannot be exported", c->id) : WC_OK;
}
