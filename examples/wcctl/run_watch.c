/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <string.h>

static text_list log_options;
static const char *log_driver;

static const option options[] = {
    {0, "log-driver", OPTION_TEXT, "file|journald|none", "where its log goes", &log_driver},
    {0, "log-opt", OPTION_LIST, "max-size=…|max-file=…|tag=…", "log rotation, tag in the journal", &log_options},
};

static void set_log_options(wc_container_options *to, const text_list *list)
{
    wc_error *err = NULL;
    int64_t size = 0, files = 1;
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i];
        if (!strncmp(text, "max-size=", 9))
            size = value_bytes("--log-opt max-size", text + 9);
        else if (!strncmp(text, "max-file=", 9))
            files = value_number("--log-opt max-file", text + 9);
        else if (!strncmp(text, "tag=", 4))
            run_set(to, text + 4, wc_container_options_set_log_tag);
        else
            die_usage("--log-opt '%s': only max-size, max-file and tag are known", text);
    }
    if (files < 1 || files > 1000)
        die_usage("--log-opt max-file: 1 to 1000");
    if (size || files != 1)
        TRY(wc_container_options_set_log_rotation(to, size, (uint32_t)files, &err));
}

static void apply(wc_container_options *to)
{
    run_set(to, log_driver, wc_container_options_set_log_driver);
    set_log_options(to, &log_options);
}

const option_group run_watch = {options, countof(options), apply};
