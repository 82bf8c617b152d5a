/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the process backend for Linux. */
#ifndef WCI_PROCESS_LINUX_BACKEND_H
#define WCI_PROCESS_LINUX_BACKEND_H

#include <jansson.h>

#include <wincontainer/backend.h>

#include "backend/backend.h"
#include "backend/process/link.h"
#include "backend/process/linux/cgroup.h"
#include "platform/thread.h"

typedef struct process_backend {
    char *runtime_setting; /* NULL: whatever works */
    char *helper_setting;
    char *network_helper;  /* name or path; NULL: whichever is there */
    char *root, *run_root;
    int uses_systemd;      /* for control groups */
    wci_mutex mutex;       /* guards what was found, below */
    char *runtime;
    char *helper;
} process_backend;

/* Paths, looked for once and then remembered; lent for the backend's life. */
int32_t wci_process_runtime(process_backend *b, wc_call *call, const char **path, wc_error **err);
int32_t wci_process_helper(process_backend *b, const char **path, wc_error **err);

/* What the helper said at the end of its start or work. */
typedef struct wci_report {
    int64_t pid;
    uint32_t flags; /* WCI_HELLO_* */
    char *text;     /* result of a probe, or NULL */
} wci_report;
/* Starts `wc-helper ROLE`, sends the request (taken over; NULL: out of memory) and `config` (may be
 * NULL), and waits for the report. `data` becomes its descriptor 4. The connection stays open in
 * *link. A cancelled call has the helper give up first. */
int32_t wci_helper_run(process_backend *b, wc_call *call, const char *role, json_t *request,
                       const char *config, wci_fd data, wci_link *link, wci_report *report,
                       wc_error **err);

/* The end of that: waits for the report. `document` (or NULL) is what names the command when it cannot be executed. The
 * link is closed when it fails. WC_E_CLOSED, without an error, when the helper goes without a word. */
int32_t wci_helper_await(wc_call *call, wci_link *link, const char *document, wci_report *report, wc_error **err);
/* Closes the link of a start that has failed. When the caller gives up so does the helper first, and nothing is left
 * behind when this returns. */
void wci_helper_give_up(wci_link *link, int32_t code);
/* Answers with pid, status and, when attached, a stream; the link is taken over. */
int32_t wci_helper_answer(const wc_request *request, wci_link *link, const wci_report *report, wc_response *response,
                          wc_error **err);

/* The error for a helper that reports nothing. */
int32_t wci_helper_silent(process_backend *b, wc_error **err);

/* Directory of a further process; owned, NULL: out of memory. WC_E_INVALID for a bad id. */
int32_t wci_exec_dir(const wc_request *request, char **out, wc_error **err);

int32_t wci_process_container_start(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response);
/* wci_process_process_start(), whose failure is one of state when the container has ended meanwhile. */
int32_t wci_process_start_judged(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response);
int32_t wci_process_process_start(uintptr_t payload, wc_call *call, const wc_request *request,
                                  wc_response *response);

/* Has the container's monitor do something: {"do": name, …} (taken over; NULL: out of memory). *result, which may be
 * NULL, is owned and may become NULL. WC_E_STATE when it does not run, WC_E_UNSUPPORTED when its monitor is older than
 * the command. */
int32_t wci_process_command(wc_call *call, const wc_request *request, json_t *command, json_t **result);

/* The group that its monitor has written down, or where one is made. */
wci_cgroup wci_process_group_of(const wc_request *request);

/* Ends what a monitor that was killed has left of the container. */
int32_t wci_process_end_remains(process_backend *b, const wc_request *request, wc_error **err);
int32_t wci_process_container_state(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response);
int32_t wci_process_container_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                                   wc_response *response);
int32_t wci_process_container_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                                   wc_response *response);
int32_t wci_process_container_remove(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response);
int32_t wci_process_container_pause(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response);
int32_t wci_process_container_resume(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response);
int32_t wci_process_container_stats(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response);
int32_t wci_process_container_processes(uintptr_t payload, wc_call *call, const wc_request *request,
                                        wc_response *response);
int32_t wci_process_container_update(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response);
int32_t wci_process_container_attach(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response);
int32_t wci_process_process_state(uintptr_t payload, wc_call *call, const wc_request *request,
                                  wc_response *response);
int32_t wci_process_process_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response);
int32_t wci_process_process_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response);

int32_t wci_process_group_update(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response);
int32_t wci_process_group_remove(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response);
int32_t wci_process_group_report(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response);

int32_t wci_process_archive_get(uintptr_t payload, wc_call *call, const wc_request *request,
                                wc_response *response);
int32_t wci_process_archive_put(uintptr_t payload, wc_call *call, const wc_request *request,
                                wc_response *response);

#endif
