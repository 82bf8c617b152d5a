/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

TRY(wc_registry_tags, wc_list, wc_registry_tags(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, &out, err))
TRY(wc_registry_catalog, wc_list, wc_registry_catalog(tried_context, "127.0.0.1:1", tried->transfer, NULL, &out, err))
TRY(wc_registry_look, wc_buf, wc_registry_look(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, &out, err))
TRY(wc_registry_manifest, wc_buf, wc_registry_manifest(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, &out, err))
TRY(wc_registry_referrers, wc_buf, wc_registry_referrers(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, &out, err))
TRY(wc_registry_search, wc_buf, wc_registry_search(tried_context, "127.0.0.1:1/x", 1, tried->transfer, NULL, &out, err))
TRY_PLAIN(wc_registry_delete_blob, wc_registry_delete_blob(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, err))
TRY_PLAIN(wc_registry_delete, wc_registry_delete(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, err))
TRY_PLAIN(wc_registry_login, wc_registry_login(tried_context, "127.0.0.1:1", "a", "b", tried->transfer, NULL, err))
TRY_PLAIN(wc_registry_logout, wc_registry_logout(tried_context, "127.0.0.1:1", tried->transfer, NULL, err))
TRY(wc_registry_login_user, wc_buf, wc_registry_login_user(tried_context, "127.0.0.1:1", tried->transfer, NULL, &out, err))

TRY(wc_artifact_new, wc_artifact, wc_artifact_new(tried_context, "a/b", &out, err))
TRY(wc_artifact_pull, wc_list, wc_artifact_pull(tried_context, "127.0.0.1:1/x", "/", tried->transfer, NULL, &out, err))
TRY(wc_artifact_push, wc_buf, wc_artifact_push(tried->artifact, "127.0.0.1:1/x", tried->transfer, NULL, &out, err))

const attempt fork_try_registry[] = {
    ENTRY(wc_artifact_new),
    ENTRY(wc_artifact_pull),
    ENTRY(wc_artifact_push),
    ENTRY(wc_registry_tags),
    ENTRY(wc_registry_catalog),
    ENTRY(wc_registry_look),
    ENTRY(wc_registry_manifest),
    ENTRY(wc_registry_referrers),
    ENTRY(wc_registry_search),
    ENTRY(wc_registry_delete_blob),
    ENTRY(wc_registry_delete),
    ENTRY(wc_registry_login),
    ENTRY(wc_registry_logout),
    ENTRY(wc_registry_login_user),
    {NULL, NULL, 0},
};
