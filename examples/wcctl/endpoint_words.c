/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_words.h"

static int is_given(const char *text)
{
    return text && *text;
}

wc_endpoint_options *endpoint_options_make(const endpoint_words *words)
{
    wc_error *err = NULL;
    wc_endpoint_options *e = NULL;
    if (!words->aliases.count && !is_given(words->ip) && !is_given(words->ip6) && !is_given(words->mac))
        return NULL;
    TRY(wc_endpoint_options_new(&e, &err));
    for (size_t i = 0; i < words->aliases.count; i++)
        TRY(wc_endpoint_options_add_alias(e, words->aliases.items[i], &err));
    if (is_given(words->ip))
        TRY(wc_endpoint_options_set_ipv4(e, words->ip, &err));
    if (is_given(words->ip6))
        TRY(wc_endpoint_options_set_ipv6(e, words->ip6, &err));
    if (is_given(words->mac))
        TRY(wc_endpoint_options_set_mac(e, words->mac, &err));
    return e;
}
