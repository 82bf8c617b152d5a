/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a container's log; backend/process/logs.h has the format. */
#ifndef WC_HELPER_LOG_H
#define WC_HELPER_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

typedef struct log_file log_file;

/* Goes on where an earlier run ended. max_bytes 0: one file for ever. */
int32_t log_open(const char *state_dir, int64_t max_bytes, int64_t max_files, log_file **out,
                 wc_error **err);
/* What one read gave. A disk that is full loses output, it does not stop the container. */
void log_write(log_file *log, int channel, const char *data, size_t size);
void log_close(log_file *log); /* NULL accepted */

#endif
