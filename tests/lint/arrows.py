#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the architecture: which folder of lib/ may include which, where host knowledge may live, and
how long a file may be. Exit 1 with one line per finding.

usage: arrows.py [SOURCE_DIR]
"""
import os
import re
import sys

# Folder -> folders whose headers it may include, besides its own.
BELOW = {
    "platform": {"core"},  # platform gives its errors and strings in core's types
    "core": {"platform"},
    "layer": {"core", "platform"},
    "store": {"layer", "core", "platform"},
    "registry": {"core", "platform"},
    "network": {"core", "platform"},
    "backend": {"core", "platform"},
    "image": {"registry", "store", "layer", "core", "platform"},
    "container": {"backend", "image", "network", "store", "layer", "core", "platform"},
    "api": {"container", "image", "network", "registry", "backend", "store", "layer", "core", "platform"},
}
# wc-helper is a program of its own: it records what happens and packs files.
HELPER = "lib/backend/process/linux/helper/"
HELPER_BELOW = {"backend", "store", "layer", "core", "platform"}

POSIX_HEADERS = re.compile(
    r'#\s*include\s*<(unistd|fcntl|dirent|pthread|poll|signal|sched|dlfcn|termios|pwd|grp|spawn|syslog|netdb|'
    r'sys/(?!types\.h)[a-z_]+|linux/[a-z_/]+|net/[a-z_]+|netinet/[a-z_]+|arpa/inet)(\.h)>')
HOST_IFDEF = re.compile(r'^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b(_WIN32|__linux__|__APPLE__|__unix__|_MSC_VER)\b')
WINDOWS_HEADER = re.compile(r'#\s*include\s*<(windows|winsock2|computecore|computenetwork)\.h>', re.I)
MAX_LINES = 800


def knows_host(path):
    return path.startswith(("lib/platform/", HELPER)) or re.match(r"lib/backend/[a-z]+/(linux|windows)/", path)


def check(path, findings):
    folder = path.split("/")[1]
    allowed = HELPER_BELOW if path.startswith(HELPER) else BELOW.get(folder)
    if allowed is None:
        findings.append(f"{path}: folder lib/{folder} is not in the architecture")
        return
    lines = open(path, encoding="utf-8").read().split("\n")
    if not any("SPDX-License-Identifier" in line for line in lines[:3]):
        findings.append(f"{path}:1: no SPDX line")
    if len(lines) > MAX_LINES and "long file:" not in "\n".join(lines[:12]):
        findings.append(f"{path}: {len(lines)} lines; split it, or say why in a comment 'long file: …' on top")
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        found = re.match(r'\s*#\s*include\s*"([a-z0-9_]+)/', line)
        if found and found.group(1) in BELOW and found.group(1) != folder and found.group(1) not in allowed:
            findings.append(f"{where}: lib/{folder} may not include {found.group(1)}/")
        if folder != "platform" and HOST_IFDEF.match(line):
            findings.append(f"{where}: host #ifdef outside lib/platform")
        if not knows_host(path) and (POSIX_HEADERS.search(line) or WINDOWS_HEADER.search(line)):
            findings.append(f"{where}: host header outside lib/platform and lib/backend/*/<host>")


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
    findings = []
    for root, _, files in sorted(os.walk("lib")):
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                check(os.path.join(root, name).replace(os.sep, "/"), findings)
    print("\n".join(findings) if findings else "architecture: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
