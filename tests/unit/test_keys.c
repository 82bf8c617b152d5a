/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signatures, and what is made of passphrases: against vectors of the standards, and against
 * OpenSSL used directly. */
#include "support/support.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <wincontainer/error.h>

#include "core/secretbox.h"
#include "platform/keys.h"
#include "platform/lazy.h"

static const wci_scheme plain = {256, 0, 0};

static size_t unhex(const char *text, unsigned char *out)
{
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &v), 1);
        out[i] = (unsigned char)v;
    }
    return n;
}

/* A key of OpenSSL's own making, as we read it. */
static wci_key *made(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    wci_key *key = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    test_ok(wci_key_read_private(WCI_KEY_PKCS8, der, (size_t)size, NULL, &key, NULL));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
    return key;
}

/* The public half, by way of its document. */
static wci_key *public_of(const wci_key *key)
{
    wc_buf *der = NULL;
    wci_key *half = NULL;
    test_ok(wci_key_write_public(key, &der, NULL));
    test_ok(wci_key_read_public(wc_buf_data(der), wc_buf_size(der), &half, NULL));
    wc_buf_unref(der);
    return half;
}

static void check_round(EVP_PKEY *pkey, const wci_scheme *scheme)
{
    wci_key *key = made(pkey), *half = public_of(key), *other = NULL;
    wc_buf *signature = NULL;
    test_ok(wci_key_sign(key, scheme, "words", 5, &signature, NULL));
    size_t size = wc_buf_size(signature);
    char *changed = malloc(size);
    memcpy(changed, wc_buf_data(signature), size);
    ck_assert(wci_key_verify(half, scheme, "words", 5, changed, size));
    ck_assert(!wci_key_verify(half, scheme, "sword", 5, changed, size));
    ck_assert(!wci_key_verify(half, scheme, "words", 4, changed, size));
    ck_assert(!wci_key_verify(half, scheme, "words", 5, changed, size - 1));
    ck_assert(!wci_key_verify(half, scheme, "words", 5, "", 0));
    changed[size / 2] ^= 1;
    ck_assert(!wci_key_verify(half, scheme, "words", 5, changed, size));
    test_ok(wci_key_generate(&other, NULL));
    ck_assert(!wci_key_verify(other, scheme, "words", 5, wc_buf_data(signature), size));
    free(changed);
    wc_buf_unref(signature);
    wci_key_free(key);
    wci_key_free(half);
    wci_key_free(other);
}

START_TEST(every_kind_signs_and_verifies)
{
    static const wci_scheme pss = {384, 1, 0}, raw = {512, 0, 1};
    check_round(EVP_EC_gen("P-256"), &plain);
    check_round(EVP_EC_gen("P-384"), &plain);
    check_round(EVP_EC_gen("P-521"), &raw);
    check_round(EVP_EC_gen("P-256"), &raw);
    check_round(EVP_RSA_gen(2048), &plain);
    check_round(EVP_RSA_gen(2048), &pss);
    check_round(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &plain);
}
END_TEST

START_TEST(paddings_are_not_mixed_up)
{
    static const wci_scheme pss = {256, 1, 0};
    wci_key *key = made(EVP_RSA_gen(2048));
    wc_buf *signature = NULL;
    test_ok(wci_key_sign(key, &plain, "words", 5, &signature, NULL));
    ck_assert(!wci_key_verify(key, &pss, "words", 5, wc_buf_data(signature), wc_buf_size(signature)));
    wc_buf_unref(signature);
    wci_key_free(key);
}
END_TEST

/* RFC 8032, 7.1, test 2 */
START_TEST(ed25519_as_the_standard_says)
{
    unsigned char der[64], signature[64];
    wci_key *key = NULL;
    size_t size = unhex("302a300506032b6570032100"
                        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", der);
    unhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00", signature);
    test_ok(wci_key_read_public(der, size, &key, NULL));
    ck_assert_int_eq(wci_key_kind_of(key), WCI_KEY_ED25519);
    ck_assert(wci_key_verify(key, &plain, "\x72", 1, signature, sizeof signature));
    ck_assert(!wci_key_verify(key, &plain, "\x73", 1, signature, sizeof signature));
    wci_key_free(key);
}
END_TEST

static void refused(EVP_PKEY *pkey, int32_t want)
{
    unsigned char *der = NULL;
    wci_key *key = NULL;
    wc_error *err = NULL;
    int size = i2d_PUBKEY(pkey, &der);
    test_code(wci_key_read_public(der, (size_t)size, &key, &err), want);
    ck_assert_ptr_null(key);
    ck_assert_ptr_nonnull(err);
    wc_error_unref(err);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

START_TEST(weak_and_odd_keys_are_refused)
{
    refused(EVP_RSA_gen(1024), WC_E_UNSUPPORTED);
    refused(EVP_EC_gen("secp256k1"), WC_E_UNSUPPORTED);
    refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), WC_E_UNSUPPORTED);
    EVP_PKEY *spelt_out = EVP_EC_gen("P-256");
    ck_assert(EVP_PKEY_set_utf8_string_param(spelt_out, "encoding", "explicit"));
    refused(spelt_out, WC_E_UNSUPPORTED);
}
END_TEST

START_TEST(trailing_bytes_and_rubbish_are_refused)
{
    wci_key *key = NULL, *again = NULL;
    wc_buf *der = NULL;
    wci_secret secret = WCI_SECRET_INIT;
    test_ok(wci_key_generate(&key, NULL));
    test_ok(wci_key_write_public(key, &der, NULL));
    test_ok(wci_key_write_private(key, &secret, NULL));
    size_t size = wc_buf_size(der);
    test_code(wci_key_read_public(wc_buf_data(der), size + 1, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_public(wc_buf_data(der), size - 1, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_public("", 0, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_public(secret.data, secret.size, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_private(WCI_KEY_PKCS8, wc_buf_data(der), size, NULL, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_private(WCI_KEY_SEC1, wc_buf_data(der), size, NULL, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_private(WCI_KEY_PKCS8, secret.data, secret.size + 1, NULL, &again, NULL), WC_E_FORMAT);
    test_code(wci_key_read_private(WCI_KEY_PKCS8_ENCRYPTED, secret.data, secret.size, "x", &again, NULL), WC_E_FORMAT);
    wci_secret_clear(&secret);
    wc_buf_unref(der);
    wci_key_free(key);
}
END_TEST

START_TEST(errors_of_the_host_stay)
{
    wci_key *key = NULL;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    test_code(wci_key_read_public("rubbish", 7, &key, NULL), WC_E_FORMAT);
    unsigned long first = ERR_get_error();
    ck_assert_int_eq(ERR_GET_REASON(first), 42);
    ck_assert_uint_eq(ERR_get_error(), 0);
}
END_TEST

/* ---- Passphrases -------------------------------------------------------------------------------------- */

/* RFC 7914, 12 */
START_TEST(scrypt_as_the_standard_says)
{
    unsigned char key[64], want[64];
    unhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887", want);
    test_ok(wci_scrypt("pleaseletmein", 13, "SodiumChloride", 14, 16384, 8, 1, key, sizeof key, NULL));
    ck_assert(!memcmp(key, want, sizeof key));
}
END_TEST

START_TEST(scrypt_without_bounds_is_refused)
{
    unsigned char key[32];
    static const uint64_t bad[][3] = {{1u << 22, 8, 1}, {UINT64_MAX, 8, 1}, {1u << 15, UINT64_MAX, 1},
                                      {1u << 15, 8, UINT64_MAX}, {0, 8, 1}, {16, 0, 1}, {16, 8, 0}, {1, 1, 1},
                                      {1u << 15, 1025, 1}, {16, 8, 1025}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(wci_scrypt("p", 1, "s", 1, bad[i][0], bad[i][1], bad[i][2], key, sizeof key, NULL) != WC_OK,
                      "%zu", i);
}
END_TEST

/* "Cryptography in NaCl", 10 */
START_TEST(secretbox_as_nacl_says)
{
    static const char message[] =
        "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01"
        "233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd"
        "4924ca1c60902e52f0a089bc76897040e082f937763848645e0705";
    static const char box[] =
        "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c"
        "98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfea"
        "bd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5";
    unsigned char key[32], nonce[24], text[200], want[220], made_box[220];
    wci_secret opened = WCI_SECRET_INIT;
    unhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389", key);
    unhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37", nonce);
    size_t size = unhex(message, text), box_size = unhex(box, want);
    ck_assert_uint_eq(box_size, size + WCI_SECRETBOX_TAG);
    test_ok(wci_secretbox_seal(key, nonce, text, size, made_box, NULL));
    ck_assert(!memcmp(made_box, want, box_size));
    test_ok(wci_secretbox_open(key, nonce, want, box_size, &opened, NULL));
    ck_assert_uint_eq(opened.size, size);
    ck_assert(!memcmp(opened.data, text, size));
    wci_secret_clear(&opened);
    for (size_t i = 0; i < box_size; i++) {
        want[i] ^= 4;
        test_code(wci_secretbox_open(key, nonce, want, box_size, &opened, NULL), WC_E_AUTH);
        want[i] ^= 4;
    }
    test_code(wci_secretbox_open(key, nonce, want, box_size - 1, &opened, NULL), WC_E_AUTH);
    test_code(wci_secretbox_open(key, nonce, want, 15, &opened, NULL), WC_E_FORMAT);
}
END_TEST

/* Over the end of a counter byte. */
START_TEST(a_long_secretbox)
{
    enum { SIZE = 64 * 300 };
    static unsigned char text[SIZE], box[SIZE + WCI_SECRETBOX_TAG];
    unsigned char key[32] = {7}, nonce[24] = {9};
    wci_secret opened = WCI_SECRET_INIT;
    test_ok(wci_secretbox_seal(key, nonce, text, SIZE, box, NULL));
    for (size_t i = 64; i + 64 <= SIZE; i += 64) /* no block comes twice */
        ck_assert(memcmp(box + WCI_SECRETBOX_TAG + 32, box + WCI_SECRETBOX_TAG + 32 + i, 32) || i + 96 > SIZE);
    test_ok(wci_secretbox_open(key, nonce, box, sizeof box, &opened, NULL));
    ck_assert(!memcmp(opened.data, text, SIZE));
    wci_secret_clear(&opened);
}
END_TEST

/* Functions of OpenSSL that the library uses, too, go through its table in this program. */
static void load_openssl(void)
{
    test_ok(wci_lazy_crypto(NULL));
}

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tc = tcase_create("keys");
    tcase_add_checked_fixture(tc, load_openssl, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_kind_signs_and_verifies);
    tcase_add_test(tc, paddings_are_not_mixed_up);
    tcase_add_test(tc, ed25519_as_the_standard_says);
    tcase_add_test(tc, weak_and_odd_keys_are_refused);
    tcase_add_test(tc, trailing_bytes_and_rubbish_are_refused);
    tcase_add_test(tc, errors_of_the_host_stay);
    tcase_add_test(tc, scrypt_as_the_standard_says);
    tcase_add_test(tc, scrypt_without_bounds_is_refused);
    tcase_add_test(tc, secretbox_as_nacl_says);
    tcase_add_test(tc, a_long_secretbox);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
