/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, indexes and configs: whatever is accepted keeps what the rest of the library relies on,
 * and every refusal has a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "image/config.h"
#include "image/documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_descriptor(const wci_descriptor *d)
{
    wci_digest again;
    must(d->media_type && d->size >= 0);
    must(wci_digest_parse(d->digest.text, &again, NULL) == WC_OK);
    must(d->platform.os && d->platform.arch && d->platform.variant && d->platform.os_version);
}

static void check_document(const wci_document *document)
{
    uint64_t total = 0;
    must(document->count <= (document->kind == WCI_DOCUMENT_INDEX ? WCI_INDEX_MAX : WCI_LAYERS_MAX));
    for (size_t i = 0; i < document->count; i++)
        check_descriptor(&document->items[i]);
    if (document->kind == WCI_DOCUMENT_INDEX)
        return;
    check_descriptor(&document->config);
    wci_manifest_check_image(document, "fuzzed", NULL);
    if (!wci_manifest_content_size(document, &total, NULL))
        must(total <= INT64_MAX);
}

static void try_document(const char *data, size_t size, const char *media_type)
{
    wci_document *document = NULL;
    wc_error *err = NULL;
    int32_t code = wci_document_parse(data, size, media_type, "fuzzed", &document, &err);
    must((code == WC_OK) == (document != NULL) && wc_error_code(err) == code);
    if (document)
        check_document(document);
    wci_document_free(document);
    wc_error_unref(err);
}

static void try_config(const char *data, size_t size)
{
    wci_image_config *config = NULL;
    wc_error *err = NULL;
    int32_t code = wci_image_config_parse(data, size, "fuzzed", &config, &err);
    must((code == WC_OK) == (config != NULL) && wc_error_code(err) == code);
    if (config) {
        must(config->label_names.count == config->label_values.count);
        must(config->diff_id_count <= WCI_LAYERS_MAX);
        must(config->user && config->working_dir && config->stop_signal);
    }
    wci_image_config_free(config);
    wc_error_unref(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    try_document(text, size, NULL);
    try_document(text, size, WCI_TYPE_DOCKER_MANIFEST);
    try_document(text, size, WCI_TYPE_OCI_INDEX);
    try_config(text, size);
    return 0;
}
