/* SPDX-License-Identifier: Apache-2.0 */
/* What each line of a container has in the journal: the fields of Docker's driver. */
#ifndef WCI_CTR_LOG_FIELDS_H
#define WCI_CTR_LOG_FIELDS_H

#include "container/config.h"
#include "store/store.h"

/* The tag of its lines, from its template with Docker's names ("{{.Name}}"); "" is the short id. Owned. */
int32_t wci_log_tag(const wci_container_record *record, const wci_config *config, char **out, wc_error **err);
/* Whether a template can be understood. */
int32_t wci_log_tag_check(const char *template, wc_error **err);
/* A JSON object of texts. Owned. */
int32_t wci_log_fields(const wci_container_record *record, const wci_config *config, char **out, wc_error **err);

#endif
