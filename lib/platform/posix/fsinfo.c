/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/statfs.h>

#include "core/error.h"
#include "platform/file.h"

/* Numbers of linux/magic.h and of the file systems themselves. */
static const struct {
    uint32_t magic;
    const char *name;
} file_systems[] = {
    {0xEF53, "ext4"},          {0x58465342, "xfs"},      {0x9123683E, "btrfs"},
    {0x01021994, "tmpfs"},     {0x794C7630, "overlay"},  {0x6969, "nfs"},
    {0xFF534D42, "cifs"},      {0xFE534D42, "smb2"},     {0x517B, "smb"},
    {0x65735546, "fuse"},      {0x01021997, "9p"},       {0x2FC12FC1, "zfs"},
    {0xF2F52010, "f2fs"},      {0xCA451A4E, "bcachefs"}, {0x5346414F, "afs"},
    {0x00C36400, "ceph"},      {0x19830326, "fhgfs"},    {0x0BD00BD0, "lustre"},
    {0x01161970, "gfs2"},      {0x7461636F, "ocfs2"},    {0x47504653, "gpfs"},
    {0x73757245, "coda"},      {0x564C, "ncp"},          {0x4D44, "vfat"},
    {0x2011BAB0, "exfat"},     {0x5346544E, "ntfs"},     {0x7366746E, "ntfs3"},
    {0x73717368, "squashfs"},  {0xE0F5E1E2, "erofs"},    {0x9660, "iso9660"},
    {0x858458F6, "ramfs"},     {0x61756673, "aufs"},     {0xF15F, "ecryptfs"},
    {0x3153464A, "jfs"},       {0x52654973, "reiserfs"}, {0x6A656A63, "virtiofs"},
    {0x786F4256, "vboxsf"},    {0xBACBACBC, "vmhgfs"},   {0x9FA0, "proc"},
};

static const char *name_of(uint32_t magic)
{
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++)
        if (file_systems[i].magic == magic)
            return file_systems[i].name;
    return "unknown";
}

int32_t wci_fs_info(const char *path, uint64_t *free_bytes, uint64_t *total_bytes,
                    const char **fs_name, wc_error **err)
{
    struct statfs fs;
    int failed;
    do
        failed = statfs(path, &fs);
    while (failed && errno == EINTR);
    if (failed)
        return wci_err_errno(err, errno, "file system of '%s': reading its state", path);
    if (free_bytes)
        *free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
    if (total_bytes)
        *total_bytes = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
    if (fs_name)
        *fs_name = name_of((uint32_t)fs.f_type);
    return WC_OK;
}
