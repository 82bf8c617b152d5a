/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the conformance suite share. Every test has a context of its own on one store
 * with one image, "conformance", whose program runs the scripts of docs/mock.md. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <wincontainer/backend.h>
#include <wincontainer/wincontainer.h>

#include "support/support.h"

#define MS 1000000ll
#define SECONDS (1000 * MS)
#define IMAGE "conformance"
#define PROGRAM "/testprog"

typedef struct suite_settings {
    const char *self;    /* this program */
    const char *backend; /* name */
    const char *plugin;  /* shared object that brings it, or NULL */
    char *root;          /* of the store */
    char *dir;           /* holds everything */
} suite_settings;

extern suite_settings settings;
extern wc_context *context; /* of the running test */

void harness_setup(void);
void harness_teardown(void); /* removes all containers */
void harness_remove_containers(void);
void harness_release(void);  /* leaves them */
wc_context *harness_open_context(void);

/* Ends the test as skipped, by its name and the reason. */
#define skip_test(why)                                                                             \
    do {                                                                                           \
        harness_note_skip(__func__, why);                                                          \
        return;                                                                                    \
    } while (0)
void harness_note_skip(const char *test, const char *why);

/* Ends the test when the backend says by name that it cannot do this; fails on other errors. */
#define need(call)                                                                                 \
    do {                                                                                           \
        wc_error *err = NULL; /* the name that `call` uses */                                      \
        int32_t need_rc_ = (call);                                                                 \
        if (need_rc_ == WC_E_UNSUPPORTED) {                                                        \
            harness_check_error(err, need_rc_);                                                    \
            harness_note_skip(__func__, wc_error_message(err));                                    \
            wc_error_unref(err);                                                                   \
            return;                                                                                \
        }                                                                                          \
        harness_expect_ok(need_rc_, err, #call);                                                   \
    } while (0)
/* The call, with `err` as its last argument, gives WC_OK. */
#define good(call)                                                                                 \
    do {                                                                                           \
        wc_error *err = NULL;                                                                      \
        int32_t good_rc_ = (call);                                                                 \
        harness_expect_ok(good_rc_, err, #call);                                                   \
    } while (0)
/* The call gives this code, and an error object that is well made. */
#define bad(call, code)                                                                            \
    do {                                                                                           \
        wc_error *err = NULL;                                                                      \
        int32_t bad_rc_ = (call);                                                                  \
        ck_assert_msg(bad_rc_ == (code), "%s gave %s instead of %s: %s", #call,                    \
                      wc_code_name(bad_rc_), wc_code_name(code), wc_error_message(err));           \
        harness_check_error(err, (code));                                                          \
        wc_error_unref(err);                                                                       \
    } while (0)
void harness_expect_ok(int32_t rc, wc_error *err, const char *call);
void harness_check_error(const wc_error *err, int32_t code);

/* Options for a script; NULL-terminated words. */
#define SCRIPT(...) ((const char *const[]){__VA_ARGS__, NULL})
wc_container_options *options_for(const char *const *words);
/* Creates it and drops the options. What these three give is released with the test. */
wc_container *create_from(wc_container_options *options);
wc_container *create(const char *const *words);
wc_container *start_new(const char *const *words);

/* Ends the test as skipped where programs do not see the image's files: backends without layers. */
#define need_files()                                                                               \
    do {                                                                                           \
        if (!harness_has_files(__func__))                                                          \
            return;                                                                                \
    } while (0)
int harness_has_files(const char *test);

/* Everything that a stream gives until its end. Texts are owned. */
typedef struct output {
    char *out, *err;
} output;
output read_all(wc_stream *stream);
void output_free(output *o);
/* Reads at least `size` bytes of standard output and compares. */
void expect_output(wc_stream *stream, const char *text);
void write_text(wc_stream *stream, const char *text);
/* The whole log, "1:" or "2:" before each line; owned. options may be NULL. */
char *read_log(wc_container *container, const wc_log_options *options);

int32_t status_of(wc_container *container);
int32_t exit_code_of(wc_container *container); /* waits */
/* Starts attached, gives output and exit code; WC_E_UNSUPPORTED when it cannot attach. */
int32_t run_attached(wc_container *container, output *out, int32_t *exit_code, wc_error **err);
int64_t now_ns(void); /* monotonic */

/* Runs this program again in a role; gives its exit code. */
int run_role(const char *role, const char *argument, char **printed);

/* Triggers `cancel` from another thread after `delay_ns`. */
typedef struct later later;
later *cancel_later(wc_cancel *cancel, int64_t delay_ns);
int64_t later_join(later *l); /* when it triggered, monotonic */

TCase *life_tests(void);
TCase *stream_tests(void);
TCase *log_tests(void);
TCase *exec_tests(void);
TCase *sharing_tests(void);
TCase *cancel_tests(void);
TCase *look_tests(void);
TCase *copy_tests(void);
TCase *pause_tests(void);
TCase *network_tests(void);
TCase *restart_tests(void);
TCase *stats_tests(void);
TCase *update_tests(void);
TCase *health_tests(void);
/* What run_role() starts. */
int sharing_role(const char *role, const char *argument);

#endif
