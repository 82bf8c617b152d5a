/* SPDX-License-Identifier: Apache-2.0 */
/* What may be asked of one network, for `run` and `network connect`. */
#ifndef WCCTL_ENDPOINT_WORDS_H
#define WCCTL_ENDPOINT_WORDS_H

#include "wcctl.h"

typedef struct endpoint_words {
    const char *ip, *ip6, *mac;
    text_list aliases;
} endpoint_words;

/* NULL when nothing is asked for; else the caller's. */
wc_endpoint_options *endpoint_options_make(const endpoint_words *words);

#endif
