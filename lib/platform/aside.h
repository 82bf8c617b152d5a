/* SPDX-License-Identifier: Apache-2.0 */
/* A thread beside the caller's for libraries that do as if the process were theirs: they open
 * descriptors which programs of the host would inherit, start threads, raise SIGPIPE. It blocks all
 * signals and has a descriptor table of its own, so that what happens there is seen nowhere else; only
 * where the system refuses (a filter that knows neither close_range nor unshare) the table is shared.
 *
 * One function at a time runs there, while its caller waits. */
#ifndef WCI_ASIDE_H
#define WCI_ASIDE_H

#include <stddef.h>

#include "platform/file.h"

typedef struct wci_aside wci_aside;

/* `keep` (WCI_FD_NONE: nothing) can be used there under the same number. */
int32_t wci_aside_new(wci_fd keep, wci_aside **out, wc_error **err);
void wci_aside_run(wci_aside *aside, void (*what)(void *arg), void *arg);
/* From inside such a function: runs another one on the thread that waits for it. */
void wci_aside_back(wci_aside *aside, void (*what)(void *arg), void *arg);
void wci_aside_free(wci_aside *aside); /* NULL accepted */

#endif
