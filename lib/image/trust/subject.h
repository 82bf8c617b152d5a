/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects of certificates as policies write them: "C=US, ST=WA, O=example.com". Specification: Notary Project,
 * trust-store-trust-policy.md, "Trusted Identities Constraints". */
#ifndef WCI_TRUST_SUBJECT_H
#define WCI_TRUST_SUBJECT_H

#include "core/str.h"

/* Its parts, "C=US" and so on, with what was escaped by a backslash as it is meant. WC_E_FORMAT. */
int32_t wci_subject_parse(const char *text, wci_strv *out, wc_error **err);
/* 1 when the certificate's subject has every part that is wanted, and its type only once. */
int wci_subject_matches(const wci_strv *wanted, const wci_strv *subject);

#endif
