/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are on this host: directories, programs, this library. */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "platform/file.h"
#include "platform/host.h"

const char *wci_host_env(const char *name)
{
    return getenv(name);
}

/* An absolute path from the environment, or NULL: relative ones are to be ignored (XDG). */
static const char *env_dir(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

static char *home_from_passwd(void)
{
    char buffer[16384];
    struct passwd entry, *found = NULL;
    getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found);
    return wci_strdup(found && found->pw_dir[0] == '/' ? found->pw_dir : "/");
}

const char *wci_host_etc(void)
{
    return "/etc";
}

static char *home_dir(void)
{
    return env_dir("HOME") ? wci_strdup(env_dir("HOME")) : home_from_passwd();
}

char *wci_host_default_root(void)
{
    if (wci_host_is_root())
        return wci_strdup("/var/lib/wincontainer");
    if (env_dir("XDG_DATA_HOME"))
        return wci_path_join(env_dir("XDG_DATA_HOME"), "wincontainer");
    char *home = home_dir();
    char *root = home ? wci_path_join(home, ".local/share/wincontainer") : NULL;
    wci_free(home);
    return root;
}

char *wci_host_default_run_root(void)
{
    if (wci_host_is_root())
        return wci_strdup("/run/wincontainer");
    if (env_dir("XDG_RUNTIME_DIR"))
        return wci_path_join(env_dir("XDG_RUNTIME_DIR"), "wincontainer");
    /* No session: a directory that only this user can have made, so not below /tmp. */
    char *root = wci_host_default_root();
    char *run = root ? wci_path_join(root, "run") : NULL;
    wci_free(root);
    return run;
}

int wci_host_container_files(const char *name, wci_strv *out)
{
    char *home = home_dir();
    char *own = home ? wci_path_join3(home, ".config/containers", name) : NULL;
    wci_free(home);
    int failed = wci_strv_add_take(out, own);
    return failed ? failed : wci_strv_add_take(out, wci_path_join3(wci_host_etc(), "containers", name));
}

char *wci_host_short_names(void)
{
    static const char file[] = "containers/short-name-aliases.conf";
    if (wci_host_is_root())
        return wci_path_join("/var/cache", file);
    if (env_dir("XDG_CACHE_HOME"))
        return wci_path_join(env_dir("XDG_CACHE_HOME"), file);
    char *home = home_dir();
    char *path = home ? wci_path_join3(home, ".cache", file) : NULL;
    wci_free(home);
    return path;
}

char *wci_host_signature_dir(void)
{
    if (wci_host_is_root())
        return wci_strdup("/var/lib/containers/sigstore");
    char *home = home_dir();
    char *dir = home ? wci_path_join(home, ".local/share/containers/sigstore") : NULL;
    wci_free(home);
    return dir;
}

static int is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Looks in each absolute directory of a list separated by colons. */
static char *find_in(const char *dirs, const char *name)
{
    while (*dirs) {
        size_t n = strcspn(dirs, ":");
        char *dir = *dirs == '/' ? wci_strndup(dirs, n) : NULL;
        char *path = dir ? wci_path_join(dir, name) : NULL;
        wci_free(dir);
        if (path && is_program(path))
            return path;
        wci_free(path);
        dirs += n + (dirs[n] == ':');
    }
    return NULL;
}

char **wci_host_environment(void)
{
    size_t count = 0;
    while (environ && environ[count])
        count++;
    char **copy = wci_calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = wci_strdup(environ[i]);
        if (!copy[i]) {
            wci_host_environment_free(copy);
            return NULL;
        }
    }
    return copy;
}

void wci_host_environment_free(char **environment)
{
    for (char **p = environment; p && *p; p++)
        wci_free(*p);
    wci_free(environment);
}

char *wci_host_find_program(const char *name)
{
    if (name[0] == '/')
        return is_program(name) ? wci_strdup(name) : NULL;
    if (!name[0] || strchr(name, '/'))
        return NULL;
    const char *path = getenv("PATH");
    char *found = path ? find_in(path, name) : NULL;
    return found ? found
                 : find_in("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"
                           "/usr/libexec/podman:/usr/lib/podman",
                           name);
}

char *wci_host_library_path(void)
{
    Dl_info info;
    struct link_map *map = NULL;
    static const char here;
    char path[PATH_MAX];
    int found = dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP);
    /* The program itself has no name there, and what it was called as may be relative. */
    const char *name = found && map && map->l_name[0] ? map->l_name : "/proc/self/exe";
    return realpath(name, path) ? wci_strdup(path) : NULL;
}
