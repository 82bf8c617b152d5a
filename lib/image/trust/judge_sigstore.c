/* SPDX-License-Identifier: Apache-2.0 */
/* "sigstoreSigned": cosign's signatures with a key. Specification: cosign, SIGNATURE_SPEC.md. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/attached.h"
#include "image/trust/claim.h"
#include "image/trust/key_file.h"
#include "core/base64.h"

/* cosign's, whatever the key. */
static const wci_scheme cosign_scheme = {.bits = 256};

typedef struct trusted_key {
    wci_key *key;
    const char *name; /* its path; lent */
} trusted_key;

typedef struct inquiry {
    const wci_judged *image;
    const wci_requirement *requirement;
    trusted_key *keys;
    size_t key_count;
    /* Why nothing was good enough: the nearest miss is what is told. */
    size_t seen;
    char *other_name;  /* signed by a key, for this image, under a name that is not accepted */
    wci_digest other;  /* signed by a key, for another image */
    wc_error *spoilt;  /* could not be read */
} inquiry;

/* ---- Keys ------------------------------------------------------------------------------------------- */

static int32_t parse_data(const char *base64, wci_key **out, wc_error **err)
{
    size_t size = 0;
    char *text = wci_base64_decode(base64, &size);
    int32_t code = text ? wci_public_key_parse(text, size, "'keyData'", out, err) : wci_err_nomem(err);
    wci_free(text);
    return code;
}

static int32_t load_keys(inquiry *q, wc_error **err)
{
    const wci_strv *paths = &q->requirement->paths, *data = &q->requirement->data;
    q->keys = wci_calloc(paths->count + data->count + 1, sizeof *q->keys);
    int32_t code = q->keys ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < paths->count && !code; i++) {
        trusted_key *k = &q->keys[q->key_count++];
        k->name = paths->items[i];
        code = wci_public_key_load(k->name, &k->key, err);
    }
    for (size_t i = 0; i < data->count && !code; i++) {
        trusted_key *k = &q->keys[q->key_count++];
        k->name = "keyData";
        code = parse_data(data->items[i], &k->key, err);
    }
    return code;
}

static const trusted_key *find_signer(const inquiry *q, const wc_buf *claim, const char *signature, size_t size)
{
    for (size_t i = 0; i < q->key_count; i++)
        if (wci_key_verify(q->keys[i].key, &cosign_scheme, wc_buf_data(claim), wc_buf_size(claim), signature, size))
            return &q->keys[i];
    return NULL;
}

/* ---- One signature ---------------------------------------------------------------------------------- */

static void set_spoilt(void *self, const wc_error *why)
{
    inquiry *q = self;
    wc_error_unref(q->spoilt);
    q->spoilt = wc_error_ref((wc_error *)(uintptr_t)why);
}

static int32_t check_claim(inquiry *q, const wci_claim *claim, const trusted_key *signer, int *done, wc_error **err)
{
    if (!wci_judged_find(q->image, &claim->digest)) {
        q->other = claim->digest;
        return WC_OK;
    }
    if (!wci_identity_accepts(&q->requirement->identity, q->image->name, claim->reference))
        return wci_replace(&q->other_name, claim->reference) ? wci_err_nomem(err) : WC_OK;
    *done = 1;
    return wci_judged_report(q->image, "sigstore", signer->name, claim->reference, &claim->digest, err);
}

/* What one signature's own defects are told by, when nothing better is found; other failures end the search. */
static int32_t note(inquiry *q, int32_t code, wc_error *why, wc_error **err)
{
    if (!wci_attached_is_spoilt(code))
        return wci_err_move(err, why);
    set_spoilt(q, why);
    wc_error_unref(why);
    return WC_OK;
}

/* Nothing of the claim is read before a trusted key has vouched for it. */
static int32_t check_signed(inquiry *q, const wc_buf *bytes, const char *signature, size_t size, int *done,
                            wc_error **err)
{
    wci_claim claim = WCI_CLAIM_INIT;
    wc_error *why = NULL;
    const trusted_key *signer = find_signer(q, bytes, signature, size);
    if (!signer)
        return WC_OK;
    int32_t code = wci_claim_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_CLAIM_COSIGN, &claim, &why);
    code = code ? note(q, code, why, err) : check_claim(q, &claim, signer, done, err);
    wci_claim_free(&claim);
    return code;
}

static int32_t look(void *self, const wci_attached *found, int *done, wc_error **err)
{
    inquiry *q = self;
    wc_buf *claim = NULL;
    wc_error *why = NULL;
    size_t size = 0;
    if (!found->signature || strcmp(found->layer->media_type, WCI_TYPE_COSIGN_CLAIM))
        return WC_OK;
    q->seen++;
    char *signature = wci_base64_decode(found->signature, &size);
    if (!signature)
        return WC_OK;
    int32_t code = wci_origin_read(q->image->call, q->image->origin, found->layer, WCI_CLAIM_MAX, &claim, &why);
    code = code ? note(q, code, why, err) : check_signed(q, claim, signature, size, done, err);
    wc_buf_unref(claim);
    wci_free(signature);
    return code;
}

/* ---- The verdict ------------------------------------------------------------------------------------ */

static int32_t refuse(const inquiry *q, wc_error **err)
{
    const char *key = q->keys[0].name, *more = q->key_count > 1 ? " (or another of the policy)" : "";
    char shown[WCI_SHOWN_SIZE];
    if (q->other_name) {
        wci_show(q->other_name, shown);
        return wci_err(err, WC_E_UNTRUSTED, "signed by '%s'%s, but as '%s'%s", key, more, shown,
                       !q->image->name && wci_identity_needs_name(&q->requirement->identity)
                           ? ", and here it has no name; the policy must give it with 'exactReference' or "
                             "'exactRepository'"
                           : "; the name must fit what 'signedIdentity' of the policy wants");
    }
    if (wci_digest_is_set(&q->other))
        return wci_err(err, WC_E_UNTRUSTED, "what '%s'%s has signed is another image, '%s'", key, more, q->other.text);
    if (q->spoilt)
        return wci_err(err, WC_E_UNTRUSTED, "no signature by '%s'%s that can be used: %s", key, more,
                       wc_error_message(q->spoilt));
    if (q->seen)
        return wci_err(err, WC_E_UNTRUSTED, "none of its %zu signatures is by '%s'%s", q->seen, key, more);
    return wci_err(err, WC_E_UNTRUSTED, "it has no sigstore signature; '%s'%s must have signed it", key, more);
}

static void close_inquiry(inquiry *q)
{
    for (size_t i = 0; i < q->key_count; i++)
        wci_key_free(q->keys[i].key);
    wci_free(q->keys);
    wci_free(q->other_name);
    wc_error_unref(q->spoilt);
}

int32_t wci_judge_sigstore(const wci_judged *image, const wci_requirement *requirement, wc_error **err)
{
    inquiry q = {.image = image, .requirement = requirement};
    const wci_attached_look found = {look, set_spoilt, &q};
    int done = 0;
    int32_t code = load_keys(&q, err);
    if (!code)
        code = wci_attached_each(image, WCI_ARTIFACT_COSIGN, 1, &found, &done, err);
    if (!code && !done)
        code = refuse(&q, err);
    close_inquiry(&q);
    return code;
}
