#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every file that the documentation or a comment names is there. usage: links.py SOURCE_DIR"""
import os
import re
import subprocess
import sys

ROOTS = "docs|examples|tests|lib|include|cmake|pkgconfig|bindings"
# A document anywhere; other paths only where documents put them in `code`.
DOCUMENT = re.compile(r"\bdocs/[\w.-]+\.md\b")
QUOTED = re.compile(rf"`(?:\./)?((?:{ROOTS})/[\w./*-]*)`")


def files(source):
    listed = subprocess.run(["git", "-C", source, "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return listed.stdout.split()
    return [os.path.relpath(os.path.join(at, name), source) for at, dirs, names in os.walk(source) for name in names
            if not at[len(source):].startswith(("/build", "/.git"))]


def named(path, text):
    yield from DOCUMENT.findall(text)
    if path.endswith(".md"):
        yield from QUOTED.findall(text)


def exists(source, name, known):
    if "*" in name:
        pattern = re.compile(re.escape(name.rstrip("/")).replace(r"\*", "[^/]*") + "([./].*|_.*)?$")
        return any(pattern.match(path) for path in known)
    return os.path.exists(os.path.join(source, name))


def main():
    source = sys.argv[1]
    known, missing = files(source), []
    for path in known:
        if not path.endswith((".md", ".c", ".h", ".py", ".sh", ".txt", ".cmake", ".in")):
            continue
        with open(os.path.join(source, path), encoding="utf-8") as file:
            for name in named(path, file.read()):
                if not exists(source, name, known):
                    missing.append(f"{path} names '{name}', which is not there")
    print("\n".join(missing) if missing else "every file that is named is there")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
