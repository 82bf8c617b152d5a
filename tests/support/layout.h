/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts made piece by piece, right or wrong, and a store to pull them into. */
#ifndef WC_TEST_LAYOUT_H
#define WC_TEST_LAYOUT_H

#include "support/support.h"

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/call.h"
#include "core/digest.h"
#include "core/error.h"
#include "image/documents.h"
#include "image/pull.h"
#include "store/store.h"

static char *layout_base; /* of everything below */
static char *layout_dir;
static wci_store *layout_store;
static wc_error *layout_error;

TEST_HELPER void layout_setup(void)
{
    wc_call call = {0};
    layout_base = test_make_dir();
    layout_dir = test_text("%s/layout", layout_base);
    char *root = test_text("%s/root", layout_base), *run = test_text("%s/run", layout_base);
    char *blobs = test_text("%s/blobs/sha256", layout_dir);
    test_ok(wci_dir_make(blobs, 0755, NULL));
    test_ok(wci_store_open(&call, root, run, 0, &layout_store, NULL));
    free(blobs);
    free(root);
    free(run);
}

TEST_HELPER void layout_teardown(void)
{
    wci_err_clear(&layout_error);
    wci_store_unref(layout_store);
    free(layout_dir);
    test_remove_dir(layout_base);
}

/* Writes a blob; its digest, owned. */
TEST_HELPER char *layout_blob(const void *data, size_t size)
{
    wci_digest digest;
    test_ok(wci_digest_of(WCI_SHA256, data, size, &digest, NULL));
    char *path = test_text("%s/blobs/sha256/%s", layout_dir, wci_digest_hex(&digest));
    test_write_file(path, data, size);
    free(path);
    return strdup(digest.text);
}

/* {"mediaType":…,"digest":…,"size":…} of a new blob; owned. */
TEST_HELPER char *layout_descriptor(const char *media_type, const void *data, size_t size)
{
    char *digest = layout_blob(data, size);
    char *text = test_text("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", media_type,
                           digest, size);
    free(digest);
    return text;
}

/* index.json that holds `entries`, which is released. */
TEST_HELPER void layout_index(char *entries)
{
    char *path = test_text("%s/index.json", layout_dir);
    char *text = test_text("{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
    test_write_file(path, text, strlen(text));
    free(path);
    free(text);
    free(entries);
}

/* A layer without entries: an empty tar, which is its own DiffID. */
TEST_HELPER char *layout_empty_layer(char **diff_id)
{
    static const char tar[1024];
    *diff_id = layout_blob(tar, sizeof tar);
    return layout_descriptor(WCI_TYPE_OCI_LAYER, tar, sizeof tar);
}

/* A config for these DiffIDs ("\"a\",\"b\"") with more members (", \"x\": 1" or ""); owned. */
TEST_HELPER char *layout_config(const char *diff_ids, const char *more)
{
    return test_text("{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\","
                     "\"diff_ids\":[%s]}%s}",
                     "amd64", diff_ids, more);
}

TEST_HELPER char *layout_manifest(const char *config, const char *layers, const char *more)
{
    return test_text("{\"schemaVersion\":2,\"mediaType\":\"" WCI_TYPE_OCI_MANIFEST "\","
                     "\"config\":%s,\"layers\":[%s]%s}",
                     config, layers, more);
}

/* Pulls the layout's image, or the one called `ref`. */
TEST_HELPER int32_t layout_pull_with(const char *ref, const wci_transfer *transfer,
                                     wci_image_record **out)
{
    wc_call call = {0};
    wci_place place = {.kind = WCI_PLACE_OCI, .path = layout_dir, .ref = (char *)ref};
    wci_err_clear(&layout_error);
    return wci_image_pull(&call, layout_store, &place, transfer, out, &layout_error);
}

TEST_HELPER int32_t layout_pull(void)
{
    const wci_transfer transfer = WCI_TRANSFER_INIT;
    wci_image_record *record = NULL;
    int32_t code = layout_pull_with(NULL, &transfer, &record);
    wci_image_record_free(record);
    return code;
}

/* Puts the manifest's text, which is released, and pulls it. */
TEST_HELPER int32_t layout_pull_manifest(char *manifest)
{
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    free(manifest);
    return layout_pull();
}

/* One empty layer, and this config text, which is released. */
TEST_HELPER int32_t layout_pull_config(char *config)
{
    char *diff_id, *layer = layout_empty_layer(&diff_id);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    int32_t code = layout_pull_manifest(layout_manifest(descriptor, layer, ""));
    free(diff_id);
    free(layer);
    free(descriptor);
    free(config);
    return code;
}

TEST_HELPER size_t layout_image_count(void)
{
    wci_image_record **all = NULL;
    size_t count = 0;
    test_ok(wci_image_list(layout_store, &all, &count, NULL));
    wci_image_records_free(all, count);
    return count;
}

#endif
