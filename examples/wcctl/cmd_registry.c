/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on registries. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

/* ---- search ------------------------------------------------------------------------------------- */

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* One line, so that a table stays a table. */
static char *first_line(const char *text)
{
    char *line = xstrdup(text);
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static void search_row(table *out, json_t *result)
{
    char stars[24], *about = first_line(text_of(result, "description"));
    snprintf(stars, sizeof stars, "%lld", (long long)json_integer_value(json_object_get(result, "star_count")));
    const char *cells[] = {text_of(result, "name"), about, stars,
                           json_is_true(json_object_get(result, "is_official")) ? "[OK]" : ""};
    table_row(out, cells);
    free(about);
}

static void print_results(const wc_buf *answer)
{
    static const char *const headings[] = {"NAME", "DESCRIPTION", "STARS", "OFFICIAL"};
    json_t *value = json_loadb(wc_buf_data(answer), wc_buf_size(answer), 0, NULL), *row;
    size_t i;
    table *out = table_new(headings, countof(headings));
    json_array_foreach(json_object_get(value, "results"), i, row)
        search_row(out, row);
    table_print(out);
    table_free(out);
    json_decref(value);
}

static int search(int argc, char **argv)
{
    transfer t = {.quiet = 1};
    const char *limit = NULL;
    const option options[] = {
        {0, "limit", OPTION_TEXT, "NUMBER", "at most so many results, 1 to 100; default 25", &limit},
        TRANSFER_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_buf *answer = NULL;
    argc = options_read("search", "[OPTIONS] TERM", "Searches the Docker Hub; HOST/TERM searches another registry.",
                        options, countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("search takes one TERM");
    int64_t most = limit ? value_number("--limit", limit) : 25;
    if (most < 1 || most > 100)
        die_usage("--limit takes 1 to 100, not '%s'", limit);
    transfer_begin(&t);
    TRY(wc_registry_search(app_context(), argv[0], (uint32_t)most, t.options, wcctl.cancel, &answer, &err));
    if (wcctl.json)
        print_json(wc_buf_data(answer), wc_buf_size(answer));
    else
        print_results(answer);
    wc_buf_unref(answer);
    transfer_end(&t);
    return 0;
}

/* ---- manifest ----------------------------------------------------------------------------------- */

typedef int32_t (*asker)(wc_context *, const char *, const wc_transfer_options *, wc_cancel *, wc_buf **, wc_error **);
typedef int32_t (*lister)(wc_context *, const char *, const wc_transfer_options *, wc_cancel *, wc_list **, wc_error **);

static char *one_name(transfer *t, const char *name, const char *about, int argc, char **argv)
{
    const option options[] = {TRANSFER_OPTIONS(*t)};
    char *whole = xasprintf("manifest %s", name);
    argc = options_read(whole, "[OPTIONS] NAME", about, options, countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("%s takes one NAME", whole);
    free(whole);
    transfer_begin(t);
    return argv[0];
}

static int ask(const char *name, const char *about, asker how, int argc, char **argv)
{
    transfer t = {.quiet = 1};
    wc_error *err = NULL;
    wc_buf *answer = NULL;
    const char *what = one_name(&t, name, about, argc, argv);
    TRY(how(app_context(), what, t.options, wcctl.cancel, &answer, &err));
    print_json(wc_buf_data(answer), wc_buf_size(answer));
    wc_buf_unref(answer);
    transfer_end(&t);
    return 0;
}

static int list(const char *name, const char *about, lister how, int argc, char **argv)
{
    transfer t = {.quiet = 1};
    wc_error *err = NULL;
    wc_list *names = NULL;
    const char *what = one_name(&t, name, about, argc, argv);
    TRY(how(app_context(), what, t.options, wcctl.cancel, &names, &err));
    if (wcctl.json)
        print_array(json_list(names));
    for (size_t i = 0; !wcctl.json && i < wc_list_count(names); i++)
        printf("%s\n", wc_list_string(names, i));
    wc_list_unref(names);
    transfer_end(&t);
    return 0;
}

/* An index that the name leads to, else the manifest. */
static int32_t manifest_of_store(wc_context *context, const char *name, int only_index, wc_buf **out, wc_error **err)
{
    wc_image *image = NULL;
    int32_t code = wc_image_open(context, name, &image, err);
    if (!code)
        code = only_index || *wc_image_index_digest(image) ? wc_image_index(image, out, err)
                                                           : wc_image_manifest(image, out, err);
    wc_image_unref(image);
    return code;
}

/* What only the store has is an index that was made there. */
static int32_t manifest_of_any(wc_context *context, const char *name, const wc_transfer_options *options,
                               wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    static const char store[] = "wc-store:";
    if (!strncmp(name, store, sizeof store - 1))
        return manifest_of_store(context, name + sizeof store - 1, 0, out, err);
    int32_t code = wc_registry_manifest(context, name, options, cancel, out, err);
    if (!code || code == WC_E_CANCELLED || manifest_of_store(context, name, 1, out, NULL))
        return code;
    wc_error_unref(*err);
    *err = NULL;
    return WC_OK;
}

static int inspect(int argc, char **argv)
{
    return ask("inspect", "Prints the manifest or index that a name stands for in a registry; where that has none, the index\n"
               "of the store. wc-store:NAME asks the store alone.", manifest_of_any, argc, argv);
}

static int look(int argc, char **argv)
{
    return ask("look", "Tells digest, type and size of what a name stands for, without fetching it.", wc_registry_look,
               argc, argv);
}

static int referrers(int argc, char **argv)
{
    return ask("referrers", "Lists what refers to an image: signatures, bills of materials.", wc_registry_referrers,
               argc, argv);
}

static int tags(int argc, char **argv)
{
    return list("tags", "Lists the tags of a repository.", wc_registry_tags, argc, argv);
}

static int catalog(int argc, char **argv)
{
    return list("catalog", "Lists the repositories of a registry, HOST[:PORT].", wc_registry_catalog, argc, argv);
}

static int delete(int argc, char **argv)
{
    transfer t = {.quiet = 1};
    int is_blob = 0;
    const option options[] = {
        {0, "blob", OPTION_FLAG, NULL, "NAME@DIGEST is a blob, such as a layer", &is_blob},
        TRANSFER_OPTIONS(t),
    };
    wc_error *err = NULL;
    argc = options_read("manifest delete", "[OPTIONS] NAME", "Deletes a tag or, by digest, a manifest from a registry.",
                        options, countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("manifest delete takes one NAME");
    transfer_begin(&t);
    TRY((is_blob ? wc_registry_delete_blob : wc_registry_delete)(app_context(), argv[0], t.options, wcctl.cancel, &err));
    transfer_end(&t);
    if (wcctl.json)
        print_texts("Deleted", argv[0], NULL);
    return 0;
}

static const command manifest_table[] = {
    {"create", manifest_create, "make an index of images"},
    {"inspect", inspect, "print a manifest or index"},
    {"look", look, "digest, type and size"},
    {"tags", tags, "tags of a repository"},
    {"catalog", catalog, "repositories of a registry"},
    {"referrers", referrers, "what refers to an image"},
    {"delete", delete, "delete a tag or manifest"},
    {NULL, NULL, NULL},
};

static int manifest(int argc, char **argv)
{
    return subcommand("manifest", manifest_table, argc, argv);
}

/* ---- login -------------------------------------------------------------------------------------- */

static char *read_password(void)
{
    char *line = NULL;
    size_t size = 0;
    if (getline(&line, &size, stdin) < 0)
        die_usage("--password-stdin: nothing came");
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static int print_login(const transfer *t, const char *registry)
{
    wc_error *err = NULL;
    wc_buf *user = NULL;
    TRY(wc_registry_login_user(app_context(), registry, t->options, wcctl.cancel, &user, &err));
    int known = wc_buf_size(user) > 0;
    if (known && wcctl.json)
        print_texts("Registry", registry, "Username", wc_buf_data(user), NULL);
    else if (known)
        printf("%s\n", wc_buf_data(user));
    else
        fprintf(stderr, "wcctl: not logged in to '%s'\n", registry);
    wc_buf_unref(user);
    return known ? 0 : EXIT_OURS;
}

static int login(int argc, char **argv)
{
    transfer t = {.quiet = 1, .makes_auth_file = 1};
    const char *username = NULL, *password = NULL;
    int from_stdin = 0, get = 0;
    const option options[] = {
        {'u', "username", OPTION_TEXT, "NAME", "user name", &username},
        {'p', "password", OPTION_TEXT, "PASSWORD", "password; others may see it, --password-stdin is better", &password},
        {0, "password-stdin", OPTION_FLAG, NULL, "read the password from standard input", &from_stdin},
        {0, "get-login", OPTION_FLAG, NULL, "print the user name that is kept", &get},
        {0, "authfile", OPTION_TEXT, "FILE", "credentials file", &t.auth_file},
        {0, "tls-verify", OPTION_TEXT, "true|false", "false accepts any certificate and plain HTTP", &t.tls_verify},
        {0, "ca-file", OPTION_TEXT, "FILE", "further CA certificates (PEM)", &t.ca_file},
        {0, "cert-dir", OPTION_TEXT, "DIR", "certificates: *.crt of CAs, our *.cert and *.key", &t.cert_dir},
    };
    wc_error *err = NULL;
    argc = options_read("login", "[OPTIONS] [REGISTRY]", "Tries a login and keeps it; REGISTRY is the Docker Hub by default.",
                        options, countof(options), 0, argc, argv);
    if (argc > 1)
        die_usage("login takes one REGISTRY");
    const char *registry = argc ? argv[0] : "docker.io";
    transfer_begin(&t);
    if (get) {
        int code = print_login(&t, registry);
        transfer_end(&t);
        return code;
    }
    char *name = username ? xstrdup(username) : ask_user("Username: ", 0);
    char *secret = from_stdin ? read_password() : password ? xstrdup(password) : ask_user("Password: ", 1);
    if (password)
        hide_argument(password);
    int32_t code = wc_registry_login(app_context(), registry, name, secret, t.options, wcctl.cancel, &err);
    wipe(secret);
    transfer_end(&t);
    TRY(code);
    if (wcctl.json)
        print_texts("Registry", registry, "Username", name, NULL);
    else
        printf("Login Succeeded\n");
    free(name);
    return 0;
}

static int logout(int argc, char **argv)
{
    transfer t = {.quiet = 1};
    const option options[] = {{0, "authfile", OPTION_TEXT, "FILE", "credentials file", &t.auth_file}};
    wc_error *err = NULL;
    argc = options_read("logout", "[OPTIONS] [REGISTRY]", "Forgets a login.", options, countof(options), 0, argc, argv);
    if (argc > 1)
        die_usage("logout takes one REGISTRY");
    const char *registry = argc ? argv[0] : "docker.io";
    transfer_begin(&t);
    TRY(wc_registry_logout(app_context(), registry, t.options, wcctl.cancel, &err));
    transfer_end(&t);
    if (wcctl.json)
        print_texts("Registry", registry, NULL);
    return 0;
}

const command registry_commands[] = {
    {"login", login, "keep a login to a registry"},
    {"logout", logout, "forget it"},
    {"search", search, "search the Docker Hub or a registry"},
    {"artifact", artifact, "push, pull: files in registries"},
    {"manifest", manifest, "create, inspect, look, tags, catalog, referrers, delete"},
    {NULL, NULL, NULL},
};
