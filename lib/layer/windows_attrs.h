/* SPDX-License-Identifier: Apache-2.0 */
/* The pax records of Windows layers (MSWINDOWS.*). Nothing of them is applied yet: a layer becomes a plain
 * tree. They are checked as it is unpacked, so that no image comes into a store whose records a host with
 * Windows could be harmed by. */
#ifndef WCI_LAYER_WINDOWS_ATTRS_H
#define WCI_LAYER_WINDOWS_ATTRS_H

#include "layer/tar_header.h"

/* 1 when the key of a pax record is one of Windows. */
int wci_windows_is_record(const char *key);
/* Notes one such record; WC_E_FORMAT for a value that is none: broken base64, a bad security descriptor, a
 * number out of range. The value is `size` bytes with a zero behind them. */
int32_t wci_windows_take_record(wci_windows_attrs *attrs, const char *key, const char *value,
                                size_t size, wc_error **err);
/* Whether records and entry belong together, once all of both is known. WC_E_FORMAT for a junction that
 * leads elsewhere than to a place on the container's own C:, since it is the host that follows it. */
int32_t wci_windows_check_entry(const wci_tar_entry *entry, wc_error **err);
/* 1 when `path` is an alternate stream ("f:s") of `owner`: such an entry follows its file. */
int wci_windows_is_stream_of(const char *path, const char *owner);

#endif
