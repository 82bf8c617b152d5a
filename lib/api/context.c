/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/context.h"

#include <wincontainer/container.h>

#include "core/alloc.h"
#include "core/cancel.h"
#include "core/json.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/owners.h"

struct wc_context_options {
    char *root, *run_root, *backend, *runtime, *helper, *cgroup_driver, *network_helper;
    int32_t log_level;
    uint32_t max_transfers; /* 0: the default */
    uint64_t bandwidth;     /* 0: not limited */
};

#define DEFAULT_TRANSFERS 16
#define MAX_TRANSFERS 1024
#define MIN_BANDWIDTH 1024

int32_t wc_set_allocator(const wc_allocator *allocator, wc_error **err)
{
    WCI_REQUIRE(allocator, "allocator is NULL");
    return wci_set_allocator(allocator, err);
}

/* ---- Options ------------------------------------------------------------------------------------ */

int32_t wc_context_options_new(wc_context_options **out, wc_error **err)
{
    WCI_REQUIRE(out, "out is NULL");
    wc_context_options *options = wci_calloc(1, sizeof *options);
    if (!options)
        return wci_err_nomem(err);
    *out = options;
    return WC_OK;
}

void wc_context_options_unref(wc_context_options *options)
{
    if (!options)
        return;
    wci_free(options->root);
    wci_free(options->run_root);
    wci_free(options->backend);
    wci_free(options->runtime);
    wci_free(options->cgroup_driver);
    wci_free(options->network_helper);
    wci_free(options->helper);
    wci_free(options);
}

int wci_api_attach_is_valid(uint64_t attach)
{
    uint64_t streams = WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR;
    return (attach & streams) && !(attach & ~(streams | WC_ATTACH_WAIT | WC_ATTACH_ONCE)) &&
           (!(attach & WC_ATTACH_ONCE) || (attach & WC_ATTACH_STDIN));
}

int32_t wci_api_refuse(const char *function, const char *what, wc_error **err)
{
    if (wci_starts_with(function, "wc_"))
        return wci_err(err, WC_E_INVALID, "%s: %s", function, what);
    return wci_err(err, WC_E_INVALID, "%s", what);
}

static int32_t set_text(char **field, const char *text, wc_error **err)
{
    return wci_replace(field, text) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_context_options_set_root(wc_context_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options && path && *path, "options or path is empty");
    return set_text(&options->root, path, err);
}

int32_t wc_context_options_set_run_root(wc_context_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options && path && *path, "options or path is empty");
    return set_text(&options->run_root, path, err);
}

int32_t wc_context_options_set_backend(wc_context_options *options, const char *name, wc_error **err)
{
    WCI_REQUIRE(options && name && *name, "options or name is empty");
    return set_text(&options->backend, name, err);
}

int32_t wc_context_options_set_runtime(wc_context_options *options, const char *runtime, wc_error **err)
{
    WCI_REQUIRE(options && runtime && *runtime, "options or runtime is empty");
    return set_text(&options->runtime, runtime, err);
}

int32_t wc_context_options_set_helper(wc_context_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options && path && wci_path_is_absolute(path), "path is not absolute");
    return set_text(&options->helper, path, err);
}

int32_t wc_context_options_set_cgroup_driver(wc_context_options *options, const char *driver, wc_error **err)
{
    WCI_REQUIRE(options && driver && (!strcmp(driver, "cgroupfs") || !strcmp(driver, "systemd")),
                "driver is neither \"cgroupfs\" nor \"systemd\"");
    return set_text(&options->cgroup_driver, driver, err);
}

int32_t wc_context_options_set_network_helper(wc_context_options *options, const char *program, wc_error **err)
{
    WCI_REQUIRE(options && program && *program, "options or program is empty");
    WCI_REQUIRE(!strcmp(program, "pasta") || !strcmp(program, "slirp4netns") || wci_path_is_absolute(program),
                "program is neither \"pasta\" nor \"slirp4netns\" nor an absolute path");
    return set_text(&options->network_helper, program, err);
}

int32_t wc_context_options_set_log_level(wc_context_options *options, int32_t level, wc_error **err)
{
    WCI_REQUIRE(options && level >= WC_LOG_NONE && level <= WC_LOG_DEBUG, "level is not one of WC_LOG_*");
    options->log_level = level;
    return WC_OK;
}

int32_t wc_context_options_set_max_transfers(wc_context_options *options, uint32_t count, wc_error **err)
{
    WCI_REQUIRE(options && count >= 1 && count <= MAX_TRANSFERS, "count is not from 1 to 1024");
    options->max_transfers = count;
    return WC_OK;
}

int32_t wc_context_options_set_bandwidth(wc_context_options *options, int64_t bytes_per_second, wc_error **err)
{
    WCI_REQUIRE(options && (bytes_per_second == 0 || bytes_per_second >= MIN_BANDWIDTH),
                "bytes_per_second is neither 0 nor at least 1024");
    options->bandwidth = (uint64_t)bytes_per_second;
    return WC_OK;
}

/* ---- Opening ------------------------------------------------------------------------------------ */

typedef struct places {
    char *root, *run_root;
} places;

static char *default_run_root(const wc_context_options *options, const char *root)
{
    if (options->run_root)
        return wci_strdup(options->run_root);
    return options->root ? wci_path_join(root, "run") : wci_host_default_run_root();
}

static int32_t find_places(const wc_context_options *options, places *out, wc_error **err)
{
    char *root = options->root ? wci_strdup(options->root) : wci_host_default_root();
    char *run_root = root ? default_run_root(options, root) : NULL;
    int32_t rc = root && run_root ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = wci_path_absolute(root, &out->root, err);
    if (!rc)
        rc = wci_path_absolute(run_root, &out->run_root, err);
    wci_free(root);
    wci_free(run_root);
    return rc;
}

static int32_t fill_settings(const wc_context_options *options, const places *at, wc_request *settings,
                             wc_error **err)
{
    if (wci_request_set_string(settings, "root", at->root) ||
        wci_request_set_string(settings, "run-root", at->run_root) ||
        (options->runtime && wci_request_set_string(settings, "runtime", options->runtime)) ||
        (options->helper && wci_request_set_string(settings, "helper", options->helper)) ||
        (options->network_helper && wci_request_set_string(settings, "network-helper", options->network_helper)) ||
        (options->cgroup_driver && wci_request_set_string(settings, "cgroup-driver", options->cgroup_driver)))
        return wci_err_nomem(err);
    return WC_OK;
}

static int32_t open_engine(wc_call *call, const wc_context_options *options, const places *at, wci_log *log,
                           wci_engine **out, wc_error **err)
{
    wc_request settings = {0};
    wci_store *store = NULL;
    wci_backends *backends = NULL;
    wci_traffic *traffic = NULL;
    uint32_t transfers = options->max_transfers ? options->max_transfers : DEFAULT_TRANSFERS;
    int32_t rc = fill_settings(options, at, &settings, err);
    if (!rc)
        rc = wci_traffic_new(transfers, options->bandwidth, &traffic, err);
    if (!rc)
        rc = wci_owners_use(options->helper, at->run_root, err);
    if (!rc)
        rc = wci_store_open(call, at->root, at->run_root, 0, &store, err);
    if (!rc)
        rc = wci_backends_new(&settings, &backends, err);
    if (!rc)
        rc = wci_engine_new(log, traffic, store, backends, options->backend ? options->backend : "process", out, err);
    wci_request_free(&settings);
    if (rc) {
        wci_backends_free(backends);
        wci_store_unref(store);
        wci_traffic_free(traffic);
    }
    return rc;
}

int32_t wc_context_open(const wc_context_options *options, wc_cancel *cancel, wc_context **out, wc_error **err)
{
    static const wc_context_options defaults;
    wci_log *log = NULL;
    places at = {NULL, NULL};
    WCI_REQUIRE(out, "out is NULL");
    if (!options)
        options = &defaults;
    wci_json_seed();
    wc_context *context = wci_calloc(1, sizeof *context);
    int32_t rc = context ? wci_log_new(options->log_level, &log, err) : wci_err_nomem(err);
    wc_call call = {.cancel = cancel, .log = log};
    if (!rc)
        rc = wci_cancel_check_fork(cancel, err);
    if (!rc)
        rc = find_places(options, &at, err);
    if (!rc)
        rc = open_engine(&call, options, &at, log, &context->engine, err);
    wci_free(at.root);
    wci_free(at.run_root);
    if (rc) {
        wci_log_free(log);
        wci_free(context);
        return rc;
    }
    wci_ref_init(&context->refs);
    *out = context;
    return WC_OK;
}

int32_t wci_api_begin(wc_context *context, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    if (!context)
        return wci_err(err, WC_E_INVALID, "context is NULL");
    return wci_api_begin_engine(context->engine, cancel, call, err);
}

int32_t wci_api_begin_engine(wci_engine *engine, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    *call = (wc_call){.cancel = cancel, .log = engine->log, .traffic = engine->traffic};
    int32_t rc = wci_store_check_fork(engine->store, err);
    return rc ? rc : wci_cancel_check_fork(cancel, err);
}

int wci_api_is_ours(const wci_engine *engine)
{
    return wci_store_check_fork(engine->store, NULL) == WC_OK;
}

wc_context *wc_context_ref(wc_context *context)
{
    if (context)
        wci_ref_take(&context->refs);
    return context;
}

void wc_context_unref(wc_context *context)
{
    if (!context || !wci_ref_drop(&context->refs))
        return;
    wci_engine_unref(context->engine);
    wci_free(context);
}

const char *wc_context_root(const wc_context *context)
{
    return context ? wci_store_root(context->engine->store) : "";
}

const char *wc_context_backend(const wc_context *context)
{
    return context ? context->engine->default_backend : "";
}

int32_t wc_context_next_log(wc_context *context, int32_t *level, int64_t *time_ns, wc_buf **message)
{
    if (!context || !message)
        return WC_E_INVALID;
    if (!wci_api_is_ours(context->engine))
        return WC_E_FORKED;
    return wci_log_take(context->engine->log, level, time_ns, message);
}
