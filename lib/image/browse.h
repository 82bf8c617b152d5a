/* SPDX-License-Identifier: Apache-2.0 */
/* Registries by the names that people use: what include/wincontainer/registry.h offers. */
#ifndef WCI_IMAGE_BROWSE_H
#define WCI_IMAGE_BROWSE_H

#include <wincontainer/memory.h>

#include "core/call.h"
#include "registry/registry.h"

int32_t wci_browse_tags(wc_call *call, const wci_registry_config *config, const char *repository, wci_strv *out,
                        wc_error **err);
int32_t wci_browse_catalog(wc_call *call, const wci_registry_config *config, const char *registry, wci_strv *out,
                           wc_error **err);
int32_t wci_browse_look(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                        wc_error **err);
int32_t wci_browse_manifest(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                            wc_error **err);
int32_t wci_browse_referrers(wc_call *call, const wci_registry_config *config, const char *reference, wc_buf **out,
                             wc_error **err);
int32_t wci_browse_search(wc_call *call, const wci_registry_config *config, const char *term, uint32_t limit,
                          wc_buf **out, wc_error **err);
int32_t wci_browse_delete(wc_call *call, const wci_registry_config *config, const char *reference, wc_error **err);
int32_t wci_browse_delete_blob(wc_call *call, const wci_registry_config *config, const char *reference, wc_error **err);

#endif
