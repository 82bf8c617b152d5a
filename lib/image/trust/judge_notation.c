/* SPDX-License-Identifier: Apache-2.0 */
/* "notationSigned": Notary Project's signatures, in JWS, by whom an authority of the policy has certified. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/attached.h"
#include "image/trust/jws.h"
#include "image/trust/key_file.h"
#include "image/trust/subject.h"
#include "platform/host.h"
#include "core/base64.h"

#define TYPE_JWS "application/jose+json"
#define TYPE_COSE "application/cose"

typedef struct inquiry {
    const wci_judged *image;
    const wci_requirement *requirement;
    wci_certs *anchors;
    size_t seen, in_cose;
    wc_error *miss; /* why the last one was not good enough */
} inquiry;

/* ---- Authorities ------------------------------------------------------------------------------------ */

static int32_t parse_data(const char *base64, wci_certs *anchors, wc_error **err)
{
    size_t size = 0;
    char *text = wci_base64_decode(base64, &size);
    int32_t code = text ? wci_certs_parse(text, size, "'caData'", anchors, err) : wci_err_nomem(err);
    wci_free(text);
    return code;
}

static int32_t load_anchors(inquiry *q, wc_error **err)
{
    const wci_requirement *r = q->requirement;
    int32_t code = wci_certs_new(&q->anchors, err);
    for (size_t i = 0; i < r->paths.count && !code; i++)
        code = wci_certs_load(r->paths.items[i], q->anchors, err);
    for (size_t i = 0; i < r->data.count && !code; i++)
        code = parse_data(r->data.items[i], q->anchors, err);
    return code;
}

/* ---- One signature ---------------------------------------------------------------------------------- */

static void set_miss(void *self, const wc_error *why)
{
    inquiry *q = self;
    wc_error_unref(q->miss);
    q->miss = wc_error_ref((wc_error *)(uintptr_t)why);
}

static char *join(const wci_strv *parts)
{
    wci_str text = WCI_STR_INIT;
    for (size_t i = 0; i < parts->count; i++)
        wci_str_printf(&text, "%s%s", i ? ", " : "", parts->items[i]);
    return wci_str_take(&text);
}

static int32_t check_subject(const inquiry *q, const wci_strv *subject, wc_error **err)
{
    const wci_strv *signers = &q->requirement->signers;
    char shown[WCI_SHOWN_SIZE];
    for (size_t i = 0; i < signers->count; i++) {
        wci_strv wanted = WCI_STRV_INIT;
        int32_t code = WC_OK;
        if (!strcmp(signers->items[i], "*"))
            return WC_OK;
        code = wci_subject_parse(signers->items[i], &wanted, err);
        int fits = !code && wci_subject_matches(&wanted, subject);
        wci_strv_free(&wanted);
        if (code || fits)
            return code;
    }
    char *text = join(subject);
    wci_show(text ? text : "", shown);
    wci_free(text);
    return wci_err(err, WC_E_UNTRUSTED, "'%s' is none of the policy's 'trustedIdentities'", shown);
}

static int32_t check_target(const inquiry *q, const wci_jws *jws, wci_digest *digest, wc_error **err)
{
    int64_t size;
    int32_t code = wci_jws_target(jws, digest, &size, err);
    if (code)
        return code;
    const wci_raw *found = wci_judged_find(q->image, digest);
    if (found && wc_buf_size(found->body) == (uint64_t)size)
        return WC_OK;
    return wci_err(err, WC_E_UNTRUSTED, "what was signed is another image, '%s'", digest->text);
}

static int32_t check_envelope(const inquiry *q, const wc_buf *bytes, wc_error **err)
{
    wci_jws *jws = NULL;
    wci_strv subject = WCI_STRV_INIT;
    wci_digest digest;
    char *who = NULL;
    int32_t code = wci_jws_parse(wc_buf_data(bytes), wc_buf_size(bytes), &jws, err);
    if (!code)
        code = wci_jws_verify(jws, q->anchors, wci_now_ns(), err);
    if (!code)
        code = wci_certs_subject(jws->chain, &subject, err);
    if (!code)
        code = check_subject(q, &subject, err);
    if (!code)
        code = check_target(q, jws, &digest, err);
    if (!code && !(who = join(&subject)))
        code = wci_err_nomem(err);
    if (!code)
        code = wci_judged_report(q->image, "notation", who, NULL, &digest, err);
    wci_free(who);
    wci_strv_free(&subject);
    wci_jws_free(jws);
    return code;
}

static int32_t look(void *self, const wci_attached *found, int *done, wc_error **err)
{
    inquiry *q = self;
    wc_buf *bytes = NULL;
    wc_error *why = NULL;
    q->in_cose += !strcmp(found->layer->media_type, TYPE_COSE);
    if (strcmp(found->layer->media_type, TYPE_JWS))
        return WC_OK;
    q->seen++;
    int32_t code = wci_origin_read(q->image->call, q->image->origin, found->layer, WCI_JWS_MAX, &bytes, &why);
    if (!code)
        code = check_envelope(q, bytes, &why);
    wc_buf_unref(bytes);
    *done = !code;
    if (code && code != WC_E_UNTRUSTED && !wci_attached_is_spoilt(code))
        return wci_err_move(err, why);
    if (code)
        set_miss(q, why);
    wc_error_unref(why);
    return WC_OK;
}

/* ---- The verdict ------------------------------------------------------------------------------------ */

static int32_t refuse(const inquiry *q, wc_error **err)
{
    if (q->miss) {
        wc_buf *text = NULL;
        (void)wc_error_format(q->miss, &text);
        int32_t code = wci_err(err, WC_E_UNTRUSTED, "none of its %zu notation signatures is good: %s", q->seen,
                               text ? wc_buf_data(text) : "");
        wc_buf_unref(text);
        return code;
    }
    if (q->in_cose)
        return wci_err(err, WC_E_UNTRUSTED, "its notation signatures are in COSE, which is not read here; sign it with "
                                            "'--signature-format jws'");
    return wci_err(err, WC_E_UNTRUSTED, "it has no notation signature");
}

int32_t wci_judge_notation(const wci_judged *image, const wci_requirement *requirement, wc_error **err)
{
    inquiry q = {.image = image, .requirement = requirement};
    const wci_attached_look found = {look, set_miss, &q};
    int done = 0;
    int32_t code = load_anchors(&q, err);
    if (!code)
        code = wci_attached_each(image, WCI_ARTIFACT_NOTATION, 0, &found, &done, err);
    if (!code && !done)
        code = refuse(&q, err);
    wc_error_unref(q.miss);
    wci_certs_free(q.anchors);
    return code;
}
