/* SPDX-License-Identifier: Apache-2.0 */
/* A layer tar of any bytes: unpacked, linked to the layer below that a first run made, and packed
 * again. Checksums are made right, or few inputs would get past the first header. */
#include <stdlib.h>
#include <string.h>

#include "support/tarball.h"

#include "platform/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *base;

static void remove_base(void)
{
    wci_dir_remove_all(base, NULL);
    free(base);
}

/* A block that is a header but for its checksum gets one. */
static void sign_blocks(char *data, size_t size)
{
    for (size_t at = 0; at + 512 <= size; at += 512)
        if (memcmp(data + at + 257, "ustar", 5) == 0)
            tar_sign(data + at);
}

static int32_t unpack(const char *data, size_t size, const char *to)
{
    static wci_limits limits;
    wci_digest diff_id;
    limits = wci_limits_default;
    limits.max_bytes = 1 << 20;
    limits.max_entries = 200;
    if (wci_dir_make_new(to, 0700, NULL) ||
        wci_digest_of(WCI_SHA256, data, size, &diff_id, NULL))
        abort();
    wc_error *err = NULL;
    int32_t rc = unpack_bytes(data, size, WCI_CODEC_NONE, &diff_id, to, &limits, NULL, &err);
    if ((rc == WC_OK) != (err == NULL))
        abort();
    wc_error_unref(err);
    return rc;
}

static int32_t drop(void *self, const void *data, size_t size, wc_error **err)
{
    (void)self;
    (void)data;
    (void)size;
    (void)err;
    return WC_OK;
}

static void link_and_pack(const char *tree, const char *records)
{
    int is_empty = 0;
    wci_fd root;
    wci_sink sink = {drop, NULL};
    const wci_level levels[2] = {{tree, records, NULL}, {tree, records, NULL}};
    char *x = test_text("%s/x", base);
    if (wci_dir_make_new(x, 0700, NULL))
        abort();
    wci_layer_link(levels, 2, x, &is_empty, NULL);
    if (wci_tree_open_root(tree, &root, NULL) == WC_OK) {
        wci_tar_pack(root, "", "", &sink, NULL, NULL);
        wci_fd_close(root);
    }
    free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!base) {
        base = test_make_dir();
        atexit(remove_base);
    }
    char *copy = malloc(size + 1), *to = test_text("%s/t", base);
    char *tree = test_text("%s/fs", to), *records = test_text("%s/records", to);
    memcpy(copy, data, size);
    sign_blocks(copy, size);
    if (unpack(copy, size, to) == WC_OK)
        link_and_pack(tree, records);
    wci_dir_remove_all(base, NULL);
    wci_dir_make(base, 0700, NULL);
    free(copy);
    free(to);
    free(tree);
    free(records);
    return 0;
}
