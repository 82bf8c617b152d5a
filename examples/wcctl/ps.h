/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCCTL_PS_H
#define WCCTL_PS_H

#include "wcctl.h"

/* One container to list. */
typedef struct ps_item {
    wc_container_info *info; /* lent */
    json_t *json;            /* what inspect shows, owned; of ps_json() alone */
} ps_item;

/* Read when it is asked for; lent. */
json_t *ps_json(ps_item *item);

/* Ends the program where a filter is none. */
void ps_filter_check(const text_list *filters);
int ps_filter_passes(ps_item *item, const text_list *filters);
/* Whether they ask for containers that do not run. */
int ps_filter_says_state(const text_list *filters);

#endif
