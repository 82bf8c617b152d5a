/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a Dockerfile's line: blanks and quotes divide them, variables stand for their values.
 * Specification: Dockerfile reference, "Environment replacement". */
#ifndef WCI_IMAGE_INSTRUCTION_WORDS_H
#define WCI_IMAGE_INSTRUCTION_WORDS_H

#include <jansson.h>

#include "core/str.h"

/* Divides at blanks outside quotes. Quotes and backslashes stay for wci_word_expand(). */
int32_t wci_words_split(const char *line, wci_strv *out, wc_error **err);
/* Without quotes, variables replaced: $NAME, ${NAME}, ${NAME:-word}, ${NAME:+word}. `env` is an array of "NAME=value"
 * or NULL. WC_E_INVALID for a quote or brace that does not end. */
int32_t wci_word_expand(const char *word, json_t *env, char **out, wc_error **err);

#endif
