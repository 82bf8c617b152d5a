#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public function is called by a test in C that looks at what comes of it. Lists of all functions, as those that
try each in a child or only link each, do not count. usage: called.py SOURCE_DIR"""
import glob
import re
import sys

# Tests that go through the whole map whatever the functions do.
LISTS = ("tests/abi/", "tests/host/fork_handles", "tests/fuzz/", "tests/bench/")
COMMENT = re.compile(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
CALL = re.compile(r"\b(wc_\w+)\s*(?=[(,)])")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def public(source):
    return sorted(set(re.findall(r"^\s*(wc_\w+);", read(f"{source}/lib/wincontainer.map"), re.MULTILINE)))


def called(source):
    """Names that stand before a bracket, or are handed on as arguments to what calls them."""
    names = set()
    for path in glob.glob(f"{source}/tests/**/*.[ch]", recursive=True):
        if not path.removeprefix(f"{source}/").startswith(LISTS):
            names |= set(CALL.findall(COMMENT.sub("", read(path))))
    return names


def main():
    functions, names = public(sys.argv[1]), called(sys.argv[1])
    missing = [name for name in functions if name not in names]
    for name in missing:
        print(f"lib/wincontainer.map: no test calls {name}")
    print(f"called: {len(functions) - len(missing)} of {len(functions)} public functions")
    return 1 if missing or len(functions) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
