/* SPDX-License-Identifier: Apache-2.0 */
/* Disk use, prune, check and repair. */
#include "store/store_volume.h"
#include "store_fixture.h"

#include <pthread.h>

static wci_usage usage(void)
{
    wci_usage u;
    ok(wci_store_usage(&call, store, &u, NULL, &error));
    return u;
}

static uint64_t prune(int what)
{
    uint64_t bytes = 0;
    ok(wci_store_prune(&call, store, what, NULL, &bytes, &error));
    return bytes;
}

static wci_strv check(int repair)
{
    wci_strv findings = WCI_STRV_INIT;
    ok(wci_store_check(&call, store, repair, &findings, &error));
    return findings;
}

static void expect_findings(int repair, size_t count, const char *text)
{
    wci_strv findings = check(repair);
    int found = count == 0;
    for (size_t i = 0; i < findings.count; i++)
        found = found || strstr(findings.items[i], text);
    ck_assert_msg(findings.count == count && found, "%zu findings instead of %zu, first: %s",
                  findings.count, count, findings.count ? findings.items[0] : "");
    wci_strv_free(&findings);
}

static void write_below(const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", fixture_root, name);
    char *dir = wci_path_parent(path);
    ok(wci_dir_make(dir, 0700, &error));
    wci_free(dir);
    write_file(path, text, strlen(text));
}

static void script(const char *sql)
{
    ok(wci_tx_begin(store, &call, WCI_TX_WRITE, &error));
    ok(wci_tx_end(store, wci_db_script(store->db, sql, &error), &error));
}

/* ---- Usage ------------------------------------------------------------------------------------
 */

START_TEST(shared_content_counts_once)
{
    wci_digest one = publish_image("one", "ab");
    publish_image("two", "ac");
    insert_container("c1", "user", &one);
    wci_usage u = usage();
    ck_assert_uint_eq(u.images, 2);
    ck_assert_uint_eq(u.images_active, 1);
    ck_assert_uint_eq(u.containers, 1);
    ck_assert_uint_eq(u.containers_active, 0);
    ck_assert_uint_eq(u.layers, 3);
    ck_assert_uint_eq(u.blobs, 7); /* 3 layers, 2 configurations, 2 manifests */
    ck_assert_uint_eq(u.blobs_bytes, 3 * 7 + 2 * 9 + 2 * 11);
    ck_assert_uint_eq(u.layers_bytes, 6 * 100); /* T of a, b, c; X of a, ab, ac */
    ck_assert_uint_eq(u.images_bytes, u.blobs_bytes + u.layers_bytes);
    /* What only "two" needs: c as blob, T and X; its two documents. */
    ck_assert_uint_eq(u.images_reclaimable, 7 + 9 + 11 + 200);
    ck_assert_uint_eq(u.litter_bytes, 0);
}
END_TEST

static const wci_image_usage *find_usage(const wci_usage_parts *parts, const wci_digest *manifest)
{
    for (size_t i = 0; i < parts->image_count; i++)
        if (wci_digest_equal(&parts->images[i].manifest, manifest))
            return &parts->images[i];
    ck_abort_msg("the image is not told of");
}

START_TEST(each_has_its_own_usage)
{
    wci_digest one = publish_image("one", "ab"), two = publish_image("two", "ac"), alone = publish_image("alone", "d");
    wci_usage u;
    wci_usage_parts parts;
    insert_container("c1", "user", &one);
    ok(wci_store_usage(&call, store, &u, &parts, &error));
    ck_assert_uint_eq(parts.image_count, 3);
    /* "a" is shared: its blob, T and X. */
    ck_assert_uint_eq(find_usage(&parts, &one)->bytes, 2 * 7 + 9 + 11 + 4 * 100);
    ck_assert_uint_eq(find_usage(&parts, &one)->unique_bytes, 7 + 9 + 11 + 2 * 100);
    ck_assert_uint_eq(find_usage(&parts, &one)->containers, 1);
    ck_assert_uint_eq(find_usage(&parts, &two)->unique_bytes, 7 + 9 + 11 + 2 * 100);
    ck_assert_uint_eq(find_usage(&parts, &two)->containers, 0);
    ck_assert_uint_eq(find_usage(&parts, &alone)->bytes, find_usage(&parts, &alone)->unique_bytes);
    uint64_t own = 0, shared = 7 + 2 * 100, users = 0;
    for (size_t i = 0; i < parts.image_count; i++)
        own += parts.images[i].unique_bytes;
    ck_assert_uint_eq(own + shared, u.images_bytes);
    ck_assert_uint_eq(parts.layer_count, 4);
    for (size_t i = 0; i < parts.layer_count; i++)
        users += parts.layers[i].images;
    ck_assert_uint_eq(users, 5);
    ck_assert_uint_eq(parts.container_count, 1);
    wci_usage_parts_free(&parts);
}
END_TEST

/* ---- Prune ------------------------------------------------------------------------------------
 */

START_TEST(litter_is_reclaimed)
{
    publish_image("one", "ab");
    write_below("trees/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/fs/f", "x");
    write_below("links/no-digest", "x");
    write_below("blobs/sha256/junk", "xxxxx");
    write_below("blobs/sha256/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "x");
    write_below("staging/dead/fs/f", "x");
    write_below("staging/dead.lock", "");
    write_below("staging/other.lock", "");
    write_below("containers/0123/upper/f", "x");
    write_below("../run/containers/0123/socket", "x");
    write_below("locks/blob-sha256-00", "");
    write_below("holds/dead", "sha256:00\n");
    write_below("hosts/1-1", "");
    write_below("quarantine/old/f", "x");
    ck_assert_uint_gt(usage().litter_bytes, 0);
    check_clean(); /* litter is no finding */
    ck_assert_uint_gt(prune(0), 0);
    ck_assert_uint_eq(usage().litter_bytes, 0);
    ck_assert_int_eq(count_in("trees"), 2);
    ck_assert_int_eq(count_in("links"), 1);
    ck_assert_int_eq(count_in("blobs/sha256"), 4);
    ck_assert_int_eq(count_in("staging"), 0);
    ck_assert_int_eq(count_in("containers"), 0);
    ck_assert_int_eq(count_in("../run/containers"), 0);
    ck_assert_int_eq(count_in("holds"), 0);
    ck_assert_int_eq(count_in("hosts"), 1);
    ck_assert_int_eq(count_in("quarantine"), 0);
    ck_assert_uint_eq(prune(0), 0);
    check_clean();
}
END_TEST

START_TEST(partial_downloads_stay_until_asked_for)
{
    const char name[] =
        "ingest/sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    write_below(name, "partial");
    write_below("ingest/sha256-1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                ""); /* nothing to resume */
    ck_assert_uint_eq(usage().partial_bytes, 7);
    prune(0);
    ck_assert_int_eq(count_in("ingest"), 1);
    ck_assert_uint_eq(usage().partial_bytes, 7);
    prune(WCI_PRUNE_PARTIAL);
    ck_assert_int_eq(count_in("ingest"), 0);
    ck_assert_uint_eq(usage().partial_bytes, 0);
}
END_TEST

START_TEST(prune_takes_the_images_asked_for)
{
    wci_digest used = publish_image("used", "a"), dangling = publish_image("x", "b");
    wci_digest named = publish_image("x", "c"); /* takes the name */
    insert_container("c1", "user", &used);
    ok(wci_image_untag(store, "used", &error));
    wci_strv removed = WCI_STRV_INIT;
    ok(wci_store_prune(&call, store, WCI_PRUNE_DANGLING, &removed, NULL, &error));
    ck_assert_uint_eq(removed.count, 2); /* image and layer */
    wci_strv_free(&removed);
    ck_assert(!has_blob(&dangling) && has_blob(&named) && has_blob(&used));
    prune(WCI_PRUNE_UNUSED);
    ck_assert(!has_blob(&named) && has_blob(&used));
    check_clean();
}
END_TEST

START_TEST(prune_to_a_size_takes_the_least_recently_used)
{
    wci_digest old = publish_image("old", "a"), used = publish_image("used", "b");
    wci_digest fresh = publish_image("fresh", "c");
    insert_container("c1", "user", &used);
    script("UPDATE images SET used_ns = 1 WHERE manifest IN (SELECT manifest FROM names WHERE name <> 'fresh')");
    uint64_t all = usage().images_bytes;
    wci_strv removed = WCI_STRV_INIT;
    ok(wci_store_prune_to(&call, store, all, &removed, NULL, &error));
    ck_assert(has_blob(&old) && has_blob(&used) && has_blob(&fresh));
    ok(wci_store_prune_to(&call, store, all - 1, &removed, NULL, &error));
    ck_assert(!has_blob(&old) && has_blob(&used) && has_blob(&fresh));
    ck_assert_uint_gt(removed.count, 0);
    ok(wci_store_prune_to(&call, store, 0, &removed, NULL, &error));
    ck_assert(has_blob(&used) && !has_blob(&fresh)); /* a container needs the one */
    wci_strv_free(&removed);
    check_clean();
}
END_TEST

START_TEST(a_container_uses_its_image)
{
    wci_digest first = publish_image("first", "a"), second = publish_image("second", "b");
    script("UPDATE images SET used_ns = 1");
    const wci_container_change ends = {.from = ~0u, .generation = -1, .status = WCI_STATUS_EXITED,
                                       .finished_ns = wci_now_ns()};
    insert_container("c1", "user", &first);
    script("UPDATE images SET used_ns = 2 WHERE used_ns > 2");
    ok(wci_container_update(store, "c1", &ends, &error));
    script("DELETE FROM containers");
    wci_strv removed = WCI_STRV_INIT;
    ok(wci_store_prune_to(&call, store, usage().images_bytes - 1, &removed, NULL, &error));
    ck_assert(has_blob(&first) && !has_blob(&second));
    wci_strv_free(&removed);
}
END_TEST

START_TEST(prune_spares_an_image_that_is_held)
{
    wci_digest one = publish_image("one", "a");
    wci_hold *hold = new_hold();
    ok(wci_hold_add(&call, hold, &one, &error));
    prune(WCI_PRUNE_UNUSED);
    ck_assert(has_blob(&one));
    wci_hold_free(hold);
    prune(WCI_PRUNE_UNUSED);
    ck_assert(!has_blob(&one));
}
END_TEST

/* ---- Check and repair ---------------------------------------------------------------------------
 */

START_TEST(a_damaged_blob_is_put_aside)
{
    wci_digest blob = blob_of('a');
    publish_image("one", "a");
    char *path = wci_blob_path(store, &blob);
    write_file(path, "layer A", 7);
    expect_findings(0, 1, "its bytes do not match its digest; image 'one' needs it");
    expect_findings(0, 1, blob.text);
    ck_assert(has_blob(&blob));
    expect_findings(1, 1, "put into quarantine");
    ck_assert(!has_blob(&blob));
    ck_assert_int_eq(count_in("quarantine"), 1);
    expect_findings(0, 1, "is not in the store; pull the image again");
    publish_image("one", "a");
    check_clean();
    wci_free(path);
}
END_TEST

START_TEST(a_missing_blob_is_named)
{
    wci_digest blob = blob_of('a');
    publish_image("one", "a");
    char *path = wci_blob_path(store, &blob);
    ok(wci_file_remove(path, &error));
    expect_findings(0, 1, "its file is missing; image 'one' needs it");
    expect_findings(1, 1, "taken off the books");
    publish_image("one", "a");
    check_clean();
    wci_free(path);
}
END_TEST

START_TEST(broken_references_are_mended)
{
    wci_digest one = publish_image("one", "a");
    insert_container("c1", "user", &one);
    script("INSERT INTO names VALUES ('stray', 'sha256:00', '', 0)");
    expect_findings(0, 1, "name 'stray'");
    expect_findings(1, 1, "name removed");
    check_clean();
    char *dir = wci_container_dir(store, "c1");
    ok(wci_dir_remove_all(dir, &error));
    wci_free(dir);
    expect_findings(0, 1, "its directory is missing");
    expect_findings(1, 1, "marked dead");
    check_clean();
    script("DELETE FROM images; DELETE FROM names");
    expect_findings(1, 2, "it has layers but no record");
    expect_findings(0, 1, "container c1: its image is not in the store");
}
END_TEST

START_TEST(rows_of_what_is_gone_are_taken_off_the_books)
{
    insert_container("c1", "one", NULL);
    wci_volume_record volume = {.name = (char *)"vol", .driver = (char *)"local", .options = (char *)"{}",
                                .labels = (char *)"{}"};
    int created = 0;
    ok(wci_volume_create(&call, store, &volume, &created, &error));
    script("INSERT INTO networks VALUES ('net', 'n1', 'bridge', NULL, '{}', 1);"
           "INSERT INTO endpoints VALUES ('c1', 'n1', 0, '{}', ''), ('lost', 'n1', 0, '{}', '');"
           "INSERT INTO leases VALUES ('n1', '10.0.0.2', 'c1', 1, 0), ('n1', '10.0.0.3', 'lost', 1, 0);"
           "INSERT INTO ports VALUES ('tcp', '', 80, 80, 'c1', 1), ('tcp', '', 81, 80, 'lost', 1);"
           "INSERT INTO volume_uses VALUES ('vol', 'c1', '/v'), ('vol', 'lost', '/v')");
    expect_findings(0, 4, "address 10.0.0.3: its container or network is not in the store");
    expect_findings(0, 4, "port 81/tcp: its container is not in the store");
    expect_findings(1, 4, "volume 'vol': container lost, which is to use it, is not in the store; taken off");
    check_clean();
    script("DELETE FROM networks; DELETE FROM volumes");
    expect_findings(1, 3, "address 10.0.0.2: its container or network is not in the store; taken off");
    expect_findings(1, 2, "container c1: one of its networks is not in the store; disconnect it");
    expect_findings(1, 2, "container c1: its volume 'vol' is not in the store; create it");
    ok(wci_container_delete(store, "c1", &error));
    check_clean();
}
END_TEST

START_TEST(a_damaged_index_is_rebuilt)
{
    publish_image("one", "a");
    /* The index no longer holds what it should. */
    script("PRAGMA writable_schema = 1;"
           "UPDATE sqlite_master SET sql = 'CREATE INDEX names_manifest ON names(name)'"
           " WHERE name = 'names_manifest'");
    close_store();
    open_store();
    wci_strv findings = check(1);
    ck_assert_uint_gt(findings.count, 0);
    ck_assert(wci_starts_with(findings.items[0], "database: "));
    ck_assert(wci_ends_with(findings.items[0], "indexes rebuilt, check again"));
    wci_strv_free(&findings);
    check_clean();
}
END_TEST

/* ---- At the same time ---------------------------------------------------------------------------
 */

typedef struct worker {
    char layers[3];
    int rounds;
    const char *failed;
} worker;

static void *publish_and_remove(void *arg)
{
    worker *w = arg;
    WCI_CALL_NONE(own);
    for (int i = 0; i < w->rounds && !w->failed; i++) {
        wci_digest manifest;
        if (try_publish(w->layers, w->layers, &manifest, NULL))
            w->failed = "publish";
        else if (!has_blob(&manifest))
            w->failed = "lost";
        int32_t rc = wci_image_remove(&own, store, &manifest, 0, NULL, NULL);
        if (rc && rc != WC_E_NOT_FOUND)
            w->failed = "remove";
    }
    return NULL;
}

static _Atomic int stop_checking;

static void *check_all_the_time(void *arg)
{
    (void)arg;
    WCI_CALL_NONE(own);
    const char *failed = NULL;
    while (!stop_checking && !failed) {
        wci_strv findings = WCI_STRV_INIT;
        if (wci_store_check(&own, store, 0, &findings, NULL))
            failed = "check failed";
        else if (findings.count)
            failed = "false alarm";
        wci_strv_free(&findings);
        if (!failed && wci_store_prune(&own, store, 0, NULL, NULL, NULL))
            failed = "prune failed";
    }
    return (void *)failed;
}

START_TEST(check_and_prune_run_beside_others)
{
    worker workers[3] = {{"ab", 15, NULL}, {"ac", 15, NULL}, {"da", 15, NULL}};
    pthread_t threads[3], checker;
    void *failed = NULL;
    stop_checking = 0;
    pthread_create(&checker, NULL, check_all_the_time, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, publish_and_remove, &workers[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    stop_checking = 1;
    pthread_join(checker, &failed);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(!workers[i].failed, "%s", workers[i].failed);
    ck_assert_msg(!failed, "%s", (char *)failed);
    prune(0);
    ck_assert_int_eq(count_in("trees"), 0);
    ck_assert_int_eq(count_in("blobs/sha256"), 0);
}
END_TEST

START_TEST(a_cancelled_check_stops)
{
    publish_image("one", "a");
    wc_cancel *cancel = NULL;
    ok(wc_cancel_new(&cancel, &error));
    wc_cancel_trigger(cancel);
    wc_call cancelled = {.cancel = cancel};
    wci_strv findings = WCI_STRV_INIT;
    fails(WC_E_CANCELLED, wci_store_check(&cancelled, store, 0, &findings, &error));
    fails(WC_E_CANCELLED, wci_store_prune(&cancelled, store, 0, NULL, NULL, &error));
    wci_strv_free(&findings);
    wc_cancel_unref(cancel);
    ck_assert_int_eq(count_in("staging"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_upkeep");
    TCase *tcase = tcase_create("upkeep");
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, shared_content_counts_once);
    tcase_add_test(tcase, each_has_its_own_usage);
    tcase_add_test(tcase, litter_is_reclaimed);
    tcase_add_test(tcase, partial_downloads_stay_until_asked_for);
    tcase_add_test(tcase, prune_takes_the_images_asked_for);
    tcase_add_test(tcase, prune_to_a_size_takes_the_least_recently_used);
    tcase_add_test(tcase, a_container_uses_its_image);
    tcase_add_test(tcase, prune_spares_an_image_that_is_held);
    tcase_add_test(tcase, a_damaged_blob_is_put_aside);
    tcase_add_test(tcase, a_missing_blob_is_named);
    tcase_add_test(tcase, broken_references_are_mended);
    tcase_add_test(tcase, rows_of_what_is_gone_are_taken_off_the_books);
    tcase_add_test(tcase, a_damaged_index_is_rebuilt);
    tcase_add_test(tcase, check_and_prune_run_beside_others);
    tcase_add_test(tcase, a_cancelled_check_stops);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
