#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole file systems out, and images with other layers: exported, squashed, moved to another base, compressed anew,
annotated. Read back by umoci, skopeo, podman and GNU tar."""
import glob
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import time
import unittest

from wcctl_case import BUILD, SOURCE, WcctlCase, find, need_runtime

import named_skips  # found where wcctl_case looks

EPOCH = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
SUPPORT = f"{SOURCE}/tests/support"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def needs(*programs):
    missing = [p for p in programs if not find(p)]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, timeout=300, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def show(path, *options):
    """The tree with everything that can be told apart. A directory that no layer names has the time of the moment
    when umoci unpacks it, and so has the one that it is in."""
    timeless = [word for name in ("holder", "holder/made-up", "deep/a", "deep/a/fresh") for word in ("--timeless", name)]
    return run(sys.executable, f"{SUPPORT}/show_tree.py", path, *timeless, *options).decode().splitlines()


class LayersCase(WcctlCase):
    """Has the image "odd" besides, whose layers hold whatever makes unpacking one over the other interesting."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.odd = f"{cls.work}/odd"
        os.mkdir(cls.odd)
        run(sys.executable, f"{SUPPORT}/equality_image.py", cls.odd)
        cls.wcctl_ok("copy", "-q", f"oci:{cls.odd}:latest", "wc-store:odd")

    def fresh(self, name):
        """A path that is not there."""
        path = f"{self.work}/{self._testMethodName}-{name}"
        shutil.rmtree(path, ignore_errors=True)
        return path

    def json(self, *words, **more):
        return json.loads(self.wcctl_ok("--json", *words, **more).stdout)

    def config(self, image):
        return self.document(image, "config")

    def manifest(self, image):
        return self.document(image, "manifest")

    def layout_of(self, image):
        layout = f"{self.work}/of-{hashlib.sha256(image.encode()).hexdigest()[:12]}"
        shutil.rmtree(layout, ignore_errors=True)
        self.wcctl_ok("copy", "-q", f"wc-store:{image}", f"oci:{layout}:x")
        return layout

    def document(self, image, which):
        option = ["--config"] if which == "config" else []
        return json.loads(run("skopeo", "inspect", "--raw", *option, f"oci:{self.layout_of(image)}:x"))

    def unpacked(self, layout, tag):
        if find("skopeo"):  # this umoci knows no zstd
            gzip = self.fresh(f"gzip-{len(glob.glob(self.work + '/*'))}")
            run("skopeo", "--insecure-policy", "copy", "-q", "--dest-compress-format", "gzip", f"oci:{layout}:{tag}", f"oci:{gzip}:{tag}")
            layout = gzip
        bundle = self.fresh(f"bundle-{tag}-{len(glob.glob(self.work + '/*'))}")
        run("umoci", "unpack", "--image", f"{layout}:{tag}", bundle)
        return f"{bundle}/rootfs"

    def extracted(self, tar):
        to = self.fresh(f"tree-{len(glob.glob(self.work + '/*'))}")
        os.mkdir(to)
        run("tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", tar, "-C", to)
        return to

    def made(self, *words, **more):
        done = self.json(*words, **more)
        self.wcctl_ok("system", "check")
        return done


class Export(LayersCase):
    @needs("umoci")
    def test_image_equals_what_umoci_unpacks(self):
        tar = self.fresh("odd.tar")
        done = self.json("export", "-o", tar, "--type", "image", "odd")
        self.assertEqual(done["Target"], tar)
        self.assertEqual(show(self.extracted(tar)), show(self.unpacked(self.odd, "latest")))
        self.assertLess(os.path.getsize(tar), 200000)  # though one file has five million bytes: it is sparse

    def test_image_same_bytes(self):
        first = self.wcctl_ok("export", "odd", text=False).stdout
        self.assertEqual(first, self.wcctl_ok("export", "odd", text=False).stdout)
        with tarfile.open(fileobj=io.BytesIO(first)) as tar:  # and another reader
            names = tar.getnames()
            self.assertEqual(tar.extractfile("sparse").read()[1000000:1000006], b"middle")
        self.assertEqual(len(names), len(set(names)))
        self.assertFalse([name for name in names if ".wh." in name])

    @needs("umoci")
    def test_created_container(self):
        self.wcctl_ok("create", "--name", "still", "--network", "none", "odd", "/nothing")
        tar = self.fresh("still.tar")
        self.wcctl_ok("export", "-o", tar, "still")
        self.assertEqual(show(self.extracted(tar)), show(self.unpacked(self.odd, "latest")))

    CHANGE = ("echo text >/new; chown 5:6 /new; chmod 4750 /new; ln /new /same; ln /bin/busybox /bin/other; rm /etc/group; "
              "rm -rf /home; mkdir /home; touch /home/mine; mkfifo /pipe; mknod /null c 1 3; ln -s /new /link; mkdir -m 1777 /tmp/x; "
              "echo more >>/etc/passwd; chmod 700 /var; ")

    def listing_inside(self, name):
        look = ("find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/hostname -o "
                "-path /etc/resolv.conf \\) -prune -o -exec stat -c '%n %a %u:%g %s %F %t,%T' {} \\; ; find / -xdev -type f -exec md5sum {} \\;")
        return self.wcctl_ok("exec", name, "sh", "-c", look).stdout

    @staticmethod
    def listing_of(tree):
        """The same of an extracted tree, by the same program."""
        look = ("find . \\( -path ./proc -o -path ./sys -o -path ./dev \\) -prune -o -exec stat -c '%n %a %u:%g %s %F %t,%T' {} \\; ; "
                "find . -type f -exec md5sum {} \\;")
        return run(find("busybox"), "chroot", tree, "/bin/sh", "-c", f"cd /; {look}").decode()

    def assertSameListing(self, inside, tree):
        def lines(text):
            """Directories have sizes of their file system."""
            found = set()
            for line in text.splitlines():
                words = line.replace(" ./", " /").split(" ")
                words[0] = "/" + words[0].lstrip("./") if "directory" not in words else "/" + words[0].lstrip("./")
                if "directory" in words:
                    words[3] = "-"
                found.add(" ".join(words))
            return found
        outside = {line for line in lines(self.listing_of(tree))}
        self.assertEqual({line for line in lines(inside) if "/etc/host" not in line and "/etc/resolv" not in line}, outside)

    def test_running_and_stopped_container(self):
        self.wcctl_ok("run", "-d", "--name", "busy", "--network", "none", "box", "sh", "-c", self.CHANGE + "touch /ready; sleep 1000")
        for _ in range(200):
            if self.wcctl("exec", "busy", "test", "-e", "/ready").returncode == 0:
                break
            time.sleep(0.05)
        inside = self.listing_inside("busy")
        running, stopped = self.fresh("running.tar"), self.fresh("stopped.tar")
        self.wcctl_ok("export", "-o", running, "busy")
        self.wcctl_ok("kill", "busy")
        self.wcctl_ok("wait", "busy")
        self.wcctl_ok("export", "-o", stopped, "busy")
        with open(running, "rb") as a, open(stopped, "rb") as b:
            self.assertEqual(a.read(), b.read())
        tree = self.extracted(stopped)
        self.assertSameListing(inside, tree)
        self.assertEqual(os.stat(f"{tree}/new").st_ino, os.stat(f"{tree}/same").st_ino)
        self.assertEqual(os.stat(f"{tree}/bin/busybox").st_ino, os.stat(f"{tree}/bin/other").st_ino)
        self.assertFalse(os.path.exists(f"{tree}/etc/group"))

    def test_mounts_stay_outside(self):
        os.makedirs(f"{self.work}/outside", exist_ok=True)
        self.wcctl_ok("run", "--name", "mounts", "--network", "none", "-v", f"{self.work}/outside:/mnt", "--tmpfs", "/scratch", "box",
                      "sh", "-c", "echo secret >/mnt/x; echo y >/scratch/y; echo z >/kept")
        with tarfile.open(fileobj=io.BytesIO(self.wcctl_ok("export", "mounts", text=False).stdout)) as tar:
            names = tar.getnames()
        self.assertIn("kept", names)
        self.assertFalse([n for n in names if n.startswith(("mnt", "scratch", "etc/hosts"))])

    @needs("podman")
    def test_podman_imports_it(self):
        tar = self.fresh("box.tar")
        self.wcctl_ok("export", "-o", tar, "--type", "image", "box")
        podman = ["podman", "--root", f"{self.work}/p", "--runroot", f"{self.work}/r", "--storage-driver", "vfs"]
        run(*podman, "import", tar, "exported")
        mount = run(*podman, "image", "mount", "exported").decode().split()[-1]
        self.assertEqual(show(mount, "--whole-seconds")[1:], show(self.extracted(tar), "--whole-seconds")[1:])
        run(*podman, "image", "umount", "exported")
        run(*podman, "rmi", "-f", "exported")

    def test_round_trip(self):
        tar = self.fresh("round.tar")
        self.wcctl_ok("export", "-o", tar, "odd")
        self.made("import", tar, "again")
        self.assertEqual(self.wcctl_ok("export", "odd", text=False).stdout, self.wcctl_ok("export", "again", text=False).stdout)
        self.wcctl_ok("rmi", "again")

    def test_errors(self):
        self.assertFails(self.wcctl("export", "-o", "/dev/full", "odd"), 125, "/dev/full", "regular file")
        self.assertFails(self.wcctl("export", "-o", f"{self.work}/no/such/place", "odd"), 125, "/no/such/place")
        self.assertFails(self.wcctl("export", "-o", self.fresh("x"), "nosuch"), 125, "nosuch", "neither")
        self.assertFails(self.wcctl("export", "-o", self.fresh("x"), "--type", "container", "odd"), 125, "odd")
        self.assertFails(self.wcctl("export", "-o", self.fresh("x"), "--type", "volume", "odd"), 125, "volume")
        self.assertEqual(glob.glob(f"{self.work}/*part-*"), [])

    def test_nobody_reads(self):
        export = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "export", "box"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        export.stdout.read(100)
        export.stdout.close()
        self.assertEqual(export.stderr.read(), b"")
        export.stderr.close()
        self.assertEqual(export.wait(), 141)

    def test_damaged_layer_is_told(self):
        self.wcctl_ok("edit", "--append", self.plain_tar(), "--compression", "none", "scratch", "torn")
        digest = self.manifest("torn")["layers"][0]["digest"].split(":")[1]
        path = f"{self.root}/blobs/sha256/{digest}"
        with open(path, "r+b") as blob:
            blob.seek(600)
            blob.write(b"X")
        self.assertFails(self.wcctl("export", "-o", self.fresh("t"), "torn"), 125, "torn", "system check")
        self.assertFails(self.wcctl("edit", "--squash", "all", "--append", self.plain_tar(), "torn", "worse"), 125, "system check")
        self.assertFails(self.wcctl("edit", "--recompress", "torn", "worse"), 125, "system check")
        self.wcctl("system", "check", "--repair")
        self.wcctl_ok("rmi", "torn")

    def plain_tar(self):
        path = self.fresh("plain.tar")
        with tarfile.open(path, "w") as tar:
            info = tarfile.TarInfo("file")
            info.size = 600
            tar.addfile(info, io.BytesIO(b"y" * 600))
        return path


class Squash(LayersCase):
    @needs("umoci", "skopeo")
    def test_all_and_the_last_few(self):
        want = show(self.unpacked(self.odd, "latest"))
        for layers, left in ("all", 1), ("4", 1), ("3", 2), ("2", 3), ("1", 4):
            for codec in "gzip", "zstd", "none":
                self.made("edit", "--squash", layers, "--compression", codec, "odd", "squashed")
                self.assertEqual(len(self.manifest("squashed")["layers"]), left)
                self.assertEqual(show(self.unpacked(self.layout_of("squashed"), "x")), want, (layers, codec))
        self.wcctl_ok("rmi", "squashed")

    def test_history_and_digest(self):
        config = {"history": [{"created_by": f"step {i}", **({"empty_layer": True} if i == 2 else {})} for i in range(4)]}
        layout = self.fresh("layout")
        run(sys.executable, f"{SUPPORT}/make_layout.py", layout, "h", "--layers", "3")
        self.add_history(layout, config["history"])
        self.wcctl_ok("pull", "-q", f"oci:{layout}:h")
        first = self.made("edit", "--squash", "2", "-m", "why", "h", "less", env=EPOCH)
        self.assertEqual(first, self.made("edit", "--squash", "2", "-m", "why", "h", "less", env=EPOCH))
        told = [(h.get("created_by"), h.get("empty_layer", False)) for h in self.config("less")["history"]]
        self.assertEqual(told, [("step 0", False), ("step 1", True), ("step 2", True), ("step 3", True), ("wincontainer", False)])
        self.assertEqual(len(self.config("less")["rootfs"]["diff_ids"]), 2)

    @staticmethod
    def add_history(layout, history):
        """Changes the config of a layout, and what then has another digest."""
        def blob(digest):
            return f"{layout}/blobs/sha256/{digest.split(':')[1]}"

        def put(value, descriptor):
            data = json.dumps(value).encode()
            descriptor.update(digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
            with open(blob(descriptor["digest"]), "wb") as file:
                file.write(data)
        with open(f"{layout}/index.json") as file:
            index = json.load(file)
        with open(blob(index["manifests"][0]["digest"])) as file:
            manifest = json.load(file)
        with open(blob(manifest["config"]["digest"])) as file:
            config = json.load(file)
        config["history"] = history
        put(config, manifest["config"])
        put(manifest, index["manifests"][0])
        with open(f"{layout}/index.json", "w") as file:
            json.dump(index, file)

    def test_container_of_a_squashed_image(self):
        name = self.wcctl_ok("create", "--network", "none", "box", "sh", "-c", "rm -r /home; echo x >/x").stdout.strip()
        self.wcctl_ok("start", name)
        self.wcctl_ok("wait", name)
        self.wcctl_ok("commit", name, "two")
        self.made("edit", "--squash", "all", "two", "one")
        done = self.wcctl_ok("run", "--rm", "--network", "none", "one", "sh", "-c", "cat /x; ls -d /home /bin/sh 2>/dev/null; true")
        self.assertEqual(done.stdout.split(), ["x", "/bin/sh"])

    def test_new_layers_count_too(self):
        os.makedirs(f"{self.work}/extra/etc", exist_ok=True)
        for number in 1, 2:
            with open(f"{self.work}/extra/etc/n{number}", "w") as file:
                file.write("n")
        self.made("edit", "--append", f"{self.work}/extra", "--append", f"{self.work}/extra", "--squash", "2", "box", "plus")
        self.assertEqual(len(self.manifest("plus")["layers"]), len(self.manifest("box")["layers"]) + 1)
        self.assertEqual(self.manifest("plus")["layers"][0], self.manifest("box")["layers"][0])

    def test_bad_numbers(self):
        for number, says in ("9", "9 layers"), ("0", "0"), ("x", "x"), ("-1", "-1"):
            self.assertFails(self.wcctl("edit", "--squash", number, "odd", "bad"), 125, says)


    def test_of_dropped_blobs(self):
        """Blobs that were dropped for their space come back when their bytes are wanted."""
        tar = self.wcctl_ok("export", "odd", text=False).stdout
        for work in (["export", "odd"], ["edit", "--squash", "all", "odd", "d1"], ["edit", "--recompress", "--compression", "zstd", "odd", "d2"]):
            self.wcctl_ok("system", "prune", "-f", "--drop-blobs")
            done = self.wcctl_ok(*work, text=False)
            self.assertTrue(work[0] != "export" or done.stdout == tar)
            self.wcctl_ok("system", "check")
        self.wcctl_ok("rmi", "d1", "d2")


class Rebase(LayersCase):
    def add(self, base, name, path, text, **more):
        tree = self.fresh(name)
        os.makedirs(os.path.dirname(f"{tree}/{path}"))
        with open(f"{tree}/{path}", "w") as file:
            file.write(text)
        options = [word for key, value in more.items() for word in (f"--{key}", value)]
        self.made("edit", "--append", tree, *options, base, name)

    @needs("umoci", "skopeo")
    def test_onto_a_newer_base(self):
        self.add("box", "base1", "etc/release", "1", message="old base")
        self.add("box", "base2", "etc/release", "2", message="new base", platform="linux/arm64/v8")
        self.add("base1", "app", "app/data", "app", message="the app", change="ENV A=b")
        done = self.made("edit", "--old-base", "base1", "--new-base", "base2", "--platform", "linux/arm64/v8", "app", "moved",
                         env=EPOCH)
        again = self.json("edit", "--old-base", "base1", "--new-base", "base2", "--platform", "linux/arm64/v8", "app", "moved",
                         env=EPOCH)
        self.assertEqual(done, again)
        config, manifest = self.config("moved"), self.manifest("moved")
        self.assertEqual((config["architecture"], config["variant"]), ("arm64", "v8"))
        self.assertIn("A=b", config["config"]["Env"])
        self.assertEqual([h.get("comment") for h in config["history"]], [None, "new base", "the app"])
        self.assertEqual(config["rootfs"]["diff_ids"],
                         self.config("base2")["rootfs"]["diff_ids"] + self.config("app")["rootfs"]["diff_ids"][-1:])
        self.assertEqual(manifest["layers"], self.manifest("base2")["layers"] + self.manifest("app")["layers"][-1:])
        self.assertEqual(manifest["annotations"]["org.opencontainers.image.base.name"], "docker.io/library/base2:latest")
        self.assertEqual(manifest["annotations"]["org.opencontainers.image.base.digest"],
                         "sha256:" + hashlib.sha256(run("skopeo", "inspect", "--raw", f"oci:{self.layout_of('base2')}:x")).hexdigest())
        tree = self.unpacked(self.layout_of("moved"), "x")
        with open(f"{tree}/etc/release") as release, open(f"{tree}/app/data") as data:
            self.assertEqual(release.read() + data.read(), "2app")

    def test_old_base_must_be_below(self):
        self.add("box", "other1", "x", "1")
        self.add("box", "other2", "x", "2")
        self.assertFails(self.wcctl("edit", "--old-base", "other2", "--new-base", "box", "other1", "bad"), 125, "other2", "layer 2")
        self.assertFails(self.wcctl("edit", "--old-base", "other1", "--new-base", "box", "box", "bad"), 125, "other1")
        self.assertFails(self.wcctl("edit", "--old-base", "box", "--new-base", "nosuch", "other1", "bad"), 125, "nosuch")
        self.assertFails(self.wcctl("edit", "--old-base", "box", "other1", "bad"), 125, "--new-base")
        self.assertFails(self.wcctl("edit", "--old-base", "box", "--new-base", "box", "scratch", "bad"), 125, "no image")


class Diff(LayersCase):
    """Against what a plain walk over both trees finds."""
    @staticmethod
    def walk(tree):
        found = {}
        for where, dirs, files in os.walk(tree):
            for path in ([tree] if where == tree else []) + [os.path.join(where, name) for name in dirs + files]:
                st = os.lstat(path)
                content = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
                if stat.S_ISREG(st.st_mode):
                    with open(path, "rb") as file:
                        content = hashlib.sha256(file.read()).hexdigest()
                xattrs = {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}
                found[os.path.normpath("/" + os.path.relpath(path, tree))] = {
                    "type": stat.S_IFMT(st.st_mode), "content": (content, st.st_rdev), "owner": (st.st_uid, st.st_gid), "xattrs": xattrs,
                    "mode": 0 if stat.S_ISLNK(st.st_mode) else stat.S_IMODE(st.st_mode)}
        return found

    def expected(self, first, second):
        a, b = self.walk(first), self.walk(second)
        directories = {"/"} | {path for path, node in b.items() if node["type"] == stat.S_IFDIR}
        found = {("D", path) for path in a if path not in b and os.path.dirname(path) in directories}
        found |= {("A", path) for path in b if path not in a}
        for path in set(a) & set(b):
            what = [key for key in ("type", "content", "mode", "owner", "xattrs") if a[path][key] != b[path][key]]
            links = stat.S_IFLNK in (a[path]["type"], b[path]["type"])
            what = [key for key in what if not (key == "content" and "type" in what) and not (key == "mode" and links)]
            if what:
                found.add(("C", path, *what))
        return found

    def tree_of(self, image):
        tar = self.fresh(f"{image}.tar")
        self.wcctl_ok("export", "-o", tar, "--type", "image", image)
        return self.extracted(tar)

    def told(self, first, second):
        changes = self.json("diff", first, second)
        self.assertEqual([c["Path"] for c in changes], sorted((c["Path"] for c in changes), key=lambda path: path.split("/")))
        return {("CAD"[c["Kind"]], c["Path"], *c.get("What", [])) for c in changes}

    def test_both_ways(self):
        """The image against what its layers make of it one by one, and against another one."""
        for number in 1, 2, 3:
            self.keep_layers(number)
        self.made("edit", "-c", "ENV A=b", "odd", "odd4")
        for first, second in ("odd1", "odd"), ("odd", "odd1"), ("odd2", "odd3"), ("odd3", "odd"), ("box", "odd"), ("odd", "odd4"):
            self.assertEqual(self.told(first, second), self.expected(self.tree_of(first), self.tree_of(second)), (first, second))
        self.assertEqual(self.told("odd", "odd4"), set())
        self.assertIn("C /etc/passwd   (content)", self.wcctl_ok("diff", "box", "odd").stdout)
        self.assertIn("C /usr/bin/su   (type", self.wcctl_ok("diff", "odd1", "odd").stdout)

    def keep_layers(self, count):
        """An image of the first layers of "odd"."""
        layout, made = self.layout_of("odd"), f"odd{count}"
        with open(f"{layout}/index.json") as file:
            index = json.load(file)
        manifest = self.manifest("odd")
        config = self.config("odd")
        manifest["layers"], config["rootfs"]["diff_ids"] = manifest["layers"][:count], config["rootfs"]["diff_ids"][:count]
        for document, descriptor in (config, manifest["config"]), (manifest, index["manifests"][0]):
            data = json.dumps(document).encode()
            descriptor.update(digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
            with open(f"{layout}/blobs/sha256/{descriptor['digest'][7:]}", "wb") as file:
                file.write(data)
        with open(f"{layout}/index.json", "w") as file:
            json.dump(index, file)
        self.wcctl_ok("copy", "-q", f"oci:{layout}:x", f"wc-store:{made}")

    def test_errors(self):
        self.assertFails(self.wcctl("diff", "odd", "nosuch"), 125, "nosuch")
        self.assertFails(self.wcctl("diff", "a", "b", "c"), 125, "diff takes")


class Look(LayersCase):
    def setUp(self):
        tree = self.fresh("more")
        os.makedirs(f"{tree}/x")
        with open(f"{tree}/x/file", "w") as file:
            file.write("y" * 5000)
        self.made("edit", "--append", tree, "box", "one")
        self.made("edit", "--append", tree, "one", "two")
        self.wcctl_ok("tag", "one", "uno")

    def tearDown(self):
        super().tearDown()
        for name in json.loads(self.wcctl_ok("--json", "images").stdout):
            for other in name["Names"]:
                if other.split("/")[-1].split(":")[0] in ("one", "uno", "two"):
                    self.wcctl_ok("rmi", other)

    def test_tree(self):
        lines = self.wcctl_ok("tree", env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.splitlines()
        base = next(i for i, line in enumerate(lines) if "shared by 3 images" in line)
        self.assertNotIn("─", lines[base])
        self.assertRegex(lines[base + 1], "^├─ ● [0-9a-f]{12}  box:latest  ")
        self.assertRegex(lines[base + 2], "^└─ [0-9a-f]{12}  [0-9.]+k?B, unpacked 5kB  shared by 2 images$")
        self.assertRegex(lines[base + 3], "^   ├─ ● [0-9a-f]{12}  one:latest, uno:latest  ")
        self.assertRegex(lines[base + 4], "^   └─ [0-9a-f]{12}  ")
        self.assertRegex(lines[base + 5], "^      └─ ● [0-9a-f]{12}  two:latest  ")
        plain = self.wcctl_ok("tree", "two", env={**os.environ, "LC_ALL": "C"}).stdout
        self.assertTrue(plain.isascii())
        self.assertNotIn("one:latest", plain)
        self.assertIn("shared by 3 images", plain)
        self.assertFails(self.wcctl("tree", "nosuch"), 125, "nosuch")

    def test_tree_json(self):
        tree = self.json("tree", "two")
        layer, depth = tree["Layers"][0], 1
        config = self.config("two")
        while layer["Layers"]:
            self.assertEqual(layer["DiffId"], config["rootfs"]["diff_ids"][depth - 1])
            layer, depth = layer["Layers"][0], depth + 1
        self.assertEqual([image["Names"] for image in layer["Images"]], [["docker.io/library/two:latest"]])
        self.assertEqual(layer["UnpackedSize"], 5000)
        self.assertEqual(depth, len(self.manifest("two")["layers"]))

    def test_df_details(self):
        usage = self.json("system", "df")
        images = {image["Names"][0].split("/")[-1]: image for image in usage["Images"]}
        for image in images.values():
            self.assertEqual(image["Size"], image["SharedSize"] + image["UniqueSize"])
        self.wcctl_ok("create", "--name", "user", "--network", "none", "odd", "x")
        again = self.json("system", "df")
        self.assertEqual([(c["Name"], c["Image"], c["State"]) for c in again["Containers"]], [("user", "odd", "created")])
        self.assertEqual(next(i for i in again["Images"] if i["Names"] == ["docker.io/library/odd:latest"])["Containers"], 1)
        self.wcctl_ok("rm", "user")
        table = self.wcctl_ok("system", "df", "-v").stdout
        self.assertRegex(table, r"two:latest +[0-9a-f]{12} +[0-9.]+MB +[0-9.]+MB +[0-9.]+k?B +0")
        self.wcctl_ok("rmi", "two")
        left = self.json("system", "df")
        self.assertEqual(usage["Usage"][0]["Size"] - left["Usage"][0]["Size"], images["two:latest"]["UniqueSize"])


class Recompress(LayersCase):
    def decoded(self, layout, layer):
        path = f"{layout}/blobs/sha256/{layer['digest'].split(':')[1]}"
        command = {LAYER: ["cat"], LAYER + "+gzip": ["gzip", "-dc"], LAYER + "+zstd": ["zstd", "-dcq"]}[layer["mediaType"]]
        with open(path, "rb") as file:
            return hashlib.sha256(run(*command, stdin=file)).hexdigest()

    @needs("umoci", "skopeo", "zstd")
    def test_every_codec_to_every_other(self):
        config, want = self.config("odd"), show(self.unpacked(self.odd, "latest"))
        source = "odd"
        for codec, suffix in ("zstd", "+zstd"), ("none", ""), ("gzip", "+gzip"), ("zstd", "+zstd"), ("gzip", "+gzip"):
            done = self.made("edit", "--recompress", "--compression", codec, source, "packed")
            layout, manifest = self.layout_of("packed"), self.manifest("packed")
            self.assertEqual({layer["mediaType"] for layer in manifest["layers"]}, {LAYER + suffix})
            self.assertEqual(["sha256:" + self.decoded(layout, layer) for layer in manifest["layers"]], config["rootfs"]["diff_ids"])
            self.assertEqual(self.config("packed"), config)  # and so the id is the same
            self.assertEqual(done["Id"], manifest["config"]["digest"])
            self.assertEqual(show(self.unpacked(layout, "x")), want)
            source = "packed"
        self.wcctl_ok("rmi", "packed")

    def test_same_codec_changes_nothing(self):
        first = self.made("edit", "--recompress", "box", "same")
        self.assertEqual(self.manifest("same")["layers"], self.manifest("box")["layers"])
        self.assertEqual(first["Id"], self.json("inspect", "--type", "image", "box")[0]["Id"])


class Annotate(LayersCase):
    def test_annotations_stay_and_go(self):
        identity = self.json("inspect", "--type", "image", "box")[0]["Id"]
        first = self.made("edit", "--annotation", "org.example.a=1", "--annotation", "org.example.b=x=y", "box", "noted")
        self.assertEqual(first["Id"], identity)
        second = self.made("edit", "--annotation", "org.example.a=2", "--drop-annotation", "org.example.b", "noted", "noted")
        self.assertEqual(second["Id"], identity)
        self.assertNotEqual(first["Digest"], second["Digest"])
        self.assertEqual(self.manifest("noted")["annotations"], {"org.example.a": "2"})
        self.made("edit", "-c", "LABEL l=1", "noted", "noted")
        self.assertEqual(self.manifest("noted")["annotations"], {"org.example.a": "2"})


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
