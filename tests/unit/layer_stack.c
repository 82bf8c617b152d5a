/* SPDX-License-Identifier: Apache-2.0 */
#include "layer_stack.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/alloc.h"

/* ---- From the model to a tar ------------------------------------------------------------------- */

static void put_attrs(tarball *t, const model_attrs *attrs)
{
    char text[40];
    if (attrs->mtime_ns) {
        snprintf(text, sizeof text, "%lld.%09d", attrs->mtime, attrs->mtime_ns);
        tar_pax(t, "mtime", text, 0);
    }
    if (attrs->xattr) {
        snprintf(text, sizeof text, "%d", attrs->xattr);
        tar_pax(t, "SCHILY.xattr.trusted.wctest", text, 0);
    }
}

static void put_op(tarball *t, const model_op *op)
{
    static const char types[] = {'0', '5', '2', '6', '3'};
    char name[64], other[64];
    tar_item item = {.name = name};
    model_path_text(&op->path, op->kind == MODEL_WHITEOUT ? ".wh." : "", name);
    if (op->kind == MODEL_OPAQUE) {
        strcat(name, *name ? "/.wh..wh..opq" : ".wh..wh..opq");
    } else if (op->kind == MODEL_LINK) {
        model_path_text(&op->target, "", other);
        item.type = '1';
        item.link = other;
    } else if (op->kind == MODEL_PUT) {
        snprintf(other, sizeof other, "content %d", op->content);
        put_attrs(t, &op->attrs);
        strcat(name, op->path.depth ? "" : "./");
        item.type = types[op->type];
        item.mode = op->attrs.mode;
        item.uid = op->attrs.uid;
        item.gid = op->attrs.gid;
        item.mtime = op->attrs.mtime;
        item.text = op->type == MODEL_FILE ? other : NULL;
        item.link = op->type == MODEL_SYMLINK ? other : NULL;
        item.major = op->type == MODEL_DEVICE ? 1 : 0;
        item.minor = op->type == MODEL_DEVICE ? 3 : 0;
    }
    /* tar_header() takes mode 0 for "as usual": these bits are dropped again. */
    if (item.mode == 0 && op->kind == MODEL_PUT)
        item.mode = 010000;
    tar_item_put(t, &item);
}

static void show_layer(const model_layer *layer)
{
    static const char *const kinds[] = {"put", "link", "whiteout", "opaque"};
    static const char *const types[] = {"file", "dir", "symlink", "fifo", "device"};
    for (int i = 0; i < layer->count; i++) {
        const model_op *op = &layer->ops[i];
        char path[64], target[64];
        model_path_text(&op->path, "", path);
        model_path_text(&op->target, "", target);
        fprintf(stderr, "    %s '%s' %s%s\n", kinds[op->kind], path,
                op->kind == MODEL_PUT ? types[op->type] : "",
                op->kind == MODEL_LINK ? target : "");
    }
}

/* ---- One stack --------------------------------------------------------------------------------- */

void stack_differs(stack *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!*s->problem)
        vsnprintf(s->problem, sizeof s->problem, fmt, ap);
    va_end(ap);
}

void stack_failed(stack *s, const char *what, int layer, wc_error *err)
{
    wc_buf *text = NULL;
    wc_error_format(err, &text);
    stack_differs(s, "%s layer %d: %s", what, layer, text ? wc_buf_data(text) : "?");
    wc_buf_unref(text);
    wc_error_unref(err);
}

void stack_tar(const stack *s, int n, tarball *out)
{
    for (int i = 0; i < s->layer[n].count; i++)
        put_op(out, &s->layer[n].ops[i]);
    tar_end(out);
}

static void link_level(stack *s, int n)
{
    char dir[96];
    wc_error *err = NULL;
    int is_empty = 0;
    snprintf(dir, sizeof dir, "%s/x%d", s->dir, n);
    mkdir(dir, 0700);
    if (!*s->problem && wci_layer_link(s->levels, (size_t)n + 1, dir, &is_empty, &err))
        stack_failed(s, "linking", n, err);
    if (!is_empty)
        s->levels[n].links = s->paths[n * 3 + 2] = test_text("%s/fs", dir);
}

void stack_add(stack *s, int n, const tarball *tar)
{
    char dir[96];
    wc_error *err = NULL;
    snprintf(dir, sizeof dir, "%s/t%d", s->dir, n);
    mkdir(dir, 0700);
    s->levels[n].tree = s->paths[n * 3] = test_text("%s/fs", dir);
    s->levels[n].records = s->paths[n * 3 + 1] = test_text("%s/records", dir);
    if (unpack_tar(tar, dir, NULL, NULL, &err))
        stack_failed(s, "unpacking", n, err);
    link_level(s, n);
}

void stack_repeat(stack *s, int n, int earlier)
{
    s->levels[n].tree = s->levels[earlier].tree;
    s->levels[n].records = s->levels[earlier].records;
    link_level(s, n);
}

void stack_mount(stack *s)
{
    char options[2048] = "redirect_dir=nofollow,metacopy=off,index=off,lowerdir=", path[128];
    wci_strv dirs = WCI_STRV_INIT;
    wc_error *err = NULL;
    if (wci_levels_dirs(s->levels, (size_t)s->layers, &dirs, &err))
        stack_failed(s, "the directories of", s->layers, err);
    size_t count = dirs.count;
    for (size_t i = count; i-- > 0;) {
        strcat(options, dirs.items[i]);
        strcat(options, i ? ":" : "");
    }
    wci_strv_free(&dirs);
    snprintf(path, sizeof path, "%s/empty", s->dir);
    mkdir(path, 0700);
    if (count == 1) { /* overlayfs wants two */
        strcat(options, ":");
        strcat(options, path);
    }
    snprintf(path, sizeof path, "%s/view", s->dir);
    mkdir(path, 0700);
    if (mount("overlay", path, "overlay", 0, options))
        stack_differs(s, "mount: %s (%s)", strerror(errno), options);
}

/* ---- Comparing --------------------------------------------------------------------------------- */

static model_type type_of(mode_t mode)
{
    return S_ISDIR(mode)    ? MODEL_DIR
           : S_ISLNK(mode)  ? MODEL_SYMLINK
           : S_ISFIFO(mode) ? MODEL_FIFO
           : S_ISCHR(mode)  ? MODEL_DEVICE
                            : MODEL_FILE;
}

static void compare_attrs(stack *s, const char *path, const struct stat *st,
                          const model_attrs *want)
{
    char value[16] = "";
    ssize_t n = lgetxattr(path, "trusted.wctest", value, sizeof value - 1);
    int xattr = n > 0 ? atoi(value) : 0;
    if ((st->st_mode & 07777) != want->mode)
        stack_differs(s, "%s: mode %o instead of %o", path, st->st_mode & 07777, want->mode);
    if (st->st_uid != want->uid || st->st_gid != want->gid)
        stack_differs(s, "%s: owner %u:%u instead of %u:%u", path, st->st_uid, st->st_gid, want->uid,
             want->gid);
    if (st->st_mtim.tv_sec != want->mtime || st->st_mtim.tv_nsec != want->mtime_ns)
        stack_differs(s, "%s: time %lld.%09ld instead of %lld.%09d", path, (long long)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, want->mtime, want->mtime_ns);
    if (xattr != want->xattr)
        stack_differs(s, "%s: attribute %d instead of %d", path, xattr, want->xattr);
}

static void compare_content(stack *s, const char *path, const model_inode *want)
{
    char text[64] = "", wanted[64];
    snprintf(wanted, sizeof wanted, "content %d", want->content);
    if (want->type == MODEL_SYMLINK) {
        if (readlink(path, text, sizeof text - 1) < 0)
            stack_differs(s, "%s: readlink: %s", path, strerror(errno));
    } else {
        FILE *f = fopen(path, "re");
        if (!f || !fgets(text, sizeof text, f))
            stack_differs(s, "%s: not readable", path);
        if (f)
            fclose(f);
    }
    if (strcmp(text, wanted) != 0)
        stack_differs(s, "%s: '%s' instead of '%s'", path, text, wanted);
}

/* Names are one file exactly when the model says so. */
static void compare_inode(stack *s, const char *path, ino_t number, model_inode *want)
{
    int i = 0;
    while (i < s->inode_count && s->inodes[i] != want && s->numbers[i] != number)
        i++;
    if (i == s->inode_count) {
        s->inodes[i] = want;
        s->numbers[i] = number;
        s->inode_count++;
    } else if (s->inodes[i] != want || s->numbers[i] != number) {
        stack_differs(s, "%s: %s", path,
             s->inodes[i] == want ? "is no longer one file with its other names"
                                  : "is one file with something else");
    }
}

static void compare_view_lookup(stack *s, const char *path, int want)
{
    char *found = NULL;
    wc_error *err = NULL;
    int32_t rc = wci_view_lookup(s->levels, (size_t)s->layers, path, &found, &err);
    if (rc != (want ? WC_OK : WC_E_NOT_FOUND))
        stack_differs(s, "lookup of '%s' gave %s", path, wc_code_name(rc));
    if (rc == WC_OK && access(found, F_OK) && errno != ENOENT)
        stack_differs(s, "lookup of '%s' gave '%s'", path, found);
    wci_free(found);
    wc_error_unref(err);
}

static void compare(stack *s, const char *view, model_node *node, const char *path);

static void compare_dir(stack *s, const char *view, model_node *node, const char *path)
{
    char child[96], *names;
    const char *command_dir = *path ? path : ".";
    char *command = test_text("%s/%s", view, command_dir);
    struct dirent **entries;
    int count = scandir(command, &entries, NULL, alphasort);
    free(command);
    for (int i = 0; i < count; i++) {
        names = entries[i]->d_name;
        int known = names[0] >= 'a' && names[0] < 'a' + MODEL_NAMES && !names[1] &&
                    node->children[names[0] - 'a'];
        if (strcmp(names, ".") && strcmp(names, "..") && !known)
            stack_differs(s, "%s/%s: should not be listed", path, names);
        free(entries[i]);
    }
    free(entries);
    for (int i = 0; i < MODEL_NAMES; i++) {
        snprintf(child, sizeof child, "%s%s%c", path, *path ? "/" : "", 'a' + i);
        compare(s, view, node->children[i], child);
    }
}

static void compare(stack *s, const char *view, model_node *node, const char *path)
{
    struct stat st;
    char full[192];
    snprintf(full, sizeof full, "%s/%s", view, path);
    int exists = lstat(full, &st) == 0;
    compare_view_lookup(s, path, node != NULL);
    if (!node || !exists) {
        if (node || exists)
            stack_differs(s, "%s: %s", path, exists ? "should not be there" : "is missing");
        return;
    }
    if (type_of(st.st_mode) != node->inode->type) {
        stack_differs(s, "%s: mode %o, type %d wanted", path, st.st_mode, node->inode->type);
        return;
    }
    compare_attrs(s, full, &st, &node->inode->attrs);
    if (node->inode->type == MODEL_DEVICE && st.st_rdev != makedev(1, 3))
        stack_differs(s, "%s: another device", path);
    if (node->inode->type == MODEL_FILE || node->inode->type == MODEL_SYMLINK)
        compare_content(s, full, node->inode);
    if (node->inode->type == MODEL_DIR)
        compare_dir(s, view, node, path);
    else
        compare_inode(s, path, st.st_ino, node->inode);
}

void stack_compare_at(stack *s, const char *dir)
{
    s->inode_count = 0;
    compare(s, dir, s->model, "");
}

void stack_compare(stack *s)
{
    char view[96];
    snprintf(view, sizeof view, "%s/view", s->dir);
    stack_compare_at(s, view);
    umount2(view, MNT_DETACH);
}

void stack_end(stack *s, unsigned long long seed)
{
    if (*s->problem) {
        fprintf(stderr, "seed %llu: %s\n", seed, s->problem);
        for (int i = 0; i < s->layers; i++) {
            fprintf(stderr, "  layer %d\n", i);
            show_layer(&s->layer[i]);
        }
    }
    for (int i = 0; i < MAX_LAYERS * 3; i++)
        free(s->paths[i]);
    model_free(s->model);
    ck_assert_msg(!*s->problem, "seed %llu: %s", seed, s->problem);
    wci_dir_remove_all(s->dir, NULL);
}

/* In a mount namespace of this process alone, on a file system of its own. */
static char *begin_all(void)
{
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    char *base = test_make_dir();
    ck_assert_int_eq(mount("tmpfs", base, "tmpfs", 0, "mode=0700"), 0);
    return base;
}

static void end_all(char *base)
{
    umount2(base, MNT_DETACH);
    test_remove_dir(base);
}

static int can_mount(void)
{
    pid_t child = fork();
    if (child == 0) {
        int ok = unshare(CLONE_NEWNS) == 0 &&
                 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                 mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 && mkdir("/tmp/a", 0700) == 0 &&
                 mkdir("/tmp/b", 0700) == 0 && mkdir("/tmp/c", 0700) == 0 &&
                 mount("overlay", "/tmp/c", "overlay", 0, "lowerdir=/tmp/a:/tmp/b") == 0;
        _exit(!ok);
    }
    int status = 1;
    return waitpid(child, &status, 0) == child && status == 0;
}

static struct {
    void (*one)(const char *base, unsigned long long seed);
    int stacks;
    unsigned long long first_seed;
} run = {NULL, 0, 1};

START_TEST(stacks_equal_serial_application)
{
    char *base = begin_all();
    for (int i = 0; i < run.stacks; i++)
        run.one(base, run.first_seed + (unsigned long long)i);
    end_all(base);
}
END_TEST

int stack_main(const char *name, void (*one)(const char *base, unsigned long long seed), int stacks, int argc, char **argv)
{
    test_need_root();
    if (!can_mount())
        test_skip("overlay mounts are not possible here");
    run.one = one;
    run.stacks = argc > 1 ? atoi(argv[1]) : stacks;
    if (argc > 2)
        run.first_seed = strtoull(argv[2], NULL, 10);
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, 1800);
    tcase_add_test(tc, stacks_equal_serial_application);
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
