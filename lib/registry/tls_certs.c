/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tls_certs.h"

#include <curl/curl.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/lazy.h"

#define MAX_FILE ((size_t)4 << 20)

/* ---- Files ---------------------------------------------------------------------------------------- */

/* Authorities of ours take the place of curl's bundle, not of its directory. Where it has a bundle alone,
 * ours come on top of that. */
static void begin_authorities(wci_str *authorities)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    wc_buf *bundle = NULL;
    if (info->capath || !info->cainfo || wci_file_read_all(info->cainfo, MAX_FILE, &bundle, NULL))
        return;
    wci_str_append_n(authorities, wc_buf_data(bundle), wc_buf_size(bundle));
    wc_buf_unref(bundle);
}

int32_t wci_tls_certs_add_authorities(wci_tls_certs *certs, const char *file, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t code = wci_lazy_curl(err);
    if (!code)
        code = wci_file_read_all(file, MAX_FILE, &text, err);
    if (code)
        return wci_err_wrap(err, code, "certificate authorities");
    if (!certs->authorities.size)
        begin_authorities(&certs->authorities);
    wci_str_append_n(&certs->authorities, wc_buf_data(text), wc_buf_size(text));
    wci_str_append_c(&certs->authorities, '\n'); /* the next file begins on a line of its own */
    wc_buf_unref(text);
    return certs->authorities.failed ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_tls_certs_set_own(wci_tls_certs *certs, const char *cert, const char *key, wc_error **err)
{
    return wci_replace(&certs->cert, cert) || wci_replace(&certs->key, key) ? wci_err_nomem(err) : WC_OK;
}

void wci_tls_certs_free(wci_tls_certs *certs)
{
    wci_str_free(&certs->authorities);
    wci_free(certs->cert);
    wci_free(certs->key);
    *certs = (wci_tls_certs)WCI_TLS_CERTS_INIT;
}

/* ---- Directories ---------------------------------------------------------------------------------- */

static int32_t add_authority(wci_tls_certs *certs, const char *dir, const char *name, wc_error **err)
{
    char *file = wci_path_join(dir, name);
    int32_t code = file ? wci_tls_certs_add_authorities(certs, file, err) : wci_err_nomem(err);
    wci_free(file);
    return code;
}

static int32_t add_own(wci_tls_certs *certs, const char *dir, const char *name, const wci_strv *names, wc_error **err)
{
    int stem = (int)(strlen(name) - strlen(".cert"));
    char *key_name = wci_asprintf("%.*s.key", stem, name);
    char *cert = wci_path_join(dir, name), *key = key_name ? wci_path_join(dir, key_name) : NULL;
    int32_t code = cert && key ? WC_OK : wci_err_nomem(err);
    if (!code && !wci_strv_contains(names, key_name))
        code = wci_err(err, WC_E_NOT_FOUND,
                       "certificate '%s': its key '%s' is not there; put it there, or name the file of an authority "
                       "'%.*s.crt'",
                       cert, key_name, stem, name);
    if (!code)
        code = wci_tls_certs_set_own(certs, cert, key, err);
    wci_free(key_name);
    wci_free(cert);
    wci_free(key);
    return code;
}

int32_t wci_tls_certs_add_dir(wci_tls_certs *certs, const char *dir, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = wci_dir_list(dir, &names, err);
    for (size_t i = 0; i < names.count && !code; i++) {
        const char *name = names.items[i];
        if (wci_ends_with(name, ".crt"))
            code = add_authority(certs, dir, name, err);
        else if (wci_ends_with(name, ".cert") && !certs->cert)
            code = add_own(certs, dir, name, &names, err);
    }
    wci_strv_free(&names);
    return code;
}

static int32_t try_dir(wci_tls_certs *certs, const char *place, const char *server, int *found, wc_error **err)
{
    char *dir = wci_path_join(place, server);
    wc_error *why = NULL;
    int32_t code = dir ? wci_tls_certs_add_dir(certs, dir, &why) : wci_err_nomem(&why);
    *found = dir && wci_file_exists(dir);
    wci_free(dir);
    /* One that this user may not look into is meant for others. */
    if (*found ? code != WC_E_PERMISSION : code == WC_E_NOMEM)
        return code ? wci_err_move(err, why) : WC_OK;
    wci_err_clear(&why);
    return WC_OK;
}

int32_t wci_tls_certs_add_usual(wci_tls_certs *certs, const char *server, wc_error **err)
{
    wci_strv places = WCI_STRV_INIT;
    int found = *server == '.'; /* no server's name, and none of our directories */
    int32_t code = WC_OK;
    if (wci_host_container_files("certs.d", &places) ||
        wci_strv_add_take(&places, wci_path_join(wci_host_etc(), "docker/certs.d")))
        code = wci_err_nomem(err);
    for (size_t i = 0; i < places.count && !found && !code; i++)
        code = try_dir(certs, places.items[i], server, &found, err);
    wci_strv_free(&places);
    return code;
}

/* ---- curl ----------------------------------------------------------------------------------------- */

int wci_tls_certs_apply(const wci_tls_certs *certs, int verify, void *easy)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
    if (!verify) { /* reading the usual bundle of authorities takes longer than a small pull */
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (!certs)
        return WC_OK;
    /* Lent: the certificates outlive the request. */
    struct curl_blob authorities = {certs->authorities.data, certs->authorities.size, CURL_BLOB_NOCOPY};
    if (verify && authorities.len && curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &authorities))
        return WC_E_NOMEM;
    if (certs->cert && curl_easy_setopt(easy, CURLOPT_SSLCERT, certs->cert))
        return WC_E_NOMEM;
    if (certs->key && curl_easy_setopt(easy, CURLOPT_SSLKEY, certs->key))
        return WC_E_NOMEM;
    return WC_OK;
}

static int is_about_ours(const char *words)
{
    /* OpenSSL's names of the alerts, and GnuTLS's words for them. */
    static const char *const alerts[] = {"alert certificate required", "alert bad certificate",
                                         "alert certificate unknown", "alert certificate expired",
                                         "alert unknown ca", "Certificate is required", "Certificate is bad"};
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (strstr(words, alerts[i]))
            return 1;
    return 0;
}

const char *wci_tls_certs_failure(const wci_tls_certs *certs, int curl_code, const char *words)
{
    if (curl_code == CURLE_SSL_CERTPROBLEM)
        return "our certificate or its key cannot be used; both must be PEM, fit each other, and need no password";
    if (curl_code == CURLE_OK || !is_about_ours(words))
        return NULL;
    return certs && certs->cert ? "the server does not accept our certificate; give it one that it knows"
                                : "the server wants a certificate of ours; put HOST.cert and HOST.key into a directory "
                                  "of certificates, or name them";
}
