/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/edit.h>

#include <string.h>

#include "api/image.h"
#include "container/changes.h"
#include "core/alloc.h"
#include "image/edit.h"
#include "image/instruction.h"

struct wc_image_edit {
    wc_context *context;
    wci_edit edit;
};

static int32_t make_edit(wc_context *context, wc_image_edit **out, wc_error **err)
{
    wc_image_edit *edit = wci_calloc(1, sizeof *edit);
    if (!edit)
        return wci_err_nomem(err);
    edit->context = wc_context_ref(context);
    edit->edit = (wci_edit)WCI_EDIT_INIT;
    *out = edit;
    return WC_OK;
}

int32_t wc_image_edit_new(wc_context *context, const char *base, wc_image_edit **out, wc_error **err)
{
    wc_call call;
    wc_image_edit *edit = NULL;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!base || *base, "base is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = make_edit(context, &edit, err);
    if (!rc && wci_replace(&edit->edit.base, base))
        rc = wci_err_nomem(err);
    if (rc)
        wc_image_edit_unref(edit);
    else
        *out = edit;
    return rc;
}

int32_t wc_image_edit_new_from_container(wc_context *context, wc_container *container, wc_image_edit **out,
                                         wc_error **err)
{
    wc_call call;
    wc_image_edit *edit = NULL;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(container, "container is NULL");
    WCI_REQUIRE(container->engine == context->engine, "container belongs to another context");
    WCI_REQUIRE(out, "out is NULL");
    rc = make_edit(context, &edit, err);
    if (!rc)
        rc = wci_ctr_edit(&call, container, &edit->edit, err);
    if (rc)
        wc_image_edit_unref(edit);
    else
        *out = edit;
    return rc;
}

void wc_image_edit_unref(wc_image_edit *edit)
{
    if (!edit)
        return;
    wci_edit_free(&edit->edit);
    wc_context_unref(edit->context);
    wci_free(edit);
}

/* ---- Layers --------------------------------------------------------------------------------------- */

static int32_t add_layer(wc_image_edit *edit, const char *path, int is_tar, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_edit_add_layer(&edit->edit, path, is_tar, NULL, err);
}

int32_t wc_image_edit_add_directory(wc_image_edit *edit, const char *path, wc_error **err)
{
    return add_layer(edit, path, 0, err);
}

int32_t wc_image_edit_add_tar(wc_image_edit *edit, const char *path, wc_error **err)
{
    return add_layer(edit, path, 1, err);
}

int32_t wc_image_edit_set_compression(wc_image_edit *edit, const char *codec, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(codec, "codec is NULL");
    if (!strcmp(codec, "gzip"))
        edit->edit.codec = WCI_CODEC_GZIP;
    else if (!strcmp(codec, "zstd"))
        edit->edit.codec = WCI_CODEC_ZSTD;
    else if (!strcmp(codec, "none"))
        edit->edit.codec = WCI_CODEC_NONE;
    else
        return wci_err(err, WC_E_INVALID, "compression '%.40s': must be gzip, zstd or none", codec);
    return WC_OK;
}

int32_t wc_image_edit_set_squash(wc_image_edit *edit, uint32_t layers, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    edit->edit.squashes = 1;
    edit->edit.squash_count = layers;
    return WC_OK;
}

int32_t wc_image_edit_set_base(wc_image_edit *edit, const char *old_base, const char *new_base, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(old_base && *old_base && new_base && *new_base, "a base is empty");
    return wci_replace(&edit->edit.old_base, old_base) || wci_replace(&edit->edit.new_base, new_base)
               ? wci_err_nomem(err)
               : WC_OK;
}

int32_t wc_image_edit_set_recompress(wc_image_edit *edit, int32_t recompress, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    edit->edit.recompresses = recompress != 0;
    return WC_OK;
}

/* ---- Configuration -------------------------------------------------------------------------------- */

static int32_t add_pair(wci_strv *pairs, const char *name, const char *value, wc_error **err)
{
    WCI_REQUIRE(name && *name && !strchr(name, '='), "the name is empty or holds '='");
    WCI_REQUIRE(value, "the value is NULL");
    return wci_strv_add_take(pairs, wci_asprintf("%s=%s", name, value)) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_add_env(wc_image_edit *edit, const char *name, const char *value, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    return add_pair(&edit->edit.env, name, value, err);
}

int32_t wc_image_edit_add_label(wc_image_edit *edit, const char *key, const char *value, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    return add_pair(&edit->edit.labels, key, value, err);
}

int32_t wc_image_edit_add_annotation(wc_image_edit *edit, const char *key, const char *value, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    return add_pair(&edit->edit.annotations, key, value, err);
}

int32_t wc_image_edit_drop_annotation(wc_image_edit *edit, const char *key, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(key && *key, "key is empty");
    return wci_strv_add(&edit->edit.dropped, key) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_add_port(wc_image_edit *edit, const char *port, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(port && strspn(port, "0123456789"), "the port does not begin with a number");
    return wci_strv_add_take(&edit->edit.ports, strchr(port, '/') ? wci_strdup(port) : wci_asprintf("%s/tcp", port))
               ? wci_err_nomem(err)
               : WC_OK;
}

/* On Linux or Windows, whichever the image is for. */
static int is_absolute(const char *path)
{
    return *path == '/' || wci_has_drive(path);
}

int32_t wc_image_edit_add_volume(wc_image_edit *edit, const char *path, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(path && is_absolute(path) && path[1], "the path is not absolute");
    return wci_strv_add(&edit->edit.volumes, path) ? wci_err_nomem(err) : WC_OK;
}

static int32_t set_words(wci_strv *words, int *given, const char *const *args, size_t count, wc_error **err)
{
    wci_strv copy = WCI_STRV_INIT;
    WCI_REQUIRE(args || !count, "args is NULL");
    for (size_t i = 0; i < count; i++)
        if (!args[i] || wci_strv_add(&copy, args[i])) {
            wci_strv_free(&copy);
            return args[i] ? wci_err_nomem(err) : wci_err(err, WC_E_INVALID, "an argument is NULL");
        }
    wci_strv_free(words);
    *words = copy;
    *given = 1;
    return WC_OK;
}

int32_t wc_image_edit_set_command(wc_image_edit *edit, const char *const *args, size_t count, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    return set_words(&edit->edit.cmd, &edit->edit.has_cmd, args, count, err);
}

int32_t wc_image_edit_set_entrypoint(wc_image_edit *edit, const char *const *args, size_t count, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    return set_words(&edit->edit.entrypoint, &edit->edit.has_entrypoint, args, count, err);
}

int32_t wc_image_edit_set_user(wc_image_edit *edit, const char *user, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(user, "user is NULL");
    return wci_replace(&edit->edit.user, user) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_set_workdir(wc_image_edit *edit, const char *path, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(path && is_absolute(path), "the path is not absolute");
    return wci_replace(&edit->edit.workdir, path) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_set_stop_signal(wc_image_edit *edit, const char *signal, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(signal && *signal, "signal is empty");
    return wci_replace(&edit->edit.stop_signal, signal) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_add_instruction(wc_image_edit *edit, const char *line, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(line, "line is NULL");
    int32_t rc = wci_instruction_check(line, err);
    if (!rc && wci_strv_add(&edit->edit.instructions, line))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_image_edit_set_author(wc_image_edit *edit, const char *author, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(author, "author is NULL");
    return wci_replace(&edit->edit.author, author) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_set_comment(wc_image_edit *edit, const char *comment, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(comment, "comment is NULL");
    return wci_replace(&edit->edit.comment, comment) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_image_edit_set_platform(wc_image_edit *edit, const char *platform, wc_error **err)
{
    wci_platform parsed = WCI_PLATFORM_INIT;
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(platform, "platform is NULL");
    int32_t rc = wci_platform_parse(platform, &parsed, err);
    wci_platform_clear(&parsed);
    if (!rc && wci_replace(&edit->edit.platform, platform))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_image_edit_set_created(wc_image_edit *edit, int64_t time_ns, wc_error **err)
{
    WCI_REQUIRE(edit, "edit is NULL");
    WCI_REQUIRE(time_ns >= 0, "time_ns is negative");
    edit->edit.created_ns = time_ns;
    return WC_OK;
}

int32_t wc_image_edit_apply(wc_image_edit *edit, const char *name, wc_cancel *cancel, wc_image **out, wc_error **err)
{
    wc_call call;
    wci_image_record *record = NULL;
    WCI_REQUIRE(edit, "edit is NULL");
    int32_t rc = wci_api_begin(edit->context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!name || *name, "name is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_edit_apply(&call, edit->context->engine->store, &edit->edit, name, &record, err);
    return rc ? rc : wci_api_image_new(edit->context, record, out, err);
}
