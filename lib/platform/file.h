/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories that belong to the library: its store and run directories, and the
 * archives a user names. Everything is close-on-exec from birth. For what comes out of an image,
 * which may be hostile, use platform/tree.h. */
#ifndef WCI_FILE_H
#define WCI_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/call.h"
#include "core/str.h"

typedef intptr_t wci_fd; /* a descriptor or HANDLE */
#define WCI_FD_NONE ((wci_fd)-1)

enum {
    WCI_OPEN_READ = 1,
    WCI_OPEN_WRITE = 2,
    WCI_OPEN_CREATE = 4,
    WCI_OPEN_EXCL = 8,
    WCI_OPEN_TRUNC = 16,
    WCI_OPEN_APPEND = 32,
    WCI_OPEN_NOFOLLOW = 64, /* a symbolic link as last component is an error */
};

typedef enum wci_file_type {
    WCI_FILE_REGULAR,
    WCI_FILE_DIRECTORY,
    WCI_FILE_SYMLINK,
    WCI_FILE_OTHER,
} wci_file_type;

typedef struct wci_file_info {
    wci_file_type type;
    uint64_t size;
    uint64_t blocks_bytes; /* what it takes on disk */
    int64_t mtime_ns;
    uint32_t mode;
    uint32_t uid;
} wci_file_info;

/* A host may have closed its standard streams, and libraries that open files themselves would take
 * their numbers. Fills those that are free; what this gives is for wci_stdio_release(). */
int wci_stdio_fill(void);
void wci_stdio_release(int filled);

int32_t wci_file_open(const char *path, int flags, uint32_t mode, wci_fd *out, wc_error **err);
void wci_fd_close(wci_fd fd); /* WCI_FD_NONE accepted */
/* Whole reads and writes, EINTR hidden. Short reads only at the end of the file. */
int32_t wci_fd_read(wci_fd fd, void *data, size_t size, size_t *got, wc_error **err);
int32_t wci_fd_pread(wci_fd fd, void *data, size_t size, uint64_t offset, size_t *got,
                     wc_error **err);
int32_t wci_fd_write(wci_fd fd, const void *data, size_t size, wc_error **err);
int32_t wci_fd_truncate(wci_fd fd, uint64_t size, wc_error **err);
/* Gives the file at least this size, with room on the disk for all of it. */
int32_t wci_fd_allocate(wci_fd fd, uint64_t size, wc_error **err);
int32_t wci_fd_sync(wci_fd fd, wc_error **err);
int32_t wci_fd_info(wci_fd fd, wci_file_info *out, wc_error **err);
/* Where at or after `offset` a file of this size has data, and up to where; *start is the size when there is none. A
 * file system that does not tell has data everywhere. The file's position changes. */
void wci_fd_next_data(wci_fd fd, uint64_t offset, uint64_t size, uint64_t *start, uint64_t *end);
/* Copies `size` bytes from offset of `from` to the position of `to`, in the kernel where it can. */
int32_t wci_fd_copy(wci_fd from, uint64_t offset, uint64_t size, wci_fd to, wc_error **err);

int32_t wci_file_info_of(const char *path, wci_file_info *out, wc_error **err); /* lstat */
int wci_file_exists(const char *path);
/* WC_E_LIMIT above max. */
int32_t wci_file_read_all(const char *path, size_t max, wc_buf **out, wc_error **err);
/* The same for a file with secrets: the bytes are wiped with the last reference, see core/secret.h. */
int32_t wci_file_read_secret(const char *path, size_t max, wc_buf **out, wc_error **err);
/* Written beside, synced when asked, renamed over: readers see the old or the new bytes. */
int32_t wci_file_write_atomic(const char *path, const void *data, size_t size, uint32_t mode,
                              int sync, wc_error **err);
/* A new file, to read and write, that nobody sees before it is published. Where the file system can do that it goes
 * with its last descriptor, however the process ends; elsewhere it lies as *beside (owned; else NULL) next to `path`,
 * which it is meant for. */
int32_t wci_file_open_unseen(const char *path, uint32_t mode, wci_fd *out, char **beside, wc_error **err);
/* Gives it its place, replacing what is there. */
int32_t wci_file_publish(wci_fd fd, const char *beside, const char *path, wc_error **err);
int32_t wci_file_rename(const char *from, const char *to, wc_error **err);
/* As rename, but WC_E_EXISTS when the target is there. */
int32_t wci_file_rename_new(const char *from, const char *to, wc_error **err);
int32_t wci_file_remove(const char *path, wc_error **err); /* WC_OK when it was not there */

int32_t wci_dir_make(const char *path, uint32_t mode, wc_error **err); /* with parents; WC_OK if there */
int32_t wci_dir_make_new(const char *path, uint32_t mode, wc_error **err); /* WC_E_EXISTS if there */
/* Removes a whole tree: no link followed, no mount point crossed, modes overridden. WC_OK when it
 * was not there. */
int32_t wci_dir_remove_all(const char *path, wc_error **err);
int32_t wci_dir_remove_empty(const char *path, wc_error **err);
int32_t wci_dir_list(const char *path, wci_strv *names, wc_error **err); /* sorted, no . and .. */
int32_t wci_dir_sync(const char *path, wc_error **err);
/* Writes back the file system that holds path, once (syncfs). */
int32_t wci_fs_sync(const char *path, wc_error **err);
/* Bytes and entries of a tree, hard links counted once. */
int32_t wci_dir_usage(const char *path, uint64_t *bytes, uint64_t *entries, wc_error **err);
/* Free and total bytes of the file system; name as the kernel has it ("ext4", "nfs"); static. */
int32_t wci_fs_info(const char *path, uint64_t *free_bytes, uint64_t *total_bytes,
                    const char **fs_name, wc_error **err);

char *wci_path_join(const char *a, const char *b);    /* owned; NULL: out of memory */
char *wci_path_join3(const char *a, const char *b, const char *c);
char *wci_path_parent(const char *path);
const char *wci_path_base(const char *path);
int wci_path_is_absolute(const char *path);
/* Absolute, links resolved; the path must exist. Owned. */
int32_t wci_path_real(const char *path, char **out, wc_error **err);
int32_t wci_path_absolute(const char *path, char **out, wc_error **err); /* lexical, by the cwd */

/* Advisory locks of the open file description (OFD): two openings conflict also within one
 * process; the kernel drops them with the last descriptor. The file is created when absent. */
typedef struct wci_lock wci_lock;
enum {
    WCI_LOCK_SHARED = 0,
    WCI_LOCK_EXCLUSIVE = 1,
};
/* Waits, ending early when the call is cancelled. */
int32_t wci_lock_acquire(wc_call *call, const char *path, int mode, wci_lock **out,
                         wc_error **err);
/* WC_E_BUSY when held by another. */
int32_t wci_lock_try(const char *path, int mode, wci_lock **out, wc_error **err);
/* A shared lock on one byte of a file that is there. */
int32_t wci_lock_byte(const char *path, int64_t offset, wci_lock **out, wc_error **err);
/* 1 when somebody holds an exclusive lock, 0 when free or absent. Takes nothing. */
int wci_lock_is_held(const char *path);
void wci_lock_release(wci_lock *lock); /* NULL accepted */
/* Releases and unlinks the file, safe against somebody who has just opened it: acquirers check
 * that what they locked is still at the path and begin again otherwise. */
void wci_lock_release_remove(wci_lock *lock);

#endif
