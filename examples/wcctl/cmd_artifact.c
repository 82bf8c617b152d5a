/* SPDX-License-Identifier: Apache-2.0 */
/* Files in registries beside images. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

/* PATH[:MEDIA/TYPE] */
static void add_file(wc_artifact *artifact, const char *text)
{
    wc_error *err = NULL;
    char *path = xstrdup(text), *type = strrchr(path, ':');
    if (type && strchr(type, '/') && type != path)
        *type++ = '\0';
    else
        type = NULL;
    TRY(wc_artifact_add_file(artifact, path, type, &err));
    free(path);
}

static void add_annotation(wc_artifact *artifact, const char *text)
{
    wc_error *err = NULL;
    char *key;
    const char *value;
    cut_pair("--annotation", text, &key, &value);
    TRY(wc_artifact_add_annotation(artifact, key, value, &err));
    free(key);
}

static void print_pushed(const char *name, const wc_buf *descriptor)
{
    json_t *told = json_loadb(wc_buf_data(descriptor), wc_buf_size(descriptor), 0, NULL);
    const char *digest = json_string_value(json_object_get(told, "digest"));
    if (wcctl.json)
        print_texts("Name", name, "Digest", digest, NULL);
    else
        printf("%s\n", digest);
    json_decref(told);
}

static int push(int argc, char **argv)
{
    transfer t = {.quiet = 0};
    const char *type = "application/vnd.unknown.artifact.v1", *subject = NULL;
    static text_list annotations; /* lives as long as the program */
    const option options[] = {
        {0, "artifact-type", OPTION_TEXT, "TYPE", "media type that says what it is", &type},
        {0, "annotation", OPTION_LIST, "KEY=VALUE", "annotation of the manifest", &annotations},
        {0, "subject", OPTION_TEXT, "TAG|DIGEST", "what it refers to, in the same repository", &subject},
        REGISTRY_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_artifact *artifact = NULL;
    wc_buf *descriptor = NULL;
    argc = options_read("artifact push", "[OPTIONS] NAME FILE[:TYPE] [FILE[:TYPE] ...]",
                        "Puts files into a registry as an artifact. Without a tag one with --subject has its digest alone.",
                        options, countof(options), 0, argc, argv);
    if (argc < 2)
        die_usage("artifact push takes NAME and at least one FILE");
    TRY(wc_artifact_new(app_context(), type, &artifact, &err));
    for (int i = 1; i < argc; i++)
        add_file(artifact, argv[i]);
    for (size_t i = 0; i < annotations.count; i++)
        add_annotation(artifact, annotations.items[i]);
    if (subject)
        TRY(wc_artifact_set_subject(artifact, subject, &err));
    transfer_begin(&t);
    int32_t code = wc_artifact_push(artifact, argv[0], t.options, wcctl.cancel, &descriptor, &err);
    transfer_end(&t);
    TRY(code);
    print_pushed(argv[0], descriptor);
    wc_buf_unref(descriptor);
    wc_artifact_unref(artifact);
    return 0;
}

static void print_files(const char *name, const wc_list *files)
{
    json_t *list = json_array();
    for (size_t i = 0; i < wc_list_count(files); i++) {
        if (!wcctl.json)
            printf("%s\n", wc_list_string(files, i));
        json_array_append_new(list, json_text(wc_list_string(files, i)));
    }
    if (wcctl.json)
        print_object(json_pack("{s:o, s:O}", "Name", json_text(name), "Files", list));
    json_decref(list);
}

static int pull(int argc, char **argv)
{
    transfer t = {.quiet = 0};
    const char *output = ".";
    const option options[] = {
        {'o', "output", OPTION_TEXT, "DIR", "where the files go, default: here", &output},
        {0, "signature-policy", OPTION_TEXT, "FILE", "policy.json to ask instead of the usual one", &t.policy},
        {0, "verify-key", OPTION_TEXT, "FILE", "public key that must have signed it", &t.verify_key},
        TRANSFER_OPTIONS(t),
    };
    wc_error *err = NULL;
    wc_list *files = NULL;
    argc = options_read("artifact pull", "[OPTIONS] NAME", "Writes the files of an artifact. None that is there is touched.",
                        options, countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("artifact pull takes one NAME");
    transfer_begin(&t);
    int32_t code = wc_artifact_pull(app_context(), argv[0], output, t.options, wcctl.cancel, &files, &err);
    transfer_end(&t);
    TRY(code);
    print_files(argv[0], files);
    wc_list_unref(files);
    return 0;
}

static const command artifact_table[] = {
    {"push", push, "put files into a registry"},
    {"pull", pull, "get files from a registry"},
    {NULL, NULL, NULL},
};

int artifact(int argc, char **argv)
{
    return subcommand("artifact", artifact_table, argc, argv);
}
