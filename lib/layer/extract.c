/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/extract.h"

#include <string.h>

#include "core/error.h"
#include "layer/holes.h"
#include "layer/windows_attrs.h"

enum { MODE_WHILE_MAKING = 0700, MAX_LEFT_OUT = 1024 };

static int32_t expect_windows(wci_extract *x, wc_error **err)
{
    if (!x->cases && !(x->cases = wci_case_set_new()))
        return wci_err_nomem(err);
    return WC_OK;
}

int32_t wci_extract_init(wci_extract *x, wci_fd root, const wci_limits *limits, int is_ours,
                         wci_strv *skipped, wc_error **err)
{
    memset(x, 0, sizeof *x);
    x->limits = limits;
    x->is_ours = is_ours;
    wci_attr_rules_init(&x->rules, skipped);
    x->rules.always_chown = !is_ours; /* a setgid directory may be the parent */
    int32_t rc = wci_dirs_new(root, &x->dirs, err);
    if (rc)
        return rc;
    return limits->target_windows ? expect_windows(x, err) : WC_OK;
}

void wci_extract_free(wci_extract *x)
{
    wci_dirs_free(x->dirs);
    wci_case_set_free(x->cases);
    wci_str_free(&x->path);
    wci_str_free(&x->target);
    wci_str_free(&x->last_path);
    wci_str_free(&x->stream_owner);
    wci_strv_free(&x->left_out);
    wci_later_free(&x->later);
}

/* ---- Windows ---------------------------------------------------------------------------------- */

/* The stream of the entry before it is the one name with a colon that there may be. */
static int32_t check_windows_name(wci_extract *x, const wci_tar_entry *entry, wc_error **err)
{
    const char *path = x->path.data;
    int is_owner = entry->type == WCI_ENTRY_FILE || entry->type == WCI_ENTRY_DIR;
    if (entry->type == WCI_ENTRY_FILE && x->stream_owner.size &&
        wci_windows_is_stream_of(path, x->stream_owner.data))
        return WC_OK;
    int32_t rc = wci_path_check_windows(path, err);
    if (rc)
        return rc;
    wci_str_clear(&x->stream_owner);
    if (is_owner)
        wci_str_append(&x->stream_owner, path);
    return x->stream_owner.failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t check_windows_target(wci_extract *x, const char *link, wc_error **err)
{
    int32_t rc = wci_path_clean(link, x->limits, "its target", &x->target, err);
    return rc ? rc : wci_path_check_windows(x->target.data, err);
}

static int32_t check_windows(wci_extract *x, const wci_tar_entry *entry, wc_error **err)
{
    int32_t rc = check_windows_name(x, entry, err);
    if (!rc && entry->type == WCI_ENTRY_HARDLINK)
        rc = check_windows_target(x, entry->link, err);
    if (!rc)
        rc = wci_windows_check_entry(entry, err);
    return rc ? rc : wci_case_set_add(x->cases, x->path.data, err);
}

int32_t wci_extract_take_path(wci_extract *x, const wci_tar_entry *entry, wc_error **err)
{
    int32_t rc = wci_path_clean(entry->name, x->limits, "its name", &x->path, err);
    if (!rc && entry->windows.is_present)
        rc = expect_windows(x, err);
    return rc || !x->cases ? rc : check_windows(x, entry, err);
}

/* ---- Directories ------------------------------------------------------------------------------ */

int32_t wci_extract_remove(wci_extract *x, wci_dir *parent, const char *name, wc_error **err)
{
    wci_fd fd;
    wci_dir *noted = wci_dirs_find(x->dirs, parent, name, strlen(name));
    int32_t rc = wci_dirs_open(x->dirs, parent, &fd, err);
    if (!rc)
        rc = wci_tree_remove(fd, name, err);
    if (!rc && noted) {
        x->last_parent = NULL; /* it may have been inside */
        wci_dirs_remove(x->dirs, noted);
    }
    return rc;
}

/* Makes room for something that is not a directory. */
static int32_t clear_way(wci_extract *x, wci_dir *parent, const char *name, wc_error **err)
{
    wci_fd fd;
    wci_node_info info;
    char shown[WCI_SHOWN_SIZE];
    if (x->is_ours)
        return wci_extract_remove(x, parent, name, err);
    int32_t rc = wci_dirs_open(x->dirs, parent, &fd, err);
    if (!rc)
        rc = wci_tree_stat(fd, name, &info, err);
    if (!rc && info.type == WCI_NODE_DIR)
        return wci_err(err, WC_E_EXISTS, "entry '%s': a directory is in the way; remove it first",
                       wci_path_shown(name, shown));
    return rc ? rc : wci_extract_remove(x, parent, name, err);
}

static int32_t note_dir(wci_extract *x, wci_dir *parent, const char *name, unsigned flags,
                        wci_dir **out, wc_error **err)
{
    wci_dir *dir;
    int32_t rc = wci_dirs_add(x->dirs, parent, name, strlen(name), &dir, err);
    if (rc)
        return rc;
    dir->flags = flags;
    *out = dir;
    return WC_OK;
}

/* In a tree that is not ours: a directory that is there is used as it is. */
static int32_t adopt_dir(wci_extract *x, wci_fd fd, wci_dir *parent, const char *name,
                         wci_dir **out, wc_error **err)
{
    wci_node_info info;
    char shown[WCI_SHOWN_SIZE];
    int32_t rc = wci_tree_stat(fd, name, &info, err);
    if (rc)
        return rc;
    if (info.type != WCI_NODE_DIR)
        return wci_err(err, WC_E_EXISTS,
                       "entry '%s': a file or link stands where a directory is to be",
                       wci_path_shown(name, shown));
    return note_dir(x, parent, name, WCI_DIR_WAS_THERE, out, err);
}

/* Something stands where the directory is to be. */
static int32_t make_dir_there(wci_extract *x, wci_fd fd, wci_dir *parent, const char *name,
                              wci_enter how, wci_dir **out, wc_error **err)
{
    if (!x->is_ours)
        return adopt_dir(x, fd, parent, name, out, err);
    if (how == WCI_ENTER_MISSING) {
        *out = NULL;
        return WC_OK;
    }
    int32_t rc = wci_extract_remove(x, parent, name, err);
    if (!rc)
        rc = wci_tree_make_dir(fd, name, MODE_WHILE_MAKING, err);
    /* What it replaced had hidden a directory below: this one begins anew. */
    return rc ? rc : note_dir(x, parent, name, WCI_DIR_FRESH | WCI_DIR_OPAQUE, out, err);
}

int32_t wci_extract_dir(wci_extract *x, wci_dir *parent, const char *name, wci_enter how,
                        wci_dir **out, wc_error **err)
{
    wci_fd fd;
    wci_dir *dir = wci_dirs_find(x->dirs, parent, name, strlen(name));
    if (dir && !(dir->flags & WCI_DIR_LINK)) {
        *out = dir;
        return WC_OK;
    }
    if (how == WCI_ENTER_FIND && x->is_ours) {
        *out = NULL; /* every directory of ours is noted */
        return WC_OK;
    }
    int32_t rc = wci_dirs_open(x->dirs, parent, &fd, err);
    if (rc)
        return rc;
    if (how == WCI_ENTER_FIND)
        return adopt_dir(x, fd, parent, name, out, err);
    rc = wci_tree_make_dir(fd, name, MODE_WHILE_MAKING, err);
    if (!rc)
        return note_dir(x, parent, name, 0, out, err);
    if (rc != WC_E_EXISTS)
        return rc;
    wci_err_clear(err);
    return make_dir_there(x, fd, parent, name, how, out, err);
}

static void mark_real(wci_dir *dir)
{
    for (; dir && !(dir->flags & WCI_DIR_REAL); dir = dir->parent)
        dir->flags |= WCI_DIR_REAL;
}

/* Walks down `path`, whose slashes become ends of names for a moment. */
static int32_t walk(wci_extract *x, char *path, wci_enter how, wci_dir **out, wc_error **err)
{
    wci_dir *dir = wci_dirs_root(x->dirs);
    while (*path && dir) {
        char *slash = strchr(path, '/');
        if (slash)
            *slash = '\0';
        int32_t rc = wci_extract_dir(x, dir, path, how, &dir, err);
        if (slash)
            *slash = '/';
        if (rc)
            return rc;
        path = slash ? slash + 1 : path + strlen(path);
    }
    *out = dir;
    return WC_OK;
}

static int is_last_path(const wci_extract *x, const char *path)
{
    return x->last_parent && strcmp(x->last_path.data, path) == 0;
}

static int32_t remember_path(wci_extract *x, wci_dir *dir, const char *path, wc_error **err)
{
    wci_str_clear(&x->last_path);
    wci_str_append(&x->last_path, path);
    x->last_parent = dir;
    return x->last_path.failed ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_extract_parent(wci_extract *x, wci_str *path, wci_enter how, wci_dir **parent,
                           char **name, wc_error **err)
{
    char *slash = strrchr(path->data, '/'), *dir_path = path->data;
    wci_dir *dir = NULL;
    int32_t rc = WC_OK;
    if (slash)
        *slash = '\0';
    else
        dir_path = path->data + path->size; /* "" */
    if (is_last_path(x, dir_path))
        dir = x->last_parent;
    else if (!(rc = walk(x, dir_path, how, &dir, err)) && dir && how == WCI_ENTER_MAKE)
        rc = remember_path(x, dir, dir_path, err);
    if (slash)
        *slash = '/';
    if (rc)
        return rc;
    if (how == WCI_ENTER_MAKE)
        mark_real(dir);
    *parent = dir;
    *name = slash ? slash + 1 : path->data;
    return WC_OK;
}

/* ---- Other entries ---------------------------------------------------------------------------- */

static int32_t write_content(wci_extract *x, wci_fd file, wci_tar_reader *reader,
                             const wci_tar_entry *entry, wc_error **err)
{
    wci_holes holes = {.file = file};
    for (;;) {
        const void *data;
        size_t size;
        uint64_t offset;
        int32_t rc = wci_tar_reader_data(reader, &data, &size, &offset, err);
        if (rc)
            return rc;
        if (!size)
            break;
        rc = entry->is_sparse ? wci_tree_file_write_at(file, data, size, offset, err)
                              : wci_holes_write(&holes, data, size, err);
        if (rc)
            return rc;
        x->content_bytes += size;
    }
    return entry->is_sparse ? wci_fd_truncate(file, entry->size, err) : wci_holes_end(&holes, err);
}

static int32_t make_file(wci_extract *x, wci_fd dir, const char *name, wci_tar_reader *reader,
                         const wci_tar_entry *entry, wc_error **err)
{
    wci_fd file;
    int32_t rc = wci_tree_create_file(dir, name, MODE_WHILE_MAKING, &file, err);
    if (rc)
        return rc;
    rc = write_content(x, file, reader, entry, err);
    if (!rc && wci_later_may_be(&x->rules, &entry->attrs))
        return wci_later_add(&x->later, file, &entry->attrs, x->path.data, err);
    if (!rc)
        rc = wci_attrs_apply_file(&x->rules, file, &entry->attrs, x->path.data, err);
    wci_fd_close(file);
    return rc;
}

static wci_node_type node_type(wci_entry_type type)
{
    switch (type) {
    case WCI_ENTRY_CHAR:
        return WCI_NODE_CHAR;
    case WCI_ENTRY_BLOCK:
        return WCI_NODE_BLOCK;
    case WCI_ENTRY_FIFO:
        return WCI_NODE_FIFO;
    case WCI_ENTRY_SYMLINK:
        return WCI_NODE_SYMLINK;
    default:
        return WCI_NODE_FILE;
    }
}

static int32_t make_special(wci_extract *x, wci_fd dir, const char *name,
                            const wci_tar_entry *entry, wc_error **err)
{
    wci_node_type type = node_type(entry->type);
    int32_t rc;
    if (type == WCI_NODE_SYMLINK && !*entry->link)
        return wci_err(err, WC_E_FORMAT, "symbolic link: has no target");
    rc = type == WCI_NODE_SYMLINK
             ? wci_tree_make_symlink(dir, name, entry->link, err)
             : wci_tree_make_node(dir, name, type, MODE_WHILE_MAKING, entry->dev_major,
                                  entry->dev_minor, err);
    if (rc)
        return rc;
    return wci_attrs_apply(&x->rules, dir, name, type, &entry->attrs, x->path.data, err);
}

static int32_t make_node(wci_extract *x, wci_dir *parent, const char *name,
                         wci_tar_reader *reader, const wci_tar_entry *entry, wc_error **err)
{
    wci_fd dir;
    int32_t rc = wci_dirs_open(x->dirs, parent, &dir, err);
    if (rc)
        return rc;
    return entry->type == WCI_ENTRY_FILE ? make_file(x, dir, name, reader, entry, err)
                                         : make_special(x, dir, name, entry, err);
}

int32_t wci_extract_leave_out(wci_extract *x, wc_error **err)
{
    if (x->left_out.count == MAX_LEFT_OUT)
        return wci_err(err, WC_E_LIMIT, "more than %d device nodes", MAX_LEFT_OUT);
    if (wci_strv_add(&x->left_out, x->path.data))
        return wci_err_nomem(err);
    return wci_attrs_note_skipped(&x->rules, x->path.data, "a device node, which only root may make: left out", err);
}

/* Root of a user namespace has all devices that its containers get from elsewhere. */
static int32_t leave_device_out(wci_extract *x, wci_dir *parent, const char *name, wc_error **err)
{
    if (!x->rules.keep_owner)
        return wci_err(err, WC_E_PERMISSION,
                       "device node, which only root may make; run as root, or take an image without it");
    int32_t rc = clear_way(x, parent, name, err);
    if (rc && rc != WC_E_NOT_FOUND)
        return rc;
    wci_err_clear(err);
    return wci_extract_leave_out(x, err);
}

int32_t wci_extract_node(wci_extract *x, wci_tar_reader *reader, const wci_tar_entry *entry,
                         wci_dir *parent, const char *name, wc_error **err)
{
    if (!x->rules.is_root && (entry->type == WCI_ENTRY_CHAR || entry->type == WCI_ENTRY_BLOCK))
        return leave_device_out(x, parent, name, err);
    int32_t rc = make_node(x, parent, name, reader, entry, err);
    if (rc != WC_E_EXISTS)
        return rc;
    wci_err_clear(err);
    rc = clear_way(x, parent, name, err);
    return rc ? rc : make_node(x, parent, name, reader, entry, err);
}

static int32_t link_once(wci_extract *x, wci_dir *from, const char *from_name, wci_dir *parent,
                         const char *name, wc_error **err)
{
    wci_fd from_fd, fd;
    int32_t rc = wci_dirs_open_two(x->dirs, from, &from_fd, parent, &fd, err);
    return rc ? rc : wci_tree_link(from_fd, from_name, fd, name, err);
}

static int is_inside(const wci_dir *dir, const wci_dir *ancestor)
{
    while (dir && dir != ancestor)
        dir = dir->parent;
    return dir != NULL;
}

int32_t wci_extract_link(wci_extract *x, wci_dir *from, const char *from_name, wci_dir *parent,
                         const char *name, wc_error **err)
{
    int32_t rc = link_once(x, from, from_name, parent, name, err);
    if (rc != WC_E_EXISTS)
        return rc;
    wci_err_clear(err);
    wci_dir *in_the_way = wci_dirs_find(x->dirs, parent, name, strlen(name));
    if (in_the_way && is_inside(from, in_the_way))
        return wci_err(err, WC_E_FORMAT, "hard link: stands where the directory of its target is");
    rc = clear_way(x, parent, name, err);
    return rc ? rc : link_once(x, from, from_name, parent, name, err);
}

int32_t wci_extract_whiteout(wci_extract *x, wci_dir *parent, const char *name, wc_error **err)
{
    wci_fd fd;
    int32_t rc = wci_dirs_open(x->dirs, parent, &fd, err);
    if (!rc)
        rc = wci_tree_make_whiteout(fd, name, err);
    if (rc != WC_E_EXISTS)
        return rc;
    wci_err_clear(err);
    rc = wci_extract_remove(x, parent, name, err);
    if (!rc)
        rc = wci_dirs_open(x->dirs, parent, &fd, err);
    return rc ? rc : wci_tree_make_whiteout(fd, name, err);
}

/* ---- The end ---------------------------------------------------------------------------------- */

static int32_t finish_dir(wci_extract *x, wci_dir *dir, const wci_attrs *attrs, wc_error **err)
{
    wci_fd fd;
    wci_str_clear(&x->path);
    wci_dirs_path(dir, &x->path);
    int32_t rc = wci_dirs_open(x->dirs, dir, &fd, err);
    if (!rc)
        rc = wci_attrs_apply(&x->rules, fd, NULL, WCI_NODE_DIR, attrs,
                             x->path.size ? x->path.data : "/", err);
    return rc;
}

int32_t wci_extract_finish(wci_extract *x, const wci_attrs *implied, wc_error **err)
{
    wci_dir *root = wci_dirs_root(x->dirs);
    int32_t done = wci_later_finish(&x->later, err);
    if (done)
        return done;
    for (wci_dir *dir = wci_dirs_deepest(root); dir; dir = wci_dirs_next_up(dir)) {
        const wci_attrs *attrs = dir->flags & WCI_DIR_NAMED       ? &dir->attrs
                                 : dir->flags & WCI_DIR_WAS_THERE ? NULL
                                                                  : implied;
        int32_t rc = dir->flags & WCI_DIR_LINK || !attrs ? WC_OK : finish_dir(x, dir, attrs, err);
        if (rc)
            return rc;
    }
    return WC_OK;
}
