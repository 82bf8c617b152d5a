#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What wcctl can do, its man page tells and the shells complete: commands, subcommands and options, by --help of
the tool that was built."""
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["WC_TEST_SOURCE"], "tests/support"))

import named_skips  # noqa: E402
import wcctl_help  # noqa: E402

HELPERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "complete")


class Help(unittest.TestCase):
    def test_every_command_has_its_own(self):
        commands = wcctl_help.commands()
        self.assertGreater(len(commands), 40)
        for command in commands:
            with self.subTest(command=command):
                self.assertRegex(wcctl_help.tell(*command.split(), "--help"), f"^Usage: wcctl {command}\\b")


class ManPage(unittest.TestCase):
    """A command's own part has all of its options, or sends to where they are."""

    @classmethod
    def setUpClass(cls):
        page = wcctl_help.sections()
        cls.registry, cls.globals = page["REGISTRY OPTIONS"], page["GLOBAL OPTIONS"]
        # A command's part ends with the next heading of either kind.
        cls.parts = {usage: text.split("\n.SH ")[0] for usage, text in wcctl_help.sections("SS").items()}

    def part(self, command):
        found = [text for usage, text in self.parts.items() if f"{usage} ".startswith(f"{command} ")]
        self.assertEqual(len(found), 1, f"'{command}' in the man page")
        text = found[0]
        if re.search(r"Takes the\n\.B registry options", text):
            text += self.registry
        other = re.search(r"Takes the options of\n\.BR? (\w+)", text)
        return text + self.part(other.group(1)) if other else text

    def test_usage_is_that_of_the_tool(self):
        for command in wcctl_help.commands():
            usage = wcctl_help.tell(*command.split(), "--help").split("\n")[0].removeprefix("Usage: wcctl ")
            self.assertIn(usage, self.parts)

    def test_has_every_option(self):
        for command in wcctl_help.commands():
            text = self.part(command)
            missing = [o for o in wcctl_help.options(command) if not re.search(rf"(?<![\w-]){o}(?![\w-])", text)]
            self.assertEqual(missing, [], command)

    def test_has_no_option_that_is_not_there(self):
        for command in wcctl_help.commands():
            headings = re.findall(r"^\.TP\n(-.*)$", self.part(command), re.MULTILINE)
            listed = {word for heading in headings for word in re.findall(r"(?:^|, )(--?[\w-]+)", heading)}
            self.assertEqual(listed - wcctl_help.options(command), set(), command)

    def test_has_every_global_option(self):
        missing = [o for o in wcctl_help.options("") if f"{o} " not in f"{self.globals} " and f"{o}\n" not in self.globals]
        self.assertEqual(missing, [])

    def test_renders_without_a_warning(self):
        if not shutil.which("man"):
            self.skipTest("man is not installed")
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", f"{wcctl_help.DOCS}/wcctl.1"],
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.assertEqual(done.stderr, b"")


class Completion:
    """In each shell that is installed; the shell itself is asked."""
    shell = []

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.shell[0]):
            raise unittest.SkipTest(f"{cls.shell[0]} is not installed")

    def complete(self, *lines):
        """A set of words for each line."""
        env = {**os.environ, "PATH": f"{os.path.dirname(wcctl_help.WCCTL)}:{os.environ['PATH']}", "HOME": HELPERS,
               "XDG_CONFIG_HOME": "/nonexistent", "TERM": "dumb"}
        done = subprocess.run([*self.shell, f"{HELPERS}/with.{self.shell[0]}", f"{wcctl_help.DOCS}/completions"], env=env,
                              input="".join(f"{line}\n" for line in lines), capture_output=True, text=True, timeout=100,
                              cwd=HELPERS)
        blocks = [block.split("\n") for block in ("\n" + done.stdout.replace("\r", "")).split("\n-- ")[1:]]
        told = {block[0]: {word for word in block[1:] if word} for block in blocks}
        self.assertEqual(list(told), list(lines), done.stderr)
        return [told[line] for line in lines]

    def test_commands_and_subcommands(self):
        names = sorted({command.split()[0] for command in wcctl_help.commands()})
        groups = [name for name in names if wcctl_help.subcommands(name)]
        self.assertEqual(groups, ["artifact", "group", "manifest", "network", "system", "volume"])
        top, *below = self.complete("wcctl ", *(f"wcctl {name} " for name in groups))
        self.assertEqual(top, set(names))
        for name, words in zip(groups, below):
            self.assertEqual(words, set(wcctl_help.subcommands(name)))

    def test_options(self):
        commands = wcctl_help.commands()
        told = self.complete(*(f"wcctl {command} -" for command in commands))
        for command, words in zip(commands, told):
            self.assertEqual(words, wcctl_help.options(command) | {"--help"}, command)
        self.assertEqual(self.complete("wcctl -")[0], wcctl_help.options("") | {"--help"})

    def test_values_and_files(self):
        pull, progress, files, after = self.complete("wcctl run --pull ", "wcctl --progress ", "wcctl save -o with.",
                                                     "wcctl --log-level error kil")
        self.assertEqual(pull, {"missing", "always", "never"})
        self.assertEqual(progress, {"auto", "plain", "json", "none"})
        self.assertEqual(files, {"with.bash", "with.fish", "with.zsh"})
        self.assertEqual(after, {"kill"})


class Bash(Completion, unittest.TestCase):
    shell = ["bash", "--norc"]


class Fish(Completion, unittest.TestCase):
    shell = ["fish", "--no-config"]


class Zsh(Completion, unittest.TestCase):
    shell = ["zsh", "-f"]


if __name__ == "__main__":
    named_skips.main()
