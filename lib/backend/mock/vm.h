/* SPDX-License-Identifier: Apache-2.0 */
/* Computes what a script does: a pure function of its description, its inputs, and the time up to
 * which it is asked. A vm walks forward step by step and reads further inputs as they come. */
#ifndef WCI_MOCK_VM_H
#define WCI_MOCK_VM_H

#include "backend/mock/run.h"
#include "backend/mock/script.h"

/* Exit code when nobody was left to see the end. */
#define MOCK_EXIT_UNKNOWN 255

typedef enum mock_step_kind {
    MOCK_STEP_WAITS, /* nothing more up to now; `time_ns`: not before then, unless by an input */
    MOCK_STEP_OUTPUT,
    MOCK_STEP_ENDED,
} mock_step_kind;

typedef struct mock_step {
    mock_step_kind kind;
    int64_t time_ns;
    int32_t channel;
    const char *data; /* lent until the next step */
    size_t size;
    int32_t exit_code;
    int dead;   /* ended because its monitor died */
    int paused; /* it waits because it is paused */
} mock_step;

typedef struct mock_disposition {
    enum { MOCK_DEFAULT, MOCK_IGNORED, MOCK_TRAPPED, MOCK_REPORTED } what;
    int32_t exit_code;
    const char *text;
} mock_disposition;

typedef struct mock_vm {
    mock_run run;
    mock_script script;
    mock_inputs inputs;
    char *input_path;
    struct mock_vm *container; /* of an executed process; its end is the process's end; owned */

    int64_t time_ns; /* reached so far */
    int64_t kill_ns; /* when it is killed from outside the inputs, or MOCK_NEVER */
    size_t pc;
    int64_t progress;                /* within the present action */
    int64_t since_ns;                /* when the present action began, 0: it has not */
    size_t next_control, next_stdin; /* where to look on among the inputs */
    mock_disposition signals[MOCK_SIGNAL_COUNT];
    int64_t paused_ns;                /* since when its clock stands, 0: it does not */
    char pending[MOCK_SIGNAL_COUNT];  /* signals that came meanwhile */
    wci_str out;
    mock_step end; /* valid when ended */
    int ended;
} mock_vm;

/* Opens start `number`; process NULL: of the container itself. WC_E_NOT_FOUND when there is none.
 */
int32_t wci_mock_vm_open(const char *dir, int64_t number, const char *process, mock_vm **out,
                         wc_error **err);
void wci_mock_vm_free(mock_vm *vm);
/* Reads new inputs; the caller holds the lock. */
int32_t wci_mock_vm_refresh(mock_vm *vm, wc_error **err);
mock_step wci_mock_vm_step(mock_vm *vm, int64_t now);
/* Steps over all output up to `now`. */
mock_step wci_mock_vm_skip(mock_vm *vm, int64_t now);

#endif
