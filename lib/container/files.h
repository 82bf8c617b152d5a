/* SPDX-License-Identifier: Apache-2.0 */
/* Copying for backends whose containers have no files but the image's (WC_BACKEND_IMAGE_FILES): out of the merged
 * view of image and upper directory, and into the upper directory. */
#ifndef WCI_FILES_H
#define WCI_FILES_H

#include "container/container.h"
#include "layer/layer.h"

/* What `path` leads to as a tar; the rules are those of archive_get in docs/backends.md. */
int32_t wci_files_get(wci_engine *engine, const wci_container_record *record, const char *path, const wci_sink *to,
                      wc_error **err);
/* A tar into the directory `path`, as archive_put. */
int32_t wci_files_put(wci_engine *engine, const wci_container_record *record, const char *path,
                      const wci_source *from, wc_error **err);

#endif
