# SPDX-License-Identifier: Apache-2.0
"""What the tests of networks share. They run under support/netns.sh: a host network and /run of their own."""
import glob
import json
import os
import signal
import subprocess
import sys
import time

from wcctl_case import WcctlCase, find, need_runtime

# Chains that netavark makes once and leaves, empty of everything that belongs to one network.
STANDING = ("NETAVARK_FORWARD", "NETAVARK_ISOLATION_1", "NETAVARK_ISOLATION_2", "NETAVARK-HOSTPORT-DNAT",
            "NETAVARK-HOSTPORT-MASQ", "NETAVARK-HOSTPORT-SETMARK")


def need_networks():
    """Ends the whole program as skipped where networks cannot be had."""
    need_runtime()
    if os.environ.get("WC_TEST_NETNS") != "inside":
        print("SKIP: run it by tests/support/netns.sh, which gives it a network of its own")
        sys.exit(77)
    for program, package in (("netavark", "netavark"), ("aardvark-dns", "aardvark-dns")):
        places = [f"{place}/{program}" for place in ("/usr/lib/podman", "/usr/libexec/podman")]
        if not find(program) and not any(map(os.path.exists, places)):
            print(f"SKIP: {program} is not installed (package {package})")
            sys.exit(77)
    if not find("iptables-save"):
        print("SKIP: iptables is not installed")
        sys.exit(77)


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def interfaces():
    return {one["ifname"] for one in json.loads(run("ip", "-j", "link")) if one["ifname"] != "lo"}


def rules():
    """Lines of the firewall that belong to a network or container."""
    found = []
    for save in ("iptables-save", "ip6tables-save"):
        for line in run(save).splitlines():
            words = line.split()
            if line.startswith("-A NETAVARK") and "-j" in words and words[1] in STANDING:
                standing = words[1] in ("NETAVARK-HOSTPORT-MASQ", "NETAVARK-HOSTPORT-SETMARK")
                found += [] if standing else [line]
            elif line.startswith(":NETAVARK") and words[0][1:] not in STANDING:
                found.append(line)
            elif line.startswith("-A POSTROUTING -s"):
                found.append(line)
    return found


def process_end(pid):
    """Kills it, and waits until the kernel has."""
    os.kill(pid, signal.SIGKILL)
    for _ in range(500):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} does not end")


class NetworkCase(WcctlCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_root = f"{cls.root}/run"

    def tearDown(self):
        super().tearDown()
        self.wcctl_ok("network", "prune")
        self.assertNothingLeft()

    def assertNothingLeft(self):
        self.assertEqual(interfaces(), self.interfaces_before)
        self.assertEqual(rules(), [])
        self.assertEqual(glob.glob(f"{self.run_root}/containers/*/network.json"), [])
        self.assertIsNone(self.names_pid())

    def setUp(self):
        self.interfaces_before = interfaces()

    def names_pid(self):
        """The process of aardvark-dns of this store, when it runs."""
        try:
            with open(f"{self.run_root}/networks/aardvark-dns/aardvark.pid", encoding="utf-8") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return None if file.read().rsplit(")", 1)[1].split()[0] == "Z" else pid
        except (OSError, ValueError):
            return None

    def monitor_pid(self, name):
        path = f"{self.run_root}/containers/{self.id_of(name)}/monitor.json"
        with open(path, encoding="utf-8") as file:
            return json.load(file)["monitor"]

    def id_of(self, name):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"]

    def network(self, name, *options):
        self.wcctl_ok("network", "create", *options, name)

    def inspect_network(self, name):
        return json.loads(self.wcctl_ok("network", "inspect", name).stdout)[0]

    def settings(self, name):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["NetworkSettings"]

    def start(self, name, *options, command=("sleep", "1000")):
        return self.wcctl_ok("run", "-d", "--name", name, *options, "box", *command).stdout.strip()

    def serve(self, name, *options, port=80):
        """A web server that says its name."""
        self.start(name, *options, command=("sh", "-c", f"mkdir /www; echo {name} > /www/index.html; "
                                            f"exec httpd -f -p {port} -h /www"))

    def restart(self, name):
        """Its process dies, and its policy starts it again."""
        before = json.loads(self.wcctl_ok("inspect", name).stdout)[0]
        process_end(before["State"]["Pid"])
        for _ in range(300):
            now = json.loads(self.wcctl_ok("inspect", name).stdout)[0]
            if now["State"]["Status"] == "running" and now["RestartCount"] > before["RestartCount"]:
                return
            time.sleep(0.1)
        raise AssertionError(f"{name} is not restarted: {now['State']}")

    def inside(self, name, *command):
        return self.wcctl_ok("exec", name, *command).stdout

    def fetch(self, name, url):
        """As the container sees it, once somebody answers there."""
        return self.retry(lambda: self.wcctl("exec", name, "timeout", "3", "wget", "-qO-", url))

    def fetch_here(self, url):
        return self.retry(lambda: subprocess.run(["curl", "-s", "-g", "--noproxy", "*", "-m", "3", url], capture_output=True,
                                                 text=True))

    def retry(self, call):
        for _ in range(50):
            done = call()
            if not done.returncode:
                return done.stdout.strip()
            time.sleep(0.1)
        raise AssertionError(f"nobody answers: {done.stderr}")

    def assertUnreachable(self, name, address):
        done = self.wcctl("exec", name, "ping", "-c", "1", "-W", "1", address)
        self.assertNotEqual(done.returncode, 0, done.stdout)
