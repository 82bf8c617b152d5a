#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logs in systemd's journal: what is written there, and what `wcctl logs` reads back. Run by with_journal.sh."""
import json
import os
import signal
import socket
import subprocess
import time
import unittest

from wcctl_case import BUILD, WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

# Of the test's own, which it may stop; None: the host's.
JOURNALD = os.environ.get("WC_TEST_JOURNALD")
SOCKET = "/run/systemd/journal/socket"
DRIVER = ("--network", "none", "--log-driver", "journald")


class Journal(WcctlCase):
    def run_it(self, script, *options, name="one"):
        return self.wcctl_ok("run", "--name", name, *DRIVER, *options, "box", "sh", "-c", script)

    def logs(self, *options, name="one", text=True):
        return self.wcctl_ok("logs", *options, name, text=text)

    def container_id(self, name="one"):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"]

    def entries(self, name="one"):
        subprocess.run(["journalctl", "--sync"], check=True)
        told = subprocess.run(["journalctl", "-q", "-a", "-o", "json", f"CONTAINER_ID_FULL={self.container_id(name)}"],
                              check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in told.splitlines()]


class Written(Journal):
    def test_fields_are_those_of_docker(self):
        self.run_it("echo out; echo err >&2")
        container = self.container_id()
        entries = self.entries()
        self.assertEqual(sorted((entry["MESSAGE"], entry["PRIORITY"]) for entry in entries), [("err", "3"), ("out", "6")])
        expected = {"CONTAINER_ID": container[:12], "CONTAINER_ID_FULL": container, "CONTAINER_NAME": "one",
                    "CONTAINER_TAG": container[:12], "SYSLOG_IDENTIFIER": container[:12], "IMAGE_NAME": "box"}
        for entry in entries:
            self.assertEqual({name: entry.get(name) for name in expected}, expected)
            self.assertNotIn("CONTAINER_PARTIAL_MESSAGE", entry)

    def test_tag(self):
        self.run_it("echo x", "--log-opt", "tag=web/{{.Name}}/{{ .ID }}/{{.ImageName}}")
        entry = self.entries()[0]
        self.assertEqual(entry["CONTAINER_TAG"], f"web/one/{self.container_id()[:12]}/box")
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], entry["CONTAINER_TAG"])
        config = json.loads(self.wcctl_ok("inspect", "one").stdout)[0]["HostConfig"]["LogConfig"]
        self.assertEqual(config, {"Type": "journald", "Config": {"tag": "web/{{.Name}}/{{ .ID }}/{{.ImageName}}"}})
        for template in ("{{.Nonsense}}", "{{.Name", "{{Name}}", "{{"):
            self.assertFails(self.run_box("--log-opt", f"tag={template}", "--", "true"), 125, template, ".FullID")

    def test_long_lines_come_in_parts(self):
        self.run_it("yes 0123456789 | head -c 40000 | tr '\\n' x; echo; echo next")
        sizes = [(len(entry["MESSAGE"]), entry.get("CONTAINER_PARTIAL_MESSAGE")) for entry in self.entries()]
        self.assertEqual(sizes, [(16384, "true"), (16384, "true"), (40000 - 2 * 16384, None), (4, None)])

    def test_no_files_are_written(self):
        self.run_it("echo x")
        self.assertFalse(os.path.exists(f"{self.root}/containers/{self.container_id()}/log"))


class Read(Journal):
    def test_both_streams_in_order(self):
        self.run_it("echo one; sleep 0.2; echo two >&2; sleep 0.2; echo; printf unfinished")
        done = self.logs()
        self.assertEqual((done.stdout, done.stderr), ("one\n\nunfinished", "two\n"))
        times = [line.split(" ")[0] for line in self.logs("-t").stdout.splitlines()]
        self.assertEqual(times, sorted(times))
        self.assertTrue(all(len(one) == 30 for one in times), times)
        self.assertEqual(self.logs("--since", times[1]).stdout, "\nunfinished")
        self.assertEqual(self.logs("--until", times[0]).stdout, "one\n")

    def test_tail(self):
        self.run_it("yes 0123456789 | head -c 40000 | tr '\\n' x; echo; echo two; echo three; printf unfinished")
        whole = self.logs().stdout
        self.assertEqual(len(whole), 40001 + len("two\nthree\nunfinished"))
        for lines, expected in (("0", ""), ("1", "unfinished"), ("3", "two\nthree\nunfinished"), ("4", whole), ("99", whole)):
            self.assertEqual(self.logs("--tail", lines).stdout, expected, lines)

    def test_any_bytes(self):
        self.run_it(r"printf 'a\000b\377\n\n=\tx\r\n'", "-d")
        self.wcctl_ok("wait", "one")
        self.assertEqual(self.logs(text=False).stdout, b"a\0b\xff\n\n=\tx\r\n")

    def test_follow_to_the_end(self):
        self.wcctl_ok("run", "-d", "--name", "one", *DRIVER, "box", "sh", "-c",
                      "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done; printf end")
        self.assertEqual(self.logs("-f").stdout, "1\n2\n3\n4\n5\n6\nend")
        self.assertEqual(self.logs("-f", "--tail", "2").stdout, "6\nend")

    def test_follow_tells_at_once(self):
        self.wcctl_ok("run", "-d", "--name", "one", *DRIVER, "box", "sh", "-c", "echo now; sleep 100")
        with subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "logs", "-f", "one"], stdout=subprocess.PIPE,
                              text=True) as reader:
            self.assertEqual(reader.stdout.readline(), "now\n")
            self.wcctl_ok("rm", "-f", "one")
            self.assertEqual(reader.stdout.read(), "")

    def test_runs_follow_one_another(self):
        self.run_it("echo again")
        self.wcctl_ok("start", "-a", "one")
        self.assertEqual(self.logs().stdout, "again\nagain\n")

    def test_terminal(self):
        self.wcctl_ok("run", "-d", "-t", "--name", "one", *DRIVER, "box", "sh", "-c", "echo out; echo err >&2")
        self.wcctl_ok("wait", "one")
        self.assertEqual(self.logs(text=False).stdout, b"out\r\nerr\r\n")

    def test_lines_of_somebody_else_are_not_its_own(self):
        self.run_it("echo mine")
        text = f"MESSAGE=forged\nPRIORITY=6\nCONTAINER_ID_FULL={self.container_id()}\n".encode()
        child = os.fork()
        if not child:
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.sendto(text, SOCKET)
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertIn("forged", [entry["MESSAGE"] for entry in self.entries()])
        self.assertEqual(self.logs().stdout, "mine\n")


@unittest.skipUnless(JOURNALD, "the journal is the host's")
class Trouble(Journal):
    def tearDown(self):
        os.kill(int(JOURNALD), signal.SIGCONT)
        super().tearDown()

    def test_nothing_is_lost_of_much(self):
        self.run_it("seq 1 30000", "-d")
        self.wcctl_ok("wait", "one")
        self.assertEqual(self.logs().stdout, "".join(f"{i}\n" for i in range(1, 30001)))

    def test_container_waits_for_a_journal_that_does_not_take(self):
        os.kill(int(JOURNALD), signal.SIGSTOP)
        self.wcctl_ok("run", "-d", "--name", "one", *DRIVER, "box", "sh", "-c", "seq 1 30000; sleep 100")
        self.assertEqual(self.wcctl_ok("exec", "one", "echo", "served").stdout, "served\n")
        time.sleep(0.3)
        os.kill(int(JOURNALD), signal.SIGCONT)
        with subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "logs", "-f", "one"], stdout=subprocess.PIPE,
                              text=True) as reader:
            for i in range(1, 30001):
                self.assertEqual(reader.stdout.readline(), f"{i}\n")
            self.wcctl_ok("rm", "-f", "one")
            reader.stdout.read()

    def test_end_does_not_wait_for_ever(self):
        os.kill(int(JOURNALD), signal.SIGSTOP)
        self.wcctl_ok("run", "-d", "--name", "one", *DRIVER, "box", "sh", "-c", "seq 1 30000; sleep 100")
        self.wcctl_ok("kill", "one")
        self.assertEqual(self.wcctl_ok("wait", "one").stdout, "137\n")


@unittest.skipUnless(JOURNALD, "the journal is the host's")
class Absent(WcctlCase):
    def hidden(self, path, *words):
        """wcctl, where something empty is in place of the path."""
        kind = f"mount -t tmpfs tmpfs {path}" if os.path.isdir(path) else f"mount --bind /dev/null {path}"
        return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", f'{kind} && exec "$@"', "hidden",
                               f"{BUILD}/bin/wcctl", "--root", self.root, *words], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)

    def test_no_journal(self):
        done = self.hidden("/run/systemd", "run", "--name", "one", *DRIVER, "box", "true")
        self.assertFails(done, 125, "log driver 'journald'", SOCKET, "systemd-journald")

    def test_no_program_to_read_it(self):
        self.wcctl_ok("run", "--name", "one", *DRIVER, "box", "true")
        program = os.path.realpath("/usr/bin/journalctl")
        self.assertFails(self.hidden(program, "logs", "one"), 125, "journalctl", "not installed")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
