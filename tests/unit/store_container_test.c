/* SPDX-License-Identifier: Apache-2.0 */
/* Container records, their states, and events. */
#include "store_fixture.h"

#include "store/store_group.h"

static wci_container_record *find(const char *what)
{
    wci_container_record *record = NULL;
    ok(wci_container_find(store, what, &record, &error));
    return record;
}

static wci_status status_of(const char *what)
{
    wci_container_record *record = find(what);
    wci_status status = record->status;
    wci_container_record_free(record);
    return status;
}

static wci_group_record make_group(const char *name)
{
    wci_group_record group = {.name = wci_strdup(name), .config = wci_strdup("{}")};
    ok(wci_group_create(&call, store, &group, &error));
    return group;
}

START_TEST(what_was_inserted_is_read_back)
{
    wci_group_record group = make_group("shop");
    wci_group_record_clear(&group);
    wci_container_record in = {.name = (char *)"name",
                               .backend = (char *)"process",
                               .image_name = (char *)"alpine",
                               .config = (char *)"{\"a\":1}",
                               .created_ns = 42,
                               .auto_remove = 1,
                               .group_name = (char *)"shop"};
    snprintf(in.id, sizeof in.id, "%064d", 7);
    ok(wci_container_insert(store, &in, &error));
    wci_container_record *out = find("name");
    ck_assert_str_eq(out->id, in.id);
    ck_assert_str_eq(out->backend, "process");
    ck_assert_str_eq(out->image_name, "alpine");
    ck_assert_str_eq(out->config, "{\"a\":1}");
    ck_assert_str_eq(out->error, "");
    ck_assert_int_eq(out->created_ns, 42);
    ck_assert_int_eq(out->auto_remove, 1);
    ck_assert_str_eq(out->group_name, "shop");
    ck_assert_int_eq(out->restart_count, 0);
    ck_assert_int_eq(out->health, WCI_HEALTH_NONE);
    ck_assert_int_eq(out->status, WCI_STATUS_CREATED);
    ck_assert(!wci_digest_is_set(&out->image));
    wci_container_record_free(out);
    char *dir = wci_container_dir(store, in.id);
    ck_assert(wci_file_exists(dir));
    wci_free(dir);
}
END_TEST

START_TEST(a_group_stays_while_a_container_is_in_it)
{
    wci_container_record in = {.name = (char *)"name", .config = (char *)"{}", .group_name = (char *)"team"};
    snprintf(in.id, sizeof in.id, "%064d", 8);
    ck_assert_int_eq(wci_container_insert(store, &in, NULL), WC_E_NOT_FOUND);
    wci_group_record group = make_group("team"), other = {.name = (char *)"team", .config = (char *)"{}"};
    ck_assert_int_eq(wci_group_create(&call, store, &other, NULL), WC_E_EXISTS);
    wci_free(other.id);
    ok(wci_container_insert(store, &in, &error));
    ck_assert_int_eq(wci_group_remove(&call, store, "team", NULL), WC_E_IN_USE);
    ok(wci_container_delete(store, in.id, &error));
    ok(wci_group_remove(&call, store, "team", &error));
    ck_assert_int_eq(wci_group_remove(&call, store, "team", NULL), WC_E_NOT_FOUND);
    wci_group_record again = make_group("team");
    ck_assert_str_ne(group.id, again.id);
    ck_assert_int_eq(wci_group_set_config(&call, store, &group, "{}", NULL), WC_E_NOT_FOUND);
    wci_group_record_clear(&group);
    wci_group_record_clear(&again);
}
END_TEST

START_TEST(a_container_is_found_by_id_name_and_prefix)
{
    insert_container("abc1", "one", NULL);
    insert_container("abd2", "two", NULL);
    insert_container("ffff", "ab", NULL); /* a name wins over a prefix */
    wci_container_record *record = find("abc");
    ck_assert_str_eq(record->name, "one");
    wci_container_record_free(record);
    record = find("ab");
    ck_assert_str_eq(record->id, "ffff");
    wci_container_record_free(record);
    fails(WC_E_INVALID, wci_container_find(store, "a", &record, &error));
    fails(WC_E_NOT_FOUND, wci_container_find(store, "abe", &record, &error));
    fails(WC_E_NOT_FOUND, wci_container_find(store, "", &record, &error));
    fails(WC_E_NOT_FOUND, wci_container_find(store, "%", &record, &error));
    wci_container_record **list = NULL;
    size_t count = 0;
    ok(wci_container_list(store, &list, &count, &error));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(list[0]->id, "ffff");
    wci_container_records_free(list, count);
}
END_TEST

START_TEST(a_name_belongs_to_one)
{
    insert_container("abc1", "one", NULL);
    wci_container_record again = {.id = "abd2", .name = (char *)"one"};
    int32_t rc = wci_container_insert(store, &again, &error);
    ck_assert_int_eq(rc, WC_E_EXISTS);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "abc1"));
    wci_err_clear(&error);
    ck_assert_int_eq(count_in("containers"), 1);
    insert_container("abd2", "two", NULL);
    fails(WC_E_EXISTS, wci_container_set_name(store, "abd2", "one", &error));
    ok(wci_container_set_name(store, "abd2", "three", &error));
    ok(wci_container_set_name(store, "abd2", "three", &error));
    wci_container_record_free(find("three"));
    fails(WC_E_NOT_FOUND, wci_container_set_name(store, "none", "x", &error));
}
END_TEST

START_TEST(states_change_only_from_the_right_ones)
{
    insert_container("c1", "one", NULL);
    wci_container_change start = {.from = 1u << WCI_STATUS_CREATED | 1u << WCI_STATUS_EXITED,
                                  .generation = -1,
                                  .status = WCI_STATUS_STARTING,
                                  .bump_generation = 1,
                                  .error = ""};
    wci_container_change run = {.from = 1u << WCI_STATUS_STARTING,
                                .generation = 1,
                                .status = WCI_STATUS_RUNNING,
                                .pid = 77,
                                .started_ns = 5,
                                .action = "start"};
    wci_container_change die = {.from = 1u << WCI_STATUS_RUNNING,
                                .generation = 1,
                                .status = WCI_STATUS_EXITED,
                                .finished_ns = 9,
                                .exit_code = 3,
                                .oom_killed = 1,
                                .action = "die",
                                .attributes = "{\"exitCode\":\"3\"}"};
    fails(WC_E_STATE, wci_container_update(store, "c1", &run, &error));
    ok(wci_container_update(store, "c1", &start, &error));
    fails(WC_E_STATE, wci_container_update(store, "c1", &start, &error));
    ok(wci_container_update(store, "c1", &run, &error));
    wci_container_record *record = find("c1");
    ck_assert_int_eq(record->status, WCI_STATUS_RUNNING);
    ck_assert_int_eq(record->pid, 77);
    ck_assert_int_eq(record->generation, 1);
    ck_assert_int_eq(record->started_ns, 5);
    wci_container_record_free(record);
    ok(wci_container_update(store, "c1", &die, &error));
    record = find("c1");
    ck_assert_int_eq(record->exit_code, 3);
    ck_assert_int_eq(record->oom_killed, 1);
    ck_assert_int_eq(record->finished_ns, 9);
    ck_assert_int_eq(record->started_ns, 5);
    ck_assert_int_eq(record->pid, 0);
    wci_container_record_free(record);
    ok(wci_container_update(store, "c1", &start, &error));
    /* A late report of the run before does not touch the new one. */
    int32_t rc = wci_container_update(store, "c1", &die, &error);
    ck_assert_int_eq(rc, WC_E_STATE);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "started again"));
    wci_err_clear(&error);
    ck_assert_int_eq(status_of("c1"), WCI_STATUS_STARTING);
    record = find("c1");
    ck_assert_int_eq(record->exit_code, 3); /* until it runs */
    ck_assert_int_eq(record->generation, 2);
    wci_container_record_free(record);
    run.generation = 2;
    ok(wci_container_update(store, "c1", &run, &error));
    record = find("c1");
    ck_assert_int_eq(record->exit_code, 0);
    ck_assert_int_eq(record->oom_killed, 0);
    wci_container_record_free(record);
    fails(WC_E_NOT_FOUND, wci_container_update(store, "none", &start, &error));
}
END_TEST

START_TEST(a_failed_start_has_an_exit_code)
{
    insert_container("c1", "one", NULL);
    wci_container_change fail = {.from = 1u << WCI_STATUS_CREATED,
                                 .generation = -1,
                                 .status = WCI_STATUS_CREATED,
                                 .exit_code = 127,
                                 .error = "no such command",
                                 .no_run = 1};
    ok(wci_container_update(store, "c1", &fail, &error));
    wci_container_record *record = find("c1");
    ck_assert_int_eq(record->exit_code, 127);
    ck_assert_int_eq(record->finished_ns, 0);
    ck_assert_str_eq(record->error, "no such command");
    wci_container_record_free(record);
}
END_TEST

START_TEST(a_removed_container_is_gone)
{
    insert_container("c1", "one", NULL);
    ok(wci_container_delete(store, "c1", &error));
    fails(WC_E_NOT_FOUND, wci_container_delete(store, "c1", &error));
    insert_container("c2", "one", NULL);
}
END_TEST

/* ---- Events -----------------------------------------------------------------------------------
 */

static void expect_event(int64_t seq, const char *action, const char *attribute)
{
    wci_event_record **events = NULL;
    size_t count = 0;
    ok(wci_event_read(store, seq - 1, 1, &events, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(events[0]->seq, seq);
    ck_assert_str_eq(events[0]->action, action);
    ck_assert_msg(strstr(events[0]->attributes, attribute) != NULL, "%s", events[0]->attributes);
    wci_event_record_free(events[0]);
    wci_free(events);
}

START_TEST(changes_are_reported_in_order)
{
    wci_digest one = publish_image("img", "a");
    insert_container("c1", "one", &one);
    wci_container_change run = {.from = 1u << WCI_STATUS_CREATED,
                                .generation = -1,
                                .status = WCI_STATUS_RUNNING,
                                .action = "start",
                                .attributes = "{\"extra\":\"x\"}"};
    ok(wci_container_update(store, "c1", &run, &error));
    fails(WC_E_STATE, wci_container_update(store, "c1", &run, &error)); /* says nothing */
    ok(wci_container_set_name(store, "c1", "uno", &error));
    ok(wci_container_delete(store, "c1", &error));
    ok(wci_image_untag(store, "img", &error));
    ok(wci_image_remove(&call, store, &one, 0, NULL, &error));
    expect_event(1, "pull", "\"name\":\"img\"");
    expect_event(2, "tag", "\"name\":\"img\"");
    expect_event(3, "create", "\"name\":\"one\"");
    expect_event(4, "start", "\"extra\":\"x\"");
    expect_event(5, "rename", "\"name\":\"uno\"");
    expect_event(6, "destroy", "\"image\":\"image\"");
    expect_event(7, "untag", "img");
    expect_event(8, "delete", "{");
    int64_t last = 0;
    ok(wci_event_last(store, &last, &error));
    ck_assert_int_eq(last, 8);
}
END_TEST

START_TEST(a_commit_touches_the_wake_file)
{
    wci_file_info before, after;
    char *path = wci_event_wake_path(store);
    ok(wci_file_info_of(path, &before, &error));
    usleep(20000);
    ok(wci_event_add(store, "image", "x", "id", "{\"k\":\"v\"}", &error));
    ok(wci_event_add(store, "image", "y", "id", NULL, &error));
    ok(wci_file_info_of(path, &after, &error));
    ck_assert_int_gt(after.mtime_ns, before.mtime_ns);
    ck_assert_uint_eq(after.size, 1);
    wci_free(path);
    expect_event(1, "x", "\"k\":\"v\"");
}
END_TEST

START_TEST(old_events_go_and_leave_a_gap)
{
    enum { TOTAL = 10300 };
    ok(wci_tx_begin(store, &call, WCI_TX_WRITE, &error));
    int32_t rc = WC_OK;
    for (int i = 0; i < TOTAL && !rc; i++)
        rc = wci_event_put(store, "image", "x", "id", NULL, &error);
    ok(wci_tx_end(store, rc, &error));
    wci_event_record **events = NULL;
    size_t count = 0;
    fails(WC_E_GAP, wci_event_read(store, 1, 10, &events, &count, &error));
    ok(wci_event_read(store, 0, 1, &events, &count, &error));
    int64_t oldest = events[0]->seq;
    ck_assert_int_gt(oldest, 1);
    ck_assert_int_ge(TOTAL - oldest, 9990);
    wci_event_record_free(events[0]);
    wci_free(events);
    expect_event(oldest, "x", "{}"); /* the one before it need not be there */
    fails(WC_E_GAP, wci_event_read(store, oldest - 2, 10, &events, &count, &error));
    ok(wci_event_read(store, TOTAL, 10, &events, &count, &error));
    ck_assert_uint_eq(count, 0);
    wci_free(events);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_container");
    TCase *tcase = tcase_create("container");
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_was_inserted_is_read_back);
    tcase_add_test(tcase, a_group_stays_while_a_container_is_in_it);
    tcase_add_test(tcase, a_container_is_found_by_id_name_and_prefix);
    tcase_add_test(tcase, a_name_belongs_to_one);
    tcase_add_test(tcase, states_change_only_from_the_right_ones);
    tcase_add_test(tcase, a_failed_start_has_an_exit_code);
    tcase_add_test(tcase, a_removed_container_is_gone);
    tcase_add_test(tcase, changes_are_reported_in_order);
    tcase_add_test(tcase, a_commit_touches_the_wake_file);
    tcase_add_test(tcase, old_events_go_and_leave_a_gap);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
