/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of signatures: PEM, key files, claims, policies, names; what they mean and what is refused. */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "image/trust/claim.h"
#include "image/trust/gpg.h"
#include "image/trust/key_box.h"
#include "image/trust/key_file.h"
#include "image/trust/pem.h"
#include "image/trust/policy.h"
#include "image/trust/registries_d.h"
#include "image/trust/subject.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void says(const wc_error *err, const char *text)
{
    wc_buf *whole = NULL;
    ck_assert_ptr_nonnull(err);
    test_ok(wc_error_format(err, &whole));
    ck_assert_msg(strstr(wc_buf_data(whole), text) != NULL, "'%s' does not say '%s'", wc_buf_data(whole), text);
    wc_buf_unref(whole);
}

/* ---- PEM ---------------------------------------------------------------------------------------------- */

START_TEST(pem_blocks_one_after_the_other)
{
    static const char text[] = "words before\n-----BEGIN A-----\r\nYWJj\r\nZGVm \r\n-----END A-----\r\nbetween\n"
                               "-----BEGIN B C-----\n-----END B C-----";
    const char *at = text, *end = text + sizeof text - 1;
    wci_pem block = WCI_PEM_INIT;
    test_ok(wci_pem_next(&at, end, &block, NULL));
    ck_assert_str_eq(block.label, "A");
    ck_assert_uint_eq(block.data.size, 6);
    ck_assert_str_eq(block.data.data, "abcdef");
    wci_pem_clear(&block);
    test_ok(wci_pem_next(&at, end, &block, NULL));
    ck_assert_str_eq(block.label, "B C");
    ck_assert_uint_eq(block.data.size, 0);
    wci_pem_clear(&block);
    test_code(wci_pem_next(&at, end, &block, NULL), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(bad_pem)
{
    static const struct {
        const char *text;
        int32_t code;
    } bad[] = {
        {"", WC_E_NOT_FOUND},
        {"-----BEGIN A----", WC_E_NOT_FOUND},
        {" -----BEGIN A-----\nYWJj\n-----END A-----\n", WC_E_NOT_FOUND},
        {"-----BEGIN A-----\nYWJj\n", WC_E_FORMAT},
        {"-----BEGIN A-----\nYWJj\n-----END B-----\n", WC_E_FORMAT},
        {"-----BEGIN A-----\nY*Jj\n-----END A-----\n", WC_E_FORMAT},
        {"-----BEGIN A-----\nYW Jj\n-----END A-----\n", WC_E_FORMAT},
        {"-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nYWJj\n-----END A-----\n", WC_E_UNSUPPORTED},
        {"-----BEGIN A-----\n-----BEGIN A-----\nYWJj\n-----END A-----\n", WC_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *at = bad[i].text;
        wci_pem block = WCI_PEM_INIT;
        ck_assert_msg(wci_pem_next(&at, at + strlen(at), &block, NULL) == bad[i].code, "%zu", i);
    }
}
END_TEST

/* ---- Keys --------------------------------------------------------------------------------------------- */

START_TEST(a_new_pair_fits_and_its_passphrase_counts)
{
    wc_buf *secret = NULL, *open = NULL, *again = NULL;
    wci_key *key = NULL;
    wc_error *err = NULL;
    test_ok(wci_key_pair_make("pass", &secret, &open, NULL));
    ck_assert(wci_starts_with(wc_buf_data(secret), "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n"));
    const char *text = wc_buf_data(secret);
    size_t size = wc_buf_size(secret);
    test_code(wci_private_key_parse(text, size, "key", NULL, &key, &err), WC_E_AUTH);
    says(err, "give its passphrase");
    wc_error_unref(err);
    err = NULL;
    test_code(wci_private_key_parse(text, size, "key", "Pass", &key, &err), WC_E_AUTH);
    says(err, "does not open it");
    wc_error_unref(err);
    test_ok(wci_private_key_parse(text, size, "key", "pass", &key, NULL));
    test_ok(wci_public_key_write(key, &again, NULL));
    ck_assert_str_eq(wc_buf_data(again), wc_buf_data(open));
    wci_key_free(key);
    key = NULL;
    test_ok(wci_public_key_parse(wc_buf_data(open), wc_buf_size(open), "key", &key, NULL));
    wci_key_free(key);
    wc_buf_unref(secret);
    wc_buf_unref(open);
    wc_buf_unref(again);
}
END_TEST

START_TEST(an_empty_passphrase_need_not_be_given)
{
    wc_buf *secret = NULL, *open = NULL;
    wci_key *key = NULL;
    test_ok(wci_key_pair_make("", &secret, &open, NULL));
    test_ok(wci_private_key_parse(wc_buf_data(secret), wc_buf_size(secret), "key", NULL, &key, NULL));
    wci_key_free(key);
    wc_buf_unref(secret);
    wc_buf_unref(open);
}
END_TEST

START_TEST(wrong_files_for_keys)
{
    wc_buf *secret = NULL, *open = NULL;
    wci_key *key = NULL;
    wc_error *err = NULL;
    test_ok(wci_key_pair_make("", &secret, &open, NULL));
    test_code(wci_public_key_parse(wc_buf_data(secret), wc_buf_size(secret), "key", &key, &err), WC_E_FORMAT);
    says(err, "not a public key");
    wc_error_unref(err);
    err = NULL;
    test_code(wci_private_key_parse(wc_buf_data(open), wc_buf_size(open), "key", NULL, &key, &err), WC_E_FORMAT);
    says(err, "not a private key");
    wc_error_unref(err);
    err = NULL;
    char *two = test_text("%s%s", wc_buf_data(open), wc_buf_data(open));
    test_code(wci_public_key_parse(two, strlen(two), "key", &key, &err), WC_E_FORMAT);
    says(err, "more than one key");
    wc_error_unref(err);
    free(two);
    wc_buf_unref(secret);
    wc_buf_unref(open);
}
END_TEST

static void box_is(const char *json, int32_t want)
{
    wci_secret out = WCI_SECRET_INIT;
    int32_t code = wci_key_box_open(json, strlen(json), "p", &out, NULL);
    ck_assert_msg(code == want, "%s: %s", json, wc_code_name(code));
}

START_TEST(hostile_key_boxes)
{
#define BOX(kdf, n, cipher, nonce) \
    "{\"kdf\":{\"name\":\"" kdf "\",\"params\":{\"N\":" n ",\"r\":8,\"p\":1},\"salt\":\"c2FsdA==\"},\"cipher\":{\"name\":\"" \
    cipher "\",\"nonce\":\"" nonce "\"},\"ciphertext\":\"AAAAAAAAAAAAAAAAAAAAAAAA\"}"
#define NONCE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    box_is(BOX("scrypt", "16", "nacl/secretbox", NONCE), WC_E_AUTH);
    box_is(BOX("bcrypt", "16", "nacl/secretbox", NONCE), WC_E_UNSUPPORTED);
    box_is(BOX("scrypt", "16", "aes", NONCE), WC_E_UNSUPPORTED);
    box_is(BOX("scrypt", "16", "nacl/secretbox", "AAAA"), WC_E_FORMAT);
    box_is(BOX("scrypt", "4611686018427387904", "nacl/secretbox", NONCE), WC_E_LIMIT);
    box_is(BOX("scrypt", "-1", "nacl/secretbox", NONCE), WC_E_FORMAT);
    box_is(BOX("scrypt", "\"16\"", "nacl/secretbox", NONCE), WC_E_FORMAT);
    box_is("{}", WC_E_UNSUPPORTED);
    box_is("[]", WC_E_FORMAT);
    box_is("", WC_E_FORMAT);
}
END_TEST

/* ---- Claims ------------------------------------------------------------------------------------------- */

#define CLAIM(critical, optional) "{\"critical\":{" critical "},\"optional\":" optional "}"
#define IDENTITY "\"identity\":{\"docker-reference\":\"a.b/c:d\"}"
#define IMAGE "\"image\":{\"docker-manifest-digest\":\"" DIGEST "\"}"
#define TYPE "\"type\":\"cosign container image signature\""

static int32_t claim_of(const char *text, wci_claim *out)
{
    return wci_claim_parse(text, strlen(text), WCI_CLAIM_COSIGN, out, NULL);
}

START_TEST(claims_are_read_strictly)
{
    static const char *const good[] = {
        CLAIM(IDENTITY "," IMAGE "," TYPE, "null"), CLAIM(TYPE "," IMAGE "," IDENTITY, "{}"),
        CLAIM(IDENTITY "," IMAGE "," TYPE, "{\"creator\":\"c\",\"timestamp\":1,\"other\":[1]}")};
    static const char *const bad[] = {
        "", "null", "[]", "{}", CLAIM("", "null"), CLAIM(IDENTITY "," IMAGE, "null"), CLAIM(IDENTITY "," TYPE, "null"),
        CLAIM(IMAGE "," TYPE, "null"), "{\"critical\":{" IDENTITY "," IMAGE "," TYPE "}}",
        CLAIM(IDENTITY "," IMAGE "," TYPE, "null,\"more\":1"), CLAIM(IDENTITY "," IMAGE "," TYPE ",\"more\":1", "null"),
        CLAIM(IDENTITY "," IMAGE "," TYPE "," TYPE, "null"), CLAIM(IDENTITY "," IMAGE "," TYPE, "[]"),
        CLAIM(IDENTITY "," IMAGE "," TYPE, "{\"timestamp\":1.5}"), CLAIM(IDENTITY "," IMAGE "," TYPE, "{\"creator\":1}"),
        CLAIM(IDENTITY "," IMAGE ",\"type\":\"atomic container signature\"", "null"),
        CLAIM(IDENTITY ",\"image\":{\"Docker-manifest-digest\":\"" DIGEST "\"}," TYPE, "null"),
        CLAIM(IDENTITY ",\"image\":{\"docker-manifest-digest\":\"md5:0\"}," TYPE, "null"),
        CLAIM(IDENTITY ",\"image\":{\"docker-manifest-digest\":null}," TYPE, "null"),
        CLAIM("\"identity\":{\"docker-reference\":1}," IMAGE "," TYPE, "null"),
        CLAIM(IDENTITY "," IMAGE "," TYPE, "null") "x", "\xef\xbb\xbf" CLAIM(IDENTITY "," IMAGE "," TYPE, "null")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        wci_claim claim = WCI_CLAIM_INIT;
        test_ok(claim_of(good[i], &claim));
        ck_assert_str_eq(claim.reference, "a.b/c:d");
        ck_assert_str_eq(claim.digest.text, DIGEST);
        wci_claim_free(&claim);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wci_claim claim = WCI_CLAIM_INIT;
        ck_assert_msg(claim_of(bad[i], &claim) == WC_E_FORMAT, "%s", bad[i]);
        ck_assert_ptr_null(claim.reference);
    }
}
END_TEST

START_TEST(claims_of_any_size)
{
    size_t size = WCI_CLAIM_MAX + 1;
    char *text = malloc(size);
    wci_claim claim = WCI_CLAIM_INIT;
    memset(text, ' ', size);
    test_code(wci_claim_parse(text, size, WCI_CLAIM_COSIGN, &claim, NULL), WC_E_LIMIT);
    memset(text, '[', size);
    test_code(wci_claim_parse(text, size - 1, WCI_CLAIM_COSIGN, &claim, NULL), WC_E_FORMAT);
    free(text);
}
END_TEST

START_TEST(a_made_claim_is_read_again)
{
    wci_claim claim = WCI_CLAIM_INIT;
    wci_digest digest;
    wc_buf *made = NULL;
    test_ok(wci_digest_parse(DIGEST, &digest, NULL));
    test_ok(wci_claim_make("a.b/c:d", &digest, &made, NULL));
    test_ok(claim_of(wc_buf_data(made), &claim));
    ck_assert_str_eq(claim.reference, "a.b/c:d");
    wci_claim_free(&claim);
    wc_buf_unref(made);
}
END_TEST

/* ---- Names -------------------------------------------------------------------------------------------- */

static int accepts(wci_identity_kind kind, const char *name, const char *to, const char *image, const char *signer)
{
    wci_identity identity = {kind, (char *)name, (char *)to};
    wci_reference ref = WCI_REFERENCE_INIT;
    if (image)
        test_ok(wci_reference_parse(image, &ref, NULL));
    int good = wci_identity_accepts(&identity, image ? &ref : NULL, signer);
    wci_reference_free(&ref);
    return good;
}

START_TEST(identities)
{
    static const struct {
        wci_identity_kind kind;
        const char *name, *to, *image, *signer;
        int good;
    } cases[] = {
        {WCI_IDENTITY_EXACT, NULL, NULL, "h.io/r:t", "h.io/r:t", 1},
        {WCI_IDENTITY_EXACT, NULL, NULL, "h.io/r:t", "h.io/r:u", 0},
        {WCI_IDENTITY_EXACT, NULL, NULL, "h.io/r:t", "h.io/r", 0},
        {WCI_IDENTITY_EXACT, NULL, NULL, "h.io/r@" DIGEST, "h.io/r:t", 0},
        {WCI_IDENTITY_EXACT, NULL, NULL, "h.io/r@" DIGEST, "h.io/r@" DIGEST, 1},
        {WCI_IDENTITY_EXACT, NULL, NULL, "busybox:t", "docker.io/library/busybox:t", 1},
        {WCI_IDENTITY_EXACT, NULL, NULL, "h.io/r:t", "not a name", 0},
        {WCI_IDENTITY_EXACT, NULL, NULL, NULL, "h.io/r:t", 0},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r:t", "h.io/r:t", 1},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r:t", "h.io/r:u", 0},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r@" DIGEST, "h.io/r:u", 1},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r:t@" DIGEST, "h.io/r:u", 1},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r@" DIGEST, "h.io/r", 0},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r@" DIGEST, "h.io/s:u", 0},
        {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "h.io/r@" DIGEST, "i.io/r:u", 0},
        {WCI_IDENTITY_REPOSITORY, NULL, NULL, "h.io/r:t", "h.io/r", 1},
        {WCI_IDENTITY_REPOSITORY, NULL, NULL, "h.io/r:t", "h.io/r:u", 1},
        {WCI_IDENTITY_REPOSITORY, NULL, NULL, "h.io/r:t", "h.io/rr:t", 0},
        {WCI_IDENTITY_REPOSITORY, NULL, NULL, NULL, "h.io/r", 0},
        {WCI_IDENTITY_EXACT_REFERENCE, "h.io/r:t", NULL, NULL, "h.io/r:t", 1},
        {WCI_IDENTITY_EXACT_REFERENCE, "h.io/r:t", NULL, "x.io/y:z", "h.io/r:t", 1},
        {WCI_IDENTITY_EXACT_REFERENCE, "h.io/r:t", NULL, "h.io/r:t", "h.io/r:u", 0},
        {WCI_IDENTITY_EXACT_REPOSITORY, "h.io/r", NULL, "x.io/y:z", "h.io/r:u", 1},
        {WCI_IDENTITY_EXACT_REPOSITORY, "h.io/r", NULL, "h.io/r:u", "h.io/s:u", 0},
        {WCI_IDENTITY_REMAP, "m.io", "v.io/p", "m.io/r:t", "v.io/p/r:t", 1},
        {WCI_IDENTITY_REMAP, "m.io", "v.io/p", "m.io/r:t", "m.io/r:t", 0},
        {WCI_IDENTITY_REMAP, "m.io/a", "v.io", "m.io/a:t", "v.io:t", 0},
        {WCI_IDENTITY_REMAP, "m.io/a", "v.io/b", "m.io/a:t", "v.io/b:t", 1},
        {WCI_IDENTITY_REMAP, "m.io/a", "v.io/b", "m.io/ab:t", "m.io/ab:t", 1},
        {WCI_IDENTITY_REMAP, "m.io/a", "v.io/b", "m.io/ab:t", "v.io/bb:t", 0},
        {WCI_IDENTITY_REMAP, "m.io", "v.io", "m.io/r@" DIGEST, "v.io/r:t", 1},
        {WCI_IDENTITY_ANY, NULL, NULL, NULL, "h.io/r", 1},
        {WCI_IDENTITY_ANY, NULL, NULL, "h.io/r:t", "h.io/r", 1},
        {WCI_IDENTITY_ANY, NULL, NULL, "h.io/r:t", "h.io/s:t", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(accepts(cases[i].kind, cases[i].name, cases[i].to, cases[i].image, cases[i].signer) ==
                          cases[i].good,
                      "case %zu: %s", i, cases[i].signer);
}
END_TEST

START_TEST(subjects)
{
    wci_strv wanted = WCI_STRV_INIT, subject = WCI_STRV_INIT;
    static const char *const own[] = {"C=US", "ST=WA", "O=a, b", "OU=x", "OU=y", "CN= z"};
    static const struct {
        const char *text;
        int good;
    } cases[] = {{"C=US", 1},         {"C=US, ST=WA,O=a\\, b", 1}, {"  ST=WA  ,C=US ", 1}, {"CN=\\ z", 1},
                 {"CN=z", 0},         {"C=US, ST=OR", 0},          {"OU=x", 0},           {"L=Seattle", 0},
                 {"C=US, O=a", 0}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        wci_strv_add(&subject, own[i]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_ok(wci_subject_parse(cases[i].text, &wanted, NULL));
        ck_assert_msg(wci_subject_matches(&wanted, &subject) == cases[i].good, "%s", cases[i].text);
        wci_strv_free(&wanted);
        wanted = (wci_strv)WCI_STRV_INIT;
    }
    static const char *const bad[] = {"", "C", "C=", "=US", "C=US,", ",C=US", "C=US,,ST=WA"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(wci_subject_parse(bad[i], &wanted, NULL) == WC_E_FORMAT, "'%s'", bad[i]);
    }
    wci_strv_free(&wanted);
    wci_strv_free(&subject);
}
END_TEST

/* ---- Policies ----------------------------------------------------------------------------------------- */

#define POLICY(requirement) "{\"default\":[" requirement "]}"
#define SCOPED(transport, scope) \
    "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"" transport "\":{\"" scope "\":[{\"type\":\"reject\"}]}}}"

static int32_t policy_of(const char *text)
{
    wci_policy *policy = NULL;
    int32_t code = wci_policy_parse(text, strlen(text), "p", &policy, NULL);
    wci_policy_free(policy);
    return code;
}

START_TEST(policies_are_read_strictly)
{
    static const char *const good[] = {
        POLICY("{\"type\":\"insecureAcceptAnything\"}"),
        POLICY("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}"),
        POLICY("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"/k\",\"/l\"]}"),
        POLICY("{\"type\":\"signedBy\",\"keyType\":\"X509Certificates\",\"keyPath\":\"/k\"}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\"}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyData\":\"YWJj\",\"signedIdentity\":{\"type\":\"matchExact\"}}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyDatas\":[\"YWJj\"],\"signedIdentity\":{\"type\":\"remapIdentity\","
               "\"prefix\":\"a.b:5000\",\"signedPrefix\":\"c.d/e\"}}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"fulcio\":{\"caPath\":\"/c\"},\"rekorPublicKeyPath\":\"/r\"}"),
        POLICY("{\"type\":\"signedBaseLayer\",\"baseLayerIdentity\":{\"type\":\"matchExact\"}}"),
        POLICY("{\"type\":\"notationSigned\",\"caPath\":\"/c\",\"trustedIdentities\":[\"*\"]}"),
        POLICY("{\"type\":\"notationSigned\",\"caData\":\"YWJj\",\"trustedIdentities\":[\"x509.subject: C=US, O=x\"]}"),
        SCOPED("docker", "a.b/c:d"), SCOPED("oci", "/a/b"), SCOPED("docker-archive", ""), SCOPED("atomic", "whatever"),
    };
    static const char *const bad[] = {
        "", "[]", "{}", "{\"default\":{}}", "{\"default\":[]}", "{\"default\":[1]}", "{\"default\":[null]}",
        POLICY("{}"), POLICY("{\"type\":1}"), POLICY("{\"type\":\"Reject\"}"),
        POLICY("{\"type\":\"reject\",\"type\":\"insecureAcceptAnything\"}"), POLICY("{\"type\":\"reject\",\"x\":1}"),
        POLICY("{\"type\":\"signedBy\",\"keyPath\":\"/k\"}"),
        POLICY("{\"type\":\"signedBy\",\"keyType\":\"PGP\",\"keyPath\":\"/k\"}"),
        POLICY("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}"),
        POLICY("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\",\"keyData\":\"YWJj\"}"),
        POLICY("{\"type\":\"sigstoreSigned\"}"), POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"\"}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":null}"), POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":[\"/k\"]}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPaths\":\"/k\"}"), POLICY("{\"type\":\"sigstoreSigned\",\"keyPaths\":[]}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPaths\":[1]}"), POLICY("{\"type\":\"sigstoreSigned\",\"keyData\":\"*\"}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keypath\":\"/k\"}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":null}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"exact\"}}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"matchExact\",\"x\":1}}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"exactReference\","
               "\"dockerReference\":\"a.b/c\"}}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"exactRepository\","
               "\"dockerRepository\":\"A B\"}}"),
        POLICY("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"remapIdentity\","
               "\"prefix\":\"a.b/c:t\",\"signedPrefix\":\"d.e\"}}"),
        POLICY("{\"type\":\"notationSigned\",\"caPath\":\"/c\"}"),
        POLICY("{\"type\":\"notationSigned\",\"caPath\":\"/c\",\"trustedIdentities\":[]}"),
        POLICY("{\"type\":\"notationSigned\",\"caPath\":\"/c\",\"trustedIdentities\":[\"CN=x\"]}"),
        POLICY("{\"type\":\"notationSigned\",\"caPath\":\"/c\",\"trustedIdentities\":[\"x509.subject:\"]}"),
        SCOPED("oci", "a/b"), SCOPED("oci", "/"), SCOPED("oci", "/a/"), SCOPED("oci", "/a/../b"), SCOPED("oci", "/a//b"),
        SCOPED("oci-archive", "/./a"), SCOPED("docker-archive", "x"), SCOPED("docker-daemon", DIGEST),
        "{\"default\":[{\"type\":\"reject\"}],\"transports\":[]}",
        "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":[]}}",
        "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"a\":{}}}}",
        "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{},\"docker\":{}}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(policy_of(good[i]) == WC_OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(policy_of(bad[i]) == WC_E_FORMAT, "%s", bad[i]);
}
END_TEST

static void scopes_are(const char *text, const char *want)
{
    wci_place place = WCI_PLACE_INIT;
    wci_strv names = WCI_STRV_INIT;
    wci_str joined = WCI_STR_INIT;
    const char *transport = NULL;
    test_ok(wci_place_parse(text, &place, NULL));
    test_ok(wci_policy_scopes(&place, &transport, &names, NULL));
    wci_str_append(&joined, transport);
    for (size_t i = 0; i < names.count; i++)
        wci_str_printf(&joined, " %s", names.items[i]);
    ck_assert_str_eq(joined.data, want);
    wci_str_free(&joined);
    wci_strv_free(&names);
    wci_place_free(&place);
}

START_TEST(scopes)
{
    scopes_are("docker://r.example.com:5000/a/b:t", "docker r.example.com:5000/a/b:t r.example.com:5000/a/b "
                                                    "r.example.com:5000/a r.example.com:5000 *.example.com *.com");
    scopes_are("busybox", "docker docker.io/library/busybox:latest docker.io/library/busybox docker.io/library docker.io "
                          "*.io");
    scopes_are("docker://h.io/r:t@" DIGEST, "docker h.io/r@" DIGEST " h.io/r h.io *.io");
    scopes_are("docker://localhost/r:t", "docker localhost/r:t localhost/r localhost");
    scopes_are("docker-daemon:r:t", "docker-daemon docker.io/library/r:t docker.io/library/r docker.io/library docker.io "
                                    "*.io");
    scopes_are("docker-archive:/a/b", "docker-archive");
    char *dir = test_make_dir(), *inner = test_text("%s/d", dir), *link = test_text("%s/l", dir);
    char real[4096];
    ck_assert_int_eq(mkdir(inner, 0755), 0);
    ck_assert_int_eq(symlink("d", link), 0);
    ck_assert_ptr_nonnull(realpath(dir, real));
    char *place = test_text("oci:%s:x", link), *begin = test_text("oci %s/d %s ", real, real);
    wci_place parsed = WCI_PLACE_INIT;
    wci_strv names = WCI_STRV_INIT;
    const char *transport = NULL;
    test_ok(wci_place_parse(place, &parsed, NULL));
    test_ok(wci_policy_scopes(&parsed, &transport, &names, NULL));
    char *found = test_text("%s %s %s ", transport, names.items[0], names.items[1]);
    ck_assert_str_eq(found, begin);
    ck_assert_str_ne(names.items[names.count - 1], "/");
    free(found);
    wci_strv_free(&names);
    wci_place_free(&parsed);
    free(place);
    free(begin);
    free(inner);
    free(link);
    test_remove_dir(dir);
}
END_TEST

/* ---- Simple signing ----------------------------------------------------------------------------------- */

static const char *lookaside_of(const char *text, const char *scope)
{
    static char found[200];
    wci_registries_d all = WCI_REGISTRIES_D_INIT;
    wci_strv asked = WCI_STRV_INIT;
    test_ok(wci_registries_d_parse(text, strlen(text), "f", &all, NULL));
    wci_strv_add(&asked, scope);
    const char *url = wci_registries_d_find(&all, &asked);
    snprintf(found, sizeof found, "%s", url ? url : "none");
    wci_strv_free(&asked);
    wci_registries_d_free(&all);
    return found;
}

START_TEST(registries_d)
{
    static const char text[] = "---\n# words\ndefault-docker:\n  lookaside: https://d.example.com # here\n\n"
                               "docker:\n  h.io:5000/a:\n      sigstore: file:///old\n      lookaside: \"file:///new#1\"\n"
                               "  'h.io':\n    use-sigstore-attachments: true\n  i.io:\r\n    sigstore: file:///i\r\n";
    ck_assert_str_eq(lookaside_of(text, "x.io"), "https://d.example.com");
    ck_assert_str_eq(lookaside_of(text, "h.io:5000/a"), "file:///new#1");
    ck_assert_str_eq(lookaside_of(text, "h.io"), "none");
    ck_assert_str_eq(lookaside_of(text, "i.io"), "file:///i");
    ck_assert_str_eq(lookaside_of("docker: {}\n", "i.io"), "none");
    ck_assert_str_eq(lookaside_of("", "i.io"), "none");
}
END_TEST

START_TEST(bad_registries_d)
{
    static const char *const bad[] = {
        "words", "docker: x", "other:", "docker:\n\th.io:", "docker:\n  h.io: x", "docker:\n  h.io:\n  h.io:",
        "docker:\n  h.io:\n    lookaside: [a]", "docker:\n  h.io:\n    lookaside: &a b", "docker:\n  h.io:\n    lookaside: *a",
        "docker:\n  h.io:\n    lookaside: |", "docker:\n  h.io:\n    lookaside: \"a", "docker:\n  h.io:\n    lookaside: a'b",
        "docker:\n  h.io:\n    lookaside: a\n   sigstore: b", "docker:\n    h.io:\n  i.io:\n      lookaside: a",
        "docker:\n  h.io:\n    - a", "default-docker:\ndefault-docker:", "\"docker\\n\":", "- docker:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wci_registries_d all = WCI_REGISTRIES_D_INIT;
        ck_assert_msg(wci_registries_d_parse(bad[i], strlen(bad[i]), "f", &all, NULL) == WC_E_FORMAT, "%s", bad[i]);
        wci_registries_d_free(&all);
    }
}
END_TEST

#define G "[GNUPG:] "
#define PLAIN G "PLAINTEXT 62 0 m\n"
#define GOOD G "GOODSIG 1 x\n"
#define VALID G "VALIDSIG AA 2026-01-01 0 0 4 0 1 10 00 BB\n"

START_TEST(what_gpgv_says)
{
    char *fingerprint = NULL;
    test_ok(wci_gpg_read_status(G "NEWSIG\n" PLAIN GOOD VALID, &fingerprint, NULL));
    ck_assert_str_eq(fingerprint, "BB");
    wci_free(fingerprint);
    static const char *const bad[] = {
        "", "words\n", PLAIN, GOOD VALID, PLAIN GOOD, PLAIN VALID, PLAIN GOOD VALID GOOD VALID, PLAIN PLAIN GOOD VALID,
        PLAIN GOOD VALID G "BADSIG 1 x\n", PLAIN G "EXPKEYSIG 1 x\n" VALID, PLAIN GOOD VALID G "REVKEYSIG 1 x",
        PLAIN G "GOODSIGN 1 x\n" VALID, "x" G "GOODSIG 1\n" PLAIN VALID, PLAIN GOOD VALID G "FAILURE gpgv 1\n",
        G "NEWSIG\n" G "NEWSIG\n" PLAIN GOOD VALID, PLAIN GOOD G "VALIDSIG \n" G "NODATA 1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(wci_gpg_read_status(bad[i], &fingerprint, NULL) == WC_E_UNTRUSTED, "%zu: %s", i, bad[i]);
}
END_TEST

#define ARMOUR "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define ARMOUR_END "-----END PGP PUBLIC KEY BLOCK-----\n"

START_TEST(armour_is_taken_off)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{"\x99\x01", "\x99\x01"}, {ARMOUR "Version: 1\n\nYWJj\n=abcd\n" ARMOUR_END, "abc"},
                 {ARMOUR "\r\nYWJj\r\nZGVm\r\n" ARMOUR_END "between\n" ARMOUR "\nZ2hp\n" ARMOUR_END, "abcdefghi"},
                 {ARMOUR "\nYWJj\n", NULL}, {ARMOUR ARMOUR_END, NULL}, {ARMOUR "\nY*Jj\n" ARMOUR_END, NULL}, {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wc_buf *out = NULL;
        int32_t code = wci_gpg_dearmor(cases[i].text, strlen(cases[i].text), "k", &out, NULL);
        ck_assert_msg(code == (cases[i].want ? WC_OK : WC_E_FORMAT), "%zu", i);
        if (!code)
            ck_assert_str_eq(wc_buf_data(out), cases[i].want);
        wc_buf_unref(out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trust");
    TCase *tc = tcase_create("trust");
    tcase_add_test(tc, pem_blocks_one_after_the_other);
    tcase_add_test(tc, bad_pem);
    tcase_add_test(tc, a_new_pair_fits_and_its_passphrase_counts);
    tcase_add_test(tc, an_empty_passphrase_need_not_be_given);
    tcase_add_test(tc, wrong_files_for_keys);
    tcase_add_test(tc, hostile_key_boxes);
    tcase_add_test(tc, claims_are_read_strictly);
    tcase_add_test(tc, claims_of_any_size);
    tcase_add_test(tc, a_made_claim_is_read_again);
    tcase_add_test(tc, identities);
    tcase_add_test(tc, subjects);
    tcase_add_test(tc, policies_are_read_strictly);
    tcase_add_test(tc, scopes);
    tcase_add_test(tc, registries_d);
    tcase_add_test(tc, bad_registries_d);
    tcase_add_test(tc, what_gpgv_says);
    tcase_add_test(tc, armour_is_taken_off);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
