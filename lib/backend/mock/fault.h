/* SPDX-License-Identifier: Apache-2.0 */
/* Trouble on request: delays, errors and crashes, asked for by labels of a container or by the file
 * "mock.faults" in the root of the store. See docs/mock.md. */
#ifndef WCI_MOCK_FAULT_H
#define WCI_MOCK_FAULT_H

#include "backend/backend.h"
#include "core/json.h"

typedef struct mock_faults {
    json_t *labels; /* object, may be NULL */
    wci_strv lines; /* "key=value" of the file */
} mock_faults;

int32_t wci_mock_faults_load(const char *root, const wc_request *request, mock_faults *out,
                             wc_error **err);
void wci_mock_faults_free(mock_faults *faults);
/* Value of "mock.<what>.<op>" (of "mock.<what>" when op is ""), or NULL. */
const char *wci_mock_faults_get(const mock_faults *faults, const char *what, const char *op);
/* "200ms", "2s" or bare milliseconds. */
int32_t wci_mock_parse_duration(const char *text, int64_t *ns, wc_error **err);
/* What is to happen before the operation `op` ("start", "kill" …) does its work: WC_OK to go on. */
int32_t wci_mock_trouble(const mock_faults *faults, const char *op, const wc_request *request,
                         wc_call *call, wc_error **err);

#endif
