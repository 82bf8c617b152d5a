/* SPDX-License-Identifier: Apache-2.0 */
/* A container's lines, read from systemd's journal by journalctl. */
#ifndef WCI_PROCESS_LINUX_JOURNAL_H
#define WCI_PROCESS_LINUX_JOURNAL_H

#include <wincontainer/backend.h>

typedef struct wci_journal wci_journal;

/* `follow`, `tail`, `since` and `until` of the request count. */
int32_t wci_journal_open(wc_call *call, const wc_request *request, wci_journal **out);
int32_t wci_journal_next(wc_call *call, wci_journal *journal, wc_response *response, int64_t timeout_ns);
intptr_t wci_journal_fd(const wci_journal *journal);
void wci_journal_free(wci_journal *journal); /* NULL accepted */

#endif
