/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include "core/error.h"

int32_t wci_merge_resources(const wci_merge *in, wci_config *c, wc_error **err)
{
    (void)in;
    if (c->memory_swap && !c->memory)
        return wci_err(err, WC_E_INVALID, "memory and swap limit: needs a memory limit as well");
    if (c->memory_swap > 0 && c->memory_swap < c->memory)
        return wci_err(err, WC_E_INVALID,
                       "memory and swap limit: is below the memory limit; it counts both together");
    return WC_OK;
}
