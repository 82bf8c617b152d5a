/* SPDX-License-Identifier: Apache-2.0 */
/* The records of an unpacked layer: the listing before the first byte 0xff, and behind it what the split says, without its
 * header and codec. The tree they are of has a file, a directory, a link, and a file that was changed. Nothing of them
 * reads or writes outside. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tarball.h"

#include "core/error.h"
#include "layer/plain.h"
#include "layer/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

static void must(int condition)
{
    if (!condition)
        abort();
}

static char *tree_path;

static void remove_tree(void)
{
    must(!wci_dir_remove_all(tree_path, NULL));
}

static void put_file(const char *name, const char *text)
{
    char *path = test_text("%s/%s", tree_path, name);
    test_write_file(path, text, strlen(text));
    free(path);
}

static wci_fd open_tree(void)
{
    wci_fd root;
    if (!tree_path) {
        tree_path = strdup("/tmp/wc-fuzz-plain-XXXXXX");
        must(mkdtemp(tree_path) != NULL);
        must(!atexit(remove_tree));
        char *dir = test_text("%s/d", tree_path), *link = test_text("%s/s", tree_path);
        must(!mkdir(dir, 0755) && !symlink("/etc", link));
        put_file("f", "content");
        put_file("d/g", "changed");
        free(dir);
        free(link);
    }
    must(!wci_tree_open_root(tree_path, &root, NULL));
    return root;
}

static int32_t append(void *self, const void *data, size_t size, wc_error **err)
{
    tarball *to = self;
    if (to->size + size > MOST)
        return wci_err(err, WC_E_LIMIT, "enough");
    tar_bytes(to, data, size);
    return WC_OK;
}

static wci_fd as_file(const void *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static wci_fd split_file(const uint8_t *data, size_t size)
{
    tarball bytes = TARBALL_INIT;
    const wci_sink to = {append, &bytes};
    wci_encoder *encoder = NULL;
    tar_bytes(&bytes, WCI_SPLIT_HEADER, strlen(WCI_SPLIT_HEADER));
    must(!wci_encoder_new(WCI_CODEC_ZSTD, &to, &encoder, NULL) && !wci_encoder_write(encoder, data, size, NULL) &&
         !wci_encoder_end(encoder, NULL));
    wci_encoder_free(encoder);
    wci_fd file = as_file(bytes.data, bytes.size);
    tar_free(&bytes);
    return file;
}

static void pack(const wci_plain_layer *layer, wci_fd listing)
{
    WCI_CALL_NONE(call);
    tarball out = TARBALL_INIT;
    const wci_sink to = {append, &out};
    wc_error *err = NULL;
    int32_t rc = wci_survey_take(&call, layer->root, listing, "listing", layer->windows, layer->survey, &err);
    if (!rc)
        rc = wci_plain_pack(&call, layer, &to, &err);
    must((rc == WC_OK) == (err == NULL));
    wc_error_unref(err);
    wci_survey_free(layer->survey);
    tar_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wci_survey survey = {.listed = NULL};
    const uint8_t *end = size > 1 ? memchr(data + 1, 0xff, size - 1) : NULL;
    if (!end || size > MOST / 2)
        return 0;
    tarball listing = TARBALL_INIT;
    tar_bytes(&listing, "wincontainer layer records 1\n", 29);
    tar_bytes(&listing, data + 1, (size_t)(end - data) - 1);
    wci_fd listed = as_file(listing.data, listing.size);
    wci_plain_layer layer = {.root = open_tree(), .records = split_file(end + 1, (size_t)(data + size - end) - 1),
                             .what = "split", .windows = data[0] & 1, .latest_sec = -1, .survey = &survey};
    pack(&layer, listed);
    wci_fd_close(layer.records);
    wci_fd_close(layer.root);
    wci_fd_close(listed);
    tar_free(&listing);
    return 0;
}
