/* SPDX-License-Identifier: Apache-2.0 */
/* Layer trees: made once, whatever happens to their makers. */
#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>

static wci_digest key_of(const char *text)
{
    return digest_of_text(text);
}

static int is_published(const wci_digest *key)
{
    int64_t found = 0;
    ok(wci_tx_begin(store, &call, WCI_TX_READ, &error));
    ok(wci_tx_end(store,
                  wci_db_get_int(store->db,
                                 "SELECT count(*) FROM trees WHERE key = ? AND owner = ''",
                                 WCI_BIND(WCI_TEXT(key->text)), 0, &found, &error),
                  &error));
    return found != 0;
}

static int tree_is_visible(const wci_digest *key)
{
    char *path = NULL;
    int there = wci_tree_path(store, WCI_TREE_LAYER, key, &path, NULL) == WC_OK;
    wci_free(path);
    return there;
}

START_TEST(a_tree_is_made_once)
{
    wci_hold *hold = new_hold();
    wci_digest key = key_of("one");
    char *path = NULL;
    wci_staging *staging = make_tree(hold, WCI_TREE_LAYER, &key, 0);
    ok(wci_tree_path(store, WCI_TREE_LAYER, &key, &path, &error)); /* its maker sees it */
    ck_assert(!is_published(&key));
    ok(wci_trees_publish(&call, store, &staging, 1, &error));
    ck_assert_ptr_null(staging);
    ck_assert(is_published(&key));
    ck_assert(wci_ends_with(path, "/fs"));
    ck_assert(wci_file_exists(path));
    ck_assert_ptr_null(make_tree(hold, WCI_TREE_LAYER, &key, 0));
    fails(WC_E_NOT_FOUND, wci_tree_path(store, WCI_TREE_LINKS, &key, &path, &error));
    ck_assert_int_eq(count_in("staging"), 0);
    wci_free(path);
    wci_hold_free(hold);
}
END_TEST

START_TEST(an_empty_tree_has_no_directory)
{
    wci_hold *hold = new_hold();
    wci_digest key = key_of("empty");
    char *path = wci_strdup("untouched");
    char *before = path;
    wci_staging *staging = make_tree(hold, WCI_TREE_LINKS, &key, 1);
    ok(wci_trees_publish(&call, store, &staging, 1, &error));
    ok(wci_tree_path(store, WCI_TREE_LINKS, &key, &path, &error));
    ck_assert_ptr_null(path);
    ck_assert_int_eq(count_in("links"), 0);
    ck_assert_int_eq(count_in("staging"), 0);
    ck_assert_ptr_null(make_tree(hold, WCI_TREE_LINKS, &key, 1));
    wci_free(before);
    wci_hold_free(hold);
}
END_TEST

START_TEST(what_is_not_committed_goes)
{
    wci_hold *hold = new_hold();
    wci_digest key = key_of("half");
    wci_staging *staging = NULL;
    ok(wci_staging_begin(&call, hold, WCI_TREE_LAYER, &key, &staging, &error));
    fill_tree(wci_staging_dir(staging), "x");
    fails(WC_E_STATE, wci_trees_publish(&call, store, &staging, 1, &error));
    ck_assert_ptr_nonnull(staging);
    wci_staging_free(staging);
    ck_assert_int_eq(count_in("staging"), 0);
    ck_assert_int_eq(count_in("trees"), 0);
    wci_hold_free(hold);
}
END_TEST

START_TEST(what_is_not_published_is_taken_back)
{
    wci_hold *hold = new_hold();
    wci_digest key = key_of("unpublished");
    wci_staging *staging = make_tree(hold, WCI_TREE_LAYER, &key, 0);
    wci_staging_free(staging);
    ck_assert(!tree_is_visible(&key));
    ck_assert_int_eq(count_in("trees"), 0);
    ck_assert_int_eq(count_in("staging"), 0);
    wci_hold_free(hold);
}
END_TEST

START_TEST(who_needs_a_committed_tree_publishes_it)
{
    wci_hold *hold = new_hold(), *other = new_hold();
    wci_digest key = key_of("shared");
    wci_staging *maker = make_tree(hold, WCI_TREE_LAYER, &key, 0);
    ck_assert_ptr_null(make_tree(other, WCI_TREE_LAYER, &key, 0));
    ck_assert(is_published(&key));
    wci_staging_free(maker); /* gives up, too late to take it back */
    ck_assert(tree_is_visible(&key));
    ck_assert_int_eq(count_in("staging"), 0);
    wci_hold_free(hold);
    wci_hold_free(other);
}
END_TEST

START_TEST(publishing_what_another_has_published_is_fine)
{
    wci_hold *hold = new_hold(), *other = new_hold();
    wci_digest key = key_of("shared");
    wci_staging *maker = make_tree(hold, WCI_TREE_LAYER, &key, 0);
    ck_assert_ptr_null(make_tree(other, WCI_TREE_LAYER, &key, 0));
    ok(wci_trees_publish(&call, store, &maker, 1, &error));
    ck_assert(is_published(&key));
    wci_hold_free(hold);
    wci_hold_free(other);
}
END_TEST

START_TEST(a_recorded_tree_without_directory_is_made_again)
{
    wci_digest manifest = publish_image("i", "a");
    wci_digest key = diff_id_of('a');
    char *path = wci_tree_location(store, WCI_TREE_LAYER, &key);
    ok(wci_dir_remove_all(path, &error));
    ck_assert(!tree_is_visible(&key));
    wci_digest again = publish_image("i", "a");
    ck_assert(wci_digest_equal(&manifest, &again));
    ck_assert(tree_is_visible(&key));
    check_clean();
    wci_free(path);
}
END_TEST

START_TEST(a_failed_publish_publishes_nothing)
{
    wci_hold *hold = new_hold();
    wci_image_record record = {.names = WCI_STRV_INIT};
    wci_digest key = key_of("t");
    wci_staging *staging = make_tree(hold, WCI_TREE_LAYER, &key, 0);
    record.manifest = digest_of_text("absent manifest");
    record.config = digest_of_text("absent config");
    fails(WC_E_NOT_FOUND, wci_image_publish(&call, store, &record, "pull", &staging, 1, &error));
    ck_assert_ptr_nonnull(staging);
    ck_assert(!is_published(&key));
    wci_staging_free(staging);
    wci_hold_free(hold);
}
END_TEST

/* ---- Makers that die --------------------------------------------------------------------------
 */

/* Makes a tree as far as `how` says and waits to be killed. */
static int child_make(const char *how)
{
    wci_hold *hold = NULL;
    wci_staging *staging = NULL;
    wci_digest key;
    char path[600];
    if (wci_digest_of(WCI_SHA256, "victim", 6, &key, NULL) ||
        wci_store_open(&call, fixture_root, fixture_run, 0, &store, NULL) ||
        wci_hold_new(store, &hold, NULL) ||
        wci_staging_begin(&call, hold, WCI_TREE_LAYER, &key, &staging, NULL))
        return 1;
    snprintf(path, sizeof path, "%s/fs/half", wci_staging_dir(staging));
    if (wci_dir_make(path, 0755, NULL))
        return 2;
    if (strcmp(how, "committed") == 0 && wci_staging_commit(staging, 1, 1, 0, NULL))
        return 3;
    close(1); /* tells that it is so far */
    for (;;)
        pause();
}

static pid_t start_maker(const char *how)
{
    int ends[2];
    char byte;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "child", "make", fixture_base, how, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    return pid;
}

static void kill_now(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(wait_for(pid), 128 + SIGKILL);
}

static void make_after(const char *how)
{
    wci_digest key = key_of("victim");
    kill_now(start_maker(how));
    ck_assert(!tree_is_visible(&key));
    check_clean();
    wci_hold *hold = new_hold();
    wci_staging *staging = make_tree(hold, WCI_TREE_LAYER, &key, 0);
    ck_assert_ptr_nonnull(staging);
    ok(wci_trees_publish(&call, store, &staging, 1, &error));
    check_clean();
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error)); /* held */
    ck_assert(tree_is_visible(&key));
    ck_assert_int_eq(count_in("staging"), 0);
    wci_hold_free(hold);
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error));
    ck_assert_int_eq(count_in("trees"), 0);
}

START_TEST(a_maker_killed_before_its_commit)
{
    make_after("begun");
}
END_TEST

START_TEST(a_maker_killed_after_its_commit)
{
    make_after("committed");
}
END_TEST

START_TEST(the_litter_of_the_dead_is_pruned)
{
    kill_now(start_maker("begun"));
    kill_now(start_maker("committed"));
    uint64_t bytes = 0;
    wci_usage usage;
    ok(wci_store_usage(&call, store, &usage, NULL, &error));
    ok(wci_store_prune(&call, store, 0, NULL, &bytes, &error));
    ck_assert_uint_gt(bytes, 0);
    ck_assert_uint_gt(usage.litter_bytes, 0);
    ck_assert_int_eq(count_in("staging"), 0);
    ck_assert_int_eq(count_in("trees"), 0);
    ck_assert_int_eq(count_in("holds"), 0);
    ck_assert_int_eq(count_in("hosts"), 1);
    ok(wci_store_usage(&call, store, &usage, NULL, &error));
    ck_assert_uint_eq(usage.litter_bytes, 0);
}
END_TEST

START_TEST(the_living_are_not_pruned)
{
    wci_digest key = key_of("victim");
    pid_t pid = start_maker("committed");
    ok(wci_store_prune(&call, store, WCI_PRUNE_UNUSED, NULL, NULL, &error));
    ck_assert(tree_is_visible(&key));
    /* And whoever needs the tree now gets it, though its maker is killed next. */
    wci_hold *hold = new_hold();
    ck_assert_ptr_null(make_tree(hold, WCI_TREE_LAYER, &key, 0));
    kill_now(pid);
    ck_assert(tree_is_visible(&key));
    wci_hold_free(hold);
}
END_TEST

/* ---- Makers that wait for each other ------------------------------------------------------------
 */

typedef struct puller {
    const char *keys[2];
    int made;
    const char *failed;
} puller;

/* Makes two trees, publishing only when both are there. */
static void *pull_both(void *arg)
{
    puller *p = arg;
    WCI_CALL_NONE(own);
    wci_hold *hold = NULL;
    wci_staging *stagings[2] = {NULL, NULL};
    int32_t rc = wci_hold_new(store, &hold, NULL);
    for (int i = 0; i < 2 && !rc; i++) {
        wci_digest key;
        rc = wci_digest_of(WCI_SHA256, p->keys[i], strlen(p->keys[i]), &key, NULL);
        if (!rc)
            rc = wci_staging_begin(&own, hold, WCI_TREE_LAYER, &key, &stagings[i], NULL);
        if (rc || !stagings[i])
            continue;
        char path[600];
        snprintf(path, sizeof path, "%s/fs", wci_staging_dir(stagings[i]));
        rc = wci_dir_make(path, 0755, NULL);
        usleep(20000);
        if (!rc)
            rc = wci_staging_commit(stagings[i], 1, 1, 0, NULL);
        p->made++;
    }
    if (!rc)
        rc = wci_trees_publish(&own, store, stagings, 2, NULL);
    for (int i = 0; i < 2 && rc; i++)
        wci_staging_free(stagings[i]);
    wci_hold_free(hold);
    p->failed = rc ? wc_code_name(rc) : NULL;
    return NULL;
}

START_TEST(opposite_orders_do_not_deadlock)
{
    puller pullers[4] = {
        {{"x", "y"}, 0, NULL}, {{"y", "x"}, 0, NULL}, {{"x", "y"}, 0, NULL}, {{"y", "x"}, 0, NULL}};
    pthread_t threads[4];
    wci_hold *hold = new_hold();
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, pull_both, &pullers[i]);
    int made = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_msg(!pullers[i].failed, "%s", pullers[i].failed);
        made += pullers[i].made;
    }
    ck_assert_int_eq(made, 2);
    check_clean();
    wci_hold_free(hold);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "make") == 0) {
        fixture_paths(argv[2]);
        return child_make(argv[3]);
    }
    Suite *suite = suite_create("store_tree");
    TCase *tcase = tcase_create("tree");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_tree_is_made_once);
    tcase_add_test(tcase, an_empty_tree_has_no_directory);
    tcase_add_test(tcase, what_is_not_committed_goes);
    tcase_add_test(tcase, what_is_not_published_is_taken_back);
    tcase_add_test(tcase, who_needs_a_committed_tree_publishes_it);
    tcase_add_test(tcase, publishing_what_another_has_published_is_fine);
    tcase_add_test(tcase, a_recorded_tree_without_directory_is_made_again);
    tcase_add_test(tcase, a_failed_publish_publishes_nothing);
    tcase_add_test(tcase, a_maker_killed_before_its_commit);
    tcase_add_test(tcase, a_maker_killed_after_its_commit);
    tcase_add_test(tcase, the_litter_of_the_dead_is_pruned);
    tcase_add_test(tcase, the_living_are_not_pruned);
    tcase_add_test(tcase, opposite_orders_do_not_deadlock);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
