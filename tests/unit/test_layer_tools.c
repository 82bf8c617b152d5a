/* SPDX-License-Identifier: Apache-2.0 */
/* Tars of other writers, in every format they know, must come out as the tree that went in; and
 * ours must be read by them. */
#include "support/tarball.h"

#include "core/alloc.h"
#include "platform/host.h"
#include "platform/tree.h"

static char *dir, *tree, *shown;

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
    char *command;
    va_list ap;
    va_start(ap, fmt);
    ck_assert_int_gt(vasprintf(&command, fmt, ap), 0);
    va_end(ap);
    int rc = test_run(command, NULL);
    if (rc)
        fprintf(stderr, "exit code %d: %s\n", rc, command);
    free(command);
    return rc;
}

static char *show_as(const char *path, const char *options)
{
    char *out, *command = test_text("python3 %s/tests/support/show_tree.py %s %s",
                                    WC_TEST_SOURCE_DIR, options, path);
    ck_assert_int_eq(test_run(command, &out), 0);
    free(command);
    return out;
}

static char *show(const char *path)
{
    return show_as(path, "");
}

/* Shows where two trees differ. */
static void assert_same(const char *what, const char *got, const char *want)
{
    if (strcmp(got, want) == 0)
        return;
    char *a = test_text("%s/got", dir), *b = test_text("%s/want", dir), *out;
    test_write_file(a, got, strlen(got));
    test_write_file(b, want, strlen(want));
    char *command = test_text("diff -U0 %s %s | cut -c 1-150 | head -20", b, a);
    test_run(command, &out);
    fprintf(stderr, "%s:\n%s", what, out);
    ck_abort_msg("%s: the trees differ", what);
}

static void setup(void)
{
    dir = test_make_dir();
    tree = test_text("%s/tree", dir);
    ck_assert_int_eq(run("%s/tests/support/odd_tree.sh %s", WC_TEST_SOURCE_DIR, tree), 0);
    shown = show(tree);
}

static void teardown(void)
{
    free(shown);
    free(tree);
    test_remove_dir(dir);
}

static void unpack_file(const char *path, const char *to)
{
    wc_error *err = NULL;
    tarball t = TARBALL_INIT;
    t.data = test_read_file(path, &t.size);
    ck_assert_ptr_nonnull(t.data);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    int32_t rc = unpack_tar(&t, to, NULL, NULL, &err);
    ck_assert_msg(rc == 0, "%s: %s", path, err ? wc_error_message(err) : "");
    tar_free(&t);
}

/* The command writes the tar of the present directory to standard output. The options leave out of
 * the comparison what a format cannot say. */
static void assert_reads(const char *name, const char *command, const char *options)
{
    char *tar = test_text("%s/%s.tar", dir, name), *to = test_text("%s/%s", dir, name);
    char *fs = test_text("%s/fs", to);
    ck_assert_int_eq(run("cd %s && %s >%s", tree, command, tar), 0);
    unpack_file(tar, to);
    char *got = show_as(fs, options), *want = show_as(tree, options);
    assert_same(name, got, want);
    run("rm -rf %s %s", to, tar);
    free(tar);
    free(to);
    free(fs);
    free(got);
    free(want);
}

#define WHOLE_SECONDS "--whole-seconds --no-xattrs --any-old-time"

START_TEST(gnu_tar)
{
    assert_reads("gnu", "tar --format=gnu --numeric-owner -S -c .", WHOLE_SECONDS);
    assert_reads("pax", "tar --format=pax --xattrs --xattrs-include='*' --numeric-owner -c .",
                 "");
    assert_reads("sparse-1.0", "tar --format=pax --sparse-version=1.0 --xattrs "
                               "--xattrs-include='*' --numeric-owner -S -c .", "");
    assert_reads("sparse-0.1", "tar --format=pax --sparse-version=0.1 --xattrs "
                               "--xattrs-include='*' --numeric-owner -S -c .", "");
    assert_reads("sparse-0.0", "tar --format=pax --sparse-version=0.0 --xattrs "
                               "--xattrs-include='*' --numeric-owner -S -c .", "");
    assert_reads("global", "tar --format=pax --xattrs --xattrs-include='*' --numeric-owner "
                           "--pax-option=globexthdr.name=/tmp/g,comment=hello -c .", "");
}
END_TEST

START_TEST(bsd_tar)
{
    if (!test_have_program("bsdtar"))
        return;
    assert_reads("bsd-pax", "bsdtar --format pax --xattrs --no-fflags --no-acls --numeric-owner "
                            "-cf - .", "--any-old-time"); /* it writes -1.75 s as -2.25 */
    assert_reads("bsd-gnu", "bsdtar --format gnutar --numeric-owner -cf - .", WHOLE_SECONDS);
}
END_TEST

START_TEST(python_tar)
{
    static const char script[] =
        "python3 -c \"import tarfile,sys\n"
        "t=tarfile.open(fileobj=sys.stdout.buffer,mode='w|',format=tarfile.%s)\n"
        "t.add('.')\nt.close()\"";
    ck_assert_int_eq(run("rm %s/link3", tree), 0); /* it knows no hard links of symbolic links */
    char *gnu = test_text(script, "GNU_FORMAT"), *pax = test_text(script, "PAX_FORMAT");
    assert_reads("python-gnu", gnu, WHOLE_SECONDS);
    assert_reads("python-pax", pax, WHOLE_SECONDS);
    free(gnu);
    free(pax);
}
END_TEST

/* A file that grows into a hundred regions needs further header blocks in the old GNU form. */
START_TEST(many_regions)
{
    char *path = test_text("%s/many", tree);
    FILE *f = fopen(path, "we");
    for (int i = 0; i < 100; i++) {
        fseek(f, (long)i * 65536, SEEK_SET);
        fputs("data", f);
    }
    fclose(f);
    free(path);
    assert_reads("gnu", "tar --format=gnu --numeric-owner -S -c .", WHOLE_SECONDS);
    assert_reads("pax", "tar --format=pax --xattrs --xattrs-include='*' --numeric-owner -S -c .",
                 "");
}
END_TEST

/* ---- Our own writer ---------------------------------------------------------------------------- */

static int32_t sink_write(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    tar_bytes(self, data, size);
    return WC_OK;
}

static void pack(const char *from, const char *name, const char *as, tarball *t)
{
    wci_fd root;
    wci_sink sink = {sink_write, t};
    wc_error *err = NULL;
    test_ok(wci_tree_open_root(from, &root, NULL));
    int32_t rc = wci_tar_pack(root, name, as, &sink, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err ? wc_error_message(err) : "");
    wci_fd_close(root);
}

static void apply(const tarball *t, const char *to, int flags)
{
    wci_fd root;
    memory_source m = {t->data, t->size, 0, 0};
    wci_source source = {memory_read, &m};
    wc_error *err = NULL;
    test_ok(wci_tree_open_root(to, &root, NULL));
    int32_t rc = wci_tar_apply(&source, root, flags, &wci_limits_default, NULL, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err ? wc_error_message(err) : "");
    wci_fd_close(root);
}

START_TEST(packing_twice_gives_the_same_bytes)
{
    tarball a = TARBALL_INIT, b = TARBALL_INIT;
    pack(tree, "", "", &a);
    pack(tree, "", "", &b);
    ck_assert_uint_eq(a.size, b.size);
    ck_assert(memcmp(a.data, b.data, a.size) == 0);
    tar_free(&a);
    tar_free(&b);
}
END_TEST

START_TEST(packed_trees_come_back)
{
    tarball t = TARBALL_INIT;
    char *to = test_text("%s/applied", dir);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    pack(tree, "", "", &t);
    apply(&t, to, WCI_APPLY_KEEP_OWNER);
    char *got = show(to);
    assert_same("apply", got, shown);
    free(got);
    apply(&t, to, WCI_APPLY_KEEP_OWNER); /* over itself */
    got = show(to);
    assert_same("apply again", got, shown);
    free(got);
    free(to);
    tar_free(&t);
}
END_TEST

START_TEST(gnu_tar_reads_ours)
{
    tarball t = TARBALL_INIT;
    char *tar = test_text("%s/ours.tar", dir), *to = test_text("%s/gnu", dir);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    pack(tree, "", "", &t);
    test_write_file(tar, t.data, t.size);
    ck_assert_int_eq(run("tar -x --xattrs --xattrs-include='*' --numeric-owner -p -f %s -C %s", tar,
                         to), 0);
    char *got = show(to);
    assert_same("gnu tar", got, shown);
    ck_assert_int_eq(run("python3 -c \"import tarfile; tarfile.open('%s').getmembers()\"", tar), 0);
    free(got);
    free(to);
    free(tar);
    tar_free(&t);
}
END_TEST

START_TEST(one_entry_under_another_name)
{
    tarball t = TARBALL_INIT;
    char *to = test_text("%s/one", dir);
    struct stat st;
    ck_assert_int_eq(mkdir(to, 0700), 0);
    pack(tree, "dir", "renamed", &t);
    apply(&t, to, 0);
    char *path = test_text("%s/renamed/inner/x", to);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, geteuid());
    free(path);
    t.size = 0;
    pack(tree, "big", "small", &t);
    apply(&t, to, 0);
    path = test_text("%s/small", to);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq((unsigned long)st.st_size, 300000);
    ck_assert_uint_eq(st.st_uid, geteuid()); /* owners were not asked for */
    free(path);
    free(to);
    tar_free(&t);
}
END_TEST

START_TEST(applying_keeps_what_is_in_the_way)
{
    tarball t = TARBALL_INIT;
    wci_fd root;
    char *to = test_text("%s/way", dir), *path;
    ck_assert_int_eq(run("mkdir -p %s/d/keep %s/out && ln -s ../out %s/link && echo x >%s/f", to,
                         dir, to, to), 0);
    static const struct {
        const char *name;
        char type;
    } refused[] = {{"d", '0'}, {"d", '2'}, {"link/f", '0'}, {"link/", '5'}, {"f/x", '0'}};
    test_ok(wci_tree_open_root(to, &root, NULL));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        wc_error *err = NULL;
        t.size = 0;
        tar_put(&t, .name = refused[i].name, .type = refused[i].type, .link = "y");
        tar_end(&t);
        memory_source m = {t.data, t.size, 0, 0};
        wci_source source = {memory_read, &m};
        expect_refused(wci_tar_apply(&source, root, 0, &wci_limits_default, NULL, NULL, &err), &err,
                       WC_E_EXISTS);
    }
    wci_fd_close(root);
    t.size = 0;
    tar_file(&t, "link", "a file now"); /* links and files give way to files */
    tar_file(&t, "f", "new");
    tar_file(&t, ".wh.f", "no whiteouts here");
    tar_end(&t);
    apply(&t, to, 0);
    path = test_text("%s/out", dir);
    ck_assert_int_eq(rmdir(path), 0); /* still empty */
    free(path);
    path = test_text("%s/.wh.f", to);
    ck_assert_int_eq(access(path, F_OK), 0);
    free(path);
    path = test_text("%s/d/keep", to);
    ck_assert_int_eq(access(path, F_OK), 0);
    free(path);
    free(to);
    tar_free(&t);
}
END_TEST

/* ---- Index ------------------------------------------------------------------------------------- */

static int32_t open_index(const tarball *t, wci_tar_index **index)
{
    wci_fd file;
    char *path = test_text("%s/archive.tar", dir);
    WCI_CALL_NONE(call);
    test_write_file(path, t->data, t->size);
    test_ok(wci_file_open(path, WCI_OPEN_READ, 0, &file, NULL));
    int32_t rc = wci_tar_index_open(&call, file, &wci_limits_default, index, NULL);
    wci_fd_close(file);
    free(path);
    return rc;
}

static void assert_member(const tarball *t, const wci_tar_index *index, const char *name,
                          const char *want)
{
    uint64_t offset, size;
    test_ok(wci_tar_index_find(index, name, &offset, &size, NULL));
    ck_assert_uint_eq(size, strlen(want));
    ck_assert(memcmp(t->data + offset, want, size) == 0);
}

START_TEST(members_are_found)
{
    tarball t = TARBALL_INIT;
    wci_tar_index *index;
    uint64_t offset, size;
    char *big = calloc(1, 1000001);
    memset(big, 'q', 1000000);
    tar_dir(&t, "blobs/");
    tar_file(&t, "./blobs//sha256/abc", "first");
    tar_file(&t, "big", big);
    tar_file(&t, "manifest.json", "old");
    tar_symlink(&t, "blobs/link", "sha256/abc");
    tar_symlink(&t, "deep/link", "../blobs/link");
    tar_hardlink(&t, "hard", "blobs/sha256/abc");
    tar_symlink(&t, "loop1", "loop2");
    tar_symlink(&t, "loop2", "loop1");
    tar_file(&t, "manifest.json", "newer");
    tar_end(&t);
    test_ok(open_index(&t, &index));
    assert_member(&t, index, "blobs/sha256/abc", "first");
    assert_member(&t, index, "/blobs/./sha256/abc", "first");
    assert_member(&t, index, "manifest.json", "newer");
    assert_member(&t, index, "big", big);
    assert_member(&t, index, "deep/link", "first");
    assert_member(&t, index, "hard", "first");
    test_code(wci_tar_index_find(index, "loop1", &offset, &size, NULL), WC_E_FORMAT);
    test_code(wci_tar_index_find(index, "blobs", &offset, &size, NULL), WC_E_NOT_FOUND);
    test_code(wci_tar_index_find(index, "../x", &offset, &size, NULL), WC_E_FORMAT);
    wci_tar_index_free(index);
    free(big);
    tar_free(&t);
}
END_TEST

START_TEST(bad_archives_are_refused)
{
    static const char *const targets[] = {"../../x", "/../x", ".."};
    tarball t = TARBALL_INIT;
    wci_tar_index *index = NULL;
    for (size_t i = 0; i < 3; i++) {
        t.size = 0;
        tar_symlink(&t, "a/link", targets[i]);
        tar_end(&t);
        if (i != 2) /* ".." from "a" is the root: no file, but inside */
            test_code(open_index(&t, &index), WC_E_FORMAT);
    }
    t.size = 0;
    tar_file(&t, "../x", "x");
    tar_end(&t);
    test_code(open_index(&t, &index), WC_E_FORMAT);
    t.size = 0;
    char *big = calloc(1, 1000001);
    memset(big, 'q', 1000000);
    tar_file(&t, "big", big);
    t.size = 600000; /* cut inside what is skipped */
    test_code(open_index(&t, &index), WC_E_FORMAT);
    free(big);
    tar_free(&t);
}
END_TEST

int main(void)
{
    if (!test_have_program("python3"))
        test_skip("needs python3 to describe trees");
    if (!wci_host_is_root())
        test_skip("needs root: owners and devices are compared");
    Suite *suite = suite_create("layer tools");
    TCase *tc = tcase_create("tools");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, gnu_tar);
    tcase_add_test(tc, bsd_tar);
    tcase_add_test(tc, python_tar);
    tcase_add_test(tc, many_regions);
    tcase_add_test(tc, packing_twice_gives_the_same_bytes);
    tcase_add_test(tc, packed_trees_come_back);
    tcase_add_test(tc, gnu_tar_reads_ours);
    tcase_add_test(tc, one_entry_under_another_name);
    tcase_add_test(tc, applying_keeps_what_is_in_the_way);
    tcase_add_test(tc, members_are_found);
    tcase_add_test(tc, bad_archives_are_refused);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
