/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_PROCESS_LOG_TAIL_H
#define WCI_PROCESS_LOG_TAIL_H

#include <stdint.h>

#include <wincontainer/error.h>

/* Where the last `lines` lines begin: a file from `first` to `last`, and an offset in it. */
int32_t wci_log_find_tail(const char *dir, uint32_t first, uint32_t last, uint64_t lines,
                          uint32_t *number, uint64_t *offset, wc_error **err);

#endif
