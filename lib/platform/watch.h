/* SPDX-License-Identifier: Apache-2.0 */
/* Watching one file for changes made by any process. */
#ifndef WCI_WATCH_H
#define WCI_WATCH_H

#include <wincontainer/error.h>

#include "platform/file.h"

typedef struct wci_watch wci_watch;

/* The file must exist; it is followed by identity, not by name. WC_E_LIMIT when the user has too
 * many watches. */
int32_t wci_watch_new(const char *path, wci_watch **out, wc_error **err);
/* Readable once the file has been written to since the last wci_watch_clear(). */
wci_fd wci_watch_fd(const wci_watch *watch);
/* Forgets the changes so far: clear first, then look at what may have changed. */
void wci_watch_clear(wci_watch *watch);
void wci_watch_free(wci_watch *watch); /* NULL accepted */

#endif
