/* SPDX-License-Identifier: Apache-2.0 */
/* Signing images and asking who has signed them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wcctl.h"

/* ---- Passphrases ------------------------------------------------------------------------------------ */

static _Noreturn void die_file(const char *path)
{
    fprintf(stderr, "wcctl: file '%s': %s\n", path, strerror(errno));
    exit(EXIT_OURS);
}

static char *read_passphrase(const char *path)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");
    if (!file || (getline(&line, &size, file) < 0 && ferror(file)))
        die_file(path);
    fclose(file);
    if (!line)
        return xstrdup("");
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static int is_encrypted(const char *key)
{
    char text[512] = "";
    FILE *file = fopen(key, "re");
    if (!file)
        return 0; /* whoever opens it for its content will say why */
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    return strstr(text, "-----BEGIN ENCRYPTED ") != NULL;
}

/* Of a key that is encrypted: from the file, from where cosign takes it, or from the terminal. */
static char *passphrase_of(const char *key, const char *file)
{
    const char *env = getenv("COSIGN_PASSWORD");
    if (file)
        return read_passphrase(file);
    if (!is_encrypted(key))
        return NULL;
    return env ? xstrdup(env) : ask_user("Passphrase of the key: ", 1);
}

void signature_begin(const transfer *t)
{
    wc_error *err = NULL;
    if (t->policy)
        TRY(wc_transfer_options_set_policy_file(t->options, t->policy, &err));
    if (t->verify_key)
        TRY(wc_transfer_options_set_policy_key(t->options, t->verify_key, &err));
    if (t->sign_identity)
        TRY(wc_transfer_options_set_sign_identity(t->options, t->sign_identity, &err));
    if (!t->sign_key)
        return;
    char *passphrase = passphrase_of(t->sign_key, t->sign_passphrase_file);
    int32_t code = wc_transfer_options_set_sign_key(t->options, t->sign_key, passphrase, &err);
    wipe(passphrase);
    TRY(code);
}

/* ---- sign, verify ----------------------------------------------------------------------------------- */

static int sign(int argc, char **argv)
{
    transfer t = {.quiet = 1};
    int each = 0;
    const option options[] = {
        {0, "key", OPTION_TEXT, "FILE", "private key to sign with", &t.sign_key},
        {0, "sign-passphrase-file", OPTION_TEXT, "FILE", "its passphrase; else $COSIGN_PASSWORD or the terminal",
         &t.sign_passphrase_file},
        {0, "sign-identity", OPTION_TEXT, "NAME", "name to sign instead of IMAGE", &t.sign_identity},
        {'r', "recursive", OPTION_FLAG, NULL, "of an image for several platforms, sign each", &each},
        TRANSFER_OPTIONS(t),
    };
    wc_error *err = NULL;
    argc = options_read("sign", "[OPTIONS] IMAGE", "Signs an image in a registry with --key, in cosign's form.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1 || !t.sign_key)
        die_usage("sign takes one IMAGE, and --key");
    transfer_begin(&t);
    int32_t code = wc_image_sign(app_context(), argv[0], each ? WC_SIGN_EACH : 0, t.options, wcctl.cancel, &err);
    transfer_end(&t);
    TRY(code);
    if (wcctl.json)
        print_object(json_pack("{s:o}", "Signed", json_text(argv[0])));
    return 0;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Their number. */
static size_t show_signatures(const wc_buf *answer)
{
    json_t *report = json_loadb(wc_buf_data(answer), wc_buf_size(answer), 0, NULL), *item;
    json_t *list = json_object_get(report, "Signatures");
    size_t i, count = json_array_size(list);
    if (wcctl.json) {
        print_object(report);
        return count;
    }
    printf("%s: digest: %s\n", text_of(report, "Name"), text_of(report, "Digest"));
    if (!count)
        printf("accepted without a signature\n");
    json_array_foreach (list, i, item) {
        const char *identity = text_of(item, "Identity");
        printf("%s: signed by '%s'%s%s\n", text_of(item, "Type"), text_of(item, "Signer"), *identity ? " as " : "",
               identity);
    }
    json_decref(report);
    return count;
}

static int verify(int argc, char **argv)
{
    transfer t = {.quiet = 1};
    const option options[] = {
        {0, "key", OPTION_TEXT, "FILE", "public key that must have signed it", &t.verify_key},
        {0, "signature-policy", OPTION_TEXT, "FILE", "policy.json to ask instead of the usual one", &t.policy},
        TRANSFER_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_buf *answer = NULL;
    argc = options_read("verify", "[OPTIONS] IMAGE",
                        "Asks the policy, or a key, about an image where it lies; IMAGE as for pull.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("verify takes one IMAGE");
    transfer_begin(&t);
    int32_t code = wc_image_verify(app_context(), argv[0], t.options, wcctl.cancel, &answer, &err);
    transfer_end(&t);
    TRY(code);
    size_t count = show_signatures(answer);
    wc_buf_unref(answer);
    return count ? 0 : 1; /* nothing was verified */
}

/* ---- keygen ----------------------------------------------------------------------------------------- */

/* A key is never written over. */
static void write_new(const char *path, const wc_buf *content, int mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        die_file(path);
    write_all(fd, wc_buf_data(content), wc_buf_size(content));
    if (close(fd))
        die_file(path);
}

static char *new_passphrase(const char *file)
{
    const char *env = getenv("COSIGN_PASSWORD");
    if (file)
        return read_passphrase(file);
    if (env)
        return xstrdup(env);
    char *once = ask_user("Passphrase for the new key: ", 1), *twice = ask_user("Once more: ", 1);
    if (strcmp(once, twice))
        die_usage("the two are not the same");
    wipe(twice);
    return once;
}

static void write_pair(const char *prefix, const wc_buf *private_key, const wc_buf *public_key)
{
    char *key = xasprintf("%s.private", prefix), *half = xasprintf("%s.pub", prefix);
    if (!access(half, F_OK)) {
        errno = EEXIST;
        die_file(half);
    }
    write_new(key, private_key, 0600);
    write_new(half, public_key, 0644);
    if (wcctl.json)
        print_object(json_pack("{s:o, s:o}", "PrivateKey", json_text(key), "PublicKey", json_text(half)));
    else
        printf("%s\n%s\n", key, half);
    free(key);
    free(half);
}

static int keygen(int argc, char **argv)
{
    const char *file = NULL;
    const option options[] = {
        {0, "passphrase-file", OPTION_TEXT, "FILE", "passphrase; else $COSIGN_PASSWORD or the terminal", &file},
    };
    wc_error *err = NULL;
    wc_buf *private_key = NULL, *public_key = NULL;
    argc = options_read("keygen", "[OPTIONS] PREFIX",
                        "Makes a pair of keys to sign and verify images with: PREFIX.private and PREFIX.pub.", options,
                        countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("keygen takes one PREFIX");
    char *passphrase = new_passphrase(file);
    int32_t code = wc_sign_key_new(passphrase, &private_key, &public_key, &err);
    wipe(passphrase);
    TRY(code);
    write_pair(argv[0], private_key, public_key);
    wc_buf_unref(private_key);
    wc_buf_unref(public_key);
    return 0;
}

const command signature_commands[] = {
    {"sign", sign, "sign an image in a registry"},
    {"verify", verify, "ask who has signed an image"},
    {"keygen", keygen, "make keys to sign and verify with"},
    {NULL, NULL, NULL},
};
