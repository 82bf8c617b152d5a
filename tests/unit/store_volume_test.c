/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: rows, directories, and the containers that use them. */
#include <signal.h>

#include "store/volume_rows.h"
#include "store_fixture.h"

static wci_volume_record wanted(const char *name, const char *options)
{
    return (wci_volume_record){.name = (char *)(uintptr_t)name, .driver = (char *)(uintptr_t)WCI_VOLUME_DRIVER,
                               .options = (char *)(uintptr_t)options, .labels = (char *)(uintptr_t)"{\"a\":\"b\"}"};
}

static int create_volume(const char *name)
{
    wci_volume_record record = wanted(name, "{}");
    int created = 0;
    ok(wci_volume_create(&call, store, &record, &created, &error));
    return created;
}

static int has_volume(const char *name)
{
    wci_volume_record record;
    int32_t rc = wci_volume_find(store, name, &record, NULL);
    if (!rc)
        wci_volume_record_clear(&record);
    return rc == WC_OK;
}

static void volume_path(const char *name, const char *below, char out[600])
{
    snprintf(out, 600, "%s/volumes/%s%s", fixture_root, name, below);
}

static int has_dir(const char *name)
{
    char path[600];
    volume_path(name, "", path);
    return wci_file_exists(path);
}

static void put_file(const char *name, const char *text)
{
    char path[600];
    volume_path(name, "/data/file", path);
    write_file(path, text, strlen(text));
}

static int32_t try_use(const char *id, const wci_volume_use *uses, size_t count, wc_error **err)
{
    wci_container_record record = {.name = (char *)(uintptr_t)id};
    snprintf(record.id, sizeof record.id, "%s", id);
    return wci_container_insert_using(&call, store, &record, uses, count, err);
}

static void use(const char *id, const char *volume, int is_anonymous)
{
    const wci_volume_use one = {volume, "/data", is_anonymous};
    ok(try_use(id, &one, 1, &error));
}

START_TEST(what_was_made_is_read_back)
{
    ck_assert(create_volume("one"));
    wci_volume_record record;
    ok(wci_volume_find(store, "one", &record, &error));
    ck_assert_str_eq(record.driver, "local");
    ck_assert_str_eq(record.labels, "{\"a\":\"b\"}");
    ck_assert_int_gt(record.created_ns, 0);
    ck_assert_int_eq(record.is_anonymous, 0);
    wci_volume_record_clear(&record);
    char *data = wci_volume_data(store, "one");
    ck_assert(wci_file_exists(data));
    wci_free(data);
    fails(WC_E_NOT_FOUND, wci_volume_find(store, "on", &record, &error));
    create_volume("another");
    wci_volume_record *list = NULL;
    size_t count = 0;
    ok(wci_volume_list(store, &list, &count, &error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0].name, "another");
    wci_volume_records_free(list, count);
}
END_TEST

START_TEST(making_it_again_changes_nothing)
{
    create_volume("one");
    put_file("one", "mine");
    ck_assert(!create_volume("one"));
    char path[600];
    volume_path("one", "/data/file", path);
    ck_assert(wci_file_exists(path));
    wci_volume_record other = wanted("one", "{\"type\":\"tmpfs\"}");
    int created = 1;
    fails(WC_E_EXISTS, wci_volume_create(&call, store, &other, &created, &error));
}
END_TEST

START_TEST(names_lead_nowhere_else)
{
    static const char *const bad[] = {"", "a", "../x", "a/b", ".hidden", "-x", "_x", "a b", "a:b", "ä", ".."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wci_volume_record record = wanted(bad[i], "{}");
        int created = 0;
        const wci_volume_use one = {bad[i], "/data", 0};
        fails(WC_E_INVALID, wci_volume_create(&call, store, &record, &created, &error));
        fails(WC_E_NOT_FOUND, wci_volume_remove(&call, store, bad[i], NULL, &error));
        if (!strchr(bad[i], ':'))
            fails(WC_E_INVALID, try_use("c1", &one, 1, &error));
    }
    char name[300];
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    fails(WC_E_INVALID, wci_volume_name_check(name, &error));
    name[255] = '\0';
    ok(wci_volume_name_check(name, &error));
    ck_assert_int_eq(count_in("volumes"), 0);
}
END_TEST

START_TEST(a_volume_in_use_stays)
{
    use("c1", "one", 0);
    ck_assert(has_volume("one"));
    int32_t rc = wci_volume_remove(&call, store, "one", NULL, &error);
    ck_assert_int_eq(rc, WC_E_IN_USE);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "container 'c1' (c1)"));
    wci_err_clear(&error);
    wci_strv users = WCI_STRV_INIT;
    ok(wci_volume_users(store, "one", &users, &error));
    ck_assert_uint_eq(users.count, 1);
    ck_assert_str_eq(users.items[0], "c1");
    wci_strv_free(&users);
    ok(wci_container_delete(store, "c1", &error));
    put_file("one", "0123456789");
    uint64_t bytes = 0;
    ok(wci_volume_remove(&call, store, "one", &bytes, &error));
    ck_assert_uint_gt(bytes, 0);
    ck_assert(!has_volume("one") && !has_dir("one"));
    fails(WC_E_NOT_FOUND, wci_volume_remove(&call, store, "one", NULL, &error));
}
END_TEST

START_TEST(anonymous_volumes_go_with_their_last_container)
{
    const wci_volume_use both[] = {{"anon", "/a", 1}, {"named", "/n", 0}, {"anon", "/twice", 1}};
    ok(try_use("c1", both, 3, &error));
    ok(try_use("c2", both, 1, &error));
    ok(wci_container_delete_with_volumes(&call, store, "c1", &error));
    ck_assert(has_volume("anon") && has_dir("anon"));
    ok(wci_container_delete_with_volumes(&call, store, "c2", &error));
    ck_assert(!has_volume("anon") && !has_dir("anon"));
    ck_assert(has_volume("named"));
    use("c3", "left", 1);
    ok(wci_container_delete(store, "c3", &error)); /* without its volumes */
    ck_assert(has_volume("left"));
    wci_strv users = WCI_STRV_INIT;
    ok(wci_volume_users(store, "left", &users, &error));
    ck_assert_uint_eq(users.count, 0);
}
END_TEST

START_TEST(prune_takes_what_nobody_uses)
{
    create_volume("named");
    use("c1", "anon-used", 1);
    use("c2", "anon", 1);
    ok(wci_container_delete(store, "c2", &error));
    wci_strv removed = WCI_STRV_INIT;
    uint64_t bytes = 0;
    ok(wci_volume_prune(&call, store, 0, &removed, &bytes, &error));
    ck_assert_uint_eq(removed.count, 1);
    ck_assert_str_eq(removed.items[0], "anon");
    ok(wci_volume_prune(&call, store, 1, &removed, &bytes, &error));
    ck_assert_uint_eq(removed.count, 2);
    ck_assert_str_eq(removed.items[1], "named");
    ck_assert(has_volume("anon-used"));
    wci_strv_free(&removed);
}
END_TEST

/* A container that cannot be made leaves no volumes. */
START_TEST(a_failed_container_makes_none)
{
    insert_container("c1", "c1", NULL);
    const wci_volume_use one = {"one", "/data", 0};
    fails(WC_E_EXISTS, try_use("c1", &one, 1, &error));
    ck_assert(!has_volume("one"));
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error));
    ck_assert(!has_dir("one"));
}
END_TEST

/* What a removal that was killed left is not the next volume's content. */
START_TEST(litter_is_not_content)
{
    char path[600];
    create_volume("one");
    put_file("one", "old secret");
    ok(wci_tx_begin(store, &call, WCI_TX_DURABLE, &error));
    ok(wci_tx_end(store, wci_db_run(store->db, "DELETE FROM volumes", WCI_BIND_NONE, &error), &error));
    create_volume("one");
    volume_path("one", "/data/file", path);
    ck_assert(!wci_file_exists(path));
    volume_path("stray", "/data", path);
    ok(wci_dir_make(path, 0755, &error));
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error));
    ck_assert(!has_dir("stray"));
    ck_assert(has_dir("one"));
}
END_TEST

START_TEST(a_mounted_image_is_in_use)
{
    wci_digest manifest = publish_image("image", "ab");
    const wci_volume_use mounted = {manifest.text, "/image", 0}, missing = {"sha256:00", "/image", 0};
    ok(try_use("c1", &mounted, 1, &error));
    fails(WC_E_NOT_FOUND, try_use("c2", &missing, 1, &error));
    fails(WC_E_IN_USE, wci_image_remove(&call, store, &manifest, 0, NULL, &error));
    ok(wci_store_prune(&call, store, WCI_PRUNE_UNUSED, NULL, NULL, &error));
    ck_assert(has_tree('a') && has_tree('b'));
    ok(wci_container_delete(store, "c1", &error));
    ok(wci_image_remove(&call, store, &manifest, 0, NULL, &error));
}
END_TEST

START_TEST(usage_and_check_know_them)
{
    wci_usage usage;
    create_volume("idle");
    put_file("idle", "idle");
    use("c1", "busy", 0);
    ok(wci_store_usage(&call, store, &usage, NULL, &error));
    ck_assert_uint_eq(usage.volumes, 2);
    ck_assert_uint_eq(usage.volumes_active, 1);
    ck_assert_uint_gt(usage.volumes_reclaimable, 0);
    ck_assert_uint_lt(usage.volumes_reclaimable, usage.volumes_bytes);
    char path[600];
    volume_path("idle", "", path);
    ok(wci_dir_remove_all(path, &error));
    wci_strv findings = WCI_STRV_INIT;
    ok(wci_store_check(&call, store, 1, &findings, &error));
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_ptr_nonnull(strstr(findings.items[0], "volume 'idle': its directory is missing"));
    wci_strv_free(&findings);
    ok(wci_store_check(&call, store, 0, &findings, &error));
    ck_assert_uint_eq(findings.count, 0);
    wci_strv_free(&findings);
}
END_TEST

/* Makes, uses and removes the same few volumes until it is killed. */
static void churn(unsigned seed)
{
    open_store();
    for (;; seed = seed * 1103515245u + 12345u) {
        char id[40], first[16], second[16];
        snprintf(id, sizeof id, "c%d%08x", (int)getpid(), seed);
        snprintf(first, sizeof first, "vol%u", (seed >> 16) % 3);
        snprintf(second, sizeof second, "vol%u", (seed >> 18) % 3);
        const wci_volume_use uses[] = {{first, "/a", 1}, {second, "/b", 1}};
        if (!try_use(id, uses, 2, NULL)) /* in either order: locks are taken by name */
            (void)wci_container_delete_with_volumes(&call, store, id, NULL);
        (void)wci_volume_remove(&call, store, first, NULL, NULL);
    }
}

START_TEST(killed_processes_leave_nothing_behind)
{
    close_store();
    for (int round = 0; round < 6; round++) {
        pid_t pids[4];
        for (unsigned i = 0; i < 4; i++) {
            pids[i] = fork();
            if (!pids[i])
                churn((unsigned)round * 77u + i);
        }
        usleep(60000);
        for (int i = 0; i < 4; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        open_store();
        wci_strv findings = WCI_STRV_INIT;
        ok(wci_store_check(&call, store, 0, &findings, &error));
        ck_assert_msg(!findings.count, "%s", findings.count ? findings.items[0] : "");
        wci_volume_record *volumes = NULL;
        size_t count = 0;
        ok(wci_volume_list(store, &volumes, &count, &error));
        for (size_t i = 0; i < count; i++)
            ck_assert(has_dir(volumes[i].name));
        wci_volume_records_free(volumes, count);
        close_store();
    }
    open_store();
    wci_container_record **left = NULL;
    size_t count = 0;
    ok(wci_container_list(store, &left, &count, &error));
    for (size_t i = 0; i < count; i++)
        ok(wci_container_delete_with_volumes(&call, store, left[i]->id, &error));
    wci_container_records_free(left, count);
    ok(wci_volume_prune(&call, store, 1, NULL, NULL, &error));
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error));
    char path[600];
    volume_path("", "", path);
    wci_strv names = WCI_STRV_INIT;
    ok(wci_dir_list(path, &names, &error));
    ck_assert_uint_eq(names.count, 0);
    wci_strv_free(&names);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_volume");
    TCase *tcase = tcase_create("volume");
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_was_made_is_read_back);
    tcase_add_test(tcase, making_it_again_changes_nothing);
    tcase_add_test(tcase, names_lead_nowhere_else);
    tcase_add_test(tcase, a_volume_in_use_stays);
    tcase_add_test(tcase, anonymous_volumes_go_with_their_last_container);
    tcase_add_test(tcase, prune_takes_what_nobody_uses);
    tcase_add_test(tcase, a_failed_container_makes_none);
    tcase_add_test(tcase, litter_is_not_content);
    tcase_add_test(tcase, a_mounted_image_is_in_use);
    tcase_add_test(tcase, usage_and_check_know_them);
    tcase_add_test(tcase, killed_processes_leave_nothing_behind);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
