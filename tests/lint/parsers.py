#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every parser of outside bytes has a fuzz target, as tests/fuzz/PARSERS says; every parser that a header declares is in
that list; every target has a corpus and is built. usage: parsers.py SOURCE_DIR"""
import glob
import os
import re
import sys

DECLARED = re.compile(r"\b(wci_\w+)\(")
LOOKS_LIKE_ONE = re.compile(r"wci_\w*?(_parse(_\w+)?|_from_json|_dearmor|_take_answer)$")
PLAIN = ("wci_parse_u64",)  # one number


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows(path):
    for line, text in enumerate(read(path).splitlines(), 1):
        if text and not text.startswith("#"):
            cells = [cell.strip() for cell in text.split("|")]
            words = cells[2].split() if len(cells) == 3 else []
            if words != ["-"] and len(words) != 2:
                raise ValueError(f"{path}:{line}: not PARSER | what it reads | TARGET FUNCTION")
            yield f"{path}:{line}", cells[0], words


def check_row(fuzz, where, parser, words, declared):
    if parser not in declared:
        yield f"{where}: no header declares {parser}"
    if words == ["-"]:
        return
    target = f"{fuzz}/fuzz_{words[0]}.c"
    if not os.path.exists(target) or not re.search(rf"\b{words[1]}\b", read(target)):
        yield f"{where}: {target} does not call {words[1]}"


def check_targets(fuzz):
    built = "".join(map(read, glob.glob(f"{fuzz}/*.cmake")))
    for path in sorted(glob.glob(f"{fuzz}/fuzz_*.c")):
        found = re.search(rf"wc_add_fuzzer\(\w+ {os.path.basename(path)} (\S+?)[ )]", built)
        if not found:
            yield f"{path}: is not built"
        elif not glob.glob(f"{fuzz}/{found.group(1)}/*"):
            yield f"{path}: has no corpus"


def main():
    fuzz = f"{sys.argv[1]}/tests/fuzz"
    declared = set()
    for path in glob.glob(f"{sys.argv[1]}/lib/**/*.h", recursive=True):
        declared |= set(DECLARED.findall(read(path)))
    table = list(rows(f"{fuzz}/PARSERS"))
    wrong = [text for row in table for text in check_row(fuzz, *row, declared)]
    listed = {parser for _, parser, _ in table} | set(PLAIN)
    wrong += [f"{name}: is not in {fuzz}/PARSERS" for name in sorted(declared - listed) if LOOKS_LIKE_ONE.match(name)]
    wrong += check_targets(fuzz)
    print(*wrong, sep="\n" if wrong else "")
    print(f"parsers: {len(table)} listed, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
