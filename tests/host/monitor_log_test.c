/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a container on a disk that is full for a while. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <wincontainer/stream.h>

#include "backend/process/linux/helper/log.h"
#include "backend/process/logs.h"
#include "support/support.h"

/* The limit of a process stands for the disk: writes come to nothing in the same way. */
static void set_room(rlim_t size)
{
    struct rlimit limit = {size, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void say(log_sink *log, const char *text)
{
    log->write(log, WC_STREAM_STDOUT, text, strlen(text));
}

START_TEST(a_full_disk_tears_no_later_line)
{
    char *dir = test_make_dir();
    log_sink *log = NULL;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(log_open_file(dir, 0, 1, &log, NULL), WC_OK);
    say(log, "whole\n");
    set_room(WCI_LOG_TEXT + strlen("whole\n") + WCI_LOG_TEXT + 3);
    say(log, "cut in two\n");
    say(log, "lost\n");
    set_room(RLIM_INFINITY);
    say(log, "whole again\n");
    say(log, "the last\n");
    log->close(log);

    char *path = test_text("%s/" WCI_LOG_DIR "/00000001.log", dir), *text = test_read_file(path, NULL);
    static const char *const wanted[] = {"whole", "cut", "whole again", "the last"};
    char *rest = text;
    ck_assert_msg(text != NULL, "'%s' is missing", path);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char *line = strsep(&rest, "\n");
        ck_assert_msg(line && strlen(line) > WCI_LOG_TEXT, "line %zu is missing", i);
        ck_assert_str_eq(line + WCI_LOG_TEXT, wanted[i]);
    }
    ck_assert_str_eq(rest, "");
    free(text);
    free(path);
    free(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("writing");
    tcase_add_test(tests, a_full_disk_tears_no_later_line);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
