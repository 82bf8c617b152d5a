/* SPDX-License-Identifier: Apache-2.0 */
/* Into the Docker Engine of this machine: an archive in a scratch directory, which it then loads. */
#include "core/alloc.h"
#include "core/error.h"
#include "image/outlet.h"
#include "registry/docker_engine.h"

typedef struct daemon_outlet {
    wci_outlet base;   /* first */
    wci_outlet *inner; /* writes the archive */
    wci_docker_engine *engine;
    wci_scratch scratch;
    char *path;
    wc_call *call; /* of the opening, which outlives us */
} daemon_outlet;

static int32_t put(wc_call *call, wci_outlet *outlet, wci_outgoing *image, wc_error **err)
{
    wci_outlet *inner = ((daemon_outlet *)outlet)->inner;
    return inner->ops->put(call, inner, image, err);
}

static int32_t finish(wci_outlet *outlet, wc_error **err)
{
    daemon_outlet *d = (daemon_outlet *)outlet;
    wci_fd fd = WCI_FD_NONE;
    wci_file_info info;
    int32_t code = d->inner->ops->finish(d->inner, err);
    if (!code)
        code = wci_file_open(d->path, WCI_OPEN_READ, 0, &fd, err);
    if (!code)
        code = wci_fd_info(fd, &info, err);
    if (!code)
        code = wci_docker_engine_load(d->call, d->engine, fd, info.size, err);
    wci_fd_close(fd);
    return code;
}

static void close_daemon(wci_outlet *outlet)
{
    daemon_outlet *d = (daemon_outlet *)outlet;
    wci_outlet_close(d->inner);
    wci_docker_engine_close(d->engine);
    if (d->scratch.dir)
        wci_scratch_free(&d->scratch);
    wci_free(d->path);
    wci_free(d);
}

static const wci_outlet_ops daemon_ops = {NULL, put, NULL, NULL, finish, close_daemon, NULL};

int32_t wci_outlet_open_daemon(wc_call *call, wci_store *store, const wci_place *place, wci_outlet **out, wc_error **err)
{
    daemon_outlet *d = wci_calloc(1, sizeof *d);
    if (!d)
        return wci_err_nomem(err);
    d->base.ops = &daemon_ops;
    d->base.takes_tars = 1;
    d->call = call;
    int32_t code = wci_docker_engine_open(call, &d->engine, err);
    if (!code)
        code = wci_scratch_new(store, &d->scratch, err);
    if (!code && !(d->path = wci_path_join(d->scratch.dir, "image.tar")))
        code = wci_err_nomem(err);
    if (!code) {
        const wci_place archive = {.kind = WCI_PLACE_DOCKER_ARCHIVE, .path = d->path, .ref = place->ref};
        code = wci_outlet_open_docker(&archive, &d->inner, err);
    }
    if (code) {
        close_daemon(&d->base);
        return code;
    }
    *out = &d->base;
    return WC_OK;
}
