/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts in the run directory, which the host does not see: file systems of volumes, images, and what lies at a
 * subpath. The container may have put links into its volumes, so a subpath is resolved inside, and what was found is
 * mounted by its descriptor: nobody can exchange it later. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/process/linux/helper/volumes.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/mount.h"
#include "platform/tree.h"

#define PLACES "volumes"

int volume_has_place(const volume *v)
{
    return !strcmp(v->type, "image") || (!strcmp(v->type, "volume") && (*v->fs_type || *v->subpath));
}

char *volume_place(const request *req, const volume *v)
{
    return wci_asprintf("%s/" PLACES "/%zu", req->run_dir, v->number);
}

void volumes_unmount(const char *run_dir)
{
    char *dir = wci_path_join(run_dir, PLACES);
    wci_strv names = WCI_STRV_INIT;
    if (dir && !wci_dir_list(dir, &names, NULL))
        for (size_t i = 0; i < names.count; i++) {
            char *place = wci_path_join(dir, names.items[i]);
            while (place && umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
                ; /* a subpath lies on its file system */
            wci_free(place);
        }
    if (dir)
        (void)wci_dir_remove_all(dir, NULL);
    wci_strv_free(&names);
    wci_free(dir);
}

/* ---- Options of mount(8) ------------------------------------------------------------------------ */

static const struct {
    const char *word;
    unsigned long set, clear;
} words[] = {
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"noatime", MS_NOATIME, 0},
    {"atime", 0, MS_NOATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"relatime", MS_RELATIME, 0},
    {"strictatime", MS_STRICTATIME, 0},
    {"sync", MS_SYNCHRONOUS, 0},
    {"async", 0, MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC, 0},
    {"bind", MS_BIND, 0},
    {"rbind", MS_BIND | MS_REC, 0},
    {"defaults", 0, 0},
};

static int take_word(const char *text, size_t size, unsigned long *flags)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == size && !memcmp(words[i].word, text, size)) {
            *flags = (*flags & ~words[i].clear) | words[i].set;
            return 1;
        }
    return 0;
}

/* The kernel takes a number where people write a name. */
static int32_t add_address(wci_str *data, const char *host, wc_error **err)
{
    char text[NI_MAXHOST];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int why = getaddrinfo(host, NULL, &hints, &found);
    if (!why)
        why = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    if (why)
        return wci_err(err, WC_E_NETWORK, "its option 'o' has 'addr=%.200s': %s", host, gai_strerror(why));
    wci_str_printf(data, "%saddr=%s", data->size ? "," : "", text);
    return WC_OK;
}

static int32_t take_option(const char *text, size_t size, unsigned long *flags, wci_str *data, wc_error **err)
{
    if (take_word(text, size, flags))
        return WC_OK;
    char *option = wci_strndup(text, size);
    int32_t rc = option ? WC_OK : wci_err_nomem(err);
    if (!rc && wci_starts_with(option, "addr="))
        rc = add_address(data, option + 5, err);
    else if (!rc)
        wci_str_printf(data, "%s%s", data->size ? "," : "", option);
    wci_free(option);
    return rc;
}

static int32_t take_options(const char *text, unsigned long *flags, wci_str *data, wc_error **err)
{
    int32_t rc = WC_OK;
    for (const char *p = text; !rc && *p;) {
        size_t size = strcspn(p, ",");
        rc = size ? take_option(p, size, flags, data, err) : WC_OK;
        p += size + (p[size] == ',');
    }
    return rc || !data->failed ? rc : wci_err_nomem(err);
}

/* ---- File systems and images -------------------------------------------------------------------- */

static int32_t mount_at(const volume *v, const char *place, unsigned long flags, const char *data, wc_error **err)
{
    const unsigned long later = flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
    if (mount(v->device, place, v->fs_type, flags, data) == 0 &&
        (!(flags & MS_BIND) || !later || mount(NULL, place, NULL, MS_BIND | MS_REMOUNT | later, NULL) == 0))
        return WC_OK;
    /* The options may hold a password. */
    return wci_err_errno(err, errno, "'%s' of type '%s' cannot be mounted; look at the volume's options", v->device,
                         v->fs_type);
}

static int32_t mount_file_system(const volume *v, const char *place, wc_error **err)
{
    unsigned long flags = 0;
    wci_str data = WCI_STR_INIT;
    int32_t rc = take_options(v->fs_options, &flags, &data, err);
    if (!rc)
        rc = mount_at(v, place, flags, data.size ? data.data : NULL, err);
    wci_str_free(&data);
    return rc;
}

static int32_t mount_image(const request *req, const volume *v, const char *place, wc_error **err)
{
    char *empty = wci_path_join(req->run_dir, "blank");
    int32_t rc = empty ? wci_dir_make(empty, 0755, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_overlay_mount_paths(&v->layers, empty, "overlay", place, req->store_root, err);
    wci_free(empty);
    return rc;
}

int32_t volume_mount_place(const request *req, const volume *v, wc_error **err)
{
    int is_image = !strcmp(v->type, "image");
    if (!is_image && !*v->fs_type)
        return WC_OK;
    char *place = volume_place(req, v);
    int32_t rc = place ? wci_dir_make(place, 0711, err) : wci_err_nomem(err);
    if (!rc)
        rc = is_image ? mount_image(req, v, place, err) : mount_file_system(v, place, err);
    wci_free(place);
    return rc;
}

/* ---- Subpaths ----------------------------------------------------------------------------------- */

static int32_t make_point(const char *place, wci_file_type type, wc_error **err)
{
    wci_fd file = WCI_FD_NONE;
    if (type == WCI_FILE_DIRECTORY)
        return wci_dir_make(place, 0711, err);
    int32_t rc = wci_file_open(place, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &file, err);
    wci_fd_close(file);
    return rc;
}

/* On a file system that is mounted at the place, or where the place is to be. */
static int32_t bind_found(const volume *v, wci_fd found, const char *place, wc_error **err)
{
    char path[40];
    wci_file_info info, there;
    int32_t rc = wci_fd_info(found, &info, err);
    if (!rc && wci_file_info_of(place, &there, NULL))
        rc = make_point(place, info.type, err);
    else if (!rc && (info.type == WCI_FILE_DIRECTORY) != (there.type == WCI_FILE_DIRECTORY))
        rc = wci_err(err, WC_E_UNSUPPORTED, "its subpath '%s' is a file; name a directory", v->subpath);
    snprintf(path, sizeof path, "/proc/self/fd/%d", (int)found);
    if (!rc && mount(path, place, NULL, MS_BIND | MS_REC, NULL) != 0)
        rc = wci_err_errno(err, errno, "its subpath '%s' cannot be mounted", v->subpath);
    return rc;
}

int32_t volume_mount_subpath(const request *req, const volume *v, const char *base, wc_error **err)
{
    wci_fd root = WCI_FD_NONE, found = WCI_FD_NONE;
    if (!*v->subpath)
        return WC_OK;
    char *place = volume_place(req, v), *parent = wci_path_join(req->run_dir, PLACES);
    int32_t rc = place && parent ? wci_dir_make(parent, 0711, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_tree_open_root(base, &root, err);
    if (!rc) {
        rc = wci_tree_resolve(root, v->subpath, &found, err);
        if (rc == WC_E_NOT_FOUND) {
            wci_err_clear(err);
            rc = wci_err(err, WC_E_NOT_FOUND, "its subpath '%s' does not exist; make it first", v->subpath);
        }
    }
    if (!rc)
        rc = bind_found(v, found, place, err);
    wci_fd_close(found);
    wci_fd_close(root);
    wci_free(parent);
    wci_free(place);
    return rc;
}
