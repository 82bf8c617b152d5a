/* SPDX-License-Identifier: Apache-2.0 */
/* Users of hostile images: the first line is "user[:group]", then passwd up to a zero byte, then group. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "container/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve(const char *spec, const char *passwd, const char *group)
{
    wci_user user = {0};
    wc_error *err = NULL;
    if (wci_user_resolve_in(passwd, group, spec, &user, &err)) {
        if (!err || user.home || user.groups)
            abort();
        wc_error_unref(err);
        return;
    }
    if (!user.home || !*user.home || !user.group_count || user.groups[0] != user.gid || user.uid > INT32_MAX ||
        user.gid > INT32_MAX)
        abort();
    wci_user_free(&user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 2);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    memset(text + size, 0, 2);
    char *passwd = strchr(text, '\n');
    if (passwd) {
        *passwd++ = '\0';
        size_t used = (size_t)(passwd - text) + strlen(passwd) + 1;
        resolve(text, passwd, used <= size ? text + used : "");
    }
    wc_error *err = NULL;
    if (wci_user_check(text, &err) && !err)
        abort();
    wc_error_unref(err);
    free(text);
    return 0;
}
