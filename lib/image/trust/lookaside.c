/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/lookaside.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/registries_d.h"
#include "platform/file.h"
#include "platform/host.h"

#define MAX_SIGNATURE ((size_t)4 << 20)
#define FILE_SCHEME "file://"

/* ---- Where ---------------------------------------------------------------------------------------------- */

/* Scopes here know no wildcards. */
static int32_t scopes_of(const wci_reference *image, wci_strv *out, wc_error **err)
{
    wci_place place = {.kind = WCI_PLACE_REGISTRY, .ref = wci_reference_format(image)};
    wci_strv all = WCI_STRV_INIT;
    const char *transport = NULL;
    int32_t code = place.ref ? wci_policy_scopes(&place, &transport, &all, err) : wci_err_nomem(err);
    for (size_t i = 0; i < all.count && !code; i++)
        if (all.items[i][0] != '*' && wci_strv_add(out, all.items[i]))
            code = wci_err_nomem(err);
    wci_strv_free(&all);
    wci_free(place.ref);
    return code;
}

static int32_t default_top(char **out, wc_error **err)
{
    char *dir = wci_host_signature_dir();
    *out = dir ? wci_asprintf(FILE_SCHEME "%s", dir) : NULL;
    wci_free(dir);
    return *out ? WC_OK : wci_err_nomem(err);
}

int32_t wci_lookaside_find(const wci_reference *image, char **base, wc_error **err)
{
    wci_registries_d all = WCI_REGISTRIES_D_INIT;
    wci_strv scopes = WCI_STRV_INIT;
    char *usual = NULL;
    int32_t code = wci_registries_d_load(&all, err);
    if (!code)
        code = scopes_of(image, &scopes, err);
    const char *top = code ? NULL : wci_registries_d_find(&all, &scopes);
    if (!code && !top)
        code = default_top(&usual, err);
    if (!code && !(*base = wci_asprintf("%s/%s", top ? top : usual, image->repository)))
        code = wci_err_nomem(err);
    wci_free(usual);
    wci_strv_free(&scopes);
    wci_registries_d_free(&all);
    return code;
}

/* ---- Reading -------------------------------------------------------------------------------------------- */

/* Its server is asked as a registry would be: plain HTTP goes to loopback, and elsewhere only where TLS is not
 * verified. */
static int32_t read_web(const wci_judged *image, const char *url, wc_buf **out, wc_error **err)
{
    wci_registry_config config = *image->registry;
    wci_remote *remote = NULL;
    const char *server = strstr(url, "://") + 3, *path = server + strcspn(server, "/");
    char *host = wci_strndup(server, (size_t)(path - server));
    config.username = config.password = NULL; /* all that names us is for the registry */
    config.client_cert = config.client_key = config.cert_dir = NULL;
    int32_t code = host ? wci_remote_open(image->call, &config, host, "signatures", &remote, err) : wci_err_nomem(err);
    if (!code)
        code = wci_remote_document(image->call, remote, path, MAX_SIGNATURE, out, err);
    wci_remote_close(remote);
    wci_free(host);
    return code;
}

int32_t wci_lookaside_read(const wci_judged *image, const char *base, const wci_digest *digest, size_t number,
                           wc_buf **out, wc_error **err)
{
    char *url = wci_asprintf("%s@%s=%s/signature-%zu", base, wci_digest_algo_name(digest), wci_digest_hex(digest), number);
    int32_t code;
    if (!url)
        return wci_err_nomem(err);
    if (wci_starts_with(url, FILE_SCHEME))
        code = wci_file_read_all(url + strlen(FILE_SCHEME), MAX_SIGNATURE, out, err);
    else if (wci_starts_with(url, "https://") || wci_starts_with(url, "http://"))
        code = read_web(image, url, out, err);
    else
        code = wci_err(err, WC_E_UNSUPPORTED, "signatures at '%s': only file:, https: and http: are understood", base);
    wci_free(url);
    return code;
}
