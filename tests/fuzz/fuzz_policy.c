/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json: whatever is accepted has a default, and finds requirements for every place. */
#include <stdint.h>
#include <stdlib.h>

#include "image/trust/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const wci_policy *policy, const char *text)
{
    wci_place place = WCI_PLACE_INIT;
    const wci_scope *scope = NULL;
    if (wci_place_parse(text, &place, NULL) || wci_policy_find(policy, &place, &scope, NULL) || !scope || !scope->count)
        abort();
    for (size_t i = 0; i < scope->count; i++)
        (void)wci_identity_accepts(&scope->items[i].identity, NULL, "example.com/a/b:c");
    wci_place_free(&place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wci_policy *policy = NULL;
    wc_error *err = NULL;
    if (wci_policy_parse((const char *)data, size, "p", &policy, &err)) {
        if (!err)
            abort();
        wc_error_unref(err);
        return 0;
    }
    look_up(policy, "docker://example.com:5000/a/b:c");
    look_up(policy, "docker-archive:/a");
    wci_policy_free(policy);
    return 0;
}
