# SPDX-License-Identifier: Apache-2.0
"""The three that the table is run on. Each has a network, a /run and stores of its own (see support/netns.sh): its
`docker` is a script of that name in front of the others in PATH."""
import os
import shutil
import subprocess
import sys

BUILD, SOURCE = os.environ["WC_TEST_BUILD"], os.environ["WC_TEST_SOURCE"]
sys.path.insert(0, f"{SOURCE}/tests/support")
import docker_oracle  # noqa: E402

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


def find(program):
    return shutil.which(program, path=PATH)


class Contender:
    """Inside of namespaces of its own; `place` is a directory that ends with them."""

    def __init__(self, place):
        self.place = place
        self.env = {**os.environ, "PATH": f"{place}/bin:{PATH}", "HOME": f"{place}/home", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        for folder in ("bin", "home"):
            os.makedirs(f"{place}/{folder}")

    def script(self, command):
        path = f"{self.place}/bin/docker"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {command} "$@"\n')
        os.chmod(path, 0o755)

    def docker(self, *words):
        return subprocess.run(["docker", *words], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)

    def load(self, archive):
        done = self.docker("load", "-i", archive)
        if done.returncode:
            raise RuntimeError(f"{type(self).__name__} does not load the images: {done.stderr}")
        done = self.docker("run", "--rm", "box", "echo", "works")
        if done.stdout != "works\n":
            raise RuntimeError(f"{type(self).__name__} runs nothing: {done.stderr}")

    def remove_all(self, listed, remove, keep=()):
        found = [name for name in self.docker(*listed.split()).stdout.split() if name not in keep]
        if found:
            self.docker(*remove.split(), *found)

    def sweep(self):
        """Removes all that cases have made."""
        self.remove_all("ps -aq --no-trunc", "rm -f -v")
        self.remove_all("volume ls -q", "volume rm")
        self.remove_all("network ls --format {{.Name}}", "network rm", ("bridge", "host", "none", "podman"))
        kept = [f"{before}{name}:latest" for name in ("box", "rich") for before in ("", "localhost/", "docker.io/library/")]
        self.remove_all("images --format {{.Repository}}:{{.Tag}}", "rmi -f", (*kept, "<none>:<none>"))
        self.remove_all("images -q --filter dangling=true", "rmi -f")

    def end(self):
        self.remove_all("ps -aq --no-trunc", "rm -f")


class Ours(Contender):
    def __init__(self, place):
        super().__init__(place)
        self.script(f"{BUILD}/bin/wcctl --root {place}/root")

    @staticmethod
    def missing():
        if not find("netavark") and not os.path.exists("/usr/lib/podman/netavark"):
            return "netavark is not installed"
        return None if find("runc") else "runc is not installed"


class Docker(Contender):
    def __init__(self, place):
        super().__init__(place)
        # The client of the daemon's own release, where a newer one stands before it.
        client = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else find("docker")
        self.daemon = docker_oracle.Docker(place, networks=True)
        self.env.update({name: self.daemon.env[name] for name in ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CLI_HINTS")})
        self.script(client)

    @staticmethod
    def missing():
        return docker_oracle.missing()

    def end(self):
        super().end()
        self.daemon.end()


class Podman(Contender):
    def __init__(self, place):
        super().__init__(place)
        config = f"{place}/containers.conf"
        with open(config, "w", encoding="utf-8") as file:
            file.write('[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
                       '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
                       '[network]\nnetwork_backend = "netavark"\n')
        self.env["CONTAINERS_CONF"] = config
        self.script(f"podman --root {place}/root --runroot {place}/run --tmpdir {place}/tmp --log-level error")

    @staticmethod
    def missing():
        return None if find("podman") else "podman is not installed"


ALL = {"docker": Docker, "ours": Ours, "podman": Podman}
