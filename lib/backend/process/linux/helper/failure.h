/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime says when it fails, and what it means. */
#ifndef WC_HELPER_FAILURE_H
#define WC_HELPER_FAILURE_H

#include <wincontainer/error.h>

#define RUNTIME_LOG "runtime.log" /* of --log, in the current directory */

/* The error for a runtime that ended with `status`; `stderr_fd` may hold what it printed. */
int32_t runtime_failure(const char *runtime, int status, int stderr_fd, wc_error **err);
/* The same for one whose standard error was caught. */
int32_t runtime_said_failure(const char *runtime, int status, const char *said, wc_error **err);
/* The code for the words of runc and crun. */
int32_t runtime_failure_code(const char *message);

#endif
