/* SPDX-License-Identifier: Apache-2.0 */
/* Images: publishing, finding, names, removing with what only they needed. */
#include "store_fixture.h"

static wci_image_record *find(const char *what)
{
    wci_image_record *record = NULL;
    ok(wci_image_find(store, what, &record, &error));
    return record;
}

static int finds(const char *what, const wci_digest *manifest)
{
    wci_image_record *record = find(what);
    int same = wci_digest_equal(&record->manifest, manifest);
    wci_image_record_free(record);
    return same;
}

static size_t count_images(void)
{
    wci_image_record **records = NULL;
    size_t count = 0;
    ok(wci_image_list(store, &records, &count, &error));
    wci_image_records_free(records, count);
    return count;
}

static void publish_plain(const char *manifest, const char *config, int64_t created_ns)
{
    wci_hold *hold = new_hold();
    wci_image_record record = {.created_ns = created_ns};
    record.manifest = put_text(hold, manifest);
    record.config = put_text(hold, config);
    ok(wci_image_publish(&call, store, &record, "load", NULL, 0, &error));
    wci_hold_free(hold);
}

START_TEST(what_was_published_is_read_back)
{
    wci_digest manifest = publish_image("docker.io/library/one:latest", "abc");
    wci_image_record *record = find("docker.io/library/one:latest");
    ck_assert(wci_digest_equal(&record->manifest, &manifest));
    ck_assert_uint_eq(record->layer_count, 3);
    for (int i = 0; i < 3; i++) {
        wci_digest blob = blob_of("abc"[i]), diff_id = diff_id_of("abc"[i]);
        ck_assert(wci_digest_equal(&record->layers[i].digest, &blob));
        ck_assert(wci_digest_equal(&record->layers[i].diff_id, &diff_id));
        ck_assert_uint_eq(record->layers[i].size, 7);
        ck_assert_str_eq(record->layers[i].media_type, "application/vnd.oci.image.layer.v1.tar");
    }
    ck_assert_str_eq(record->os, "linux");
    ck_assert_str_eq(record->variant, "");
    ck_assert_int_eq(record->created_ns, 1000);
    ck_assert_int_gt(record->added_ns, 0);
    ck_assert(!wci_digest_is_set(&record->index));
    ck_assert_uint_eq(record->names.count, 1);
    wci_image_record_free(record);
    check_clean();
}
END_TEST

START_TEST(an_image_is_found_by_name_digest_and_prefix)
{
    char prefix[20];
    wci_digest one = publish_image("one", "a"), two = publish_image("two", "b");
    wci_image_record *record = find("one");
    const char *hex = wci_digest_hex(&record->config);
    ck_assert(finds("two", &two));
    ck_assert(finds(one.text, &one));
    ck_assert(finds(record->config.text, &one));
    snprintf(prefix, sizeof prefix, "%.12s", hex);
    ck_assert(finds(prefix, &one));
    snprintf(prefix, sizeof prefix, "sha256:%.8s", hex);
    ck_assert(finds(prefix, &one));
    snprintf(prefix, sizeof prefix, "%.1s", hex);
    wci_image_record *none = NULL;
    fails(WC_E_NOT_FOUND, wci_image_find(store, prefix, &none, &error));
    fails(WC_E_NOT_FOUND, wci_image_find(store, "three", &none, &error));
    fails(WC_E_NOT_FOUND, wci_image_find(store, "", &none, &error));
    wci_image_record_free(record);
}
END_TEST

START_TEST(an_ambiguous_prefix_is_refused)
{
    /* Among 300 images two begin with the same two digits. */
    for (int i = 0; i < 300; i++) {
        char manifest[20], config[20];
        snprintf(manifest, sizeof manifest, "m%d", i);
        snprintf(config, sizeof config, "c%d", i);
        publish_plain(manifest, config, i);
    }
    wci_image_record *found = NULL;
    int ambiguous = 0;
    for (int i = 0; i < 256; i++) {
        char prefix[3];
        snprintf(prefix, sizeof prefix, "%02x", i);
        int32_t rc = wci_image_find(store, prefix, &found, NULL);
        ambiguous += rc == WC_E_INVALID;
        if (!rc)
            wci_image_record_free(found);
        else
            ck_assert(rc == WC_E_INVALID || rc == WC_E_NOT_FOUND);
    }
    ck_assert_int_gt(ambiguous, 0);
}
END_TEST

START_TEST(two_manifests_of_one_configuration_are_one_image_id)
{
    publish_plain("gzip", "same", 1);
    publish_plain("zstd", "same", 1);
    wci_digest config = digest_of_text("same"), newest = digest_of_text("zstd");
    char prefix[13];
    snprintf(prefix, sizeof prefix, "%.12s", wci_digest_hex(&config));
    ck_assert(finds(config.text, &newest));
    ck_assert(finds(prefix, &newest));
}
END_TEST

START_TEST(the_newest_is_listed_first)
{
    publish_plain("old", "c1", 10);
    publish_plain("new", "c2", 30);
    publish_plain("mid", "c3", 20);
    wci_image_record **records = NULL;
    size_t count = 0;
    ok(wci_image_list(store, &records, &count, &error));
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(records[0]->created_ns, 30);
    ck_assert_int_eq(records[2]->created_ns, 10);
    wci_image_records_free(records, count);
}
END_TEST

START_TEST(names_move)
{
    wci_digest one = publish_image("name", "a"), two = publish_image("name", "b");
    ck_assert(finds("name", &two));
    wci_image_record *record = find(one.text); /* stays, untagged */
    ck_assert_uint_eq(record->names.count, 0);
    wci_image_record_free(record);
    ok(wci_image_tag(store, &one, NULL, "name", &error));
    ok(wci_image_tag(store, &one, NULL, "alias", &error));
    ck_assert(finds("name", &one));
    record = find("alias");
    ck_assert_uint_eq(record->names.count, 2);
    wci_image_record_free(record);
    ok(wci_image_untag(store, "alias", &error));
    fails(WC_E_NOT_FOUND, wci_image_untag(store, "alias", &error));
    wci_digest absent = digest_of_text("absent");
    fails(WC_E_NOT_FOUND, wci_image_tag(store, &absent, NULL, "x", &error));
}
END_TEST

START_TEST(an_image_without_its_blobs_is_not_published)
{
    wci_hold *hold = new_hold();
    wci_image_record record = {.created_ns = 1};
    record.manifest = put_text(hold, "manifest");
    record.config = digest_of_text("absent");
    fails(WC_E_NOT_FOUND, wci_image_publish(&call, store, &record, "pull", NULL, 0, &error));
    ck_assert_uint_eq(count_images(), 0);
    int64_t last = -1;
    ok(wci_event_last(store, &last, &error));
    ck_assert_int_eq(last, 0);
    wci_hold_free(hold);
}
END_TEST

START_TEST(pulling_again_changes_nothing)
{
    publish_image("one", "ab");
    wci_image_record *before = find("one");
    publish_image("one", "ab");
    wci_image_record *after = find("one");
    ck_assert_int_eq(before->added_ns, after->added_ns);
    ck_assert_uint_eq(after->layer_count, 2);
    ck_assert_uint_eq(count_images(), 1);
    wci_image_record_free(before);
    wci_image_record_free(after);
}
END_TEST

/* ---- Removing ---------------------------------------------------------------------------------
 */

START_TEST(removing_takes_what_only_it_needed)
{
    wci_digest one = publish_image("one", "ab"), two = publish_image("two", "ac");
    ok(wci_image_tag(store, &one, NULL, "uno", &error));
    wci_strv lines = WCI_STRV_INIT;
    ok(wci_image_remove(&call, store, &one, 0, &lines, &error));
    ck_assert_uint_eq(lines.count, 4);
    ck_assert_str_eq(lines.items[0], "Untagged: one");
    ck_assert_str_eq(lines.items[1], "Untagged: uno");
    ck_assert(wci_starts_with(lines.items[2], "Deleted: sha256:"));
    wci_strv_free(&lines);
    wci_digest a = blob_of('a'), b = blob_of('b');
    ck_assert(has_blob(&a) && has_tree('a'));
    ck_assert(!has_blob(&b) && !has_tree('b'));
    ck_assert(!has_blob(&one) && has_blob(&two));
    fails(WC_E_NOT_FOUND, wci_image_remove(&call, store, &one, 0, NULL, &error));
    check_clean();
    ok(wci_image_remove(&call, store, &two, 0, NULL, &error));
    ck_assert_int_eq(count_in("blobs/sha256"), 0);
    ck_assert_int_eq(count_in("trees"), 0);
    ck_assert_int_eq(count_in("links"), 0);
    ck_assert_int_eq(count_in("staging"), 0);
}
END_TEST

START_TEST(a_decision_counts_only_while_it_fits)
{
    wci_digest one = publish_image("one", "a");
    wci_image_record *seen = NULL;
    wci_strv lines = WCI_STRV_INIT;
    int changed = 0;
    ok(wci_image_find(store, "one", &seen, &error));
    ok(wci_image_tag(store, &one, NULL, "another", &error));
    ok(wci_image_remove_seen(&call, store, seen, 1, &lines, &changed, &error));
    ck_assert(changed && !lines.count && finds("one", &one) && finds("another", &one));
    changed = 0;
    ok(wci_image_untag_seen(&call, store, seen, "one", &changed, &error));
    ck_assert(changed && finds("one", &one));
    ok(wci_image_untag(store, "another", &error));
    changed = 0;
    ok(wci_image_remove_seen(&call, store, seen, 0, &lines, &changed, &error));
    ck_assert(!changed && lines.count == 3);
    ok(wci_image_remove_seen(&call, store, seen, 0, &lines, &changed, &error));
    ck_assert(changed && lines.count == 3);
    wci_image_record_free(seen);
    wci_strv_free(&lines);
}
END_TEST

START_TEST(the_same_layer_twice_in_one_image)
{
    wci_digest twice = publish_image("twice", "aa");
    check_clean();
    ok(wci_image_remove(&call, store, &twice, 0, NULL, &error));
    ck_assert_int_eq(count_in("trees"), 0);
    ck_assert_int_eq(count_in("blobs/sha256"), 0);
}
END_TEST

START_TEST(an_image_in_use_stays)
{
    wci_digest one = publish_image("one", "a");
    insert_container("c1", "user", &one);
    int32_t rc = wci_image_remove(&call, store, &one, 0, NULL, &error);
    ck_assert_int_eq(rc, WC_E_IN_USE);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "'user'"));
    wci_err_clear(&error);
    ck_assert(finds("one", &one));
    /* By force it loses its name, but its content stays for the container. */
    ok(wci_image_remove(&call, store, &one, 1, NULL, &error));
    ck_assert(finds(one.text, &one) && has_tree('a'));
    fails(WC_E_IN_USE, wci_image_remove(&call, store, &one, 1, NULL, &error));
    ok(wci_image_tag(store, &one, NULL, "one", &error));
    wci_container_change run = {
        .from = 1u << WCI_STATUS_CREATED, .generation = -1, .status = WCI_STATUS_RUNNING};
    ok(wci_container_update(store, "c1", &run, &error));
    fails(WC_E_IN_USE, wci_image_remove(&call, store, &one, 1, NULL, &error));
    ck_assert(finds("one", &one));
    ok(wci_container_delete(store, "c1", &error));
    ok(wci_image_remove(&call, store, &one, 0, NULL, &error));
}
END_TEST

START_TEST(what_is_held_survives_its_image)
{
    wci_digest one = publish_image("one", "a"), blob = blob_of('a'), key = diff_id_of('a');
    wci_hold *hold = new_hold();
    ok(wci_hold_add(&call, hold, &blob, &error));
    ok(wci_hold_add(&call, hold, &key, &error));
    ok(wci_image_remove(&call, store, &one, 0, NULL, &error));
    ck_assert(has_blob(&blob) && has_tree('a'));
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error));
    ck_assert(has_blob(&blob) && has_tree('a'));
    wci_hold_free(hold);
    ok(wci_store_prune(&call, store, 0, NULL, NULL, &error));
    ck_assert(!has_blob(&blob) && !has_tree('a'));
}
END_TEST

START_TEST(a_removed_image_cannot_get_containers)
{
    wci_digest one = publish_image("one", "a");
    ok(wci_image_remove(&call, store, &one, 0, NULL, &error));
    wci_container_record record = {.id = "c1", .name = (char *)"late", .image = one};
    fails(WC_E_NOT_FOUND, wci_container_insert(store, &record, &error));
    ck_assert_int_eq(count_in("containers"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_image");
    TCase *tcase = tcase_create("image");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_was_published_is_read_back);
    tcase_add_test(tcase, an_image_is_found_by_name_digest_and_prefix);
    tcase_add_test(tcase, an_ambiguous_prefix_is_refused);
    tcase_add_test(tcase, two_manifests_of_one_configuration_are_one_image_id);
    tcase_add_test(tcase, the_newest_is_listed_first);
    tcase_add_test(tcase, names_move);
    tcase_add_test(tcase, an_image_without_its_blobs_is_not_published);
    tcase_add_test(tcase, pulling_again_changes_nothing);
    tcase_add_test(tcase, removing_takes_what_only_it_needed);
    tcase_add_test(tcase, a_decision_counts_only_while_it_fits);
    tcase_add_test(tcase, the_same_layer_twice_in_one_image);
    tcase_add_test(tcase, an_image_in_use_stays);
    tcase_add_test(tcase, what_is_held_survives_its_image);
    tcase_add_test(tcase, a_removed_image_cannot_get_containers);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
