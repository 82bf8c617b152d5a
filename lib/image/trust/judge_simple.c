/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"
#include "image/trust/judge.h"
int32_t wci_judge_simple(const wci_judged *image, const wci_requirement *requirement, wc_error **err)
{
    (void)image;(void)requirement;
    return wci_err(err, WC_E_UNTRUSTED, "todo");
}
