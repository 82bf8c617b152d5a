/* SPDX-License-Identifier: Apache-2.0 */
/* One start of a container, or a process in it, as something to watch and to act on. */
#ifndef WCI_MOCK_TARGET_H
#define WCI_MOCK_TARGET_H

#include "backend/backend.h"
#include "backend/mock/vm.h"

typedef struct mock_target {
    char *dir;    /* STATE/mock */
    char *marker; /* RUN/mock */
    int64_t number;
    mock_vm *vm;
    int64_t now_ns; /* up to here everything is known */
} mock_target;

/* The last start of the request's container, or the process of this id. WC_E_NOT_FOUND. */
int32_t wci_mock_target_open(const wc_request *request, const char *process, mock_target *out,
                             wc_error **err);
/* Start `number` of the container. */
int32_t wci_mock_target_open_run(const wc_request *request, int64_t number, mock_target *out,
                                 wc_error **err);
void wci_mock_target_close(mock_target *target);
/* Reads the inputs and the clock. A container whose files are gone was killed; one whose run
 * directory was cleared has lost its monitor. */
int32_t wci_mock_target_sync(mock_target *target, wc_call *call, wc_error **err);
/* What it is now, passing over its output. */
int32_t wci_mock_target_look(mock_target *target, wc_call *call, mock_step *step, wc_error **err);
/* Records an input with the present time. WC_E_STATE when it does not run, WC_E_CLOSED for bytes
 * after the end of standard input. */
int32_t wci_mock_target_input(mock_target *target, wc_call *call, const mock_input *input,
                              wc_error **err);
/* Sleeps until the time of `step` or for a little while, as inputs may come from other processes;
 * WC_E_TIMEOUT when the deadline (monotonic, or MOCK_NEVER) has passed. */
int32_t wci_mock_target_pause(const mock_target *target, wc_call *call, const mock_step *step,
                              int64_t deadline, wc_error **err);
/* Deadline for a timeout as in wc_stream_read(). */
int64_t wci_mock_deadline(int64_t timeout_ns);

/* Makes the next start of the container with this description; the present time becomes its
 * beginning. WC_E_STATE when it runs already. */
int32_t wci_mock_start(const wc_request *request, wc_call *call, mock_run *run, wc_error **err);
/* The same for a process in the running container. */
int32_t wci_mock_exec(const wc_request *request, wc_call *call, const char *process, mock_run *run,
                      wc_error **err);

#endif
