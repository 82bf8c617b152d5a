# SPDX-License-Identifier: Apache-2.0
"""Moving an image that is there already: push, save, copy to a layout; beside skopeo, and beside reading,
hashing and writing the same bytes, which is the least that anybody can do."""
import itertools
import os
import shutil
import subprocess

KINDS = ("push", "save", "copy", "load")
TITLES = {"push": "Push to a loopback registry", "save": "Save as an OCI archive", "copy": "Copy from a registry to a layout",
          "load": "Load an OCI archive, with unpacking"}


class Mover:
    """target() gives a new place each time; what the last one made is removed before."""

    def __init__(self, work, registry, layout, archive):
        self.dir, self.registry, self.layout = os.path.join(work, "move-" + self.name), registry, layout
        self.archive = archive
        self.numbers = itertools.count()
        os.makedirs(self.dir)

    def clear(self):
        subprocess.run(f"awk '$2 ~ \"^{self.dir}/out/\" {{print $2}}' /proc/mounts | sort -r | xargs -r umount -l",
                       shell=True, check=True)
        subprocess.run(["rm", "-rf", f"{self.dir}/out"], check=True)
        os.makedirs(f"{self.dir}/out")

    def repository(self):
        return f"{self.registry}/moved-{self.name}-{next(self.numbers)}:1"

    def close(self):
        subprocess.run(["rm", "-rf", self.dir], check=False)


class Ours(Mover):
    name = "wincontainer"
    build = None

    def __init__(self, *args):
        super().__init__(*args)
        subprocess.run([*self.wcctl("pull", "-q"), f"oci:{self.layout}:bench"], check=True, stdout=subprocess.DEVNULL)

    def wcctl(self, *words, root="root"):
        return [f"{self.build}/bin/wcctl", "--root", f"{self.dir}/{root}", *words]

    def move(self, kind):
        if kind == "push":
            return self.wcctl("push", "-q", "bench", self.repository())
        if kind == "save":
            return self.wcctl("save", "-q", "--format", "oci-archive", "-o", f"{self.dir}/out/a.tar", "bench")
        if kind == "load":
            return self.wcctl("load", "-q", "-i", self.archive, root="out/root")
        return self.wcctl("copy", "-q", f"docker://{self.registry}/bench:gzip", f"oci:{self.dir}/out/l:x")


class Skopeo(Mover):
    """Without its memory of where blobs have been: from the second round on it would mount, not send."""
    name = "skopeo"
    FORGETFUL = ["unshare", "-m", "sh", "-c", 'mkdir -p $0 && mount -t tmpfs none $0 && exec "$@"', "/var/lib/containers/cache"]

    def move(self, kind):
        copy = [*self.FORGETFUL, "skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]
        source = f"oci:{self.layout}:bench"
        if kind == "push":
            return [*copy, source, f"docker://{self.repository()}"]
        if kind == "save":
            return [*copy, source, f"oci-archive:{self.dir}/out/a.tar"]
        if kind == "load":
            return [*copy, f"oci-archive:{self.archive}", f"containers-storage:[overlay@{self.dir}/out/root+{self.dir}/out/run]x:1"]
        return [*copy, f"docker://{self.registry}/bench:gzip", f"oci:{self.dir}/out/l:x"]


class Podman(Mover):
    name = "podman"

    def move(self, kind):
        if kind != "load":
            return None
        return ["podman", "--root", f"{self.dir}/out/root", "--runroot", f"{self.dir}/out/run", "--storage-driver", "overlay",
                "--tmpdir", f"{self.dir}/out/tmp", "load", "-q", "-i", self.archive]


class Plain(Mover):
    name = "read-hash-write"

    def move(self, kind):
        return ["sh", "-c", f"cat {self.layout}/blobs/sha256/* | tee {self.dir}/out/bytes | sha256sum"]


def bench(work, registry, layout, count, rounds, summary):
    """One table for each kind; rounds() and summary() are those of bench.py."""
    archive = f"{work}/archive.tar"
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", f"oci:{layout}:bench", f"oci-archive:{archive}:bench"], check=True)
    movers = [kind(work, registry, layout, archive) for kind in (Ours, Skopeo, Podman, Plain)
              if kind is not Podman or shutil.which("podman")]
    try:
        return [summary(f"{TITLES[kind]}, five layers, gzip",
                        rounds(count, movers, lambda m: m.clear(), lambda m, kind=kind: m.move(kind)), Ours.name)
                for kind in KINDS]
    finally:
        for mover in movers:
            mover.close()
