/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signature.h
 * Signatures of images: who must have signed what comes in, and signing what goes out.
 *
 * A policy file says which images are accepted: policy.json as podman and skopeo have it, docs/signatures.md tells
 * what of it is understood. wc_image_pull(), wc_image_load() and wc_image_copy() ask it before anything of the image
 * is kept, wherever it comes from; images that are in the store are not asked about again. The file is that of the
 * options, else $HOME/.config/containers/policy.json, else /etc/containers/policy.json. Where none of them is,
 * everything is accepted; a file that is there and cannot be read, or holds what is not known, lets nothing in.
 *
 * Specifications: containers-policy.json(5); cosign's SIGNATURE_SPEC.md; Notary Project's signature specification
 * with its JWS envelope.
 */
#ifndef WINCONTAINER_SIGNATURE_H
#define WINCONTAINER_SIGNATURE_H

#include <wincontainer/base.h>
#include <wincontainer/image.h>

WC_BEGIN_DECLS

/** The policy file to ask instead of the usual ones. Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_set_policy_file(wc_transfer_options *options, const char *path, wc_error **err);
/**
 * A public key (PEM file) instead of a policy: every image must bear a signature by it in cosign's form, made for the
 * image's own repository; in an OCI layout, where images have no such name, for any. Copied. @since 0.1
 */
WC_API int32_t wc_transfer_options_set_policy_key(wc_transfer_options *options, const char *path, wc_error **err);
/**
 * Signs what wc_image_push() and wc_image_copy() put into a registry, and what wc_image_sign() is told to, in
 * cosign's form. The signature is put after the image; an image that this key has signed under this name before gets
 * no second one.
 *
 * @param path       a private key in PEM: PKCS#8, also encrypted, "EC PRIVATE KEY", "RSA PRIVATE KEY", or cosign's
 *                   "ENCRYPTED COSIGN PRIVATE KEY".
 * @param passphrase NULL when there is none. Copied, wiped with the options.
 * @since 0.1
 */
WC_API int32_t wc_transfer_options_set_sign_key(wc_transfer_options *options, const char *path, const char *passphrase,
                                                wc_error **err);
/** The name to claim in the signature instead of the one that the image is put under. Copied. @since 0.1 */
WC_API int32_t wc_transfer_options_set_sign_identity(wc_transfer_options *options, const char *reference,
                                                     wc_error **err);

/** For wc_image_sign(). @since 0.1 */
enum { WC_SIGN_EACH = 1 /**< of an index also every manifest that it lists: tools which look only there accept it */ };
/**
 * Signs an image that lies in a registry, with the key of the options. What is signed is what the name leads to: an
 * index as a whole, or a manifest.
 *
 * @param reference a name with tag or digest.
 * @param flags     WC_SIGN_*; unknown bits are WC_E_INVALID.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_FORMAT for a key that cannot be read, WC_E_AUTH also for a wrong
 *         passphrase, WC_E_NETWORK, WC_E_PERMISSION. @since 0.1
 */
WC_API int32_t wc_image_sign(wc_context *context, const char *reference, uint64_t flags,
                             const wc_transfer_options *options, wc_cancel *cancel, wc_error **err);
/**
 * Asks the policy, or the key, about an image where it lies, without bringing it in.
 *
 * @param source a place, as for wc_image_pull().
 * @param out    one JSON object: "Name", "Digest" of the platform's manifest, "Index" where there was one, and
 *               "Signatures", a list of what was found good, each with "Type" ("sigstore", "simple", "notation"),
 *               "Signer" (the key or certificate), "Digest", and "Identity" where it claims a name. The list is
 *               empty when the policy accepts the image as it is. The caller releases it.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed.
 * @return WC_OK, WC_E_UNTRUSTED with the reason, WC_E_MISSING when there is neither policy nor key, and as
 *         wc_image_pull(). @since 0.1
 */
WC_API int32_t wc_image_verify(wc_context *context, const char *source, const wc_transfer_options *options,
                               wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * A new pair of keys (ECDSA on P-256) as PEM, as cosign makes them.
 *
 * @param passphrase  encrypts the private key; "" encrypts it with nothing that is secret.
 * @param private_key "ENCRYPTED COSIGN PRIVATE KEY"; the caller releases it.
 * @param public_key  "PUBLIC KEY"; the caller releases it.
 * Thread-safety: any thread. Blocking: no; it takes about a tenth of a second.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM, WC_E_UNSUPPORTED. @since 0.1
 */
WC_API int32_t wc_sign_key_new(const char *passphrase, wc_buf **private_key, wc_buf **public_key, wc_error **err);

WC_END_DECLS

#endif
