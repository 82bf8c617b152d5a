/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/left.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <time.h>

#include "backend/process/linux/proc_read.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/process.h"

#define RECORD_MAX ((size_t)4 << 20)
#define GONE_TRIES 10000 /* of 1 ms */

static int is_left(const char *dir, const char *name, const char *pid_key, const char *start_key, wci_left *out)
{
    json_t *record = NULL;
    char *path = wci_path_join(dir, name);
    int found = path && !wci_json_read(path, RECORD_MAX, name, &record, NULL);
    if (found) {
        out->pid = json_integer_value(json_object_get(record, pid_key));
        out->start = json_integer_value(json_object_get(record, start_key));
        found = out->pid > 0 && out->start > 0 && wci_process_alive(out->pid, out->start);
    }
    json_decref(record);
    wci_free(path);
    return found;
}

int wci_left_find(const char *run_dir, const char *runtime_dir, wci_left *out)
{
    return is_left(run_dir, WCI_RUN_STATE, "pid", "pidStart", out) ||
           is_left(runtime_dir, "state.json", "init_process_pid", "init_process_start", out) || /* runc */
           is_left(runtime_dir, "status", "pid", "process-start-time", out);                    /* crun */
}

static int32_t end_first(const wci_left *left, wc_error **err)
{
    for (int try = 0; try < GONE_TRIES; try++) {
        if (!wci_process_alive(left->pid, left->start))
            return WC_OK;
        if (kill((pid_t)left->pid, SIGKILL) != 0 && errno != ESRCH)
            return wci_err_errno(err, errno, "process %lld of the container", (long long)left->pid);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return wci_err(err, WC_E_BUSY, "process %lld of the container: does not end", (long long)left->pid);
}

int32_t wci_left_end(const wci_left *left, wc_error **err)
{
    int namespace = wci_proc_open_namespace(left->pid);
    int32_t rc = end_first(left, err);
    wci_proc_end_namespace(namespace);
    return rc;
}
