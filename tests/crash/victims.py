# SPDX-License-Identifier: Apache-2.0
"""Commands that are killed, for the crash tests."""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time


class Failure(Exception):
    pass


def arguments(rounds):
    """The program's, with `rounds` of the short run; ends it as skipped where containers cannot run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("source")
    parser.add_argument("--rounds", type=int, default=1000 if os.environ.get("WC_TEST_LONG") == "1" else rounds)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("SKIP: needs root")
        sys.exit(77)
    if not shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        print("SKIP: no OCI runtime (runc)")
        sys.exit(77)
    return args


class Victims:
    """Runs wcctl and kills it, at instants spread over the time that each kind of command takes."""

    def __init__(self, wcctl, chance):
        self.wcctl, self.chance = wcctl, chance
        self.typical = {}
        self.landed, self.rounds = {}, {}

    def kill(self, words, strike=None, may_fail=False, operation=None):
        """True when it reported success. `strike` is what is done to the child at that instant."""
        operation = operation or words[0]
        typical = self.typical.get(operation, 0.05)
        self.rounds[operation] = self.rounds.get(operation, 0) + 1
        begin = time.monotonic()
        child = subprocess.Popen(self.wcctl + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            _, errors = child.communicate(timeout=typical * self.chance.random() * 1.2)
        except subprocess.TimeoutExpired:
            self.typical[operation] = typical * 1.05
            self.landed[operation] = self.landed.get(operation, 0) + 1
            if strike:
                strike(child)
            else:
                child.kill()
            child.communicate(timeout=60)
            return child.returncode == 0
        self.typical[operation] = typical * 0.5 + (time.monotonic() - begin) * 0.5
        if child.returncode and not may_fail:
            raise Failure(f"wcctl {' '.join(words)}: exit {child.returncode}: {errors.strip()}")
        return child.returncode == 0

    def summary(self):
        """How many kills came while the command was at work; too few would prove nothing."""
        landed, rounds = sum(self.landed.values()), sum(self.rounds.values())
        if landed * 3 < rounds:
            raise Failure(f"only {landed} of {rounds} kills came in time: too few to prove anything")
        return f"{landed} of {rounds} kills while it was at work {self.landed}"
