/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host_cycle.h"

static server_process registry, proxy;
static char address[64], authority[256], proxy_address[64];
static pid_t maker; /* of all this; forked processes leave it alone */

int cycle_is_process(void)
{
    return strcmp(settings.backend, "process") == 0;
}

/* ---- Around all tests ------------------------------------------------------------------------------ */

static void need_program(const char *program)
{
    if (!test_have_program(program)) {
        char *why = test_text("%s is not installed", program);
        test_skip(why);
    }
}

static void run(char *command)
{
    char *printed = NULL;
    int rc = test_run(command, &printed);
    if (rc) {
        fprintf(stderr, "%s\nended with %d: %s\n", command, rc, printed);
        exit(rc == 77 ? 77 : 1);
    }
    free(printed);
    free(command);
}

static void make_images(void)
{
    run(test_text("python3 '%s/tests/conformance/image.py' '%s/conformance' 1 '%s/tests/testprog' 2>&1",
                  WC_TEST_SOURCE_DIR, settings.dir, WC_TEST_BINARY_DIR));
    run(test_text("python3 '%s/tests/support/busybox_image.py' '%s/shell' 1 --files 1500 2>&1", WC_TEST_SOURCE_DIR,
                  settings.dir));
}

static void start_registry(void)
{
    char *script = test_text("%s/tests/support/registry.sh", WC_TEST_SOURCE_DIR);
    char *dir = test_text("%s/registry", settings.dir);
    const char *const argv[] = {"bash", script, "serve", dir, "--tls", NULL};
    int rc = server_start(&registry, argv);
    if (rc == 77)
        test_skip("docker-registry, setpriv or openssl is not installed");
    if (rc != 1 || sscanf(registry.line, "%63s %255s", address, authority) != 2) {
        fprintf(stderr, "the registry does not start\n");
        exit(1);
    }
    free(script);
    free(dir);
}

/* A connection breaks after more than what counts as progress, so that one goes on as long as it comes
 * further. */
#define BREAKS_AFTER "1300000"

static void start_proxy(void)
{
    char *script = test_text("%s/tests/support/dropping_proxy.py", WC_TEST_SOURCE_DIR);
    const char *const argv[] = {"python3", script, strchr(address, ':') + 1, BREAKS_AFTER, NULL};
    if (server_start(&proxy, argv) != 1) {
        fprintf(stderr, "the proxy does not start\n");
        exit(1);
    }
    snprintf(proxy_address, sizeof proxy_address, "localhost:%.50s", proxy.line);
    free(script);
}

static void push(const char *name)
{
    run(test_text("skopeo copy -q --insecure-policy --authfile '%s/tests/support/no-credentials.json' "
                  "--dest-tls-verify=false 'oci:%s/%s:1' 'docker://%s/%s:1' 2>&1",
                  WC_TEST_SOURCE_DIR, settings.dir, name, address, name));
}

void cycle_prepare(const char *self, const char *backend)
{
    settings.self = realpath(self, NULL);
    settings.backend = backend;
    need_program("python3");
    need_program("skopeo");
    if (cycle_is_process()) {
        test_need_root();
        if (!test_have_program("crun") && !test_have_program("runc"))
            test_skip("no OCI runtime (crun or runc)");
    }
    maker = getpid();
    settings.dir = test_make_dir();
    atexit(cycle_clean_up);
    make_images();
    start_registry();
    start_proxy();
    push("conformance");
    push("shell");
}

void cycle_clean_up(void)
{
    if (maker != getpid())
        return;
    server_stop(&proxy);
    server_stop(&registry);
    test_remove_dir(settings.dir);
    settings.dir = NULL;
}

void cycle_new_store(const char *name)
{
    settings.root = test_text("%s/%s", settings.dir, name);
}

/* ---- Images ------------------------------------------------------------------------------------------ */

static int32_t report(const wc_progress *progress, uintptr_t payload)
{
    (void)progress;
    ++*(int *)payload;
    return 0;
}

static wc_transfer_options *transfer_named(const char *name)
{
    wc_transfer_options *options = NULL;
    good(wc_transfer_options_new(&options, &err));
    good(wc_transfer_options_set_ca_file(options, authority, &err));
    good(wc_transfer_options_set_auth_file(options, WC_TEST_SOURCE_DIR "/tests/support/no-credentials.json", &err));
    if (name)
        good(wc_transfer_options_add_name(options, name, &err));
    return options;
}

static wc_image *pull(const char *host, const char *name)
{
    int reports = 0;
    wc_image *image = NULL;
    char *source = test_text("docker://%s/%s:1", host, name);
    wc_transfer_options *options = transfer_named(name);
    good(wc_transfer_options_set_progress(options, report, (uintptr_t)&reports, &err));
    good(wc_image_pull(context, source, options, NULL, &image, &err));
    ck_assert_int_gt(reports, 0);
    wc_transfer_options_unref(options);
    free(source);
    return image;
}

static void try_to_start(void)
{
    wc_error *why = NULL;
    wc_image *image = NULL;
    char *source = test_text("oci:%s/conformance:1", settings.dir);
    wc_transfer_options *options = transfer_named(IMAGE);
    cycle_new_store("trial");
    context = harness_open_context();
    good(wc_image_pull(context, source, options, NULL, &image, &err));
    int32_t rc = wc_container_start(create_from(options_for(SCRIPT("exit:0"))), 0, NULL, NULL, &why);
    int cannot = rc == WC_E_MISSING || rc == WC_E_PERMISSION;
    if (cannot)
        printf("SKIP: %s\n", wc_error_message(why));
    harness_remove_containers();
    fflush(stdout);
    _exit(cannot ? 77 : 0);
}

void cycle_skip_when_nothing_starts(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        try_to_start();
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        exit(77);
}

/* Through the proxy too: what broke off goes on. */
static void push_back(void)
{
    wc_list *tags = NULL;
    char *name = test_text("%s/pushed-%d", proxy_address, (int)getpid());
    wc_transfer_options *options = transfer_named(NULL);
    good(wc_image_push(context, SHELL_IMAGE, name, options, NULL, &err));
    good(wc_registry_tags(context, name, options, NULL, &tags, &err));
    ck_assert_uint_eq(wc_list_count(tags), 1);
    wc_list_unref(tags);
    wc_transfer_options_unref(options);
    free(name);
}

/* The bigger image comes through connections that break, and is whole all the same. */
void cycle_pull(void)
{
    wc_buf *json = NULL;
    wc_image *image = pull(address, IMAGE);
    good(wc_image_inspect(image, &json, &err));
    wc_buf_unref(json);
    wc_image_unref(image);
    wc_image_unref(pull(proxy_address, SHELL_IMAGE));
    push_back();
}

/* An image with one more variable and one layer, which is all that its file system has. */
static void edit(void)
{
    wc_image_edit *change = NULL;
    wc_image *image = NULL;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    good(wc_image_edit_new(context, IMAGE, &change, &err));
    good(wc_image_edit_add_env(change, "EDITED", "yes", &err));
    good(wc_image_edit_set_squash(change, 0, &err));
    good(wc_image_edit_apply(change, "edited", NULL, &image, &err));
    good(wc_image_export_fd(image, null, NULL, &err));
    close(null);
    wc_image_unref(image);
    wc_image_edit_unref(change);
}

void cycle_files(void)
{
    const char *const names[] = {IMAGE};
    char *file = test_text("%s.tar", settings.root);
    char *archive = test_text("oci-archive:%s", file);
    char *from = test_text("oci:%s/conformance:1", settings.dir);
    char *to = test_text("oci:%s.layout:copied", settings.root);
    wc_transfer_options *options = transfer_named("loaded");
    wc_list *list = NULL;
    wc_image *image = NULL;
    good(wc_image_save(context, names, 1, archive, NULL, NULL, &err));
    good(wc_image_load(context, file, options, NULL, &list, &err));
    ck_assert_uint_eq(wc_list_count(list), 1);
    wc_list_unref(list);
    good(wc_image_pull(context, from, options, NULL, &image, &err));
    good(wc_image_tag(image, "tagged", &err));
    edit();
    good(wc_image_copy(context, "wc-store:tagged", to, NULL, NULL, &err));
    good(wc_image_remove(context, "tagged", 0, NULL, &list, &err));
    wc_list_unref(list);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
    free(file);
    free(archive);
    free(from);
    free(to);
}

/* ---- Containers --------------------------------------------------------------------------------------- */

static wc_container *create_reading(const char *const *words)
{
    wc_container_options *options = options_for(words);
    good(wc_container_options_set_open_stdin(options, 1, &err));
    return create_from(options);
}

static void remove_container(wc_container *c)
{
    good(wc_container_remove(c, 0, NULL, &err));
}

void cycle_attached(void)
{
    wc_stream *stream = NULL;
    wc_container *c = create_reading(SCRIPT("cat", "errln:done", "exit:7"));
    good(wc_container_start(c, WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &stream, &err));
    write_text(stream, "through");
    expect_output(stream, "through");
    good(wc_stream_close_write(stream, &err));
    output o = read_all(stream);
    ck_assert_str_eq(o.out, "");
    ck_assert_str_eq(o.err, "done\n");
    output_free(&o);
    wc_stream_unref(stream);
    ck_assert_int_eq(exit_code_of(c), 7);
    remove_container(c);
}

static void execute(wc_container *c)
{
    wc_exec_options *options = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    const char *words[] = {PROGRAM, "outln:inside", "exit:5"};
    int32_t code = 0;
    good(wc_exec_options_new(words, 3, &options, &err));
    good(wc_container_exec(c, options, WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &process, &stream, &err));
    output o = read_all(stream);
    ck_assert_str_eq(o.out, "inside\n");
    output_free(&o);
    good(wc_process_wait(process, NULL, &code, &err));
    ck_assert_int_eq(code, 5);
    wc_stream_unref(stream);
    wc_process_unref(process);
    wc_exec_options_unref(options);
}

static void archive_both_ways(wc_container *c, const char *path)
{
    int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    good(wc_container_get_archive(c, "/marker", fd, NULL, &err));
    lseek(fd, 0, SEEK_SET);
    good(wc_container_put_archive(c, "/tmp", fd, NULL, &err));
    close(fd);
}

static void copy_both_ways(wc_container *c)
{
    char *path = test_text("%s.copied", settings.root);
    good(wc_container_copy_out(c, "/marker", path, NULL, &err));
    good(wc_container_copy_in(c, path, "/tmp/marker", NULL, &err));
    archive_both_ways(c, path);
    free(path);
}

/* A line that is written in pieces may come in pieces. */
static void expect_line(wc_logs *logs, const char *text)
{
    char line[256] = "";
    while (!strchr(line, '\n')) {
        wc_buf *piece = NULL;
        good(wc_logs_next(logs, NULL, NULL, &piece, 20 * SECONDS, NULL, &err));
        strncat(line, wc_buf_data(piece), sizeof line - strlen(line) - 1);
        wc_buf_unref(piece);
    }
    ck_assert_str_eq(line, text);
}

static void follow(wc_container *c, wc_logs **logs)
{
    wc_log_options *options = NULL;
    good(wc_log_options_new(&options, &err));
    good(wc_log_options_set_follow(options, 1, &err));
    good(wc_container_logs(c, options, logs, &err));
    expect_line(*logs, "up\n");
    wc_log_options_unref(options);
}

void cycle_detached(void)
{
    wc_stream *stream = NULL;
    wc_logs *logs = NULL;
    wc_buf *line = NULL;
    wc_container *c = start_new(SCRIPT("trap:TERM:9", "on:HUP:woken", "outln:up", "forever"));
    good(wc_container_attach(c, WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &stream, &err));
    follow(c, &logs);
    execute(c);
    copy_both_ways(c);
    good(wc_container_kill(c, "HUP", &err));
    expect_line(logs, "woken\n");
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    good(wc_container_stop(c, 20 * SECONDS, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 9);
    bad(wc_logs_next(logs, NULL, NULL, &line, 20 * SECONDS, NULL, &err), WC_E_CLOSED);
    wc_logs_unref(logs);
    output o = read_all(stream);
    output_free(&o);
    wc_stream_unref(stream);
    remove_container(c);
}

/* ---- Failures ------------------------------------------------------------------------------------------- */

/* Writes until the other side is found closed. */
static void write_into_nothing(wc_stream *stream)
{
    static char data[65536];
    int32_t rc = WC_OK;
    while (rc == WC_OK) {
        size_t put = 0;
        rc = wc_stream_write(stream, data, sizeof data, &put, 20 * SECONDS, NULL, NULL);
    }
    ck_assert_msg(rc == WC_E_CLOSED, "writing gave %s", wc_code_name(rc));
}

static void write_to_ended(void)
{
    wc_stream *stream = NULL;
    wc_container *c = create_reading(SCRIPT("exit:3"));
    good(wc_container_start(c, WC_ATTACH_STDIN | WC_ATTACH_STDOUT, NULL, &stream, &err));
    ck_assert_int_eq(exit_code_of(c), 3);
    write_into_nothing(stream);
    wc_stream_unref(stream);
    remove_container(c);
}

static wc_container *shell(const char *script)
{
    const char *words[] = {"sh", "-c", script};
    wc_container_options *options = NULL;
    good(wc_container_options_new(SHELL_IMAGE, &options, &err));
    good(wc_container_options_set_command(options, words, 3, &err));
    good(wc_container_options_set_network(options, "none", &err));
    good(wc_container_options_set_open_stdin(options, 1, &err));
    return create_from(options);
}

/* The container lives on and reads no more; by then the writer has been waiting for room. */
static void write_to_closed_input(void)
{
    wc_stream *stream = NULL;
    wc_container *c = shell("trap 'exit 4' TERM; echo open; sleep 0.5; exec 0<&-; while :; do sleep 0.05; done");
    good(wc_container_start(c, WC_ATTACH_STDIN | WC_ATTACH_STDOUT, NULL, &stream, &err));
    expect_output(stream, "open\n");
    write_into_nothing(stream);
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    good(wc_container_stop(c, 20 * SECONDS, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 4);
    wc_stream_unref(stream);
    remove_container(c);
}

/* Nothing of the host reaches the container: signals, mask, umask, environment, descriptors. */
static void look_from_inside(void)
{
    output o;
    int32_t code = -1;
    wc_container *c = shell("grep -E '^Sig(Blk|Ign)|^Umask' /proc/self/status; env | grep HOST_; "
                            "for f in /proc/$$/fd/*; do n=${f##*/}; [ $n -gt 2 ] && readlink $f; done; "
                            "stat -c %a /bin/busybox /tmp");
    good(run_attached(c, &o, &code, &err));
    ck_assert_str_eq(o.out, "Umask:\t0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n755\n1777\n");
    ck_assert_int_eq(code, 0);
    output_free(&o);
    remove_container(c);
}

static void start_what_is_not_there(void)
{
    wc_container *c = create_from(options_for(SCRIPT("exit:0")));
    wc_container_options *options = options_for(SCRIPT("no-such-command"));
    wc_container *missing = NULL;
    good(wc_container_options_set_entrypoint(options, NULL, 0, &err));
    good(wc_container_options_set_command(options, SCRIPT("no-such-command"), 1, &err));
    missing = create_from(options);
    bad(wc_container_start(missing, 0, NULL, NULL, &err), WC_E_COMMAND_NOT_FOUND);
    remove_container(missing);
    remove_container(c);
}

static void give_up_waiting(void)
{
    wc_cancel *cancel = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_set_timeout(cancel, 50 * MS);
    bad(wc_container_wait(c, WC_WAIT_NOT_RUNNING, cancel, NULL, &err), WC_E_TIMEOUT);
    wc_cancel_unref(cancel);
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
}

static void pull_from_nobody(void)
{
    wc_image *image = NULL;
    wc_transfer_options *options = transfer_named(NULL);
    char *source = test_text("docker://%s/no/such/image:1", address);
    bad(wc_image_pull(context, source, options, NULL, &image, &err), WC_E_NOT_FOUND);
    wc_transfer_options_unref(options);
    free(source);
}

void cycle_failures(void)
{
    pull_from_nobody();
    write_to_ended();
    start_what_is_not_there();
    give_up_waiting();
    if (cycle_is_process()) {
        write_to_closed_input();
        look_from_inside();
    }
}

/* ---- Upkeep ----------------------------------------------------------------------------------------------- */

static void drain(wc_events *events)
{
    int count = 0;
    for (;;) {
        wc_event *event = NULL;
        int32_t rc = wc_events_next(events, 0, NULL, &event, NULL);
        if (rc == WC_E_TIMEOUT)
            break;
        ck_assert_msg(rc == WC_OK, "wc_events_next gave %s", wc_code_name(rc));
        wc_event_unref(event);
        count++;
    }
    ck_assert_int_gt(count, 10);
}

void cycle_upkeep(void)
{
    wc_buf *text = NULL;
    wc_list *lines = NULL;
    int64_t reclaimed = 0;
    good(wc_system_info(context, NULL, &text, &err));
    wc_buf_unref(text);
    good(wc_system_df(context, NULL, &text, &err));
    wc_buf_unref(text);
    good(wc_system_check(context, 0, NULL, &lines, &err));
    ck_assert_msg(wc_list_count(lines) == 0, "%s", wc_list_string(lines, 0));
    wc_list_unref(lines);
    good(wc_system_prune(context, WC_PRUNE_CONTAINERS | WC_PRUNE_UNUSED | WC_PRUNE_PARTIAL, NULL, &reclaimed, &lines,
                         &err));
    ck_assert_int_gt(reclaimed, 0);
    wc_list_unref(lines);
}

void cycle_run(void)
{
    wc_events *events = NULL;
    harness_setup();
    good(wc_events_open(context, NULL, &events, &err));
    cycle_pull();
    cycle_files();
    cycle_attached();
    cycle_detached();
    cycle_failures();
    cycle_upkeep();
    drain(events);
    wc_events_unref(events);
    harness_release();
}
