/* SPDX-License-Identifier: Apache-2.0 */
/* What the container objects work with: the store, the backends, and the settings of a context. */
#ifndef WCI_ENGINE_H
#define WCI_ENGINE_H

#include "backend/backend.h"
#include "core/log.h"
#include "core/ref.h"
#include "core/traffic.h"
#include "store/store.h"

typedef struct wci_engine {
    wci_ref refs;
    wci_log *log;
    wci_traffic *traffic;
    wci_store *store;
    wci_backends *backends;
    char *default_backend;
} wci_engine;

/* Takes all but the name over when it succeeds. */
int32_t wci_engine_new(wci_log *log, wci_traffic *traffic, wci_store *store, wci_backends *backends,
                       const char *default_backend, wci_engine **out, wc_error **err);
wci_engine *wci_engine_ref(wci_engine *engine);
/* The last reference releases log, traffic, store and backends. */
void wci_engine_unref(wci_engine *engine);

#endif
