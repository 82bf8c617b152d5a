/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container/container.h"
#include "container/names.h"
#include "core/error.h"

int32_t wci_ctr_rename(wc_call *call, wc_container *c, const char *name, wc_error **err)
{
    wci_container_record *record = NULL;
    if (name[0] == '/') /* as inspect shows it */
        name++;
    int32_t rc = wci_name_check(name, err);
    if (!rc)
        rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (!rc && !strcmp(record->name, name))
        rc = wci_err(err, WC_E_INVALID, "container '%s': has this name already; give another", name);
    if (!rc)
        rc = wci_container_set_name(c->engine->store, c->id, name, err);
    wci_container_record_free(record);
    return rc;
}
