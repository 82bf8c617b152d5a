#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One line for each entry below a directory, with all that can be told apart: type, mode, owner,
size, time, device, link target, content, extended attributes (overlay marks left out), and which
names are one file. Link counts are left out."""
import argparse
import hashlib
import os
import stat


def content(path, st):
    if stat.S_ISLNK(st.st_mode):
        return "-> " + os.readlink(path).encode("utf-8", "surrogateescape").hex()
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        return "%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev))
    return ""


def xattrs(path):
    try:
        keys = sorted(os.listxattr(path, follow_symlinks=False))
    except OSError:
        return ""
    return ",".join(
        "%s=%s" % (k, os.getxattr(path, k, follow_symlinks=False).hex())
        for k in keys
        if not k.startswith(("trusted.overlay.", "user.overlay.", "security.selinux")))


def when(name, st, args):
    if name in args.timeless or (args.any_old_time and st.st_mtime_ns <= 0):
        return "-"
    return st.st_mtime_ns // 10**9 if args.whole_seconds else st.st_mtime_ns


def main(args):
    root = os.path.abspath(args.dir)
    names = [""]
    for where, dirs, files in os.walk(root):
        names += [os.path.relpath(os.path.join(where, n), root) for n in dirs + files]
    first = {}
    for name in sorted(names):
        path = os.path.join(root, name) if name else root
        st = os.lstat(path)
        is_dir = stat.S_ISDIR(st.st_mode)
        group = name if is_dir else first.setdefault((st.st_dev, st.st_ino), name)
        size = 0 if is_dir else st.st_size
        print(ascii(name), oct(st.st_mode), st.st_uid, st.st_gid, size, when(name, st, args),
              content(path, st), "" if args.no_xattrs else xattrs(path), ascii(group))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("dir")
parser.add_argument("--whole-seconds", action="store_true", help="leave fractions of times out")
parser.add_argument("--any-old-time", action="store_true", help="leave times before 1970 out")
parser.add_argument("--no-xattrs", action="store_true")
parser.add_argument("--timeless", action="append", default=[], metavar="NAME",
                    help="leave the time of this entry out")
main(parser.parse_args())
