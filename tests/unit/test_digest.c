/* SPDX-License-Identifier: Apache-2.0 */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/digest.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEX128                                                                                     \
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"                             \
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

START_TEST(parses_exactly_two_forms)
{
    wci_digest d;
    test_ok(wci_digest_parse("sha256:" HEX64, &d, NULL));
    ck_assert_int_eq(wci_digest_algo(&d), WCI_SHA256);
    ck_assert_str_eq(wci_digest_algo_name(&d), "sha256");
    ck_assert_str_eq(wci_digest_hex(&d), HEX64);
    test_ok(wci_digest_parse("sha512:" HEX128, &d, NULL));
    ck_assert_int_eq(wci_digest_algo(&d), WCI_SHA512);
    ck_assert_str_eq(d.text, "sha512:" HEX128);
}
END_TEST

START_TEST(refuses_everything_else)
{
    static const char *const bad[] = {
        "", "sha256", "sha256:", "sha256:../../x", "sha256:" HEX64 "0", "sha512:" HEX64,
        "sha256:" HEX128, "md5:d41d8cd98f00b204e9800998ecf8427e", "SHA256:" HEX64,
        "sha256-" HEX64, " sha256:" HEX64, "sha256:" HEX64 "\n", "sha384:" HEX64,
        "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8/5",
        "sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wci_digest d = {"untouched"};
        ck_assert_msg(wci_digest_parse(bad[i], &d, NULL) == WC_E_FORMAT, "'%s'", bad[i]);
        ck_assert_str_eq(d.text, "untouched");
    }
    wci_digest d = {""};
    test_code(wci_digest_parse(NULL, &d, NULL), WC_E_FORMAT);
}
END_TEST

START_TEST(error_shortens_and_escapes)
{
    char text[5000];
    wci_digest d;
    wc_error *err = NULL;
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    test_code(wci_digest_parse(text, &d, &err), WC_E_FORMAT);
    ck_assert_uint_lt(strlen(wc_error_message(err)), 250);
    ck_assert_ptr_null(strchr(wc_error_message(err), '\n'));
    wc_error_unref(err);
}
END_TEST

START_TEST(hashes_as_the_standard_says)
{
    wci_digest d;
    test_ok(wci_digest_of(WCI_SHA256, "", 0, &d, NULL));
    ck_assert_str_eq(d.text, "sha256:" HEX64);
    test_ok(wci_digest_of(WCI_SHA512, "", 0, &d, NULL));
    ck_assert_str_eq(d.text, "sha512:" HEX128);
    wci_hasher *h;
    test_ok(wci_hasher_new(WCI_SHA256, &h, NULL));
    wci_hasher_update(h, "a", 1);
    wci_hasher_update(h, "bc", 2);
    test_ok(wci_hasher_final(h, &d, NULL));
    wci_hasher_free(h);
    ck_assert_str_eq(d.text,
                     "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    wci_hasher_free(NULL);
}
END_TEST

START_TEST(chain_of_one_is_the_layer)
{
    wci_digest chain = {""}, diff, expected;
    test_ok(wci_digest_of(WCI_SHA256, "one", 3, &diff, NULL));
    ck_assert(!wci_digest_is_set(&chain));
    test_ok(wci_digest_chain(&chain, &diff, NULL));
    ck_assert(wci_digest_equal(&chain, &diff));
    char text[300];
    int n = snprintf(text, sizeof text, "%s %s", diff.text, diff.text);
    test_ok(wci_digest_of(WCI_SHA256, text, (size_t)n, &expected, NULL));
    test_ok(wci_digest_chain(&chain, &diff, NULL));
    ck_assert_str_eq(chain.text, expected.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("digest");
    TCase *tc = tcase_create("digest");
    tcase_add_test(tc, parses_exactly_two_forms);
    tcase_add_test(tc, refuses_everything_else);
    tcase_add_test(tc, error_shortens_and_escapes);
    tcase_add_test(tc, hashes_as_the_standard_says);
    tcase_add_test(tc, chain_of_one_is_the_layer);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
