/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/artifact.h>

#include <string.h>

#include "api/image.h"
#include "core/alloc.h"
#include "core/list.h"
#include "image/artifact.h"

struct wc_artifact {
    wc_context *context;
    wci_artifact artifact;
};

int32_t wc_artifact_new(wc_context *context, const char *type, wc_artifact **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(type && strchr(type, '/') && !strpbrk(type, " \t\r\n"), "the type is no media type");
    WCI_REQUIRE(out, "out is NULL");
    wc_artifact *artifact = wci_calloc(1, sizeof *artifact);
    char *copy = wci_strdup(type);
    if (!artifact || !copy) {
        wci_free(artifact);
        wci_free(copy);
        return wci_err_nomem(err);
    }
    artifact->context = wc_context_ref(context);
    artifact->artifact.type = copy;
    *out = artifact;
    return WC_OK;
}

void wc_artifact_unref(wc_artifact *artifact)
{
    if (!artifact)
        return;
    wci_artifact_free(&artifact->artifact);
    wc_context_unref(artifact->context);
    wci_free(artifact);
}

int32_t wc_artifact_add_file(wc_artifact *artifact, const char *path, const char *media_type, wc_error **err)
{
    WCI_REQUIRE(artifact, "artifact is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    WCI_REQUIRE(!media_type || strchr(media_type, '/'), "media_type is none");
    if (wci_strv_add(&artifact->artifact.media_types, media_type ? media_type : "application/octet-stream"))
        return wci_err_nomem(err);
    return wci_strv_add(&artifact->artifact.files, path) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_artifact_add_annotation(wc_artifact *artifact, const char *key, const char *value, wc_error **err)
{
    WCI_REQUIRE(artifact, "artifact is NULL");
    WCI_REQUIRE(key && *key && !strchr(key, '='), "the key is empty or holds '='");
    WCI_REQUIRE(value, "value is NULL");
    return wci_strv_add_take(&artifact->artifact.annotations, wci_asprintf("%s=%s", key, value)) ? wci_err_nomem(err)
                                                                                                 : WC_OK;
}

int32_t wc_artifact_set_subject(wc_artifact *artifact, const char *subject, wc_error **err)
{
    WCI_REQUIRE(artifact, "artifact is NULL");
    WCI_REQUIRE(subject && *subject && !strchr(subject, '/'), "subject is no tag or digest");
    return wci_replace(&artifact->artifact.subject, subject) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_artifact_push(wc_artifact *artifact, const char *reference, const wc_transfer_options *options,
                         wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    WCI_REQUIRE(artifact, "artifact is NULL");
    int32_t rc = wci_api_begin_transfer(artifact->context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(reference && *reference, "reference is empty");
    WCI_REQUIRE(out, "out is NULL");
    return wci_artifact_push(&call, artifact->context->engine->store, &artifact->artifact, reference, transfer, out, err);
}

int32_t wc_artifact_pull(wc_context *context, const char *source, const char *directory,
                         const wc_transfer_options *options, wc_cancel *cancel, wc_list **files, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(source && *source, "source is empty");
    WCI_REQUIRE(directory && *directory, "directory is empty");
    WCI_REQUIRE(files, "files is NULL");
    rc = wci_artifact_pull(&call, context->engine->store, source, directory, transfer, &names, err);
    if (!rc)
        rc = wci_list_of_strings(&names, files, err);
    wci_strv_free(&names);
    return rc;
}
