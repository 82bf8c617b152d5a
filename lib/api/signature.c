/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/signature.h>

#include "api/image.h"
#include "core/alloc.h"
#include "image/trust/key_file.h"
#include "image/trust/sign.h"
#include "image/trust/trust.h"
#include "registry/credentials.h"

static wci_store *store_of(const wc_context *context)
{
    return context->engine->store;
}

int32_t wc_transfer_options_set_policy_file(wc_transfer_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_api_set_text(&options->transfer.policy_file, path, err);
}

int32_t wc_transfer_options_set_policy_key(wc_transfer_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_api_set_text(&options->transfer.policy_key, path, err);
}

int32_t wc_transfer_options_set_sign_key(wc_transfer_options *options, const char *path, const char *passphrase,
                                         wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    char *secret = passphrase ? wci_strdup(passphrase) : NULL;
    if (passphrase && !secret)
        return wci_err_nomem(err);
    int32_t rc = wci_api_set_text(&options->transfer.sign_key, path, err);
    if (rc) {
        wci_secret_free(secret);
        return rc;
    }
    wci_secret_free((char *)options->transfer.sign_passphrase);
    options->transfer.sign_passphrase = secret;
    return WC_OK;
}

int32_t wc_transfer_options_set_sign_identity(wc_transfer_options *options, const char *reference, wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    WCI_REQUIRE(reference && *reference, "reference is empty");
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t rc = wci_reference_parse(reference, &ref, err);
    wci_reference_free(&ref);
    return rc ? rc : wci_api_set_text(&options->transfer.sign_identity, reference, err);
}

int32_t wc_image_sign(wc_context *context, const char *reference, uint64_t flags, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(reference && *reference, "reference is empty");
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_SIGN_EACH), "unknown flags");
    WCI_REQUIRE(transfer->sign_key, "the options have no key to sign with");
    WCI_REQUIRE(!transfer->has_platform && !transfer->platform_count,
                "a platform chooses nothing here; sign the manifest by its digest, or each one of the index");
    return wci_sign_reference(&call, transfer, reference, flags & WC_SIGN_EACH, err);
}

int32_t wc_image_verify(wc_context *context, const char *source, const wc_transfer_options *options, wc_cancel *cancel,
                        wc_buf **out, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    wci_place place = WCI_PLACE_INIT;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(source && *source, "source is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_place_parse(source, &place, err);
    if (!rc)
        rc = wci_trust_report(&call, store_of(context), &place, transfer, out, err);
    wci_place_free(&place);
    return rc;
}

int32_t wc_sign_key_new(const char *passphrase, wc_buf **private_key, wc_buf **public_key, wc_error **err)
{
    WCI_REQUIRE(passphrase, "passphrase is NULL");
    WCI_REQUIRE(private_key && public_key, "private_key or public_key is NULL");
    return wci_key_pair_make(passphrase, private_key, public_key, err);
}
