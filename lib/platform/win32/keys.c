/* SPDX-License-Identifier: Apache-2.0 */
/* BCrypt's place. Until it is taken, images cannot be signed or verified here, and policies that demand it let
 * nothing in. */
#include "core/error.h"
#include "platform/keys.h"

static int32_t missing(wc_error **err)
{
    return wci_err(err, WC_E_UNSUPPORTED, "signatures are not supported on Windows");
}

int32_t wci_key_read_public(const void *der, size_t size, wci_key **out, wc_error **err)
{
    (void)der, (void)size, (void)out;
    return missing(err);
}

int32_t wci_key_read_private(wci_key_form form, const void *der, size_t size, const char *passphrase, wci_key **out,
                             wc_error **err)
{
    (void)form, (void)der, (void)size, (void)passphrase, (void)out;
    return missing(err);
}

int32_t wci_key_generate(wci_key **out, wc_error **err)
{
    (void)out;
    return missing(err);
}

void wci_key_free(wci_key *key)
{
    (void)key;
}

wci_key_kind wci_key_kind_of(const wci_key *key)
{
    (void)key;
    return WCI_KEY_EC;
}

int wci_key_bits(const wci_key *key)
{
    (void)key;
    return 0;
}

int32_t wci_key_write_public(const wci_key *key, wc_buf **out, wc_error **err)
{
    (void)key, (void)out;
    return missing(err);
}

int32_t wci_key_write_private(const wci_key *key, wci_secret *out, wc_error **err)
{
    (void)key, (void)out;
    return missing(err);
}

int wci_key_verify(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size, const void *signature,
                   size_t signature_size)
{
    (void)key, (void)scheme, (void)data, (void)size, (void)signature, (void)signature_size;
    return 0;
}

int32_t wci_key_sign(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size, wc_buf **out,
                     wc_error **err)
{
    (void)key, (void)scheme, (void)data, (void)size, (void)out;
    return missing(err);
}

int32_t wci_certs_new(wci_certs **out, wc_error **err)
{
    (void)out;
    return missing(err);
}

void wci_certs_free(wci_certs *certs)
{
    (void)certs;
}

int32_t wci_certs_add(wci_certs *certs, const void *der, size_t size, wc_error **err)
{
    (void)certs, (void)der, (void)size;
    return missing(err);
}

size_t wci_certs_count(const wci_certs *certs)
{
    (void)certs;
    return 0;
}

int32_t wci_certs_check_signer(const wci_certs *chain, const wci_certs *anchors, int64_t now_ns, wc_error **err)
{
    (void)chain, (void)anchors, (void)now_ns;
    return missing(err);
}

int32_t wci_certs_key(const wci_certs *chain, wci_key **out, wc_error **err)
{
    (void)chain, (void)out;
    return missing(err);
}

int32_t wci_certs_subject(const wci_certs *chain, wci_strv *out, wc_error **err)
{
    (void)chain, (void)out;
    return missing(err);
}

int32_t wci_scrypt(const void *passphrase, size_t passphrase_size, const void *salt, size_t salt_size, uint64_t n,
                   uint64_t r, uint64_t p, void *key, size_t key_size, wc_error **err)
{
    (void)passphrase, (void)passphrase_size, (void)salt, (void)salt_size, (void)n, (void)r, (void)p, (void)key,
        (void)key_size;
    return missing(err);
}

int32_t wci_poly1305(const void *key, const void *data, size_t size, unsigned char out[WCI_POLY1305_SIZE],
                     wc_error **err)
{
    (void)key, (void)data, (void)size, (void)out;
    return missing(err);
}
