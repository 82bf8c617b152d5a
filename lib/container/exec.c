/* SPDX-License-Identifier: Apache-2.0 */
/* Further processes in a running container. */
#include <string.h>

#include "container/container.h"
#include "container/spec.h"
#include "container/workdir.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

/* Backends that take no layers have no directories either. */
static int32_t make_process(wci_engine *engine, const wci_container_record *record, const wc_exec_options *options,
                            int with_layers, char **out, wc_error **err)
{
    wci_config config = {0};
    wci_rootfs rootfs = {NULL, 0, 0};
    wci_user user = {0};
    int32_t rc = wci_config_from_json(record->config, &config, err);
    if (!rc)
        rc = wci_ctr_rootfs(engine, record, &rootfs, err);
    if (!rc)
        rc = wci_user_resolve(&rootfs, options->user ? options->user : config.user, &user, err);
    if (!rc)
        rc = wci_user_add_groups(&rootfs, &config.group_add, &user, err);
    wci_exec_input input = {
        .config = &config,
        .args = &options->args,
        .env = &options->env,
        .workdir = options->workdir ? options->workdir : config.workdir,
        .user = &user,
        .tty = options->tty,
        .privileged = options->privileged,
        .console_columns = options->console_columns,
        .console_rows = options->console_rows,
    };
    if (!rc && with_layers)
        rc = wci_workdir_check(&rootfs, &config, input.workdir, 1, err);
    if (!rc)
        rc = wci_spec_make_process(&input, out, err);
    wci_user_free(&user);
    wci_rootfs_free(&rootfs);
    wci_config_free(&config);
    return rc;
}

static int32_t process_new(wc_container *c, wci_backend *backend, const char *id, int64_t pid, wc_process **out,
                           wc_error **err)
{
    wc_process *process = wci_calloc(1, sizeof *process);
    if (!process)
        return wci_err_nomem(err);
    wci_ref_init(&process->refs);
    process->container = wc_container_ref(c);
    process->backend = wci_backend_ref(backend);
    process->pid = pid;
    memcpy(process->id, id, sizeof process->id);
    *out = process;
    return WC_OK;
}

void wci_process_free(wc_process *process)
{
    wci_backend_unref(process->backend);
    wc_container_unref(process->container);
    wci_free(process);
}

static int32_t fill(wc_request *request, const char *process, const char *id, const wc_exec_options *options,
                    uint64_t attach, wc_error **err)
{
    if (wci_request_set_string(request, "process", process) ||
        wci_request_set_string(request, "process-id", id) ||
        wci_request_set_int(request, "attach", (int64_t)attach) ||
        wci_request_set_int(request, "tty", options->tty) ||
        wci_request_set_int(request, "open-stdin", (attach & WC_ATTACH_STDIN) != 0))
        return wci_err_nomem(err);
    return WC_OK;
}

static int32_t take_answer(wc_container *c, wci_ctr_call *op, const char *id, uint64_t attach, wc_process **out,
                           wc_stream **stream, wc_error **err)
{
    wc_process *process = NULL;
    int32_t rc = process_new(c, op->backend, id, op->response.pid, &process, err);
    if (!rc && attach)
        rc = wci_stream_new(c->engine, op->backend, op->response.handle, stream, err);
    if (rc && process)
        wci_process_free(process);
    else if (!rc)
        *out = process;
    return rc;
}

/* It runs, whether this is written or not. */
static void tell_of_start(wc_container *c, const char *id, const wc_exec_options *options)
{
    wci_str command = WCI_STR_INIT;
    for (size_t i = 0; i < options->args.count; i++)
        wci_str_printf(&command, "%s%s", i ? " " : "", options->args.items[i]);
    if (!command.failed)
        (void)wci_event_add_exec(c->engine->store, c->id, id, command.data ? command.data : "", NULL);
    wci_str_free(&command);
}

int32_t wci_ctr_exec(wc_call *call, wc_container *c, const wc_exec_options *options, uint64_t attach,
                     wc_process **out, wc_stream **stream, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_ctr_call op;
    char id[65], *process = NULL;
    int32_t rc = wci_ctr_running_free(call, c, "exec", &record, err);
    if (rc)
        return rc;
    rc = wci_ctr_call_init(call, c->engine, record, &op, err);
    if (rc) {
        wci_container_record_free(record);
        return rc;
    }
    rc = wci_random_hex(32, id, err);
    if (!rc)
        rc = make_process(c->engine, record, options, (wci_backend_capabilities(op.backend) & WC_BACKEND_LAYERS) != 0,
                          &process, err);
    if (!rc)
        rc = fill(&op.request, process, id, options, attach, err);
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_PROCESS_START, call, err);
    if (!rc)
        rc = take_answer(c, &op, id, attach, out, stream, err);
    if (!rc)
        tell_of_start(c, id, options);
    wci_free(process);
    wci_container_record_free(record);
    wci_ctr_call_free(&op);
    return rc;
}

/* An operation on a process; its container may have ended, but not be gone. */
static int32_t ask(wc_call *call, wc_process *p, wci_op what, int signal, wci_ctr_call *op, wc_error **err)
{
    wci_container_record *record = NULL;
    wc_container *c = p->container;
    int32_t rc = wci_container_find(c->engine->store, c->id, &record, err);
    if (rc)
        return rc;
    rc = wci_ctr_call_init(call, c->engine, record, op, err);
    wci_container_record_free(record);
    if (rc)
        return rc;
    if (wci_request_set_string(&op->request, "process-id", p->id) ||
        wci_request_set_int(&op->request, "signal", signal))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_ctr_call_run(op, what, call, err);
    if (rc)
        wci_ctr_call_free(op);
    return rc;
}

int32_t wci_process_wait(wc_call *call, wc_process *p, int32_t *exit_code, wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = ask(call, p, WCI_OP_PROCESS_WAIT, 0, &op, err);
    if (rc)
        return rc;
    *exit_code = wci_ctr_exit_code(&op.response);
    wci_ctr_call_free(&op);
    return WC_OK;
}

int32_t wci_process_kill(wc_call *call, wc_process *p, int signal, wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = ask(call, p, WCI_OP_PROCESS_KILL, signal, &op, err);
    if (rc)
        return rc;
    wci_ctr_call_free(&op);
    return WC_OK;
}
