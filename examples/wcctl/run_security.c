/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

static int privileged;
static text_list cap_add, cap_drop, security;

static const option options[] = {
    {0, "privileged", OPTION_FLAG, NULL, "every right", &privileged},
    {0, "cap-add", OPTION_LIST, "CAPABILITY", "add a capability", &cap_add},
    {0, "cap-drop", OPTION_LIST, "CAPABILITY", "drop a capability", &cap_drop},
    {0, "security-opt", OPTION_LIST, "OPTION", "seccomp=FILE|unconfined, no-new-privileges", &security},
};

static void set_run_each(wc_container_options *to, const text_list *list,
                     int32_t (*set)(wc_container_options *, const char *, wc_error **))
{
    for (size_t i = 0; i < list->count; i++)
        run_set(to, list->items[i], set);
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    TRY(wc_container_options_set_privileged(to, privileged, &err));
    set_run_each(to, &cap_add, wc_container_options_add_capability);
    set_run_each(to, &cap_drop, wc_container_options_drop_capability);
    set_run_each(to, &security, wc_container_options_add_security);
}

const option_group run_security = {options, countof(options), apply};
