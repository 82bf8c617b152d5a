/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file backend.h
 * For authors of backends: what runs containers behind the API.
 *
 * A backend is a table of operations, registered per context or loaded from a shared object. It gets
 * opaque requests and answers into opaque responses, so that signatures never change. Operations are
 * called on the thread of the caller, several at once; they may block as long as their call is not
 * cancelled. A NULL slot means WC_E_UNSUPPORTED, reported by the operation's name.
 *
 * The library keeps names, configuration and history; a backend answers for what runs. After
 * `container_start` it must be able to tell the state at any time, from any process that opens the
 * same store, for example from files in the two directories that each request names.
 */
#ifndef WINCONTAINER_BACKEND_H
#define WINCONTAINER_BACKEND_H

#include <wincontainer/base.h>
#include <wincontainer/container.h> /* WC_STATUS_*, WC_STREAM_*, WC_ATTACH_* */
#include <wincontainer/context.h>   /* WC_LOG_* */
#include <wincontainer/error.h>

WC_BEGIN_DECLS

/** What one call carries: cancel, log, error. Valid for the duration of the operation. @since 0.1 */
typedef struct wc_call wc_call;
/** What is asked. Valid for the duration of the operation. @since 0.1 */
typedef struct wc_request wc_request;
/** Where the answer goes. Valid for the duration of the operation. @since 0.1 */
typedef struct wc_response wc_response;

/** The version of this interface that a table was written for. @since 0.1 */
#define WC_BACKEND_SPI_MAJOR 1

/** Capability bits of wc_backend_ops. @since 0.1 */
enum {
    /** The backend itself records start and end in the store (only the built-in ones can). */
    WC_BACKEND_RECORDS = 1,
    /** Containers go on when the process that started them ends. */
    WC_BACKEND_DETACHED = 2,
    /** Needs unpacked layers: requests carry their paths. */
    WC_BACKEND_LAYERS = 4,
    /** Isolation by a virtual machine. */
    WC_BACKEND_HYPERV = 8,
    /** Containers have no files but the image's: the library copies in and out, after asking archive_get or
     * archive_put, if there, which transfers nothing then. */
    WC_BACKEND_IMAGE_FILES = 16,
    /** Containers can be joined to networks of the store. */
    WC_BACKEND_NETWORKS = 32
};

/** One operation on a container. @since 0.1 */
typedef int32_t (*wc_backend_op)(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response);

/**
 * The operations. Append only; `struct_size` is sizeof the struct that the backend was compiled with.
 * What each reads from the request and writes to the response is in docs/backends.md.
 * @since 0.1
 */
typedef struct wc_backend_ops {
    uint64_t struct_size;   /**< sizeof(wc_backend_ops) */
    uint32_t spi_major;     /**< WC_BACKEND_SPI_MAJOR */
    uint32_t reserved;      /**< 0 */
    uint64_t capabilities;  /**< WC_BACKEND_* */
    const char *name;       /**< lower-case letters, digits, '-' */

    /** Called once at registration; may refuse (WC_E_MISSING …). May be NULL. */
    wc_backend_op open;
    /** What it found on the host: response json. */
    wc_backend_op info;
    /** Starts; response status, pid, and with "attach" not 0 a stream handle. */
    wc_backend_op container_start;
    /** Response status, pid, exit_code, finished. */
    wc_backend_op container_state;
    /** Request "signal" (a number). */
    wc_backend_op container_kill;
    /** Waits until it does not run; response as container_state. */
    wc_backend_op container_wait;
    /** Ends what is left of it and frees what the backend holds; WC_OK when there is nothing. */
    wc_backend_op container_remove;
    /** Response handle: a stream. Request "attach". */
    wc_backend_op container_attach;
    /** Request "process" (JSON), "process-id", "attach"; response pid and stream handle. */
    wc_backend_op process_start;
    /** Request "process-id"; response status, pid, exit_code. */
    wc_backend_op process_state;
    /** Request "process-id"; waits for the end; response as process_state. */
    wc_backend_op process_wait;
    /** Request "process-id", "signal". */
    wc_backend_op process_kill;
    /** Request "path", "fd": writes a tar of the path to the descriptor. */
    wc_backend_op archive_get;
    /** Request "path", "fd": unpacks the tar that comes from the descriptor below the path. */
    wc_backend_op archive_put;
    /** Request "follow", "tail", "since", "until"; response handle: a log. */
    wc_backend_op logs_open;

    /** Streams: `handle` is what the response carried. This one as wc_stream_read(). */
    int32_t (*stream_read)(uintptr_t payload, wc_call *call, uintptr_t handle, int32_t *channel, void *data,
                           size_t size, size_t *got, int64_t timeout_ns);
    /** As wc_stream_write(). */
    int32_t (*stream_write)(uintptr_t payload, wc_call *call, uintptr_t handle, const void *data, size_t size,
                            size_t *put, int64_t timeout_ns);
    /** As wc_stream_close_write(). */
    int32_t (*stream_close_write)(uintptr_t payload, wc_call *call, uintptr_t handle);
    /** As wc_stream_resize(). */
    int32_t (*stream_resize)(uintptr_t payload, wc_call *call, uintptr_t handle, uint32_t columns, uint32_t rows);
    /** As wc_stream_fd(). */
    intptr_t (*stream_fd)(uintptr_t payload, uintptr_t handle);
    /** Frees the stream. */
    void (*stream_release)(uintptr_t payload, uintptr_t handle);

    /** The next log line into the response: channel, time and bytes. Semantics of wc_logs_next(). */
    int32_t (*logs_next)(uintptr_t payload, wc_call *call, uintptr_t handle, wc_response *response,
                         int64_t timeout_ns);
    /** As wc_logs_fd(). */
    intptr_t (*logs_fd)(uintptr_t payload, uintptr_t handle);
    /** Frees the log. */
    void (*logs_release)(uintptr_t payload, uintptr_t handle);

    /** Holds every process of a running container. */
    wc_backend_op container_pause;
    /** Lets them go on. */
    wc_backend_op container_resume;
    /** Request "resources" (JSON): new limits for a running container. */
    wc_backend_op container_update;
    /** Response json: what it uses now. */
    wc_backend_op container_stats;
    /** Response json: its processes. */
    wc_backend_op container_processes;
    /** Request "directory", "leave-running": writes the state of its processes there. */
    wc_backend_op container_checkpoint;
    /** Request "endpoint" (JSON): joins a running container to a network; response json: what it got. */
    wc_backend_op network_connect;
    /** Request "endpoint" (JSON): takes it off. */
    wc_backend_op network_disconnect;
    /** Request "group" (a path), "resources" (JSON): makes what holds containers together, and sets its limits; no
     * container. */
    wc_backend_op group_update;
    /** Request "group": takes it away; WC_OK when it is not there, WC_E_BUSY when something is in it. */
    wc_backend_op group_remove;
    /** Request "group", or the path of a container below one; response json: what it uses now. */
    wc_backend_op group_report;

    /** As wc_stream_write_fd(). */
    intptr_t (*stream_write_fd)(uintptr_t payload, uintptr_t handle);
} wc_backend_ops;

/**
 * Registers a backend with a context. The table is copied.
 *
 * @param free_payload called once, last, when the context ends or the registration fails; may be NULL.
 * Thread-safety: any thread. @return WC_OK, WC_E_INVALID (unknown tail, version, name), WC_E_EXISTS, or
 * what `open` gave. @since 0.1
 */
WC_API int32_t wc_backend_register(wc_context *context, const wc_backend_ops *ops, uintptr_t payload,
                                   void (*free_payload)(uintptr_t payload), wc_error **err);

/** The one entry of a loadable backend, named "wc_backend_plugin_v1". @since 0.1 */
typedef int32_t (*wc_backend_plugin)(const wc_backend_ops **ops, uintptr_t *payload,
                                     void (**free_payload)(uintptr_t payload));
/** Loads a backend from a shared object. @param path absolute. The object stays loaded.
 * @return WC_OK, WC_E_INVALID, WC_E_NOT_FOUND, WC_E_VERSION, or as wc_backend_register(). @since 0.1 */
WC_API int32_t wc_backend_load(wc_context *context, const char *path, wc_error **err);
/** Names of the backends of a context; the caller releases the list. @since 0.1 */
WC_API int32_t wc_backend_list(wc_context *context, wc_list **out, wc_error **err);

/* ---- Requests: lent texts, valid for the operation ---------------------------------------------- */

/** Id of the container, or "" for `open` and `info`. @since 0.1 */
WC_API const char *wc_request_container_id(const wc_request *request);
/** Configuration of the container as JSON, see docs/backends.md. @since 0.1 */
WC_API const char *wc_request_config(const wc_request *request);
/** Directory of the container that lives as long as it does. @since 0.1 */
WC_API const char *wc_request_state_dir(const wc_request *request);
/** Directory of the container that a reboot clears. @since 0.1 */
WC_API const char *wc_request_run_dir(const wc_request *request);
/** Number of overlay directories; 0 unless WC_BACKEND_LAYERS. @since 0.1 */
WC_API size_t wc_request_layer_count(const wc_request *request);
/** Overlay directory, the lowest first. @since 0.1 */
WC_API const char *wc_request_layer(const wc_request *request, size_t index);
/** A named text, or NULL. @since 0.1 */
WC_API const char *wc_request_string(const wc_request *request, const char *key);
/** A named number, or `fallback`. @since 0.1 */
WC_API int64_t wc_request_int(const wc_request *request, const char *key, int64_t fallback);

/* ---- Responses ----------------------------------------------------------------------------------- */

/** WC_STATUS_*. @since 0.1 */
WC_API void wc_response_set_status(wc_response *response, int32_t status);
/** Process id on the host. @since 0.1 */
WC_API void wc_response_set_pid(wc_response *response, int64_t pid);
/** Exit code and time of the end. @since 0.1 */
WC_API void wc_response_set_exit(wc_response *response, int32_t exit_code, int64_t finished_ns);
/** A stream or log of the backend; released by the matching _release operation. @since 0.1 */
WC_API void wc_response_set_handle(wc_response *response, uintptr_t handle);
/** Text or JSON, copied. @return WC_OK or WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_response_set_text(wc_response *response, const char *text);
/** One log line, copied. @return WC_OK or WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_response_set_line(wc_response *response, int32_t channel, int64_t time_ns, const void *data,
                                    size_t size);

/* ---- Calls --------------------------------------------------------------------------------------- */

/** WC_OK, or WC_E_CANCELLED / WC_E_TIMEOUT when the operation should end. Any thread. @since 0.1 */
WC_API int32_t wc_call_check(wc_call *call);
/** Readable when the operation is cancelled, or -1. Never read from it. A deadline does not show there: wait no longer
 * than wc_call_remaining(). @since 0.1 */
WC_API intptr_t wc_call_fd(wc_call *call);
/** Nanoseconds until the deadline; negative when there is none. @since 0.1 */
WC_API int64_t wc_call_remaining(wc_call *call);
/** Writes to the context's log. @since 0.1 */
WC_API void wc_call_log(wc_call *call, int32_t level, const char *message);
/** Sets the error of the call: `return wc_call_fail(call, WC_E_RUNTIME, WC_DOMAIN_EXIT, 3, "…");`
 * @return code. @since 0.1 */
WC_API int32_t wc_call_fail(wc_call *call, int32_t code, int32_t domain, int64_t native, const char *message);

WC_END_DECLS

#endif
