# SPDX-License-Identifier: Apache-2.0
"""The table: reads tests/oracle/cases/*.cases. docs/testing.md tells how the files are written."""
import glob
import os
import re

import compare

# {name} is a name that only this case has; {{.Field}} of a template and "{ commands; }" of the shell are left alone.
NAME = re.compile(r"(?<!\{)\{([a-z]+)\}(?!\})")
PARTS = ("code", "out", "err")


class TableError(Exception):
    """A file of the table is written wrong."""


class Line:
    """One command line: what is run, whether it is compared, and how."""

    def __init__(self, text, where, compared):
        self.text, self.where, self.compared = text, where, compared
        self.differs, self.rules = {}, []


class Case:
    def __init__(self, area, title, where):
        self.area, self.title, self.where = area, title, where
        self.lines, self.rules, self.alone, self.without = [], [], False, {}
        self.number = 0

    @property
    def name(self):
        return "test_" + re.sub(r"\W+", "_", f"{self.area} {self.title}").strip("_")

    def text(self, line):
        """The line with the names of this case."""
        return NAME.sub(lambda found: self.own(found.group(1)), line.text)

    def own(self, word):
        return f"{word}-o{self.number}x"

    def plain(self, text):
        """What was printed, with names as the table has them."""
        return re.sub(rf"([a-z]+)-o{self.number}x", r"{\1}", text)


def _setting(case, line, key, value, where):
    """A line "key: value", of the line above it or, before the first one, of the whole case."""
    words = key.split()
    target = line or case
    if key == "rules":
        unknown = [rule for rule in value.split() if rule not in compare.RULES]
        if unknown or not value:
            raise TableError(f"{where}: there is no rule {unknown}")
        target.rules += value.split()
    elif key == "alone" and not line:
        case.alone = True
    elif words[0] == "without" and len(words) == 2 and not line:
        case.without[words[1]] = value
    elif words[0] == "differs" and line and set(words[1:]) <= set(PARTS) and len(words) > 1 and value:
        line.differs.update({part: value for part in words[1:]})
    else:
        raise TableError(f"{where}: '{key}' is not known here, or says nothing")


def read(path):
    """The cases of one file."""
    area, cases, line = os.path.splitext(os.path.basename(path))[0], [], None
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            text, where = text.rstrip("\n"), f"{os.path.basename(path)}:{number}"
            if not text.strip() or text.startswith("#"):
                continue
            if text.startswith("== "):
                cases.append(Case(area, text[3:].strip(), where))
                line = None
            elif not cases:
                raise TableError(f"{where}: a case begins with '== title'")
            elif text[:2] in ("$ ", "% "):
                line = Line(text[2:], where, text[0] == "$")
                cases[-1].lines.append(line)
            elif text.startswith("> ") and line:  # the line goes on
                line.text += "\n" + text[2:]
            elif re.match(r" *[a-z ]+:|alone$", text):
                key, _, value = text.strip().partition(":")
                _setting(cases[-1], line, key.strip(), value.strip(), where)
            else:
                raise TableError(f"{where}: '{text}' is no line of a table")
    for case in cases:
        if not any(one.compared for one in case.lines):
            raise TableError(f"{case.where}: '{case.title}' compares nothing")
    return cases


def read_all(folder):
    cases = [case for path in sorted(glob.glob(f"{folder}/*.cases")) for case in read(path)]
    names = {}
    for number, case in enumerate(cases, 1):
        case.number = number
        if case.name in names:
            raise TableError(f"{case.where}: '{case.title}' is there already, at {names[case.name]}")
        names[case.name] = case.where
    return cases
