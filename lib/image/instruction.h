/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a Dockerfile that change what containers of an image start with: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK,
 * LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. Specification: Dockerfile reference. */
#ifndef WCI_IMAGE_INSTRUCTION_H
#define WCI_IMAGE_INSTRUCTION_H

#include <jansson.h>

#include "core/str.h"

/* Whether the line begins with a known word. */
int32_t wci_instruction_check(const char *line, wc_error **err);
/* Changes `config`, the "config" object of an image for `os`, by one line after the other. WC_E_INVALID names the line
 * that cannot be taken. */
int32_t wci_instructions_apply(const wci_strv *lines, const char *os, json_t *config, wc_error **err);

#endif
