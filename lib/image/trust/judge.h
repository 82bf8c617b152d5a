/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image fulfils one requirement of a policy. */
#ifndef WCI_TRUST_JUDGE_H
#define WCI_TRUST_JUDGE_H

#include <jansson.h>

#include "core/call.h"
#include "image/origin.h"
#include "image/trust/policy.h"

/* The image, as far as it is known before anything of it is taken. */
typedef struct wci_judged {
    wc_call *call;
    wci_store *store;
    wci_origin *origin;
    const wci_registry_config *registry;
    const wci_reference *name;   /* that it is asked for by; NULL when its place gives none */
    const wci_raw *documents[2]; /* its manifest, and the index that it was chosen from */
    size_t document_count;
    json_t *report;              /* a list that takes what was accepted, or NULL */
} wci_judged;

/* Each WC_OK, or WC_E_UNTRUSTED with the reason. */
int32_t wci_judge_sigstore(const wci_judged *image, const wci_requirement *requirement, wc_error **err);
int32_t wci_judge_simple(const wci_judged *image, const wci_requirement *requirement, wc_error **err);
int32_t wci_judge_notation(const wci_judged *image, const wci_requirement *requirement, wc_error **err);

/* The image's document with this digest, found out from its bytes; NULL: it is another image's. */
const wci_raw *wci_judged_find(const wci_judged *image, const wci_digest *digest);
/* `who`: the key or certificate; `identity` may be NULL. */
int32_t wci_judged_report(const wci_judged *image, const char *type, const char *who, const char *identity,
                          const wci_digest *digest, wc_error **err);

#endif
