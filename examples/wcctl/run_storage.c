/* SPDX-License-Identifier: Apache-2.0 */
/* What `run` and `create` mount. */
#include "run_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_only;
static text_list volumes, mounts, tmpfs, others;

static const option options[] = {
    {'v', "volume", OPTION_LIST, "[HOST|NAME:]PATH[:OPTIONS]", "mount a host path or a volume", &volumes},
    {0, "mount", OPTION_LIST, "type=…,source=…,target=…", "mount of type bind, volume, image or tmpfs", &mounts},
    {0, "volumes-from", OPTION_LIST, "CONTAINER[:ro]", "mount what another container has mounted", &others},
    {0, "tmpfs", OPTION_LIST, "PATH[:OPTIONS]", "mount a tmpfs", &tmpfs},
    {0, "read-only", OPTION_FLAG, NULL, "read-only root file system", &read_only},
};

/* ---- -v ----------------------------------------------------------------------------------------- */

/* A path of the host as the library wants it. Owned. */
static char *absolute(const char *path)
{
    if (*path == '/')
        return xstrdup(path);
    char *here = getcwd(NULL, 0);
    if (!here)
        die_usage("-v '%s': the working directory cannot be told; write an absolute path", path);
    char *whole = xasprintf("%s/%s", here, path);
    free(here);
    return whole;
}

/* Docker makes a host path that is missing. */
static void bind_path(wc_container_options *to, const char *path, const char *target, const char *flags)
{
    wc_error *err = NULL;
    char *source = absolute(path), *all = xasprintf("create%s%s", flags ? "," : "", flags ? flags : "");
    TRY(wc_container_options_add_mount(to, "bind", source, target, all, &err));
    free(source);
    free(all);
}

/* [HOST|NAME:]PATH[:OPTIONS]; a host path begins with '/' or '.'. */
static void add_volume(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *copy = xstrdup(text), *rest = copy;
    char *source = strsep(&rest, ":"), *target = strsep(&rest, ":"), *flags = strsep(&rest, ":");
    if (rest || !*source || (target && !*target))
        die_usage("-v '%s': write [HOST|NAME:]PATH[:OPTIONS]", text);
    if (!target)
        TRY(wc_container_options_add_mount(to, "volume", NULL, source, NULL, &err));
    else if (*source == '/' || *source == '.')
        bind_path(to, source, target, flags);
    else
        TRY(wc_container_options_add_mount(to, "volume", source, target, flags, &err));
    free(copy);
}

static void add_tmpfs(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *copy = xstrdup(text), *flags = copy, *target = strsep(&flags, ":");
    TRY(wc_container_options_add_mount(to, "tmpfs", NULL, target, flags, &err));
    free(copy);
}

static void add_from(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    TRY(wc_container_options_add_volumes_from(to, text, &err));
}

/* ---- --mount ------------------------------------------------------------------------------------ */

typedef struct mount {
    const char *whole; /* as it was written */
    const char *type, *source, *target;
    char *flags;
    wc_volume_options *volume; /* NULL: nothing is said about a volume that is to be made */
} mount;

/* The next field of a line of comma-separated values, in place: quotes keep commas, two of them are one. */
static char *next_field(char **rest)
{
    char *from = *rest, *to = from, *field = from;
    int quoted = 0;
    if (!from)
        return NULL;
    for (; *from && (quoted || *from != ','); from++) {
        if (*from != '"')
            *to++ = *from;
        else if (quoted && from[1] == '"')
            *to++ = *from++;
        else
            quoted = !quoted;
    }
    *rest = *from ? from + 1 : NULL;
    *to = '\0';
    return field;
}

static void add_flag(mount *m, const char *flag, const char *value)
{
    char *longer = xasprintf("%s%s%s%s%s", m->flags, *m->flags ? "," : "", flag, value ? "=" : "", value ? value : "");
    free(m->flags);
    m->flags = longer;
}

static int is_true(const mount *m, const char *key, const char *value)
{
    if (!value || !strcmp(value, "true") || !strcmp(value, "1"))
        return 1;
    if (strcmp(value, "false") && strcmp(value, "0"))
        die_usage("--mount '%s': %s takes true or false", m->whole, key);
    return 0;
}

/* Switches, and the flags that they stand for. */
static int take_switch(mount *m, const char *key, const char *value)
{
    static const struct {
        const char *key, *on, *off;
    } switches[] = {
        {"readonly", "ro", "rw"}, {"ro", "ro", "rw"},      {"volume-nocopy", "nocopy", NULL},
        {"U", "U", NULL},         {"chown", "U", NULL},    {"bind-nonrecursive", "bind", "rbind"},
        {"z", "z", NULL},         {"Z", "Z", NULL},
    };
    for (size_t i = 0; i < countof(switches); i++) {
        if (strcmp(key, switches[i].key))
            continue;
        const char *flag = is_true(m, key, value) ? switches[i].on : switches[i].off;
        if (flag)
            add_flag(m, flag, NULL);
        return 1;
    }
    return 0;
}

/* Keys with values, and the flags that these become: "" is the value itself. */
static int take_value(mount *m, const char *key, const char *value)
{
    static const char *const values[][2] = {
        {"bind-propagation", ""}, {"consistency", ""},           {"tmpfs-size", "size"},
        {"tmpfs-mode", "mode"},   {"volume-subpath", "subpath"}, {"image-subpath", "subpath"},
    };
    for (size_t i = 0; i < countof(values); i++) {
        if (strcmp(key, values[i][0]))
            continue;
        if (*values[i][1])
            add_flag(m, values[i][1], value);
        else
            add_flag(m, value, NULL);
        return 1;
    }
    return 0;
}

static void split_pair(const mount *m, const char *what, char *pair, char **value)
{
    *value = strchr(pair, '=');
    if (!*value)
        die_usage("--mount '%s': %s takes KEY=VALUE", m->whole, what);
    *(*value)++ = '\0';
}

static int take_volume_part(mount *m, const char *key, char *value)
{
    wc_error *err = NULL;
    char *second;
    if (strncmp(key, "volume-", 7) || (strcmp(key + 7, "driver") && strcmp(key + 7, "opt") && strcmp(key + 7, "label")))
        return 0;
    if (!m->volume)
        TRY(wc_volume_options_new(&m->volume, &err));
    if (!strcmp(key, "volume-driver")) {
        TRY(wc_volume_options_set_driver(m->volume, value, &err));
        return 1;
    }
    split_pair(m, key, value, &second);
    TRY(!strcmp(key, "volume-opt") ? wc_volume_options_add_option(m->volume, value, second, &err)
                                   : wc_volume_options_add_label(m->volume, value, second, &err));
    return 1;
}

static int take_place(mount *m, const char *key, const char *value)
{
    if (!strcmp(key, "type"))
        m->type = value;
    else if (!strcmp(key, "source") || !strcmp(key, "src"))
        m->source = value;
    else if (!strcmp(key, "target") || !strcmp(key, "destination") || !strcmp(key, "dst"))
        m->target = value;
    else
        return 0;
    return 1;
}

static void take_part(mount *m, char *field)
{
    char *value = strchr(field, '=');
    if (value)
        *value++ = '\0';
    if (take_switch(m, field, value))
        return;
    if (!value || (!take_place(m, field, value) && !take_value(m, field, value) && !take_volume_part(m, field, value)))
        die_usage("--mount '%s': unknown part '%s'", m->whole, field);
}

/* With options of its own the volume is made first. Owned name. */
static char *make_volume(const mount *m)
{
    wc_error *err = NULL;
    wc_volume *volume = NULL;
    if (strcmp(m->type, "volume"))
        die_usage("--mount '%s': volume-driver, volume-opt and volume-label belong to type=volume", m->whole);
    TRY(wc_volume_create(app_context(), m->source && *m->source ? m->source : NULL, m->volume, wcctl.cancel, &volume,
                         &err));
    char *name = xstrdup(wc_volume_name(volume));
    wc_volume_unref(volume);
    return name;
}

static void add_mount(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    mount m = {.whole = text, .type = "volume", .flags = xstrdup("")};
    char *copy = xstrdup(text), *rest = copy, *field, *made = NULL;
    while ((field = next_field(&rest)))
        take_part(&m, field);
    if (!m.target)
        die_usage("--mount '%s': target=PATH is missing", text);
    if (m.volume)
        m.source = made = make_volume(&m);
    TRY(wc_container_options_add_mount(to, m.type, m.source, m.target, *m.flags ? m.flags : NULL, &err));
    wc_volume_options_unref(m.volume);
    free(made);
    free(m.flags);
    free(copy);
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    TRY(wc_container_options_set_read_only(to, read_only, &err));
    run_each(&volumes, to, add_volume);
    run_each(&mounts, to, add_mount);
    run_each(&tmpfs, to, add_tmpfs);
    run_each(&others, to, add_from);
}

const option_group run_storage = {options, countof(options), apply};
