/* SPDX-License-Identifier: Apache-2.0 */
/* Damage of unpacked trees: every kind is found and named, and made good. */
#include "support/layout.h"
#include "support/tarball.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/check.h"
#include "image/drop.h"

enum { LAYERS = 3 };

static wci_image_record *image;
static char *trees[LAYERS]; /* "…/fs" */

/* ---- An image of three layers, the topmost with links into those below ---------------------------- */

static void fill_layer(tarball *t, int i)
{
    switch (i) {
    case 0:
        tar_put(t, .name = "etc/", .type = '5', .mtime = 7);
        tar_put(t, .name = "etc/passwd", .text = "root:x:0:0", .mtime = 7);
        tar_put(t, .name = "etc/shadow", .text = "root:!", .mode = 0600, .mtime = 7);
        tar_put(t, .name = "etc/two", .type = '1', .link = "etc/shadow");
        tar_put(t, .name = "bin", .type = '2', .link = "usr/bin");
        tar_put(t, .name = "var/lib/implied", .text = "x");
        break;
    case 1:
        tar_put(t, .name = "opt/", .type = '5');
        tar_put(t, .name = "opt/.wh..wh..opq");
        tar_put(t, .name = "etc/.wh.passwd");
        tar_put(t, .name = "pipe", .type = '6');
        break;
    default:
        tar_put(t, .name = "etc/link", .type = '1', .link = "etc/shadow");
        tar_put(t, .name = "etc/new", .text = "n");
    }
}

static char *make_layer(int i, char **diff_id)
{
    tarball t = TARBALL_INIT, packed = TARBALL_INIT;
    wci_digest digest;
    fill_layer(&t, i);
    tar_end(&t);
    test_ok(wci_digest_of(WCI_SHA256, t.data, t.size, &digest, NULL));
    tar_gzip(&packed, t.data, t.size);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_LAYER "+gzip", packed.data, packed.size);
    *diff_id = test_text("\"%s\"", digest.text);
    tar_free(&t);
    tar_free(&packed);
    return descriptor;
}

static char *append(char *list, char *item)
{
    char *longer = test_text("%s%s%s", list, *list ? "," : "", item);
    free(list);
    free(item);
    return longer;
}

static void pull_image(void)
{
    char *layers = strdup(""), *ids = strdup("");
    for (int i = 0; i < LAYERS; i++) {
        char *id, *layer = make_layer(i, &id);
        layers = append(layers, layer);
        ids = append(ids, id);
    }
    char *config = layout_config(ids, "");
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *manifest = layout_manifest(descriptor, layers, "");
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    wci_transfer transfer = WCI_TRANSFER_INIT;
    test_ok(wci_strv_add(&transfer.names, "the.image/x:1"));
    test_ok(layout_pull_with(NULL, &transfer, &image));
    wci_strv_free(&transfer.names);
    free(layers);
    free(ids);
    free(config);
    free(descriptor);
    free(manifest);
}

static void setup(void)
{
    layout_setup();
    pull_image();
    for (int i = 0; i < LAYERS; i++)
        test_ok(wci_tree_path(layout_store, WCI_TREE_LAYER, &image->layers[i].diff_id, &trees[i], NULL));
}

static void teardown(void)
{
    for (int i = 0; i < LAYERS; i++)
        wci_free(trees[i]);
    wci_image_record_free(image);
    layout_teardown();
}

/* ---- Asking ---------------------------------------------------------------------------------------- */

static wci_strv check(int repair)
{
    wc_call call = {0};
    wci_strv findings = WCI_STRV_INIT;
    test_ok(wci_images_check(&call, layout_store, repair, &findings, NULL));
    return findings;
}

static void expect_sound(void)
{
    wci_strv findings = check(0);
    ck_assert_msg(!findings.count, "%s", findings.count ? findings.items[0] : "");
    wci_strv_free(&findings);
}

static void expect_finding(int repair, const char *text)
{
    wci_strv findings = check(repair);
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_msg(strstr(findings.items[0], text) != NULL, "'%s' does not say '%s'", findings.items[0], text);
    ck_assert(strstr(findings.items[0], "the.image/x:1"));
    wci_strv_free(&findings);
}

/* Found, mended and sound again. */
static void expect_mended(const char *text)
{
    expect_finding(0, text);
    expect_finding(1, "; made again from its blob");
    expect_sound();
}

/* ---- Damage ---------------------------------------------------------------------------------------- */

typedef struct damage {
    const char *name;
    void (*make)(const char *path); /* `path` in the lowest tree */
    const char *path, *finding;
} damage;

static void must(int result)
{
    ck_assert_msg(!result, "%s", strerror(errno));
}

/* The time is put back, so that only what is meant has changed. */
static void keep_time(const char *path)
{
    const struct timespec times[2] = {{7, 0}, {7, 0}};
    must(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

static void keep_parent_time(const char *path)
{
    char *parent = wci_path_parent(path);
    keep_time(parent);
    wci_free(parent);
}

static void flip_a_byte(const char *path)
{
    int fd = open(path, O_RDWR);
    must(fd < 0 || pwrite(fd, "X", 1, 3) != 1);
    close(fd);
    keep_time(path);
}

static void cut(const char *path)
{
    must(truncate(path, 2));
    keep_time(path);
}

static void unlock(const char *path)
{
    must(chmod(path, 0666));
}

static void age(const char *path)
{
    const struct timespec times[2] = {{8, 0}, {8, 0}};
    must(utimensat(AT_FDCWD, path, times, 0));
}

/* With root also where the file system has no attributes for users. */
static void set_xattr(const char *path, const char *root_key, const char *key, const char *value)
{
    must(setxattr(path, geteuid() ? key : root_key, value, 1, 0));
}

static void mark(const char *path)
{
    set_xattr(path, "trusted.note", "user.note", "x");
}

static void take_away(const char *path)
{
    must(unlink(path));
    keep_parent_time(path);
}

static void plant(const char *path)
{
    test_write_file(path, "x", 1);
    keep_parent_time(path);
}

static void turn_into_directory(const char *path)
{
    must(unlink(path) || mkdir(path, 0755));
    keep_parent_time(path);
}

static void part(const char *path)
{
    must(unlink(path));
    test_write_file(path, "root:!", 6);
    must(chmod(path, 0600));
    keep_time(path);
    keep_parent_time(path);
}

static void redirect(const char *path)
{
    const struct timespec times[2] = {{0, 0}, {0, 0}};
    char *parent = wci_path_parent(path);
    must(unlink(path) || symlink("usr/bim", path));
    must(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
    must(utimensat(AT_FDCWD, parent, times, 0));
    wci_free(parent);
}

static void hide(const char *path)
{
    set_xattr(path, "trusted.overlay.opaque", "user.overlay.opaque", "y");
}

static const damage damages[] = {
    {"content", flip_a_byte, "etc/passwd", "'etc/passwd' has another content"},
    {"size", cut, "etc/passwd", "'etc/passwd' has another size"},
    {"mode", unlock, "etc/shadow", "'etc/shadow' has other attributes"},
    {"time", age, "etc/passwd", "'etc/passwd' has other attributes"},
    {"extended attribute", mark, "etc/passwd", "'etc/passwd' has other attributes"},
    {"missing file", take_away, "etc/passwd", "'etc/passwd' is missing"},
    {"planted file", plant, "etc/aaa", "'etc/aaa' is not in the layer"},
    {"planted file at the end", plant, "etc/zzz", "'etc/zzz' is not in the layer"},
    {"kind", turn_into_directory, "etc/passwd", "'etc/passwd' is another kind of file"},
    {"link", part, "etc/two", "'etc/two' is linked to other files"},
    {"target", redirect, "bin", "'bin' points elsewhere"},
    {"opaque mark", hide, "etc", "'etc' hides other things"},
};

START_TEST(damage_is_found_and_made_good)
{
    const damage *d = &damages[_i];
    char *path = test_text("%s/%s", trees[0], d->path);
    expect_sound();
    d->make(path);
    expect_mended(d->finding);
    free(path);
}
END_TEST

START_TEST(a_missing_tree_is_made_again)
{
    for (int i = 0; i < LAYERS; i++) {
        char *dir = wci_path_parent(trees[i]);
        test_ok(wci_dir_remove_all(dir, NULL));
        wci_free(dir);
        expect_mended("its unpacked tree of image 'the.image/x:1' is missing");
    }
}
END_TEST

START_TEST(damaged_records_are_found)
{
    char *dir = wci_path_parent(trees[2]), *records = wci_path_join(dir, "records");
    test_write_file(records, "x", 1);
    wci_strv findings = check(1);
    ck_assert_uint_ge(findings.count, 1);
    ck_assert_msg(strstr(findings.items[0], "its records differ") != NULL, "%s", findings.items[0]);
    wci_strv_free(&findings);
    expect_sound();
    wci_free(dir);
    wci_free(records);
}
END_TEST

START_TEST(a_damaged_tree_of_links_is_made_again)
{
    char *links = NULL;
    test_ok(wci_tree_path(layout_store, WCI_TREE_LINKS, &image->layers[2].chain_id, &links, NULL));
    ck_assert_ptr_nonnull(links); /* the hard link into the lowest layer */
    char *file = wci_path_join(links, "etc/link");
    cut(file);
    expect_mended("its tree of links of image 'the.image/x:1' is damaged");
    wci_free(file);
    wci_free(links);
}
END_TEST

START_TEST(a_tree_without_its_blob_cannot_be_made_again)
{
    char *blob = wci_blob_path(layout_store, &image->layers[0].digest), *dir = wci_path_parent(trees[0]);
    test_ok(wci_file_remove(blob, NULL));
    wci_strv findings = check(0);
    ck_assert_uint_eq(findings.count, 1); /* the blob; the tree cannot be compared */
    wci_strv_free(&findings);
    test_ok(wci_dir_remove_all(dir, NULL));
    findings = check(1);
    ck_assert_uint_eq(findings.count, 2);
    ck_assert(strstr(findings.items[1], "pull the image again"));
    wci_strv_free(&findings);
    wci_image_record_free(image);
    pull_image();
    expect_sound();
    wci_free(blob);
    wci_free(dir);
}
END_TEST

START_TEST(a_tree_whose_blob_was_dropped_is_verified_too)
{
    wc_call call = {0};
    uint64_t bytes = 0;
    char *blob = wci_blob_path(layout_store, &image->layers[0].digest), *file = wci_path_join(trees[0], "etc/passwd");
    test_ok(wci_image_drop_blobs(&call, layout_store, image, &bytes, NULL));
    ck_assert(!wci_file_exists(blob)); /* our own compression */
    ck_assert_uint_gt(bytes, 0);
    expect_sound();
    unlock(file);
    expect_finding(0, "'etc/passwd' has other attributes");
    expect_finding(1, "; put aside, pull the image again");
    wci_image_record_free(image);
    pull_image();
    expect_sound();
    wci_free(blob);
    wci_free(file);
}
END_TEST

START_TEST(a_tree_in_use_is_left_alone)
{
    wci_container_record c = {.id = "c1", .name = (char *)"c1", .backend = (char *)"mock", .image = image->manifest,
                              .image_name = (char *)"x", .config = (char *)"{}", .error = (char *)"",
                              .status = WCI_STATUS_CREATED};
    const wci_container_change runs = {.from = ~0u, .generation = -1, .status = WCI_STATUS_RUNNING};
    const wci_container_change ends = {.from = ~0u, .generation = -1, .status = WCI_STATUS_EXITED};
    char *path = test_text("%s/etc/passwd", trees[0]);
    test_ok(wci_container_insert(layout_store, &c, NULL));
    test_ok(wci_container_update(layout_store, "c1", &runs, NULL));
    cut(path);
    expect_finding(1, "; in use, stop its containers and check again");
    test_ok(wci_container_update(layout_store, "c1", &ends, NULL));
    expect_mended("has another size");
    free(path);
}
END_TEST

/* Deeper than descriptors or the stack of a thread would allow for. */
START_TEST(a_deep_tree_is_compared)
{
    tarball t = TARBALL_INIT;
    char name[4000];
    for (size_t i = 0; i < sizeof name - 2; i += 2)
        memcpy(name + i, "d/", 2);
    memcpy(name + sizeof name - 2, "f", 2);
    tar_pax(&t, "path", name, strlen(name));
    tar_put(&t, .name = "f", .text = "x");
    tar_end(&t);
    wci_digest digest;
    test_ok(wci_digest_of(WCI_SHA256, t.data, t.size, &digest, NULL));
    char *layer = layout_descriptor(WCI_TYPE_OCI_LAYER, t.data, t.size);
    char *ids = test_text("\"%s\"", digest.text), *config = layout_config(ids, "");
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    test_ok(layout_pull_manifest(layout_manifest(descriptor, layer, "")));
    expect_sound();
    tar_free(&t);
    free(layer);
    free(ids);
    free(config);
    free(descriptor);
}
END_TEST

START_TEST(a_cancelled_check_stops)
{
    wc_cancel *cancel = NULL;
    test_ok(wc_cancel_new(&cancel, NULL));
    wc_cancel_trigger(cancel);
    wc_call call = {.cancel = cancel};
    wci_strv findings = WCI_STRV_INIT;
    test_code(wci_images_check(&call, layout_store, 0, &findings, NULL), WC_E_CANCELLED);
    wci_strv_free(&findings);
    wc_cancel_unref(cancel);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("image_check");
    TCase *c = tcase_create("trees");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, damage_is_found_and_made_good, 0, sizeof damages / sizeof *damages);
    tcase_add_test(c, a_missing_tree_is_made_again);
    tcase_add_test(c, damaged_records_are_found);
    tcase_add_test(c, a_damaged_tree_of_links_is_made_again);
    tcase_add_test(c, a_tree_without_its_blob_cannot_be_made_again);
    tcase_add_test(c, a_tree_whose_blob_was_dropped_is_verified_too);
    tcase_add_test(c, a_tree_in_use_is_left_alone);
    tcase_add_test(c, a_deep_tree_is_compared);
    tcase_add_test(c, a_cancelled_check_stops);
    suite_add_tcase(s, c);
    return test_main(s);
}
