/* SPDX-License-Identifier: Apache-2.0 */
/* What `docker image inspect` tells, and `docker rmi` does. */
#ifndef WCI_IMAGE_INSPECT_H
#define WCI_IMAGE_INSPECT_H

#include <wincontainer/memory.h>

#include "store/store.h"

/* One JSON object. */
int32_t wci_image_inspect(wci_store *store, const wci_image_record *record, wc_buf **out,
                          wc_error **err);
/* Takes a name away, and with the last name the image. `removed` gets lines for the user. */
int32_t wci_image_forget(wc_call *call, wci_store *store, const char *name_or_id, int force,
                         wci_strv *removed, wc_error **err);

#endif
