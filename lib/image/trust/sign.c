/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/sign.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/attached.h"
#include "image/trust/claim.h"
#include "image/trust/key_file.h"
#include "image/trust/sign_manifest.h"
#include "core/base64.h"

static const wci_scheme cosign_scheme = {.bits = 256};

struct wci_signer {
    wci_key *key;
    char *public_pem; /* of its public half, as base64 */
    char *identity;   /* NULL: the name of each image */
};

/* One image being signed. */
typedef struct signing {
    wc_call *call;
    const wci_registry_config *config;
    const wci_signer *signer;
    const wci_reference *image;
    const wci_raw *document;
    wci_origin *origin; /* its repository, to look what is there */
    char *name;         /* that is signed */
} signing;

/* ---- The key ---------------------------------------------------------------------------------------- */

static int32_t keep_public(wci_signer *signer, wc_error **err)
{
    wc_buf *pem = NULL;
    int32_t code = wci_public_key_write(signer->key, &pem, err);
    if (code)
        return code;
    signer->public_pem = wci_base64_encode(wc_buf_data(pem), wc_buf_size(pem));
    wc_buf_unref(pem);
    return signer->public_pem ? WC_OK : wci_err_nomem(err);
}

static int32_t keep_identity(wci_signer *signer, const char *identity, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = identity ? wci_reference_parse(identity, &ref, err) : WC_OK;
    if (!code && identity && !(signer->identity = wci_reference_format(&ref)))
        code = wci_err_nomem(err);
    wci_reference_free(&ref);
    return code;
}

int32_t wci_signer_open(const wci_transfer *transfer, wci_signer **out, wc_error **err)
{
    *out = NULL;
    if (!transfer->sign_key)
        return WC_OK;
    wci_signer *signer = wci_calloc(1, sizeof *signer);
    if (!signer)
        return wci_err_nomem(err);
    int32_t code = wci_private_key_load(transfer->sign_key, transfer->sign_passphrase, &signer->key, err);
    if (!code)
        code = keep_public(signer, err);
    if (!code)
        code = keep_identity(signer, transfer->sign_identity, err);
    if (code)
        wci_signer_free(signer);
    else
        *out = signer;
    return code;
}

void wci_signer_free(wci_signer *signer)
{
    if (!signer)
        return;
    wci_key_free(signer->key);
    wci_free(signer->public_pem);
    wci_free(signer->identity);
    wci_free(signer);
}

/* ---- What is there ---------------------------------------------------------------------------------- */

/* The name that is claimed; with a tag the digest says nothing more, and others would not find it equal. */
static char *name_of(const signing *s)
{
    if (s->signer->identity)
        return wci_strdup(s->signer->identity);
    wci_reference plain = *s->image;
    if (plain.tag)
        plain.digest = (wci_digest){""};
    return wci_reference_format(&plain);
}

static int32_t open_signing(signing *s, wc_error **err)
{
    wci_transfer transfer = WCI_TRANSFER_INIT;
    char *text = wci_reference_format(s->image);
    const wci_place place = {.kind = WCI_PLACE_REGISTRY, .ref = text};
    transfer.registry = *s->config;
    s->name = name_of(s);
    int32_t code = text && s->name ? wci_origin_open_named(s->call, &place, &transfer, &s->origin, err)
                                   : wci_err_nomem(err);
    wci_free(text);
    return code;
}

static void close_signing(signing *s)
{
    wci_origin_close(s->origin);
    wci_free(s->name);
}

/* Asked with the same eyes that others will look with. */
static int32_t is_signed(const signing *s, int *out, wc_error **err)
{
    wci_requirement r = {.kind = WCI_REQUIRE_SIGSTORE,
                         .identity = {WCI_IDENTITY_EXACT_REFERENCE, s->name, NULL}};
    wci_judged image = {.call = s->call, .origin = s->origin, .registry = s->config, .documents = {s->document},
                        .document_count = 1};
    wc_error *why = NULL;
    if (wci_strv_add(&r.data, s->signer->public_pem))
        return wci_err_nomem(err);
    int32_t code = wci_judge_sigstore(&image, &r, &why);
    wci_strv_free(&r.data);
    *out = !code;
    if (code && code != WC_E_UNTRUSTED)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

/* ---- Adding one ------------------------------------------------------------------------------------- */

static int32_t make_signature(const signing *s, wci_new_signature *out, wc_error **err)
{
    wc_buf *signature = NULL;
    int32_t code = wci_claim_make(s->name, &s->document->digest, &out->claim, err);
    if (!code)
        code = wci_key_sign(s->signer->key, &cosign_scheme, wc_buf_data(out->claim), wc_buf_size(out->claim),
                            &signature, err);
    if (!code && !(out->signature = wci_base64_encode(wc_buf_data(signature), wc_buf_size(signature))))
        code = wci_err_nomem(err);
    wc_buf_unref(signature);
    return code;
}

/* Those that others have made stay. */
static int32_t read_present(const signing *s, const char *tag, wci_raw *out, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = s->origin->ops->tagged(s->call, s->origin, tag, out, &why);
    if (code && code != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

static int32_t add_signature(const signing *s, wc_error **err)
{
    wci_new_signature added = {NULL, NULL};
    wci_raw present = WCI_RAW_INIT;
    wci_remote *remote = NULL;
    char *tag = wci_attached_tag(&s->document->digest, ".sig");
    int32_t code = tag ? make_signature(s, &added, err) : wci_err_nomem(err);
    if (!code)
        code = read_present(s, tag, &present, err);
    if (!code)
        code = wci_remote_open_named(s->call, s->config, s->image->host, s->image->repository, &remote, err);
    if (!code)
        code = wci_signature_put(s->call, remote, tag, present.body ? &present : NULL, &added, err);
    wci_remote_close(remote);
    wci_raw_clear(&present);
    wc_buf_unref(added.claim);
    wci_free(added.signature);
    wci_free(tag);
    return code;
}

int32_t wci_sign(wc_call *call, const wci_registry_config *config, const wci_signer *signer,
                 const wci_reference *image, const wci_raw *document, wc_error **err)
{
    signing s = {.call = call, .config = config, .signer = signer, .image = image, .document = document};
    int done = 0;
    int32_t code = open_signing(&s, err);
    if (!code)
        code = is_signed(&s, &done, err);
    if (!code && !done)
        code = add_signature(&s, err);
    close_signing(&s);
    return code ? wci_err_wrap(err, code, "'%s': cannot be signed", document->digest.text) : WC_OK;
}

/* ---- By name ---------------------------------------------------------------------------------------- */

static int32_t sign_listed(wc_call *call, const wci_transfer *transfer, const wci_signer *signer, wci_origin *origin,
                           const wci_reference *image, const wci_raw *root, wc_error **err)
{
    wci_document *index = NULL;
    int32_t code = wci_document_parse(wc_buf_data(root->body), wc_buf_size(root->body), root->media_type, "index",
                                      &index, err);
    for (size_t i = 0; !code && index->kind == WCI_DOCUMENT_INDEX && i < index->count; i++) {
        wci_raw raw = {.digest = index->items[i].digest};
        code = wci_origin_manifest(call, origin, &index->items[i], &raw.body, err);
        if (!code)
            code = wci_sign(call, &transfer->registry, signer, image, &raw, err);
        wci_raw_clear(&raw);
    }
    wci_document_free(index);
    return code;
}

static int32_t sign_root(wc_call *call, const wci_transfer *transfer, const wci_signer *signer,
                         const wci_reference *image, const wci_place *place, int each, wc_error **err)
{
    wci_origin *origin = NULL;
    wci_raw root = WCI_RAW_INIT;
    int32_t code = wci_origin_open_named(call, place, transfer, &origin, err);
    if (!code)
        code = origin->ops->root(call, origin, 0, &root, err);
    if (!code)
        code = wci_sign(call, &transfer->registry, signer, image, &root, err);
    if (!code && each)
        code = sign_listed(call, transfer, signer, origin, image, &root, err);
    wci_raw_clear(&root);
    wci_origin_close(origin);
    return code;
}

int32_t wci_sign_reference(wc_call *call, const wci_transfer *transfer, const char *reference, int each,
                           wc_error **err)
{
    wci_place place = WCI_PLACE_INIT;
    wci_reference image = WCI_REFERENCE_INIT;
    wci_signer *signer = NULL;
    int32_t code = wci_place_parse(reference, &place, err);
    if (!code && place.kind != WCI_PLACE_REGISTRY)
        code = wci_err(err, WC_E_INVALID, "'%s': only images in a registry can be signed", reference);
    if (!code)
        code = wci_reference_parse(place.ref, &image, err);
    if (!code)
        code = wci_signer_open(transfer, &signer, err);
    if (!code && !signer)
        code = wci_err(err, WC_E_INVALID, "'%s': there is no key to sign it with", reference);
    if (!code)
        code = sign_root(call, transfer, signer, &image, &place, each, err);
    wci_signer_free(signer);
    wci_reference_free(&image);
    wci_place_free(&place);
    return code;
}
