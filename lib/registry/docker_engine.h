/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a Docker Engine, over its local socket. Specification: Docker Engine API, images. */
#ifndef WCI_REGISTRY_DOCKER_ENGINE_H
#define WCI_REGISTRY_DOCKER_ENGINE_H

#include "core/call.h"
#include "platform/file.h"

typedef struct wci_docker_engine wci_docker_engine;
/* $DOCKER_HOST (unix:// only), or the usual socket. WC_E_MISSING when there is none. */
int32_t wci_docker_engine_open(wc_call *call, wci_docker_engine **out, wc_error **err);
void wci_docker_engine_close(wci_docker_engine *engine); /* NULL accepted */

/* Writes what `docker save NAME` would; progress by bytes. WC_E_NOT_FOUND. */
int32_t wci_docker_engine_save(wc_call *call, wci_docker_engine *engine, const char *name, wci_fd to, wc_error **err);
/* Sends the file as `docker load` would. */
int32_t wci_docker_engine_load(wc_call *call, wci_docker_engine *engine, wci_fd from, uint64_t size, wc_error **err);
/* What a loading engine says: one JSON object per line; a failure comes in one of them, behind a good status. */
int32_t wci_docker_engine_check_load(const char *text, size_t size, wc_error **err);

#endif
