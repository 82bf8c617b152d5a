/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file registry.h
 * What registries have, without bringing it into the store.
 *
 * Registries are reached as wc_image_pull() reaches them, with the same options: TLS, credentials, files.
 * Every call here may be made by any thread, blocks until it is done, cancelled or failed, and may give
 * WC_E_AUTH, WC_E_NETWORK, WC_E_PERMISSION (an answer that leads elsewhere), WC_E_FORMAT, WC_E_CANCELLED and
 * WC_E_TIMEOUT besides what is said below. A platform in the options is WC_E_INVALID: a digest says which manifest.
 *
 * Specification: OCI distribution-spec 1.1.
 */
#ifndef WINCONTAINER_REGISTRY_H
#define WINCONTAINER_REGISTRY_H

#include <wincontainer/base.h>
#include <wincontainer/image.h>

WC_BEGIN_DECLS

/**
 * The tags of a repository, all pages of them.
 *
 * @param repository "alpine", "ghcr.io/a/b"; a tag in it is WC_E_INVALID.
 * @param out        a list of texts, in the registry's order; the caller releases it.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_LIMIT. @since 0.1
 */
WC_API int32_t wc_registry_tags(wc_context *context, const char *repository, const wc_transfer_options *options,
                                wc_cancel *cancel, wc_list **out, wc_error **err);
/**
 * The repositories of a registry, all pages of them. Many registries, the Docker Hub among them, do not tell.
 *
 * @param registry "localhost:5000".
 * @param out      a list of texts without the registry; the caller releases it.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_LIMIT. @since 0.1
 */
WC_API int32_t wc_registry_catalog(wc_context *context, const char *registry, const wc_transfer_options *options,
                                   wc_cancel *cancel, wc_list **out, wc_error **err);
/**
 * Whether a manifest is there, and what it is, without fetching it.
 *
 * @param reference a name with tag or digest.
 * @param out       one JSON object: "Name", "Digest", "MediaType", "Size" (bytes, -1: not told), and where the
 *                  registry counts pulls "PullLimit" and "PullsRemaining" in "PullWindow" seconds. The caller
 *                  releases it.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND. @since 0.1
 */
WC_API int32_t wc_registry_look(wc_context *context, const char *reference, const wc_transfer_options *options,
                                wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * A manifest or index byte for byte.
 *
 * @param out the caller releases it. @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_DIGEST. @since 0.1
 */
WC_API int32_t wc_registry_manifest(wc_context *context, const char *reference, const wc_transfer_options *options,
                                    wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * What refers to a manifest: signatures, bills of materials, attestations.
 *
 * @param reference a name with tag or digest.
 * @param out       an OCI index as JSON; empty when there is nothing. The caller releases it.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND. @since 0.1
 */
WC_API int32_t wc_registry_referrers(wc_context *context, const char *reference, const wc_transfer_options *options,
                                     wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * Searches the Docker Hub, or another registry with its search.
 *
 * @param term  what to look for; "HOST/TERM" asks that registry.
 * @param limit at most so many results, 1 to 100.
 * @param out   JSON: {"results": [{"name", "description", "star_count", "is_official"}]}. The caller releases it.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND (a registry without search). @since 0.1
 */
WC_API int32_t wc_registry_search(wc_context *context, const char *term, uint32_t limit,
                                  const wc_transfer_options *options, wc_cancel *cancel, wc_buf **out,
                                  wc_error **err);
/**
 * Deletes a tag, or with a digest a manifest with all its tags. There is no way back.
 *
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_UNSUPPORTED where the registry does not delete (many want a
 *         digest). @since 0.1
 */
WC_API int32_t wc_registry_delete(wc_context *context, const char *reference, const wc_transfer_options *options,
                                  wc_cancel *cancel, wc_error **err);

/**
 * Deletes a blob of a repository. No manifest should name it any longer: a registry does not look, and images whose
 * layer it was cannot be pulled afterwards. There is no way back.
 *
 * @param blob "REPOSITORY@sha256:…"; a tag in it is WC_E_INVALID.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_UNSUPPORTED where the registry does not delete. @since 0.1
 */
WC_API int32_t wc_registry_delete_blob(wc_context *context, const char *blob, const wc_transfer_options *options,
                                       wc_cancel *cancel, wc_error **err);

/**
 * Tries a user name and password at a registry and keeps them when they are good, for all later calls of any
 * process of this user: with the credential helper that the file names (credHelpers, credsStore), else in the
 * file itself: that of the options, $REGISTRY_AUTH_FILE, or containers/auth.json under the user's configuration.
 * It is replaced in one step, readable by its owner alone; its other content stays.
 *
 * @param registry "docker.io", "localhost:5000"; or with a path, "quay.io/team": then the login is used for the
 *                 repositories below that alone, and goes before one for all of the registry.
 * @return WC_OK, WC_E_INVALID, WC_E_AUTH when they are refused, WC_E_MISSING (helper), WC_E_UNSUPPORTED (a path with
 *         a helper), WC_E_IO.
 * Specification: containers-auth.json(5). @since 0.1
 */
WC_API int32_t wc_registry_login(wc_context *context, const char *registry, const char *username,
                                 const char *password, const wc_transfer_options *options, wc_cancel *cancel,
                                 wc_error **err);
/**
 * Forgets a login. @return WC_OK, WC_E_NOT_FOUND when there was none, WC_E_MISSING, WC_E_IO. @since 0.1
 */
WC_API int32_t wc_registry_logout(wc_context *context, const char *registry, const wc_transfer_options *options,
                                  wc_cancel *cancel, wc_error **err);
/**
 * The user name that is kept for a registry; *out is empty when there is none. The caller releases it.
 *
 * @return WC_OK, WC_E_INVALID, WC_E_FORMAT, WC_E_MISSING (helper). @since 0.1
 */
WC_API int32_t wc_registry_login_user(wc_context *context, const char *registry, const wc_transfer_options *options,
                                      wc_cancel *cancel, wc_buf **out, wc_error **err);

WC_END_DECLS

#endif
