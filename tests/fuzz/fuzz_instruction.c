/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a Dockerfile, one instruction each, on a config with one variable. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "image/instruction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const wci_strv *lines, const char *os)
{
    wc_error *err = NULL;
    json_t *config = json_pack("{s:[s]}", "Env", "PATH=/bin");
    int32_t rc = wci_instructions_apply(lines, os, config, &err);
    if (!rc != !err)
        abort();
    json_decref(config);
    wc_error_unref(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wci_strv lines = WCI_STRV_INIT;
    char *text = wci_strndup((const char *)data, size), *save = NULL;
    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
        if (wci_strv_add(&lines, line))
            abort();
    apply(&lines, "linux");
    apply(&lines, "windows");
    wci_strv_free(&lines);
    wci_free(text);
    return 0;
}
