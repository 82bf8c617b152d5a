/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of blobs: those bytes and no others, or none. */
#include "registry_fixture.h"

#include "support/support.h"

enum { SIZE = 300000, COUNT = 20 };

static wci_digest digest;
static wci_str whole;

static void fetch_whole(void)
{
    memory_fetch m;
    wci_remote *remote = mock_open("plain/x");
    digest = mock_digest(SIZE);
    memory_init(&m, &digest, SIZE);
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    whole = m.data;
    wci_remote_close(remote);
    mock_reset();
}

static int32_t stretch_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    (void)err;
    memory_of(fetch)->dones++;
    memory_of(fetch)->gave_up += why != NULL;
    return WC_OK;
}

static void stretch_init(memory_fetch *m, uint64_t from, uint64_t end)
{
    memory_init(m, &digest, SIZE);
    m->fetch.from = from;
    m->fetch.end = end;
    m->fetch.done = stretch_done;
}

static void expect_stretch(memory_fetch *m)
{
    ck_assert_uint_eq(m->data.size, m->fetch.end - m->fetch.from);
    ck_assert(memcmp(m->data.data, whole.data + m->fetch.from, m->data.size) == 0);
    ck_assert_int_eq(m->dones, 1);
    ck_assert_int_eq(m->gave_up, 0);
    memory_free(m);
}

static int32_t fetch_one(const char *behaviour, memory_fetch *m, wc_error **err)
{
    wci_remote *remote = mock_open(behaviour);
    int32_t code = memory_run(remote, m, 1, err);
    wci_remote_close(remote);
    return code;
}

static const struct {
    const char *behaviour;
    uint64_t from, end;
} good[] = {
    {"plain/x", 1, 2},           {"plain/x", 1, SIZE},      {"plain/x", SIZE - 1, SIZE}, {"plain/x", 1000, 200000},
    {"bearer/x", 1000, 2000},    {"redirect/x", 1000, 2000}, {"flaky/x", 1000, 2000},     {"busy/x", 1000, 2000},
    {"cutonce/x", 1000, 200000}, {"cut/x", 1000, 250000},    {"cutparts/x", 1000, 200000},
};

START_TEST(just_those_bytes)
{
    memory_fetch m;
    char want[64];
    stretch_init(&m, good[_i].from, good[_i].end);
    ck_assert_int_eq(fetch_one(good[_i].behaviour, &m, NULL), WC_OK);
    snprintf(want, sizeof want, "bytes=%llu-%llu", (unsigned long long)good[_i].from, (unsigned long long)good[_i].end - 1);
    ck_assert_int_ge(mock_count(want), 1);
    expect_stretch(&m);
}
END_TEST

START_TEST(what_is_there_is_not_asked_for_again)
{
    memory_fetch m;
    stretch_init(&m, 1000, 2000);
    wci_str_append_n(&m.data, whole.data + 1000, 300);
    ck_assert_int_eq(fetch_one("plain/x", &m, NULL), WC_OK);
    ck_assert_int_eq(mock_count("bytes=1300-1999"), 1);
    expect_stretch(&m);
}
END_TEST

START_TEST(many_over_few_connections)
{
    memory_fetch m[COUNT];
    wci_remote *remote = mock_open("plain/x");
    for (uint64_t i = 0; i < COUNT; i++)
        stretch_init(&m[i], 1 + i * 10000, 1 + i * 10000 + 100 * (i + 1));
    ck_assert_int_eq(memory_run(remote, m, COUNT, NULL), WC_OK);
    for (size_t i = 0; i < COUNT; i++)
        expect_stretch(&m[i]);
    wci_remote_close(remote);
}
END_TEST

static const struct {
    const char *behaviour;
    uint64_t end;
} bad[] = {
    {"norange/x", 100000}, {"wrongrange/x", 100000}, {"wholeparts/x", 100000}, {"long/x", 100000}, {"plain/x", SIZE + 5},
    {"endless/x", 100000},
};

/* Whatever the server does instead: not a byte of it is taken for the stretch, and it is not asked twice. */
START_TEST(servers_that_give_none)
{
    memory_fetch m;
    wc_error *err = NULL;
    stretch_init(&m, bad[_i].end > SIZE ? SIZE + 1 : 50000, bad[_i].end);
    int32_t code = fetch_one(bad[_i].behaviour, &m, &err);
    ck_assert_int_eq(code, WC_E_UNSUPPORTED);
    ck_assert(!wc_error_retryable(err));
    ck_assert_uint_eq(m.data.size, 0);
    ck_assert_int_eq(m.gave_up, 1);
    ck_assert_int_eq(mock_count("blobs"), 1);
    wc_error_unref(err);
    memory_free(&m);
}
END_TEST

/* The same size of another blob is not found out here, but another size is. */
START_TEST(of_a_blob_of_another_size)
{
    memory_fetch m;
    stretch_init(&m, 50000, 100000);
    m.fetch.size = SIZE + 1;
    ck_assert_int_eq(fetch_one("plain/x", &m, NULL), WC_E_DIGEST);
    ck_assert_uint_eq(m.data.size, 0);
    memory_free(&m);
}
END_TEST

int main(void)
{
    mock_start();
    Suite *suite = suite_create("registry stretches");
    TCase *tc = tcase_create("stretches");
    tcase_add_unchecked_fixture(tc, fetch_whole, NULL);
    tcase_add_checked_fixture(tc, mock_reset, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, just_those_bytes, 0, sizeof good / sizeof *good);
    tcase_add_test(tc, what_is_there_is_not_asked_for_again);
    tcase_add_test(tc, many_over_few_connections);
    tcase_add_loop_test(tc, servers_that_give_none, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tc, of_a_blob_of_another_size);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
