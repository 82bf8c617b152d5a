#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files of subordinate ids: an ordinary user has images, containers and volumes whose files belong to many. Run by
as_user.sh. umoci, tar and the kernel's overlayfs say what is right, as root of his user namespace."""
import hashlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tarfile
import time
import unittest

from wcctl_case import BUILD, SOURCE, WcctlCase

SUPPORT = f"{SOURCE}/tests/support"
LAST = 60000  # the largest id in the images
NAMESPACE = ["unshare", "--map-root-user", "--map-auto", "-m"]
LEFT_OUT = ("'null'", "'loop'", "'null-link'")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, timeout=300, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def inside(*words, **more):
    """As root of a user namespace with this user's ids."""
    return run(*NAMESPACE, *words, **more)


def show(path, before="true"):
    """The tree as containers see it, after the shell command `before`."""
    timeless = [word for name in ("holder", "holder/made-up", "deep/a", "deep/a/fresh") for word in ("--timeless", name)]
    lines = inside("sh", "-c", f'{before} && exec "$@"', "sh", sys.executable, f"{SUPPORT}/show_tree.py", path, *timeless)
    return [line for line in lines.decode().splitlines() if line.split()[0] not in LEFT_OUT]


def files_helpers():
    """Process ids of the helpers that work on files for somebody."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == b"wc-helper" and words[1:2] == [b"files"]:
            found.append((int(pid), words[2].decode()))
    return found


class FilesCase(WcctlCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.global_options = ["--run-root", f"{cls.work}/run"]
        cls.odd = f"{cls.work}/odd"
        os.mkdir(cls.odd)
        run(sys.executable, f"{SUPPORT}/equality_image.py", cls.odd, str(LAST))
        cls.pulled = cls.wcctl_ok("copy", "-q", f"oci:{cls.odd}:latest", "wc-store:odd")

    @classmethod
    def tearDownClass(cls):
        subprocess.run([*NAMESPACE, "rm", "-rf", cls.work], check=False)

    def fresh(self, name):
        """An empty directory."""
        path = f"{self.work}/{self._testMethodName}-{name}"
        inside("rm", "-rf", path)
        os.mkdir(path)
        return path

    def extracted(self, tar):
        to = self.fresh("tree")
        inside("tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xp", "-C", to, input=tar)
        return to

    def by_umoci(self):
        bundle = f"{self.fresh('umoci')}/bundle"
        inside("umoci", "unpack", "--image", f"{self.odd}:latest", bundle)
        return show(f"{bundle}/rootfs")

    def layers(self, image):
        """The directories that overlayfs gets, the uppermost first."""
        found, chain = [], ""
        for diff_id in json.loads(self.wcctl_ok("inspect", image).stdout)[0]["RootFS"]["Layers"]:
            chain = "sha256:" + hashlib.sha256(f"{chain} {diff_id}".encode()).hexdigest() if chain else diff_id
            found.insert(0, f"{self.root}/trees/{diff_id[7:]}/fs")
            if os.path.isdir(f"{self.root}/links/{chain[7:]}/fs"):
                found.insert(0, f"{self.root}/links/{chain[7:]}/fs")
        return found

    def files(self, *folders):
        """What lies in folders of the store, as root of the namespace finds it."""
        return inside("find", *[f"{self.root}/{name}" for name in folders], "-mindepth", "1").decode().split("\n")[:-1]

    def owners(self, *folders):
        found = inside("find", *[f"{self.root}/{name}" for name in folders], "-printf", "%U\n").decode().split()
        return set(found)


class Images(FilesCase):
    def test_tree_equals_what_umoci_unpacks(self):
        seen = self.fresh("seen")
        ours = show(seen, f"mount -t overlay overlay -o userxattr,lowerdir={':'.join(self.layers('odd'))} {seen}")
        self.assertEqual(ours, self.by_umoci())
        capable = next(line for line in ours if line.startswith("'capable'"))
        self.assertIn("security.capability=01000002", capable)
        self.assertGreater(len({line.split()[2] for line in ours}), 4, "owners")

    def test_devices_are_left_out_with_a_word(self):
        for name in ("null", "loop"):
            self.assertIn(f"{name}: a device node, which only root may make: left out", self.pulled.stderr)
        self.assertNotIn("owned", self.pulled.stderr)

    def test_what_a_container_would_get(self):
        self.wcctl_ok("--backend", "mock", "create", "--name", "still", "odd", "/nothing")
        tar = self.wcctl_ok("cp", "still:/", "-", text=False).stdout
        self.assertEqual(show(self.extracted(tar)), self.by_umoci())

    def test_check_unpacks_again_and_finds_the_same(self):
        self.assertIn("The store is sound", self.wcctl_ok("system", "check").stdout)
        tree = [path for path in self.layers("odd") if "/trees/" in path][-1]
        inside("chown", "5:5", f"{tree}/owned")
        done = self.wcctl("system", "check")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("owned", done.stdout + done.stderr)
        self.wcctl("system", "check", "--repair")
        self.assertIn("The store is sound", self.wcctl_ok("system", "check").stdout)

    def test_dropped_blobs_are_made_again(self):
        layout = f"{self.fresh('packed')}/layout"
        self.wcctl_ok("copy", "-q", "wc-store:odd", f"oci:{layout}:x")
        root, type(self).root = self.root, f"{self.work}/dropped"
        try:
            self.wcctl_ok("copy", "-q", f"oci:{layout}:x", "wc-store:odd")
            before = self.wcctl_ok("export", "odd", text=False).stdout
            self.wcctl_ok("system", "prune", "-f", "--drop-blobs")
            self.assertEqual(self.wcctl_ok("export", "odd", text=False).stdout, before)
            self.assertIn("The store is sound", self.wcctl_ok("system", "check").stdout)
        finally:
            type(self).root = root

    def test_unpacked_to_change_is_the_users_own(self):
        to = f"{self.fresh('mine')}/odd"
        self.wcctl_ok("unpack", "odd", to)
        owners = {os.lstat(os.path.join(at, name)).st_uid for at, dirs, files in os.walk(to) for name in dirs + files}
        self.assertEqual(owners, {os.getuid()})
        self.wcctl_ok("pack", to, "packed")
        self.assertEqual(*[json.loads(self.wcctl_ok("inspect", name).stdout)[0]["Id"] for name in ("odd", "packed")])

    def test_removed_images_leave_nothing(self):
        root, type(self).root = self.root, f"{self.work}/another"
        try:
            self.wcctl_ok("copy", "-q", f"oci:{self.odd}:latest", "wc-store:odd")
            self.assertGreater(len(self.owners("trees")), 4)
            self.wcctl_ok("rmi", "odd")
            self.assertEqual(self.files("trees", "links", "staging"), [])
        finally:
            type(self).root = root


class Volumes(FilesCase):
    def tar(self):
        out = io.BytesIO()
        capability = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0).decode("utf-8", "surrogateescape")
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            def add(name, kind, uid, mode, data=b"", **pax):
                info = tarfile.TarInfo(name)
                info.type, info.uid, info.gid, info.mode, info.size = kind, uid, uid + 1, mode, len(data)
                info.linkname = "file" if kind == tarfile.SYMTYPE else ""
                info.mtime, info.pax_headers = 1600000000, {key.replace("__", "."): value for key, value in pax.items()}
                tar.addfile(info, io.BytesIO(data))
            add(".", tarfile.DIRTYPE, 33, 0o700)
            add("closed", tarfile.DIRTYPE, 7, 0o700)
            add("closed/secret", tarfile.REGTYPE, 7, 0o600, b"secret")
            add("closed/deep", tarfile.DIRTYPE, 8, 0o2700)
            add("closed/deep/file", tarfile.REGTYPE, 9, 0o4700, b"x" * 100000)
            add("closed/link", tarfile.SYMTYPE, 10, 0o777)
            add("capable", tarfile.REGTYPE, 11, 0o755, b"x", SCHILY__xattr__security__capability=capability)
        return out.getvalue()

    def setUp(self):
        self.wcctl_ok("volume", "create", "vol")
        self.wcctl_ok("volume", "import", "vol", "-", stdin=self.tar(), text=False)

    def tearDown(self):
        self.wcctl("volume", "rm", "vol")
        super().tearDown()

    def test_owners_and_modes_are_kept(self):
        self.assertEqual(show(f"{self.root}/volumes/vol/data"), show(self.extracted(self.tar())))

    def test_export_gives_what_was_imported(self):
        tar = self.wcctl_ok("volume", "export", "vol", text=False).stdout
        self.assertEqual(show(self.extracted(tar)), show(f"{self.root}/volumes/vol/data"))

    def test_size_of_what_is_closed(self):
        text = [line for line in self.wcctl_ok("system", "df").stdout.splitlines() if line.startswith("Local Volumes")][0]
        self.assertRegex(text, r"1[0-9][0-9](\.[0-9]+)?kB")

    def test_removed_leaves_nothing(self):
        self.assertGreater(len(self.owners("volumes")), 4)
        self.wcctl_ok("volume", "rm", "vol")
        self.assertEqual(self.files("volumes", "staging"), [])

    def test_prune_takes_what_a_removal_left(self):
        self.wcctl_ok("volume", "rm", "vol")
        litter = f"{self.root}/volumes/left/data"
        os.makedirs(litter)
        inside("tar", "--numeric-owner", "-xp", "-C", litter, input=self.tar())
        self.wcctl_ok("system", "prune", "-f")
        self.assertEqual(self.files("volumes", "staging"), [])


class Containers(FilesCase):
    """What a container leaves, though it has run in a namespace of which the library is no part."""
    MAKE = ("mkdir -m 700 /priv; echo s >/priv/secret; chmod 600 /priv/secret; chown -R 7:8 /priv; touch /x; chown 33:34 /x; "
            "chmod 2755 /x; mkdir /home/new; rm -rf /home; mkdir /home; rm /etc/group")

    def setUp(self):
        self.wcctl_ok("run", "--name", "made", "--network", "none", "box", "sh", "-c", self.MAKE)

    def names(self, tar):
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            return {m.name: (m.uid, m.gid, m.mode) for m in archive}

    def test_diff(self):
        self.assertEqual(self.wcctl_ok("diff", "made").stdout.split("\n")[:-1],
                         ["C /etc", "D /etc/group", "C /home", "A /priv", "A /priv/secret", "A /x"])

    def test_export_has_the_owners(self):
        names = self.names(self.wcctl_ok("export", "made", text=False).stdout)
        self.assertEqual(names["priv/secret"], (7, 8, 0o600))
        self.assertEqual(names["x"], (33, 34, 0o2755))
        self.assertNotIn("etc/group", names)

    def test_commit_and_run(self):
        self.wcctl_ok("commit", "made", "committed")
        look = "stat -c '%n %u:%g %a' /priv /priv/secret /x; ls -A /home; test -e /etc/group || echo gone"
        self.assertEqual(self.wcctl_ok("run", "--rm", "--network", "none", "-v", "filled:/priv", "committed", "sh", "-c",
                                       look).stdout.split("\n")[:-1],
                         ["/priv 7:8 700", "/priv/secret 7:8 600", "/x 33:34 2755", "gone"])
        self.assertEqual(self.names(self.wcctl_ok("volume", "export", "filled", text=False).stdout),
                         {".": (7, 8, 0o700), "./secret": (7, 8, 0o600)})
        self.wcctl_ok("volume", "rm", "filled")
        self.wcctl_ok("rmi", "committed")

    def test_copies_both_ways(self):
        self.assertEqual(self.names(self.wcctl_ok("cp", "made:/priv", "-", text=False).stdout),
                         {"priv": (7, 8, 0o700), "priv/secret": (7, 8, 0o600)})
        here = self.fresh("here")
        self.wcctl_ok("cp", "made:/priv", here)
        self.assertEqual(os.stat(f"{here}/priv/secret").st_uid, os.getuid())
        with open(f"{here}/new", "w", encoding="utf-8") as file:
            file.write("new")
        self.wcctl_ok("cp", f"{here}/new", "made:/priv/new")
        self.assertIn("priv/new", self.names(self.wcctl_ok("cp", "made:/priv", "-", text=False).stdout))

    def test_size_and_removal(self):
        self.assertGreater(len(self.owners("containers")), 2)
        size = self.wcctl_ok("ps", "-as").stdout
        self.assertRegex(size, r"[1-9][0-9.]*[kM]?B \(virtual")
        self.wcctl_ok("rm", "made")
        self.assertEqual(self.files("containers", "staging"), [])

    def test_volume_that_a_container_has_filled(self):
        self.wcctl_ok("run", "--rm", "--network", "none", "-v", "full:/data", "box", "sh", "-c",
                      "mkdir /data/a; echo x >/data/a/b; chown -R 9:10 /data; chmod 700 /data /data/a")
        names = self.names(self.wcctl_ok("volume", "export", "full", text=False).stdout)
        self.assertEqual(names["./a/b"][:2], (9, 10))
        self.wcctl_ok("volume", "rm", "full")
        self.assertEqual(self.files("volumes", "staging"), [])


class Identity(FilesCase):
    def test_other_ids_are_refused_by_name(self):
        program = [f"{BUILD}/bin/wcctl", "--root", self.root, "--run-root", f"{self.work}/run", "images"]
        done = subprocess.run(["unshare", "--map-root-user", *program], capture_output=True, text=True, check=False)
        self.assertFails(done, 125, f"store: '{self.root}': its files belong to a user with the ids 'uids 0:{os.getuid()}:1,1:",
                         f"here they are 'uids 0:{os.getuid()}:1 gids 0:{os.getgid()}:1'", "/etc/subuid")

    def test_root_of_the_same_namespace_may(self):
        run("podman", "unshare", f"{BUILD}/bin/wcctl", "--root", self.root, "--run-root", f"{self.work}/run", "system", "check")

    def test_mounting_an_image_says_where_it_works(self):
        self.assertFails(self.wcctl("mount", "odd", self.fresh("m")), 125, "user namespace", "podman unshare")
        shell = f"'{BUILD}/bin/wcctl' --root '{self.root}' --run-root '{self.work}/run'"
        seen = self.fresh("seen")
        run("podman", "unshare", "sh", "-c", f"{shell} mount odd {seen} && stat -c %u {seen}/sticky && {shell} "
                                             f"unmount {seen}")


class Killed(FilesCase):
    """Whoever is killed, nothing is left that a prune does not take, and the next one goes on."""

    def many_owners(self):
        """A layout with one layer of many small files, each somebody else's, in directories of others."""
        layout = f"{self.work}/many"
        if os.path.isdir(layout):
            return layout
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for i in range(50):
                info = tarfile.TarInfo(f"d{i}")
                info.type, info.uid, info.mode = tarfile.DIRTYPE, 5000 + i, 0o755
                tar.addfile(info)
            for i in range(3000):
                info = tarfile.TarInfo(f"d{i % 50}/f{i}")
                info.uid, info.gid, info.size = 1 + i % 3000, 1 + i % 2000, 10
                tar.addfile(info, io.BytesIO(b"0123456789"))
        blobs = f"{layout}/blobs/sha256"
        os.makedirs(blobs)

        def put(data):
            name = hashlib.sha256(data).hexdigest()
            with open(f"{blobs}/{name}", "wb") as file:
                file.write(data)
            return {"digest": f"sha256:{name}", "size": len(data)}
        layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", **put(out.getvalue())}
        config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [layer],
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(json.dumps(config).encode())}}
        entry = {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode()),
                 "annotations": {"org.opencontainers.image.ref.name": "many"}}
        with open(f"{layout}/index.json", "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
        with open(f"{layout}/oci-layout", "w", encoding="utf-8") as file:
            json.dump({"imageLayoutVersion": "1.0.0"}, file)
        return layout

    def start(self, *words):
        return subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *self.global_options, *words],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def start_pull(self):
        return self.start("copy", "-q", f"oci:{self.many_owners()}:many", "wc-store:many")

    def kill(self, process, *victims):
        """As soon as it has a helper, which it may be rid of before we see it. Its errors, when it had some."""
        helper = None
        while helper is None and process.poll() is None:
            helper = next((pid for pid, run_root in files_helpers() if run_root.startswith(self.work)), None)
        for victim in victims:
            try:
                os.kill(helper if victim == "helper" and helper else process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        errors = process.communicate(timeout=60)[1]
        self.assertGone(helper)
        return errors if process.returncode > 0 else ""

    def assertGone(self, helper):
        """It goes with whom it works for."""
        deadline = time.monotonic() + 60
        while helper in [pid for pid, _ in files_helpers()]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def assertClears(self):
        self.wcctl("rmi", "many")
        self.wcctl_ok("system", "prune", "-f")
        self.assertEqual(self.files("staging"), [])
        self.wcctl_ok("copy", "-q", f"oci:{self.many_owners()}:many", "wc-store:many")
        self.assertIn("The store is sound", self.wcctl_ok("system", "check").stdout)

    def test_pulls(self):
        for victims in ("helper",), ("host",), ("helper", "host"):
            errors = self.kill(self.start_pull(), *victims)
            if errors:
                self.assertIn("entry 'd", errors)
            self.assertClears()
            self.wcctl_ok("rmi", "many")

    def test_removals(self):
        self.wcctl_ok("copy", "-q", f"oci:{self.many_owners()}:many", "wc-store:many")
        for victim in "helper", "host":
            self.kill(self.start("rmi", "many"), victim)
            self.assertClears()


if __name__ == "__main__":
    unittest.main(verbosity=2)
