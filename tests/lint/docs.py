#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every function, type and enumeration of the public headers has a comment of its own, with the version since
when it is there. usage: docs.py SOURCE_DIR"""
import glob
import re
import sys

COMMENT = r"/\*\*(?:(?!\*/).)*\*/"
DECLARATION = re.compile(rf"(?P<comment>{COMMENT}\s*)?^(?P<text>WC_API\b[^;]*;|typedef\b[^;{{]*[;{{]|enum\b[^{{;]*{{)",
                         re.MULTILINE | re.DOTALL)
NAME = re.compile(r"\(\*(\w+)\)|(\w+)\s*\(|(\w+)\s*[;{]")


def name_of(text):
    found = NAME.search(text)
    return next(filter(None, found.groups())) if found else text


def main():
    missing, count = [], 0
    for path in sorted(glob.glob(f"{sys.argv[1]}/include/wincontainer/*.h")):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for found in DECLARATION.finditer(text):
            comment, count = found.group("comment") or "", count + 1
            where = f"{path}:{text.count(chr(10), 0, found.start('text')) + 1}: {name_of(found.group('text'))}"
            if not comment:
                missing.append(f"{where}: no comment")
            elif "@since" not in comment:
                missing.append(f"{where}: no @since")
    for line in missing:
        print(line)
    print(f"docs: {count} declarations, {len(missing)} without their comment")
    return 1 if missing or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
