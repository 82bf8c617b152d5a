/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at registries: pages, and what may be wrong with them. */
#include "registry_fixture.h"

#include "registry/link.h"

static int32_t tags(const char *repository, wci_strv *names, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_remote *remote = mock_open(repository);
    mock_reset();
    int32_t code = wci_remote_tags(&call, remote, names, err);
    wci_remote_close(remote);
    return code;
}

static void expect_ten(const char *repository)
{
    wci_strv names = WCI_STRV_INIT;
    wc_error *err = NULL;
    int32_t code = tags(repository, &names, &err);
    ck_assert_msg(!code, "%s: %s", repository, err ? error_text(err) : "");
    ck_assert_uint_eq(names.count, 10);
    for (size_t i = 0; i < names.count; i++)
        ck_assert_int_eq(atoi(names.items[i]), (int)i);
    ck_assert_int_eq(mock_count("tags/list"), 4);
    wci_strv_free(&names);
}

START_TEST(pages_are_turned)
{
    expect_ten("plain/x");
    expect_ten("pageabsolute/x");
}
END_TEST

START_TEST(pages_with_a_token)
{
    wci_strv names = WCI_STRV_INIT;
    ck_assert_int_eq(tags("bearer/x", &names, NULL), WC_OK);
    ck_assert_uint_eq(names.count, 10);
    wci_strv_free(&names);
}
END_TEST

static void expect_refused(const char *repository, int32_t code, const char *says)
{
    wci_strv names = WCI_STRV_INIT;
    wc_error *err = NULL;
    ck_assert_int_eq(tags(repository, &names, &err), code);
    assert_error_says(err, says);
    wci_strv_free(&names);
}

START_TEST(case_38_link_to_another_host)
{
    char other[32];
    expect_refused("pageelse/x", WC_E_PERMISSION, "elsewhere");
    snprintf(other, sizeof other, "\"port\": %d", mock_other_port);
    ck_assert_int_eq(mock_count(other), 0);
    expect_refused("pagemeta/x", WC_E_PERMISSION, "elsewhere");
}
END_TEST

START_TEST(case_45_link_loop)
{
    expect_refused("pageloop/x", WC_E_FORMAT, "never end");
    ck_assert_int_eq(mock_count("tags/list"), 1);
    expect_refused("pagebad/x", WC_E_FORMAT, "Link header");
}
END_TEST

START_TEST(case_26_endless_page)
{
    expect_refused("pagehuge/x", WC_E_LIMIT, "larger than allowed");
}
END_TEST

START_TEST(a_look_without_fetching)
{
    WCI_CALL_NONE(call);
    wci_look look;
    static const char *const repositories[] = {"plain/x", "bearer/x", "wrongdigest/x"};
    for (int i = 0; i < 2; i++) {
        wci_remote *remote = mock_open(repositories[i]);
        mock_reset();
        ck_assert_int_eq(wci_remote_look(&call, remote, "tag", &look, NULL), WC_OK);
        ck_assert_int_eq(mock_count("\"GET\", \"path\": \"/v2"), 0);
        ck_assert_int_gt(look.size, 0);
        ck_assert_int_eq(look.remaining, -1);
        ck_assert_str_eq(look.media_type, "application/vnd.oci.image.manifest.v1+json");
        wci_free(look.media_type);
        ck_assert_int_eq(wci_remote_look(&call, remote, "none", &look, NULL), WC_E_NOT_FOUND);
        wci_remote_close(remote);
    }
}
END_TEST

static void expect_next(const char *header, const char *want)
{
    char *next = NULL;
    ck_assert_int_eq(wci_link_next(header, &next, NULL), WC_OK);
    if (want)
        ck_assert_str_eq(next, want);
    else
        ck_assert_ptr_null(next);
    wci_free(next);
}

START_TEST(links_of_every_form)
{
    expect_next("</v2/x?last=a>; rel=\"next\"", "/v2/x?last=a");
    expect_next("</a>;rel=next", "/a");
    expect_next("<a,b;c>; title=\"x, y; rel=\\\"next\\\"\"; rel=\"prev\", <d>; REL=\"last next\"", "d");
    expect_next("</a>; rel=\"nextpage\"", NULL);
    expect_next("</a>", NULL);
    expect_next("", NULL);
    static const char *const bad[] = {"</a; rel=next", "/a; rel=next", "</a>; rel=\"next", "</a> x"};
    for (int i = 0; i < 4; i++) {
        char *next = NULL;
        ck_assert_int_eq(wci_link_next(bad[i], &next, NULL), WC_E_FORMAT);
        ck_assert_ptr_null(next);
    }
}
END_TEST

int main(void)
{
    mock_start();
    Suite *suite = suite_create("registry: looking");
    TCase *tc = tcase_create("looking");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, pages_are_turned);
    tcase_add_test(tc, pages_with_a_token);
    tcase_add_test(tc, case_38_link_to_another_host);
    tcase_add_test(tc, case_45_link_loop);
    tcase_add_test(tc, case_26_endless_page);
    tcase_add_test(tc, a_look_without_fetching);
    tcase_add_test(tc, links_of_every_form);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
