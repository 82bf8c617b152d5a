/* SPDX-License-Identifier: Apache-2.0 */
/* Containers at the level of backends: a store, a layer that holds busybox, the least of runtime
 * configurations, and short names for the operations. */
#ifndef PROCESS_FIXTURE_H
#define PROCESS_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <wincontainer/container.h>
#include <wincontainer/stream.h>

#include "backend/backend.h"
#include "backend/process/linux/cgroup.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "store/store.h"

#define MAYBE __attribute__((unused))
#define BUSYBOX "/bin/busybox"

typedef struct container {
    char id[65];
    wc_request request; /* of the first start; other operations use it as it is */
    uintptr_t stream;
    int has_stream;
    int64_t pid;
} container;

static char base[128], root[160], run_root[160], layer[160];
static wci_store *store;
static wci_backends *backends;
static wci_backend *backend;
static wc_error *error;
static wc_call call;

#define ok(expression)                                                                            \
    do {                                                                                          \
        int32_t rc_ = (expression);                                                               \
        ck_assert_msg(rc_ == WC_OK, "%s: %s: %s", #expression, wc_code_name(rc_),                 \
                      error ? wc_error_message(error) : "");                                      \
    } while (0)
#define fails(code, expression)                                                                   \
    do {                                                                                          \
        int32_t rc_ = (expression);                                                               \
        ck_assert_msg(rc_ == (code), "%s: %s instead of %s: %s", #expression, wc_code_name(rc_),  \
                      #code, error ? wc_error_message(error) : "");                               \
        ck_assert_ptr_nonnull(error);                                                             \
        wci_err_clear(&error);                                                                    \
    } while (0)

MAYBE static int64_t now_ms(void)
{
    return wci_monotonic_ns() / 1000000;
}

MAYBE static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void make_layer(void)
{
    static const char *const dirs[] = {"", "/bin", "/proc", "/dev", "/sys", "/tmp", "/etc", "/data"};
    static const char *const tools[] = {"sh",    "true", "false", "cat",   "echo", "sleep", "yes",
                                        "head",  "kill", "dd",    "tty",   "stty", "ls",    "seq",
                                        "printf", "touch", "env", "ulimit", "id",  "ps"};
    char path[400];
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        snprintf(path, sizeof path, "%s%s", layer, dirs[i]);
        ck_assert_int_eq(mkdir(path, 0755), 0);
    }
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        snprintf(path, sizeof path, "%s/bin/%s", layer, tools[i]);
        ck_assert_int_eq(symlink("busybox", path), 0);
    }
    snprintf(path, sizeof path, "cp " BUSYBOX " %s/bin/busybox", layer);
    ck_assert_int_eq(system(path), 0);
}

static void setup(void)
{
    const char *tmp = getenv("TMPDIR");
    const char *build = getenv("WC_TEST_BUILD");
    char helper[512];
    wc_request settings = {0};
    snprintf(base, sizeof base, "%s/wc-process-XXXXXX", tmp && strlen(tmp) < 60 ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(root, sizeof root, "%s/root", base);
    snprintf(run_root, sizeof run_root, "%s/run", base);
    snprintf(layer, sizeof layer, "%s/layer", base);
    snprintf(helper, sizeof helper, "%s/libexec/wincontainer/wc-helper",
             build ? build : WC_TEST_BINARY_DIR);
    make_layer();
    ok(wci_store_open(&call, root, run_root, 0, &store, &error));
    ok(wci_request_set_string(&settings, "root", root));
    ok(wci_request_set_string(&settings, "run-root", run_root));
    ok(wci_request_set_string(&settings, "helper", helper));
    ok(wci_backends_new(&settings, &backends, &error));
    ok(wci_backends_get(backends, &call, "process", &backend, &error));
    wci_request_free(&settings);
}

static void teardown(void)
{
    wci_backend_unref(backend);
    wci_backends_free(backends);
    wci_store_unref(store);
    wci_err_clear(&error);
    ok(wci_dir_remove_all(base, &error));
}

/* A configuration as lib/container makes it, without its defences. */
static char *make_spec(const char *const *args, const char *extra)
{
    json_t *argv = json_array();
    for (; *args; args++)
        json_array_append_new(argv, json_string(*args));
    json_t *spec = json_pack(
        "{s:s, s:{s:o, s:s, s:[s], s:{s:i, s:i}}, s:s, s:{s:b}, "
        "s:[{s:s, s:s, s:s}, {s:s, s:s, s:s, s:[s,s,s]}, {s:s, s:s, s:s, s:[s,s,s,s,s]}], "
        "s:{s:[{s:s},{s:s},{s:s},{s:s},{s:s}]}}",
        "ociVersion", "1.0.2", "process", "args", argv, "cwd", "/", "env",
        "PATH=/bin:/usr/bin", "user", "uid", 0, "gid", 0, "hostname", "test", "root", "readonly", 0,
        "mounts", "destination", "/proc", "type", "proc", "source", "proc", "destination", "/dev",
        "type", "tmpfs", "source", "tmpfs", "options", "nosuid", "mode=755", "size=64k",
        "destination", "/dev/pts", "type", "devpts", "source", "devpts", "options", "nosuid",
        "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "linux", "namespaces", "type",
        "pid", "type", "network", "type", "ipc", "type", "uts", "type", "mount");
    ck_assert_ptr_nonnull(spec);
    if (extra) {
        json_t *more = json_loads(extra, 0, NULL);
        ck_assert_ptr_nonnull(more);
        json_object_update_recursive(spec, more);
        json_decref(more);
    }
    char *text = wci_json_dump_text(spec);
    json_decref(spec);
    return text;
}

static void set_spec(container *c, const char *const *args, const char *extra)
{
    char *spec = make_spec(args, extra);
    ok(wci_request_set_string(&c->request, "spec", spec));
    wci_free(spec);
}

static void container_new(container *c, const char *const *args, const char *extra)
{
    memset(c, 0, sizeof *c);
    ok(wci_random_hex(32, c->id, &error));
    char name[] = "process", image[] = "test", config[] = "{}", none[] = "";
    wci_container_record record = {.name = c->id, .backend = name, .image_name = image,
                                   .config = config, .error = none};
    memcpy(record.id, c->id, sizeof c->id);
    ok(wci_container_insert(store, &record, &error));
    wc_request *r = &c->request;
    r->container_id = wci_strdup(c->id);
    r->config = wci_strdup("{}");
    r->state_dir = wci_container_dir(store, c->id);
    r->run_dir = wci_container_run_dir(store, c->id);
    ok(wci_dir_make(r->state_dir, 0700, &error));
    ok(wci_strv_add(&r->layers, layer));
    ok(wci_request_set_string(r, "store-root", root));
    ok(wci_request_set_string(r, "run-root", run_root));
    ok(wci_request_set_string(r, "network", "none"));
    set_spec(c, args, extra);
}

static void set_int(container *c, const char *key, int64_t value)
{
    ok(wci_request_set_int(&c->request, key, value));
}

static int32_t operate(container *c, wci_op op, wc_response *response)
{
    wci_response_init(response);
    return wci_backend_call(backend, op, &call, &c->request, response, &error);
}

static wci_container_record *record_of(const container *c)
{
    wci_container_record *record = NULL;
    ok(wci_container_find(store, c->id, &record, &error));
    return record;
}

/* What lib/container does before it asks the backend. */
static void announce_start(container *c)
{
    wci_container_change change = {.from = ~0u, .generation = -1, .status = WCI_STATUS_STARTING,
                                   .bump_generation = 1};
    ok(wci_container_update(store, c->id, &change, &error));
    wci_container_record *record = record_of(c);
    set_int(c, "generation", record->generation);
    wci_container_record_free(record);
}

MAYBE static int32_t try_start(container *c, uint64_t attach)
{
    wc_response response;
    announce_start(c);
    set_int(c, "attach", (int64_t)attach);
    int32_t rc = operate(c, WCI_OP_CONTAINER_START, &response);
    c->has_stream = !rc && response.has_handle;
    c->stream = response.handle;
    c->pid = response.pid;
    wci_response_free(&response);
    return rc;
}

MAYBE static void start(container *c, uint64_t attach)
{
    ok(try_start(c, attach));
    ck_assert_int_eq(c->has_stream, attach != 0);
    ck_assert_int_gt(c->pid, 0);
}

MAYBE static int wait_exit(container *c)
{
    wc_response response;
    ok(operate(c, WCI_OP_CONTAINER_WAIT, &response));
    ck_assert_int_eq(response.status, WC_STATUS_EXITED);
    int code = response.exit_code;
    wci_response_free(&response);
    return code;
}

MAYBE static int status_of(container *c)
{
    wc_response response;
    ok(operate(c, WCI_OP_CONTAINER_STATE, &response));
    int status = response.status;
    wci_response_free(&response);
    return status;
}

MAYBE static int32_t send_signal(container *c, int number)
{
    wc_response response;
    set_int(c, "signal", number);
    return operate(c, WCI_OP_CONTAINER_KILL, &response);
}

static void close_stream(container *c)
{
    if (c->has_stream)
        wci_backend_stream_release(backend, c->stream);
    c->has_stream = 0;
}

/* A process that its parent has not reaped yet has ended, too. */
static int is_alive(int64_t pid)
{
    char path[48], state = 'Z';
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    if (f)
        fclose(f);
    return state != 'Z';
}

/* Nothing of the container is left on the host, whatever happened to it. */
static void container_remove(container *c)
{
    wc_response response;
    char state[512];
    close_stream(c);
    ok(operate(c, WCI_OP_CONTAINER_REMOVE, &response));
    ck_assert(!wci_file_exists(c->request.run_dir));
    ck_assert(!wci_cgroup_exists(wci_cgroup_of(c->id, NULL).path));
    snprintf(state, sizeof state, "%s/runtime/%s", run_root, c->id);
    ck_assert(!wci_file_exists(state));
    ck_assert_msg(!c->pid || !is_alive(c->pid), "process %ld is left", (long)c->pid);
    wci_request_free(&c->request);
}

/* Everything from the stream until its end; stdout and stderr apart. */
static int32_t read_all(container *c, wci_str *out, wci_str *errors)
{
    char data[65536];
    for (;;) {
        int32_t channel = -1;
        size_t got = 0;
        int32_t rc = wci_backend_stream_read(backend, &call, c->stream, &channel, data,
                                             sizeof data, &got, 30000000000, &error);
        if (rc) {
            wci_err_clear(&error);
            return rc;
        }
        ck_assert_uint_gt(got, 0);
        ck_assert(channel == WC_STREAM_STDOUT || channel == WC_STREAM_STDERR);
        wci_str_append_n(channel == WC_STREAM_STDOUT ? out : errors, data, got);
    }
}

/* Reads stdout until it has `text`. */
MAYBE static void read_until(container *c, wci_str *out, const char *text)
{
    char data[4096];
    while (!out->data || !strstr(out->data, text)) {
        int32_t channel = -1;
        size_t got = 0;
        ok(wci_backend_stream_read(backend, &call, c->stream, &channel, data, sizeof data, &got,
                                   20000000000, &error));
        wci_str_append_n(out, data, got);
    }
}

/* Runs a shell command attached; the exit code. */
MAYBE static int run_shell(const char *script, wci_str *out, wci_str *errors)
{
    container c;
    const char *args[] = {"sh", "-c", script, NULL};
    container_new(&c, args, NULL);
    start(&c, WC_ATTACH_STDOUT | WC_ATTACH_STDERR);
    ck_assert_int_eq(read_all(&c, out, errors), WC_E_CLOSED);
    int code = wait_exit(&c);
    container_remove(&c);
    return code;
}

/* Says why and leaves when this host cannot run containers. */
static void skip_unless_able(void)
{
    if (geteuid() != 0) {
        printf("SKIP: needs root\n");
        exit(77);
    }
    if (access(BUSYBOX, X_OK) != 0) {
        printf("SKIP: needs the package busybox-static\n");
        exit(77);
    }
    char *runc = wci_host_find_program("runc"), *crun = wci_host_find_program("crun");
    if (!runc && !crun) {
        printf("SKIP: needs runc or crun\n");
        exit(77);
    }
    wci_free(runc);
    wci_free(crun);
}

MAYBE static int run_suite(TCase *tcase, const char *name)
{
    skip_unless_able();
    Suite *suite = suite_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
