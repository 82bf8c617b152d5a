/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's output is written down: files (backend/process/logs.h has the format), or the journal. */
#ifndef WC_HELPER_LOG_H
#define WC_HELPER_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

typedef struct log_sink {
    /* What one read gave. */
    void (*write)(struct log_sink *sink, int channel, const char *data, size_t size);
    /* A descriptor that can be written to when it is to be called again, or -1: it has taken all that it was given.
     * NULL: it always does. */
    int (*go_on)(struct log_sink *sink);
    void (*close)(struct log_sink *sink);
} log_sink;

/* Goes on where an earlier run ended. max_bytes 0: one file for ever. A disk that is full loses output, it does not stop
 * the container. */
int32_t log_open_file(const char *state_dir, int64_t max_bytes, int64_t max_files, log_sink **out, wc_error **err);
/* `fields`: a JSON object of texts, which each entry has. WC_E_MISSING where no journal listens at `socket`. */
int32_t log_open_journal(const char *socket, const char *fields, log_sink **out, wc_error **err);

#endif
