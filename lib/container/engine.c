/* SPDX-License-Identifier: Apache-2.0 */
#include "container/engine.h"

#include "core/alloc.h"
#include "core/error.h"

int32_t wci_engine_new(wci_log *log, wci_traffic *traffic, wci_store *store, wci_backends *backends,
                       const char *default_backend, wci_engine **out, wc_error **err)
{
    wci_engine *engine = wci_calloc(1, sizeof *engine);
    char *name = wci_strdup(default_backend);
    if (!engine || !name) {
        wci_free(engine);
        wci_free(name);
        return wci_err_nomem(err);
    }
    wci_ref_init(&engine->refs);
    engine->log = log;
    engine->traffic = traffic;
    engine->store = store;
    engine->backends = backends;
    engine->default_backend = name;
    *out = engine;
    return WC_OK;
}

wci_engine *wci_engine_ref(wci_engine *engine)
{
    if (engine)
        wci_ref_take(&engine->refs);
    return engine;
}

void wci_engine_unref(wci_engine *engine)
{
    if (!engine || !wci_ref_drop(&engine->refs))
        return;
    wci_backends_free(engine->backends);
    wci_store_unref(engine->store);
    wci_traffic_free(engine->traffic);
    wci_log_free(engine->log);
    wci_free(engine->default_backend);
    wci_free(engine);
}
