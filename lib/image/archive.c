/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive.h"

#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/part_file.h"
#include "layer/layer.h"
#include "platform/host.h"
#include "platform/lazy.h"

#define CHUNK ((size_t)256 * 1024)

/* ---- Reading ------------------------------------------------------------------------------------ */

int32_t wci_archive_scratch(wci_store *store, wci_fd *out, wc_error **err)
{
    char name[33];
    wci_fd fd = WCI_FD_NONE;
    int32_t code = wci_random_hex(16, name, err);
    char *path = code ? NULL : wci_path_join3(wci_store_root(store), "staging", name);
    if (!code && !path)
        code = wci_err_nomem(err);
    if (!code)
        code = wci_file_open(path,
                             WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL,
                             0600, &fd, err);
    if (!code) {
        code = wci_file_remove(path, err);
        if (code)
            wci_fd_close(fd);
        else
            *out = fd;
    }
    wci_free(path);
    return code;
}

static int32_t copy_decoded(wc_call *call, wci_decoder *decoder, char *buffer, wci_fd to,
                            wc_error **err)
{
    for (uint64_t total = 0;;) {
        size_t got = 0;
        int32_t code = wci_call_check(call, err);
        if (!code)
            code = wci_decoder_read(decoder, buffer, CHUNK, &got, err);
        if (code || !got)
            return code;
        total += got;
        if (total > wci_limits_default.max_bytes)
            return wci_err(err, WC_E_LIMIT, "it unpacks to over %llu bytes",
                           (unsigned long long)wci_limits_default.max_bytes);
        code = wci_fd_write(to, buffer, got, err);
        if (code)
            return code;
    }
}

static int32_t decompress(wc_call *call, wci_store *store, wci_codec codec, wci_fd from,
                          wci_fd *out, wc_error **err)
{
    const wci_source source = {wci_source_read_file, &from};
    wci_decoder *decoder = NULL;
    wci_fd to = WCI_FD_NONE;
    char *buffer = wci_malloc(CHUNK);
    int32_t code = buffer ? WC_OK : wci_err_nomem(err);
    if (!code)
        code = wci_archive_scratch(store, &to, err);
    if (!code)
        code = wci_decoder_new(codec, &source, &decoder, err);
    if (!code)
        code = copy_decoded(call, decoder, buffer, to, err);
    wci_decoder_free(decoder);
    wci_free(buffer);
    if (code)
        wci_fd_close(to);
    else
        *out = to;
    return code;
}

static int32_t check_head(const char *head, size_t size, wc_error **err)
{
    if (size >= 6 && !memcmp(head, "\xFD" "7zXZ", 6))
        return wci_err(err, WC_E_UNSUPPORTED, "it is compressed with xz; unpack it first: xz -d");
    if (size >= 3 && !memcmp(head, "BZh", 3))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "it is compressed with bzip2; unpack it first: bzip2 -d");
    if (!size)
        return wci_err(err, WC_E_FORMAT, "it is empty");
    return WC_OK;
}

static int32_t open_plain(wc_call *call, wci_store *store, const char *path, wci_fd *out,
                          wc_error **err)
{
    wci_fd fd = WCI_FD_NONE, plain = WCI_FD_NONE;
    wci_file_info info;
    char head[16];
    size_t got = 0;
    int32_t code = wci_file_open(path, WCI_OPEN_READ, 0, &fd, err);
    if (code)
        return code;
    code = wci_fd_info(fd, &info, err);
    if (!code && info.type != WCI_FILE_REGULAR)
        code = wci_err(err, WC_E_INVALID, "it is not a regular file");
    if (!code)
        code = wci_fd_pread(fd, head, sizeof head, 0, &got, err);
    if (!code)
        code = check_head(head, got, err);
    wci_codec codec = code ? WCI_CODEC_NONE : wci_codec_guess(head, got);
    if (!code && codec == WCI_CODEC_NONE) {
        *out = fd;
        return WC_OK;
    }
    if (!code)
        code = decompress(call, store, codec, fd, &plain, err);
    wci_fd_close(fd);
    if (!code)
        *out = plain;
    return code;
}

int32_t wci_archive_open(wc_call *call, wci_store *store, const char *path, wci_fd *out,
                         wc_error **err)
{
    int32_t code = open_plain(call, store, path, out, err);
    return code ? wci_err_wrap(err, code, "archive '%s': cannot be read", path) : WC_OK;
}

/* ---- Writing ------------------------------------------------------------------------------------ */

struct wci_archive_writer {
    struct archive *archive;
    wci_part_file file;
    wc_error *why;
    int is_given_up;
};

static la_ssize_t write_through(struct archive *archive, void *self, const void *data, size_t size)
{
    wci_archive_writer *tar = self;
    wc_error *why = NULL;
    if (!tar->is_given_up && !wci_fd_write(tar->file.fd, data, size, &why))
        return (la_ssize_t)size;
    wc_error_unref(tar->why);
    tar->why = why;
    archive_set_error(archive, ARCHIVE_FATAL, "writing failed");
    return -1;
}

static int32_t tar_failed(wci_archive_writer *tar, wc_error **err)
{
    wc_error *why = tar->why;
    tar->why = NULL;
    if (why) {
        int32_t code = wci_err_move(err, why);
        return wci_err_wrap(err, code, "archive '%s': cannot be written", tar->file.path);
    }
    const char *text = archive_error_string(tar->archive);
    return wci_err_native(err, WC_E_IO, WC_DOMAIN_ARCHIVE, archive_errno(tar->archive),
                          "archive '%s': cannot be written: %s", tar->file.path,
                          text ? text : "no reason given");
}

static int32_t start_tar(wci_archive_writer *tar, wc_error **err)
{
    int32_t missing = wci_lazy_archive(err);
    if (missing)
        return missing;
    tar->archive = archive_write_new();
    if (!tar->archive)
        return wci_err_nomem(err);
    if (archive_write_set_format_pax_restricted(tar->archive) ||
        archive_write_set_bytes_per_block(tar->archive, (int)CHUNK) ||
        archive_write_set_bytes_in_last_block(tar->archive, 512) ||
        archive_write_open(tar->archive, tar, NULL, write_through, NULL))
        return tar_failed(tar, err);
    return WC_OK;
}

int32_t wci_archive_writer_open(const char *path, wci_archive_writer **out, wc_error **err)
{
    wci_archive_writer *tar = wci_calloc(1, sizeof *tar);
    if (!tar)
        return wci_err_nomem(err);
    tar->file = (wci_part_file)WCI_PART_FILE_NONE;
    int32_t code = wci_part_file_open(path, &tar->file, err);
    if (!code)
        code = start_tar(tar, err);
    if (code) {
        wci_archive_writer_close(tar);
        return code;
    }
    *out = tar;
    return WC_OK;
}

/* The same input gives the same bytes: no times, no owners. */
int32_t wci_archive_writer_begin(wci_archive_writer *tar, const char *name, uint64_t size, wc_error **err)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return wci_err_nomem(err);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_mtime(entry, 0, 0);
    int result = archive_write_header(tar->archive, entry);
    archive_entry_free(entry);
    return result == ARCHIVE_OK ? WC_OK : tar_failed(tar, err);
}

int32_t wci_archive_writer_write(wci_archive_writer *tar, const void *data, size_t size, wc_error **err)
{
    return archive_write_data(tar->archive, data, size) == (la_ssize_t)size
               ? WC_OK
               : tar_failed(tar, err);
}

int32_t wci_archive_writer_put(wci_archive_writer *tar, const char *name, const void *data, size_t size,
                           wc_error **err)
{
    int32_t code = wci_archive_writer_begin(tar, name, size, err);
    return code || !size ? code : wci_archive_writer_write(tar, data, size, err);
}

int32_t wci_archive_writer_finish(wci_archive_writer *tar, wc_error **err)
{
    if (archive_write_close(tar->archive) != ARCHIVE_OK)
        return tar_failed(tar, err);
    return wci_part_file_finish(&tar->file, err);
}

void wci_archive_writer_close(wci_archive_writer *tar)
{
    if (!tar)
        return;
    tar->is_given_up = 1; /* or else the rest of an entry would be filled up with zeros */
    if (tar->archive)
        archive_write_free(tar->archive);
    wci_part_file_close(&tar->file);
    wc_error_unref(tar->why);
    wci_free(tar);
}
