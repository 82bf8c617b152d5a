/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/netavark_answer.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define WORDS_MAX 600

static int32_t refuse(const char *words, wc_error **err)
{
    char *copy = wci_strndup(words, strnlen(words, WORDS_MAX));
    if (!copy)
        return wci_err_nomem(err);
    wci_make_plain(copy);
    int32_t rc = strstr(words, "ermission denied") || strstr(words, "Read-only file system")
                     ? wci_err(err, WC_E_PERMISSION,
                               "netavark: %s; it needs all rights of root and a writable /proc/sys/net", copy)
                 : strstr(words, "unknown network driver")
                     ? wci_err(err, WC_E_UNSUPPORTED, "netavark: %s; ipvlan takes netavark 1.5 or newer", copy)
                 : strstr(words, "iptables")
                     ? wci_err(err, WC_E_RUNTIME, "netavark: %s; see that iptables is installed and works", copy)
                     : wci_err(err, WC_E_RUNTIME, "netavark: %s", copy);
    wci_free(copy);
    return rc;
}

/* The last line that says something: it begins with remarks about what does not matter. */
static int32_t refuse_by_complaint(const char *complaint, wc_error **err)
{
    const char *last = NULL;
    for (const char *line = complaint; line && *line;) {
        size_t size = strcspn(line, "\n");
        if (size)
            last = line;
        line += size + (line[size] == '\n');
    }
    return refuse(last ? last : "it failed and did not say why", err);
}

int32_t wci_netavark_answer(int failed, const char *answer, size_t size, const char *complaint, wc_error **err)
{
    json_t *root = NULL;
    int32_t rc = size ? wci_json_parse(answer, size, ANSWER_MAX, "answer of netavark", &root, NULL) : WC_OK;
    const char *words = json_string_value(json_object_get(root, "error"));
    if (words)
        rc = refuse(words, err);
    else if (failed)
        rc = refuse_by_complaint(complaint, err);
    else if (rc)
        rc = wci_err(err, WC_E_RUNTIME, "netavark: it answered with what is no JSON object");
    json_decref(root);
    return rc;
}
