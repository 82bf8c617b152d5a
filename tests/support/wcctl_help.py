# SPDX-License-Identifier: Apache-2.0
"""What wcctl says of itself: its commands and their options from --help, and the man page in pieces."""
import os
import re
import subprocess

WCCTL = os.path.join(os.environ["WC_TEST_BUILD"], "bin/wcctl")
DOCS = os.path.join(os.environ["WC_TEST_SOURCE"], "examples/wcctl")


def tell(*words):
    done = subprocess.run([WCCTL, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    if done.returncode:
        raise AssertionError(f"wcctl {' '.join(words)}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def listed(text):
    """Names in the indented tables of a list of commands, but for the options."""
    return re.findall(r"^  ([a-z]\w*) ", text.split("\nOptions:")[0], re.MULTILINE)


def subcommands(name):
    text = tell(name, "--help")
    return listed(text) if text.startswith(f"Usage: wcctl {name} COMMAND") else []


def commands():
    """Every command as it is typed: "pull", "system df"."""
    names = [f"{name} {below}" for name in listed(tell("--help")) for below in subcommands(name) or [""]]
    return [name.strip() for name in names]


def options(command):
    """Letters and names with their dashes; "" is what stands before the command."""
    text = tell(*command.split(), "--help").partition("\nOptions:\n")[2]
    columns = [line[:line.find("  ", 8)] for line in text.splitlines() if line.startswith("  ")]
    return {word for column in columns for word in re.findall(r"(?:^| )(--?[a-zA-Z][\w-]*)", column)}


def sections(mark="SH"):
    """Heading to text, of the man page as it is written, dashes plain and without fonts in lines."""
    with open(f"{DOCS}/wcctl.1", encoding="utf-8") as file:
        text = re.sub(r"\\f[BIR]", "", file.read().replace("\\-", "-"))
    parts = re.split(rf'^\.{mark} "?(.*?)"?$', text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))
