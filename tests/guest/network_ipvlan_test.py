#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ipvlan, for which the kernel and netavark have to be new enough: it works, or is refused by name."""
import os
import re
import subprocess

from network_case import NetworkCase, need_networks, run
from wcctl_case import find

import named_skips  # found where wcctl_case looks


def netavark_version():
    places = ["/usr/lib/podman/netavark", "/usr/libexec/podman/netavark", find("netavark")]
    program = next(path for path in places if path and os.path.exists(path))
    return tuple(int(part) for part in re.search(r"(\d+)\.(\d+)", run(program, "--version")).groups())


class IpVlan(NetworkCase):
    def test_it_works_or_is_refused_by_name(self):
        run("ip", "link", "add", "parent0", "type", "veth", "peer", "name", "parent1")
        try:
            run("ip", "link", "set", "parent0", "up")
            run("ip", "link", "set", "parent1", "up")
            run("ip", "addr", "add", "10.56.0.1/24", "dev", "parent1")
            self.network("lan", "-d", "ipvlan", "-o", "parent=parent0", "--subnet", "10.56.0.0/24")
            if netavark_version() < (1, 5):
                done = self.wcctl("run", "--rm", "--network", "lan", "box", "true")
                self.assertFails(done, 125, "ipvlan", "netavark 1.5")
                return
            self.start("one", "--network", "lan", "--ip", "10.56.0.20")
            self.assertIn("inet 10.56.0.20/24", self.inside("one", "ip", "-o", "addr", "show", "eth0"))
            self.retry(lambda: self.wcctl("exec", "one", "ping", "-c", "1", "-W", "1", "10.56.0.1"))
            self.wcctl_ok("rm", "-f", "one")
        finally:
            subprocess.run(["ip", "link", "del", "parent0"], check=True)


if __name__ == "__main__":
    need_networks()
    named_skips.main()
