/* SPDX-License-Identifier: Apache-2.0 */
/* What slirp4netns answers on its socket to one request. */
#ifndef WCI_PROCESS_SLIRP_ANSWER_H
#define WCI_PROCESS_SLIRP_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

/* {"return": {"id": 1}} is WC_OK, {"error": {"desc": "…"}} is WC_E_RUNTIME with its own words, as is what is neither. */
int32_t wci_slirp_answer(const char *text, size_t size, wc_error **err);

#endif
