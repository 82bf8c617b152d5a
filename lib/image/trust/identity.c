/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/identity.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "image/trust/strict.h"

/* ---- Reading ---------------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    wci_identity_kind kind;
    const char *keys[4]; /* "type", then those of `name` and `signed_name` */
} rules[] = {
    {"matchExact", WCI_IDENTITY_EXACT, {"type"}},
    {"matchRepoDigestOrExact", WCI_IDENTITY_REPO_DIGEST_OR_EXACT, {"type"}},
    {"matchRepository", WCI_IDENTITY_REPOSITORY, {"type"}},
    {"exactReference", WCI_IDENTITY_EXACT_REFERENCE, {"type", "dockerReference"}},
    {"exactRepository", WCI_IDENTITY_EXACT_REPOSITORY, {"type", "dockerRepository"}},
    {"remapIdentity", WCI_IDENTITY_REMAP, {"type", "prefix", "signedPrefix"}},
};

void wci_identity_free(wci_identity *identity)
{
    wci_free(identity->name);
    wci_free(identity->signed_name);
    *identity = (wci_identity)WCI_IDENTITY_INIT;
}

static int is_name_only(const wci_reference *ref)
{
    return !ref->tag && !wci_digest_is_set(&ref->digest);
}

static int32_t bad_name(const char *text, const char *why, const char *what, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(text, shown);
    return wci_err(err, WC_E_FORMAT, "%s: 'signedIdentity': '%s' %s", what, shown, why);
}

static int32_t check_reference(const char *text, int is_whole, const char *what, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    if (wci_reference_parse(text, &ref, NULL))
        return bad_name(text, "is no name of an image", what, err);
    int is_short = is_whole && is_name_only(&ref);
    wci_reference_free(&ref);
    return is_short ? bad_name(text, "has neither tag nor digest", what, err) : WC_OK;
}

/* A host, or a name that begins with one. */
static int32_t check_prefix(const char *text, const char *what, wc_error **err)
{
    char *name = wci_asprintf("%s%s", text, strchr(text, '/') ? "" : "/x");
    wci_reference ref = WCI_REFERENCE_INIT;
    if (!name)
        return wci_err_nomem(err);
    int is_good = !wci_reference_parse(name, &ref, NULL) && is_name_only(&ref) && wci_starts_with(text, ref.host);
    wci_reference_free(&ref);
    wci_free(name);
    return is_good ? WC_OK : bad_name(text, "is no host, namespace or repository", what, err);
}

static int32_t check(const wci_identity *identity, const char *what, wc_error **err)
{
    if (identity->kind == WCI_IDENTITY_EXACT_REFERENCE || identity->kind == WCI_IDENTITY_EXACT_REPOSITORY)
        return check_reference(identity->name, identity->kind == WCI_IDENTITY_EXACT_REFERENCE, what, err);
    if (identity->kind != WCI_IDENTITY_REMAP)
        return WC_OK;
    int32_t code = check_prefix(identity->name, what, err);
    return code ? code : check_prefix(identity->signed_name, what, err);
}

static int32_t read_names(json_t *json, const char *const *keys, const char *what, wci_identity *out, wc_error **err)
{
    const char *first = NULL, *second = NULL;
    int32_t code = keys[1] ? wci_strict_text(json, keys[1], what, &first, err) : WC_OK;
    if (!code && keys[1] && keys[2])
        code = wci_strict_text(json, keys[2], what, &second, err);
    if (!code && (wci_replace(&out->name, first) || wci_replace(&out->signed_name, second)))
        code = wci_err_nomem(err);
    return code;
}

int32_t wci_identity_parse(json_t *json, const char *what, wci_identity *out, wc_error **err)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    for (size_t i = 0; type && i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(type, rules[i].type))
            continue;
        wci_identity identity = {rules[i].kind, NULL, NULL};
        int32_t code = wci_strict_exactly(json, rules[i].keys, what, err);
        if (!code)
            code = read_names(json, rules[i].keys, what, &identity, err);
        if (!code)
            code = check(&identity, what, err);
        if (code)
            wci_identity_free(&identity);
        else
            *out = identity;
        return code;
    }
    char shown[WCI_SHOWN_SIZE];
    wci_show(type ? type : "", shown);
    return wci_err(err, WC_E_FORMAT, "%s: 'signedIdentity': unknown type '%s'", what, shown);
}

/* ---- Comparing -------------------------------------------------------------------------------------- */

static int same_repository(const wci_reference *a, const wci_reference *b)
{
    return wci_streq(a->host, b->host) && wci_streq(a->repository, b->repository);
}

static int same_reference(const wci_reference *a, const wci_reference *b)
{
    return !is_name_only(a) && same_repository(a, b) && wci_streq(a->tag, b->tag) &&
           wci_digest_equal(&a->digest, &b->digest);
}

/* A digest in the name decides which image is meant, so a tag beside it says nothing. */
static int same_or_pinned(const wci_reference *image, const wci_reference *signer)
{
    if (is_name_only(signer))
        return 0;
    if (wci_digest_is_set(&image->digest))
        return same_repository(image, signer);
    return same_reference(image, signer);
}

/* A host is one with its port, a repository without its tag and digest. */
static int has_prefix(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);
    int is_repository = strchr(prefix, '/') != NULL;
    return !strncmp(name, prefix, n) && (name[n] == '/' || (is_repository && strchr(":@", name[n])));
}

/* What the prefix is replaced in must be a whole name again, host included. */
static int accepts_mapped(const char *text, const wci_reference *signer)
{
    wci_reference mapped = WCI_REFERENCE_INIT;
    if (wci_reference_parse(text, &mapped, NULL))
        return 0;
    char *whole = wci_reference_format(&mapped);
    int accepted = whole && !strcmp(whole, text) && same_or_pinned(&mapped, signer);
    wci_free(whole);
    wci_reference_free(&mapped);
    return accepted;
}

static int accepts_remapped(const wci_identity *identity, const wci_reference *image, const wci_reference *signer)
{
    char *name = wci_reference_format(image);
    int is_meant = name && has_prefix(name, identity->name);
    char *text = is_meant ? wci_asprintf("%s%s", identity->signed_name, name + strlen(identity->name)) : NULL;
    int accepted = !name ? 0 : !is_meant ? same_or_pinned(image, signer) : text && accepts_mapped(text, signer);
    wci_free(text);
    wci_free(name);
    return accepted;
}

static int accepts_given(const wci_identity *identity, const wci_reference *signer)
{
    wci_reference given = WCI_REFERENCE_INIT;
    if (wci_reference_parse(identity->name, &given, NULL))
        return 0;
    int accepted = identity->kind == WCI_IDENTITY_EXACT_REFERENCE ? same_reference(&given, signer)
                                                                  : same_repository(&given, signer);
    wci_reference_free(&given);
    return accepted;
}

static int accepts(const wci_identity *identity, const wci_reference *image, const wci_reference *signer)
{
    switch (identity->kind) {
    case WCI_IDENTITY_EXACT_REFERENCE:
    case WCI_IDENTITY_EXACT_REPOSITORY:
        return accepts_given(identity, signer);
    case WCI_IDENTITY_EXACT:
        return image && same_reference(image, signer);
    case WCI_IDENTITY_REPO_DIGEST_OR_EXACT:
        return image && same_or_pinned(image, signer);
    case WCI_IDENTITY_REPOSITORY:
        return image && same_repository(image, signer);
    case WCI_IDENTITY_REMAP:
        return image && accepts_remapped(identity, image, signer);
    case WCI_IDENTITY_ANY:
        return !image || same_repository(image, signer);
    }
    return 0;
}

int wci_identity_accepts(const wci_identity *identity, const wci_reference *image, const char *signed_reference)
{
    wci_reference signer = WCI_REFERENCE_INIT;
    if (wci_reference_parse(signed_reference, &signer, NULL))
        return 0;
    int accepted = accepts(identity, image, &signer);
    wci_reference_free(&signer);
    return accepted;
}

int wci_identity_needs_name(const wci_identity *identity)
{
    return identity->kind != WCI_IDENTITY_EXACT_REFERENCE && identity->kind != WCI_IDENTITY_EXACT_REPOSITORY &&
           identity->kind != WCI_IDENTITY_ANY;
}
