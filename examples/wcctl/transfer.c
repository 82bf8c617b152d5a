/* SPDX-License-Identifier: Apache-2.0 */
/* The options that every command shares which moves images. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wcctl.h"

typedef int32_t (*credentials_setter)(wc_transfer_options *, const char *, const char *, wc_error **);

void hide_argument(const char *secret)
{
    for (volatile char *p = (volatile char *)(uintptr_t)secret; *p; p++)
        *p = '*';
}

/* The pair goes from the command line into *kept, for further transfers with the same options. */
static void set_credentials(transfer *t, const char *flag, const char **pair, char **kept, credentials_setter set)
{
    wc_error *err = NULL;
    const char *colon = strchr(*pair, ':');
    if (!colon)
        die_usage("%s takes USER:PASSWORD", flag);
    char *user = xasprintf("%.*s", (int)(colon - *pair), *pair);
    TRY(set(t->options, user, colon + 1, &err));
    if (!*kept) {
        *kept = xstrdup(*pair);
        hide_argument(colon + 1);
        *pair = *kept;
    }
    free(user);
}

/* At once: where the file turns out not to be needed, nobody would learn of the slip. */
static void check_readable(const char *flag, const char *path)
{
    if (!access(path, R_OK))
        return;
    fprintf(stderr, "wcctl: %s '%s': %s\n", flag, path, strerror(errno));
    exit(EXIT_OURS);
}

/* "linux/amd64", or "linux/amd64,linux/arm64": an index for these. With --all also one platform makes an index. */
static void set_platforms(transfer *t)
{
    wc_error *err = NULL;
    int is_index = t->takes_index && (t->all || strchr(t->platform, ','));
    if (!t->takes_index && strchr(t->platform, ','))
        die_usage("--platform '%s': here it takes one", t->platform);
    char *list = xstrdup(t->platform), *rest = list;
    for (char *one; is_index && (one = strsep(&rest, ",")) != NULL;)
        TRY(wc_transfer_options_add_platform(t->options, one, &err));
    if (!is_index)
        TRY(wc_transfer_options_set_platform(t->options, t->platform, &err));
    free(list);
}

void transfer_begin(transfer *t)
{
    static char *kept[2];
    wc_error *err = NULL;
    TRY(wc_transfer_options_new(&t->options, &err));
    if (t->platform && *t->platform)
        set_platforms(t);
    if (t->isolation && *t->isolation)
        TRY(wc_transfer_options_set_isolation(t->options, t->isolation, &err));
    TRY(wc_transfer_options_set_all(t->options, t->all, &err));
    if (t->referrers && t->no_referrers)
        die_usage("--referrers and --no-referrers exclude each other");
    if (t->referrers || t->no_referrers)
        TRY(wc_transfer_options_set_referrers(t->options, t->referrers, &err));
    TRY(wc_transfer_options_set_partial(t->options, t->drop_blobs, &err));
    TRY(wc_transfer_options_set_nondistributable(t->options, t->nondistributable, &err));
    if (t->tls_verify && strcmp(t->tls_verify, "true") && strcmp(t->tls_verify, "false"))
        die_usage("--tls-verify takes true or false, not '%s'", t->tls_verify);
    if (t->tls_verify)
        TRY(wc_transfer_options_set_tls_verify(t->options, !strcmp(t->tls_verify, "true"), &err));
    if (t->ca_file) {
        check_readable("--ca-file", t->ca_file);
        TRY(wc_transfer_options_set_ca_file(t->options, t->ca_file, &err));
    }
    if (t->cert_dir) {
        check_readable("--cert-dir", t->cert_dir);
        TRY(wc_transfer_options_set_cert_dir(t->options, t->cert_dir, &err));
    }
    if (t->target_cert_dir) {
        check_readable("--dest-cert-dir", t->target_cert_dir);
        TRY(wc_transfer_options_set_target_cert_dir(t->options, t->target_cert_dir, &err));
    }
    if (t->auth_file && !t->makes_auth_file)
        check_readable("--authfile", t->auth_file);
    if (t->auth_file)
        TRY(wc_transfer_options_set_auth_file(t->options, t->auth_file, &err));
    if (t->creds)
        set_credentials(t, "--creds", &t->creds, &kept[0], wc_transfer_options_set_credentials);
    if (t->target_creds)
        set_credentials(t, "--dest-creds", &t->target_creds, &kept[1], wc_transfer_options_set_target_credentials);
    signature_begin(t);
    t->progress = progress_new(t->quiet);
    TRY(wc_transfer_options_set_progress(t->options, progress_report, (uintptr_t)t->progress, &err));
}

void transfer_end(transfer *t)
{
    if (t->progress)
        progress_end(t->progress);
    wc_transfer_options_unref(t->options);
    t->progress = NULL;
    t->options = NULL;
}

static int32_t pull(transfer *t, const char *source, wc_image **out, wc_error **err)
{
    transfer_begin(t);
    int32_t code = wc_image_pull(app_context(), source, t->options, wcctl.cancel, out, err);
    transfer_end(t);
    return code;
}

wc_image *transfer_pull(transfer *t, const char *source)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    TRY(pull(t, source, &image, &err));
    return image;
}

int32_t transfer_choose(transfer *t, const char *name, wc_image **out, wc_error **err)
{
    char *source = xasprintf("wc-store:%s", name);
    int32_t code = pull(t, source, out, err);
    free(source);
    return code;
}
