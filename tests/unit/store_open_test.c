/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: sharing within a process, forks, versions, file systems. */
#include "store_fixture.h"

#include "platform/process.h"

START_TEST(opening_makes_the_layout_and_keeps_the_identity)
{
    char *uuid = wci_strdup(wci_store_uuid(store));
    ck_assert_uint_eq(strlen(uuid), 36);
    ck_assert_int_eq(count_in("hosts"), 1);
    close_store();
    ck_assert_int_eq(count_in("hosts"), 0);
    open_store();
    ck_assert_str_eq(uuid, wci_store_uuid(store));
    wci_free(uuid);
}
END_TEST

START_TEST(one_process_shares_one_store)
{
    char path[400];
    wci_store *again = NULL;
    snprintf(path, sizeof path, "%s/../root", fixture_root);
    ok(wci_store_open(&call, path, fixture_run, 0, &again, &error));
    ck_assert_ptr_eq(again, store);
    wci_store_unref(again);
    fails(WC_E_INVALID, wci_store_open(&call, fixture_root, fixture_base, 0, &again, &error));
}
END_TEST

START_TEST(a_second_copy_of_the_library_is_refused)
{
    close_store();
    int64_t pid = wci_host_pid();
    char path[400];
    wci_lock *lock = NULL;
    snprintf(path, sizeof path, "%s/hosts/%lld-%lld", fixture_root, (long long)pid,
             (long long)wci_host_process_start(pid));
    ok(wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, &error));
    fails(WC_E_BUSY, wci_store_open(&call, fixture_root, fixture_run, 0, &store, &error));
    wci_lock_release_remove(lock);
    open_store();
}
END_TEST

START_TEST(the_helper_opens_beside_its_host)
{
    wci_store *helper = NULL;
    insert_container("aa", "one", NULL);
    ok(wci_store_open(&call, fixture_root, fixture_run, WCI_STORE_HELPER, &helper, &error));
    wci_container_record *record = NULL;
    ok(wci_container_find(helper, "one", &record, &error));
    wci_container_record_free(record);
    wci_store_unref(helper);
}
END_TEST

static int in_forked_child(void)
{
    wci_store *inherited = store, *own = NULL;
    wci_hold *hold = NULL;
    wci_strv findings = WCI_STRV_INIT;
    if (wci_store_check_fork(inherited, NULL) != WC_E_FORKED ||
        wci_hold_new(inherited, &hold, NULL) != WC_E_FORKED ||
        wci_event_add(inherited, "image", "x", "", NULL, NULL) != WC_E_FORKED)
        return 1;
    if (wci_store_open(&call, fixture_root, fixture_run, 0, &own, NULL) || own == inherited)
        return 2;
    if (wci_event_add(own, "image", "from-child", "", NULL, NULL) ||
        wci_store_check(&call, own, 0, &findings, NULL) || findings.count)
        return 3;
    wci_store_unref(own);
    wci_store_unref(inherited);
    return 0;
}

START_TEST(a_forked_child_may_open_its_own)
{
    wci_hold *hold = new_hold();
    wci_digest digest = put_text(hold, "held by the parent");
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(in_forked_child());
    ck_assert_int_eq(wait_for(pid), 0);
    /* The parent still has its locks and its hold. */
    ok(wci_store_prune(&call, store, WCI_PRUNE_UNUSED, NULL, NULL, &error));
    ck_assert(has_blob(&digest));
    ck_assert_int_eq(count_in("hosts"), 1);
    int64_t last = 0;
    ok(wci_event_last(store, &last, &error));
    ck_assert_int_eq(last, 1);
    wci_hold_free(hold);
}
END_TEST

/* ---- Versions ---------------------------------------------------------------------------------
 */

static const wci_schema_step first = {"", 1, 1};

static void set_meta(const char *key, int value)
{
    char sql[200];
    snprintf(sql, sizeof sql, "UPDATE meta SET value = %d WHERE key = '%s'", value, key);
    ok(wci_db_begin(store->db, &call, WCI_TX_DURABLE, &error));
    ok(wci_db_end(store->db, wci_db_script(store->db, sql, &error), &error));
}

static int64_t number(const char *sql)
{
    int64_t n = -1;
    ok(wci_tx_begin(store, &call, WCI_TX_READ, &error));
    ok(wci_tx_end(store, wci_db_get_int(store->db, sql, WCI_BIND_NONE, -1, &n, &error), &error));
    return n;
}

START_TEST(an_older_store_is_brought_up_to_date)
{
    const wci_schema_step steps[] = {
        first,
        {"CREATE TABLE colours (name TEXT)", 1, 1},
        {"INSERT INTO colours VALUES ('red'), ('blue')", 1, 1},
    };
    publish_image("old", "ab");
    ok(wci_schema_apply(&call, store, steps, 3, &error));
    ck_assert_int_eq(number("SELECT count(*) FROM colours"), 2);
    ck_assert_int_eq(number("SELECT value FROM meta WHERE key = 'version'"), 3);
    ok(wci_schema_apply(&call, store, steps, 3, &error));
    ck_assert_int_eq(number("SELECT count(*) FROM  colours"), 2);
    /* Additive steps leave this version at work. */
    close_store();
    open_store();
    publish_image("new", "c");
    check_clean();
}
END_TEST

START_TEST(a_failing_step_leaves_the_version_that_was)
{
    const wci_schema_step steps[] = {
        first,
        {"CREATE TABLE colours (name TEXT)", 1, 1},
        {"INSERT INTO no_such_table VALUES (1)", 1, 1},
    };
    fails(WC_E_INTERNAL, wci_schema_apply(&call, store, steps, 3, &error));
    ck_assert_int_eq(number("SELECT value FROM meta WHERE key = 'version'"), 1);
    ck_assert_int_eq(number("SELECT count(*) FROM sqlite_master WHERE name = 'colours'"), 0);
}
END_TEST

START_TEST(a_conversion_needs_the_store_alone)
{
    const wci_schema_step steps[] = {first, {"CREATE TABLE t (x)", 1, 2}};
    wci_store *other = NULL;
    ok(wci_store_open(&call, fixture_root, fixture_run, WCI_STORE_HELPER, &other, &error));
    fails(WC_E_VERSION, wci_schema_apply(&call, store, steps, 2, &error));
    wci_store_unref(other);
    ok(wci_schema_apply(&call, store, steps, 2, &error));
    ck_assert_int_eq(number("SELECT value FROM meta WHERE key = 'min_writer'"), 2);
    /* Which shuts this version's writers out, while its readers go on. */
    close_store();
    open_store();
    wci_image_record **images = NULL;
    size_t count = 1;
    ok(wci_image_list(store, &images, &count, &error));
    ck_assert_uint_eq(count, 0);
    wci_image_records_free(images, count);
    fails(WC_E_VERSION, wci_event_add(store, "image", "x", "", NULL, &error));
}
END_TEST

START_TEST(a_store_for_newer_readers_is_refused)
{
    set_meta("version", 9);
    set_meta("min_reader", 9);
    set_meta("min_writer", 9);
    close_store();
    fails(WC_E_VERSION, wci_store_open(&call, fixture_root, fixture_run, 0, &store, &error));
    ck_assert_int_eq(count_in("hosts"), 0);
}
END_TEST

START_TEST(a_store_of_other_ids_is_refused_by_name)
{
    ok(wci_tx_begin(store, &call, WCI_TX_DURABLE, &error));
    ok(wci_tx_end(store,
                  wci_db_run(store->db, "INSERT INTO meta (key, value) VALUES ('ids', 'uids 0:1234567:1 gids 0:1:1')",
                             WCI_BIND_NONE, &error),
                  &error));
    close_store();
    int32_t rc = wci_store_open(&call, fixture_root, fixture_run, 0, &store, &error);
    ck_assert_int_eq(rc, WC_E_PERMISSION);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "'uids 0:1234567:1 gids 0:1:1'"));
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "those of the host"));
    wci_err_clear(&error);
    ck_assert_int_eq(count_in("hosts"), 0);
}
END_TEST

/* ---- Surroundings -----------------------------------------------------------------------------
 */

START_TEST(file_systems_without_locks_are_refused_by_name)
{
    ok(wci_layout_check_fs("/x", "ext4", &error));
    ok(wci_layout_check_fs("/x", "tmpfs", &error));
    int32_t rc = wci_layout_check_fs("/x", "nfs4", &error);
    ck_assert_int_eq(rc, WC_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "nfs4"));
    wci_err_clear(&error);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_named)
{
    char path[400], junk[8192];
    close_store();
    memset(junk, 'x', sizeof junk);
    snprintf(path, sizeof path, "%s/db.sqlite-wal", fixture_root);
    unlink(path);
    snprintf(path, sizeof path, "%s/db.sqlite", fixture_root);
    write_file(path, junk, sizeof junk);
    int32_t rc = wci_store_open(&call, fixture_root, fixture_run, 0, &store, &error);
    ck_assert_int_eq(rc, WC_E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), path));
    ck_assert_int_eq(wc_error_domain(error), WC_DOMAIN_SQLITE);
    wci_err_clear(&error);
}
END_TEST

START_TEST(opening_is_quick)
{
    int64_t best = INT64_MAX;
    publish_image("one", "abc");
    for (int i = 0; i < 20; i++) {
        close_store();
        int64_t begin = wci_monotonic_ns();
        open_store();
        int64_t took = wci_monotonic_ns() - begin;
        best = took < best ? took : best;
    }
    printf("opening an existing store: %.2f ms\n", (double)best / 1e6);
    ck_assert_int_lt(best, 50 * INT64_C(1000000)); /* sanitizers and loaded machines included */
}
END_TEST

static void *open_and_close(void *arg)
{
    (void)arg;
    WCI_CALL_NONE(own);
    for (int i = 0; i < 20; i++) {
        wci_store *s = NULL;
        if (wci_store_open(&own, fixture_root, fixture_run, 0, &s, NULL))
            return (void *)"open";
        if (wci_event_add(s, "image", "x", "", NULL, NULL))
            return (void *)"event";
        wci_store_unref(s);
    }
    return NULL;
}

START_TEST(threads_open_and_close_at_once)
{
    pthread_t threads[4];
    close_store();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        ck_assert_msg(!failed, "%s", (char *)failed);
    }
    open_store();
    int64_t last = 0;
    ok(wci_event_last(store, &last, &error));
    ck_assert_int_eq(last, 80);
}
END_TEST

/* Many processes make the store at once. */
START_TEST(processes_make_the_store_at_once)
{
    pid_t pids[6];
    close_store();
    ok(wci_dir_remove_all(fixture_root, &error));
    for (int i = 0; i < 6; i++)
        pids[i] = run_self("open", NULL, NULL);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(wait_for(pids[i]), 0);
    open_store();
    int64_t last = 0;
    ok(wci_event_last(store, &last, &error));
    ck_assert_int_eq(last, 6);
}
END_TEST

static int child_open(void)
{
    wc_error *err = NULL;
    int32_t rc = wci_store_open(&call, fixture_root, fixture_run, 0, &store, &err);
    if (!rc)
        rc = wci_event_add(store, "image", "opened", "", NULL, &err);
    if (rc)
        fprintf(stderr, "%s\n", wc_error_message(err));
    wc_error_unref(err);
    wci_store_unref(store);
    return rc != WC_OK;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "open") == 0) {
        fixture_paths(argv[2]);
        return child_open();
    }
    Suite *suite = suite_create("store_open");
    TCase *tcase = tcase_create("open");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, opening_makes_the_layout_and_keeps_the_identity);
    tcase_add_test(tcase, one_process_shares_one_store);
    tcase_add_test(tcase, a_second_copy_of_the_library_is_refused);
    tcase_add_test(tcase, the_helper_opens_beside_its_host);
    tcase_add_test(tcase, a_forked_child_may_open_its_own);
    tcase_add_test(tcase, an_older_store_is_brought_up_to_date);
    tcase_add_test(tcase, a_failing_step_leaves_the_version_that_was);
    tcase_add_test(tcase, a_conversion_needs_the_store_alone);
    tcase_add_test(tcase, a_store_for_newer_readers_is_refused);
    tcase_add_test(tcase, a_store_of_other_ids_is_refused_by_name);
    tcase_add_test(tcase, file_systems_without_locks_are_refused_by_name);
    tcase_add_test(tcase, a_file_that_is_no_database_is_named);
    tcase_add_test(tcase, opening_is_quick);
    tcase_add_test(tcase, threads_open_and_close_at_once);
    tcase_add_test(tcase, processes_make_the_store_at_once);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
