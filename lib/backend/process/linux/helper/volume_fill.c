/* SPDX-License-Identifier: Apache-2.0 */
/* An empty volume gets what the image has at its target. Others may have the volume mounted already, so its directory
 * stays the same one: the copy is made beside it, and when it is whole its entries are moved. Whoever is killed before
 * that leaves a copy that the next one makes again; whoever is killed later leaves a whole one, which the next one
 * moves on. All this happens with the volume's lock held. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/process/linux/helper/volumes.h"
#include "core/alloc.h"
#include "core/error.h"
#include "layer/attrs.h"
#include "layer/layer.h"
#include "platform/tree.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

/* Where the copy is made: beside `data`, or for what is mounted in the volume's place below its root. */
typedef struct stage {
    wci_fd parent, base;
    const char *copy, *whole;
} stage;

static int32_t go_on(wc_error **err)
{
    return link_cancelled() ? wci_err(err, WC_E_CANCELLED, "the caller gave it up") : WC_OK;
}

/* *out is WCI_FD_NONE when the image has nothing there. */
static int32_t open_source(wci_fd root, const char *path, wci_fd *out, wc_error **err)
{
    wci_file_info info;
    wc_error *why = NULL;
    int32_t rc = wci_tree_resolve(root, path, out, &why);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        *out = WCI_FD_NONE;
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    rc = wci_fd_info(*out, &info, err);
    if (!rc && info.type != WCI_FILE_DIRECTORY)
        rc = wci_err(err, WC_E_INVALID,
                     "the image has a file there, and a volume is a directory; mount it somewhere else");
    return rc;
}

static int has_entry(wci_fd dir, const char *name)
{
    wci_node_info info;
    return !wci_tree_stat(dir, name, &info, NULL);
}

static int32_t is_empty(const stage *s, int *empty, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_tree_list(s->base, &names, err);
    *empty = 1;
    for (size_t i = 0; i < names.count; i++) /* what is ours, and what a new file system has */
        *empty &= !strcmp(names.items[i], s->copy) || !strcmp(names.items[i], "lost+found");
    wci_strv_free(&names);
    return rc;
}

/* ---- Moving ------------------------------------------------------------------------------------- */

/* Somebody who has the volume mounted may have made one of that name meanwhile: his stays. */
static int32_t move_entry(const stage *s, wci_fd whole, const char *name, wc_error **err)
{
    if (syscall(SYS_renameat2, (int)whole, name, (int)s->base, name, RENAME_NOREPLACE) == 0)
        return WC_OK;
    if (errno == EEXIST)
        return wci_tree_remove(whole, name, err);
    return wci_err_errno(err, errno, "'%s' cannot be moved into the volume", name);
}

static int32_t take_attributes(const stage *s, wci_fd whole, wc_error **err)
{
    wci_attrs_read read;
    wci_attr_rules rules;
    wci_attr_rules_init(&rules, NULL);
    rules.always_chown = 1; /* it need not be new */
    int32_t rc = wci_attrs_read_of(whole, NULL, &read, err);
    if (rc)
        return rc;
    rc = wci_attrs_apply(&rules, s->base, NULL, WCI_NODE_DIR, &read.attrs, ".", err);
    wci_attrs_read_free(&read);
    return rc;
}

/* Goes on where another one was killed. */
static int32_t move_whole(const stage *s, wc_error **err)
{
    wci_fd whole = WCI_FD_NONE;
    wci_strv names = WCI_STRV_INIT;
    wci_node_info info;
    int32_t rc = wci_tree_open_dir(s->parent, s->whole, &whole, err);
    if (!rc)
        rc = wci_tree_stat(whole, NULL, &info, err);
    if (!rc)
        rc = wci_tree_list(whole, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++)
        rc = move_entry(s, whole, names.items[i], err);
    if (!rc) /* moving has changed its time */
        rc = wci_tree_set_mtime(whole, NULL, info.mtime_sec, info.mtime_nsec, err);
    if (!rc)
        rc = take_attributes(s, whole, err);
    if (!rc)
        rc = wci_tree_remove(s->parent, s->whole, err);
    wci_strv_free(&names);
    wci_fd_close(whole);
    return rc;
}

/* ---- Copying ------------------------------------------------------------------------------------ */

static int32_t copy_beside(const stage *s, wci_fd source, wc_error **err)
{
    wci_fd copy = WCI_FD_NONE;
    int32_t rc = has_entry(s->parent, s->copy) ? wci_tree_remove(s->parent, s->copy, err) : WC_OK;
    if (!rc)
        rc = wci_tree_make_dir(s->parent, s->copy, 0755, err);
    if (!rc)
        rc = wci_tree_open_dir(s->parent, s->copy, &copy, err);
    if (!rc)
        rc = wci_tree_copy(source, copy, go_on, err);
    wci_fd_close(copy);
    if (!rc && renameat((int)s->parent, s->copy, (int)s->parent, s->whole) != 0)
        rc = wci_err_errno(err, errno, "the copy of what the image has there");
    return rc;
}

static int32_t fill_stage(const stage *s, wci_fd root, const char *target, wc_error **err)
{
    wci_fd source = WCI_FD_NONE;
    int empty = 0;
    if (has_entry(s->parent, s->whole))
        return move_whole(s, err);
    int32_t rc = is_empty(s, &empty, err);
    if (rc || !empty)
        return rc;
    rc = open_source(root, target, &source, err);
    if (!rc && source != WCI_FD_NONE) {
        rc = copy_beside(s, source, err);
        if (!rc)
            rc = move_whole(s, err);
    }
    wci_fd_close(source);
    return rc;
}

/* Waits for others that fill it, however long that takes them. */
static int32_t lock_volume(const request *req, const char *name, wci_lock **lock, wc_error **err)
{
    char *path = wci_asprintf("%s/locks/volume-%s", req->store_root, name);
    int32_t rc = path ? WC_OK : wci_err_nomem(err);
    while (!rc) {
        rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, lock, err);
        if (rc != WC_E_BUSY)
            break;
        wci_err_clear(err);
        poll(NULL, 0, 2);
        rc = go_on(err);
    }
    wci_free(path);
    return rc;
}

static int32_t fill_locked(const volume *v, wci_fd root, const char *base, wc_error **err)
{
    stage s = {WCI_FD_NONE, WCI_FD_NONE, "copy", "whole"};
    int32_t rc = wci_tree_open_root(base, &s.base, err);
    if (!rc && *v->fs_type) {
        s.copy = ".wincontainer-copy";
        s.whole = ".wincontainer-whole";
        rc = wci_tree_reopen(s.base, &s.parent, err);
    } else if (!rc) {
        rc = wci_tree_open_root(v->source, &s.parent, err);
    }
    if (!rc)
        rc = fill_stage(&s, root, v->target, err);
    wci_fd_close(s.parent);
    wci_fd_close(s.base);
    return rc;
}

int32_t volume_fill(const request *req, const volume *v, wci_fd root, const char *base, wc_error **err)
{
    wci_lock *lock = NULL;
    int32_t rc = lock_volume(req, v->name, &lock, err);
    if (rc)
        return rc;
    rc = fill_locked(v, root, base, err);
    wci_lock_release_remove(lock);
    return rc;
}
