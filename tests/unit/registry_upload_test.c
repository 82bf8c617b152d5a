/* SPDX-License-Identifier: Apache-2.0 */
/* Sending blobs and manifests to registries with habits and failures of their own. */
#include "registry_fixture.h"

#include <stdint.h>
#include <time.h>

#include "core/cancel.h"
#include "platform/thread.h"

#define MIB (1024 * 1024)

typedef struct memory_upload {
    wci_upload upload;
    char *data;
    uint64_t read; /* bytes asked for in all */
    int dones;
} memory_upload;

static int32_t read_memory(wci_upload *upload, uint64_t offset, void *data, size_t size, wc_error **err)
{
    memory_upload *m = (memory_upload *)upload->payload;
    (void)err;
    ck_assert_uint_le(offset + size, upload->size);
    memcpy(data, m->data + offset, size);
    m->read += size;
    return WC_OK;
}

static int32_t count_done(wci_upload *upload, wc_error **err)
{
    (void)err;
    ((memory_upload *)upload->payload)->dones++;
    return WC_OK;
}

static void make(memory_upload *m, size_t size, unsigned seed)
{
    memset(m, 0, sizeof *m);
    m->data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        m->data[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
    m->upload = (wci_upload){.size = size, .read = read_memory, .done = count_done, .payload = (uintptr_t)m};
    wci_digest_of(WCI_SHA256, m->data, size, &m->upload.digest, NULL);
}

static int32_t send_all(wci_remote *remote, memory_upload *m, size_t count, wc_call *call, wc_error **err)
{
    WCI_CALL_NONE(none);
    wci_upload *list[16];
    for (size_t i = 0; i < count; i++)
        list[i] = &m[i].upload;
    return wci_remote_upload(call ? call : &none, remote, list, count, NULL, 0, err);
}

static void expect_received(const memory_upload *m)
{
    char *path = NULL, *text, want[24];
    ck_assert_int_gt(asprintf(&path, "/received/%s", m->upload.digest.text), 0);
    text = mock_ask("GET", path);
    snprintf(want, sizeof want, "%llu", (unsigned long long)m->upload.size);
    ck_assert_str_eq(text, want);
    free(text);
    free(path);
}

/* Sends one blob and checks that it came; gives the bytes that were read for it. */
static uint64_t expect_sent(const char *repository, size_t size)
{
    wci_remote *remote = mock_open(repository);
    memory_upload m;
    wc_error *err = NULL;
    mock_reset();
    make(&m, size, 7);
    int32_t code = send_all(remote, &m, 1, NULL, &err);
    ck_assert_msg(!code, "%s: %s", repository, err ? error_text(err) : "");
    expect_received(&m);
    ck_assert_int_eq(m.dones, 1);
    ck_assert_uint_eq(m.upload.sent, size);
    ck_assert_int_eq(m.upload.existed, 0);
    uint64_t read = m.read;
    free(m.data);
    wci_remote_close(remote);
    return read;
}

static int32_t send_fails(const char *repository, size_t size, const char *says)
{
    wci_registry_config config = mock_config();
    config.retries = 2;
    wci_remote *remote = mock_open_with(&config, repository);
    memory_upload m;
    wc_error *err = NULL;
    mock_reset();
    make(&m, size, 9);
    int32_t code = send_all(remote, &m, 1, NULL, &err);
    assert_error_says(err, says);
    ck_assert_int_eq(m.dones, 0);
    free(m.data);
    wci_remote_close(remote);
    return code;
}

START_TEST(goes_in_one_piece)
{
    ck_assert_uint_eq(expect_sent("plain/x", 5 * MIB + 3), 5 * MIB + 3);
    ck_assert_int_eq(mock_count("\"PATCH\""), 1);
    ck_assert_int_eq(mock_count("\"HEAD\""), 1);
    expect_sent("plain/x", 1);
}
END_TEST

START_TEST(an_empty_blob)
{
    expect_sent("plain/x", 0);
    ck_assert_int_eq(mock_count("\"PATCH\""), 0);
}
END_TEST

START_TEST(with_a_token_for_writing)
{
    expect_sent("bearer/x", 100000);
    ck_assert_int_ge(mock_count("push"), 1); /* a scope of a token */
}
END_TEST

START_TEST(what_is_there_stays)
{
    wci_remote *remote = mock_open("plain/x");
    memory_upload m;
    mock_reset();
    make(&m, 1000, 3);
    ck_assert_int_eq(send_all(remote, &m, 1, NULL, NULL), WC_OK);
    ck_assert_int_eq(send_all(remote, &m, 1, NULL, NULL), WC_OK);
    ck_assert_int_eq(m.upload.existed, 1);
    ck_assert_int_eq(m.dones, 2);
    ck_assert_uint_eq(m.read, 1000);
    ck_assert_int_eq(mock_count("\"POST\""), 1);
    free(m.data);
    wci_remote_close(remote);
}
END_TEST

START_TEST(mounted_from_another_repository)
{
    wci_remote *remote = mock_open("upmount/x");
    memory_upload m[3];
    mock_reset();
    for (unsigned i = 0; i < 3; i++)
        make(&m[i], 1000, 3 + i);
    m[0].upload.mount_from = "upmount/has";
    m[1].upload.mount_from = "upmount/hasnot";
    m[2].upload.mount_from = "upmount/closed";
    ck_assert_int_eq(send_all(remote, m, 3, NULL, NULL), WC_OK);
    ck_assert_int_eq(m[0].upload.existed, 1);
    ck_assert_uint_eq(m[0].read, 0);
    for (int i = 1; i < 3; i++) {
        ck_assert_int_eq(m[i].upload.existed, 0);
        expect_received(&m[i]);
    }
    for (int i = 0; i < 3; i++)
        free(m[i].data);
    wci_remote_close(remote);
}
END_TEST

START_TEST(several_at_once)
{
    wci_remote *remote = mock_open("plain/x");
    memory_upload m[12];
    mock_reset();
    for (int i = 0; i < 12; i++)
        make(&m[i], 300000, (unsigned)i);
    ck_assert_int_eq(send_all(remote, m, 12, NULL, NULL), WC_OK);
    for (int i = 0; i < 12; i++) {
        expect_received(&m[i]);
        free(m[i].data);
    }
    wci_remote_close(remote);
}
END_TEST

START_TEST(too_large_goes_in_pieces)
{
    expect_sent("uplarge/x", 10 * MIB);
    ck_assert_int_ge(mock_count("\"PATCH\""), 4);
    expect_sent("uplarge-upmin/x", 10 * MIB);
}
END_TEST

START_TEST(a_refused_range_is_asked_for)
{
    expect_sent("uprange/x", 9 * MIB);
    ck_assert_int_ge(mock_count("\"GET\""), 1);
}
END_TEST

START_TEST(a_broken_connection_is_continued)
{
    uint64_t size = 24 * MIB, read = expect_sent("upcut/x", (size_t)size);
    /* What had arrived was not sent again: at most the buffers on the way were. */
    ck_assert_uint_lt(read, size + size / 2);
    ck_assert_int_ge(mock_count("\"PATCH\""), 2);
}
END_TEST

START_TEST(progress_outlives_any_number_of_breaks)
{
    expect_sent("upcutall/x", 20 * MIB);
}
END_TEST

START_TEST(a_lost_upload_begins_anew)
{
    expect_sent("uplose/x", 3 * MIB);
    ck_assert_int_eq(mock_count("\"POST\""), 2);
}
END_TEST

START_TEST(busy_servers_are_waited_for)
{
    expect_sent("upbusy/x", MIB);
}
END_TEST

START_TEST(places_of_every_form)
{
    expect_sent("uprelative/x", MIB);
    expect_sent("uprelative-upcreated/x", MIB);
    expect_sent("upother/x", MIB);
}
END_TEST

/* Case 38: what the registry gets, another server does not get. */
START_TEST(case_38_no_credentials_elsewhere)
{
    char other[32];
    expect_sent("bearer-upother/x", MIB);
    snprintf(other, sizeof other, "\"port\": %d", mock_other_port);
    ck_assert_int_ge(mock_count(other), 2);
    char *all = mock_ask("GET", "/requests"), *save = NULL;
    for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (strstr(line, other))
            ck_assert_ptr_nonnull(strstr(line, "\"auth\": null"));
    free(all);
}
END_TEST

/* What another did to it is not our fault. */
START_TEST(a_refused_upload_is_sent_once_more)
{
    ck_assert_uint_eq(expect_sent("uprefuse/x", 1000), 2000);
    ck_assert_int_eq(mock_count("\"HEAD\""), 2);
}
END_TEST

START_TEST(refusals_are_told)
{
    ck_assert_int_eq(send_fails("updeny/x", 1000, "not yours"), WC_E_AUTH);
    ck_assert_int_eq(send_fails("upbad/x", 1000, "provided digest did not match"), WC_E_NETWORK);
    ck_assert_int_eq(send_fails("down/x", 1000, "503"), WC_E_NETWORK);
}
END_TEST

static void trigger_later(void *cancel)
{
    struct timespec wait = {0, 300000000};
    nanosleep(&wait, NULL);
    wc_cancel_trigger(cancel);
}

START_TEST(a_stalled_upload_is_cancelled)
{
    wci_remote *remote = mock_open("upstall/x");
    wc_cancel *cancel = NULL;
    wci_thread *thread = NULL;
    wc_call call = {0};
    memory_upload m;
    make(&m, 64 * MIB, 5);
    ck_assert_int_eq(wc_cancel_new(&cancel, NULL), WC_OK);
    call.cancel = cancel;
    ck_assert_int_eq(wci_thread_start(&thread, trigger_later, cancel, NULL), WC_OK);
    ck_assert_int_eq(send_all(remote, &m, 1, &call, NULL), WC_E_CANCELLED);
    wci_thread_join(thread);
    wc_cancel_unref(cancel);
    free(m.data);
    wci_remote_close(remote);
}
END_TEST

START_TEST(a_stalled_upload_ends_by_itself)
{
    wci_registry_config config = mock_config();
    config.retries = 0;
    config.stall_ms = 400;
    wci_remote *remote = mock_open_with(&config, "upstall/x");
    wc_error *err = NULL;
    memory_upload m;
    make(&m, 64 * MIB, 5);
    ck_assert_int_eq(send_all(remote, &m, 1, NULL, &err), WC_E_NETWORK);
    assert_error_says(err, "too long");
    free(m.data);
    wci_remote_close(remote);
}
END_TEST

START_TEST(a_manifest_is_sent_as_it_is)
{
    static const char type[] = "application/vnd.oci.image.manifest.v1+json", body[] = "{ \"odd\" :  1 }\n";
    static const char *const repositories[] = {"plain/x", "bearer/x", "basic/x", "uprefuse/x"};
    wci_registry_config config = mock_config();
    WCI_CALL_NONE(call);
    config.username = "user";
    config.password = "secret";
    for (size_t i = 0; i < sizeof repositories / sizeof *repositories; i++) {
        mock_reset();
        wci_remote *remote = mock_open_with(&config, repositories[i]);
        ck_assert_int_eq(wci_remote_put_manifest(&call, remote, "tag", type, body, sizeof body - 1, NULL), WC_OK);
        wci_remote_close(remote);
        char *text = mock_ask("GET", "/received/tag%20application/vnd.oci.image.manifest.v1+json");
        ck_assert_int_eq(atoi(text), (int)sizeof body - 1);
        free(text);
    }
}
END_TEST

int main(void)
{
    mock_start();
    Suite *suite = suite_create("registry: uploads");
    TCase *tc = tcase_create("uploads");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, goes_in_one_piece);
    tcase_add_test(tc, an_empty_blob);
    tcase_add_test(tc, with_a_token_for_writing);
    tcase_add_test(tc, what_is_there_stays);
    tcase_add_test(tc, mounted_from_another_repository);
    tcase_add_test(tc, several_at_once);
    tcase_add_test(tc, too_large_goes_in_pieces);
    tcase_add_test(tc, a_refused_range_is_asked_for);
    tcase_add_test(tc, a_broken_connection_is_continued);
    tcase_add_test(tc, progress_outlives_any_number_of_breaks);
    tcase_add_test(tc, a_lost_upload_begins_anew);
    tcase_add_test(tc, busy_servers_are_waited_for);
    tcase_add_test(tc, places_of_every_form);
    tcase_add_test(tc, case_38_no_credentials_elsewhere);
    tcase_add_test(tc, a_refused_upload_is_sent_once_more);
    tcase_add_test(tc, refusals_are_told);
    tcase_add_test(tc, a_stalled_upload_is_cancelled);
    tcase_add_test(tc, a_stalled_upload_ends_by_itself);
    tcase_add_test(tc, a_manifest_is_sent_as_it_is);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
