/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that means harm, and the directory `outside` that it is after. */
#ifndef WC_HOSTILE_LAYERS_H
#define WC_HOSTILE_LAYERS_H

#include "support/tarball.h"

/* <dir>/outside/secret is what no test may change; layers are unpacked into <dir>/t<n>. */
extern char *hostile_dir, *hostile_outside;
void hostile_setup(void);
/* Also asserts that nothing outside was touched. */
void hostile_teardown(void);
/* Ends the tar and unpacks it; the path of its fs directory is owned. */
char *hostile_unpack(tarball *t);
/* The same, for a tar that is refused; it is released. */
void hostile_refused(tarball *t, int32_t want);
void hostile_refused_with(tarball *t, const wci_limits *limits, int32_t want);
/* "FS/NAME"; owned. */
char *hostile_path(const char *fs, const char *name);
int hostile_exists(const char *fs, const char *name);
/* The S_IFMT part of the mode; 0 when there is nothing. */
mode_t hostile_type(const char *fs, const char *name);
void hostile_assert_text(const char *fs, const char *name, const char *want);

TCase *hostile_stream_cases(void);
TCase *hostile_chunked_cases(void);
TCase *hostile_windows_cases(void);

#endif
