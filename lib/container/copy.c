/* SPDX-License-Identifier: Apache-2.0 */
/* Files between host and container, by the rules of `docker cp`: a directory that is there takes the
 * source under its own name, otherwise the source takes the target's name; "DIR/." is what DIR holds.
 * The backend works on its side in a thread; a tar goes over a socket between the two. */
#include <string.h>

#include "container/container.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/thread.h"
#include "platform/tree.h"

/* ---- The backend's side ------------------------------------------------------------------------- */

typedef struct transfer {
    wc_call *call;
    wci_ctr_call op;
    wci_op what;
    wci_fd ours, theirs;
    wci_thread *thread;
    int32_t code;
    wc_error *why;
} transfer;

static void work(void *arg)
{
    transfer *t = arg;
    wc_call call = {.cancel = t->call->cancel, .log = t->call->log};
    t->code = wci_ctr_call_run(&t->op, t->what, &call, &t->why);
    wci_fd_close(t->theirs); /* the end of the stream for us */
}

static int32_t begin(wc_call *call, wc_container *c, const char *path, wci_op what, transfer *t, wc_error **err)
{
    wci_container_record *record = NULL;
    *t = (transfer){.call = call, .what = what, .ours = WCI_FD_NONE, .theirs = WCI_FD_NONE};
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (rc)
        return rc;
    rc = wci_ctr_call_init(call, c->engine, record, &t->op, err);
    if (!rc) {
        rc = wci_ctr_call_add_layers(&t->op, c->engine, record, err);
        if (!rc)
            rc = wci_pair(&t->ours, &t->theirs, err);
        if (!rc && (wci_request_set_string(&t->op.request, "path", path) ||
                    wci_request_set_int(&t->op.request, "fd", (int64_t)t->theirs)))
            rc = wci_err_nomem(err);
        if (!rc)
            rc = wci_thread_start(&t->thread, work, t, err);
        if (rc) {
            wci_fd_close(t->ours);
            wci_fd_close(t->theirs);
            wci_ctr_call_free(&t->op);
        }
    }
    wci_container_record_free(record);
    return rc;
}

/* `mine` is how our side ended, with *err set; the backend's own failure explains more. */
static int32_t end(transfer *t, int32_t mine, wc_error **err)
{
    wci_fd_close(t->ours);
    wci_thread_join(t->thread);
    wci_ctr_call_free(&t->op);
    if (t->code) {
        wci_err_clear(err);
        return t->why ? wci_err_move(err, t->why) : t->code;
    }
    wc_error_unref(t->why);
    return mine;
}

static int32_t read_tar(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    transfer *t = self;
    for (;;) {
        wci_poll_item item = {t->ours, WCI_POLL_READ, 0};
        wc_error *why = NULL;
        int ready;
        int32_t rc = wci_poll(t->call, &item, 1, -1, &ready, err);
        if (rc)
            return rc;
        rc = wci_fd_read_some(t->ours, data, size, got, &why);
        if (rc == WC_E_CLOSED) {
            wc_error_unref(why);
            *got = 0;
            return WC_OK;
        }
        if (rc)
            return wci_err_move(err, why);
        if (*got)
            return WC_OK;
    }
}

static int32_t write_tar(void *self, const void *data, size_t size, wc_error **err)
{
    transfer *t = self;
    const char *p = data;
    while (size) {
        size_t put = 0;
        int32_t rc = wci_fd_write_some(t->ours, p, size, &put, err);
        if (rc)
            return rc;
        p += put;
        size -= put;
        wci_poll_item item = {t->ours, WCI_POLL_WRITE, 0};
        int ready;
        if (size && (rc = wci_poll(t->call, &item, 1, -1, &ready, err)))
            return rc;
    }
    return WC_OK;
}

/* ---- Names -------------------------------------------------------------------------------------- */

/* Without slashes at the end; "/" stays. */
static char *trimmed(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return wci_strndup(path, n);
}

static int is_contents(const char *path)
{
    return wci_ends_with(path, "/.") || !strcmp(path, ".") || !strcmp(path, "/");
}

/* ---- Out ---------------------------------------------------------------------------------------- */

static int32_t apply(transfer *t, const char *host_dir, wc_error **err)
{
    const wci_source from = {read_tar, t};
    wci_unpack_stats stats = {0};
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = wci_tree_open_root(host_dir, &dir, err);
    if (!rc)
        rc = wci_tar_apply(&from, dir, 0, &wci_limits_default, NULL, &stats, err);
    wci_strv_free(&stats.skipped);
    wci_fd_close(dir);
    return rc;
}

static int32_t fetch(wc_call *call, wc_container *c, const char *path, const char *host_dir, wc_error **err)
{
    transfer t;
    int32_t rc = begin(call, c, path, WCI_OP_ARCHIVE_GET, &t, err);
    if (!rc)
        rc = end(&t, apply(&t, host_dir, err), err);
    return rc ? wci_err_wrap(err, rc, "container '%.12s', path '%s'", c->id, path) : WC_OK;
}

/* Under another name: unpacked beside the target and renamed when whole. */
static int32_t fetch_as(wc_call *call, wc_container *c, const char *path, const char *target, wc_error **err)
{
    char random[17];
    char *parent = wci_path_parent(target), *scratch = NULL, *made = NULL;
    int32_t rc = parent ? wci_random_hex(8, random, err) : wci_err_nomem(err);
    if (!rc && !(scratch = wci_asprintf("%s/.wc-cp-%s", parent, random)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_dir_make_new(scratch, 0700, err);
    if (!rc) {
        rc = fetch(call, c, path, scratch, err);
        if (!rc && !(made = wci_path_join(scratch, wci_path_base(path))))
            rc = wci_err_nomem(err);
        if (!rc)
            rc = wci_file_rename(made, target, err);
        wci_dir_remove_all(scratch, NULL);
    }
    wci_free(made);
    wci_free(scratch);
    wci_free(parent);
    return rc;
}

int32_t wci_ctr_copy_out(wc_call *call, wc_container *c, const char *path, const char *host_path, wc_error **err)
{
    wci_file_info info;
    char *target = NULL, *real = NULL, *source = is_contents(path) ? wci_strdup(path) : trimmed(path);
    int32_t rc = source ? wci_path_absolute(host_path, &target, err) : wci_err_nomem(err);
    int there = !rc && !wci_path_real(target, &real, NULL) && !wci_file_info_of(real, &info, NULL);
    int is_dir = there && info.type == WCI_FILE_DIRECTORY;
    if (!rc && !there && is_contents(path)) {
        rc = wci_dir_make_new(target, 0755, err);
        is_dir = !rc;
    }
    if (!rc)
        rc = is_dir ? fetch(call, c, source, real ? real : target, err) : fetch_as(call, c, source, target, err);
    wci_free(real);
    wci_free(target);
    wci_free(source);
    return rc;
}

/* ---- In ----------------------------------------------------------------------------------------- */

static int32_t send(wc_call *call, wc_container *c, const char *host_path, const char *dir, const char *as,
                    wc_error **err)
{
    transfer t;
    wci_fd parent = WCI_FD_NONE;
    int contents = is_contents(host_path);
    char *source = trimmed(host_path);
    char *above = !source ? NULL : contents ? wci_strdup(source) : wci_path_parent(source);
    int32_t rc = above ? wci_tree_open_root(above, &parent, err) : wci_err_nomem(err);
    if (!rc)
        rc = begin(call, c, dir, WCI_OP_ARCHIVE_PUT, &t, err);
    if (!rc) {
        const wci_sink to = {write_tar, &t};
        rc = end(&t, wci_tar_pack(parent, contents ? "" : wci_path_base(source), contents ? "." : as, &to, NULL, err),
                 err);
    }
    wci_fd_close(parent);
    wci_free(above);
    wci_free(source);
    return rc;
}

/* Whether the container has a directory there, links followed inside. */
static int32_t is_directory(wc_call *call, wc_container *c, const char *path, int *out, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_rootfs rootfs = {NULL, 0, 0};
    wci_file_info info;
    char *inside = NULL, *level = NULL;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (!rc)
        rc = wci_ctr_rootfs(c->engine, record, &rootfs, err);
    if (!rc)
        *out = !wci_rootfs_resolve(&rootfs, path, &inside, NULL) &&
               !wci_view_lookup(rootfs.levels, rootfs.count, inside, &level, NULL) &&
               !wci_file_info_of(level, &info, NULL) && info.type == WCI_FILE_DIRECTORY;
    wci_free(level);
    wci_free(inside);
    wci_rootfs_free(&rootfs);
    wci_container_record_free(record);
    return rc;
}

int32_t wci_ctr_copy_in(wc_call *call, wc_container *c, const char *host_path, const char *path, wc_error **err)
{
    wci_file_info info;
    int there = 0;
    char *target = trimmed(path), *parent = NULL;
    int32_t rc = target ? wci_file_info_of(host_path, &info, err) : wci_err_nomem(err);
    if (!rc)
        rc = is_directory(call, c, target, &there, err);
    if (!rc && !there && !(parent = wci_path_parent(target)))
        rc = wci_err_nomem(err);
    char *source = rc ? NULL : trimmed(host_path);
    if (!rc && !source)
        rc = wci_err_nomem(err);
    if (!rc)
        rc = send(call, c, host_path, there ? target : parent, wci_path_base(there ? source : target), err);
    wci_free(source);
    wci_free(parent);
    wci_free(target);
    return rc;
}
