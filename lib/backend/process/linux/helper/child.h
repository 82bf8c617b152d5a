/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WC_HELPER_CHILD_H
#define WC_HELPER_CHILD_H

#include <sys/types.h>

/* First thing in a forked child that is to become a program: it ends with `monitor`, and signals are as programs
 * expect them. */
void child_begin(pid_t monitor);

#endif
