/* SPDX-License-Identifier: Apache-2.0 */
#include "image/part_file.h"

#include "core/alloc.h"
#include "core/error.h"

/* Renaming takes the place of what is there, which would be wrong for a link, a device or a pipe: links are
 * followed, and the others refused. */
static int32_t find_target(const char *path, char **out, wc_error **err)
{
    wci_file_info info;
    wc_error *why = NULL;
    int32_t code = wci_file_info_of(path, &info, &why);
    int is_link = !code && info.type == WCI_FILE_SYMLINK;
    if (is_link)
        code = wci_path_real(path, out, &why);
    if (is_link && !code)
        code = wci_file_info_of(*out, &info, &why);
    if (!code && info.type != WCI_FILE_REGULAR)
        return wci_err(err, WC_E_INVALID, "'%s' is no regular file; name a file to write", path);
    if (code && (is_link || code != WC_E_NOT_FOUND))
        return wci_err_move(err, why);
    wc_error_unref(why);
    if (!is_link)
        *out = wci_strdup(path);
    return *out ? WC_OK : wci_err_nomem(err);
}

int32_t wci_part_file_open(const char *path, wci_part_file *out, wc_error **err)
{
    wci_part_file file = WCI_PART_FILE_NONE;
    int32_t code = find_target(path, &file.path, err);
    if (!code)
        code = wci_file_open_unseen(file.path, 0644, &file.fd, &file.part, err);
    if (code)
        wci_free(file.path);
    else
        *out = file;
    return code;
}

int32_t wci_part_file_finish(wci_part_file *file, wc_error **err)
{
    int32_t code = wci_file_publish(file->fd, file->part, file->path, err);
    if (code)
        return code;
    wci_free(file->part);
    file->part = NULL;
    return WC_OK;
}

void wci_part_file_close(wci_part_file *file)
{
    wci_fd_close(file->fd);
    if (file->part)
        wci_file_remove(file->part, NULL);
    wci_free(file->part);
    wci_free(file->path);
    *file = (wci_part_file)WCI_PART_FILE_NONE;
}
