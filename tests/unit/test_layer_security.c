/* SPDX-License-Identifier: Apache-2.0 */
/* Security descriptors: those that Windows writes pass, and every damage to what holds them together is seen. */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "layer/security.h"

/* O:BAG:SY with a label, an audit, and a list of all shapes of entries: plain, for objects with two GUIDs and
 * with none, conditional. */
#define FULL                                                                                       \
    "AQAUgBQAAAAkAAAAMAAAAGAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgAwAAIAAAARABQAAQAAAAEBAAAAAAAQ" \
    "ACAAAAJAFAD/////AQEAAAAAAAEAAAAAAgDUAAcAAAAAAxgA/wEfAAECAAAAAAAFIAAAACACAAAAAxQA/wEfAAEBAAAAAAAF" \
    "EgAAAAALFAAAAAAQAQEAAAAAAAMAAAAAAQMYAKkAEgABAgAAAAAABSAAAAAhAgAABQA8AAEAAAADAAAAR0dHR0dHR0dHR0dH" \
    "R0dHR0dHR0dHR0dHR0dHR0dHR0cBAgAAAAAABSAAAAAhAgAABgAcAAEAAAAAAAAAAQIAAAAAAAUgAAAAIQIAAAkAHAABAAAA" \
    "AQIAAAAAAAUgAAAAIQIAAGFydHg="

enum {
    AT_SACL_LIST = 48,
    AT_DACL_LIST = 96,
    AT_FIRST_ACE = AT_DACL_LIST + 8,
};

static unsigned char *sd;
static size_t size;

static void setup(void)
{
    sd = (unsigned char *)wci_base64_decode(FULL, &size);
    ck_assert_ptr_nonnull(sd);
}

static void teardown(void)
{
    wci_free(sd);
}

/* With one byte changed for the time of the check. */
static int32_t changed(size_t at, unsigned char value)
{
    unsigned char kept = sd[at];
    sd[at] = value;
    int32_t rc = wci_security_check(sd, size, NULL);
    sd[at] = kept;
    return rc;
}

START_TEST(whole_ones_pass)
{
    static const unsigned char bare[20] = {1, 0, 0, 0x80};
    test_ok(wci_security_check(sd, size, NULL));
    test_ok(wci_security_check(bare, sizeof bare, NULL)); /* grants everybody everything, which may be */
}
END_TEST

START_TEST(cut_ones_do_not)
{
    for (size_t cut = 0; cut < size; cut++)
        test_code(wci_security_check(sd, cut, NULL), WC_E_FORMAT);
}
END_TEST

START_TEST(headers)
{
    test_code(changed(0, 2), WC_E_FORMAT);
    test_code(changed(3, 0), WC_E_FORMAT);  /* not self-relative */
    test_code(changed(4, 2), WC_E_FORMAT);  /* the owner inside the header */
    test_code(changed(4, 22), WC_E_FORMAT); /* not aligned */
    test_code(changed(11, 0x80), WC_E_FORMAT);
    test_ok(changed(16, 0)); /* no list */
}
END_TEST

START_TEST(identities)
{
    test_code(changed(20, 2), WC_E_FORMAT);
    test_code(changed(21, 16), WC_E_FORMAT);
    test_code(changed(AT_FIRST_ACE + 9, 3), WC_E_FORMAT); /* longer than its entry */
}
END_TEST

START_TEST(lists)
{
    test_code(changed(AT_DACL_LIST, 1), WC_E_FORMAT);
    test_code(changed(AT_DACL_LIST, 5), WC_E_FORMAT);
    test_code(changed(AT_DACL_LIST + 2, 4), WC_E_FORMAT);
    test_code(changed(AT_DACL_LIST + 3, 1), WC_E_FORMAT); /* beyond the end */
    test_code(changed(AT_DACL_LIST + 4, 8), WC_E_FORMAT); /* more entries than there are */
    test_code(changed(AT_SACL_LIST + 4, 3), WC_E_FORMAT);
    test_code(changed(AT_FIRST_ACE + 2, 0), WC_E_FORMAT); /* an entry of no size would never end */
    test_code(changed(AT_FIRST_ACE + 2, 0x17), WC_E_FORMAT);
    test_ok(changed(AT_FIRST_ACE, 0x30)); /* a type still to come: only its size counts */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("security descriptors");
    TCase *tc = tcase_create("security");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, whole_ones_pass);
    tcase_add_test(tc, cut_ones_do_not);
    tcase_add_test(tc, headers);
    tcase_add_test(tc, identities);
    tcase_add_test(tc, lists);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
