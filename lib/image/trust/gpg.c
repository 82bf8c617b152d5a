/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/gpg.h"

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/claim.h"
#include "platform/host.h"
#include "platform/process.h"
#include "core/base64.h"

#define MAX_KEYRING ((size_t)16 << 20)
#define MAX_STATUS ((size_t)64 << 10)
#define PRIVATE_FILE 0600

/* ---- Files for the program ------------------------------------------------------------------------------ */

typedef struct desk {
    wci_scratch scratch;
    char *message, *content;
    wci_strv keyrings;
} desk;

static void clear_desk(desk *d)
{
    wci_free(d->message);
    wci_free(d->content);
    wci_strv_free(&d->keyrings);
    if (d->scratch.dir)
        wci_scratch_free(&d->scratch);
}

static int32_t write_keyring(desk *d, const char *bytes, size_t size, const char *what, wc_error **err)
{
    wc_buf *binary = NULL;
    char *path = wci_asprintf("%s/keys-%zu.gpg", d->scratch.dir, d->keyrings.count);
    int32_t code = path ? wci_gpg_dearmor(bytes, size, what, &binary, err) : wci_err_nomem(err);
    if (!code)
        code = wci_file_write_atomic(path, wc_buf_data(binary), wc_buf_size(binary), PRIVATE_FILE, 0, err);
    wc_buf_unref(binary);
    if (code) {
        wci_free(path);
        return code;
    }
    return wci_strv_add_take(&d->keyrings, path) ? wci_err_nomem(err) : WC_OK;
}

static int32_t lay_key_file(desk *d, const char *path, wc_error **err)
{
    wc_buf *bytes = NULL;
    char *what = wci_asprintf("keyring '%s'", path);
    int32_t code = what ? wci_file_read_all(path, MAX_KEYRING, &bytes, err) : wci_err_nomem(err);
    if (!code)
        code = write_keyring(d, wc_buf_data(bytes), wc_buf_size(bytes), what, err);
    else if (what)
        code = wci_err_wrap(err, code, "%s: cannot be read", what);
    wc_buf_unref(bytes);
    wci_free(what);
    return code;
}

static int32_t lay_key_data(desk *d, const char *base64, wc_error **err)
{
    size_t size = 0;
    char *bytes = wci_base64_decode(base64, &size);
    int32_t code = bytes ? write_keyring(d, bytes, size, "'keyData'", err) : wci_err_nomem(err);
    wci_free(bytes);
    return code;
}

static int32_t lay_out(desk *d, wci_store *store, const wci_keyrings *keys, const void *message, size_t size,
                       wc_error **err)
{
    int32_t code = wci_scratch_new(store, &d->scratch, err);
    if (code)
        return code;
    d->message = wci_path_join(d->scratch.dir, "message");
    d->content = wci_path_join(d->scratch.dir, "content");
    code = d->message && d->content
               ? wci_file_write_atomic(d->message, message, size, PRIVATE_FILE, 0, err)
               : wci_err_nomem(err);
    for (size_t i = 0; i < keys->paths->count && !code; i++)
        code = lay_key_file(d, keys->paths->items[i], err);
    for (size_t i = 0; i < keys->data->count && !code; i++)
        code = lay_key_data(d, keys->data->items[i], err);
    return code;
}

/* ---- Running it ------------------------------------------------------------------------------------------- */

static int32_t find_program(char **out, wc_error **err)
{
    *out = wci_host_find_program("gpgv");
    return *out ? WC_OK
                : wci_err(err, WC_E_MISSING, "the program 'gpgv' is not installed, and 'signedBy' in the policy needs it; "
                                             "install gpgv");
}

static int32_t make_words(const desk *d, const char *program, wci_strv *words, wc_error **err)
{
    const char *const begin[] = {program, "--homedir", d->scratch.dir, "--status-fd", "1", "--output", d->content};
    int failed = 0;
    for (size_t i = 0; i < sizeof begin / sizeof *begin && !failed; i++)
        failed = wci_strv_add(words, begin[i]);
    for (size_t i = 0; i < d->keyrings.count && !failed; i++)
        failed = wci_strv_add(words, "--keyring") || wci_strv_add(words, d->keyrings.items[i]);
    if (failed || wci_strv_add(words, d->message))
        return wci_err_nomem(err);
    return WC_OK;
}

/* It has ended when its status has. */
static int32_t run(wc_call *call, const wci_strv *words, wc_buf **status, wc_error **err)
{
    static const char *const env[] = {"LC_ALL=C", NULL};
    wci_fd ours = WCI_FD_NONE, theirs = WCI_FD_NONE;
    int32_t code = wci_pipe(&ours, &theirs, err);
    if (!code) {
        const wci_spawn_fd fds[] = {{theirs, 1}};
        code = wci_spawn_helper((const char *const *)words->items, env, fds, 1, err);
    }
    wci_fd_close(theirs);
    if (!code)
        code = wci_fd_read_to_end(call, ours, MAX_STATUS, status, err);
    wci_fd_close(ours);
    return code;
}

static int32_t verify(wc_call *call, const desk *d, const char *program, char **fingerprint, wc_error **err)
{
    wci_strv words = WCI_STRV_INIT;
    wc_buf *status = NULL;
    int32_t code = make_words(d, program, &words, err);
    if (!code)
        code = run(call, &words, &status, err);
    if (!code)
        code = wci_gpg_read_status(wc_buf_data(status), fingerprint, err);
    wc_buf_unref(status);
    wci_strv_free(&words);
    return code;
}

int32_t wci_gpg_open(wc_call *call, wci_store *store, const wci_keyrings *keys, const void *message, size_t size,
                     wc_buf **content, char **fingerprint, wc_error **err)
{
    desk d = {.scratch = {.store = NULL}};
    char *program = NULL, *signer = NULL;
    int32_t code = find_program(&program, err);
    if (!code)
        code = lay_out(&d, store, keys, message, size, err);
    if (!code)
        code = verify(call, &d, program, &signer, err);
    if (!code)
        code = wci_file_read_all(d.content, WCI_CLAIM_MAX, content, err);
    if (code)
        wci_free(signer);
    else
        *fingerprint = signer;
    clear_desk(&d);
    wci_free(program);
    return code;
}
