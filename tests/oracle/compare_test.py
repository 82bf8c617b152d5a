#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table's own rules: what makes answers the same, what a file may say, and that a difference that is gone is told."""
import tempfile
import unittest

import compare
import oracle_test
import table

OK = [0, "", ""]


def read(text):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.cases"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return table.read(path)


class Rules(unittest.TestCase):
    def test_always(self):
        told = compare.normal("ID   NAME\n0123456789ab   box   3 minutes ago   \n2026-01-31T12:00:00.5Z Up 2 seconds\n", [])
        self.assertEqual(told, "ID | NAME\n<id> | box | <ago> ago\n<time> Up <ago>\n")
        self.assertEqual(compare.normal('{"b": 1, "a":[2]}\n', []), '{"a": [2], "b": 1}\n')

    def test_asked_for(self):
        self.assertEqual(compare.normal("b 1.5MB\na 2 kB\n", ["size", "sorted"]), "a <size>\nb <size>\n")
        self.assertEqual(compare.normal("0.0.0.0:49153 10.0.0.1/8", ["port", "address"]), "<address>:<port> <address>")

    def test_values_are_not_lost(self):
        self.assertNotEqual(compare.normal("exit 1\n", []), compare.normal("exit 2\n", []))
        self.assertNotEqual(compare.normal("a:80", ["port"]), compare.normal("a:81", ["port"]))


class Classes(unittest.TestCase):
    def test_words_of_all_three(self):
        for err in ("Error: No such container: x", "wcctl: container 'x': no such container",
                    'Error: no container with name or ID "x" found: no such container'):
            self.assertEqual(compare.class_of(err), "no-such-container", err)

    def test_nothing_and_unknown(self):
        self.assertEqual((compare.class_of(" \n"), compare.class_of("what?")), ("", "other"))

    def test_code_of_failure(self):
        failed = [1, "", "Error: No such container: x"]
        self.assertEqual(compare.code_of_failure(failed, [125, "", ""]), 125)
        self.assertEqual(compare.code_of_failure(failed, [0, "", ""]), 1)
        self.assertEqual(compare.code_of_failure([1, "", ""], [125, "", ""]), 1, "1 of the container's own command")


class Files(unittest.TestCase):
    def test_case(self):
        case = read("# c\n== one thing\nrules: size\nwithout podman: why\n% docker create {c}\n$ docker ps {c} {{.Names}}\n"
                    "> more\n  rules: sorted\n  differs out err: so it is\n")[0]
        case.number = 7
        self.assertEqual((case.name, case.rules, case.without), ("test_x_one_thing", ["size"], {"podman": "why"}))
        self.assertEqual(case.text(case.lines[1]), "docker ps c-o7x {{.Names}}\nmore")
        self.assertEqual(case.plain("c-o7x /c-o8x"), "{c} /c-o8x")
        self.assertEqual((case.lines[1].rules, set(case.lines[1].differs)), (["sorted"], {"out", "err"}))

    def test_written_wrong(self):
        for text in ("$ docker ps\n", "== t\n% docker ps\n", "== t\n$ docker ps\n  differs out:\n", "== t\n$ docker ps\n  rule: x\n",
                     "== t\n$ docker ps\n  differs exit: why\n", "== t\nwords\n", "== t\n$ docker ps\n  rules: nosuch\n"):
            with self.subTest(text=text), self.assertRaises(table.TableError):
                read(text)


class Checking(oracle_test.Oracle):
    """check_line() of lines that nobody has run."""
    setUpClass = tearDownClass = classmethod(lambda cls: None)

    def line(self, text="$ docker x\n"):
        return read("== t\n" + text)[0].lines[0]

    def test_same(self):
        self.check_line(self.line(), [], {"docker": OK, "ours": OK})

    def test_each_part_counts(self):
        failed = [1, "", "No such container: x"]
        for ours in ([2, "", ""], [0, "x", ""], [0, "", "no such container"]):
            with self.assertRaises(AssertionError):
                self.check_line(self.line(), [], {"docker": OK, "ours": ours})
        with self.assertRaises(AssertionError):
            self.check_line(self.line(), [], {"docker": failed, "ours": [1, "", "already in use"]})

    def test_named_difference(self):
        named = self.line("$ docker x\n  differs out: why\n")
        self.check_line(named, [], {"docker": OK, "ours": [0, "x", ""]})
        with self.assertRaisesRegex(AssertionError, "is gone"):
            self.check_line(named, [], {"docker": OK, "ours": OK})
        with self.assertRaises(AssertionError):
            self.check_line(named, [], {"docker": OK, "ours": [3, "x", ""]})

    def test_error_without_a_class(self):
        with self.assertRaisesRegex(AssertionError, "no class"):
            self.check_line(self.line(), [], {"docker": [1, "", "what?"], "ours": [1, "", "what?"]})

    def test_preparing_line(self):
        prepares = read("== t\n% docker x\n$ docker y\n")[0].lines[0]
        with self.assertRaisesRegex(AssertionError, "only prepares"):
            self.check_line(prepares, [], {"docker": OK, "ours": [1, "", ""]})


if __name__ == "__main__":
    unittest.main()
