/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that hold secrets: credentials files of other programs and answers of token servers. The
 * first line is "host/repository", what follows is the document. No error may show the secret. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "registry/azure.h"
#include "registry/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_refusal(int32_t code, wc_error *err)
{
    must(wc_error_code(err) == code);
    if (code)
        must(!strstr(wc_error_message(err), "s3cret") && !strstr(wc_error_message(err), "czNjcmV0"));
    wc_error_unref(err);
}

static void try_credentials(const char *text, size_t size, const char *host, const char *repository)
{
    wci_credentials found = WCI_CREDENTIALS_INIT;
    wc_error *err = NULL;
    int32_t code = wci_credentials_find_in(text, size, "auth.json", host, repository, &found, &err);
    must(!found.username == !found.password);
    must(!code || (!found.username && !found.identity_token && !found.helper));
    check_refusal(code, err);
    if (found.username) {
        char *header = wci_auth_basic(&found);
        must(header && !strpbrk(header, "\r\n"));
        wci_secret_free(header);
    }
    wci_credentials_free(&found);
}

static void try_token(const char *text, size_t size)
{
    wci_token token = {NULL, 0};
    wc_error *err = NULL;
    int32_t code = wci_token_parse(text, size, "answer of token server", &token, &err);
    must((code == WC_OK) == (token.text != NULL));
    check_refusal(code, err);
    if (token.text)
        must(*token.text && !strpbrk(token.text, "\r\n ") && token.lifetime_s > 0);
    wci_secret_free(token.text);
}

static void try_azure(const char *text, size_t size)
{
    char *secret = wci_strndup(text, size), *tenant = NULL, *token = NULL;
    wci_azure_kind kind = WCI_AZURE_REFRESH;
    wc_error *err = NULL;
    must(secret && !wci_azure_kind_of(secret, &kind, &tenant, NULL));
    must(kind != WCI_AZURE_REFRESH || !tenant);
    int32_t code = wci_azure_take_answer(text, size, "answer", &token, &err);
    must((code == WC_OK) == (token != NULL));
    check_refusal(code, err);
    wci_secret_free(token);
    wci_secret_free(secret);
    wci_free(tenant);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *line = memchr(text, '\n', size);
    size_t length = line ? (size_t)(line - text) : 0;
    char *host = malloc(length + 1);
    if (!host)
        return 0;
    memcpy(host, text, length);
    host[length] = '\0';
    if (line)
        text = line + 1, size -= length + 1;
    char *slash = strchr(host, '/');
    if (slash)
        *slash = '\0';
    try_credentials(text, size, host, slash ? slash + 1 : "x");
    try_token(text, size);
    try_azure(text, size);
    free(host);
    return 0;
}
