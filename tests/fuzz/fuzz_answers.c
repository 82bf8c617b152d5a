/* SPDX-License-Identifier: Apache-2.0 */
/* Answers whose words end up in messages: of registries that refuse, of a Docker Engine that loads, of
 * credential helpers. The first line is the HTTP status, what follows is the body. Whatever they hold, a message
 * is one line of UTF-8, and what a helper keeps secret is in none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/str.h"
#include "registry/docker_engine.h"
#include "registry/helper.h"
#include "registry/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_message(int32_t code, wc_error *err)
{
    must(wc_error_code(err) == code);
    for (const wc_error *e = err; e; e = wc_error_cause(e)) {
        const char *message = wc_error_message(e);
        must(*message && wci_is_utf8(message, strlen(message)));
        for (const char *p = message; *p; p++)
            must((unsigned char)*p >= 0x20 && *p != 0x7F);
    }
    wc_error_unref(err);
}

static void try_refusal(long status, char *text, size_t size)
{
    wci_remote remote = {.host = (char *)"registry.example"};
    wci_exchange ex = {.remote = &remote, .path = "/v2/a/manifests/1"};
    wc_error *err = NULL;
    ex.request.status = status;
    ex.request.body = (wci_str){.data = text, .size = size, .cap = size + 1};
    int32_t code = wci_exchange_status_error(&ex, "manifest 'a:1'", &err);
    must(code != WC_OK && wc_error_native(err) == status);
    check_message(code, err);
}

static void try_loading(const char *text, size_t size)
{
    wc_error *err = NULL;
    int32_t code = wci_docker_engine_check_load(text, size, &err);
    check_message(code, err);
}

/* In any answer that is JSON, or was meant to be, the secret is "s3cret". */
static void try_helper(const char *text, size_t size)
{
    wci_credentials found = WCI_CREDENTIALS_INIT;
    wc_error *err = NULL;
    int32_t code = wci_helper_take_answer("pass", text, size, &found, &err);
    must(!found.username == !found.password && !(found.username && found.identity_token));
    must(!code || (!found.username && !found.identity_token));
    if (code && memchr(text, '{', size))
        must(!strstr(wc_error_message(err), "s3cret"));
    check_message(code, err);
    wci_credentials_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    char *line = strchr(text, '\n'), *body = line ? line + 1 : text;
    uint64_t status = 500;
    if (line) {
        *line = '\0';
        wci_parse_u64(text, 999, &status);
    }
    size_t rest = size - (size_t)(body - text);
    try_refusal((long)status, body, rest);
    try_loading(body, rest);
    try_helper(body, rest);
    free(text);
    return 0;
}
