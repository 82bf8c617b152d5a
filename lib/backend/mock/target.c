/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/target.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

#define NS_PER_MS 1000000
#define POLL_NS (5 * NS_PER_MS)

/* ---- Opening -------------------------------------------------------------------------------- */

static int32_t open_paths(const wc_request *request, mock_target *target, wc_error **err)
{
    target->dir = wci_mock_dir(wc_request_state_dir(request));
    target->marker = wci_path_join(wc_request_run_dir(request), "mock");
    return target->dir && target->marker ? WC_OK : wci_err_nomem(err);
}

/* A process belongs to the start during which it was executed, most likely the last. */
static int32_t find_process(mock_target *target, const char *process, wc_error **err)
{
    for (; target->number > 0; target->number--) {
        char *path = wci_mock_path(target->dir, target->number, process, "run");
        if (!path)
            return wci_err_nomem(err);
        int found = wci_file_exists(path);
        wci_free(path);
        if (found)
            return WC_OK;
    }
    return wci_err(err, WC_E_NOT_FOUND, "process '%s': not in this container", process);
}

static int32_t open_last(const wc_request *request, const char *process, mock_target *target,
                         wc_error **err)
{
    int32_t rc = open_paths(request, target, err);
    if (rc == WC_OK)
        rc = wci_mock_last_run(target->dir, &target->number, err);
    if (rc == WC_OK && !target->number)
        rc = wci_err(err, WC_E_NOT_FOUND, "container '%s': has never been started",
                     wc_request_container_id(request));
    if (rc == WC_OK && process)
        rc = find_process(target, process, err);
    if (rc == WC_OK)
        rc = wci_mock_vm_open(target->dir, target->number, process, &target->vm, err);
    return rc;
}

int32_t wci_mock_target_open(const wc_request *request, const char *process, mock_target *out,
                             wc_error **err)
{
    mock_target target = {0};
    int32_t rc = open_last(request, process, &target, err);
    if (rc)
        wci_mock_target_close(&target);
    else
        *out = target;
    return rc;
}

int32_t wci_mock_target_open_run(const wc_request *request, int64_t number, mock_target *out,
                                 wc_error **err)
{
    mock_target target = {.number = number};
    int32_t rc = open_paths(request, &target, err);
    if (rc == WC_OK)
        rc = wci_mock_vm_open(target.dir, number, NULL, &target.vm, err);
    if (rc)
        wci_mock_target_close(&target);
    else
        *out = target;
    return rc;
}

void wci_mock_target_close(mock_target *target)
{
    wci_mock_vm_free(target->vm);
    wci_free(target->dir);
    wci_free(target->marker);
    memset(target, 0, sizeof *target);
}

/* ---- Watching ------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static mock_vm *container_of(mock_target *target)
{
    return target->vm->container ? target->vm->container : target->vm;
}

/* The caller holds the lock. */
static int32_t sync_locked(mock_target *target, wc_error **err)
{
    int32_t rc = wci_mock_vm_refresh(target->vm, err);
    if (rc)
        return rc;
    target->now_ns = wci_now_ns();
    mock_vm *container = container_of(target);
    if (!wci_file_exists(target->marker))
        container->run.crash_ns = earlier(container->run.crash_ns, target->now_ns);
    if (container == target->vm)
        return WC_OK;
    mock_step step = wci_mock_vm_skip(container, target->now_ns);
    if (step.kind == MOCK_STEP_ENDED)
        target->vm->kill_ns = step.time_ns;
    return WC_OK;
}

static void note_removal(mock_target *target)
{
    target->now_ns = wci_now_ns();
    target->vm->kill_ns = earlier(target->vm->kill_ns, target->now_ns);
}

int32_t wci_mock_target_sync(mock_target *target, wc_call *call, wc_error **err)
{
    if (!wci_file_exists(target->dir)) {
        note_removal(target);
        return WC_OK;
    }
    wci_lock *lock = NULL;
    int32_t rc = wci_mock_lock(call, target->dir, WCI_LOCK_SHARED, &lock, err);
    if (rc)
        return rc;
    rc = sync_locked(target, err);
    wci_lock_release(lock);
    return rc;
}

int32_t wci_mock_target_look(mock_target *target, wc_call *call, mock_step *step, wc_error **err)
{
    int32_t rc = wci_mock_target_sync(target, call, err);
    if (rc == WC_OK)
        *step = wci_mock_vm_skip(target->vm, target->now_ns);
    return rc;
}

int64_t wci_mock_deadline(int64_t timeout_ns)
{
    int64_t now = wci_monotonic_ns();
    return timeout_ns < 0 || timeout_ns > MOCK_NEVER - now ? MOCK_NEVER : now + timeout_ns;
}

int32_t wci_mock_target_pause(const mock_target *target, wc_call *call, const mock_step *step,
                              int64_t deadline, wc_error **err)
{
    int64_t left = deadline == MOCK_NEVER ? POLL_NS : deadline - wci_monotonic_ns();
    if (left <= 0)
        return wci_err(err, WC_E_TIMEOUT, "nothing came within the time given");
    int64_t wait = earlier(earlier(step->time_ns - target->now_ns, POLL_NS), left);
    return wci_call_sleep_ms(call, (wait + NS_PER_MS - 1) / NS_PER_MS, err);
}

/* ---- Acting --------------------------------------------------------------------------------- */

static int32_t append_locked(mock_target *target, const mock_input *input, wc_error **err)
{
    int32_t rc = sync_locked(target, err);
    if (rc)
        return rc;
    if (wci_mock_vm_skip(target->vm, target->now_ns).kind == MOCK_STEP_ENDED)
        return wci_err(err, WC_E_STATE, "it is not running");
    if (input->kind == MOCK_INPUT_STDIN && target->vm->inputs.stdin_ended)
        return wci_err(err, WC_E_CLOSED, "standard input: has been closed");
    mock_input record = *input;
    record.time_ns = target->now_ns;
    return wci_mock_inputs_append(&target->vm->inputs, target->vm->input_path, &record, err);
}

int32_t wci_mock_target_input(mock_target *target, wc_call *call, const mock_input *input,
                              wc_error **err)
{
    if (!wci_file_exists(target->dir))
        return wci_err(err, WC_E_STATE, "it is not running");
    wci_lock *lock = NULL;
    int32_t rc = wci_mock_lock(call, target->dir, WCI_LOCK_EXCLUSIVE, &lock, err);
    if (rc)
        return rc;
    rc = append_locked(target, input, err);
    wci_lock_release(lock);
    return rc;
}

static int32_t refuse_running(const wc_request *request, wc_error **err)
{
    mock_target last = {0};
    int32_t rc = wci_mock_target_open(request, NULL, &last, err);
    if (rc)
        return rc;
    rc = sync_locked(&last, err);
    if (rc == WC_OK && wci_mock_vm_skip(last.vm, last.now_ns).kind != MOCK_STEP_ENDED)
        rc = wci_err(err, WC_E_STATE, "container '%s': is running already",
                     wc_request_container_id(request));
    wci_mock_target_close(&last);
    return rc;
}

static int32_t save_run(mock_run *run, const char *dir, int64_t number, const char *process,
                        wc_error **err)
{
    char *path = wci_mock_path(dir, number, process, "run");
    if (!path)
        return wci_err_nomem(err);
    int64_t lifetime = run->crash_ns;
    run->started_ns = wci_now_ns();
    if (lifetime != MOCK_NEVER)
        run->crash_ns = run->started_ns + lifetime;
    int32_t rc = wci_mock_run_save(run, path, err);
    wci_free(path);
    return rc;
}

static int32_t mark_running(const char *marker, int64_t number, wc_error **err)
{
    char text[24];
    char *end = text + sizeof text;
    char *at = end;
    for (int64_t n = number; n; n /= 10)
        *--at = (char)('0' + n % 10);
    return wci_file_write_atomic(marker, at, (size_t)(end - at), 0600, 0, err);
}

static int32_t start_locked(const wc_request *request, mock_target *target, mock_run *run,
                            wc_error **err)
{
    int32_t rc = wci_mock_last_run(target->dir, &target->number, err);
    if (rc == WC_OK && target->number)
        rc = refuse_running(request, err);
    if (rc == WC_OK)
        rc = mark_running(target->marker, target->number + 1, err);
    if (rc == WC_OK)
        rc = save_run(run, target->dir, target->number + 1, NULL, err);
    return rc;
}

static int32_t lock_and_start(const wc_request *request, wc_call *call, mock_target *target,
                              mock_run *run, wc_error **err)
{
    wci_lock *lock = NULL;
    int32_t rc = wci_dir_make(target->dir, 0700, err);
    if (rc == WC_OK)
        rc = wci_mock_lock(call, target->dir, WCI_LOCK_EXCLUSIVE, &lock, err);
    if (rc)
        return rc;
    rc = start_locked(request, target, run, err);
    wci_lock_release(lock);
    return rc;
}

int32_t wci_mock_start(const wc_request *request, wc_call *call, mock_run *run, wc_error **err)
{
    mock_target target = {0};
    int32_t rc = open_paths(request, &target, err);
    if (rc == WC_OK)
        rc = lock_and_start(request, call, &target, run, err);
    wci_mock_target_close(&target);
    return rc;
}

static int32_t exec_locked(mock_target *container, const char *process, mock_run *run,
                           wc_error **err)
{
    int32_t rc = sync_locked(container, err);
    if (rc == WC_OK && wci_mock_vm_skip(container->vm, container->now_ns).kind == MOCK_STEP_ENDED)
        rc = wci_err(err, WC_E_STATE, "container: is not running: start it first");
    if (rc == WC_OK)
        rc = save_run(run, container->dir, container->number, process, err);
    return rc;
}

int32_t wci_mock_exec(const wc_request *request, wc_call *call, const char *process, mock_run *run,
                      wc_error **err)
{
    mock_target container = {0};
    int32_t rc = wci_mock_target_open(request, NULL, &container, NULL);
    if (rc == WC_E_NOT_FOUND)
        return wci_err(err, WC_E_STATE, "container '%s': is not running: start it first",
                       wc_request_container_id(request));
    if (rc)
        return wci_mock_target_open(request, NULL, &container, err);
    wci_lock *lock = NULL;
    rc = wci_mock_lock(call, container.dir, WCI_LOCK_EXCLUSIVE, &lock, err);
    if (rc == WC_OK)
        rc = exec_locked(&container, process, run, err);
    wci_lock_release(lock);
    wci_mock_target_close(&container);
    return rc;
}
