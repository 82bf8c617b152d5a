/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf: what it says of names, and from which files it is read. */
#include "support/support.h"

#include <sys/stat.h>
#include <unistd.h>

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "registry/registries.h"

static wci_registries *registries_of(const char *first, const char *second)
{
    wci_registries *r = NULL;
    wc_error *err = NULL;
    test_ok(wci_registries_new(&r, NULL));
    ck_assert_msg(!wci_registries_add(r, first, strlen(first), "first.conf", &err), "%s",
                  err ? wc_error_message(err) : "");
    if (second)
        test_ok(wci_registries_add(r, second, strlen(second), "second.conf", NULL));
    return r;
}

/* The sites of a name as one text, "host repository target", mirrors with '~', insecure ones with '!'. */
static char *sites_of(const wci_registries *r, const char *name, int32_t want)
{
    wci_sites sites = WCI_SITES_INIT;
    wc_error *err = NULL;
    wci_str text = WCI_STR_INIT;
    ck_assert_msg(wci_registries_sites(r, name, &sites, &err) == want, "%s: %s", name,
                  err ? wc_error_message(err) : "no error");
    if (want)
        wci_str_append(&text, wc_error_message(err));
    for (size_t i = 0; i < sites.count; i++) {
        const wci_site *s = &sites.items[i];
        wci_str_printf(&text, "%s%s%s%s %s %s", i ? ", " : "", s->is_mirror ? "~" : "", s->insecure ? "!" : "", s->host,
                       s->repository, s->target);
    }
    wci_sites_free(&sites);
    wc_error_unref(err);
    return wci_str_take(&text);
}

static void expect(const wci_registries *r, const char *name, const char *want)
{
    char *got = sites_of(r, name, WC_OK);
    ck_assert_str_eq(got, want);
    wci_free(got);
}

static void expect_blocked(const wci_registries *r, const char *name, const char *prefix)
{
    char *got = sites_of(r, name, WC_E_PERMISSION);
    ck_assert_msg(strstr(got, prefix) && strstr(got, "blocked in 'first.conf'"), "%s", got);
    wci_free(got);
}

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(nothing_said)
{
    wci_registries *r = registries_of("", NULL);
    expect(r, "h:5000/a/b:1", "h:5000 a/b 1");
    expect(r, "h/a@" DIGEST, "h a " DIGEST);
    expect(r, "h/a:t@" DIGEST, "h a " DIGEST);
    expect(r, "h/a", "h a latest");
    wci_registries_free(r);
}
END_TEST

/* The example of containers-registries.conf(5). */
START_TEST(example_of_the_manual)
{
    wci_registries *r = registries_of("unqualified-search-registries = [\"example.com\"]\n"
                                      "[[registry]]\nprefix = \"example.com/foo\"\ninsecure = false\nblocked = false\n"
                                      "location = \"internal-registry-for-example.com/bar\"\n"
                                      "[[registry.mirror]]\nlocation = \"example-mirror-0.local/mirror-for-foo\"\n"
                                      "[[registry.mirror]]\nlocation = \"example-mirror-1.local/mirrors/foo\"\n"
                                      "insecure = true\n"
                                      "[[registry]]\nlocation = \"registry.com\"\n"
                                      "[[registry.mirror]]\nlocation = \"mirror.registry.com\"\n", NULL);
    expect(r, "example.com/foo/image:latest",
           "~example-mirror-0.local mirror-for-foo/image latest, ~!example-mirror-1.local mirrors/foo/image latest, "
           "internal-registry-for-example.com bar/image latest");
    expect(r, "example.com/foo:1", "~example-mirror-0.local mirror-for-foo 1, ~!example-mirror-1.local mirrors/foo 1, "
                                   "internal-registry-for-example.com bar 1");
    expect(r, "example.com/food/image:latest", "example.com food/image latest");
    expect(r, "registry.com/image:latest", "~mirror.registry.com image latest, registry.com image latest");
    expect(r, "registry.com:5000/image:1", "registry.com:5000 image 1");
    wci_registries_free(r);
}
END_TEST

START_TEST(longest_prefix)
{
    wci_registries *r = registries_of("registry = [\n"
                                      "{prefix = '*.corp.net', blocked = true},\n"
                                      "{prefix = '*.eu.corp.net', insecure = true},\n"
                                      "{prefix = 'a.eu.corp.net', location = 'exact.net/'},\n"
                                      "{location = 'h:5000', insecure = true}, {location = 'h:5000/a', blocked = true},\n"
                                      "{prefix = 'h:5000/a/b', location = 'x/y/z'},\n"
                                      "{prefix = 'h:5000/a/b:old', location = 'x/y:new'},\n"
                                      "{prefix = '*.moved.net', location = 'one.net/all'}]\n", NULL);
    expect_blocked(r, "us.corp.net/x:1", "*.corp.net");
    expect(r, "b.eu.corp.net/x:1", "!b.eu.corp.net x 1");
    expect(r, "a.eu.corp.net/x:1", "exact.net x 1");
    expect(r, "corp.net/x:1", "corp.net x 1");
    expect(r, "notcorp.net/x:1", "notcorp.net x 1");
    expect(r, "h.net/us.corp.net/x:1", "h.net us.corp.net/x 1");
    expect(r, "h:5000/b:1", "!h:5000 b 1");
    expect_blocked(r, "h:5000/a:1", "h:5000/a");
    expect_blocked(r, "h:5000/a/c:1", "h:5000/a");
    expect(r, "h:5000/a/b:1", "x y/z 1");
    expect(r, "h:5000/a/b:old", "x y new");
    expect(r, "h:5000/a/b:older", "x y/z older");
    expect(r, "a.b.moved.net/c/d:1", "one.net all/c/d 1");
    wci_registries_free(r);
}
END_TEST

START_TEST(mirrors_by_digest_and_tag)
{
    wci_registries *r = registries_of("[[registry]]\nlocation='h'\nmirror-by-digest-only=true\nmirror=[{location='m'}]\n"
                                      "[[registry]]\nlocation='k'\nmirror=[{location='d',pull-from-mirror='digest-only'},"
                                      "{location='t',pull-from-mirror='tag-only'},{location='a',pull-from-mirror='all'}]",
                                      NULL);
    expect(r, "h/x:1", "h x 1");
    expect(r, "h/x@" DIGEST, "~m x " DIGEST ", h x " DIGEST);
    expect(r, "k/x:1", "~t x 1, ~a x 1, k x 1");
    expect(r, "k/x:1@" DIGEST, "~d x " DIGEST ", ~a x " DIGEST ", k x " DIGEST);
    wci_registries_free(r);
}
END_TEST

START_TEST(for_writing)
{
    wci_registries *r = registries_of("[[registry]]\nprefix='h'\nlocation='elsewhere'\ninsecure=true\n"
                                      "[[registry]]\nlocation='b'\nblocked=true", NULL);
    int insecure = 0;
    test_ok(wci_registries_check(r, "h/x:1", &insecure, NULL));
    ck_assert_int_eq(insecure, 1);
    test_ok(wci_registries_check(r, "elsewhere/x:1", &insecure, NULL));
    ck_assert_int_eq(insecure, 0);
    test_code(wci_registries_check(r, "b/x:1", &insecure, NULL), WC_E_PERMISSION);
    wci_registries_free(r);
}
END_TEST

/* ---- Short names -------------------------------------------------------------------------------------- */

static void expect_names(const wci_registries *r, const char *name, const char *want)
{
    wci_strv names = WCI_STRV_INIT;
    wci_str text = WCI_STR_INIT;
    wc_error *err = NULL;
    int32_t code = wci_registries_expand(r, name, &names, &err);
    for (size_t i = 0; i < names.count; i++)
        wci_str_printf(&text, "%s%s", i ? " " : "", names.items[i]);
    if (code)
        wci_str_append(&text, wc_error_message(err));
    ck_assert_msg(code ? code == WC_E_INVALID && strstr(text.data, want) : !strcmp(text.data, want), "%s: %s", name,
                  text.data);
    wci_str_free(&text);
    wci_strv_free(&names);
    wc_error_unref(err);
}

START_TEST(short_names)
{
    wci_registries *r = registries_of("", NULL);
    expect_names(r, "alpine", "docker.io/alpine");
    wci_registries_free(r);
    r = registries_of("[aliases]\nalpine = 'quay.io/x/alpine'\n'a/b' = 'localhost:5000/c'\ngone = ''", NULL);
    expect_names(r, "alpine", "quay.io/x/alpine");
    expect_names(r, "alpine:3", "quay.io/x/alpine:3");
    expect_names(r, "alpine:3@" DIGEST, "quay.io/x/alpine:3@" DIGEST);
    expect_names(r, "alpine@" DIGEST, "quay.io/x/alpine@" DIGEST);
    expect_names(r, "a/b:1", "localhost:5000/c:1");
    expect_names(r, "alpine2", "docker.io/alpine2");
    expect_names(r, "gone", "docker.io/gone");
    wci_registries_free(r);
    r = registries_of("unqualified-search-registries = ['a.com', 'localhost:5000']\nshort-name-mode = 'permissive'", NULL);
    expect_names(r, "x/y:1", "a.com/x/y:1 localhost:5000/x/y:1");
    wci_registries_free(r);
    r = registries_of("unqualified-search-registries = ['a.com', 'b.com']\nshort-name-mode = 'enforcing'", NULL);
    expect_names(r, "x", "'a.com/x' or 'b.com/x'");
    wci_registries_free(r);
    r = registries_of("unqualified-search-registries = ['a.com']\nshort-name-mode = 'enforcing'", NULL);
    expect_names(r, "x", "a.com/x");
    wci_registries_free(r);
    r = registries_of("unqualified-search-registries = []", NULL);
    expect_names(r, "x", "lists no registries");
    wci_registries_free(r);
}
END_TEST

START_TEST(later_files_go_first)
{
    wci_registries *r = registries_of("unqualified-search-registries=['a.com']\n[aliases]\none='a.com/1'\ntwo='a.com/2'\n"
                                      "[[registry]]\nlocation='h.com'\nblocked=true\n[[registry]]\nlocation='k.com'\nblocked=true",
                                      "[aliases]\ntwo=''\nthree='a.com/3'\n[[registry]]\nlocation='h.com'\ninsecure=true");
    expect_names(r, "one", "a.com/1");
    expect_names(r, "two", "a.com/two");
    expect_names(r, "three", "a.com/3");
    expect(r, "h.com/x:1", "!h.com x 1");
    expect_blocked(r, "k.com/x:1", "k.com");
    wci_registries_free(r);
}
END_TEST

/* The example of containers-registries.conf(5) for version 1. */
START_TEST(version_1)
{
    wci_registries *r = registries_of("[registries.search]\nregistries = ['registry1.com', 'registry2.com']\n"
                                      "[registries.insecure]\nregistries = ['registry3.com', 'both.com']\n"
                                      "[registries.block]\nregistries = ['registry.untrusted.com', 'both.com']\n", NULL);
    expect_names(r, "x:1", "registry1.com/x:1 registry2.com/x:1");
    expect(r, "registry3.com/x:1", "!registry3.com x 1");
    expect(r, "registry1.com/x:1", "registry1.com x 1");
    expect_blocked(r, "registry.untrusted.com/x:1", "registry.untrusted.com");
    expect_blocked(r, "both.com/x:1", "both.com");
    wci_registries_free(r);
    r = registries_of("[registries.search]\nregistries = []\n", "[[registry]]\nlocation='h'\ninsecure=true");
    expect_names(r, "x", "lists no registries");
    expect(r, "h/x:1", "!h x 1");
    wci_registries_free(r);
    r = registries_of("[registries.insecure]\n[registries.block]\n", NULL);
    expect_names(r, "x", "docker.io/x");
    wci_registries_free(r);
}
END_TEST

static void expect_helpers(const wci_registries *r, const char *want)
{
    const wci_strv *helpers = wci_registries_helpers(r);
    wci_str text = WCI_STR_INIT;
    for (size_t i = 0; i < helpers->count; i++)
        wci_str_printf(&text, "%s%s", i ? " " : "", helpers->items[i]);
    ck_assert_str_eq(text.data, want);
    wci_str_free(&text);
}

START_TEST(credential_helpers)
{
    wci_registries *r = registries_of("", NULL);
    expect_helpers(r, "containers-auth.json");
    wci_registries_free(r);
    r = registries_of("credential-helpers=['one', 'containers-auth.json']", "[aliases]\na='b.com/a'");
    expect_helpers(r, "one containers-auth.json");
    wci_registries_free(r);
    r = registries_of("credential-helpers=['one']", "credential-helpers=['two']");
    expect_helpers(r, "two");
    wci_registries_free(r);
    r = registries_of("credential-helpers=[]", NULL);
    expect_helpers(r, "containers-auth.json");
    wci_registries_free(r);
}
END_TEST

/* ---- What is refused ---------------------------------------------------------------------------------- */

static const struct {
    const char *text, *says;
} bad[] = {
    {"[[registry]]", "neither 'prefix' nor 'location'"},
    {"[[registry]]\nlocation='https://h'", "without a scheme"},
    {"[[registry]]\nlocation='/'", "HOST[:PORT]"},
    {"[[registry]]\nlocation='a b'", "HOST[:PORT]"},
    {"[[registry]]\nlocation='*.h'", "HOST[:PORT]"},
    {"[[registry]]\nprefix='a.*.h'", "'*'"},
    {"[[registry]]\nprefix='*.h/x'", "'*'"},
    {"[[registry]]\nprefix='*.h:5000'", "'*'"},
    {"[[registry]]\nlocation=1", "location"},
    {"[[registry]]\nlocation='h'\nblocked='yes'", "blocked"},
    {"[[registry]]\nlocation='h'\n[[registry]]\nprefix='h'", "two [[registry]]"},
    {"[[registry]]\nlocation='h'\nmirror=[{insecure=true}]", "without 'location'"},
    {"[[registry]]\nlocation='h'\nmirror=['m']", "no table"},
    {"[[registry]]\nlocation='h'\nmirror=[{location='m',pull-from-mirror='never'}]", "pull-from-mirror"},
    {"[[registry]]\nlocation='h'\nmirror-by-digest-only=true\nmirror=[{location='m',pull-from-mirror='all'}]",
     "mirror-by-digest-only"},
    {"[registry]\nlocation='h'", "registry"},
    {"registry=['h']", "no [[registry]]"},
    {"short-name-mode='disabled'\n[registries.search]\nregistries=['docker.io']", "version 1"},
    {"[registries.search]\nregistries=['docker.io']\n[[registry]]\nlocation='h'", "version 1"},
    {"registries=['docker.io']", "registries"},
    {"[registries]\nsearch=['docker.io']", "search"},
    {"[registries.search]\nregistries='docker.io'", "registries"},
    {"[registries.search]\nregistries=['alone']", "HOST[:PORT]"},
    {"[registries.block]\nregistries=[1]", "registries"},
    {"[registries.block]\nregistries=['https://h']", "without a scheme"},
    {"[registries.insecure]\nregistries=['']", "HOST[:PORT]"},
    {"credential-helpers='mine'", "credential-helpers"},
    {"credential-helpers=['../mine']", "credential helper"},
    {"credential-helpers=['']", "credential helper"},
    {"unqualified-search-registries=['docker.io/library']", "HOST[:PORT]"},
    {"unqualified-search-registries=['alone']", "HOST[:PORT]"},
    {"unqualified-search-registries='docker.io'", "unqualified-search-registries"},
    {"short-name-mode='ask'", "short-name-mode"},
    {"[aliases]\n'a:1'='b.com/c'", "no short name"},
    {"[aliases]\n'a.com/x'='b.com/c'", "no short name"},
    {"[aliases]\na='c'", "alias for a name with its registry"},
    {"[aliases]\na='b.com/c:1'", "alias for a name with its registry"},
    {"[aliases]\na=true", "alias for a name with its registry"},
    {"[[registry]", "line 1"},
};

START_TEST(refused)
{
    wci_registries *r = NULL;
    wc_error *err = NULL;
    test_ok(wci_registries_new(&r, NULL));
    ck_assert_msg(wci_registries_add(r, bad[_i].text, strlen(bad[_i].text), "x.conf", &err) == WC_E_FORMAT, "%s",
                  bad[_i].text);
    ck_assert_msg(strstr(wc_error_message(err), bad[_i].says) && strstr(wc_error_message(err), "x.conf"), "%s",
                  wc_error_message(err));
    wc_error_unref(err);
    wci_registries_free(r);
}
END_TEST

/* ---- Files -------------------------------------------------------------------------------------------- */

static void write_conf(const char *dir, const char *name, const char *text)
{
    char *path = test_text("%s/%s", dir, name), *command = test_text("mkdir -p $(dirname '%s')", path);
    ck_assert_int_eq(system(command), 0);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    free(command);
    free(path);
}

START_TEST(files_and_their_directories)
{
    char *dir = test_make_dir(), *named = test_text("%s/named.conf", dir);
    wci_registries *r = NULL;
    wc_error *err = NULL;
    unsetenv("CONTAINERS_REGISTRIES_CONF");
    write_conf(dir, ".config/containers/registries.conf", "[aliases]\na='own.net/a'\nb='own.net/b'");
    write_conf(dir, ".config/containers/registries.conf.d/1.conf", "[aliases]\nb='first.net/b'\nc='first.net/c'");
    write_conf(dir, ".config/containers/registries.conf.d/2.conf", "[aliases]\nc='second.net/c'");
    write_conf(dir, ".config/containers/registries.conf.d/README", "no TOML");
    write_conf(dir, "named.conf", "[aliases]\na='named.net/a'");
    write_conf(dir, "named.conf.d/x.conf", "[aliases]\nb='more.net/b'");
    setenv("HOME", dir, 1);
    test_ok(wci_registries_load(NULL, &r, NULL));
    expect_names(r, "a", "own.net/a");
    expect_names(r, "b", "first.net/b");
    expect_names(r, "c", "second.net/c");
    wci_registries_free(r);
    setenv("CONTAINERS_REGISTRIES_CONF", named, 1);
    test_ok(wci_registries_load(NULL, &r, NULL));
    expect_names(r, "a", "named.net/a");
    expect_names(r, "b", "more.net/b");
    expect_names(r, "c", "docker.io/c");
    wci_registries_free(r);
    setenv("CONTAINERS_REGISTRIES_CONF", "/nowhere/x.conf", 1);
    test_code(wci_registries_load(NULL, &r, &err), WC_E_NOT_FOUND);
    wc_error_unref(err);
    test_ok(wci_registries_load(named, &r, NULL));
    wci_registries_free(r);
    free(named);
    test_remove_dir(dir);
}
END_TEST

/* As podman writes them when it has asked; without root, since root's place is fixed. */
START_TEST(recorded_short_names)
{
    char *dir = test_make_dir(), *cache = test_text("%s/cache", dir);
    wci_registries *r = NULL;
    wc_error *err = NULL;
    unsetenv("CONTAINERS_REGISTRIES_CONF");
    write_conf(dir, ".config/containers/registries.conf",
               "unqualified-search-registries=['a.com']\n[aliases]\none='file.net/1'\ntwo='file.net/2'");
    write_conf(dir, "cache/containers/short-name-aliases.conf",
               "unqualified-search-registries=['b.com']\n[aliases]\n  \"one\" = \"podman.net/1\"\n");
    setenv("HOME", dir, 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    ck_assert_int_eq(chmod(dir, 0755), 0);
    if (!geteuid())
        ck_assert_int_eq(seteuid(65534), 0);
    test_ok(wci_registries_load(NULL, &r, NULL));
    expect_names(r, "one", "podman.net/1");
    expect_names(r, "two", "file.net/2");
    expect_names(r, "three", "a.com/three");
    wci_registries_free(r);
    if (!getuid())
        ck_assert_int_eq(seteuid(0), 0);
    write_conf(dir, "cache/containers/short-name-aliases.conf", "[aliases\n");
    if (!getuid())
        ck_assert_int_eq(seteuid(65534), 0);
    test_code(wci_registries_load(NULL, &r, &err), WC_E_FORMAT);
    wc_error_unref(err);
    if (!getuid())
        ck_assert_int_eq(seteuid(0), 0);
    test_remove_dir(dir);
    free(cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registries");
    TCase *t = tcase_create("registries");
    tcase_add_test(t, nothing_said);
    tcase_add_test(t, example_of_the_manual);
    tcase_add_test(t, longest_prefix);
    tcase_add_test(t, mirrors_by_digest_and_tag);
    tcase_add_test(t, for_writing);
    tcase_add_test(t, short_names);
    tcase_add_test(t, later_files_go_first);
    tcase_add_test(t, version_1);
    tcase_add_test(t, credential_helpers);
    tcase_add_test(t, recorded_short_names);
    tcase_add_loop_test(t, refused, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(t, files_and_their_directories);
    suite_add_tcase(suite, t);
    return test_main(suite);
}
