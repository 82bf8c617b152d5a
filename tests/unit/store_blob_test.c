/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs coming in: resumed, verified, once for all who ask. */
#include "store_fixture.h"

#include <pthread.h>

START_TEST(a_document_is_stored_and_read_back)
{
    wci_hold *hold = new_hold();
    wci_digest digest = put_text(hold, "hello");
    wci_digest wrong = digest_of_text("other");
    wc_buf *text = NULL;
    uint64_t size = 0;
    ok(wci_blob_read(store, &digest, 100, &text, &error));
    ck_assert_str_eq(wc_buf_data(text), "hello");
    wc_buf_unref(text);
    ok(wci_blob_stat(store, &digest, &size, &error));
    ck_assert_uint_eq(size, 5);
    fails(WC_E_LIMIT, wci_blob_read(store, &digest, 4, &text, &error));
    fails(WC_E_NOT_FOUND, wci_blob_stat(store, &wrong, &size, &error));
    wci_fd fd;
    fails(WC_E_NOT_FOUND, wci_blob_open(store, &wrong, &fd, &size, &error));
    fails(WC_E_DIGEST, wci_blob_put(&call, hold, &wrong, "hello", 5, &error));
    ck_assert(!has_blob(&wrong));
    wci_hold_free(hold);
}
END_TEST

START_TEST(both_algorithms_are_verified)
{
    wci_hold *hold = new_hold();
    wci_digest digest;
    wc_buf *text = NULL;
    ok(wci_digest_of(WCI_SHA512, "long", 4, &digest, &error));
    ok(wci_blob_put(&call, hold, &digest, "long", 4, &error));
    ok(wci_blob_read(store, &digest, 100, &text, &error));
    wc_buf_unref(text);
    wci_hold_free(hold);
}
END_TEST

START_TEST(a_damaged_document_is_noticed)
{
    wci_hold *hold = new_hold();
    wci_digest digest = put_text(hold, "hello");
    char *path = wci_blob_path(store, &digest);
    wc_buf *text = NULL;
    write_file(path, "hallo", 5);
    fails(WC_E_CORRUPT, wci_blob_read(store, &digest, 100, &text, &error));
    wci_free(path);
    wci_hold_free(hold);
}
END_TEST

/* ---- One ingest -------------------------------------------------------------------------------
 */

START_TEST(an_interrupted_ingest_is_resumed)
{
    const char text[] = "first half, second half";
    wci_digest digest = digest_of_text(text);
    wci_hold *hold = new_hold();
    wci_ingest *in = NULL;
    ok(wci_ingest_begin(&call, hold, &digest, (int64_t)strlen(text), &in, &error));
    ok(wci_ingest_write(in, text, 11, &error));
    wci_ingest_abort(in);
    fails(WC_E_STATE, wci_ingest_write(in, text, 1, &error));
    wci_ingest_unref(in);
    wci_hold_free(hold);
    close_store();
    open_store();
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error)); /* keeps it */
    hold = new_hold();
    ok(wci_ingest_begin(&call, hold, &digest, (int64_t)strlen(text), &in, &error));
    ck_assert_uint_eq(wci_ingest_offset(in), 11);
    ok(wci_ingest_write(in, text + 11, strlen(text) - 11, &error));
    ok(wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    ck_assert(has_blob(&digest));
    ck_assert_int_eq(count_in("ingest"), 0);
    ok(wci_ingest_begin(&call, hold, &digest, -1, &in, &error));
    ck_assert_ptr_null(in);
    fails(WC_E_DIGEST, wci_ingest_begin(&call, hold, &digest, 7, &in, &error));
    wci_hold_free(hold);
}
END_TEST

START_TEST(a_complete_partial_needs_no_more_bytes)
{
    wci_digest digest = digest_of_text("whole");
    wci_hold *hold = new_hold();
    wci_ingest *in = NULL;
    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ok(wci_ingest_write(in, "whole", 5, &error));
    wci_ingest_unref(in);
    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ck_assert_uint_eq(wci_ingest_offset(in), 5);
    ok(wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    ck_assert(has_blob(&digest));
    wci_hold_free(hold);
}
END_TEST

START_TEST(an_ingest_starts_over)
{
    wci_digest digest = digest_of_text("right");
    wci_hold *hold = new_hold();
    wci_ingest *in = NULL;
    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ok(wci_ingest_write(in, "wro", 3, &error));
    ok(wci_ingest_restart(in, &error));
    ck_assert_uint_eq(wci_ingest_offset(in), 0);
    ok(wci_ingest_write(in, "right", 5, &error));
    ok(wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    wci_hold_free(hold);
}
END_TEST

START_TEST(wrong_bytes_are_thrown_away)
{
    wci_digest digest = digest_of_text("right");
    wci_hold *hold = new_hold();
    wci_ingest *in = NULL;
    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ok(wci_ingest_write(in, "wrong", 5, &error));
    fails(WC_E_DIGEST, wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    ck_assert_int_eq(count_in("ingest"), 0);

    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    fails(WC_E_DIGEST, wci_ingest_write(in, "right!", 6, &error));
    wci_ingest_unref(in);
    ck_assert_int_eq(count_in("ingest"), 0);

    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ok(wci_ingest_write(in, "righ", 4, &error));
    fails(WC_E_DIGEST, wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    ck_assert(!has_blob(&digest));
    wci_hold_free(hold);
}
END_TEST

/* As after a power cut: the name was written, the bytes were not. */
START_TEST(an_unrecorded_blob_is_verified_before_it_counts)
{
    wci_hold *hold = new_hold();
    wci_digest digest = put_text(hold, "bytes");
    char *path = wci_blob_path(store, &digest);
    wci_ingest *in = NULL;
    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ck_assert_ptr_null(in);
    write_file(path, "", 0);
    ok(wci_ingest_begin(&call, hold, &digest, 5, &in, &error));
    ck_assert_ptr_nonnull(in);
    ok(wci_ingest_write(in, "bytes", 5, &error));
    ok(wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    wci_free(path);
    wci_hold_free(hold);
}
END_TEST

START_TEST(a_blob_in_use_is_not_removed)
{
    wci_hold *hold = new_hold();
    wci_digest digest = put_text(hold, "bytes");
    fails(WC_E_IN_USE, wci_blob_remove(store, &digest, &error));
    wci_hold_free(hold);
    ok(wci_blob_remove(store, &digest, &error));
    ck_assert(!has_blob(&digest));
    publish_image("i", "a");
    digest = blob_of('a');
    fails(WC_E_IN_USE, wci_blob_remove(store, &digest, &error));
}
END_TEST

/* ---- Readers and waiters ----------------------------------------------------------------------
 */

typedef struct reader {
    wci_ingest *in;
    char seen[64];
    int32_t rc;
} reader;

static void *read_along(void *arg)
{
    reader *r = arg;
    uint64_t have = 0, total = 0;
    int ended = 0;
    while (!ended && !(r->rc = wci_ingest_wait(r->in, have, &total, &ended, NULL))) {
        size_t got = 0;
        if (wci_fd_pread(wci_ingest_fd(r->in), r->seen + have, total - have, have, &got, NULL))
            break;
        have += got;
    }
    wci_ingest_unref(r->in);
    return NULL;
}

static void write_slowly(wci_ingest *in, const char *text)
{
    for (; *text; text++) {
        ok(wci_ingest_write(in, text, 1, &error));
        usleep(1000);
    }
}

START_TEST(a_reader_follows_the_writer)
{
    const char text[] = "one byte after the other";
    wci_digest digest = digest_of_text(text);
    wci_hold *hold = new_hold();
    wci_ingest *in = NULL;
    pthread_t thread;
    ok(wci_ingest_begin(&call, hold, &digest, -1, &in, &error));
    reader r = {.in = wci_ingest_ref(in)};
    pthread_create(&thread, NULL, read_along, &r);
    write_slowly(in, text);
    ok(wci_ingest_commit(in, &error));
    wci_ingest_unref(in);
    pthread_join(thread, NULL);
    ck_assert_int_eq(r.rc, WC_OK);
    ck_assert_str_eq(r.seen, text);
    wci_hold_free(hold);
}
END_TEST

START_TEST(a_reader_learns_that_the_writer_gave_up)
{
    wci_digest digest = digest_of_text("never");
    wci_hold *hold = new_hold();
    wci_ingest *in = NULL;
    pthread_t thread;
    ok(wci_ingest_begin(&call, hold, &digest, -1, &in, &error));
    reader r = {.in = wci_ingest_ref(in)};
    pthread_create(&thread, NULL, read_along, &r);
    write_slowly(in, "ne");
    wci_ingest_abort(in);
    wci_ingest_unref(in);
    pthread_join(thread, NULL);
    ck_assert_int_eq(r.rc, WC_E_CANCELLED);
    wci_hold_free(hold);
}
END_TEST

START_TEST(a_second_maker_is_told_to_wait)
{
    wci_digest digest = digest_of_text("mine");
    wci_hold *hold = new_hold(), *other = new_hold();
    wci_ingest *in = NULL, *second = NULL;
    ok(wci_ingest_begin(&call, hold, &digest, 4, &in, &error));
    fails(WC_E_BUSY, wci_ingest_try(other, &digest, 4, &second, &error));
    wc_cancel *cancel = NULL;
    ok(wc_cancel_new(&cancel, &error));
    wc_cancel_set_timeout(cancel, 30 * INT64_C(1000000));
    wc_call limited = {.cancel = cancel};
    fails(WC_E_TIMEOUT, wci_ingest_begin(&limited, other, &digest, 4, &second, &error));
    wc_cancel_unref(cancel);
    wci_ingest_unref(in);
    ok(wci_ingest_try(other, &digest, 4, &second, &error));
    ck_assert_ptr_nonnull(second);
    wci_ingest_unref(second);
    wci_hold_free(hold);
    wci_hold_free(other);
}
END_TEST

/* ---- Many at once -----------------------------------------------------------------------------
 */

#define CHUNK 10000
#define CHUNKS 40

/* Brings one big blob in; says on stdout whether it did the work. */
static int32_t bring_in(int number, int *worked)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    char chunk[CHUNK];
    wci_hasher *hasher = NULL;
    wci_digest digest;
    memset(chunk, letters[number % 26], sizeof chunk);
    int32_t rc = wci_hasher_new(WCI_SHA256, &hasher, NULL);
    for (int i = 0; i < CHUNKS && !rc; i++)
        wci_hasher_update(hasher, chunk, sizeof chunk);
    if (!rc)
        rc = wci_hasher_final(hasher, &digest, NULL);
    wci_hasher_free(hasher);
    wci_hold *hold = NULL;
    wci_ingest *in = NULL;
    WCI_CALL_NONE(own);
    if (!rc)
        rc = wci_hold_new(store, &hold, NULL);
    if (!rc)
        rc = wci_ingest_begin(&own, hold, &digest, CHUNK * CHUNKS, &in, NULL);
    for (uint64_t at = in ? wci_ingest_offset(in) : 0; !rc && in && at < CHUNK * CHUNKS;
         at += CHUNK)
        rc = wci_ingest_write(in, chunk, sizeof chunk, NULL);
    if (!rc && in)
        rc = wci_ingest_commit(in, NULL);
    *worked = in != NULL;
    wci_ingest_unref(in);
    uint64_t size = 0;
    if (!rc)
        rc = wci_blob_stat(store, &digest, &size, NULL);
    wci_hold_free(hold);
    return rc ? rc : size == CHUNK * CHUNKS ? WC_OK : WC_E_CORRUPT;
}

/* Exit code 10 + times that it did the work itself. */
static int child_bring_in(int kinds)
{
    wc_error *err = NULL;
    int total = 0;
    if (wci_store_open(&call, fixture_root, fixture_run, 0, &store, &err)) {
        fprintf(stderr, "%s\n", wc_error_message(err));
        return 1;
    }
    for (int i = 0; i < kinds; i++) {
        int worked = 0;
        if (bring_in(i, &worked))
            return 2;
        total += worked;
    }
    wci_store_unref(store);
    return 10 + total;
}

static void hammer(int processes, int kinds)
{
    pid_t pids[8];
    char arg[8];
    int worked = 0;
    snprintf(arg, sizeof arg, "%d", kinds);
    wci_hold *hold = new_hold(); /* keeps nothing, but is there to be read */
    for (int i = 0; i < processes; i++)
        pids[i] = run_self("bring-in", arg, NULL);
    for (int i = 0; i < processes; i++) {
        int code = wait_for(pids[i]);
        ck_assert_int_ge(code, 10);
        worked += code - 10;
    }
    ck_assert_int_eq(worked, kinds);
    ck_assert_int_eq(count_in("blobs/sha256"), kinds);
    ck_assert_int_eq(count_in("ingest"), 0);
    wci_hold_free(hold);
}

START_TEST(two_processes_download_once)
{
    hammer(2, 1);
}
END_TEST

START_TEST(eight_processes_download_each_blob_once)
{
    hammer(8, 20);
}
END_TEST

static void *bring_all_in(void *arg)
{
    int *worked = arg;
    for (int i = 0; i < 10; i++) {
        int one = 0;
        if (bring_in(i, &one))
            return (void *)"failed";
        *worked += one;
    }
    return NULL;
}

START_TEST(threads_download_once)
{
    pthread_t threads[4];
    int worked[4] = {0};
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, bring_all_in, &worked[i]);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_int_eq(worked[0] + worked[1] + worked[2] + worked[3], 10);
}
END_TEST

/* A collector runs against adders: whoever holds a digest and finds it must keep it. */
static _Atomic int stop_pruning;

static void *prune_all_the_time(void *arg)
{
    (void)arg;
    WCI_CALL_NONE(own);
    while (!stop_pruning)
        if (wci_store_prune(&own, store, WCI_PRUNE_PARTIAL, NULL, NULL, NULL))
            return (void *)"prune failed";
    return NULL;
}

START_TEST(pruning_never_takes_what_is_held)
{
    pthread_t pruner, threads[3];
    int worked[3] = {0};
    stop_pruning = 0;
    pthread_create(&pruner, NULL, prune_all_the_time, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, bring_all_in, &worked[i]);
    void *failed = NULL;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    stop_pruning = 1;
    pthread_join(pruner, &failed);
    ck_assert_ptr_null(failed);
    ok(wci_store_prune(&call, store, WCI_PRUNE_PARTIAL, NULL, NULL, &error));
    ck_assert_int_eq(count_in("blobs/sha256"), 0);
    ck_assert_int_eq(count_in("holds"), 0);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "bring-in") == 0) {
        fixture_paths(argv[2]);
        return child_bring_in(atoi(argv[3]));
    }
    Suite *suite = suite_create("store_blob");
    TCase *tcase = tcase_create("blob");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_document_is_stored_and_read_back);
    tcase_add_test(tcase, both_algorithms_are_verified);
    tcase_add_test(tcase, a_damaged_document_is_noticed);
    tcase_add_test(tcase, an_interrupted_ingest_is_resumed);
    tcase_add_test(tcase, a_complete_partial_needs_no_more_bytes);
    tcase_add_test(tcase, an_ingest_starts_over);
    tcase_add_test(tcase, wrong_bytes_are_thrown_away);
    tcase_add_test(tcase, an_unrecorded_blob_is_verified_before_it_counts);
    tcase_add_test(tcase, a_blob_in_use_is_not_removed);
    tcase_add_test(tcase, a_reader_follows_the_writer);
    tcase_add_test(tcase, a_reader_learns_that_the_writer_gave_up);
    tcase_add_test(tcase, a_second_maker_is_told_to_wait);
    tcase_add_test(tcase, two_processes_download_once);
    tcase_add_test(tcase, eight_processes_download_each_blob_once);
    tcase_add_test(tcase, threads_download_once);
    tcase_add_test(tcase, pruning_never_takes_what_is_held);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
