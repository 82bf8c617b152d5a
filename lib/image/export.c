/* SPDX-License-Identifier: Apache-2.0 */
#include "image/export.h"

#include "core/error.h"
#include "core/output.h"
#include "image/part_file.h"

int32_t wci_export_to_fd(wc_call *call, wci_store *store, const wci_edit *edit, wci_fd fd, wc_error **err)
{
    wci_output out = {call, fd};
    const wci_sink to = {wci_output_take, &out};
    return wci_edit_export(call, store, edit, &to, err);
}

int32_t wci_export_to_file(wc_call *call, wci_store *store, const wci_edit *edit, const char *path, wc_error **err)
{
    wci_part_file file = WCI_PART_FILE_NONE;
    int32_t code = wci_part_file_open(path, &file, err);
    if (!code)
        code = wci_export_to_fd(call, store, edit, file.fd, err);
    if (!code)
        code = wci_part_file_finish(&file, err);
    wci_part_file_close(&file);
    return code;
}

int32_t wci_image_export(wc_call *call, wci_store *store, const wci_image_record *record, const char *path, wci_fd fd,
                         wc_error **err)
{
    wci_edit edit = WCI_EDIT_INIT;
    edit.base = (char *)(uintptr_t)record->manifest.text;
    int32_t code = path ? wci_export_to_file(call, store, &edit, path, err)
                        : wci_export_to_fd(call, store, &edit, fd, err);
    return code ? wci_err_wrap(err, code, "image '%s': cannot be exported",
                               record->names.count ? record->names.items[0] : record->config.text)
                : WC_OK;
}
