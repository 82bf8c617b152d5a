/* SPDX-License-Identifier: Apache-2.0 */
/* A whole backend of a third party, as small as can be: the start of one's own.
 *
 *     wc_backend_load(context, "/abs/path/backend-null.so", NULL);
 *
 * Its containers do nothing until a signal ends them. What it knows about one is a single line of
 * text in the container's run directory, so every process that opens the store gives the same
 * answer, and a reboot, which clears that directory, ends all containers. Only public headers are
 * used. docs/backends.md says what each operation reads and writes. */
#define _POSIX_C_SOURCE 200809L /* nanosleep() */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <wincontainer/backend.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define PATH_SIZE 4096
#define POLL_MS 20

typedef struct state {
    int32_t status; /* WC_STATUS_RUNNING or WC_STATUS_EXITED */
    int32_t exit_code;
    int64_t finished_ns;
} state;

static int64_t now_ns(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int32_t fail(wc_call *call, int32_t code, const wc_request *request, const char *why)
{
    char message[256];
    snprintf(message, sizeof message, "container '%.12s': %s", wc_request_container_id(request),
             why);
    return wc_call_fail(call, code, WC_DOMAIN_NONE, 0, message);
}

/* ---- The file ------------------------------------------------------------------------------- */

static int path_of(const wc_request *request, const char *suffix, char path[PATH_SIZE])
{
    int n = snprintf(path, PATH_SIZE, "%s/null%s", wc_request_run_dir(request), suffix);
    return n > 0 && n < PATH_SIZE;
}

/* Written beside and renamed, so that readers see a whole line whenever they look. */
static int32_t write_state(wc_call *call, const wc_request *request, const state *s)
{
    char path[PATH_SIZE], fresh[PATH_SIZE], suffix[32];
    snprintf(suffix, sizeof suffix, ".%llx", (unsigned long long)now_ns());
    if (!path_of(request, "", path) || !path_of(request, suffix, fresh))
        return fail(call, WC_E_INVALID, request, "the run directory's path is too long");
    FILE *f = fopen(fresh, "w");
    if (!f)
        return fail(call, WC_E_IO, request, "cannot write to the run directory");
    int written = fprintf(f, "%d %d %lld\n", (int)s->status, (int)s->exit_code,
                          (long long)s->finished_ns) > 0;
    written &= fclose(f) == 0;
    if (written && rename(fresh, path) == 0)
        return WC_OK;
    remove(fresh);
    return fail(call, WC_E_IO, request, "cannot write its state");
}

/* No file: not running. 1 when there was one. */
static int read_state(const wc_request *request, state *s)
{
    char path[PATH_SIZE];
    int status = 0, exit_code = 0;
    long long finished = 0;
    FILE *f = path_of(request, "", path) ? fopen(path, "r") : NULL;
    if (!f)
        return 0;
    int fields = fscanf(f, "%d %d %lld", &status, &exit_code, &finished);
    fclose(f);
    *s = (state){status, exit_code, finished};
    return fields == 3;
}

/* ---- Operations ----------------------------------------------------------------------------- */

static int32_t null_info(uintptr_t payload, wc_call *call, const wc_request *request,
                         wc_response *response)
{
    (void)payload;
    (void)call;
    (void)request;
    return wc_response_set_text(response, "{\"name\":\"null\",\"usable\":true}");
}

static int32_t null_start(uintptr_t payload, wc_call *call, const wc_request *request,
                          wc_response *response)
{
    (void)payload;
    if (wc_request_int(request, "attach", 0))
        return fail(call, WC_E_UNSUPPORTED, request,
                    "the null backend has no streams to attach to");
    int32_t rc = write_state(call, request, &(state){.status = WC_STATUS_RUNNING});
    if (rc == WC_OK)
        wc_response_set_status(response, WC_STATUS_RUNNING);
    return rc;
}

static int32_t null_state(uintptr_t payload, wc_call *call, const wc_request *request,
                          wc_response *response)
{
    state s = {.status = WC_STATUS_DEAD, .exit_code = 255, .finished_ns = now_ns()};
    (void)payload;
    (void)call;
    read_state(request, &s);
    wc_response_set_status(response, s.status);
    if (s.status != WC_STATUS_RUNNING)
        wc_response_set_exit(response, s.exit_code, s.finished_ns);
    return WC_OK;
}

static int32_t null_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                         wc_response *response)
{
    state s;
    (void)payload;
    (void)response;
    if (!read_state(request, &s) || s.status != WC_STATUS_RUNNING)
        return fail(call, WC_E_STATE, request, "is not running");
    s.status = WC_STATUS_EXITED;
    s.exit_code = 128 + (int32_t)wc_request_int(request, "signal", 9);
    s.finished_ns = now_ns();
    return write_state(call, request, &s);
}

/* A real backend would wait on something that turns readable, together with wc_call_fd(). */
static int32_t null_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                         wc_response *response)
{
    const struct timespec pause = {0, POLL_MS * 1000000};
    state s;
    while (read_state(request, &s) && s.status == WC_STATUS_RUNNING) {
        int32_t rc = wc_call_check(call);
        if (rc)
            return rc;
        nanosleep(&pause, NULL);
    }
    return null_state(payload, call, request, response);
}

static int32_t null_remove(uintptr_t payload, wc_call *call, const wc_request *request,
                           wc_response *response)
{
    char path[PATH_SIZE];
    (void)payload;
    (void)call;
    (void)response;
    if (path_of(request, "", path))
        remove(path);
    return WC_OK;
}

/* What is not named here is NULL: the library answers WC_E_UNSUPPORTED for us, naming it. */
static const wc_backend_ops operations = {
    .struct_size = sizeof(wc_backend_ops),
    .spi_major = WC_BACKEND_SPI_MAJOR,
    .capabilities = WC_BACKEND_DETACHED,
    .name = "null",
    .info = null_info,
    .container_start = null_start,
    .container_state = null_state,
    .container_kill = null_kill,
    .container_wait = null_wait,
    .container_remove = null_remove,
};

EXPORT int32_t wc_backend_plugin_v1(const wc_backend_ops **ops, uintptr_t *payload,
                                    void (**free_payload)(uintptr_t payload));

int32_t wc_backend_plugin_v1(const wc_backend_ops **ops, uintptr_t *payload,
                             void (**free_payload)(uintptr_t payload))
{
    *ops = &operations;
    *payload = 0; /* a pointer to the backend's own data, if it had any */
    *free_payload = NULL;
    return WC_OK;
}
