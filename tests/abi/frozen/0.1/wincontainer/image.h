/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image.h
 * Images: bringing them in, looking at them, taking them out.
 *
 * Places are written as skopeo writes them: `docker://HOST/REPO:TAG` (also a bare reference),
 * `oci:DIR[:TAG]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`, `docker-daemon:NAME` (the Docker
 * Engine of this machine, by $DOCKER_HOST or its usual socket); the store itself is `wc-store:NAME`. Names without a host are Docker Hub's, unless registries.conf says otherwise
 * (see wc_transfer_options_set_registries_conf()); names without a tag mean ":latest".
 *
 * Specifications: OCI image-spec 1.1, OCI distribution-spec 1.1, Docker image manifest v2 schema 2.
 */
#ifndef WINCONTAINER_IMAGE_H
#define WINCONTAINER_IMAGE_H

#include <wincontainer/base.h>
#include <wincontainer/cancel.h>

WC_BEGIN_DECLS

/** How to move an image. @since 0.1 */
typedef struct wc_transfer_options wc_transfer_options;

/**
 * Options with the defaults: the host's platform, TLS verified, credentials from the usual files.
 *
 * Ownership: the caller releases *out. Thread-safety: one thread at a time per object. Blocking: no.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_transfer_options_new(wc_transfer_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_transfer_options_unref(wc_transfer_options *options);
/** "os/arch[/variant][:version]", for example "linux/arm64/v8" or "windows/amd64:10.0.20348"; "os(version)/arch", too. A
 * version is one of Windows, "10.0.BUILD" or "10.0.BUILD.REVISION".
 * Variants are generations, the newest one that the wanted one runs is taken. With a version of Windows (on Windows
 * without any platform: with the host's) the image is of a build that runs there, see
 * wc_transfer_options_set_isolation(); the very build is taken, else the highest, and what an index does not tell of
 * versions the configurations do. Copied. WC_E_INVALID otherwise. Specification: OCI image-spec 1.1, image-index.md.
 * @since 0.1 */
WC_API int32_t wc_transfer_options_set_platform(wc_transfer_options *options, const char *platform, wc_error **err);
/** What the image is to run with: "process" (the default) or "hyperv". A host of Windows runs with its own kernel images
 * of its own build; from build 20349 on those of 20348 up to its own; under Hyper-V those up to its own. Revisions do
 * not matter. When none is there, WC_E_PLATFORM says which build the host has, which there are, and what would run.
 * @since 0.1 */
WC_API int32_t wc_transfer_options_set_isolation(wc_transfer_options *options, const char *isolation, wc_error **err);
/** 1: the whole index, for all its platforms and byte for byte, instead of the image of one of them. An image that comes
 * without an index is moved as it is. In the store the image for the host stands for it, else its first one.
 * WC_E_UNSUPPORTED for Docker's archives and its engine, which know no indexes.
 * @since 0.1 */
WC_API int32_t wc_transfer_options_set_all(wc_transfer_options *options, int32_t all, wc_error **err);
/** The index again, but for this platform and the others that are added so only. It is another index then, with a
 * digest of its own; the images in it stay as they are, and so do the attestations that BuildKit puts beside them.
 * Written as in wc_transfer_options_set_platform(); WC_E_PLATFORM later when the index has nothing that fits. Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_add_platform(wc_transfer_options *options, const char *platform, wc_error **err);
/** 1: what refers to the image goes along: signatures, attestations, lists of contents, as the registry lists them and
 * as cosign tags them ("sha256-….sig", ".att", ".sbom"). With an index, what refers to any of its images. What cannot
 * be read or is refused fails the call. 0: nothing of it. Not set: copy, push and save take along what there is, if the
 * target can hold it (a registry, a layout, an OCI archive, the store), and what fails of it is a warning in the log;
 * pull and load leave it. @since 0.1 */
WC_API int32_t wc_transfer_options_set_referrers(wc_transfer_options *options, int32_t referrers, wc_error **err);
/** 1: of layers in zstd:chunked wc_image_pull() brings from a registry only those files that the store has nowhere. The
 * blobs of these layers count as dropped then (wc_image_drop_blobs()), and are fetched when somebody wants them. Where
 * that saves little, or the server gives no ranges, a layer comes whole, and its blob is kept. @since 0.1 */
WC_API int32_t wc_transfer_options_set_partial(wc_transfer_options *options, int32_t partial, wc_error **err);
/**
 * 1: layers that may not be distributed ("foreign" and "nondistributable" ones, as old Windows images have) go to
 * registries, too. Default: they stay where their manifests say that they are, and a push fails with WC_E_PERMISSION
 * when those say of no place and the registry has them not. Such layers are fetched from the registry or from these
 * places in any case. Specification: OCI image-spec 1.1, layer.md. @since 0.1
 */
WC_API int32_t wc_transfer_options_set_nondistributable(wc_transfer_options *options, int32_t allow, wc_error **err);
/** 0: accept any certificate, and plain HTTP. 1: also where registries.conf calls a registry insecure, nothing but
 * HTTPS with a certificate that is trusted. Not set: as registries.conf says. @since 0.1 */
WC_API int32_t wc_transfer_options_set_tls_verify(wc_transfer_options *options, int32_t verify, wc_error **err);
/** File with further CA certificates (PEM). Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_set_ca_file(wc_transfer_options *options, const char *path, wc_error **err);
/** Our own certificate for the registry: of the source, or of the target when only that is one. No other
 * server is shown it, whatever the registry redirects to.
 *
 * @param cert file, PEM. @param key file, PEM without a password; NULL: it is in the same file. Both copied.
 * @since 0.1 */
WC_API int32_t wc_transfer_options_set_client_cert(wc_transfer_options *options, const char *cert, const char *key,
                                                   wc_error **err);
/** A directory of certificates to use instead of the usual ones for the same registry: every `*.crt` in it is a
 * CA that is trusted, too, `*.cert` with `*.key` our own certificate. The usual ones are `HOST[:PORT]` below
 * ~/.config/containers/certs.d, /etc/containers/certs.d and /etc/docker/certs.d, of which the first that is
 * there counts. Copied. Specification: containers-certs.d(5). @since 0.1 */
WC_API int32_t wc_transfer_options_set_cert_dir(wc_transfer_options *options, const char *dir, wc_error **err);
/** The same for the registry of the target, for copies between two. Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_set_target_cert_dir(wc_transfer_options *options, const char *dir, wc_error **err);
/** A registries.conf to use instead of the usual one, with the `*.conf` in the directory PATH.d. It says which
 * mirrors a registry has, which are blocked and what names without a registry stand for. The usual one is
 * $CONTAINERS_REGISTRIES_CONF, ~/.config/containers/registries.conf or /etc/containers/registries.conf; names
 * in the store are always looked up by that. Credentials and certificates that the options give are not for
 * mirrors. Copied. Specification: containers-registries.conf(5), versions 1 and 2. @since 0.1 */
WC_API int32_t wc_transfer_options_set_registries_conf(wc_transfer_options *options, const char *path, wc_error **err);
/** Credentials for the registry: of the source, or of the target when only that is one. For an Azure container registry
 * also a token of Azure, with the user name 00000000-0000-0000-0000-000000000000. Copied, wiped
 * with the options. @since 0.1 */
WC_API int32_t wc_transfer_options_set_credentials(wc_transfer_options *options, const char *username,
                                                   const char *password, wc_error **err);
/** Credentials for the registry of the target, for copies between two. Copied, wiped with the options.
 * @since 0.1 */
WC_API int32_t wc_transfer_options_set_target_credentials(wc_transfer_options *options, const char *username,
                                                          const char *password, wc_error **err);
/** An auth.json or config.json to use instead of the usual ones. Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_set_auth_file(wc_transfer_options *options, const char *path, wc_error **err);
/** Downloads at once, 1 to 64; default 6. @since 0.1 */
WC_API int32_t wc_transfer_options_set_max_transfers(wc_transfer_options *options, uint32_t count, wc_error **err);
/** 1: names found inside an archive become names in the store. Default 0: only names that the caller
 * gave, with the source (`oci:DIR:NAME`) too, because an archive could claim any. @since 0.1 */
WC_API int32_t wc_transfer_options_set_trust_names(wc_transfer_options *options, int32_t trust, wc_error **err);
/** A name to give the image in the store. May be called several times. Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_add_name(wc_transfer_options *options, const char *name, wc_error **err);
/** Reports progress; see wc_progress_cb. @since 0.1 */
WC_API int32_t wc_transfer_options_set_progress(wc_transfer_options *options, wc_progress_cb progress,
                                                uintptr_t payload, wc_error **err);

/**
 * Brings one image into the store and unpacks its layers, ready to run. What is there already is not
 * fetched again; what another thread or process fetches is waited for; a download that was broken off
 * goes on where it ended.
 *
 * @param source  a place, see above. `wc-store:NAME` fetches nothing: it is the image that NAME means for the platform of
 *                the options, also one that the store keeps of an index and that has no name of its own (unpacked then);
 *                WC_E_PLATFORM or WC_E_NOT_FOUND when the store has none for it.
 * @param options NULL for the defaults.
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: until done, cancelled or
 * failed; on failure nothing half-made is visible.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_AUTH, WC_E_NETWORK, WC_E_DIGEST, WC_E_FORMAT,
 *         WC_E_PLATFORM, WC_E_LIMIT, WC_E_NO_SPACE, WC_E_UNTRUSTED (signature.h), WC_E_CANCELLED, WC_E_TIMEOUT …
 *         @since 0.1
 */
WC_API int32_t wc_image_pull(wc_context *context, const char *source, const wc_transfer_options *options,
                             wc_cancel *cancel, wc_image **out, wc_error **err);

/**
 * Brings every image of an archive (`docker save` or OCI) into the store.
 *
 * @param path a file; the format is recognised. Compressed archives are accepted.
 * @param out  a list of wc_image; the caller releases it.
 * Thread-safety: any thread. Blocking: yes. @return as wc_image_pull(). @since 0.1
 */
WC_API int32_t wc_image_load(wc_context *context, const char *path, const wc_transfer_options *options,
                             wc_cancel *cancel, wc_list **out, wc_error **err);

/**
 * Writes images of the store to an archive, blobs and manifests byte for byte as they came in.
 *
 * @param names  names or ids of the images.
 * @param target `oci-archive:FILE` or `docker-archive:FILE`. Written beside and renamed when whole.
 * Thread-safety: any thread. Blocking: yes.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_IO, WC_E_NO_SPACE, WC_E_CANCELLED … @since 0.1
 */
WC_API int32_t wc_image_save(wc_context *context, const char *const *names, size_t count, const char *target,
                             const wc_transfer_options *options, wc_cancel *cancel, wc_error **err);

/**
 * Sends an image of the store to a registry, blobs and manifest byte for byte. What the repository has is
 * not sent again; what a broken connection left there is continued.
 *
 * @param name_or_id name or id of the image.
 * @param target     where to, a reference or `docker://REFERENCE`; NULL: the image's own name, which
 *                   `name_or_id` must be then.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed. The tag moves last, so a push that
 * failed changes nothing that others see. The last progress report is WC_PROGRESS_DONE with the digest of what the tag
 * leads to.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_AUTH, WC_E_NETWORK, WC_E_PERMISSION, WC_E_CANCELLED,
 *         WC_E_TIMEOUT … Specification: OCI distribution-spec 1.1. @since 0.1
 */
WC_API int32_t wc_image_push(wc_context *context, const char *name_or_id, const char *target,
                             const wc_transfer_options *options, wc_cancel *cancel, wc_error **err);

/**
 * Copies one image between two places. The store is `wc-store:NAME`; otherwise nothing is kept in it.
 * Targets: `docker://`, `oci:`, `oci-archive:`, `docker-archive:`, `docker-daemon:`, `wc-store:`.
 * The last progress report is WC_PROGRESS_DONE with the digest of the image's manifest, or of the index.
 *
 * Thread-safety: any thread. Blocking: yes. @return as wc_image_pull() and wc_image_save(). @since 0.1
 */
WC_API int32_t wc_image_copy(wc_context *context, const char *source, const char *target,
                             const wc_transfer_options *options, wc_cancel *cancel, wc_error **err);

/**
 * An image by name, digest, id, or unique beginning of its id.
 *
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: on the disk, briefly.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_INVALID when the beginning is not unique. @since 0.1
 */
WC_API int32_t wc_image_open(wc_context *context, const char *name_or_id, wc_image **out, wc_error **err);
/** All images, the newest first; the caller releases the list. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_image_list(wc_context *context, wc_list **out, wc_error **err);
/** Gives an image a further name, taking it from whichever image had it. It leads to the index, if any, that the first
 * name of the image leads to. @since 0.1 */
WC_API int32_t wc_image_tag(wc_image *image, const char *name, wc_error **err);

/** For wc_image_index_create(). @since 0.1 */
enum { WC_INDEX_AMEND = 1 /**< what is in the index already stays, but for the platforms of the images */ };
/**
 * Makes an index of images of the store, one for each platform, in the order given; an OCI index, or a list of Docker's
 * when all of its manifests are Docker's. The same images give the same index. It goes out with
 * wc_transfer_options_set_all(), and the images stay in the store with it whatever becomes of their own names.
 *
 * @param name    name of the index; a container of this name runs the image for this host, or else the first.
 * @param images  names or ids.
 * @param flags   WC_INDEX_*; unknown bits are WC_E_INVALID.
 * @param options NULL for the defaults; used where layers that were dropped (wc_image_drop_blobs()) have to be fetched.
 * @param out     that image, opened by the name: wc_image_index_digest() is that of the index. May be NULL.
 * Thread-safety: any thread. Blocking: on the disk.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_INVALID when two images are for one platform … Specification: OCI image-spec
 *         1.1, image-index.md. @since 0.1
 */
WC_API int32_t wc_image_index_create(wc_context *context, const char *name, const char *const *images, size_t count,
                                     uint64_t flags, const wc_transfer_options *options, wc_cancel *cancel,
                                     wc_image **out, wc_error **err);

/** For wc_image_remove(). @since 0.1 */
enum { WC_REMOVE_FORCE = 1 /**< all names at once; stopped containers of it stay, without an image */ };
/**
 * Takes a name away, and with the last name the image and what only it needed.
 *
 * @param name_or_id a name removes that name; an id removes the image with its only name.
 * @param flags      WC_REMOVE_*; unknown bits are WC_E_INVALID.
 * @param removed    lines "Untagged: …" and "Deleted: …"; may be NULL; the caller releases it.
 * Thread-safety: any thread. Blocking: on the disk.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_IN_USE naming the container or the other names. @since 0.1
 */
WC_API int32_t wc_image_remove(wc_context *context, const char *name_or_id, uint64_t flags, wc_cancel *cancel,
                               wc_list **removed, wc_error **err);

/**
 * Drops the compressed layers of an image, which a container does not need. They
 * come back by themselves when the image is saved, pushed or copied: made again, byte for byte, where they are
 * not compressed or this library has compressed them, else fetched from the registry that the image was pulled
 * from. Layers that nothing could bring back stay, and so do those that somebody works with.
 *
 * @param freed bytes; may be NULL.
 * Thread-safety: any thread. Blocking: reads every layer, and its unpacked files. @since 0.1
 */
WC_API int32_t wc_image_drop_blobs(wc_image *image, wc_cancel *cancel, int64_t *freed, wc_error **err);

/* A wc_image is an immutable snapshot; its accessors lend and may be used by any thread. */

/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_image *wc_image_ref(wc_image *image);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_image_unref(wc_image *image);
/** Image ID: digest of the config, "sha256:…". @since 0.1 */
WC_API const char *wc_image_id(const wc_image *image);
/** Digest of the platform's manifest. @since 0.1 */
WC_API const char *wc_image_digest(const wc_image *image);
/** Digest of the index that its first name leads to, or "" when that leads to the image itself; of an image without a
 * name, of the index that it was chosen from. @since 0.1 */
WC_API const char *wc_image_index_digest(const wc_image *image);
/** Number of names; 0 is a dangling image. @since 0.1 */
WC_API size_t wc_image_name_count(const wc_image *image);
/** Full name, "docker.io/library/alpine:3.19", or NULL when out of range. The first is the one that it came under
 * by a pull or load, or was opened by. @since 0.1 */
WC_API const char *wc_image_name(const wc_image *image, size_t index);
/** "linux". @since 0.1 */
WC_API const char *wc_image_os(const wc_image *image);
/** "amd64". @since 0.1 */
WC_API const char *wc_image_architecture(const wc_image *image);
/** "v8" or "". @since 0.1 */
WC_API const char *wc_image_variant(const wc_image *image);
/** When it was built. @since 0.1 */
WC_API int64_t wc_image_created(const wc_image *image);
/** Bytes of its manifest, config and compressed layers. @since 0.1 */
WC_API int64_t wc_image_size(const wc_image *image);
/** Number of layers. @since 0.1 */
WC_API size_t wc_image_layer_count(const wc_image *image);
/** Layer, the lowest first, lent; NULL when out of range. wc_layer_ref() it to keep it. @since 0.1 */
WC_API wc_layer *wc_image_layer(const wc_image *image, size_t index);
/** The manifest's bytes; the caller releases them. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_image_manifest(wc_image *image, wc_buf **out, wc_error **err);
/**
 * The bytes of the index that wc_image_index_digest() tells; the caller releases them. WC_E_NOT_FOUND when there is none,
 * or when it was not kept. Thread-safety: any thread. @since 0.1
 */
WC_API int32_t wc_image_index(wc_image *image, wc_buf **out, wc_error **err);
/** The config's bytes; the caller releases them. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_image_config(wc_image *image, wc_buf **out, wc_error **err);
/** One JSON object with the field names of `docker image inspect`, and OsFeatures of images that want some; the caller
 * releases it. @since 0.1 */
WC_API int32_t wc_image_inspect(wc_image *image, wc_buf **out, wc_error **err);

/**
 * Writes the file system of an image as one tar: all layers as one, without whiteouts. Owners, attributes and sparse
 * files are those of the layers, also without root. The same image gives the same bytes.
 *
 * @param path a file; written beside its place and renamed when whole.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed; nothing is left then.
 * @return WC_OK, WC_E_INVALID (path), WC_E_DIGEST when a layer of the store is damaged, WC_E_IO, WC_E_NO_SPACE,
 *         WC_E_CANCELLED … Specification: POSIX pax. @since 0.1
 */
WC_API int32_t wc_image_export(wc_image *image, const char *path, wc_cancel *cancel, wc_error **err);
/**
 * The same to a descriptor.
 *
 * @param fd a file, pipe or socket open for writing; lent, its flags stay. On Windows a HANDLE.
 * Thread-safety: any thread. Blocking: until all is written, cancelled or failed; part of it is written then.
 * @return as wc_image_export(), and WC_E_CLOSED when nobody reads. @since 0.1
 */
WC_API int32_t wc_image_export_fd(wc_image *image, intptr_t fd, wc_cancel *cancel, wc_error **err);

/**
 * Unpacks an image to a directory that is whole in itself: manifest, config, and each layer as a plain tree with a record
 * of all that the tree cannot say (headers, order, padding, every pax record, those of Windows too). It may be changed,
 * carried to another machine and packed there. Needs no rights: owners, devices and what else cannot be made here stay
 * in the records. Only its owner may enter the directory. docs/layers.md tells what is in it.
 *
 * @param path    a directory that is not there yet, or is empty; it is there once it is whole.
 * @param options progress, and how to fetch layers that were dropped; may be NULL.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed; nothing is left then.
 * @return WC_OK, WC_E_INVALID, WC_E_EXISTS (path), WC_E_BUSY (somebody unpacks there), WC_E_DIGEST when a layer of the
 *         store is damaged, WC_E_LIMIT, WC_E_IO, WC_E_NO_SPACE, WC_E_CANCELLED … @since 0.1
 */
WC_API int32_t wc_image_unpack(wc_image *image, const char *path, const wc_transfer_options *options,
                               wc_cancel *cancel, wc_error **err);
/**
 * Makes an image of a directory that wc_image_unpack() has made. Layers that nobody has changed become the same tars,
 * byte for byte, and where the store has their blobs or can compress them to the same bytes, the same blobs; when that
 * is so of all of them, and manifest and config are as they were, the image has the same digest. In changed layers what
 * has not changed stays byte for byte; changed files keep what their headers said (of Windows, too) besides content,
 * size, times and, but for Windows, mode; files that are gone leave the layer.
 *
 * @param name    what to call it, or NULL; an image that had the name loses it.
 * @param options progress; may be NULL.
 * @param out     the image; the caller releases it.
 * @param changes may be NULL; else JSON: a list of {"Layer" (the lowest is 1), "Path", "Kind"}, kinds as in
 *                wc_image_diff(). The caller releases it.
 * Thread-safety: any thread. Blocking: reads all files, until done, cancelled or failed; on failure nothing of it is
 * visible.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND (path), WC_E_FORMAT (no unpacked image, or no image any more),
 *         WC_E_CORRUPT (records do not fit), WC_E_VERSION, WC_E_LIMIT, WC_E_IO, WC_E_NO_SPACE, WC_E_CANCELLED …
 *         @since 0.1
 */
WC_API int32_t wc_image_pack(wc_context *context, const char *path, const char *name,
                             const wc_transfer_options *options, wc_cancel *cancel, wc_image **out, wc_buf **changes,
                             wc_error **err);

/**
 * Mounts the file system of an image on a directory of the host, read-only, without devices and set-id programs. It is
 * there until it is unmounted or the host starts anew, and the image cannot be removed meanwhile. Needs root.
 *
 * @param path a directory, not in the store.
 * Thread-safety: any thread. Blocking: briefly.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND (path), WC_E_EXISTS (an image is mounted there), WC_E_PERMISSION,
 *         WC_E_UNSUPPORTED, WC_E_MISSING … @since 0.1
 */
WC_API int32_t wc_image_mount(wc_image *image, const char *path, wc_error **err);

/** For wc_image_unmount(). @since 0.1 */
enum { WC_UNMOUNT_FORCE = 1 /**< also forgets one in a mount namespace that is not seen from here */ };
/**
 * Unmounts an image. Of one that is gone already, by hand or by a new start of the host, only the memory goes.
 *
 * @param flags WC_UNMOUNT_*; unknown bits are WC_E_INVALID.
 * Thread-safety: any thread. Blocking: briefly.
 * @return WC_OK, WC_E_NOT_FOUND (no image is mounted there), WC_E_IN_USE (somebody works in it), WC_E_STATE (in another
 *         mount namespace), WC_E_PERMISSION. @since 0.1
 */
WC_API int32_t wc_image_unmount(wc_context *context, const char *path, uint64_t flags, wc_error **err);
/** The images that are mounted, as JSON: a list of {"Path", "Image" (a name or ""), "Digest", "Here" (false: in another
 * mount namespace)}; the caller releases it. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_image_mounts(wc_context *context, wc_buf **out, wc_error **err);

/**
 * What the file system of one image has become in another.
 *
 * @param out JSON: a list of {"Path", "Kind"}, kinds as in wc_container_diff(): 0 changed, 1 added, 2 deleted. Changed
 *            ones have "What", of "type", "content" (also the target of a link, the numbers of a device), "mode",
 *            "owner", "xattrs"; regular files have "OldSize" and "NewSize" where there is one. Of a deleted directory
 *            only itself is told; times alone are no difference. The caller releases it.
 * Thread-safety: any thread. Blocking: both images are read, until done, cancelled or failed.
 * @return WC_OK, WC_E_INVALID for images of different contexts, WC_E_DIGEST when a layer of the store is damaged,
 *         WC_E_LIMIT, WC_E_CANCELLED … @since 0.1
 */
WC_API int32_t wc_image_diff(wc_image *from, wc_image *to, wc_cancel *cancel, wc_buf **out, wc_error **err);

/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_layer *wc_layer_ref(wc_layer *layer);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_layer_unref(wc_layer *layer);
/** Digest of the stored (compressed) blob. @since 0.1 */
WC_API const char *wc_layer_digest(const wc_layer *layer);
/** Digest of the uncompressed tar. @since 0.1 */
WC_API const char *wc_layer_diff_id(const wc_layer *layer);
/** Chain ID: the layer with all below it. @since 0.1 */
WC_API const char *wc_layer_chain_id(const wc_layer *layer);
/** Media type as in the manifest. @since 0.1 */
WC_API const char *wc_layer_media_type(const wc_layer *layer);
/** Bytes of the stored blob. @since 0.1 */
WC_API int64_t wc_layer_size(const wc_layer *layer);
/** Bytes of the files that it is unpacked to; -1 when that is not known. @since 0.1 */
WC_API int64_t wc_layer_unpacked_size(const wc_layer *layer);

WC_END_DECLS

#endif
