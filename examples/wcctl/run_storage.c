/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_only;
static text_list volumes, mounts, tmpfs;

static const option options[] = {
    {'v', "volume", OPTION_LIST, "HOST:PATH[:OPTIONS]", "bind mount a host path", &volumes},
    {0, "mount", OPTION_LIST, "type=…,source=…,target=…", "bind or tmpfs mount", &mounts},
    {0, "tmpfs", OPTION_LIST, "PATH[:OPTIONS]", "mount a tmpfs", &tmpfs},
    {0, "read-only", OPTION_FLAG, NULL, "read-only root file system", &read_only},
};

static void add_volume(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *source, *target;
    const char *rest, *flags;
    run_cut(text, ':', &source, &rest);
    if (!rest || *source != '/')
        die_usage("-v '%s': named and anonymous volumes are not in this version; write /HOST/PATH:/PATH[:ro]", text);
    run_cut(rest, ':', &target, &flags);
    if (access(source, F_OK) && errno == ENOENT)
        die_usage("-v '%s': the host path '%s' does not exist; make it first", text, source);
    TRY(wc_container_options_add_mount(to, "bind", source, target, flags, &err));
    free(source);
    free(target);
}

static void add_tmpfs(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *target;
    const char *flags;
    run_cut(text, ':', &target, &flags);
    TRY(wc_container_options_add_mount(to, "tmpfs", NULL, target, flags, &err));
    free(target);
}

/* --mount type=bind,source=/a,target=/b,readonly,bind-propagation=rslave,tmpfs-size=64m */
static void add_mount(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    const char *type = "volume", *source = NULL, *target = NULL;
    char *copy = xstrdup(text), *flags = xstrdup(""), *rest = copy, *word;
    while ((word = strsep(&rest, ","))) {
        char *key = word, *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        const char *flag = NULL;
        char *made = NULL;
        if (!strcmp(key, "type") && value)
            type = value;
        else if ((!strcmp(key, "source") || !strcmp(key, "src")) && value)
            source = value;
        else if ((!strcmp(key, "target") || !strcmp(key, "destination") || !strcmp(key, "dst")) && value)
            target = value;
        else if (!strcmp(key, "readonly") || !strcmp(key, "ro"))
            flag = value && (!strcmp(value, "false") || !strcmp(value, "0")) ? "rw" : "ro";
        else if (!strcmp(key, "bind-propagation") && value)
            flag = value;
        else if (!strcmp(key, "tmpfs-size") && value)
            flag = made = xasprintf("size=%s", value);
        else if (!strcmp(key, "tmpfs-mode") && value)
            flag = made = xasprintf("mode=%s", value);
        else
            die_usage("--mount '%s': unknown part '%s'", text, key);
        if (flag) {
            char *longer = xasprintf("%s%s%s", flags, *flags ? "," : "", flag);
            free(flags);
            flags = longer;
        }
        free(made);
    }
    if (!strcmp(type, "volume"))
        die_usage("--mount '%s': volumes are not in this version; say type=bind or type=tmpfs", text);
    if (!target)
        die_usage("--mount '%s': target=PATH is missing", text);
    TRY(wc_container_options_add_mount(to, type, source, target, *flags ? flags : NULL, &err));
    free(flags);
    free(copy);
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    TRY(wc_container_options_set_read_only(to, read_only, &err));
    run_each(&volumes, to, add_volume);
    run_each(&mounts, to, add_mount);
    run_each(&tmpfs, to, add_tmpfs);
}

const option_group run_storage = {options, countof(options), apply};
