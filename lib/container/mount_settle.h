/* SPDX-License-Identifier: Apache-2.0 */
/* What mounts of volumes and images come to when a container is created. */
#ifndef WCI_MOUNT_SETTLE_H
#define WCI_MOUNT_SETTLE_H

#include "container/config.h"
#include "container/engine.h"
#include "store/store_volume.h"

/* Takes over the mounts of the containers that `from` names ("NAME[:ro]"), names anonymous volumes, and finds the
 * images. `config` is the merged one. */
int32_t wci_mounts_settle(wci_engine *engine, wci_config *config, wc_error **err);
/* What of it the store has to know; the texts are lent by the configuration. */
int32_t wci_mounts_uses(const wci_config *config, wci_volume_use **uses, size_t *count, wc_error **err);

#endif
