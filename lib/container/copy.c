/* SPDX-License-Identifier: Apache-2.0 */
/* Files between host and container, by the rules of `docker cp`: a directory that is there takes the
 * source under its own name, otherwise the source takes the target's name; "DIR/." is what DIR holds.
 * The backend works on its side in a thread; a tar goes over a socket between the two. */
#include <string.h>

#include "container/archive_input.h"
#include "container/container.h"
#include "container/files.h"
#include "container/mount_request.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/output.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/thread.h"
#include "platform/tree.h"

/* ---- The backend's side ------------------------------------------------------------------------- */

/* One end of the socket. */
typedef struct tar_end {
    wc_call *call;
    wci_fd fd;
    int is_closed; /* the other side closed its end before we were through */
} tar_end;

typedef struct transfer {
    wci_engine *engine;
    wci_container_record *record;
    const char *path; /* in the container */
    wci_ctr_call op;
    wci_op what;
    tar_end ours, theirs;
    wc_call their_call; /* of the thread */
    wci_thread *thread;
    int32_t code;
    wc_error *why;
} transfer;

static int32_t read_tar(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    tar_end *t = self;
    for (;;) {
        wci_poll_item item = {t->fd, WCI_POLL_READ, 0};
        wc_error *why = NULL;
        int ready;
        int32_t rc = wci_poll(t->call, &item, 1, -1, &ready, err);
        if (rc)
            return rc;
        rc = wci_fd_read_some(t->fd, data, size, got, &why);
        if (rc == WC_E_CLOSED) {
            wc_error_unref(why);
            t->is_closed = 1;
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
    tar_end *t = self;
    int32_t rc = wci_output_write(t->call, t->fd, data, size, err);
    t->is_closed |= rc == WC_E_CLOSED;
    return rc;
}

static int has_image_files(const transfer *t)
{
    return (wci_backend_capabilities(t->op.backend) & WC_BACKEND_IMAGE_FILES) != 0;
}

static int32_t copy_image_files(transfer *t)
{
    const wci_source from = {read_tar, &t->theirs};
    const wci_sink to = {write_tar, &t->theirs};
    return t->what == WCI_OP_ARCHIVE_GET ? wci_files_get(t->engine, t->record, t->path, &to, &t->why)
                                         : wci_files_put(t->engine, t->record, t->path, &from, &t->why);
}

static void work(void *arg)
{
    transfer *t = arg;
    if (!has_image_files(t) || wci_backend_has(t->op.backend, t->what))
        t->code = wci_ctr_call_run(&t->op, t->what, &t->their_call, &t->why);
    if (!t->code && has_image_files(t))
        t->code = copy_image_files(t);
    wci_fd_close(t->theirs.fd); /* the end of the stream for us */
}

/* What a stopped container has mounted is mounted for the copy, too. */
static int32_t add_storage(transfer *t, wc_error **err)
{
    wci_config config = {0};
    wci_mount_plan plan = WCI_MOUNT_PLAN_INIT;
    char *text = NULL;
    if (!(wci_backend_capabilities(t->op.backend) & WC_BACKEND_LAYERS))
        return WC_OK;
    int32_t rc = wci_config_from_json(t->record->config, &config, err);
    if (!rc)
        rc = wci_mount_plan_make(t->engine, &config, t->op.request.run_dir, &plan, err);
    if (!rc && (!(text = wci_mount_plan_text(&plan, NULL)) ||
                wci_request_set_string(&t->op.request, "storage", text)))
        rc = wci_err_nomem(err);
    wci_free(text);
    wci_mount_plan_free(&plan);
    wci_config_free(&config);
    return rc;
}

static int32_t prepare(transfer *t, wc_error **err)
{
    int32_t rc = wci_ctr_call_add_layers(&t->op, t->engine, t->record, err);
    if (!rc)
        rc = add_storage(t, err);
    if (!rc)
        rc = wci_pair(&t->ours.fd, &t->theirs.fd, err);
    if (!rc && (wci_request_set_string(&t->op.request, "path", t->path) ||
                wci_request_set_int(&t->op.request, "fd", (int64_t)t->theirs.fd)))
        rc = wci_err_nomem(err);
    return rc ? rc : wci_thread_start(&t->thread, work, t, err);
}

static void release(transfer *t)
{
    wci_ctr_call_free(&t->op);
    wci_container_record_free(t->record);
}

/* `path` is lent until the end. */
static int32_t begin(wc_call *call, wc_container *c, const char *path, wci_op what, transfer *t, wc_error **err)
{
    *t = (transfer){.engine = c->engine, .path = path, .what = what};
    t->their_call = (wc_call){.cancel = call->cancel, .log = call->log};
    t->ours = (tar_end){call, WCI_FD_NONE, 0};
    t->theirs = (tar_end){&t->their_call, WCI_FD_NONE, 0};
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &t->record, err);
    if (rc)
        return rc;
    rc = wci_ctr_call_init(call, c->engine, t->record, &t->op, err);
    if (rc) {
        wci_container_record_free(t->record);
        return rc;
    }
    rc = prepare(t, err);
    if (rc) {
        wci_fd_close(t->ours.fd);
        wci_fd_close(t->theirs.fd);
        release(t);
    }
    return rc;
}

/* `mine` is how our side ended, with *err set. Whoever failed first explains it: the other side then
 * only sees that the stream broke. */
static int32_t end(transfer *t, int32_t mine, wc_error **err)
{
    wci_fd_close(t->ours.fd);
    wci_thread_join(t->thread);
    release(t);
    if (t->code && (!mine || t->ours.is_closed)) {
        wci_err_clear(err);
        return t->why ? wci_err_move(err, t->why) : t->code;
    }
    wc_error_unref(t->why);
    return mine;
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

/* A target that is written so is meant to be one, and is not made for a file. */
static int names_directory(const char *path)
{
    return wci_ends_with(path, "/") || wci_ends_with(path, "/.");
}

static int32_t no_directory(const char *path, wc_error **err)
{
    return wci_err(err, WC_E_NOT_FOUND, "'%s': there is no such directory; make it first, or leave out the slash", path);
}

/* ---- Out ---------------------------------------------------------------------------------------- */

static int32_t apply(transfer *t, const char *host_dir, wc_error **err)
{
    const wci_source from = {read_tar, &t->ours};
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

static int32_t check_directory(const char *made, const char *host_path, wc_error **err)
{
    wci_file_info info;
    int32_t rc = wci_file_info_of(made, &info, err);
    return rc || info.type == WCI_FILE_DIRECTORY ? rc : no_directory(host_path, err);
}

/* Under another name: unpacked beside the target and renamed when whole. */
static int32_t fetch_as(wc_call *call, wc_container *c, const char *path, const char *target, const char *host_path,
                        wc_error **err)
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
        if (!rc && names_directory(host_path))
            rc = check_directory(made, host_path, err);
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
        rc = is_dir ? fetch(call, c, source, real ? real : target, err) : fetch_as(call, c, source, target, host_path, err);
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
        const wci_sink to = {write_tar, &t.ours};
        rc = end(&t, wci_tar_pack(parent, contents ? "" : wci_path_base(source), contents ? "." : as, &to, NULL, err),
                 err);
    }
    wci_fd_close(parent);
    wci_free(above);
    wci_free(source);
    return rc;
}

/* In what the image and the container's own changes are together. */
static int32_t is_directory_of_rootfs(wc_container *c, const wci_container_record *record, const char *path, int *out,
                                      wc_error **err)
{
    wci_rootfs rootfs = {NULL, 0, 0};
    wci_file_info info;
    int32_t rc = wci_ctr_rootfs(c->engine, record, &rootfs, err);
    if (!rc)
        *out = !wci_rootfs_info(&rootfs, path, NULL, &info, NULL) && info.type == WCI_FILE_DIRECTORY;
    wci_rootfs_free(&rootfs);
    return rc;
}

/* The backend alone knows what is mounted there; it unpacks, be it nothing, in directories only. */
static int32_t takes_an_archive(wc_call *call, wc_container *c, const char *path, int *out, wc_error **err)
{
    static const char end_of_archive[1024];
    transfer t;
    wc_error *why = NULL;
    int32_t rc = begin(call, c, path, WCI_OP_ARCHIVE_PUT, &t, &why);
    if (!rc)
        rc = end(&t, write_tar(&t.ours, end_of_archive, sizeof end_of_archive, &why), &why);
    *out = rc == WC_OK;
    if (rc && rc != WC_E_NOT_FOUND && rc != WC_E_INVALID)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

/* Whether the container has a directory there, links followed inside. */
static int32_t is_directory(wc_call *call, wc_container *c, const char *path, int *out, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_ctr_call op;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (!rc)
        rc = wci_ctr_call_init(call, c->engine, record, &op, err);
    if (!rc) {
        int of_rootfs = (wci_backend_capabilities(op.backend) & WC_BACKEND_IMAGE_FILES) != 0;
        wci_ctr_call_free(&op);
        rc = of_rootfs ? is_directory_of_rootfs(c, record, path, out, err) : takes_an_archive(call, c, path, out, err);
    }
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
    if (!rc && !there && names_directory(path) && info.type != WCI_FILE_DIRECTORY)
        rc = no_directory(path, err);
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

/* ---- As a stream of the caller's ---------------------------------------------------------------- */

enum { PIECE_SIZE = 64 * 1024 };

static int32_t pass_on(int32_t (*read)(void *, void *, size_t, size_t *, wc_error **), void *from,
                       int32_t (*write)(void *, const void *, size_t, wc_error **), void *to, wc_error **err)
{
    char *piece = wci_malloc(PIECE_SIZE);
    size_t got = 0;
    int32_t rc = piece ? WC_OK : wci_err_nomem(err);
    while (!rc) {
        rc = read(from, piece, PIECE_SIZE, &got, err);
        if (rc || !got)
            break;
        rc = write(to, piece, got, err);
    }
    wci_free(piece);
    return rc;
}

static int32_t take_in(transfer *t, wci_fd fd, wc_error **err)
{
    wci_archive_input in = {.call = t->ours.call, .fd = fd, .taker = t->ours.fd};
    wci_decoder *decoder = NULL;
    int32_t rc = wci_archive_input_open(&in, &decoder, err);
    if (!rc)
        rc = pass_on(wci_decoder_read, decoder, write_tar, &t->ours, err);
    t->ours.is_closed |= in.taker_closed;
    wci_decoder_free(decoder);
    return rc;
}

int32_t wci_ctr_put_archive(wc_call *call, wc_container *c, const char *dir, wci_fd fd, wc_error **err)
{
    transfer t;
    int32_t rc = begin(call, c, dir, WCI_OP_ARCHIVE_PUT, &t, err);
    if (!rc)
        rc = end(&t, take_in(&t, fd, err), err);
    return rc ? wci_err_wrap(err, rc, "container '%.12s', directory '%s'", c->id, dir) : WC_OK;
}

int32_t wci_ctr_get_archive(wc_call *call, wc_container *c, const char *path, wci_fd fd, wc_error **err)
{
    transfer t;
    wci_output out = {call, fd};
    char *source = is_contents(path) ? wci_strdup(path) : trimmed(path);
    int32_t rc = source ? begin(call, c, source, WCI_OP_ARCHIVE_GET, &t, err) : wci_err_nomem(err);
    if (!rc)
        rc = end(&t, pass_on(read_tar, &t.ours, wci_output_take, &out, err), err);
    wci_free(source);
    return rc ? wci_err_wrap(err, rc, "container '%.12s', path '%s'", c->id, path) : WC_OK;
}
