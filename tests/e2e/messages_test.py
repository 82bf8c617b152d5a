#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What wcctl says of arguments and options that cannot be: it speaks of what was typed, and refuses at once."""
import glob
import json
import os
import re
import subprocess
import time
import unittest

from wcctl_case import BUILD, WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks
import wcctl_help


def arguments(command):
    """The words of the usage line that must be there."""
    usage = wcctl_help.tell(*command.split(), "--help").split("\n")[0].removeprefix(f"Usage: wcctl {command}")
    return re.sub(r" \| .*|\[.*?\]+", "", usage.replace("[OPTIONS]", "")).split()


class Empty(WcctlCase):
    def assertSpeaksOfIt(self, done, *parts):
        self.assertFails(done, 125, *parts)
        self.assertNotRegex(done.stderr, r"\bwc_|\bwci_|NULL")

    def test_arguments(self):
        tried = 0
        for command in wcctl_help.commands():
            words = arguments(command)
            if words:
                tried += 1
                with self.subTest(command=command):
                    self.assertSpeaksOfIt(self.wcctl(*command.split(), *[""] * len(words)), command, words[0], "is empty")
        self.assertGreater(tried, 30)

    def test_later_arguments(self):
        for words in (["tag", "box", ""], ["push", "box", ""], ["copy", "box", ""], ["edit", "box", ""], ["rm", "x", ""],
                      ["inspect", "x", ""], ["save", "-o", "x", "box", ""], ["cp", "x:/a", ""]):
            with self.subTest(words=words):
                self.assertSpeaksOfIt(self.wcctl(*words), words[0], "is empty")

    def test_values_of_options(self):
        """With an empty argument at the end, which is looked at after the options."""
        tried = 0
        for command in wcctl_help.commands():
            text = wcctl_help.tell(*command.split(), "--help")
            for name in re.findall(r"(--[\w-]+) \S+  ", text):
                tried += 1
                with self.subTest(command=command, option=name):
                    done = self.wcctl(*command.split(), name, "", *([""] if arguments(command) else ["--nosuch"]))
                    self.assertSpeaksOfIt(done)
                    self.assertRegex(done.stderr, rf"{name} is empty|is empty; see|--nosuch")
        self.assertGreater(tried, 100)

    def test_global_options(self):
        for name in ("root", "run-root", "backend", "load-backend", "runtime", "helper", "progress", "log-level"):
            self.assertSpeaksOfIt(self.wcctl(f"--{name}", "", "ps"), f"--{name} is empty")
        self.assertSpeaksOfIt(self.wcctl("--helper", "relative", "ps"), "--helper", "relative", "absolute")

    def test_what_docker_takes_as_not_given(self):
        options = [word for name in ("name", "user", "workdir", "hostname", "network", "stop-signal", "cpuset-cpus", "cidfile")
                   for word in (f"--{name}", "")]
        name = self.wcctl_ok("create", *options, "--network", "none", "box", "sleep", "100").stdout.strip()
        self.wcctl_ok("start", name)
        self.assertEqual(self.wcctl_ok("exec", "-w", "", "-u", "", name, "id", "-u").stdout, "0\n")

    def test_empty_words_of_the_command_are_its_own(self):
        self.assertEqual(self.output("--", "sh", "-c", "echo \"$#$1\"", "sh", "", ""), "2\n")


class Refused(WcctlCase):
    def test_arguments_where_there_are_none(self):
        for command in ("ps", "events", "version", "system info", "system df", "system prune", "system check"):
            self.assertFails(self.wcctl(*command.split(), "extra"), 125, command, "no argument")
        self.assertFails(self.wcctl("system", "nosuch"), 125, "system", "nosuch")

    def test_files_that_cannot_be_read(self):
        self.assertFails(self.wcctl("pull", "--limit-rate", "100", "x"), 125, "--limit-rate '100'", "1k")
        for option in ("--ca-file", "--authfile"):
            for words in (["pull", option, "/nope", f"oci:{self.layout}:box"], ["search", option, "/nope", "x"],
                          ["run", option, "/nope", "nosuch"], ["manifest", "tags", option, "/nope", "127.0.0.1:1/x"]):
                self.assertFails(self.wcctl(*words), 125, option, "/nope", "No such file")
        self.assertFails(self.wcctl("logout", "--authfile", "/nope", "x"), 125, "--authfile", "/nope")
        self.assertFails(self.wcctl("import", "/nope"), 125, "'/nope'")

    def test_values_are_looked_at_before_anything_is_pulled(self):
        there = f"{self.work}/there"
        open(there, "w", encoding="utf-8").close()
        place = f"oci:{self.layout}:box"
        self.wcctl_ok("rmi", "-f", "box")
        for words in (["--memory", "much"], ["--attach", "all"], ["--isolation", "vm"], ["--cap-add", "CAP_NOPE"], ["-v", "a/b:/b"],
                      ["--cidfile", there], ["--env-file", "/nope"], ["--ulimit", "nofile"], ["--pull", "sometimes"],
                      ["--log-opt", "x=y"], ["--mount", "type=bind"], ["--stop-signal", "SIGNOPE"], ["--platform", "x"]):
            with self.subTest(words=words):
                self.assertFails(self.wcctl("run", *words, place, "true"), 125, words[1].partition(":")[0])
                self.assertEqual(self.wcctl_ok("images", "-q").stdout, "")
        self.wcctl_ok("pull", "-q", place)

    def test_an_image_whose_config_is_gone(self):
        """What is damaged is said, and what to do; that does help."""
        blob = f"{self.root}/blobs/sha256/{json.loads(self.wcctl_ok('inspect', 'box').stdout)[0]['Id'][7:]}"
        for word, harm in ("missing", os.remove), ("damaged", lambda path: os.truncate(path, 10)):
            harm(blob)
            for words, code in (["inspect", "box"], 1), (["history", "box"], 125), (["create", "box"], 125), \
                               (["edit", "-m", "x", "box", "y"], 125):
                with self.subTest(words=words, word=word):
                    self.assertFails(self.wcctl(*words), code, "image 'docker.io/library/box:latest'", "its config 'sha256:", f"is {word}",
                                     "pull or load it again", "system check")
            if word == "damaged":
                self.wcctl("system", "check", "--repair")
            self.wcctl_ok("pull", "-q", f"oci:{self.layout}:box")
            self.wcctl_ok("inspect", "box")
            self.wcctl_ok("system", "check")

    def test_words(self):
        self.assertFails(self.wcctl("--progress", "bogus", "ps"), 125, "--progress", "bogus", "plain")
        self.assertFails(self.wcctl("--log-level", "bogus", "ps"), 125, "--log-level", "bogus", "debug")

    def test_numbers(self):
        self.assertFails(self.wcctl("create", "--pids-limit", "-2", "box"), 125, "-2", "-1 or 0")
        self.assertFails(self.wcctl("create", "--stop-timeout", "-2", "box"), 125, "--stop-timeout", "-2")
        for limit in ("0", "101", "many"):
            self.assertFails(self.wcctl("search", "--limit", limit, "x"), 125, "--limit", limit)

    def test_names_that_are_not_there(self):
        place = f"{self.work}/saved.tar"
        self.assertFails(self.wcctl("pull", f"oci:{self.layout}:bux"), 125, "'bux'", "there is: 'box'")
        self.assertFails(self.wcctl("save", "-o", place, "box", "nosuch"), 125, "image 'nosuch'")
        self.assertFalse(os.path.exists(place))
        self.wcctl_ok("save", "-o", place, "box")
        self.assertFails(self.wcctl("pull", f"docker-archive:{place}:bux"), 125, "bux:latest'", "docker.io/library/box:latest'")

    def test_archives_that_are_none(self):
        before = glob.glob("/var/tmp/wcctl-*")
        for data, word in ("", "empty"), ("junk", "tar"):
            done = self.wcctl("load", stdin=data)
            self.assertFails(done, 125, "/dev/stdin", word)
            self.assertNotIn("/var/tmp", done.stderr)
        self.assertEqual(glob.glob("/var/tmp/wcctl-*"), before)


class WithoutEnd(WcctlCase):
    """-1 seconds, as in Docker."""

    def waits(self, *words):
        stop = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "stop", *words], stdout=subprocess.DEVNULL)
        time.sleep(2)
        self.assertIsNone(stop.poll(), "it waits")
        self.wcctl_ok("kill", words[-1])
        self.assertEqual(stop.wait(20), 0)

    def start(self, timeout):
        self.wcctl_ok("run", "-d", "--name", "stubborn", "--stop-timeout", timeout, "--network", "none", "box", "sh", "-c",
                      "trap '' TERM; while true; do sleep 0.1; done")
        time.sleep(0.3)
        return json.loads(self.wcctl_ok("inspect", "stubborn").stdout)[0]["Config"]["StopTimeout"]

    def test_of_the_container(self):
        self.assertEqual(self.start("-1"), -1)
        self.waits("stubborn")

    def test_of_the_command(self):
        self.assertEqual(self.start("1"), 1)
        self.waits("-t", "-1", "stubborn")


class Completion(WcctlCase):
    """Names of the store, as the shells are told; the rest is in cli_docs_test.py."""

    def complete(self, *words):
        done = subprocess.run([f"{BUILD}/bin/wcctl", "__complete", "--root", self.root, *words], capture_output=True, text=True)
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    def test_names(self):
        for name in ("apple", "pear"):
            self.wcctl_ok("create", "--name", name, "--network", "none", "box")
        self.assertEqual(sorted(self.complete("rm", "")), ["apple", "pear"])
        self.assertEqual(self.complete("rm", "apple", "p"), ["pear"])
        self.assertEqual(self.complete("cp", "app"), ["apple:", ":file"])
        self.assertEqual(self.complete("run", ""), ["box:latest"])
        self.assertEqual(self.complete("run", "-d", "--name", "x", "b"), ["box:latest"])
        self.assertEqual(self.complete("exec", "apple", ""), [":file"])
        self.assertEqual(sorted(self.complete("inspect", "")), ["apple", "box:latest", "bridge", "pear"])
        self.assertEqual(self.complete("tag", "box", ""), [])
        self.assertEqual(self.complete("nosuch", ""), [])


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
