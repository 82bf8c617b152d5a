/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/process.h>

#include "api/context.h"
#include "container/container.h"
#include "core/signal.h"


int32_t wc_container_exec(wc_container *container, const wc_exec_options *options, uint64_t attach,
                          wc_cancel *cancel, wc_process **out, wc_stream **stream, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(container && options && out, "container, options or out is NULL");
    WCI_REQUIRE(!attach || wci_api_attach_is_valid(attach), "attach has unknown bits or no stream");
    WCI_REQUIRE(!attach || stream, "stream is NULL");
    int32_t rc = wci_api_begin_engine(container->engine, cancel, &call, err);
    return rc ? rc : wci_ctr_exec(&call, container, options, attach, out, stream, err);
}

static int32_t begin(wc_process *process, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    WCI_REQUIRE(process, "process is NULL");
    return wci_api_begin_engine(process->container->engine, cancel, call, err);
}

int32_t wc_process_wait(wc_process *process, wc_cancel *cancel, int32_t *exit_code, wc_error **err)
{
    wc_call call;
    int32_t code = 0, rc = begin(process, cancel, &call, err);
    if (!rc)
        rc = wci_process_wait(&call, process, &code, err);
    if (!rc && exit_code)
        *exit_code = code;
    return rc;
}

int32_t wc_process_kill(wc_process *process, const char *signal, wc_error **err)
{
    wc_call call;
    int number = 0;
    int32_t rc = begin(process, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(signal, "signal is NULL");
    rc = wci_signal_parse(signal, &number, err);
    return rc ? rc : wci_process_kill(&call, process, number, err);
}

const char *wc_process_id(const wc_process *process)
{
    return process ? process->id : "";
}

int64_t wc_process_pid(const wc_process *process)
{
    return process ? process->pid : 0;
}

wc_process *wc_process_ref(wc_process *process)
{
    if (process)
        wci_ref_take(&process->refs);
    return process;
}

void wc_process_unref(wc_process *process)
{
    if (process && wci_ref_drop(&process->refs))
        wci_process_free(process);
}
