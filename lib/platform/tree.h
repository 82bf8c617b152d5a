/* SPDX-License-Identifier: Apache-2.0 */
/* A directory tree that may hold anything, worked on without ever leaving it.
 *
 * Every operation names a *directory handle* and one component, never a path: descriptors are
 * opened relative to their parent with no link followed, so a swapped parent or a planted link
 * cannot lead out. */
#ifndef WCI_TREE_H
#define WCI_TREE_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"
#include "platform/file.h"

typedef enum wci_node_type {
    WCI_NODE_FILE,
    WCI_NODE_DIR,
    WCI_NODE_SYMLINK,
    WCI_NODE_CHAR,
    WCI_NODE_BLOCK,
    WCI_NODE_FIFO,
    WCI_NODE_SOCKET,
} wci_node_type;

typedef struct wci_node_info {
    wci_node_type type;
    uint32_t mode; /* permission bits with setuid, setgid, sticky: 07777 */
    uint32_t uid, gid;
    uint64_t size;
    int64_t mtime_sec;
    int32_t mtime_nsec;
    uint32_t dev_major, dev_minor; /* of a device node */
    uint64_t links;
    uint64_t inode, device; /* to recognise hard links */
} wci_node_info;

/* Opens `path`, which is ours, as the root of a tree. */
int32_t wci_tree_open_root(const char *path, wci_fd *dir, wc_error **err);
/* A second, independent handle of the same directory. */
int32_t wci_tree_reopen(wci_fd dir, wci_fd *out, wc_error **err);
/* One component each; a symbolic link as `name` is WC_E_INVALID ("is a symbolic link"). */
int32_t wci_tree_open_dir(wci_fd dir, const char *name, wci_fd *out, wc_error **err);
int32_t wci_tree_open_file(wci_fd dir, const char *name, wci_fd *out, wc_error **err); /* to read */
int32_t wci_tree_create_file(wci_fd dir, const char *name, uint32_t mode, wci_fd *out,
                             wc_error **err); /* new, to write */
int32_t wci_tree_make_dir(wci_fd dir, const char *name, uint32_t mode, wc_error **err);
int32_t wci_tree_make_symlink(wci_fd dir, const char *name, const char *target, wc_error **err);
int32_t wci_tree_make_node(wci_fd dir, const char *name, wci_node_type type, uint32_t mode,
                           uint32_t dev_major, uint32_t dev_minor, wc_error **err);
int32_t wci_tree_link(wci_fd from_dir, const char *from, wci_fd dir, const char *name,
                      wc_error **err);
int32_t wci_tree_remove(wci_fd dir, const char *name, wc_error **err); /* also a whole directory */
int32_t wci_tree_list(wci_fd dir, wci_strv *names, wc_error **err);    /* sorted */

/* name NULL: the directory itself. Symbolic links are never followed. */
int32_t wci_tree_stat(wci_fd dir, const char *name, wci_node_info *out, wc_error **err);
int32_t wci_tree_read_link(wci_fd dir, const char *name, char **target, wc_error **err);
int32_t wci_tree_chown(wci_fd dir, const char *name, uint32_t uid, uint32_t gid, wc_error **err);
int32_t wci_tree_chmod(wci_fd dir, const char *name, uint32_t mode, wc_error **err);
int32_t wci_tree_set_mtime(wci_fd dir, const char *name, int64_t sec, int32_t nsec,
                           wc_error **err);
int32_t wci_tree_set_xattr(wci_fd dir, const char *name, const char *key, const void *value,
                           size_t size, wc_error **err);
int32_t wci_tree_get_xattr(wci_fd dir, const char *name, const char *key, wc_buf **value,
                           wc_error **err); /* WC_E_NOT_FOUND */
int32_t wci_tree_list_xattrs(wci_fd dir, const char *name, wci_strv *keys, wc_error **err);

/* The same for an open regular file, faster: what creating it leaves to do. */
#define WCI_TREE_KEEP_ID UINT32_MAX /* both ids: the owner stays, and with him capabilities */
int32_t wci_tree_finish_file(wci_fd file, uint32_t uid, uint32_t gid, uint32_t mode,
                             int64_t mtime_sec, int32_t mtime_nsec, wc_error **err);
/* The same for several, where that is quicker than one by one, which wci_tree_better_together() tells. When it fails some
 * may be done, and each can be done again. */
#define WCI_TREE_FINISH_MAX 32
typedef struct wci_tree_finish {
    wci_fd file;
    uint32_t uid, gid, mode;
    int64_t mtime_sec;
    int32_t mtime_nsec;
} wci_tree_finish;
int wci_tree_better_together(uint32_t uid, uint32_t gid);
int32_t wci_tree_finish_files(const wci_tree_finish *files, size_t count, wc_error **err);
int32_t wci_tree_file_write_at(wci_fd file, const void *data, size_t size, uint64_t offset,
                               wc_error **err);
int32_t wci_tree_file_set_xattr(wci_fd file, const char *key, const void *value, size_t size,
                                wc_error **err);

/* Overlayfs marks. "trusted." for root, "user." in a user namespace. */
int32_t wci_tree_make_whiteout(wci_fd dir, const char *name, wc_error **err);
int32_t wci_tree_set_opaque(wci_fd dir, const char *name, wc_error **err);
int wci_tree_is_whiteout(const wci_node_info *info);
int wci_tree_is_opaque(wci_fd dir, const char *name);

/* Opens `path` below root as the kernel would with root as "/": links are resolved inside
 * (openat2, RESOLVE_IN_ROOT). For paths that a user gives, as in cp. */
int32_t wci_tree_resolve(wci_fd root, const char *path, wci_fd *out, wc_error **err);

#endif
