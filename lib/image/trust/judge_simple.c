/* SPDX-License-Identifier: Apache-2.0 */
/* "signedBy": simple signing with OpenPGP. Specification: containers-signature(5). */
#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/attached.h"
#include "image/trust/claim.h"
#include "image/trust/gpg.h"
#include "image/trust/lookaside.h"

#define MAX_SIGNATURES 64

typedef struct inquiry {
    const wci_judged *image;
    const wci_requirement *requirement;
    char *base;
    size_t seen;
    wc_error *miss; /* why the last one was not good enough */
} inquiry;

static int32_t check_claim(const inquiry *q, const wc_buf *content, const char *fingerprint, wc_error **err)
{
    wci_claim claim = WCI_CLAIM_INIT;
    char shown[WCI_SHOWN_SIZE];
    int32_t code = wci_claim_parse(wc_buf_data(content), wc_buf_size(content), WCI_CLAIM_ATOMIC, &claim, err);
    if (code)
        return code;
    wci_show(claim.reference, shown);
    if (!wci_judged_find(q->image, &claim.digest))
        code = wci_err(err, WC_E_UNTRUSTED, "what was signed is another image, '%s'", claim.digest.text);
    else if (!wci_identity_accepts(&q->requirement->identity, q->image->name, claim.reference))
        code = wci_err(err, WC_E_UNTRUSTED,
                       "signed by '%s', but as '%s'; the name must fit what 'signedIdentity' of the policy wants",
                       fingerprint, shown);
    else
        code = wci_judged_report(q->image, "simple", fingerprint, claim.reference, &claim.digest, err);
    wci_claim_free(&claim);
    return code;
}

static int32_t check_message(const inquiry *q, const wc_buf *message, wc_error **err)
{
    const wci_keyrings keys = {&q->requirement->paths, &q->requirement->data};
    wc_buf *content = NULL;
    char *fingerprint = NULL;
    int32_t code = wci_gpg_open(q->image->call, q->image->store, &keys, wc_buf_data(message), wc_buf_size(message),
                                &content, &fingerprint, err);
    if (!code)
        code = check_claim(q, content, fingerprint, err);
    wc_buf_unref(content);
    wci_free(fingerprint);
    return code;
}

/* *done when one was good, or there are no more of this digest. */
static int32_t look(inquiry *q, const wci_digest *digest, size_t number, int *good, int *done, wc_error **err)
{
    wc_buf *message = NULL;
    wc_error *why = NULL;
    int32_t code = wci_lookaside_read(q->image, q->base, digest, number, &message, &why);
    if (code == WC_E_NOT_FOUND) {
        *done = 1;
        wc_error_unref(why);
        return WC_OK;
    }
    q->seen += !code;
    if (!code)
        code = check_message(q, message, &why);
    wc_buf_unref(message);
    *good = *done = !code;
    if (code && code != WC_E_UNTRUSTED && code != WC_E_FORMAT && code != WC_E_LIMIT)
        return wci_err_move(err, why);
    if (code) {
        wc_error_unref(q->miss);
        q->miss = why;
    }
    return WC_OK;
}

static int32_t look_all(inquiry *q, int *good, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < q->image->document_count && !code && !*good; i++) {
        int done = 0;
        for (size_t number = 1; number <= MAX_SIGNATURES && !done && !code; number++)
            code = look(q, &q->image->documents[i]->digest, number, good, &done, err);
    }
    return code;
}

static int32_t refuse(const inquiry *q, wc_error **err)
{
    if (!q->miss)
        return wci_err(err, WC_E_UNTRUSTED, "it has no simple signature at '%s'", q->base);
    return wci_err(err, WC_E_UNTRUSTED, "none of its %zu simple signatures is good: %s", q->seen,
                   wc_error_message(q->miss));
}

int32_t wci_judge_simple(const wci_judged *image, const wci_requirement *requirement, wc_error **err)
{
    inquiry q = {.image = image, .requirement = requirement};
    int good = 0;
    if (!image->name || image->origin->kind != WCI_PLACE_REGISTRY)
        return wci_err(err, WC_E_UNTRUSTED, "only images of registries have simple signatures");
    int32_t code = wci_lookaside_find(image->name, &q.base, err);
    if (!code)
        code = look_all(&q, &good, err);
    if (!code && !good)
        code = refuse(&q, err);
    wc_error_unref(q.miss);
    wci_free(q.base);
    return code;
}
