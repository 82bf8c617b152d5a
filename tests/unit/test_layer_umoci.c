/* SPDX-License-Identifier: Apache-2.0 */
/* The mounted tree of an image equals the one that `umoci unpack` makes. */
#include "support/tarball.h"

#include <sched.h>
#include <sys/mount.h>

enum { MAX_LAYERS = 8 };

static char *dir;

static char *output_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *output_of(const char *fmt, ...)
{
    char *command, *out;
    va_list ap;
    va_start(ap, fmt);
    ck_assert_int_gt(vasprintf(&command, fmt, ap), 0);
    va_end(ap);
    int rc = test_run(command, &out);
    ck_assert_msg(rc == 0, "exit code %d: %s", rc, command);
    free(command);
    return out;
}

static void unpack_layer(int n, const char *codec, const char *diff_id, const char *blob)
{
    wci_digest want;
    wci_unpack_stats stats;
    wc_error *err = NULL;
    size_t size;
    char *data = test_read_file(blob, &size), *to = test_text("%s/t%d", dir, n);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    test_ok(wci_digest_parse(diff_id, &want, NULL));
    int32_t rc = unpack_bytes(data, size, strcmp(codec, "gzip") ? WCI_CODEC_NONE : WCI_CODEC_GZIP,
                              &want, to, NULL, &stats, &err);
    ck_assert_msg(rc == 0, "layer %d: %s", n, err ? wc_error_message(err) : "");
    for (size_t i = 0; i < stats.skipped.count; i++)
        printf("layer %d: left out: %s\n", n, stats.skipped.items[i]);
    wci_strv_free(&stats.skipped);
    free(data);
    free(to);
}

static void link_layer(wci_level *levels, int n)
{
    int is_empty;
    wc_error *err = NULL;
    char *to = test_text("%s/x%d", dir, n);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    levels[n].tree = test_text("%s/t%d/fs", dir, n);
    levels[n].records = test_text("%s/t%d/records", dir, n);
    int32_t rc = wci_layer_link(levels, (size_t)n + 1, to, &is_empty, &err);
    ck_assert_msg(rc == 0, "layer %d: %s", n, err ? wc_error_message(err) : "");
    levels[n].links = is_empty ? NULL : test_text("%s/fs", to);
    free(to);
}

/* Unpacks in an order of its own, links from the bottom up, and mounts. */
static void mount_ours(char *layers)
{
    char *lines[MAX_LAYERS], *codec, *diff_id, *blob;
    wci_level levels[MAX_LAYERS] = {{NULL, NULL, NULL}};
    int count = 0;
    for (char *line = strtok(layers, "\n"); line; line = strtok(NULL, "\n"))
        lines[count++] = line;
    for (int n = count - 1; n >= 0; n--) {
        codec = strtok(lines[n], " ");
        diff_id = strtok(NULL, " ");
        blob = strtok(NULL, " ");
        unpack_layer(n, codec, diff_id, blob);
    }
    char *options = test_text("redirect_dir=nofollow,metacopy=off,index=off,lowerdir=%s", "");
    for (int n = 0; n < count; n++)
        link_layer(levels, n);
    for (int n = count - 1; n >= 0; n--) {
        char *more = test_text("%s%s%s%s%s", options, n == count - 1 ? "" : ":",
                               levels[n].links ? levels[n].links : "", levels[n].links ? ":" : "",
                               levels[n].tree);
        free(options);
        options = more;
        free((char *)levels[n].tree);
        free((char *)levels[n].records);
        free((char *)levels[n].links);
    }
    char *view = test_text("%s/view", dir);
    ck_assert_int_eq(mkdir(view, 0700), 0);
    ck_assert_msg(mount("overlay", view, "overlay", 0, options) == 0, "mount: %s: %s",
                  strerror(errno), options);
    free(options);
    free(view);
}

START_TEST(mounted_tree_equals_umoci)
{
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    dir = test_make_dir();
    ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", 0, "mode=0700"), 0);
    const char *support = WC_TEST_SOURCE_DIR "/tests/support";
    char *layers = output_of("python3 %s/equality_image.py %s/image", support, dir);
    free(output_of("umoci unpack --image %s/image:latest %s/bundle 2>&1", dir, dir));
    mount_ours(layers);
    /* A new directory that no layer names gets the time of the moment from umoci, and so does the
     * one that it is in. */
    const char *timeless = "--timeless holder --timeless holder/made-up --timeless deep/a "
                           "--timeless deep/a/fresh";
    char *want = output_of("python3 %s/show_tree.py %s %s/bundle/rootfs | tee %s/want", support,
                           timeless, dir, dir);
    char *got = output_of("python3 %s/show_tree.py %s %s/view | tee %s/got", support, timeless,
                          dir, dir);
    ck_assert_int_gt((int)strlen(want), 5000);
    if (strcmp(got, want) != 0) {
        char *shown = output_of("diff -U0 %s/want %s/got | cut -c 1-200 | head -60", dir, dir);
        fprintf(stderr, "%s", shown);
        ck_abort_msg("the trees differ");
    }
    free(want);
    free(got);
    free(layers);
    umount2(dir, MNT_DETACH);
    test_remove_dir(dir);
}
END_TEST

static int can_mount_overlay(void)
{
    return test_run("unshare -m sh -c 'mount -t tmpfs t /mnt && mkdir /mnt/a /mnt/b /mnt/c && "
                    "mount -t overlay -o lowerdir=/mnt/a:/mnt/b o /mnt/c' 2>/dev/null", NULL) == 0;
}

int main(void)
{
    test_need_root();
    if (!test_have_program("umoci") || !test_have_program("python3"))
        test_skip("needs umoci and python3");
    if (!can_mount_overlay())
        test_skip("overlay mounts are not possible here");
    Suite *suite = suite_create("unpack equality");
    TCase *tc = tcase_create("umoci");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, mounted_tree_equals_umoci);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
