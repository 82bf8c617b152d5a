#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks when something goes wrong: the monitor, netavark, aardvark-dns or the caller is killed at any step, and no
rule, interface, address or file stays. netavark is the real one; its iptables counts the calls and kills at one."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from network_case import NetworkCase, interfaces, need_networks, process_end, rules
from wcctl_case import BUILD

need_networks()

PLACE = next(place for place in ("/usr/lib/podman", "/usr/libexec/podman") if os.path.exists(f"{place}/netavark"))

NETAVARK = """#!/bin/sh
PATH=$DIR/bin:$PATH
export PATH
exec $DIR/real/netavark "$@"
"""
# Its parent is netavark, whose parent is who set it to work.
IPTABLES = """#!/bin/sh
count=$(($(cat $DIR/count) + 1))
echo $count > $DIR/count
if [ $count = "$(cat $DIR/at)" ]; then
    [ "$(cat $DIR/victim)" = netavark ] && kill -9 $PPID
    [ "$(cat $DIR/victim)" = monitor ] && kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)
fi
exec $TOOL "$@"
"""


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Faults(NetworkCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wcctl_ok("network", "create", "web")
        cls.fake = tempfile.mkdtemp(prefix="wc-netavark-")
        for name in ("real", "bin", "place"):
            os.mkdir(f"{cls.fake}/{name}")
        for name in os.listdir(PLACE):
            shutil.copy(f"{PLACE}/{name}", f"{cls.fake}/real/{name}")
            shutil.copy(f"{PLACE}/{name}", f"{cls.fake}/place/{name}")
        write(f"{cls.fake}/place/netavark", NETAVARK.replace("$DIR", cls.fake), 0o755)
        for tool in ("iptables", "ip6tables"):
            path = next(f"{place}/{tool}" for place in ("/usr/sbin", "/sbin") if os.path.exists(f"{place}/{tool}"))
            write(f"{cls.fake}/bin/{tool}", IPTABLES.replace("$DIR", cls.fake).replace("$TOOL", path), 0o755)
        subprocess.run(["mount", "--bind", f"{cls.fake}/place", PLACE], check=True)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", PLACE], check=True)
        shutil.rmtree(cls.fake)
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.kill(0, "nobody")

    def kill(self, at, victim):
        """At which call from now on, and whom."""
        for name, value in (("count", 0), ("at", at), ("victim", victim)):
            write(f"{self.fake}/{name}", f"{value}\n")

    def tearDown(self):
        self.kill(0, "nobody")
        for name in self.wcctl_ok("ps", "-a", "-q", "--no-trunc").stdout.split():
            self.wcctl_ok("rm", "-f", name)
        self.assertNothingLeft()

    def calls(self):
        with open(f"{self.fake}/count", encoding="utf-8") as file:
            return int(file.read() or 0)

    def create(self, name):
        self.wcctl_ok("create", "--name", name, "--network", "web", "-p", "8080:80", "box", "sleep", "1000")

    def steps(self):
        """Calls of one whole start, and of one whole stop."""
        self.create("whole")
        self.wcctl_ok("start", "whole")
        start = self.calls()
        self.wcctl_ok("stop", "-t", "0", "whole")
        stop = self.calls() - start
        self.wcctl_ok("rm", "whole")
        self.assertGreater(start, 10)
        self.assertGreater(stop, 5)
        return start, stop

    def test_killed_while_it_starts(self):
        start, _ = self.steps()
        for victim in ("netavark", "monitor"):
            for at in list(range(1, start, 5)) + [start]:
                with self.subTest(victim=victim, at=at):
                    self.wcctl("rm", "-f", "once")
                    self.create("once")
                    self.kill(at, victim)
                    done = self.wcctl("start", "once")
                    if not done.returncode and self.calls() < at:
                        continue # what netavark makes once is there by now
                    self.assertNotEqual(done.returncode, 0)
                    self.assertEqual(self.state("once")["Status"], "created")
                    self.assertNothingLeft()
                    self.kill(0, "nobody")
                    self.wcctl_ok("start", "once")
                    self.assertEqual(self.wcctl_ok("port", "once").stdout, "80/tcp -> 0.0.0.0:8080\n")
                    self.wcctl_ok("rm", "-f", "once")
                    self.assertNothingLeft()

    def test_killed_while_it_ends(self):
        _, stop = self.steps()
        for victim in ("netavark", "monitor"):
            for at in list(range(1, stop, 5)) + [stop]:
                with self.subTest(victim=victim, at=at):
                    self.wcctl("rm", "-f", "once")
                    self.create("once")
                    self.wcctl_ok("start", "once")
                    self.kill(at, victim)
                    self.wcctl("stop", "-t", "0", "once")
                    self.kill(0, "nobody")
                    self.assertNotEqual(self.state("once")["Status"], "running")
                    self.assertNothingLeft()
                    self.wcctl_ok("rm", "once")

    def test_killed_while_it_runs(self):
        """Then another container may have the address, and nothing of the old one is in its way."""
        self.create("old")
        self.wcctl_ok("start", "old")
        address = self.settings("old")["IPAddress"]
        process_end(self.monitor_pid("old"))
        self.assertEqual(self.state("old")["Status"], "exited")
        self.assertEqual((interfaces(), rules()), (self.interfaces_before, []))
        self.serve("new", "--network", "web", "-p", "8080:80")
        self.assertEqual(self.settings("new")["IPAddress"], address)
        self.assertEqual(self.fetch_here("http://127.0.0.1:8080/"), "new")

    def test_the_caller_is_killed(self):
        start, _ = self.steps()
        for at in (1, start // 2, start):
            self.create("once")
            caller = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "start", "once"], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            while self.calls() < at and caller.poll() is None:
                pass
            caller.kill()
            caller.wait()
            self.wcctl_ok("rm", "-f", "once")
            self.assertNothingLeft()
            self.kill(0, "nobody")

    def test_names_are_killed(self):
        """The next container that comes brings them back, for all."""
        self.serve("server", "--network", "web")
        self.start("client", "--network", "web")
        self.assertEqual(self.fetch("client", "http://server/"), "server")
        process_end(self.names_pid())
        self.start("another", "--network", "web")
        self.assertEqual(self.fetch("client", "http://server/"), "server")
        self.assertIsNotNone(self.names_pid())

    def test_the_programs_are_missing(self):
        os.mkdir(f"{self.fake}/empty")
        subprocess.run(["mount", "--bind", f"{self.fake}/empty", PLACE], check=True)
        try:
            done = self.wcctl("run", "--rm", "box", "true")
            self.assertFails(done, 125, "netavark", "not found", "install the packages", "'none' or 'host'")
            self.wcctl_ok("run", "--rm", "--network", "none", "box", "true")
            shutil.copy(f"{self.fake}/real/netavark", f"{self.fake}/empty/netavark")
            self.wcctl_ok("run", "--rm", "box", "true")
            self.assertFails(self.wcctl("run", "--rm", "--network", "web", "box", "true"), 125, "aardvark-dns", "not found")
        finally:
            subprocess.run(["umount", PLACE], check=True)

    def test_it_says_nothing_sensible(self):
        for text, parts in (("echo '{\"error\":\"no luck\"}'; exit 1", ("netavark", "no luck")),
                            ("echo nonsense", ("netavark", "no JSON object")), ("exit 3", ("netavark", "did not say why")),
                            ("kill -9 $$", ("netavark", "did not say why")),
                            ("echo first >&2; echo last >&2; exit 1", ("netavark: last",))):
            with self.subTest(text=text):
                path = f"{self.fake}/place/netavark"
                os.rename(path, f"{path}.kept")
                try:
                    write(path, f"#!/bin/sh\ncat > /dev/null\n[ \"$5\" = teardown ] && exit 0\n{text}\n", 0o755)
                    self.assertFails(self.wcctl("run", "--rm", "box", "true"), 125, *parts)
                finally:
                    os.rename(f"{path}.kept", path)

    def test_the_host_s_firewall_is_read_only(self):
        self.assertTrue(os.stat("/proc/sys/net/ipv4/ip_forward").st_mode & stat.S_IWUSR)
        subprocess.run(["mount", "--bind", "/proc/sys", "/proc/sys"], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", "/proc/sys"], check=True)
        try:
            self.assertFails(self.wcctl("run", "--rm", "box", "true"), 125, "netavark", "writable /proc/sys")
        finally:
            subprocess.run(["umount", "/proc/sys"], check=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
