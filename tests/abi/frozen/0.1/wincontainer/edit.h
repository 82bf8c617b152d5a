/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file edit.h
 * New images from others: layers on top, another configuration.
 *
 * An edit collects what is to be different; wc_image_edit_apply() makes the image. What the new image shares
 * with its base is neither read nor copied. With SOURCE_DATE_EPOCH in the environment the same edit gives the
 * same digest every time (https://reproducible-builds.org/specs/source-date-epoch).
 *
 * Specification: OCI image-spec 1.1. Images of Docker's schema 2 become OCI images.
 */
#ifndef WINCONTAINER_EDIT_H
#define WINCONTAINER_EDIT_H

#include <wincontainer/base.h>
#include <wincontainer/image.h>

WC_BEGIN_DECLS

/** What a new image is to be. @since 0.1 */
typedef struct wc_image_edit wc_image_edit;

/**
 * An edit of an image.
 *
 * @param base name or id of an image of the store; NULL: begin with nothing.
 * Ownership: the caller releases *out, which holds the context. Thread-safety: one thread at a time per object.
 * Blocking: no. @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_image_edit_new(wc_context *context, const char *base, wc_image_edit **out, wc_error **err);
/**
 * An edit of a container's image with what the container has changed as one more layer, as `docker commit`.
 * A container that runs should be idle: a file that is being written is taken as it is in that moment.
 *
 * Ownership, thread-safety: as above. Blocking: on the disk, briefly.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_STATE when its image was removed. @since 0.1
 */
WC_API int32_t wc_image_edit_new_from_container(wc_context *context, wc_container *container, wc_image_edit **out,
                                                wc_error **err);
/** Drops the edit. @since 0.1 */
WC_API void wc_image_edit_unref(wc_image_edit *edit);

/* Setters copy what they get, do not block, and return WC_OK, WC_E_INVALID or WC_E_NOMEM. */

/** What a directory holds becomes the next layer, whiteouts and opaque marks of overlayfs included. @since 0.1 */
WC_API int32_t wc_image_edit_add_directory(wc_image_edit *edit, const char *path, wc_error **err);
/** A tar (plain, gzip or zstd) becomes the next layer, byte for byte as far as it is not compressed anew.
 * @since 0.1 */
WC_API int32_t wc_image_edit_add_tar(wc_image_edit *edit, const char *path, wc_error **err);
/**
 * The last `layers` layers, those added here included, become one; 0: all of them. What they hide of each other goes;
 * the history tells the old steps as empty ones. WC_E_INVALID from wc_image_edit_apply() when there are not so many,
 * WC_E_UNSUPPORTED for images of Windows. @since 0.1
 */
WC_API int32_t wc_image_edit_set_squash(wc_image_edit *edit, uint32_t layers, wc_error **err);
/**
 * Puts the layers of another base in the place of those that the image was built on: what came above them stays, and
 * so do its configuration and history. The new image is for the platform of the new base, and its annotations
 * org.opencontainers.image.base.name and .digest tell of that. wc_image_edit_apply() gives WC_E_INVALID when the layers
 * of the old base are not the lowest ones of the image, and WC_E_PLATFORM when the new base is for another platform than
 * the image, unless wc_image_edit_set_platform() says what the outcome is for. Both bases are names or ids of images of
 * the store.
 * @since 0.1
 */
WC_API int32_t wc_image_edit_set_base(wc_image_edit *edit, const char *old_base, const char *new_base, wc_error **err);
/** 1: also the layers that the image has already are to be compressed as wc_image_edit_set_compression() says. Those
 * that may not be distributed stay as they are. The image keeps its id when nothing else changes. @since 0.1 */
WC_API int32_t wc_image_edit_set_recompress(wc_image_edit *edit, int32_t recompress, wc_error **err);
/** "gzip" (default), "zstd" or "none" for new layers. @since 0.1 */
WC_API int32_t wc_image_edit_set_compression(wc_image_edit *edit, const char *codec, wc_error **err);
/** Replaces or adds one variable of Env. @since 0.1 */
WC_API int32_t wc_image_edit_add_env(wc_image_edit *edit, const char *name, const char *value, wc_error **err);
/** Replaces or adds one label. @since 0.1 */
WC_API int32_t wc_image_edit_add_label(wc_image_edit *edit, const char *key, const char *value, wc_error **err);
/** Replaces or adds an annotation of the manifest; those of the base stay. An image that gets nothing else keeps its
 * id. @since 0.1 */
WC_API int32_t wc_image_edit_add_annotation(wc_image_edit *edit, const char *key, const char *value, wc_error **err);
/** Takes an annotation of the base away. @since 0.1 */
WC_API int32_t wc_image_edit_drop_annotation(wc_image_edit *edit, const char *key, wc_error **err);
/** Adds an exposed port, "80/tcp". @since 0.1 */
WC_API int32_t wc_image_edit_add_port(wc_image_edit *edit, const char *port, wc_error **err);
/** Adds a volume, an absolute path. @since 0.1 */
WC_API int32_t wc_image_edit_add_volume(wc_image_edit *edit, const char *path, wc_error **err);
/** Replaces Cmd; count 0 takes it away. @since 0.1 */
WC_API int32_t wc_image_edit_set_command(wc_image_edit *edit, const char *const *args, size_t count, wc_error **err);
/** Replaces Entrypoint; count 0 takes it away. @since 0.1 */
WC_API int32_t wc_image_edit_set_entrypoint(wc_image_edit *edit, const char *const *args, size_t count, wc_error **err);
/** "user[:group]". @since 0.1 */
WC_API int32_t wc_image_edit_set_user(wc_image_edit *edit, const char *user, wc_error **err);
/** Absolute path. @since 0.1 */
WC_API int32_t wc_image_edit_set_workdir(wc_image_edit *edit, const char *path, wc_error **err);
/** "SIGTERM" or a number. @since 0.1 */
WC_API int32_t wc_image_edit_set_stop_signal(wc_image_edit *edit, const char *signal, wc_error **err);
/**
 * A line of a Dockerfile, as `docker commit --change` takes it: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL,
 * ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR. Lines act in their order after everything else that the edit says;
 * variables stand for what Env then holds. An ENTRYPOINT takes away the base's Cmd.
 * Specification: Dockerfile reference.
 *
 * Ownership: nothing is kept of `line`. Thread-safety: as the edit. Blocking: no.
 * @return WC_OK, WC_E_NOMEM, WC_E_INVALID for another word; what else is wrong with a line is told by
 *         wc_image_edit_apply(). @since 0.1
 */
WC_API int32_t wc_image_edit_add_instruction(wc_image_edit *edit, const char *line, wc_error **err);
/** "os/arch[/variant][:version]". @since 0.1 */
WC_API int32_t wc_image_edit_set_platform(wc_image_edit *edit, const char *platform, wc_error **err);
/** Who made it. @since 0.1 */
WC_API int32_t wc_image_edit_set_author(wc_image_edit *edit, const char *author, wc_error **err);
/** A word on the change, kept in the history. @since 0.1 */
WC_API int32_t wc_image_edit_set_comment(wc_image_edit *edit, const char *comment, wc_error **err);
/** When it was made; default: SOURCE_DATE_EPOCH, or now. @since 0.1 */
WC_API int32_t wc_image_edit_set_created(wc_image_edit *edit, int64_t time_ns, wc_error **err);

/**
 * Makes the image. The edit may be used again.
 *
 * @param name what to call it, or NULL; an image that had the name loses it.
 * Ownership: the caller releases *out. Thread-safety: as the edit. Blocking: until done, cancelled or failed; on
 * failure nothing of it is visible.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND (base or file), WC_E_FORMAT (a tar that cannot be unpacked), WC_E_LIMIT,
 *         WC_E_IO, WC_E_NO_SPACE, WC_E_CANCELLED, WC_E_TIMEOUT. @since 0.1
 */
WC_API int32_t wc_image_edit_apply(wc_image_edit *edit, const char *name, wc_cancel *cancel, wc_image **out,
                                   wc_error **err);

WC_END_DECLS

#endif
