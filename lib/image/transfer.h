/* SPDX-License-Identifier: Apache-2.0 */
/* How an image is to be moved: what the public wc_transfer_options holds. */
#ifndef WCI_IMAGE_TRANSFER_H
#define WCI_IMAGE_TRANSFER_H

#include "core/str.h"
#include "image/platform.h"
#include "registry/registry.h"

/* Whether what refers to an image goes along. */
typedef enum wci_companions {
    WCI_COMPANIONS_UNSAID, /* as the call does it: taken out when they can be had, not brought in */
    WCI_COMPANIONS_NONE,
    WCI_COMPANIONS_TRY,    /* what cannot be had, or is refused, stays behind with a word of warning */
    WCI_COMPANIONS_ALL,
} wci_companions;

typedef struct wci_transfer {
    wci_platform platform;
    int has_platform;             /* 0: the host's */
    wci_isolation isolation;      /* that the image is to run with: builds of Windows depend on it */
    int all;                      /* the whole index, for all its platforms … */
    wci_platform *platforms;      /* … or for these, when there are any */
    size_t platform_count;
    int partial;                  /* layers may come in part, and their blobs count as dropped */
    wci_companions companions;
    int sends_foreign;            /* layers that may not be distributed, too, go to registries */
    wci_registry_config registry; /* texts lent; credentials and certificates are the source's, when that is a registry */
    const char *target_username;  /* between two registries */
    const char *target_password;
    const char *target_cert_dir;
    const char *policy_file;      /* policy.json; NULL: the usual places */
    const char *policy_key;       /* instead of a policy: the public key that must have signed; or NULL */
    const char *sign_key;         /* private key that signs what goes to a registry; or NULL */
    const char *sign_passphrase;  /* of that key; NULL: none */
    const char *sign_identity;    /* the name that is signed; NULL: the target's */
    int is_own_work;              /* made by this library: no policy is asked */
    int trust_names;              /* names found in archives become names of the store */
    int is_renamed;               /* the place's own name does not become one of the store */
    wci_strv names;               /* further names, as the caller wrote them */
} wci_transfer;

#define WCI_TRANSFER_INIT                                                                        \
    {.registry = WCI_REGISTRY_CONFIG_INIT, .names = WCI_STRV_INIT}

#endif
