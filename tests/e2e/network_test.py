#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks as people use them: the default one, networks with names, published ports, joining and parting."""
import ipaddress
import json
import re
import socket
import subprocess
import sys
import unittest

from network_case import NetworkCase, interfaces, need_networks, run
from wcctl_case import not_rootless

need_networks()

ECHO = """import socket
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end.bind(("", 53))
while True:
    end.sendto(*end.recvfrom(100))
"""


class DefaultNetwork(NetworkCase):
    def test_a_container_is_on_the_default_network(self):
        self.start("one")
        self.start("two")
        bridge = self.inspect_network("bridge")
        subnet = ipaddress.ip_network(bridge["IPAM"]["Config"][0]["Subnet"])
        settings = self.settings("one")
        self.assertIn(ipaddress.ip_address(settings["IPAddress"]), subnet)
        self.assertEqual(settings["Networks"]["bridge"]["IPAddress"], settings["IPAddress"])
        shown = self.inside("one", "ip", "-o", "addr", "show", "eth0")
        self.assertIn(f"inet {settings['IPAddress']}/{subnet.prefixlen} ", shown)
        self.assertIn(settings["MacAddress"], self.inside("one", "ip", "link", "show", "eth0"))
        self.assertIn(f"default via {settings['Gateway']}", self.inside("one", "ip", "route"))
        self.inside("one", "ping", "-c", "1", "-W", "2", self.settings("two")["IPAddress"])
        self.inside("one", "ping", "-c", "1", "-W", "2", settings["Gateway"])
        names = {one["Name"] for one in bridge["Containers"].values()}
        self.assertEqual(names, {"one", "two"})
        self.assertIn(bridge["Interface"], interfaces())

    def test_its_files_tell_of_it(self):
        self.start("one", "--hostname", "shop", "--add-host", "db:10.1.2.3", "--add-host", "up:host-gateway")
        hosts = self.inside("one", "cat", "/etc/hosts")
        settings = self.settings("one")
        self.assertIn("127.0.0.1\tlocalhost\n", hosts)
        self.assertIn(f"{settings['IPAddress']}\tshop\n", hosts)
        self.assertIn("10.1.2.3\tdb\n", hosts)
        self.assertIn(f"{settings['Gateway']}\tup\n", hosts)
        self.assertNotIn("127.0.0.", self.inside("one", "cat", "/etc/resolv.conf"))
        self.start("two", "--dns", "192.0.2.7", "--dns-search", "example.org", "--dns-option", "ndots:3")
        self.assertEqual(self.inside("two", "cat", "/etc/resolv.conf"),
                         "search example.org\nnameserver 192.0.2.7\noptions ndots:3\n")

    def test_it_knows_no_names(self):
        """As Docker's."""
        self.start("one")
        self.start("two")
        self.assertNotEqual(self.wcctl("exec", "one", "ping", "-c", "1", "-W", "1", "two").returncode, 0)
        self.assertFails(self.wcctl("run", "--network-alias", "x", "box", "true"), 125, "user defined networks")
        self.assertFails(self.wcctl("run", "--ip", "172.17.0.9", "box", "true"), 125, "user defined networks only")
        self.assertFails(self.wcctl("network", "rm", "bridge"), 1, "bridge", "cannot be removed")

    def test_low_ports_need_no_privilege(self):
        self.start("one", "--user", "wc", command=("httpd", "-f", "-p", "80", "-h", "/tmp"))
        self.assertEqual(self.state("one")["Status"], "running")
        self.inside("one", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start")

    def test_other_modes(self):
        self.assertEqual(self.output("--", "ls", "/sys/class/net").split(), ["lo"])
        host = self.wcctl_ok("run", "--rm", "--network", "host", "box", "readlink", "/proc/self/ns/net").stdout.strip()
        self.assertEqual(host, run("readlink", "/proc/self/ns/net").strip())
        self.assertFails(self.wcctl("run", "--network", "nosuch", "box", "true"), 125, "nosuch", "no such network")
        self.assertFails(self.wcctl("run", "--network", "none", "--network", "bridge", "box"), 125, "none")
        self.assertEqual(interfaces(), self.interfaces_before)


class NamedNetworks(NetworkCase):
    def test_create_list_inspect_remove(self):
        self.network("web", "--label", "tier=front", "-o", "mtu=1400")
        self.network("own", "--subnet", "10.77.0.0/16", "--ip-range", "10.77.5.0/24", "--gateway", "10.77.0.9")
        listed = self.wcctl_ok("network", "ls").stdout
        self.assertRegex(listed, r"NETWORK ID +NAME +DRIVER +SCOPE\n")
        for name in ("bridge", "own", "web"):
            self.assertRegex(listed, rf"[0-9a-f]{{12}} +{name} +bridge +local")
        web = self.inspect_network("web")
        self.assertEqual((web["Labels"], web["Options"], web["Scope"]), ({"tier": "front"}, {"mtu": "1400"}, "local"))
        self.assertEqual(self.inspect_network("own")["IPAM"]["Config"],
                         [{"Subnet": "10.77.0.0/16", "IPRange": "10.77.5.0/24", "Gateway": "10.77.0.9"}])
        self.assertEqual(self.wcctl_ok("network", "ls", "-q", "--no-trunc", "-f", "label=tier=front").stdout.strip(), web["Id"])
        self.assertEqual(self.inspect_network(web["Id"][:12])["Name"], "web")
        self.assertFails(self.wcctl("network", "create", "web"), 125, "web", "there already")
        self.assertFails(self.wcctl("network", "create", "--subnet", "10.77.9.0/24", "more"), 125, "overlaps")
        self.assertFails(self.wcctl("network", "create", "host"), 125, "host")
        self.assertFails(self.wcctl("network", "create", "-o", "nosuch=1", "more"), 125, "nosuch")
        self.assertEqual(self.wcctl_ok("network", "rm", "web", "own").stdout, "web\nown\n")
        self.assertFails(self.wcctl("network", "inspect", "web"), 125, "web", "no such network")

    def test_containers_find_each_other_by_name(self):
        self.network("web")
        self.serve("server", "--network", "web", "--network-alias", "www")
        self.start("client", "--network", "web")
        own = self.id_of("server")[:12]
        for name in ("server", "www", own):
            self.assertEqual(self.fetch("client", f"http://{name}/"), "server")
        self.assertIn(self.settings("server")["IPAddress"], self.inside("client", "nslookup", "server"))
        self.wcctl_ok("rm", "-f", "server")
        self.assertNotEqual(self.wcctl("exec", "client", "nslookup", "server").returncode, 0)

    def test_two_networks_are_apart(self):
        self.network("here")
        self.network("there")
        self.network("open", "-o", "isolate=false")
        self.start("one", "--network", "here")
        self.start("two", "--network", "there")
        self.start("three", "--network", "open")
        self.assertUnreachable("one", self.settings("two")["IPAddress"])
        self.assertUnreachable("two", self.settings("one")["IPAddress"])
        self.inside("one", "ping", "-c", "1", "-W", "2", self.settings("three")["IPAddress"])
        self.assertNotEqual(self.wcctl("exec", "one", "nslookup", "two").returncode, 0)

    def test_addresses_of_choice(self):
        self.network("web", "--subnet", "10.88.7.0/24", "--ip-range", "10.88.7.128/25")
        self.start("fixed", "--network", "web", "--ip", "10.88.7.5", "--mac-address", "02:42:99:99:99:99")
        self.start("words", "--network", "web:ip=10.88.7.6,alias=six")
        self.start("free", "--network", "web")
        self.assertEqual(self.settings("fixed")["IPAddress"], "10.88.7.5")
        self.assertIn("02:42:99:99:99:99", self.inside("fixed", "ip", "link", "show", "eth0"))
        self.assertEqual(self.settings("words")["IPAddress"], "10.88.7.6")
        self.assertEqual(self.settings("free")["IPAddress"], "10.88.7.128")
        self.inside("free", "ping", "-c", "1", "-W", "2", "six")
        self.assertFails(self.wcctl("run", "--network", "web", "--ip", "10.88.7.5", "box"), 125, "10.88.7.5", "fixed")
        self.assertFails(self.wcctl("run", "--network", "web", "--ip", "10.88.7.1", "box"), 125, "10.88.7.1")
        self.assertFails(self.wcctl("run", "--network", "web", "--ip", "10.9.7.1", "box"), 125, "10.9.7.1", "subnets")
        self.wcctl_ok("stop", "-t", "0", "fixed")
        self.start("next", "--network", "web", "--ip", "10.88.7.5")
        self.assertFails(self.wcctl("start", "fixed"), 1, "10.88.7.5", "next")

    def test_ipv6(self):
        self.network("six", "--ipv6", "--subnet", "10.66.0.0/24", "--subnet", "fd00:66::/64")
        self.serve("server", "--network", "six", "-p", "8086:80")
        self.start("client", "--network", "six", "--ip6", "fd00:66::42")
        self.assertEqual(self.settings("client")["GlobalIPv6Address"], "fd00:66::42")
        address = self.settings("server")["GlobalIPv6Address"]
        self.assertIn(ipaddress.ip_address(address), ipaddress.ip_network("fd00:66::/64"))
        self.assertIn(f"inet6 {address}/64", self.inside("server", "ip", "-6", "addr", "show", "eth0"))
        self.retry(lambda: self.wcctl("exec", "client", "ping6", "-c", "1", "-W", "1", address))
        self.assertIn(address, self.inside("client", "nslookup", "server"))
        self.assertEqual(self.fetch_here("http://127.0.0.1:8086/"), "server")
        self.assertEqual(self.fetch_here(f"http://[{address}]/"), "server")

    def test_internal(self):
        run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "farther")
        try:
            run("ip", "addr", "add", "198.51.100.1/24", "dev", "outside")
            run("ip", "link", "set", "outside", "up")
            self.network("inner", "--internal")
            self.network("outer")
            self.start("in", "--network", "inner")
            self.start("next", "--network", "inner")
            self.start("out", "--network", "outer")
            self.inside("out", "ping", "-c", "1", "-W", "2", "198.51.100.1")
            self.inside("in", "ping", "-c", "1", "-W", "2", "next")
            self.assertUnreachable("in", "198.51.100.1")
            self.assertNotIn("default", self.inside("in", "ip", "route"))
        finally:
            run("ip", "link", "del", "outside")

    def test_mtu(self):
        self.network("small", "-o", "com.docker.network.driver.mtu=1280")
        self.start("one", "--network", "small")
        self.assertIn("mtu 1280", self.inside("one", "ip", "link", "show", "eth0"))

    def test_macvlan(self):
        run("ip", "link", "add", "parent0", "type", "veth", "peer", "name", "parent1")
        try:
            run("ip", "link", "set", "parent0", "up")
            run("ip", "link", "set", "parent1", "up")
            run("ip", "addr", "add", "10.55.0.1/24", "dev", "parent1")
            self.assertFails(self.wcctl("network", "create", "-d", "macvlan", "lan"), 125, "macvlan", "subnet")
            self.network("lan", "-d", "macvlan", "-o", "parent=parent0", "--subnet", "10.55.0.0/24")
            self.start("one", "--network", "lan", "--ip", "10.55.0.20")
            self.assertIn("inet 10.55.0.20/24", self.inside("one", "ip", "-o", "addr", "show", "eth0"))
            self.retry(lambda: self.wcctl("exec", "one", "ping", "-c", "1", "-W", "1", "10.55.0.1"))
            self.wcctl_ok("rm", "-f", "one")
        finally:
            run("ip", "link", "del", "parent0")

    def test_several_networks(self):
        self.network("first")
        self.network("second")
        self.serve("both", "--network", "first", "--network", "second:alias=other")
        self.start("one", "--network", "first")
        self.start("two", "--network", "second")
        self.assertEqual(self.inside("both", "ls", "/sys/class/net").split(), ["eth0", "eth1", "lo"])
        self.assertEqual(self.fetch("one", "http://both/"), "both")
        self.assertEqual(self.fetch("two", "http://other/"), "both")
        self.assertNotEqual(self.wcctl("exec", "one", "nslookup", "other").returncode, 0)


class Joining(NetworkCase):
    def test_connect_and_disconnect_while_it_runs(self):
        self.network("first")
        self.network("second", "--subnet", "10.44.0.0/24")
        self.serve("server", "--network", "first")
        self.start("client", "--network", "second")
        self.wcctl_ok("network", "connect", "--alias", "late", "--ip", "10.44.0.44", "second", "server")
        self.assertEqual(self.fetch("client", "http://late/"), "server")
        self.assertIn("inet 10.44.0.44/24", self.inside("server", "ip", "-o", "addr", "show", "eth1"))
        self.assertIn("10.44.0.44\t", self.inside("server", "cat", "/etc/hosts"))
        self.assertIn("nameserver 10.44.0.1\n", self.inside("server", "cat", "/etc/resolv.conf"))
        self.assertEqual(set(self.settings("server")["Networks"]), {"first", "second"})
        self.assertFails(self.wcctl("network", "connect", "second", "server"), 125, "already")
        self.assertFails(self.wcctl("network", "rm", "second"), 1, "second", "client")
        self.wcctl_ok("network", "disconnect", "second", "server")
        self.assertNotIn("eth1", self.inside("server", "ls", "/sys/class/net"))
        self.assertNotIn("10.44", self.inside("server", "cat", "/etc/hosts"))
        self.assertUnreachable("client", "10.44.0.44")
        self.assertFails(self.wcctl("network", "disconnect", "second", "server"), 125, "not connected")
        self.wcctl_ok("network", "connect", "second", "server")
        self.assertEqual(self.fetch("client", "http://server/"), "server")

    @not_rootless  # maps take root
    def test_containers_with_user_namespaces(self):
        """Each is root of its network; names, ports and changes while it runs are as for others."""
        self.network("first")
        self.network("second", "--subnet", "10.44.0.0/24")
        self.serve("server", "--network", "first", "--uidmap", "0:100000:65536", "-p", "8087:80", "--restart", "always")
        self.start("client", "--network", "first", "--uidmap", "0:300000:65536")
        self.assertEqual(self.fetch("client", "http://server/"), "server")
        self.assertEqual(self.fetch_here("http://127.0.0.1:8087/"), "server")
        self.wcctl_ok("network", "connect", "--ip", "10.44.0.44", "second", "server")
        self.restart("server")
        self.assertIn("inet 10.44.0.44/24", self.inside("server", "ip", "-o", "addr", "show", "eth1"))
        self.assertEqual(self.fetch("client", "http://server/"), "server")
        self.assertEqual(self.inside("server", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"), "0\n")
        self.start("admin", "--network", "first", "--uidmap", "0:100000:65536", "--cap-add", "NET_ADMIN")
        self.inside("admin", "ip", "link", "set", "eth0", "mtu", "1400")
        for refused in ("host", "container:server"):
            self.assertFails(self.wcctl("run", "--rm", "--uidmap", "0:1:100000", "--network", refused, "box", "true"), 125,
                             "cannot be had")

    def test_connect_before_it_runs(self):
        self.network("second")
        self.wcctl_ok("create", "--name", "late", "box", "sleep", "1000")
        self.wcctl_ok("network", "connect", "second", "late")
        self.wcctl_ok("network", "disconnect", "bridge", "late")
        self.wcctl_ok("start", "late")
        self.assertEqual(list(self.settings("late")["Networks"]), ["second"])
        self.assertEqual(self.inside("late", "ls", "/sys/class/net").split(), ["eth0", "lo"])

    def test_connect_what_was_started_without_any(self):
        self.network("late")
        self.wcctl_ok("create", "--name", "bare", "--network", "late", "box", "sleep", "1000")
        self.wcctl_ok("network", "disconnect", "late", "bare")
        self.wcctl_ok("start", "bare")
        self.assertEqual(self.inside("bare", "ls", "/sys/class/net").split(), ["lo"])
        self.wcctl_ok("network", "connect", "late", "bare")
        self.assertEqual(self.inside("bare", "ls", "/sys/class/net").split(), ["eth0", "lo"])
        self.wcctl_ok("network", "disconnect", "late", "bare")
        self.assertEqual(self.inside("bare", "ls", "/sys/class/net").split(), ["lo"])
        self.wcctl_ok("network", "connect", "late", "bare")
        self.wcctl_ok("stop", "-t", "0", "bare")

    def test_what_cannot_be_joined(self):
        self.network("web")
        self.start("alone", "--network", "none")
        self.start("hosted", "--network", "host")
        self.assertFails(self.wcctl("network", "connect", "web", "alone"), 125, "private (none) mode")
        self.assertFails(self.wcctl("network", "connect", "web", "hosted"), 125, "host network")
        self.start("guest", "--network", "container:alone")
        self.assertFails(self.wcctl("network", "connect", "web", "guest"), 125, "sharing network namespace")

    def test_the_network_of_another_container(self):
        self.serve("server", "--hostname", "shop")
        shared = self.wcctl_ok("run", "--rm", "--network", "container:server", "box", "sh", "-c",
                               "hostname; wget -qO- http://127.0.0.1/; readlink /proc/self/ns/net; cat /etc/hosts").stdout
        self.assertTrue(shared.startswith("shop\nserver\n"), shared)
        self.assertIn(self.inside("server", "readlink", "/proc/self/ns/net"), shared)
        self.assertIn(f"{self.settings('server')['IPAddress']}\tshop", shared)
        self.assertFails(self.wcctl("run", "--network", "container:server", "-p", "1:1", "box"), 125, "port publishing")
        self.assertFails(self.wcctl("run", "--network", "container:server", "-h", "x", "box"), 125, "hostname")
        self.wcctl_ok("stop", "-t", "0", "server")
        self.assertFails(self.wcctl("run", "--network", "container:server", "box"), 125, "server", "does not run")
        self.assertFails(self.wcctl("run", "--network", "container:nosuch", "box"), 125, "nosuch")

    def test_a_restart_by_the_policy_follows_changes(self):
        for name, subnet in (("first", "10.44.0.0/24"), ("second", "10.45.0.0/24")):
            self.network(name, "--subnet", subnet)
        self.start("one", "--network", "first", "--restart", "always")
        self.wcctl_ok("network", "connect", "--ip", "10.45.0.45", "second", "one")
        self.restart("one")
        self.assertIn("inet 10.45.0.45/24", self.inside("one", "ip", "-o", "addr"))
        for name in ("first", "second"):
            self.wcctl_ok("network", "disconnect", name, "one")
        self.restart("one")
        self.assertEqual(self.inside("one", "ls", "/sys/class/net").split(), ["lo"])

    def test_a_restart_by_the_policy_joins_anew(self):
        self.start("server", "--restart", "always")
        self.start("guest", "--network", "container:server", "--restart", "always")
        self.restart("server")
        self.restart("guest")
        self.assertEqual(*(self.inside(name, "readlink", "/proc/self/ns/net") for name in ("server", "guest")))

    def test_a_network_that_went(self):
        self.network("gone")
        self.wcctl_ok("create", "--name", "left", "--network", "gone", "box", "true")
        self.wcctl_ok("network", "rm", "gone")
        self.assertFails(self.wcctl("start", "left"), 1, "left", "was removed")


class Ports(NetworkCase):
    def ports(self, name):
        return self.wcctl_ok("port", name).stdout

    def test_tcp(self):
        self.serve("server", "-p", "8080:80")
        self.assertEqual(self.ports("server"), "80/tcp -> 0.0.0.0:8080\n")
        self.assertEqual(self.wcctl_ok("port", "server", "80").stdout, "0.0.0.0:8080\n")
        self.assertEqual(self.fetch_here("http://127.0.0.1:8080/"), "server")
        self.assertIn("0.0.0.0:8080->80/tcp", self.wcctl_ok("ps").stdout)
        gateway = self.settings("server")["Gateway"]
        self.start("client")
        self.assertEqual(self.fetch("client", f"http://{gateway}:8080/"), "server")
        self.assertFails(self.wcctl("port", "server", "81"), 1, "no public port '81/tcp' published for server")
        self.wcctl_ok("stop", "-t", "0", "server")
        self.assertEqual(self.ports("server"), "")
        self.wcctl_ok("start", "server")
        self.assertEqual(self.fetch_here("http://127.0.0.1:8080/"), "server")

    def test_udp(self):
        self.start("echo", "-p", "5353:53/udp")
        server = subprocess.Popen(["nsenter", "-n", "-t", str(self.state("echo")["Pid"]), sys.executable, "-c", ECHO])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        answer = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.settimeout(0.3)
            for _ in range(30):
                end.sendto(b"hello", ("127.0.0.1", 5353))
                try:
                    answer = end.recv(100)
                    break
                except (TimeoutError, ConnectionError):
                    continue
        self.assertEqual(answer, b"hello")
        self.assertEqual(self.ports("echo"), "53/udp -> 0.0.0.0:5353\n")

    def test_ranges(self):
        self.start("many", "-p", "7000-7003:80-83", command=("sh", "-c", "mkdir /www; echo many > /www/index.html; "
                                                             "httpd -p 80 -h /www; httpd -p 83 -h /www; sleep 1000"))
        self.assertEqual(self.ports("many").split("\n")[3], "83/tcp -> 0.0.0.0:7003")
        self.assertEqual(self.fetch_here("http://127.0.0.1:7003/"), "many")
        self.assertFails(self.wcctl("run", "-p", "7000-7001:80-83", "box"), 125, "Invalid ranges")
        for bad in ("0:80", "80:70000", "x", "1.2.3:80:80", "80/foo", ":"):
            self.assertEqual(self.wcctl("create", "-p", bad, "box").returncode, 125, bad)

    def test_one_address(self):
        run("ip", "addr", "add", "198.51.100.9/32", "dev", "lo")
        try:
            self.serve("server", "-p", "198.51.100.9:8081:80")
            self.assertEqual(self.fetch_here("http://198.51.100.9:8081/"), "server")
            self.assertNotEqual(subprocess.run(["curl", "-s", "--noproxy", "*", "-m", "2", "http://127.0.0.1:8081/"],
                                               check=False).returncode, 0)
            self.serve("second", "-p", "127.0.0.1:8081:80")
            self.assertEqual(self.fetch_here("http://127.0.0.1:8081/"), "second")
            self.assertFails(self.wcctl("run", "-p", "198.51.100.77:8081:80", "box"), 125, "198.51.100.77")
        finally:
            run("ip", "addr", "del", "198.51.100.9/32", "dev", "lo")

    def test_any_that_is_free(self):
        self.serve("server", "-p", "80")
        self.serve("second", "-P", "--expose", "80", "--expose", "90-91/udp")
        for name in ("server", "second"):
            port = re.search(r"80/tcp -> 0.0.0.0:(\d+)", self.ports(name)).group(1)
            self.assertGreaterEqual(int(port), 32768)
            self.assertEqual(self.fetch_here(f"http://127.0.0.1:{port}/"), name)
        self.assertEqual(len(re.findall(r"9[01]/udp -> ", self.ports("second"))), 2)

    def test_one_that_is_taken(self):
        self.start("first", "-p", "8082:80")
        self.assertFails(self.wcctl("run", "--name", "late", "-p", "8082:90", "box"), 125, "8082/tcp", "already allocated", "first")
        self.assertEqual(self.state("late")["Status"], "created")
        self.start("other", "-p", "8082:80/udp")
        with socket.socket() as own:
            own.bind(("127.0.0.1", 8083))
            own.listen()
            self.assertFails(self.wcctl("run", "--rm", "-p", "8083:80", "box"), 125, "8083/tcp", "already allocated",
                             "another program")
        self.wcctl_ok("run", "--rm", "-p", "8083:80", "box", "true")
        with self.assertRaises(OSError), socket.socket() as own:
            own.bind(("127.0.0.1", 8082))

    def test_a_restart_by_the_policy_keeps_them(self):
        self.serve("server", "-p", "8086:80", "--restart", "always")
        self.restart("server")
        self.assertEqual(self.fetch_here("http://127.0.0.1:8086/"), "server")
        self.assertIn("8086", self.ports("server"))

    def test_without_a_network_nothing_is_published(self):
        self.start("alone", "--network", "none", "-p", "8084:80")
        self.assertEqual(self.ports("alone"), "")
        self.assertEqual(json.loads(self.wcctl_ok("--json", "port", "alone").stdout), {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
