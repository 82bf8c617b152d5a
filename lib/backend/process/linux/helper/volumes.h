/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WC_HELPER_VOLUMES_H
#define WC_HELPER_VOLUMES_H

#include "backend/process/linux/helper/helper.h"

/* Makes the volumes of the image that are not there yet, each with what the image has at its path. The
 * root must be mounted. */
int32_t volumes_fill(const request *req, wc_error **err);
/* Mounts them on the root, which must be ours alone, as the runtime does for the container. */
int32_t volumes_mount(const request *req, wc_error **err);

#endif
