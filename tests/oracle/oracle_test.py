#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Docker's command line is the oracle: every case of cases/*.cases runs on wcctl, podman and docker; exit codes, outputs
and the classes of errors of ours must be docker's, or the case names the difference and why. Where podman differs from
docker, docker wins.

usage: oracle_test.py [-k PATTERN ...] [test_NAME ...]   WC_ORACLE_SHOW=1 prints all answers"""
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import unittest

import compare
import contenders
import images
import table

import named_skips  # found where contenders looks

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = contenders.SOURCE
CASES = table.read_all(f"{HERE}/cases")


def ask(names):
    """What each contender answered to the cases of these names."""
    answers = {}
    with tempfile.TemporaryDirectory(prefix="wc-oracle-") as work:
        images.write(f"{work}/images.tar")
        with open(f"{work}/task.json", "w", encoding="utf-8") as file:
            json.dump({"cases": f"{HERE}/cases", "names": names, "images": f"{work}/images.tar"}, file)
        running = {}
        for one in os.environ.get("WC_ORACLE_WHO", " ".join(contenders.ALL)).split():
            with open(f"{work}/{one}.log", "wb") as log:
                running[one] = subprocess.Popen(
                    [f"{SOURCE}/tests/support/netns.sh", sys.executable, f"{HERE}/inside.py", one, f"{work}/task.json",
                     f"{work}/{one}.json"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for one, child in running.items():
            code = child.wait()
            with open(f"{work}/{one}.log", encoding="utf-8", errors="replace") as log:
                said = log.read()[-4000:]
            if code:
                raise RuntimeError(f"the table cannot be run on {one}:\n{said}")
            print(f"{one}: {said}")
            with open(f"{work}/{one}.json", encoding="utf-8") as file:
                answers[one] = json.load(file)
    return answers


def parts(answer, rules):
    """What of an answer is compared."""
    code, out, err = answer
    said = compare.normal(err, rules) if "errors" in rules else compare.class_of(err)
    return {"code": code, "out": compare.normal(out, rules), "err": said}


def show(line, answers):
    """Text for people: the line, and what each one said."""
    text = [f"{line.where}: {line.text}"]
    for who, (code, out, err) in answers.items():
        text.append(f"  {who}: exit {code}")
        text += [f"    out| {one}" for one in out.splitlines()[:40]] + [f"    err| {one}" for one in err.splitlines()[:8]]
    return "\n".join(text)


class Oracle(unittest.TestCase):
    maxDiff = None
    wanted = [case.name for case in CASES]
    answers, podman_differs = {}, set()

    @classmethod
    def setUpClass(cls):
        """Docker answers some questions in an order that it takes anew each time, and a busy machine has it answer others
        late: what differs is asked once more, and only what differs again does."""
        cls.answers = ask(cls.wanted)
        doubtful = [case.name for case in CASES if case.name in cls.wanted and not cls.agrees(case)]
        if doubtful:
            print("asked again:", *doubtful)
            for who, told in ask(doubtful).items():
                cls.answers[who].update(told)

    @classmethod
    def agrees(cls, case):
        try:
            for line, answers in cls.each_line(case):
                cls().check_line(line, case.rules + line.rules, answers)
        except AssertionError:
            return False
        return True

    @classmethod
    def each_line(cls, case):
        for at, line in enumerate(case.lines):
            yield line, {who: told[case.name][at] for who, told in cls.answers.items()
                         if len(told.get(case.name, ())) > at}

    @classmethod
    def tearDownClass(cls):
        lines = sum(line.compared for case in CASES for line in case.lines if case.name in cls.wanted)
        print(f"{len(cls.wanted)} cases, {lines} lines compared; podman differs from docker in {len(cls.podman_differs)}")
        if os.environ.get("WC_ORACLE_PODMAN"):
            print("\n".join(sorted(cls.podman_differs)))

    def check(self, case):
        for line, answers in self.each_line(case):
            with self.subTest(line=line.where):
                if os.environ.get("WC_ORACLE_SHOW"):
                    print(show(line, answers))
                self.check_line(line, case.rules + line.rules, answers)

    @staticmethod
    def wanted_of(answers, told, who):
        """What Docker's answer comes to for another one."""
        return {**told["docker"], "code": compare.code_of_failure(answers["docker"], answers[who])}

    def check_line(self, line, rules, answers):
        what = show(line, answers)
        if "docker" not in answers or "ours" not in answers:
            return  # after a preparing line that failed, which was told
        if not line.compared:
            for who in ("docker", "ours"):
                self.assertEqual(answers[who][0], 0, f"this line only prepares, and fails on {who}\n{what}")
            return
        told = {who: parts(answer, rules) for who, answer in answers.items()}
        if "podman" in told and told["podman"] != self.wanted_of(answers, told, "podman"):
            self.podman_differs.add(line.where)
        told["docker"] = self.wanted_of(answers, told, "ours")
        differing = {part for part in table.PARTS if told["docker"][part] != told["ours"][part]}
        for who in ("docker", "ours"):
            self.assertNotEqual(told[who]["err"], "other", f"{who}: no class in compare.py fits this error\n{what}")
        for part in table.PARTS:
            if part in line.differs:
                self.assertIn(part, differing, f"the difference '{line.differs[part]}' is gone: take it out\n{what}")
            else:
                self.assertEqual(told["ours"][part], told["docker"][part], f"{part} differs from docker's\n{what}")


def add_tests():
    def test_of(case):
        return lambda self: self.check(case)
    for case in CASES:
        test = test_of(case)
        test.__doc__ = f"{case.where}: {case.title}"
        setattr(Oracle, case.name, test)


def choose():
    """Only what was asked for is run at all."""
    patterns = [word if "*" in word else f"*{word}*" for word in sys.argv[1:] if not word.startswith("-")]
    sys.argv[1:] = [word for word in sys.argv[1:] if word.startswith("-")]
    Oracle.wanted = [case.name for case in CASES
                     if not patterns or any(fnmatch.fnmatch(case.name, pattern) for pattern in patterns)]


def main():
    why = "needs root" if os.geteuid() else next(filter(None, (one.missing() for one in contenders.ALL.values())), None)
    if not why and subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False).returncode:
        why = "no network namespace can be made here"
    if why:
        print(f"SKIP: {why}")
        sys.exit(77)
    choose()
    add_tests()
    for case in CASES:
        if case.name not in Oracle.wanted:
            delattr(Oracle, case.name)
    named_skips.main()


if __name__ == "__main__":
    main()
