/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the host, the process and the time. */
#ifndef WCI_HOST_H
#define WCI_HOST_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/str.h"

int64_t wci_now_ns(void);       /* since the epoch */
int64_t wci_monotonic_ns(void); /* for intervals */
int32_t wci_random_bytes(void *out, size_t size, wc_error **err);
/* `bytes` random bytes as lower-case hex; out holds 2 * bytes + 1. */
int32_t wci_random_hex(size_t bytes, char *out, wc_error **err);

int64_t wci_host_pid(void);
/* When the process began, in the system's own unit: with the pid it names a process for ever. */
int64_t wci_host_process_start(int64_t pid);
int wci_host_is_root(void);
uint32_t wci_host_uid(void);
uint32_t wci_host_gid(void);
/* GOOS / GOARCH words of the OCI image specification: "linux", "amd64"; variant "" or "v7". */
const char *wci_host_os(void);
const char *wci_host_arch(void);
const char *wci_host_variant(void);
/* Release of the kernel or build of Windows; lent, static. */
const char *wci_host_kernel(void);
const char *wci_host_name(char *out, size_t size);
/* Environment of the process; lent until somebody changes it, copy at once. */
const char *wci_host_env(const char *name);
/* A copy of the whole environment for a program that is started, NULL at its end; NULL: out of memory. */
char **wci_host_environment(void);
void wci_host_environment_free(char **environment); /* NULL accepted */
/* Where the configuration of the system lies; lent, static. */
const char *wci_host_etc(void);
/* Default directories, see design: root store, volatile directory. Owned text. */
char *wci_host_default_root(void);
char *wci_host_default_run_root(void);
/* Where configuration that all container tools share may be, the user's before the system's. 0 or WC_E_NOMEM. */
int wci_host_container_files(const char *name, wci_strv *out);
/* The short names that podman has recorded. Owned. */
char *wci_host_short_names(void);
/* Where simple signatures of images lie when no configuration says otherwise. Owned. */
char *wci_host_signature_dir(void);
/* Absolute path of a program found on PATH and in the usual system directories, or NULL. Owned. */
char *wci_host_find_program(const char *name);
/* Absolute path of the shared object that holds this library (or the program, when linked in). */
char *wci_host_library_path(void);

void wci_host_errno_text(int errnum, char *out, size_t size);
int32_t wci_host_code_of_errno(int errnum);

#endif
