#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every number of tests/hostile/CASES has tests, which are there and run; every test that is named after a number is in
the table. usage: cases.py SOURCE_DIR"""
import glob
import os
import re
import sys

LAST = 47
NAMED = re.compile(r"\b(?:test_)?case_((?:\d\d_)+)\w+")
C_TEST = re.compile(r"^START_TEST\((\w+)\)", re.MULTILINE)
PYTHON_TEST = re.compile(r"^    def (test_\w+)\(", re.MULTILINE)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def is_run(name, text):
    """A test of C has to be added to a case, too."""
    return len(re.findall(rf"\b{name}\b", text)) > 1


def tests_of(path):
    """The names of the tests in a file that are run."""
    text = read(path)
    if path.endswith(".py"):
        return set(PYTHON_TEST.findall(text))
    return {name for name in C_TEST.findall(text) if is_run(name, text)}


def rows(path):
    """(line, number, file, tests) of the table."""
    for line, text in enumerate(read(path).splitlines(), 1):
        if text and not text.startswith("#"):
            cells = [cell.strip() for cell in text.split("|")]
            words = cells[3].split() if len(cells) == 4 else []
            if len(words) < 2 or not cells[0].isdigit() or not cells[1] or not cells[2]:
                raise ValueError(f"{path}:{line}: not NUMBER | what comes | what becomes of it | FILE TEST...")
            yield line, int(cells[0]), words[0], words[1:]


def check_table(table, tests):
    """What is wrong with it, and the pairs of number and test in it."""
    wrong, told = [], set()
    for line, number, file, names in rows(table):
        path = f"{tests}/{file}"
        there = tests_of(path) if os.path.exists(path) else set()
        wrong += [f"{table}:{line}: {file} has no test {name} that is run" for name in names if name not in there]
        told |= {(number, name) for name in names}
    missing = sorted(set(range(1, LAST + 1)) - {number for number, _ in told})
    return wrong + [f"{table}: no test for {number}" for number in missing], told


def untold(tests, told):
    """Tests named after numbers that the table does not have there."""
    for path in sorted(glob.glob(f"{tests}/**/*.c", recursive=True) + glob.glob(f"{tests}/**/*_test.py", recursive=True)):
        for name in sorted(tests_of(path)):
            found = NAMED.fullmatch(name)
            for number in found.group(1).strip("_").split("_") if found else ():
                if (int(number), name) not in told:
                    yield f"{path}: {name} is not in the table under {int(number)}"


def unrun(tests):
    """Tests of C that are written but not added to a case."""
    for path in sorted(glob.glob(f"{tests}/**/*.c", recursive=True)):
        for name in sorted(set(C_TEST.findall(read(path))) - tests_of(path)):
            yield f"{path}: {name} is never run"


def main():
    tests = f"{sys.argv[1]}/tests"
    wrong, told = check_table(f"{tests}/hostile/CASES", tests)
    wrong += [*untold(tests, told), *unrun(tests)]
    print(*wrong, sep="\n" if wrong else "")
    print(f"cases: {len({number for number, _ in told})} of {LAST} with {len({name for _, name in told})} tests, "
          f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
