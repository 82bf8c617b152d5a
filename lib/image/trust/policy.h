/* SPDX-License-Identifier: Apache-2.0 */
/* Which images are accepted: containers-policy.json(5), with one requirement more for Notary Project's
 * signatures. docs/signatures.md tells what is understood. */
#ifndef WCI_TRUST_POLICY_H
#define WCI_TRUST_POLICY_H

#include "core/str.h"
#include "image/place.h"
#include "image/trust/identity.h"

typedef enum wci_requirement_kind {
    WCI_REQUIRE_NOTHING,
    WCI_REQUIRE_REJECT,
    WCI_REQUIRE_SIMPLE,   /* "signedBy": simple signing, by GPG */
    WCI_REQUIRE_SIGSTORE, /* "sigstoreSigned" */
    WCI_REQUIRE_NOTATION, /* "notationSigned" */
} wci_requirement_kind;

typedef struct wci_requirement {
    wci_requirement_kind kind;
    wci_strv paths;        /* of keys or certificates */
    wci_strv data;         /* the same as base64, which was checked */
    wci_identity identity; /* not for WCI_REQUIRE_NOTATION */
    wci_strv signers;      /* WCI_REQUIRE_NOTATION: "*", or subjects without their prefix */
    const char *beyond;    /* static: what it demands that we cannot check, or NULL */
} wci_requirement;

/* What is required of the images of one scope. */
typedef struct wci_scope {
    char *transport; /* NULL: the global default */
    char *name;      /* "": the transport's default */
    wci_requirement *items;
    size_t count;
} wci_scope;

typedef struct wci_policy {
    char *origin; /* for messages: "policy '/etc/containers/policy.json'" */
    wci_scope *scopes;
    size_t count, cap;
} wci_policy;

int32_t wci_policy_parse(const char *text, size_t size, const char *path, wci_policy **out, wc_error **err);
/* `path` NULL: $HOME/.config/containers/policy.json, else that of the system; *out is NULL when neither is
 * there. */
int32_t wci_policy_load(const char *path, wci_policy **out, wc_error **err);
/* Nothing but cosign's signatures by this one key; where images have names, for their repository. */
int32_t wci_policy_of_key(const char *key_path, wci_policy **out, wc_error **err);
void wci_policy_free(wci_policy *policy);

/* The requirements for what lies at a place: the most specific scope decides alone. */
int32_t wci_policy_find(const wci_policy *policy, const wci_place *place, const wci_scope **out, wc_error **err);
/* What a place's scopes may be called, the most specific first; `transport` is static. */
int32_t wci_policy_scopes(const wci_place *place, const char **transport, wci_strv *names, wc_error **err);
/* WC_E_FORMAT for scopes which could never apply. */
int32_t wci_policy_check_scope(const char *transport, const char *name, const char *what, wc_error **err);

#endif
