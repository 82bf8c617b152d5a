/* SPDX-License-Identifier: Apache-2.0 */
/* What the mock backend keeps on disk: of each start of a container or process a description that
 * never changes, and the inputs that came afterwards, each with its time. Everything else is
 * computed from these two, by whichever process asks.
 *
 *   STATE/mock/N.run       description (JSON) of the Nth start
 *   STATE/mock/N.in        its inputs, appended under the lock
 *   STATE/mock/N.ID.run    a process executed in it, and N.ID.in
 *   STATE/mock/lock        shared to read inputs and the clock together, exclusive to append
 *   RUN/mock               "N": goes with a reboot, which is how a lost run is known */
#ifndef WCI_MOCK_RUN_H
#define WCI_MOCK_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "core/json.h"
#include "core/str.h"
#include "platform/file.h"

#define MOCK_NEVER INT64_MAX

typedef struct mock_run {
    wci_strv args;
    wci_strv env;
    char *workdir, *user, *hostname;
    int tty, open_stdin;
    int64_t started_ns;
    int64_t crash_ns; /* when its monitor is to die (before the start: how long after it), or
                         MOCK_NEVER */
} mock_run;

typedef enum mock_input_kind {
    MOCK_INPUT_SIGNAL = 1,
    MOCK_INPUT_STDIN = 2,
    MOCK_INPUT_STDIN_END = 3,
    MOCK_INPUT_CRASH = 4,
    MOCK_INPUT_PAUSE = 5,
    MOCK_INPUT_RESUME = 6,
} mock_input_kind;

typedef struct mock_input {
    int64_t time_ns;
    int32_t kind;
    int32_t signal;
    uint32_t size;
    char *data; /* owned */
} mock_input;

typedef struct mock_inputs {
    mock_input *items;
    size_t count, cap;
    uint64_t offset; /* of the file, up to which they were read */
    int stdin_ended; /* one of them is MOCK_INPUT_STDIN_END */
} mock_inputs;

/* From the configuration of a container, which has the keys of our own description. */
int32_t wci_mock_run_from_config(json_t *config, const char *what, mock_run *run, wc_error **err);
/* From an OCI process object. */
int32_t wci_mock_run_from_process(json_t *process, const char *hostname, mock_run *run,
                                  wc_error **err);
int32_t wci_mock_run_save(const mock_run *run, const char *path, wc_error **err);
int32_t wci_mock_run_load(const char *path, mock_run *run, wc_error **err); /* WC_E_NOT_FOUND */
void wci_mock_run_free(mock_run *run);

/* Reads what has been appended since. The caller holds the lock. */
int32_t wci_mock_inputs_read(mock_inputs *inputs, const char *path, wc_error **err);
/* Appends one record, in place of a torn one if a writer was killed. The caller holds the lock
 * exclusively and has just read the inputs. */
int32_t wci_mock_inputs_append(const mock_inputs *inputs, const char *path, const mock_input *input,
                               wc_error **err);
void wci_mock_inputs_free(mock_inputs *inputs);

/* Files of a container. */
char *wci_mock_dir(const char *state_dir);
int32_t wci_mock_lock(wc_call *call, const char *dir, int mode, wci_lock **out, wc_error **err);
/* number 0: none yet. */
int32_t wci_mock_last_run(const char *dir, int64_t *number, wc_error **err);
/* process NULL: the container itself. */
char *wci_mock_path(const char *dir, int64_t number, const char *process, const char *suffix);

#endif
