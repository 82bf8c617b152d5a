/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's libcrypto, loaded on first use: many programs hash nothing, and its twenty thousand relocations cost every one
 * of them half a millisecond at its start. A function that is used and not listed here fails to link. */
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/stack.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdarg.h>

#include "platform/lazy.h"
#include "platform/posix/lazy_load.h"

#define FUNCTIONS(WITH_RESULT, WITHOUT)                                                                         \
    WITH_RESULT(int, ASN1_STRING_to_UTF8, (unsigned char **a, const ASN1_STRING *b), (a, b))                    \
    WITH_RESULT(BIGNUM *, BN_bin2bn, (const unsigned char *a, int b, BIGNUM *c), (a, b, c))                     \
    WITH_RESULT(int, BN_bn2binpad, (const BIGNUM *a, unsigned char *b, int c), (a, b, c))                       \
    WITHOUT(void, BN_free, (BIGNUM *a), (a))                                                                    \
    WITHOUT(void, CRYPTO_clear_free, (void *a, size_t b, const char *c, int d), (a, b, c, d))                   \
    WITHOUT(void, CRYPTO_free, (void *a, const char *b, int c), (a, b, c))                                      \
    WITH_RESULT(void *, CRYPTO_malloc, (size_t a, const char *b, int c), (a, b, c))                             \
    WITHOUT(void, ECDSA_SIG_free, (ECDSA_SIG *a), (a))                                                          \
    WITH_RESULT(const BIGNUM *, ECDSA_SIG_get0_r, (const ECDSA_SIG *a), (a))                                    \
    WITH_RESULT(const BIGNUM *, ECDSA_SIG_get0_s, (const ECDSA_SIG *a), (a))                                    \
    WITH_RESULT(ECDSA_SIG *, ECDSA_SIG_new, (void), ())                                                         \
    WITH_RESULT(int, ECDSA_SIG_set0, (ECDSA_SIG *a, BIGNUM *b, BIGNUM *c), (a, b, c))                           \
    WITH_RESULT(int, ERR_pop_to_mark, (void), ())                                                               \
    WITH_RESULT(int, ERR_set_mark, (void), ())                                                                  \
    WITH_RESULT(int, EVP_DigestFinal_ex, (EVP_MD_CTX *a, unsigned char *b, unsigned int *c), (a, b, c))         \
    WITH_RESULT(int, EVP_DigestInit_ex, (EVP_MD_CTX *a, const EVP_MD *b, ENGINE *c), (a, b, c))                 \
    WITH_RESULT(int, EVP_DigestSign,                                                                            \
                (EVP_MD_CTX *a, unsigned char *b, size_t *c, const unsigned char *d, size_t e),                 \
                (a, b, c, d, e))                                                                                \
    WITH_RESULT(int, EVP_DigestSignInit,                                                                        \
                (EVP_MD_CTX *a, EVP_PKEY_CTX **b, const EVP_MD *c, ENGINE *d, EVP_PKEY *e),                     \
                (a, b, c, d, e))                                                                                \
    WITH_RESULT(int, EVP_DigestUpdate, (EVP_MD_CTX *a, const void *b, size_t c), (a, b, c))                     \
    WITH_RESULT(int, EVP_DigestVerify,                                                                          \
                (EVP_MD_CTX *a, const unsigned char *b, size_t c, const unsigned char *d, size_t e),            \
                (a, b, c, d, e))                                                                                \
    WITH_RESULT(int, EVP_DigestVerifyInit,                                                                      \
                (EVP_MD_CTX *a, EVP_PKEY_CTX **b, const EVP_MD *c, ENGINE *d, EVP_PKEY *e),                     \
                (a, b, c, d, e))                                                                                \
    WITHOUT(void, EVP_KDF_CTX_free, (EVP_KDF_CTX *a), (a))                                                      \
    WITH_RESULT(EVP_KDF_CTX *, EVP_KDF_CTX_new, (EVP_KDF *a), (a))                                              \
    WITH_RESULT(int, EVP_KDF_derive, (EVP_KDF_CTX *a, unsigned char *b, size_t c, const OSSL_PARAM d[]),        \
                (a, b, c, d))                                                                                   \
    WITH_RESULT(EVP_KDF *, EVP_KDF_fetch, (OSSL_LIB_CTX *a, const char *b, const char *c), (a, b, c))           \
    WITHOUT(void, EVP_KDF_free, (EVP_KDF *a), (a))                                                              \
    WITHOUT(void, EVP_MAC_CTX_free, (EVP_MAC_CTX *a), (a))                                                      \
    WITH_RESULT(EVP_MAC_CTX *, EVP_MAC_CTX_new, (EVP_MAC *a), (a))                                              \
    WITH_RESULT(EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX *a, const char *b, const char *c), (a, b, c))           \
    WITH_RESULT(int, EVP_MAC_final, (EVP_MAC_CTX *a, unsigned char *b, size_t *c, size_t d), (a, b, c, d))      \
    WITHOUT(void, EVP_MAC_free, (EVP_MAC *a), (a))                                                              \
    WITH_RESULT(int, EVP_MAC_init, (EVP_MAC_CTX *a, const unsigned char *b, size_t c, const OSSL_PARAM d[]),    \
                (a, b, c, d))                                                                                   \
    WITH_RESULT(int, EVP_MAC_update, (EVP_MAC_CTX *a, const unsigned char *b, size_t c), (a, b, c))             \
    WITHOUT(void, EVP_MD_CTX_free, (EVP_MD_CTX *a), (a))                                                        \
    WITH_RESULT(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())                                                       \
    WITH_RESULT(EVP_PKEY *, EVP_PKCS82PKEY, (const PKCS8_PRIV_KEY_INFO *a), (a))                                \
    WITH_RESULT(PKCS8_PRIV_KEY_INFO *, EVP_PKEY2PKCS8, (const EVP_PKEY *a), (a))                                \
    WITH_RESULT(int, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX *a, int b), (a, b))                            \
    WITH_RESULT(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX *a, int b), (a, b))                        \
    WITHOUT(void, EVP_PKEY_free, (EVP_PKEY *a), (a))                                                            \
    WITH_RESULT(int, EVP_PKEY_get_base_id, (const EVP_PKEY *a), (a))                                            \
    WITH_RESULT(int, EVP_PKEY_get_bits, (const EVP_PKEY *a), (a))                                               \
    WITH_RESULT(int, EVP_PKEY_get_group_name, (const EVP_PKEY *a, char *b, size_t c, size_t *d), (a, b, c, d))  \
    WITH_RESULT(int, EVP_PKEY_get_int_param, (const EVP_PKEY *a, const char *b, int *c), (a, b, c))             \
    WITH_RESULT(const EVP_MD *, EVP_sha256, (void), ())                                                         \
    WITH_RESULT(const EVP_MD *, EVP_sha384, (void), ())                                                         \
    WITH_RESULT(const EVP_MD *, EVP_sha512, (void), ())                                                         \
    WITH_RESULT(const char *, OBJ_nid2sn, (int a), (a))                                                         \
    WITH_RESULT(int, OBJ_obj2nid, (const ASN1_OBJECT *a), (a))                                                  \
    WITH_RESULT(int, OPENSSL_init_crypto, (uint64_t a, const OPENSSL_INIT_SETTINGS *b), (a, b))                 \
    WITH_RESULT(OPENSSL_STACK *, OPENSSL_sk_new_null, (void), ())                                               \
    WITH_RESULT(int, OPENSSL_sk_num, (const OPENSSL_STACK *a), (a))                                             \
    WITHOUT(void, OPENSSL_sk_pop_free, (OPENSSL_STACK *a, void (*b)(void *)), (a, b))                           \
    WITH_RESULT(int, OPENSSL_sk_push, (OPENSSL_STACK *a, const void *b), (a, b))                                \
    WITH_RESULT(void *, OPENSSL_sk_value, (const OPENSSL_STACK *a, int b), (a, b))                              \
    WITH_RESULT(OSSL_PARAM, OSSL_PARAM_construct_end, (void), ())                                               \
    WITH_RESULT(OSSL_PARAM, OSSL_PARAM_construct_octet_string, (const char *a, void *b, size_t c), (a, b, c))   \
    WITH_RESULT(OSSL_PARAM, OSSL_PARAM_construct_uint64, (const char *a, uint64_t *b), (a, b))                  \
    WITHOUT(void, PKCS8_PRIV_KEY_INFO_free, (PKCS8_PRIV_KEY_INFO *a), (a))                                      \
    WITH_RESULT(PKCS8_PRIV_KEY_INFO *, PKCS8_decrypt, (const X509_SIG *a, const char *b, int c), (a, b, c))     \
    WITH_RESULT(int, X509_EXTENSION_get_critical, (const X509_EXTENSION *a), (a))                               \
    WITH_RESULT(ASN1_STRING *, X509_NAME_ENTRY_get_data, (const X509_NAME_ENTRY *a), (a))                       \
    WITH_RESULT(ASN1_OBJECT *, X509_NAME_ENTRY_get_object, (const X509_NAME_ENTRY *a), (a))                     \
    WITH_RESULT(int, X509_NAME_entry_count, (const X509_NAME *a), (a))                                          \
    WITH_RESULT(X509_NAME_ENTRY *, X509_NAME_get_entry, (const X509_NAME *a, int b), (a, b))                    \
    WITH_RESULT(char *, X509_NAME_oneline, (const X509_NAME *a, char *b, int c), (a, b, c))                     \
    WITHOUT(void, X509_SIG_free, (X509_SIG *a), (a))                                                            \
    WITHOUT(void, X509_STORE_CTX_free, (X509_STORE_CTX *a), (a))                                                \
    WITH_RESULT(X509_VERIFY_PARAM *, X509_STORE_CTX_get0_param, (const X509_STORE_CTX *a), (a))                 \
    WITH_RESULT(int, X509_STORE_CTX_get_error, (const X509_STORE_CTX *a), (a))                                  \
    WITH_RESULT(int, X509_STORE_CTX_init, (X509_STORE_CTX *a, X509_STORE *b, X509 *c, struct stack_st_X509 *d), \
                (a, b, c, d))                                                                                   \
    WITH_RESULT(X509_STORE_CTX *, X509_STORE_CTX_new, (void), ())                                               \
    WITH_RESULT(int, X509_STORE_add_cert, (X509_STORE *a, X509 *b), (a, b))                                     \
    WITHOUT(void, X509_STORE_free, (X509_STORE *a), (a))                                                        \
    WITH_RESULT(X509_STORE *, X509_STORE_new, (void), ())                                                       \
    WITHOUT(void, X509_VERIFY_PARAM_set_auth_level, (X509_VERIFY_PARAM *a, int b), (a, b))                      \
    WITH_RESULT(int, X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM *a, unsigned long b), (a, b))              \
    WITHOUT(void, X509_VERIFY_PARAM_set_time, (X509_VERIFY_PARAM *a, time_t b), (a, b))                         \
    WITH_RESULT(int, X509_check_issued, (X509 *a, X509 *b), (a, b))                                             \
    WITH_RESULT(int, X509_cmp_time, (const ASN1_TIME *a, time_t *b), (a, b))                                    \
    WITHOUT(void, X509_free, (X509 *a), (a))                                                                    \
    WITH_RESULT(const ASN1_TIME *, X509_get0_notAfter, (const X509 *a), (a))                                    \
    WITH_RESULT(const ASN1_TIME *, X509_get0_notBefore, (const X509 *a), (a))                                   \
    WITH_RESULT(EVP_PKEY *, X509_get0_pubkey, (const X509 *a), (a))                                             \
    WITH_RESULT(X509_EXTENSION *, X509_get_ext, (const X509 *a, int b), (a, b))                                 \
    WITH_RESULT(int, X509_get_ext_by_NID, (const X509 *a, int b, int c), (a, b, c))                             \
    WITH_RESULT(uint32_t, X509_get_extended_key_usage, (X509 *a), (a))                                          \
    WITH_RESULT(uint32_t, X509_get_extension_flags, (X509 *a), (a))                                             \
    WITH_RESULT(uint32_t, X509_get_key_usage, (X509 *a), (a))                                                   \
    WITH_RESULT(long, X509_get_pathlen, (X509 *a), (a))                                                         \
    WITH_RESULT(EVP_PKEY *, X509_get_pubkey, (X509 *a), (a))                                                    \
    WITH_RESULT(int, X509_get_signature_info, (X509 *a, int *b, int *c, int *d, uint32_t *e), (a, b, c, d, e))  \
    WITH_RESULT(X509_NAME *, X509_get_subject_name, (const X509 *a), (a))                                       \
    WITH_RESULT(int, X509_self_signed, (X509 *a, int b), (a, b))                                                \
    WITH_RESULT(int, X509_verify, (X509 *a, EVP_PKEY *b), (a, b))                                               \
    WITH_RESULT(int, X509_verify_cert, (X509_STORE_CTX *a), (a))                                                \
    WITH_RESULT(const char *, X509_verify_cert_error_string, (long a), (a))                                     \
    WITH_RESULT(ECDSA_SIG *, d2i_ECDSA_SIG, (ECDSA_SIG **a, const unsigned char **b, long c), (a, b, c))        \
    WITH_RESULT(PKCS8_PRIV_KEY_INFO *, d2i_PKCS8_PRIV_KEY_INFO,                                                 \
                (PKCS8_PRIV_KEY_INFO **a, const unsigned char **b, long c),                                     \
                (a, b, c))                                                                                      \
    WITH_RESULT(EVP_PKEY *, d2i_PUBKEY, (EVP_PKEY **a, const unsigned char **b, long c), (a, b, c))             \
    WITH_RESULT(EVP_PKEY *, d2i_PrivateKey, (int a, EVP_PKEY **b, const unsigned char **c, long d),             \
                (a, b, c, d))                                                                                   \
    WITH_RESULT(X509 *, d2i_X509, (X509 **a, const unsigned char **b, long c), (a, b, c))                       \
    WITH_RESULT(X509_SIG *, d2i_X509_SIG, (X509_SIG **a, const unsigned char **b, long c), (a, b, c))           \
    WITH_RESULT(int, i2d_ECDSA_SIG, (const ECDSA_SIG *a, unsigned char **b), (a, b))                            \
    WITH_RESULT(int, i2d_PKCS8_PRIV_KEY_INFO, (const PKCS8_PRIV_KEY_INFO *a, unsigned char **b), (a, b))        \
    WITH_RESULT(int, i2d_PUBKEY, (const EVP_PKEY *a, unsigned char **b), (a, b))

FUNCTIONS(WCI_LAZY_POINTER, WCI_LAZY_POINTER)

/* The one variadic function; EVP_EC_gen() passes the name of a curve. */
static EVP_PKEY *(*real_EVP_PKEY_Q_keygen)(OSSL_LIB_CTX *, const char *, const char *, ...);

FUNCTIONS(WCI_LAZY_FORWARD, WCI_LAZY_FORWARD_VOID)

EVP_PKEY *EVP_PKEY_Q_keygen(OSSL_LIB_CTX *context, const char *properties, const char *type, ...)
{
    va_list arguments;
    va_start(arguments, type);
    const char *curve = va_arg(arguments, const char *);
    va_end(arguments);
    return real_EVP_PKEY_Q_keygen(context, properties, type, curve);
}

static const wci_lazy_symbol symbols[] = {
    FUNCTIONS(WCI_LAZY_SYMBOL, WCI_LAZY_SYMBOL) WCI_LAZY_SYMBOL(EVP_PKEY *, EVP_PKEY_Q_keygen, (), ())};
static const char *const sonames[] = {"libcrypto.so.3", "libcrypto.3.dylib", NULL};
static wci_lazy_library library = {sonames, symbols, sizeof symbols / sizeof *symbols, "libssl3", ""};

static void load(void)
{
    wci_lazy_load(&library);
}

int32_t wci_lazy_crypto(wc_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return wci_lazy_result(&library, err);
}
