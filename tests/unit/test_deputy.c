/* SPDX-License-Identifier: Apache-2.0 */
/* What the helper does that works on files for somebody, and what it does with messages that mean nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

#include "core/error.h"
#include "platform/posix/deputy.h"
#include "platform/tree.h"

static int link_fd = -1, dir = -1;
static pid_t child;
static char place[] = "/tmp/wc-deputy-XXXXXX";

static int receive(wci_deputy_answer *head, char *text, size_t size, int *fd)
{
    struct iovec parts[] = {{head, sizeof *head}, {text, size}};
    int fds[WCI_DEPUTY_FDS];
    size_t got = 0;
    ck_assert_int_eq(wci_deputy_receive(link_fd, parts, 2, fds, &got), 0);
    ck_assert_uint_ge(got, sizeof *head);
    ck_assert_int_eq(fds[1], -1);
    *fd = fds[0];
    return (int)(got - sizeof *head);
}

static void start(const wc_error *why)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        wci_deputy_serve(ends[1], why);
        _exit(0);
    }
    close(ends[1]);
    link_fd = ends[0];
}

static void setup(void)
{
    wci_deputy_answer head;
    char text[8];
    int fd;
    strcpy(place + sizeof place - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
    dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    start(NULL);
    ck_assert_int_eq(receive(&head, text, sizeof text, &fd), 0);
    ck_assert_int_eq(head.failed, 0);
}

static void teardown(void)
{
    int status;
    close(link_fd);
    ck_assert_int_eq(waitpid(child, &status, 0), child); /* it ends with the connection */
    ck_assert_int_eq(status, 0);
    close(dir);
    ck_assert_int_eq(wci_dir_remove_all(place, NULL), 0);
}

/* Asks for something in the directory; the answer's failure. */
static int ask(wci_deputy_request *head, const char *name, const char *second, const void *value, int64_t *done, char *text,
               int *fd)
{
    wci_deputy_answer answer;
    int got_fd = -1;
    head->has_dir = 1;
    head->name_size = name ? (uint32_t)strlen(name) + 1 : 0;
    head->second_size = second ? (uint32_t)strlen(second) + 1 : 0;
    struct iovec parts[] = {{head, sizeof *head},
                            {(void *)(uintptr_t)name, head->name_size},
                            {(void *)(uintptr_t)second, head->second_size},
                            {(void *)(uintptr_t)value, head->value_size}};
    int fds[] = {dir, dir};
    ck_assert_int_eq(wci_deputy_send(link_fd, parts, 4, fds, head->has_other ? 2 : 1), 0);
    receive(&answer, text, 256, &got_fd);
    ck_assert_int_eq(got_fd >= 0, answer.has_fd);
    if (fd)
        *fd = got_fd;
    else if (got_fd >= 0)
        close(got_fd);
    if (done)
        *done = answer.done;
    return answer.failed;
}

#define ASK(name, second, ...) ask(&(wci_deputy_request){__VA_ARGS__}, name, second, "value", &done, text, &fd)

START_TEST(deeds_are_done_where_they_are_asked_for)
{
    char text[256];
    int64_t done;
    int fd;
    struct stat st;
    ck_assert_int_eq(ASK("sub", NULL, .kind = WCI_DEED_MKDIR, .mode = 0700), 0);
    ck_assert_int_eq(ASK("sub", NULL, .kind = WCI_DEED_MKDIR, .mode = 0700), EEXIST);
    ck_assert_int_eq(ASK("file", NULL, .kind = WCI_DEED_OPEN, .flags = O_WRONLY | O_CREAT | O_EXCL, .mode = 0600), 0);
    ck_assert_int_eq(write(fd, "hello", 5), 5);
    close(fd);
    ck_assert_int_eq(ASK("file", "other", .kind = WCI_DEED_LINK, .has_other = 1), 0);
    ck_assert_int_eq(ASK("link", "target/of/it", .kind = WCI_DEED_SYMLINK), 0);
    ck_assert_int_eq(ASK("link", NULL, .kind = WCI_DEED_READLINK, .room = 255), 0);
    ck_assert_int_eq(done, 12);
    ck_assert_mem_eq(text, "target/of/it", 12);
    ck_assert_int_eq(ASK("file", NULL, .kind = WCI_DEED_CHMOD, .mode = 0640), 0);
    ck_assert_int_eq(ASK("file", NULL, .kind = WCI_DEED_SET_TIME, .sec = 12, .nsec = 34), 0);
    ck_assert_int_eq(fstatat(dir, "other", &st, 0), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ck_assert_int_eq(st.st_mtim.tv_sec, 12);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 34);
    ck_assert_int_eq(ASK("link", NULL, .kind = WCI_DEED_OPEN, .flags = O_RDONLY | O_NOFOLLOW), ELOOP);
    ck_assert_int_eq(ASK("sub", NULL, .kind = WCI_DEED_UNLINK, .flags = AT_REMOVEDIR), 0);
    ck_assert_int_eq(ASK("sub", NULL, .kind = WCI_DEED_STAT), ENOENT);
}
END_TEST

START_TEST(files_are_finished_together)
{
    int fds[WCI_DEPUTY_FDS], fd;
    wci_finish all[WCI_DEPUTY_FDS];
    wci_deputy_answer answer;
    char name[32], text[8];
    struct stat st;
    for (int i = 0; i < WCI_DEPUTY_FDS; i++) {
        snprintf(name, sizeof name, "f%d", i);
        fds[i] = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        all[i] = (wci_finish){WCI_TREE_KEEP_ID, WCI_TREE_KEEP_ID, 0400u + (unsigned)i, i, 1000 + i};
    }
    for (unsigned wrong = 0; wrong < 3; wrong++) {
        wci_deputy_request head = {.kind = WCI_DEED_FINISH_ALL, .file_count = WCI_DEPUTY_FDS - (wrong == 1),
                                   .value_size = sizeof all - (wrong == 2)};
        struct iovec parts[] = {{&head, sizeof head}, {all, head.value_size}};
        ck_assert_int_eq(wci_deputy_send(link_fd, parts, 2, fds, WCI_DEPUTY_FDS), 0);
        receive(&answer, text, sizeof text, &fd);
        ck_assert_int_eq(answer.failed, wrong ? EINVAL : 0);
    }
    for (int i = 0; i < WCI_DEPUTY_FDS; i++) {
        ck_assert_int_eq(fstat(fds[i], &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0400u + (unsigned)i);
        ck_assert_int_eq(st.st_mtim.tv_sec, 1000 + i);
        close(fds[i]);
    }
}
END_TEST

START_TEST(attributes_come_whole)
{
    char text[256];
    int64_t done;
    int fd;
    int rc = ASK(NULL, "user.note", .kind = WCI_DEED_SET_XATTR, .value_size = 5);
    if (rc == EOPNOTSUPP)
        return;
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(ASK(NULL, "user.note", .kind = WCI_DEED_GET_XATTR), 0);
    ck_assert_int_eq(done, 5);
    ck_assert_int_eq(ASK(NULL, "user.note", .kind = WCI_DEED_GET_XATTR, .room = 3), ERANGE);
    ck_assert_int_eq(ASK(NULL, "user.note", .kind = WCI_DEED_GET_XATTR, .room = 6), 0);
    ck_assert_mem_eq(text, "value", 5);
    ck_assert_int_eq(ASK(NULL, "user.none", .kind = WCI_DEED_GET_XATTR, .room = 6), ENODATA);
}
END_TEST

/* Sent as they are. */
static int send_bytes(const void *bytes, size_t size)
{
    wci_deputy_answer answer;
    char text[256];
    int fd;
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    ck_assert_int_eq(wci_deputy_send(link_fd, &part, 1, NULL, 0), 0);
    receive(&answer, text, sizeof text, &fd);
    ck_assert_int_eq(fd, -1);
    return answer.failed;
}

START_TEST(messages_that_mean_nothing_are_refused)
{
    struct {
        wci_deputy_request head;
        char rest[16];
    } m = {{.kind = WCI_DEED_MKDIR, .name_size = 4, .mode = 0700}, "abcdefghijklmno"};
    ck_assert_int_eq(send_bytes("x", 1), EINVAL);
    ck_assert_int_eq(send_bytes(&m, sizeof m.head - 1), EINVAL);
    ck_assert_int_eq(send_bytes(&m, sizeof m), EINVAL); /* a name without an end */
    m.head.name_size = 17;                              /* beyond the message */
    ck_assert_int_eq(send_bytes(&m, sizeof m), EINVAL);
    m.head.name_size = UINT32_MAX;
    ck_assert_int_eq(send_bytes(&m, sizeof m), EINVAL);
    m.head = (wci_deputy_request){.kind = WCI_DEED_GET_XATTR, .second_size = 16, .room = WCI_DEPUTY_DATA + 1};
    ck_assert_int_eq(send_bytes(&m, sizeof m), EINVAL);
    for (int kind = -1; kind <= WCI_DEED_COUNT; kind++) { /* without anything that they are done on */
        m.head = (wci_deputy_request){.kind = kind, .mode = 0700};
        ck_assert_int_ne(send_bytes(&m, sizeof m.head), 0);
    }
}
END_TEST

START_TEST(why_it_cannot_serve_is_told)
{
    wci_deputy_answer head;
    char text[256];
    int fd, status;
    wc_error *why = NULL;
    wci_err(&why, WC_E_PERMISSION, "no ids");
    start(why);
    int size = receive(&head, text, sizeof text, &fd);
    ck_assert_int_eq(head.failed, WC_E_PERMISSION);
    ck_assert_int_eq(size, 6);
    ck_assert_mem_eq(text, "no ids", 6);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    close(link_fd);
    wc_error_unref(why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deputy");
    TCase *c = tcase_create("deeds"), *start_case = tcase_create("start");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, deeds_are_done_where_they_are_asked_for);
    tcase_add_test(c, files_are_finished_together);
    tcase_add_test(c, attributes_come_whole);
    tcase_add_test(c, messages_that_mean_nothing_are_refused);
    suite_add_tcase(suite, c);
    tcase_add_test(start_case, why_it_cannot_serve_is_told);
    suite_add_tcase(suite, start_case);
    return test_main(suite);
}
