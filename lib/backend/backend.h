/* SPDX-License-Identifier: Apache-2.0 */
/* The set of backends of a context, and calling them: fills requests, checks slots, turns answers
 * and failures into ours. */
#ifndef WCI_BACKEND_H
#define WCI_BACKEND_H

#include <stdint.h>

#include <wincontainer/backend.h>
#include <wincontainer/memory.h>

#include "core/call.h"
#include "core/str.h"

typedef struct wci_param {
    char *key;
    char *text;    /* NULL: a number */
    int64_t number;
} wci_param;

/* Filled by the callers of backends. Texts are owned by the request. */
struct wc_request {
    char *container_id;
    char *config;
    char *state_dir, *run_dir;
    wci_strv layers;
    wci_param *params;
    size_t param_count, param_cap;
};
void wci_request_free(wc_request *request); /* the contents */
int32_t wci_request_set_string(wc_request *request, const char *key, const char *value);
int32_t wci_request_set_int(wc_request *request, const char *key, int64_t value);

struct wc_response {
    int32_t status;      /* WC_STATUS_*, -1 when not set */
    int64_t pid;
    int32_t exit_code;
    int64_t finished_ns;
    uintptr_t handle;
    int has_handle;
    char *text;
    int32_t channel;
    int64_t time_ns;
    wc_buf *line;
};
void wci_response_init(wc_response *response);
void wci_response_free(wc_response *response);

typedef struct wci_backend wci_backend;     /* reference counted */
typedef struct wci_backends wci_backends;   /* of one context, thread-safe */

/* With the built-in ones; `settings` reach their `open` as request parameters: "runtime", "helper",
 * "root", "run-root". They are opened at their first use, registered ones at once. */
int32_t wci_backends_new(const wc_request *settings, wci_backends **out, wc_error **err);
void wci_backends_free(wci_backends *backends);
/* Takes away what containers of stores that are gone have left on the host; one line for people for each kind. */
int32_t wci_backends_prune(wci_strv *removed, wc_error **err);
int32_t wci_backends_add(wci_backends *backends, wc_call *call, const wc_backend_ops *ops,
                         uintptr_t payload, void (*free_payload)(uintptr_t), wc_error **err);
int32_t wci_backends_load(wci_backends *backends, wc_call *call, const char *path, wc_error **err);
int32_t wci_backends_names(wci_backends *backends, wci_strv *names, wc_error **err);
/* WC_E_NOT_FOUND naming those there are. */
int32_t wci_backends_get(wci_backends *backends, wc_call *call, const char *name,
                         wci_backend **out, wc_error **err);
wci_backend *wci_backend_ref(wci_backend *backend);
void wci_backend_unref(wci_backend *backend);
const char *wci_backend_name(const wci_backend *backend);
uint64_t wci_backend_capabilities(const wci_backend *backend);

typedef enum wci_op {
    WCI_OP_INFO,
    WCI_OP_CONTAINER_START,
    WCI_OP_CONTAINER_STATE,
    WCI_OP_CONTAINER_KILL,
    WCI_OP_CONTAINER_WAIT,
    WCI_OP_CONTAINER_REMOVE,
    WCI_OP_CONTAINER_ATTACH,
    WCI_OP_PROCESS_START,
    WCI_OP_PROCESS_STATE,
    WCI_OP_PROCESS_WAIT,
    WCI_OP_PROCESS_KILL,
    WCI_OP_ARCHIVE_GET,
    WCI_OP_ARCHIVE_PUT,
    WCI_OP_LOGS_OPEN,
    WCI_OP_CONTAINER_PAUSE,
    WCI_OP_CONTAINER_RESUME,
    WCI_OP_CONTAINER_UPDATE,
    WCI_OP_CONTAINER_STATS,
    WCI_OP_CONTAINER_PROCESSES,
    WCI_OP_CONTAINER_CHECKPOINT,
    WCI_OP_NETWORK_CONNECT,
    WCI_OP_NETWORK_DISCONNECT,
    WCI_OP_GROUP_UPDATE,
    WCI_OP_GROUP_REMOVE,
    WCI_OP_GROUP_REPORT,
} wci_op;
/* WC_E_UNSUPPORTED naming backend and operation when the slot is NULL. A failing operation that set
 * no error gets one. */
int32_t wci_backend_call(wci_backend *backend, wci_op op, wc_call *call, const wc_request *request,
                         wc_response *response, wc_error **err);
int wci_backend_has(const wci_backend *backend, wci_op op);

/* Streams and logs of a backend, holding a reference to it. */
int32_t wci_backend_stream_read(wci_backend *b, wc_call *call, uintptr_t handle, int32_t *channel,
                                void *data, size_t size, size_t *got, int64_t timeout_ns,
                                wc_error **err);
int32_t wci_backend_stream_write(wci_backend *b, wc_call *call, uintptr_t handle, const void *data,
                                 size_t size, size_t *put, int64_t timeout_ns, wc_error **err);
int32_t wci_backend_stream_close_write(wci_backend *b, wc_call *call, uintptr_t handle,
                                       wc_error **err);
int32_t wci_backend_stream_resize(wci_backend *b, wc_call *call, uintptr_t handle,
                                  uint32_t columns, uint32_t rows, wc_error **err);
intptr_t wci_backend_stream_fd(wci_backend *b, uintptr_t handle);
intptr_t wci_backend_stream_write_fd(wci_backend *b, uintptr_t handle);
void wci_backend_stream_release(wci_backend *b, uintptr_t handle);
int32_t wci_backend_logs_next(wci_backend *b, wc_call *call, uintptr_t handle,
                              wc_response *response, int64_t timeout_ns, wc_error **err);
intptr_t wci_backend_logs_fd(wci_backend *b, uintptr_t handle);
void wci_backend_logs_release(wci_backend *b, uintptr_t handle);

/* The built-in tables, and what else the built-in backends do. Their `open` gets payload 0; the handle that it answers with (if any) is the
 * payload of all later operations and goes to the matching _free when the context ends. */
const wc_backend_ops *wci_backend_process_ops(void);
void wci_backend_process_free(uintptr_t payload); /* 0 accepted */
int32_t wci_backend_process_prune(wci_strv *removed, wc_error **err);
const wc_backend_ops *wci_backend_mock_ops(void);
void wci_backend_mock_free(uintptr_t payload);

#endif
