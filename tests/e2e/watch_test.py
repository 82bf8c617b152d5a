#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers from outside: slow readers, logs, figures, processes, events, lists."""
import os
import signal
import subprocess
import time
import unittest

from wcctl_case import BUILD, WcctlCase, need_runtime


def write_zeros(count):
    return "sh", "-c", f"head -c {count} /dev/zero"


class SlowReaders(WcctlCase):
    def popen(self, *words, **more):
        return subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words], stdin=subprocess.DEVNULL, **more)

    def test_reader_that_sleeps_gets_all(self):
        child = self.popen("run", "--rm", "--network", "none", "box", *write_zeros(40000000), stdout=subprocess.PIPE)
        time.sleep(6)
        data = child.stdout.read()
        child.stdout.close()
        self.assertEqual((child.wait(60), len(data)), (0, 40000000))

    def test_reader_of_exec_that_sleeps_gets_all(self):
        self.wcctl_ok("run", "-d", "--name", "box1", "--network", "none", "box", "sleep", "100")
        child = self.popen("exec", "box1", *write_zeros(4000000), stdout=subprocess.PIPE)
        time.sleep(3)
        data = child.stdout.read()
        child.stdout.close()
        self.assertEqual((child.wait(60), len(data)), (0, 4000000))

    def test_one_that_never_reads_stops_nobody_else(self):
        """The container waits for its reader; it can be looked at, executed in and stopped all the same."""
        child = self.popen("run", "--name", "box1", "--network", "none", "box", *write_zeros(40000000),
                           stdout=subprocess.PIPE)
        time.sleep(3)
        self.assertEqual(self.state("box1")["Status"], "running")
        self.assertEqual(self.wcctl_ok("exec", "box1", "echo", "here").stdout, "here\n")
        self.wcctl_ok("kill", "box1")
        self.assertEqual(self.wcctl_ok("wait", "box1").stdout, "137\n")
        self.wcctl_ok("rm", "box1")  # the end is known though its reader has not read
        data = child.stdout.read()
        child.stdout.close()
        self.assertEqual(child.wait(60), 137)
        self.assertLess(len(data), 40000000)

    def test_reader_that_is_killed_lets_it_go_on(self):
        child = self.popen("run", "--name", "box1", "--network", "none", "box", *write_zeros(4000000),
                           stdout=subprocess.PIPE)
        time.sleep(3)
        child.send_signal(signal.SIGKILL)
        child.wait(20)
        child.stdout.close()
        self.assertEqual(self.wcctl_ok("wait", "box1").stdout, "0\n")


class FastLogs(WcctlCase):
    """A container that writes as fast as it can loses no line and tears none."""
    LINES = 3000000  # 25 MB

    def logged(self, *options):
        self.wcctl_ok("run", "--name", "fast", "-d", "--network", "none", *options, "box", "sh", "-c",
                      f"seq 1 {self.LINES} & seq -s ' ' 1 200000 >&2; wait")
        self.assertEqual(self.wcctl_ok("wait", "fast").stdout, "0\n")
        return self.wcctl_ok("logs", "fast", timeout=300)

    def test_every_line_is_there(self):
        done = self.logged("--log-opt", "max-size=1g")
        self.assertTrue(done.stdout == "".join(f"{i}\n" for i in range(1, self.LINES + 1)), "standard output")
        self.assertTrue(done.stderr == " ".join(str(i) for i in range(1, 200001)) + "\n", "standard error")

    def test_what_rotation_leaves_is_whole(self):
        done = self.logged("--log-opt", "max-size=3m", "--log-opt", "max-file=4")
        lines = done.stdout.splitlines()
        first = int(lines[0])
        self.assertGreater(first, 1)
        self.assertTrue(done.stdout == "".join(f"{i}\n" for i in range(first, self.LINES + 1)),
                        f"not every line from {first} on")


if __name__ == "__main__":
    need_runtime()
    unittest.main(verbosity=2)
