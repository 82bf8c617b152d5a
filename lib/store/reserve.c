/* SPDX-License-Identifier: Apache-2.0 */
/* Room for what is still to be recorded when the disk is full: that a container has ended, that one is to be
 * removed. A file holds the room as long as there is enough, and gives it away when it runs out. */
#include "core/alloc.h"
#include "store/internal.h"

#define RESERVE_BYTES (1u << 20)
/* Below this the database may fail to write. */
#define SCARCE_BYTES (256u << 10)
/* From this on the file takes from nobody. */
#define PLENTY_BYTES (16u << 20)

static int has_size(const char *path, uint64_t size)
{
    wci_file_info info;
    return wci_file_info_of(path, &info, NULL) == WC_OK && info.size == size;
}

static void give_away(const char *path)
{
    wci_fd fd = WCI_FD_NONE;
    if (has_size(path, 0) || wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_NOFOLLOW, 0600, &fd, NULL))
        return;
    (void)wci_fd_truncate(fd, 0, NULL);
    wci_fd_close(fd);
}

static void take_back(const char *path)
{
    wci_fd fd = WCI_FD_NONE;
    if (has_size(path, RESERVE_BYTES) ||
        wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_NOFOLLOW, 0600, &fd, NULL))
        return;
    (void)wci_fd_allocate(fd, RESERVE_BYTES, NULL);
    wci_fd_close(fd);
}

/* What fails here fails again, and is told, where somebody needs the room. */
static void look(const wci_store *store, int may_take)
{
    uint64_t free_bytes = 0;
    if (wci_fs_info(store->root, &free_bytes, NULL, NULL, NULL))
        return;
    int scarce = free_bytes < SCARCE_BYTES;
    if (!scarce && !(may_take && free_bytes >= PLENTY_BYTES))
        return;
    char *path = wci_path_join(store->root, WCI_FILE_RESERVE);
    if (path && scarce)
        give_away(path);
    else if (path)
        take_back(path);
    wci_free(path);
}

void wci_reserve_open(const wci_store *store)
{
    look(store, 1);
}

void wci_reserve_check(const wci_store *store)
{
    look(store, 0);
}
