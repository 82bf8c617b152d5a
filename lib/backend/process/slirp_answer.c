/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/slirp_answer.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define WORDS_MAX 300

static int32_t refuse(const char *words, wc_error **err)
{
    char *copy = wci_strndup(words, strnlen(words, WORDS_MAX));
    if (!copy)
        return wci_err_nomem(err);
    wci_make_plain(copy);
    int32_t rc = wci_err(err, WC_E_RUNTIME, "slirp4netns: %s", copy);
    wci_free(copy);
    return rc;
}

int32_t wci_slirp_answer(const char *text, size_t size, wc_error **err)
{
    json_t *root = NULL;
    int32_t rc = wci_json_parse(text, size, ANSWER_MAX, "answer of slirp4netns", &root, NULL);
    json_t *error = json_object_get(root, "error");
    const char *words = json_string_value(json_object_get(error, "desc"));
    if (error)
        rc = refuse(words ? words : "it refused and did not say why", err);
    else if (rc || !json_object_get(root, "return"))
        rc = wci_err(err, WC_E_RUNTIME, "slirp4netns: it answered with what is no answer");
    json_decref(root);
    return rc;
}
