/* SPDX-License-Identifier: Apache-2.0 */
/* Names as they stand in archives. */
#ifndef WCI_LAYER_PATH_H
#define WCI_LAYER_PATH_H

#include "core/str.h"
#include "layer/layer.h"

/* Clears `out` and puts the clean form there: relative to the root, without "." and empty parts,
 * ".." taken back within the name; "" is the root. WC_E_FORMAT for names that are empty or lead
 * out, WC_E_LIMIT for too long ones. `what` begins the errors ("its name"). */
int32_t wci_path_clean(const char *name, const wci_limits *limits, const char *what, wci_str *out,
                       wc_error **err);
/* For cp, cuts `path`: "a/b" is the entry b of a; "a/", "a/." and "/" are what the directory holds (name ""). The
 * parent may be "", which is the root. */
void wci_archive_split(char *path, const char **parent, const char **name);
/* wci_show() as an expression. */
const char *wci_path_shown(const char *name, char out[WCI_SHOWN_SIZE]);

/* WC_E_FORMAT for a clean path that Windows would read as something else: a stream ("f:s"), a
 * device ("CON", "nul.txt"), backslashes, characters it forbids, parts that end in a dot or space. */
int32_t wci_path_check_windows(const char *path, wc_error **err);

/* Finds names that differ in case only. */
typedef struct wci_case_set wci_case_set;
wci_case_set *wci_case_set_new(void); /* NULL: out of memory */
/* WC_E_FORMAT when the path, or a directory on its way, was added before in other letters. */
int32_t wci_case_set_add(wci_case_set *set, const char *path, wc_error **err);
void wci_case_set_free(wci_case_set *set);

#endif
