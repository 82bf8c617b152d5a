/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the last lines of a log by reading its files backwards. A line is what an 'F' entry ends;
 * 'P' entries before it belong to it, and those at the very end are an unfinished line. */
#include "backend/process/log_tail.h"

#include "backend/process/logs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

#define BLOCK (64 * 1024)

typedef struct tail {
    uint64_t wanted; /* line ends still to pass */
    int at_last;     /* no entry seen yet */
    uint32_t number; /* start of the entry passed last */
    uint64_t offset;
    char data[BLOCK + WCI_LOG_TEXT];
} tail;

/* An entry that begins at `offset`, met while going backwards. 1 when what follows it is the start
 * that we look for. */
static int pass_entry(tail *t, uint32_t number, uint64_t offset, char tag)
{
    /* The unfinished line at the end counts like one that has ended. */
    if (tag == 'F' || t->at_last) {
        if (!t->wanted)
            return 1;
        t->wanted--;
    }
    t->at_last = 0;
    t->number = number;
    t->offset = offset;
    return 0;
}

/* Entries of one block, from the last to the first. A block knows where entries begin by the line
 * feeds in it; the first entry of the file has none before it. */
static int scan_block(tail *t, uint32_t number, uint64_t start, size_t size, size_t there)
{
    for (size_t i = size; i-- > 0;) {
        if (t->data[i] != '\n' || i + 1 + WCI_LOG_TEXT > there)
            continue;
        if (pass_entry(t, number, start + i + 1, t->data[i + 1 + WCI_LOG_TAG]))
            return 1;
    }
    return start == 0 && there >= WCI_LOG_TEXT && pass_entry(t, number, 0, t->data[WCI_LOG_TAG]);
}

static int32_t scan_file(tail *t, wci_fd fd, uint32_t number, int *found, wc_error **err)
{
    wci_file_info info;
    int32_t rc = wci_fd_info(fd, &info, err);
    if (rc)
        return rc;
    uint64_t end = info.size;
    while (!rc && end && !*found) {
        uint64_t start = end > BLOCK ? end - BLOCK : 0;
        size_t got = 0;
        rc = wci_fd_pread(fd, t->data, sizeof t->data, start, &got, err);
        size_t size = (size_t)(end - start) < got ? (size_t)(end - start) : got;
        if (!rc)
            *found = scan_block(t, number, start, size, got);
        end = start;
    }
    return rc;
}

static int32_t open_and_scan(tail *t, const char *dir, uint32_t number, int *found, wc_error **err)
{
    char *path = wci_log_path(dir, number);
    if (!path)
        return wci_err_nomem(err);
    wci_fd fd = WCI_FD_NONE;
    wc_error *why = NULL;
    int32_t rc = wci_file_open(path, WCI_OPEN_READ | WCI_OPEN_NOFOLLOW, 0, &fd, &why);
    wci_free(path);
    if (rc == WC_E_NOT_FOUND) { /* rotated away: what we have is all there is */
        wci_err_clear(&why);
        *found = 1;
        return WC_OK;
    }
    if (!rc)
        rc = scan_file(t, fd, number, found, &why);
    wci_fd_close(fd);
    return rc ? wci_err_move(err, why) : WC_OK;
}

int32_t wci_log_find_tail(const char *dir, uint32_t first, uint32_t last, uint64_t lines,
                          uint32_t *number, uint64_t *offset, wc_error **err)
{
    tail *t = wci_malloc(sizeof *t);
    if (!t)
        return wci_err_nomem(err);
    t->wanted = lines;
    t->at_last = 1;
    t->number = last;
    t->offset = 0;
    char *path = wci_log_path(dir, last);
    wci_file_info info;
    int32_t rc = path ? wci_file_info_of(path, &info, err) : wci_err_nomem(err);
    wci_free(path);
    if (!rc)
        t->offset = info.size; /* "no lines" begins at the end */
    int found = 0;
    for (uint32_t n = last; !rc && !found && n >= first && n > 0; n--)
        rc = open_and_scan(t, dir, n, &found, err);
    if (!rc) {
        *number = t->number;
        *offset = t->offset;
    }
    wci_free(t);
    return rc;
}
