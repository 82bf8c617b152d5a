/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file artifact.h
 * Files in registries beside images: charts, modules, bills of materials, test data.
 *
 * An artifact is a manifest whose layers are files as they are; the title of each tells what the file is called.
 * wc_registry_referrers() finds those that refer to an image, wc_image_copy() carries them from place to place.
 * Specification: OCI image-spec 1.1 (manifest.md, "Guidelines for Artifact Usage"), distribution-spec 1.1.
 */
#ifndef WINCONTAINER_ARTIFACT_H
#define WINCONTAINER_ARTIFACT_H

#include <wincontainer/base.h>
#include <wincontainer/image.h>

WC_BEGIN_DECLS

/** Collects what an artifact consists of. One thread at a time. @since 0.1 */
typedef struct wc_artifact wc_artifact;

/**
 * Begins an artifact.
 *
 * @param type a media type that says what it is, "application/vnd.example.chart.v1".
 * @param out  the caller releases it with wc_artifact_unref().
 * Blocking: no. @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_artifact_new(wc_context *context, const char *type, wc_artifact **out, wc_error **err);
/** NULL accepted. @since 0.1 */
WC_API void wc_artifact_unref(wc_artifact *artifact);
/**
 * Adds a file. It is read by wc_artifact_push() only. Its title is the path, or of an absolute path the last part.
 *
 * @param media_type of its content; NULL: "application/octet-stream".
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_artifact_add_file(wc_artifact *artifact, const char *path, const char *media_type, wc_error **err);
/** Adds an annotation of the manifest. @since 0.1 */
WC_API int32_t wc_artifact_add_annotation(wc_artifact *artifact, const char *key, const char *value, wc_error **err);
/**
 * What the artifact refers to.
 *
 * @param subject a tag or digest of the repository that the artifact is pushed to.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_artifact_set_subject(wc_artifact *artifact, const char *subject, wc_error **err);
/**
 * Sends the files, as far as the registry has them not, and the manifest. The same files make the same digest.
 *
 * @param reference where to; without a tag an artifact with a subject is found by its digest alone.
 * @param out       its descriptor as JSON: mediaType, digest, size, artifactType. The caller releases it.
 * Thread-safety: as the artifact. Blocking: until done, cancelled or failed.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND (file, subject), WC_E_AUTH, WC_E_NETWORK, WC_E_IO, WC_E_CANCELLED,
 *         WC_E_TIMEOUT. @since 0.1
 */
WC_API int32_t wc_artifact_push(wc_artifact *artifact, const char *reference, const wc_transfer_options *options,
                                wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * Writes the files of an artifact into a directory. Titles may name directories, which are made; they never lead out
 * of it, and nothing that is there is written over. A policy is asked as for images.
 *
 * @param source    where it lies, as for wc_image_pull().
 * @param directory that is there.
 * @param files     paths in it, a list of texts; the caller releases it.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed; files that are whole by then stay.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_EXISTS (a file), WC_E_FORMAT (a title), WC_E_UNSUPPORTED (nothing
 *         has a title), WC_E_UNTRUSTED, WC_E_DIGEST, WC_E_AUTH, WC_E_NETWORK, WC_E_IO, WC_E_NO_SPACE, WC_E_CANCELLED,
 *         WC_E_TIMEOUT. @since 0.1
 */
WC_API int32_t wc_artifact_pull(wc_context *context, const char *source, const char *directory,
                                const wc_transfer_options *options, wc_cancel *cancel, wc_list **files, wc_error **err);

WC_END_DECLS

#endif
