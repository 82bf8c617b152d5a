/* SPDX-License-Identifier: Apache-2.0 */
/* A host that forks: the child's handles say so and do no harm, the child may open the store for
 * itself, and the parent goes on as if nothing had been.
 *
 *     fork BACKEND */
#include "host/fork_handles.h"
#include "support/sanitized.h"

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/sysmacros.h>

#define PATIENCE_S 60 /* after which a child hangs */

/* Sanitizers keep locks of their own, which a child of a process with threads may find taken. */
#ifdef TEST_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* ---- Children -------------------------------------------------------------------------------- */

typedef struct child {
    pid_t pid;
    FILE *complaints; /* the child writes, the parent reads */
    int until;        /* closed by the parent when the child may end */
} child;

/* Runs `what` in a child. */
static child begin(void (*what)(FILE *complaints, int until))
{
    int text[2], until[2];
    ck_assert(pipe2(text, O_CLOEXEC) == 0 && pipe2(until, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        /* No Check in here: another thread may have had its mutex at the fork. */
        alarm(PATIENCE_S);
        close(text[0]);
        close(until[1]);
        FILE *complaints = fdopen(text[1], "w");
        what(complaints, until[0]);
        fclose(complaints);
        _exit(0);
    }
    ck_assert_int_ge(pid, 0);
    close(text[1]);
    close(until[0]);
    return (child){pid, fdopen(text[0], "r"), until[1]};
}

/* Waits until the parent lets go. */
static void await(int until)
{
    char c;
    while (read(until, &c, 1) < 0)
        ;
}

static void end(child *c)
{
    int status = 0;
    close(c->until);
    char *text = test_read_stream(c->complaints, NULL);
    fclose(c->complaints);
    ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
    ck_assert_msg(!*text, "%s", text);
    ck_assert_msg(status == 0, "the child ended with status %#x", (unsigned)status);
    free(text);
}

static void run_child(void (*what)(FILE *complaints, int until))
{
    child c = begin(what);
    end(&c);
}

/* In a child, where the harness cannot speak: 1 when it went well. */
static int went_well(int32_t rc, wc_error *err, const char *what, FILE *complaints)
{
    if (rc)
        fprintf(complaints, "in the child: %s gave %s: %s\n", what, wc_code_name(rc), wc_error_message(err));
    wc_error_unref(err);
    return rc == WC_OK;
}
#define WELL(call)                                                                                                 \
    do {                                                                                                           \
        wc_error *err = NULL;                                                                                      \
        int32_t well_rc_ = (call);                                                                                 \
        if (!went_well(well_rc_, err, #call, complaints))                                                          \
            return;                                                                                                \
    } while (0)

/* ---- Locks ------------------------------------------------------------------------------------- */

static FILE *inodes; /* a line for each file of the store, as /proc/locks writes it */

static int note_inode(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)path, (void)where;
    if (type == FTW_F)
        fprintf(inodes, " %02x:%02x:%llu \n", major(st->st_dev), minor(st->st_dev), (unsigned long long)st->st_ino);
    return 0;
}

/* Locks on files of the store: all (pid 0), or those that SQLite takes for a process. */
static int count_locks(const char *kind, pid_t pid)
{
    char *list = NULL, *at = NULL, *locks = test_read_file("/proc/locks", NULL);
    size_t size = 0;
    int count = 0;
    inodes = open_memstream(&list, &size);
    nftw(settings.root, note_inode, 16, FTW_PHYS);
    fclose(inodes);
    for (char *line = strtok_r(locks, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
        char type[16], inode[64], wanted[70];
        int owner = 0;
        if (sscanf(line, "%*s %15s %*s %*s %d %63s", type, &owner, inode) != 3)
            continue;
        snprintf(wanted, sizeof wanted, " %s ", inode);
        count += strstr(list, wanted) && (!kind || strcmp(type, kind) == 0) && (!pid || owner == pid);
    }
    free(locks);
    free(list);
    return count;
}

/* ---- The store for the tests --------------------------------------------------------------------- */

static void setup(void)
{
    wc_image *image = NULL;
    wc_transfer_options *options = NULL;
    char *source = test_text("oci:%s/conformance:1", settings.dir);
    char *name = test_text("fork-%d", (int)getpid());
    cycle_new_store(name);
    harness_setup();
    good(wc_transfer_options_new(&options, &err));
    good(wc_transfer_options_add_name(options, IMAGE, &err));
    good(wc_image_pull(context, source, options, NULL, &image, &err));
    wc_image_unref(image);
    wc_transfer_options_unref(options);
    free(source);
    free(name);
}

static handles parent_handles;
static wc_context *inherited;

/* What a process does that has the store to itself. */
static void live(FILE *complaints)
{
    wc_context *own = NULL;
    wc_context_options *options = NULL;
    wc_container_options *wanted = NULL;
    wc_container *c = NULL;
    wc_list *list = NULL;
    int32_t code = 0;
    WELL(wc_context_options_new(&options, &err));
    WELL(wc_context_options_set_root(options, settings.root, &err));
    WELL(wc_context_options_set_backend(options, settings.backend, &err));
    WELL(wc_context_options_set_helper(options, WC_TEST_BINARY_DIR "/libexec/wincontainer/wc-helper", &err));
    WELL(wc_context_open(options, NULL, &own, &err));
    WELL(wc_container_list(own, &list, &err));
    wc_list_unref(list);
    WELL(wc_container_options_new(IMAGE, &wanted, &err));
    WELL(wc_container_options_set_network(wanted, "none", &err));
    WELL(wc_container_options_set_command(wanted, SCRIPT("exit:11"), 1, &err));
    WELL(wc_container_create(own, wanted, NULL, &c, &err));
    WELL(wc_container_start(c, 0, NULL, NULL, &err));
    WELL(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    if (code != 11)
        fprintf(complaints, "in the child: the container's exit code is %d\n", (int)code);
    WELL(wc_container_remove(c, 0, NULL, &err));
    if (count_locks("POSIX", getpid()) == 0)
        fprintf(complaints, "in the child: SQLite holds no lock of its own\n");
    WELL(wc_system_check(own, 0, NULL, &list, &err));
    if (wc_list_count(list))
        fprintf(complaints, "in the child: %s\n", wc_list_string(list, 0));
    wc_list_unref(list);
    wc_container_unref(c);
    wc_container_options_unref(wanted);
    wc_context_options_unref(options);
    wc_context_unref(own);
    if (count_locks("POSIX", getpid()) != 0)
        fprintf(complaints, "in the child: a lock is left\n");
}

/* ---- Tests ------------------------------------------------------------------------------------------ */

static void try_all(FILE *complaints, int until)
{
    (void)until;
    handles_try_all(&parent_handles, inherited, complaints);
}

START_TEST(every_call_on_an_inherited_handle_says_so)
{
    handles_check_complete(WC_TEST_SOURCE_DIR "/lib/wincontainer.map");
    handles_open(&parent_handles);
    inherited = context;
    run_child(try_all);
    handles_use_up(&parent_handles);
    harness_teardown();
}
END_TEST

static void drop_then_live(FILE *complaints, int until)
{
    (void)until;
    handles_drop(&parent_handles, 0);
    wc_context_unref(inherited);
    live(complaints);
}

static void live_then_drop(FILE *complaints, int until)
{
    (void)until;
    live(complaints);
    handles_drop(&parent_handles, 1);
    wc_context_unref(inherited);
    live(complaints);
}

START_TEST(a_child_may_drop_what_it_inherited_and_open_the_store)
{
    handles_open(&parent_handles);
    inherited = context;
    int locks = count_locks(NULL, 0), of_sqlite = count_locks("POSIX", getpid());
    ck_assert_int_gt(of_sqlite, 0);
    ck_assert_int_gt(locks, of_sqlite);
    run_child(drop_then_live);
    run_child(live_then_drop);
    ck_assert_int_eq(count_locks("POSIX", getpid()), of_sqlite);
    ck_assert_int_ge(count_locks(NULL, 0), locks);
    handles_use_up(&parent_handles);
    harness_teardown();
}
END_TEST

static void live_and_fork(FILE *complaints, int until)
{
    wc_context *own = NULL;
    wc_list *list = NULL;
    (void)until;
    handles_drop(&parent_handles, 0);
    context = NULL;
    own = harness_open_context();
    pid_t pid = fork();
    if (pid == 0) {
        int32_t rc = wc_image_list(own, &list, NULL);
        wc_context_unref(own);
        live(complaints);
        fflush(complaints);
        _exit(rc == WC_E_FORKED ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (status)
        fprintf(complaints, "the grandchild ended with %#x\n", (unsigned)status);
    WELL(wc_image_list(own, &list, &err));
    wc_list_unref(list);
    wc_context_unref(own);
}

START_TEST(a_child_may_fork_again)
{
    handles_open(&parent_handles);
    run_child(live_and_fork);
    handles_use_up(&parent_handles);
    harness_teardown();
}
END_TEST

static void sleep_on(FILE *complaints, int until)
{
    (void)complaints;
    await(until);
}

START_TEST(a_child_that_lives_on_keeps_nothing_locked)
{
    ck_assert_int_gt(count_locks(NULL, 0), 0);
    child c = begin(sleep_on);
    harness_teardown();
    ck_assert_int_eq(count_locks(NULL, 0), 0);
    end(&c);
}
END_TEST

/* A process that opens the store, forks, and is killed. */
static void open_and_leave_a_child(FILE *complaints, int until)
{
    harness_release();
    context = harness_open_context();
    if (fork() == 0) {
        fclose(complaints);
        await(until);
        _exit(0);
    }
    fclose(complaints);
    pause();
}

START_TEST(a_killed_parent_leaves_no_lock_with_its_child)
{
    harness_release();
    child c = begin(open_and_leave_a_child);
    char *text = test_read_stream(c.complaints, NULL); /* until all have closed it */
    ck_assert_str_eq(text, "");
    free(text);
    fclose(c.complaints);
    ck_assert_int_gt(count_locks(NULL, 0), 0);
    kill(c.pid, SIGKILL);
    ck_assert_int_eq(waitpid(c.pid, NULL, 0), c.pid);
    ck_assert_int_eq(count_locks(NULL, 0), 0);
    close(c.until);
    harness_setup();
    harness_teardown();
}
END_TEST

/* ---- Cancelling --------------------------------------------------------------------------------------- */

typedef struct waiting {
    pthread_t thread;
    wc_container *container;
    wc_cancel *cancel;
    int32_t rc, code;
} waiting;

static void *wait_for_end(void *arg)
{
    waiting *w = arg;
    w->rc = wc_container_wait(w->container, WC_WAIT_NOT_RUNNING, w->cancel, &w->code, NULL);
    return NULL;
}

static waiting the_wait;

static void trigger_inherited(FILE *complaints, int until)
{
    (void)until;
    wc_cancel_trigger(the_wait.cancel);
    wc_cancel_unref(the_wait.cancel);
    /* A new handle, of which the child's own calls hear. */
    wc_cancel *cancel = NULL;
    wc_context *own = harness_open_context();
    wc_container *c = NULL;
    WELL(wc_container_open(own, wc_container_id(the_wait.container), &c, &err));
    WELL(wc_cancel_new(&cancel, &err));
    wc_cancel_trigger(cancel);
    int32_t rc = wc_container_wait(c, WC_WAIT_NOT_RUNNING, cancel, NULL, NULL);
    if (rc != WC_E_CANCELLED)
        fprintf(complaints, "the child's own handle: %s\n", wc_code_name(rc));
    rc = wc_container_wait(c, WC_WAIT_NOT_RUNNING, the_wait.cancel, NULL, NULL);
    if (rc != WC_E_FORKED)
        fprintf(complaints, "the inherited handle: %s\n", wc_code_name(rc));
    wc_cancel_unref(cancel);
    wc_container_unref(c);
    wc_context_unref(own);
}

START_TEST(a_child_cancels_nothing_of_its_parent)
{
    waiting *w = &the_wait;
    w->container = start_new(SCRIPT("forever"));
    good(wc_cancel_new(&w->cancel, &err));
    wc_cancel *second = wc_cancel_ref(w->cancel);
    ck_assert_int_eq(pthread_create(&w->thread, NULL, wait_for_end, w), 0);
    nanosleep(&(struct timespec){0, 100000000}, NULL); /* it waits; if not yet, all the same */
    run_child(trigger_inherited);
    good(wc_container_kill(w->container, "KILL", &err));
    pthread_join(w->thread, NULL);
    ck_assert_int_eq(w->rc, WC_OK);
    ck_assert_int_eq(w->code, 137);
    wc_cancel_unref(second);
    wc_cancel_unref(w->cancel);
    harness_teardown();
}
END_TEST

/* ---- Forks at any moment --------------------------------------------------------------------------------- */

static atomic_int stop;
static atomic_long rounds[3];

static void *open_and_close(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        wc_context *again = harness_open_context();
        wc_list *list = NULL;
        good(wc_image_list(again, &list, &err));
        wc_list_unref(list);
        wc_context_unref(again);
        atomic_fetch_add(&rounds[0], 1);
    }
    return NULL;
}

static void *pull_and_remove(void *arg)
{
    char *source = test_text("oci:%s/shell:1", settings.dir);
    wc_transfer_options *options = NULL;
    (void)arg;
    good(wc_transfer_options_new(&options, &err));
    good(wc_transfer_options_add_name(options, SHELL_IMAGE, &err));
    while (!atomic_load(&stop)) {
        wc_image *image = NULL;
        good(wc_image_pull(context, source, options, NULL, &image, &err));
        wc_image_unref(image);
        good(wc_image_remove(context, SHELL_IMAGE, 0, NULL, NULL, &err));
        atomic_fetch_add(&rounds[1], 1);
    }
    wc_transfer_options_unref(options);
    free(source);
    return NULL;
}

static void *run_containers(void *arg)
{
    const char *words[] = {"exit:9"};
    wc_container_options *options = NULL;
    (void)arg;
    good(wc_container_options_new(IMAGE, &options, &err));
    good(wc_container_options_set_network(options, "none", &err));
    good(wc_container_options_set_command(options, words, 1, &err));
    while (!atomic_load(&stop)) {
        wc_container *c = NULL;
        int32_t code = 0;
        good(wc_container_create(context, options, NULL, &c, &err));
        good(wc_container_start(c, 0, NULL, NULL, &err));
        good(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
        ck_assert_int_eq(code, 9);
        good(wc_container_remove(c, 0, NULL, &err));
        wc_container_unref(c);
        atomic_fetch_add(&rounds[2], 1);
    }
    wc_container_options_unref(options);
    return NULL;
}

/* Either the store opens, or it says why it cannot: never does anything wait for a thread that there
 * is not. */
static void be_born_anywhen(FILE *complaints, int until)
{
    wc_context *own = NULL;
    wc_context_options *options = NULL;
    wc_list *list = NULL;
    (void)until;
    handles_try_all(&parent_handles, inherited, complaints);
    handles_drop(&parent_handles, getpid() % 2);
    wc_context_unref(inherited);
    WELL(wc_context_options_new(&options, &err));
    WELL(wc_context_options_set_root(options, settings.root, &err));
    int32_t rc = wc_context_open(options, NULL, &own, NULL);
    if (rc == WC_OK) {
        WELL(wc_container_list(own, &list, &err));
        wc_list_unref(list);
        wc_context_unref(own);
    } else if (rc != WC_E_FORKED) {
        fprintf(complaints, "opening gave %s\n", wc_code_name(rc));
    }
    wc_context_options_unref(options);
}

START_TEST(forks_may_come_at_any_moment)
{
    void *(*const what[])(void *) = {open_and_close, pull_and_remove, run_containers};
    pthread_t threads[3];
    handles_open(&parent_handles);
    inherited = context;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, what[i], NULL), 0);
    for (int i = 0; i < 60 || !rounds[0] || !rounds[1] || !rounds[2]; i++)
        run_child(be_born_anywhen);
    atomic_store(&stop, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    run_child(drop_then_live); /* with nobody at work it is sure to go well */
    handles_use_up(&parent_handles);
    harness_teardown();
}
END_TEST

/* ---- All of them -------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    cycle_prepare("/proc/self/exe", argv[1]);
    cycle_skip_when_nothing_starts();
    Suite *suite = suite_create("fork");
    TCase *tcase = tcase_create(argv[1]);
    tcase_set_timeout(tcase, 240);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, every_call_on_an_inherited_handle_says_so);
    tcase_add_test(tcase, a_child_may_drop_what_it_inherited_and_open_the_store);
    tcase_add_test(tcase, a_child_may_fork_again);
    tcase_add_test(tcase, a_child_that_lives_on_keeps_nothing_locked);
    tcase_add_test(tcase, a_killed_parent_leaves_no_lock_with_its_child);
    tcase_add_test(tcase, a_child_cancels_nothing_of_its_parent);
    suite_add_tcase(suite, tcase);
    if (IS_SANITIZED)
        printf("skipped in a sanitized build: forks_may_come_at_any_moment\n");
    else
        tcase_add_test(tcase, forks_may_come_at_any_moment);
    return test_main(suite);
}
