/* SPDX-License-Identifier: Apache-2.0 */
/* An image's config: what its layers are and how a container of it is run by default.
 * Specification: OCI image-spec 1.1, config.md, with Docker's additions. */
#ifndef WCI_IMAGE_CONFIG_H
#define WCI_IMAGE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/digest.h"
#include "core/str.h"
#include "image/documents.h"
#include "image/platform.h"
#include "store/store.h"

/* A config document above this size is refused. */
#define WCI_CONFIG_MAX ((size_t)4 << 20)

/* Texts are never NULL unless said; what the document does not have is "" or empty. */
typedef struct wci_image_config {
    wci_platform platform;
    int64_t created_ns; /* 0: not given */
    wci_digest *diff_ids;
    size_t diff_id_count;

    wci_strv entrypoint;
    wci_strv cmd;
    wci_strv env; /* "NAME=value" as written */
    char *user;   /* "name", "uid", "name:group", "uid:gid"; not checked here */
    char *working_dir;
    char *stop_signal;
    wci_strv volumes;       /* paths; not checked here */
    wci_strv exposed_ports; /* "80/tcp" */
    wci_strv label_names;   /* label_values has the same count */
    wci_strv label_values;
    char *healthcheck; /* the JSON object of "Healthcheck", or NULL */
    int args_escaped;  /* Windows: the first element of the command is a whole command line */
} wci_image_config;

/* `what` names the document in errors. */
int32_t wci_image_config_parse(const char *data, size_t size, const char *what,
                               wci_image_config **out, wc_error **err);
/* Of an image in the store: one of its documents as it is there. WC_E_CORRUPT, with what to do, when it is gone or
 * changed. `kind` is "config" or "manifest". */
int32_t wci_image_document_read(wci_store *store, const wci_image_record *record, const wci_digest *digest,
                                const char *kind, size_t max, wc_buf **out, wc_error **err);
int32_t wci_image_manifest_load(wci_store *store, const wci_image_record *record, wci_document **out,
                                wc_error **err);
int32_t wci_image_config_load(wci_store *store, const wci_image_record *record,
                              wci_image_config **out, wc_error **err);
void wci_image_config_free(wci_image_config *config);

#endif
