#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The network of an ordinary user's containers: pasta or slirp4netns, as the first argument says.

They run under support/user_world.sh: what is outside of the containers is this program's own network namespace."""
import concurrent.futures
import hashlib
import http.server
import json
import os
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
import unittest

from wcctl_case import WcctlCase, find, is_rootless, need_runtime, runs

HELPER = sys.argv.pop(1)
WORLD, WORLD6 = "192.0.2.1", "2001:db8::1"
BUSY = 18080  # a port that this program has

ECHO = """import socket
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end.bind(("", 53))
while True:
    end.sendto(*end.recvfrom(100))
"""

need_runtime()
if os.environ.get("WC_TEST_NETNS") != "inside" or not is_rootless():
    print("SKIP: run it by tests/support/user_world.sh, which gives it a network of its own")
    sys.exit(77)
if not find(HELPER):
    print(f"SKIP: {HELPER} is not installed")
    sys.exit(77)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"world {self.path}".encode())

    def log_message(self, *_):
        pass


class Names(socketserver.BaseRequestHandler):
    """Every name is 192.0.2.1."""

    def handle(self):
        data, end = self.request
        question = data[12:data.index(b"\0", 12) + 5]
        is_v4 = question[-4:-2] == b"\0\1"
        head = data[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, is_v4, 0, 0)
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(WORLD) if is_v4 else b""
        end.sendto(head + question + answer, self.client_address)


class Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def serve_forever(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(one) for one in file.read().split()]


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


class RootlessCase(WcctlCase):
    global_options = ["--network-helper", HELPER]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = [serve_forever(http.server.ThreadingHTTPServer((WORLD, 7777), Page)),
                       serve_forever(http.server.ThreadingHTTPServer(("127.0.0.1", 7778), Page)),
                       serve_forever(Server6((WORLD6, 7777), Page)),
                       serve_forever(socketserver.ThreadingUDPServer((WORLD, 53), Names))]
        cls.busy = socket.create_server(("0.0.0.0", BUSY))

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.shutdown()
            server.server_close()
        cls.busy.close()
        super().tearDownClass()

    def tearDown(self):
        super().tearDown()
        run = f"{self.root}/run"
        self.assertEqual(os.listdir(f"{run}/containers"), [])
        for _ in range(1000): # those who saw to it go last
            left = self.hub() + [one for one in os.listdir(f"{run}/userns") if runs(int(one.split("-")[0]))]
            if not left:
                break
            time.sleep(0.01)
        self.assertEqual(left, [])
        if os.path.isdir(f"{run}/networks"):
            self.assertEqual([one for one in os.listdir(f"{run}/networks") if not one.endswith(".lock")], [])

    def hub(self):
        """The processes that work in the directory of the networks: the hub, pasta or slirp4netns, aardvark-dns."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                    words = file.read().split("\0")
                cwd = os.readlink(f"/proc/{pid}/cwd") if words[0].endswith("wc-helper") else ""
            except OSError:
                continue
            if (words[1:2] == ["hub"] and cwd == f"{self.root}/run/networks") or any(
                    one.startswith(f"{self.root}/run/networks/") for one in words):
                found.append((int(pid), " ".join(words[:2])))
        return found

    def hub_pid(self):
        found = [pid for pid, words in self.hub() if words.endswith("wc-helper hub")]
        self.assertEqual(len(found), 1, self.hub())
        return found[0]

    def start(self, name, *options, command=("sleep", "1000")):
        return self.wcctl_ok("run", "-d", "--name", name, *options, "box", *command).stdout.strip()

    def serve(self, name, *options, port=80):
        self.start(name, *options, command=("sh", "-c", f"mkdir /www; echo {name} > /www/index.html; "
                                            f"exec httpd -f -p {port} -h /www"))

    def inside(self, name, *command):
        return self.wcctl_ok("exec", name, *command).stdout

    def retry(self, call):
        for _ in range(100):
            done = call()
            if not done.returncode:
                return done.stdout.strip()
            time.sleep(0.1)
        raise AssertionError(f"nobody answers: {done.stdout} {done.stderr}")

    def fetch(self, name, url):
        return self.retry(lambda: self.wcctl("exec", name, "timeout", "5", "wget", "-qO-", url))

    def fetch_here(self, url):
        return self.retry(lambda: subprocess.run(["curl", "-s", "-g", "--noproxy", "*", "-m", "3", url], capture_output=True,
                                                 text=True))

    def monitor(self, name):
        found = json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"]
        with open(f"{self.root}/run/containers/{found}/monitor.json", encoding="utf-8") as file:
            return json.load(file)["monitor"]

    def helper_of(self, name):
        """The process that connects it."""
        found = [one for one in children(self.monitor(name)) if comm(one).startswith(("pass", "past", "slirp"))]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def end(self, *pids):
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for _ in range(500):
            if not any(runs(pid) for pid in pids):
                return
            time.sleep(0.01)
        self.fail(f"one of the processes {pids} does not end")

    def assertEchoes(self, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.settimeout(0.5)
            for _ in range(40):
                end.sendto(b"ping", (WORLD, port))
                try:
                    self.assertEqual(end.recv(100), b"ping")
                    return
                except socket.timeout:
                    continue
        self.fail("no answer by udp")

    def events(self):
        lines = self.wcctl_ok("--json", "events", "--no-follow", "--after", "").stdout.splitlines()
        return [json.loads(one) for one in lines if "network_" in one]


class DefaultNetwork(RootlessCase):
    def test_the_way_out(self):
        self.start("one")
        self.assertEqual(self.fetch("one", f"http://{WORLD}:7777/a"), "world /a")
        self.assertIn("inet 10.0.2.100/24 ", self.inside("one", "ip", "address", "show", "eth0"))
        self.assertIn("mtu 65520", self.inside("one", "ip", "link", "show", "eth0"))
        self.assertIn("default via 10.0.2.2", self.inside("one", "ip", "route"))
        if HELPER == "pasta":
            self.assertEqual(self.fetch("one", f"http://[{WORLD6}]:7777/b"), "world /b")
        settings = json.loads(self.wcctl_ok("inspect", "one").stdout)[0]["NetworkSettings"]
        self.assertEqual(settings["Networks"]["bridge"]["IPAddress"], "10.0.2.100")
        self.assertEqual(settings["Networks"]["bridge"]["Gateway"], "10.0.2.2")

    def test_names(self):
        self.start("one")
        self.assertEqual(self.inside("one", "cat", "/etc/resolv.conf"), "nameserver 10.0.2.3\n")
        self.assertEqual(self.fetch("one", "http://shop.example:7777/c"), "world /c")
        self.start("two", "--dns", "192.0.2.77", "--dns-search", "example")
        self.assertEqual(self.inside("two", "cat", "/etc/resolv.conf"), "search example\nnameserver 192.0.2.77\n")

    def test_the_host(self):
        """It is reached at its own address; what it offers to itself alone is not reached."""
        self.start("one", "--add-host", "up:host-gateway")
        self.assertIn(f"{WORLD}\tup\n", self.inside("one", "cat", "/etc/hosts"))
        self.assertEqual(self.fetch("one", "http://up:7777/d"), "world /d")
        for address in ("10.0.2.2", "127.0.0.1"):
            done = self.wcctl("exec", "one", "timeout", "2", "wget", "-qO-", f"http://{address}:7778/")
            self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_published_ports(self):
        self.serve("web", "-p", "8080:80", "-p", "127.0.0.1:8081:80", "-p", "80")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "web")
        self.assertEqual(self.fetch_here("http://127.0.0.1:8081/"), "web")
        with self.assertRaises(OSError):
            socket.create_connection((WORLD, 8081), 2)
        shown = self.wcctl_ok("port", "web").stdout.split("\n")
        self.assertIn("80/tcp -> 0.0.0.0:8080", shown)
        random = [one.rsplit(":", 1)[1] for one in shown if "0.0.0.0:" in one and not one.endswith(":8080")]
        self.assertEqual(self.fetch_here(f"http://{WORLD}:{random[0]}/"), "web")
        if HELPER == "pasta":
            self.assertEqual(self.fetch_here(f"http://[{WORLD6}]:8080/"), "web")
        # What is taken is told by its number, also after the container has gone.
        self.assertFails(self.wcctl("run", "-p", "8080:80", "box"), 125, "port 8080/tcp", "by container 'web'")
        self.wcctl_ok("rm", "-f", "web")
        self.serve("web", "-p", "8080:80")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "web")

    def test_ranges_and_udp(self):
        self.start("one", "-p", "8100-8102:9000-9002", "-p", "5300:53/udp", command=("sh", "-c", "mkdir /www; "
                   "echo ok >/www/index.html; httpd -p 9000 -h /www; httpd -p 9002 -h /www; exec sleep 1000"))
        server = subprocess.Popen(["nsenter", "-U", "-n", "-t", str(self.state("one")["Pid"]), sys.executable, "-c", ECHO])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8100/"), "ok")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8102/"), "ok")
        self.assertEchoes(5300)

    def test_what_cannot_be(self):
        done = self.wcctl("run", "-p", f"{BUSY}:80", "box")
        self.assertFails(done, 125, f"port 0.0.0.0:{BUSY}/tcp", "already allocated")
        self.assertFails(self.wcctl("run", "-p", "52:80", "box"), 125, "port 0.0.0.0:52/tcp", "ip_unprivileged_port_start")
        self.assertFails(self.wcctl("run", "-p", "8080:80/sctp", "box"), 125, "8080/sctp", HELPER)
        if HELPER == "slirp4netns":
            self.assertFails(self.wcctl("run", "-p", "[::1]:8080:80", "box"), 125, "[::1]:8080", "install pasta")
        self.assertFails(self.wcctl("run", "--mac-address", "02:00:00:00:00:01", "box"), 125, "MAC")
        self.wcctl_ok("create", "--name", "later", "box", "true")
        self.wcctl_ok("network", "create", "extra")
        self.assertFails(self.wcctl("network", "connect", "extra", "later"), 125, "network 'bridge'", "ordinary user")
        self.assertFails(self.wcctl("run", "--network", "bridge", "--network", "extra", "box"), 125, "ordinary user")
        self.wcctl_ok("network", "rm", "extra")
        missing = f"{self.work}/{HELPER}"
        self.assertFails(self.wcctl("--network-helper", missing, "run", "box"), 125, missing, "was not found", "passt")
        self.assertFails(self.wcctl("--network-helper", "/bin/true", "run", "box"), 125, "neither pasta nor slirp4netns")
        self.assertFails(self.wcctl("--network-helper", "vde", "run", "box"), 125, "--network-helper", "vde")

    def test_a_helper_that_fails_says_why(self):
        bad = f"{self.work}/{HELPER}-bad"
        with open(bad, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho it is broken >&2\nexit 1\n")
        os.chmod(bad, 0o755)
        self.assertFails(self.wcctl("--network-helper", bad, "run", "box", "true"), 125, bad, "it is broken")

    def test_a_killed_helper_comes_again(self):
        self.serve("web", "-p", "8080:80")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "web")
        first = self.helper_of("web")
        self.end(first)
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "web")
        self.assertEqual(self.fetch("web", f"http://{WORLD}:7777/e"), "world /e")
        self.assertNotEqual(self.helper_of("web"), first)
        told = self.events()
        self.assertEqual([one["Action"] for one in told], ["network_broken", "network_restored"])
        self.assertEqual(told[0]["Attributes"]["program"], HELPER)
        self.assertIn("killed by signal 9", told[0]["Attributes"]["error"])

    def test_a_killed_monitor_leaves_nothing(self):
        self.serve("web", "-p", "8080:80")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "web")
        helper = self.helper_of("web")
        self.end(self.monitor("web"))
        for _ in range(500):
            if not runs(helper):
                break
            time.sleep(0.01)
        self.assertFalse(runs(helper))
        self.assertEqual(self.state("web")["ExitCode"], 255)
        self.serve("again", "-p", "8080:80")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "again")

    def test_the_end_takes_it_away(self):
        self.start("one")
        helper = self.helper_of("one")
        self.wcctl_ok("kill", "one")
        self.wcctl_ok("wait", "one")
        self.assertFalse(runs(helper))
        self.wcctl_ok("start", "one")
        self.assertEqual(self.fetch("one", f"http://{WORLD}:7777/f"), "world /f")

    def test_a_restart_has_the_ports_again(self):
        self.start("one", "--restart", "on-failure:1", "-p", "8080:80", command=("sh", "-c", "mkdir /www 2>/dev/null || exec "
                   "httpd -f -p 80 -h /www; echo second >/www/index.html; exit 1"))
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "second")

    def test_another_container_shares_it(self):
        self.serve("web")
        done = self.wcctl_ok("run", "--rm", "--network", "container:web", "box", "timeout", "5", "wget", "-qO-",
                             "http://10.0.2.100/")
        self.assertEqual(done.stdout.strip(), "web")
        done = self.wcctl_ok("run", "--rm", "--network", "container:web", "box", "timeout", "5", "wget", "-qO-",
                             f"http://{WORLD}:7777/g")
        self.assertEqual(done.stdout.strip(), "world /g")

    def test_low_ports_inside_are_free(self):
        self.start("one", "--user", "wc", "-p", "8080:80", command=("sh", "-c", "exec httpd -f -p 80 -h /etc"))
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/hostname"), self.inside("one", "hostname").strip())
        self.assertEqual(self.state("one")["Status"], "running")


class NamedNetworks(RootlessCase):
    """netavark and aardvark-dns in a network namespace that the user's containers have together."""

    def setUp(self):
        self.network("net")

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            self.wcctl_ok("network", "prune")

    def network(self, name, *options):
        self.wcctl_ok("network", "create", *options, name)

    def address(self, name, network="net"):
        return json.loads(self.wcctl_ok("inspect", name).stdout)[0]["NetworkSettings"]["Networks"][network]["IPAddress"]

    def test_names_and_the_way_out(self):
        self.serve("one", "--network", "net", "--network-alias", "shop")
        self.start("two", "--network", "net", "--add-host", "up:host-gateway")
        self.assertEqual(self.fetch("two", "http://one/"), "one")
        self.assertEqual(self.fetch("two", "http://shop/"), "one")
        self.assertEqual(self.fetch("two", "http://elsewhere.example:7777/h"), "world /h")
        self.assertEqual(self.fetch("two", f"http://{WORLD}:7777/i"), "world /i")
        self.assertEqual(self.fetch("two", "http://up:7777/j"), "world /j")
        done = self.wcctl("exec", "two", "timeout", "2", "wget", "-qO-", "http://10.0.2.2:7778/")
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_the_default_network_beside_them(self):
        self.start("one")
        self.serve("two", "--network", "net")
        done = self.wcctl("exec", "one", "timeout", "2", "wget", "-qO-", f"http://{self.address('two')}/")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.fetch("one", f"http://{WORLD}:7777/k"), "world /k")
        self.assertEqual(self.fetch("two", f"http://{WORLD}:7777/k"), "world /k")

    def test_published_ports(self):
        self.serve("web", "--network", "net", "-p", "8080:80", "-p", "127.0.0.1:8081:80", "-p", "80")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "web")
        self.assertEqual(self.fetch_here("http://127.0.0.1:8081/"), "web")
        self.assertEqual(self.fetch_here(f"http://[{WORLD6}]:8080/"), "web")
        with self.assertRaises(OSError):
            socket.create_connection((WORLD, 8081), 2)
        self.assertFails(self.wcctl("run", "--network", "net", "-p", f"{BUSY}:80", "box"), 125, f"port 0.0.0.0:{BUSY}/tcp",
                         "already allocated")
        self.assertFails(self.wcctl("run", "--network", "net", "-p", "8090:80/sctp", "box"), 125, "8090/sctp")

    def test_what_goes_through_a_port_is_whole(self):
        size = 20_000_000
        self.start("big", "--network", "net", "-p", "8080:80", command=("sh", "-c", "mkdir /www; "
                   f"head -c {size} /dev/urandom >/www/index.html; exec httpd -f -p 80 -h /www"))
        self.retry(lambda: self.wcctl("exec", "big", "timeout", "5", "wget", "-qO", "/dev/null", "http://127.0.0.1/"))
        wanted = self.inside("big", "sha256sum", "/www/index.html").split()[0]
        for _ in range(3):
            with socket.create_connection((WORLD, 8080), 10) as end:
                end.sendall(b"GET / HTTP/1.0\r\n\r\n")
                end.shutdown(socket.SHUT_WR)
                got = b"".join(iter(lambda: end.recv(1 << 16), b""))
            self.assertEqual(hashlib.sha256(got.split(b"\r\n\r\n", 1)[1]).hexdigest(), wanted)
        ends = [socket.create_connection((WORLD, 8080), 40) for _ in range(20)]
        for end in ends:
            end.sendall(b"GET /none HTTP/1.0\r\n\r\n")
        for end in ends:
            with end:
                self.assertIn(b"404", end.recv(100))

    def test_udp(self):
        self.start("one", "--network", "net", "-p", "5300:53/udp")
        server = subprocess.Popen(["nsenter", "-U", "-n", "-t", str(self.state("one")["Pid"]), sys.executable, "-c", ECHO])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEchoes(5300)

    def test_connect_and_disconnect(self):
        self.network("other")
        self.serve("one", "--network", "other")
        self.start("two", "--network", "net")
        self.assertNotEqual(self.wcctl("exec", "two", "timeout", "2", "wget", "-qO-", "http://one/").returncode, 0)
        self.wcctl_ok("network", "connect", "--alias", "eins", "net", "one")
        self.assertEqual(self.fetch("two", "http://eins/"), "one")
        self.wcctl_ok("network", "disconnect", "net", "one")
        self.assertNotEqual(self.wcctl("exec", "two", "timeout", "2", "wget", "-qO-", "http://eins/").returncode, 0)

    def test_ipv6_and_static_addresses(self):
        self.network("six", "--ipv6", "--subnet", "10.66.0.0/24", "--subnet", "fd66::/64")
        self.serve("one", "--network", "six", "--ip", "10.66.0.9", "--ip6", "fd66::9")
        self.start("two", "--network", "six")
        self.assertEqual(self.fetch("two", "http://10.66.0.9/"), "one")
        self.assertEqual(self.fetch("two", "http://[fd66::9]/"), "one")

    def test_internal(self):
        self.network("inner", "--internal")
        self.serve("one", "--network", "inner")
        self.start("two", "--network", "inner")
        self.assertEqual(self.fetch("two", f"http://{self.address('one', 'inner')}/"), "one")
        done = self.wcctl("exec", "two", "timeout", "2", "wget", "-qO-", f"http://{WORLD}:7777/")
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_interfaces_of_the_host_are_not_his(self):
        self.network("mac", "-d", "macvlan", "-o", "parent=wc-world", "--subnet", "10.77.0.0/24")
        self.assertFails(self.wcctl("run", "--network", "mac", "box", "true"), 125, "network 'mac'", "macvlan", "run as root")

    def test_a_killed_hub_comes_again(self):
        self.serve("one", "--network", "net", "-p", "8080:80")
        self.start("two", "--network", "net")
        first = self.hub_pid()
        self.end(first)
        self.assertEqual(self.fetch("two", f"http://{self.address('one')}/"), "one")
        self.assertEqual(self.fetch("two", f"http://{WORLD}:7777/l"), "world /l")
        self.assertEqual(self.fetch("two", "http://one/"), "one")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "one")
        self.assertNotEqual(self.hub_pid(), first)
        self.start("three", "--network", "net")
        self.assertEqual(self.fetch("three", "http://one/"), "one")
        self.assertIn("network_restored", [one["Action"] for one in self.events()])

    def test_a_killed_helper_comes_again(self):
        self.start("one", "--network", "net")
        found = [pid for pid in children(self.hub_pid()) if comm(pid).startswith(("pass", "past", "slirp"))]
        self.assertEqual(len(found), 1)
        self.end(found[0])
        self.assertEqual(self.fetch("one", f"http://{WORLD}:7777/m"), "world /m")

    def test_a_killed_port_comes_again(self):
        self.serve("one", "--network", "net", "-p", "8080:80")
        relay = [pid for pid in children(self.monitor("one")) if comm(pid) == "wc-helper" and pid != self.hub_pid()]
        self.assertEqual(len(relay), 1)
        self.end(relay[0])
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "one")

    def test_a_killed_monitor_leaves_nothing(self):
        self.serve("one", "--network", "net", "--ip", self.free(), "-p", "8080:80")
        self.start("two", "--network", "net")
        self.end(self.monitor("one"))
        self.assertEqual(self.state("one")["ExitCode"], 255)
        self.serve("again", "--network", "net", "--ip", self.free(), "-p", "8080:80")
        self.assertEqual(self.fetch("two", "http://again/"), "again")
        self.assertEqual(self.fetch_here(f"http://{WORLD}:8080/"), "again")

    def free(self):
        subnet = json.loads(self.wcctl_ok("network", "inspect", "net").stdout)[0]["IPAM"]["Config"][0]["Subnet"]
        return subnet.rsplit(".", 1)[0] + ".77"

    def test_all_killed(self):
        self.start("one", "--network", "net")
        self.start("two", "--network", "net")
        self.end(self.hub_pid(), self.monitor("one"), self.monitor("two"))
        self.assertEqual([self.state(name)["ExitCode"] for name in ("one", "two")], [255, 255])
        for _ in range(500):
            if not self.hub():
                break
            time.sleep(0.01)
        self.assertEqual(self.hub(), [])
        self.assertEqual([one for one in os.listdir(f"{self.root}/run/networks") if not one.endswith(".lock")], [])
        self.serve("three", "--network", "net", "-p", "8080:80")
        self.start("four", "--network", "net")
        self.assertEqual(self.fetch("four", "http://three/"), "three")
        self.assertEqual(self.fetch("four", f"http://{WORLD}:7777/n"), "world /n")

    def test_many_begin_and_end_at_once(self):
        def one(number):
            done = self.wcctl("run", "--rm", "--network", "net", "box", "timeout", "5", "wget", "-qO-",
                              f"http://{WORLD}:7777/{number}")
            return done.returncode, done.stdout, done.stderr
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(one, range(16)))
        self.assertEqual(results, [(0, f"world /{number}", "") for number in range(16)])


if __name__ == "__main__":
    unittest.main()
