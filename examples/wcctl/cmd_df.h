/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCCTL_CMD_DF_H
#define WCCTL_CMD_DF_H

#include "wcctl.h"

/* Tables of what wc_system_df() tells of images, containers and volumes. */
void df_print_details(json_t *usage);

#endif
