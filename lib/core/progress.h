/* SPDX-License-Identifier: Apache-2.0 */
/* What one progress callback is shown. */
#ifndef WCI_PROGRESS_H
#define WCI_PROGRESS_H

#include <stdint.h>

#include <wincontainer/cancel.h>

struct wc_progress {
    int32_t kind;
    const char *id;      /* never NULL */
    const char *message; /* never NULL */
    int64_t current;
    int64_t total; /* -1: not known */
};

#endif
