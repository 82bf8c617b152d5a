/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of system calls: one that is accepted becomes what the runtime takes, whatever the capabilities. */
#include <stdlib.h>
#include <string.h>

#include "container/seccomp.h"
#include "core/alloc.h"
#include "core/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void make(const char *text, const wci_strv *caps)
{
    json_t *profile = NULL;
    must(!wci_seccomp_make(text, caps, &profile, NULL));
    must(json_is_string(json_object_get(profile, "defaultAction")));
    json_decref(profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wc_error *err = NULL;
    char *text = wci_strndup((const char *)data, size);
    int32_t code = wci_seccomp_check(text, strlen(text), "profile", &err);
    must((code == WC_OK) == (err == NULL));
    wc_error_unref(err);
    if (!code && strcmp(text, "default") && strcmp(text, "unconfined")) {
        wci_strv caps = WCI_STRV_INIT;
        make(text, &caps);
        must(!wci_strv_add(&caps, "CAP_SYS_ADMIN"));
        make(text, &caps);
        wci_strv_free(&caps);
    }
    wci_free(text);
    return 0;
}
