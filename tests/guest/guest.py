#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a shell script in a guest: Debian's kernel with control groups of version 2 alone, and systemd as its init.

usage: guest.py [--timeout SECONDS] [--keep] SCRIPT [ARG ...]

The build and source trees, as WC_TEST_BUILD and WC_TEST_SOURCE name them, are in the guest where they are here, to be
read. What the script writes comes out here, and its exit code is ours; with 75 the guest is booted again and the script
run again, with WC_GUEST_BOOT=1. No virtualization is used, so that it works in any place. --keep leaves the directory
with the disks and the kernel's messages there, and names it."""
import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import image

QEMU = "qemu-system-x86_64"
CONSOLE = "console=ttyS0 quiet loglevel=4 systemd.show_status=error panic=-1 mitigations=off random.trust_cpu=on tsc=reliable no_timer_check"
WORK = ("bin", "lib", "libexec", "tests")


def copy_tree(source, target, leave_out=()):
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        if name not in leave_out:
            subprocess.run(["cp", "-a", f"{source}/{name}", f"{target}/"], check=True)


def work_disk(directory, script, words):
    """A disk with the trees and the script."""
    tree = f"{directory}/tree"
    source, build = os.environ["WC_TEST_SOURCE"], os.environ.get("WC_TEST_BUILD", "none")
    copy_tree(source, f"{tree}/source", (".git", "build"))
    if build != "none":
        os.makedirs(os.path.normpath(f"{tree}/source/{os.path.relpath(build, source)}"), exist_ok=True)
        for name in WORK:
            copy_tree(f"{build}/{name}", f"{tree}/build/{name}", ("CMakeFiles", "libwc_internal.a"))
        shutil.copy(f"{build}/wincontainer-restore.service", f"{tree}/build/")
    with open(f"{tree}/paths", "w", encoding="utf-8") as file:
        file.write(f"WC_TEST_SOURCE={shlex.quote(source)}\nWC_TEST_BUILD={shlex.quote(build)}\n")
    shutil.copy(script, f"{tree}/script")
    with open(f"{tree}/work", "w", encoding="utf-8") as file:
        file.write(f"exec sh /mnt/script {shlex.join(words)}\n")
    image.make_disk(tree, f"{directory}/work.img", 16)
    shutil.rmtree(tree)


def boot(made, directory, timeout):
    """Its exit code, or None when it did not say one."""
    words = [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536", "-nodefaults", "-display", "none",
             "-kernel", f"{made}/vmlinuz", "-initrd", f"{made}/initrd", "-append", CONSOLE,
             "-drive", f"file={made}/root.img,if=virtio,format=raw,snapshot=on,cache=unsafe",
             "-drive", f"file={directory}/work.img,if=virtio,format=raw,readonly=on",
             "-serial", f"file:{directory}/console", "-serial", "stdio"]
    code, end = None, time.monotonic() + timeout
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": directory}) \
            as qemu:
        try:
            for raw in qemu.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                if line.startswith("guest: exit "):
                    code = int(line.split()[-1])
                print(line, flush=True)
                if time.monotonic() > end:
                    break
        finally:
            qemu.kill()
    return code


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--timeout", type=int, default=900)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("script")
    parser.add_argument("words", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if os.geteuid() != 0:
        print("SKIP: the guest's disks can only be made by root")
        return 77
    try:
        if not shutil.which(QEMU):
            raise image.Missing(f"{QEMU} is not installed")
        made = image.image(os.path.join(os.environ["WC_TEST_SOURCE"], "build/guest"))
    except image.Missing as why:
        print(f"SKIP: no guest: {why}")
        return 77
    directory = tempfile.mkdtemp(prefix="wc-guest-")
    try:
        work_disk(directory, given.script, given.words)
        code = boot(made, directory, given.timeout)
        if code is None:
            print("guest: did not say how it ended; the end of what its kernel said:")
            with open(f"{directory}/console", errors="replace", encoding="utf-8") as console:
                print(console.read()[-4000:])
        return 1 if code is None else code
    finally:
        if given.keep:
            print(f"kept {directory}")
        else:
            shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
