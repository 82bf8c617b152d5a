#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images unpacked to directories, carried about, changed, and packed again; of Linux and of Windows. The tars are read
back by Python's tarfile, the images by skopeo."""
import gzip
import hashlib
import http.server
import io
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time

from image_case import BUILD, INSECURE, SUPPORT, ImageCase, digest_of, make_layout, needs, raw_manifest_of, run

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402
import windows_image  # noqa: E402
from make_layout import Layout  # noqa: E402

OCI = "application/vnd.oci.image."
DLL = "Files/Windows/System32/ntdll.dll"
RECORDS = ("MSWINDOWS.fileattr", "MSWINDOWS.rawsd", "LIBARCHIVE.creationtime", "atime")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def put_image(path, tag, tars, packed=gzip.compress, suffix="+gzip", **config):
    """A layout with an image of these tars."""
    layout = Layout(path)
    layers = [layout.put(packed(tar), f"{OCI}layer.v1.tar{suffix}") for tar in tars]
    config = {"architecture": "amd64", "os": "linux", "config": {}, **config,
              "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]}}
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "layers": layers,
                "config": layout.put(json.dumps(config).encode(), OCI + "config.v1+json")}
    entry = layout.put(json.dumps(manifest).encode(), OCI + "manifest.v1+json")
    layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
    layout.write("index.json", {"schemaVersion": 2, "manifests": [
        {**entry, "annotations": {"org.opencontainers.image.ref.name": tag}}]})
    return entry["digest"]


def show(root):
    """All that a plain tree tells: kind, mode, content, and which names are one file."""
    told, inodes = {}, {}
    for where, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(where, name)
            info = os.lstat(path)
            kind = stat.S_IFMT(info.st_mode)
            content = (os.readlink(path) if kind == stat.S_IFLNK else read(path) if kind == stat.S_IFREG else
                       info.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else None)
            if kind == stat.S_IFREG and info.st_nlink > 1:
                inodes.setdefault(info.st_ino, []).append(os.path.relpath(path, root))
            told[os.path.relpath(path, root)] = (kind, stat.S_IMODE(info.st_mode), content)
    return told, sorted(sorted(names) for names in inodes.values())


class UnpackCase(ImageCase):
    def tars(self, image, **more):
        """The plain tars of an image of the store, and its manifest."""
        layout = self.path(f"tars-{random.getrandbits(40):x}")
        self.ok("copy", f"wc-store:{image}", f"oci:{layout}:x", **more)
        blob = lambda digest: read(f"{layout}/blobs/sha256/{digest[7:]}")
        index = json.loads(read(f"{layout}/index.json"))
        manifest = json.loads(blob(index["manifests"][0]["digest"]))
        unpack = {"gzip": gzip.decompress, "tar": bytes}
        return [unpack[d["mediaType"].split("+")[-1].split(".")[-1]](blob(d["digest"])) for d in manifest["layers"]], manifest

    def members(self, tar):
        with tarfile.open(fileobj=io.BytesIO(tar)) as file:
            return {m.name: m for m in file}

    def content(self, tar, name):
        with tarfile.open(fileobj=io.BytesIO(tar)) as file:
            return file.extractfile(name).read()

    def unpacked(self, image, name="dir", **more):
        self.ok("unpack", image, self.path(name), **more)
        return self.path(name)

    def packed(self, path, name="packed", **more):
        done = json.loads(self.ok("--json", "pack", path, name, **more))
        self.check(**more)
        return done

    def changes(self, done):
        return {(c["Layer"], c["Path"]): "CAD"[c["Kind"]] for c in done["Changes"]}


class Windows(UnpackCase):
    def setUp(self):
        super().setUp()
        self.there = windows_image.make(self.path("layout"), "w")

    def pull_windows(self):
        return self.pull(f"oci:{self.path('layout')}:w", "--platform", "windows/amd64")

    @needs("docker-registry", "skopeo")
    def test_whole_way_through_registries(self):
        server = self.registry()
        name = f"{server.address}/windows/app"
        server.push(f"oci:{self.path('layout')}:w", "windows/app:1")
        self.assertEqual(self.pull(f"docker://{name}:1", "--platform", "windows/amd64:10.0.20348.1")["Digest"],
                         self.there["manifest"])
        shown = json.loads(self.ok("inspect", f"{name}:1"))[0]
        self.assertEqual((shown["Os"], shown["OsVersion"]), ("windows", "10.0.20348.587"))
        self.assertEqual(shown["OsFeatures"], ["win32k"])
        self.assertIn(f"{name}:1", [n for image in self.images() for n in image["Names"]])
        self.check()
        directory = self.unpacked(f"{name}:1")
        done = self.packed(directory, f"{name}:2")
        self.assertEqual((done["Digest"], done["Changes"]), (self.there["manifest"], []))
        self.ok("push", f"{name}:2")
        self.assertEqual(raw_manifest_of(f"{name}:2"), raw_manifest_of(f"{name}:1"))
        # To another machine, which has nothing of it.
        other = self.path("other-root")
        subprocess.run(f"tar -C {directory} -c . | (mkdir {self.path('moved')} && tar -C {self.path('moved')} -x)", shell=True,
                       check=True)
        shutil.rmtree(directory)
        done = self.packed(self.path("moved"), f"{name}:3", root=other)
        self.assertEqual((done["Id"], done["Changes"]), (self.there["config"], []))
        self.assertEqual(self.tars(f"{name}:3", root=other)[0], [windows_image.base(), windows_image.delta()])
        self.ok("push", f"{name}:3", root=other)
        run("skopeo", *INSECURE, "copy", "-q", "--override-os", "windows", "--src-tls-verify=false", f"docker://{name}:3",
            f"oci:{self.path('read')}:3")
        config = json.loads(run("skopeo", "--override-os", "windows", "inspect", "--config", "--raw",
                                f"oci:{self.path('read')}:3"))
        self.assertEqual(config["rootfs"]["diff_ids"], self.there["diff_ids"])
        self.ok("save", "--format", "oci-archive", "-o", self.path("w.tar"), f"{name}:3", root=other)
        self.ok("load", "-i", self.path("w.tar"), "--platform", "windows/amd64", root=self.path("third-root"))

    def test_the_tree_has_all_names(self):
        self.pull_windows()
        fs = self.unpacked("w") + "/layers/1/fs"
        self.assertEqual(read(f"{fs}/{DLL}:Zone.Identifier"), b"[ZoneTransfer]\r\nZoneId=3\r\n")
        self.assertEqual(os.readlink(f"{fs}/Files/Documents and Settings"), "\\??\\C:\\Users")
        self.assertEqual(os.stat(f"{fs}/Files/Windows/notepad.exe").st_nlink, 2)
        self.assertEqual(read(f"{self.path('dir')}/layers/2/fs/Files/Windows/.wh.old.ini"), b"")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("dir")).st_mode), 0o700)

    def test_own_compression_gives_the_same_digest_anywhere(self):
        self.pull_windows()
        self.ok("edit", "--compression", "zstd", "--recompress", "w", "own")
        digest = json.loads(self.ok("inspect", "own"))[0]["Digest"]
        self.assertEqual(self.packed(self.unpacked("own"), "own", root=self.path("other"))["Digest"], digest)

    def test_plain_layers_keep_their_digest_anywhere(self):
        there = windows_image.make(self.path("plain"), "p", compression="none")
        self.pull(f"oci:{self.path('plain')}:p", "--platform", "windows/amd64")
        self.assertEqual(self.packed(self.unpacked("p"), root=self.path("other"))["Digest"], there["manifest"])

    def test_dropped_blobs_come_back(self):
        self.ok("edit", "--compression", "zstd", "--recompress", self.pull_windows()["Name"], "own")
        self.ok("rmi", "w")
        digest = json.loads(self.ok("inspect", "own"))[0]["Digest"]
        self.ok("copy", "wc-store:own", f"oci:{self.path('own')}:x")
        self.ok("pull", "--platform", "windows/amd64", "--drop-blobs", f"oci:{self.path('own')}:x", root=self.path("other"))
        directory = self.unpacked("x", root=self.path("other"))
        self.assertEqual(self.packed(directory, root=self.path("other"))["Digest"], digest)

    def change(self):
        self.pull_windows()
        fs = self.unpacked("w") + "/layers/1/fs"
        write(f"{fs}/{DLL}", b"patched")                                       # shorter, and with streams
        write(f"{fs}/Files/Windows/win.ini", b"[fonts]\r\nmore=1\r\n")          # longer
        write(f"{fs}/Files/Windows/win.ini:mark", b"new stream")
        os.unlink(f"{fs}/Files/Windows/old.ini")
        os.unlink(f"{fs}/Hives/Sam_Base")
        os.mkdir(f"{fs}/Files/new")
        write(f"{fs}/Files/new/tool.exe", b"MZ tool")
        write(f"{fs}/Files/new/tool.exe.config", b"<x/>")                       # sorts between the file and its stream
        write(f"{fs}/Files/new/tool.exe:s", b"its stream")
        os.unlink(f"{fs}/Files/Documents and Settings")
        os.symlink("\\??\\C:\\Users\\Public", f"{fs}/Files/Documents and Settings")
        os.unlink(f"{fs}/Files/Windows/notepad.exe")                            # its link stays
        os.chmod(f"{fs}/UtilityVM/Files/EFI/bootmgfw.efi", 0o600)               # means nothing there
        return self.packed(self.path("dir"))

    def test_changes(self):
        done = self.change()
        self.assertEqual(self.changes(done), {
            (1, DLL): "C", (1, "Files/Windows/win.ini"): "C", (1, "Files/Windows/win.ini:mark"): "A",
            (1, "Files/Windows/old.ini"): "D", (1, "Hives/Sam_Base"): "D", (1, "Files/new"): "A",
            (1, "Files/new/tool.exe"): "A", (1, "Files/new/tool.exe.config"): "A", (1, "Files/new/tool.exe:s"): "A",
            (1, "Files/Documents and Settings"): "C", (1, "Files/Windows/notepad.exe"): "D"})
        (one, two), manifest = self.tars("packed")
        self.assertEqual(two, windows_image.delta())
        self.assertEqual(manifest["layers"][1]["digest"], self.there["layers"][1])
        was, now = self.members(windows_image.base()), self.members(one)
        self.assertEqual(set(was) - set(now), {"Files/Windows/old.ini", "Hives/Sam_Base", "Files/Windows/notepad.exe"})
        self.assertEqual(self.content(one, DLL), b"patched")
        for name in (DLL, "Files/Windows/win.ini", "Files/Documents and Settings"):
            for record in RECORDS:
                self.assertEqual(now[name].pax_headers[record], was[name].pax_headers[record], (name, record))
            self.assertEqual(now[name].mode, was[name].mode)
        self.assertAlmostEqual(now[DLL].mtime, time.time(), delta=600)
        self.assertEqual(now[DLL].pax_headers["ctime"], now[DLL].pax_headers["mtime"])
        self.assertEqual(now["Files/Documents and Settings"].linkname, "\\??\\C:\\Users\\Public")
        self.assertEqual(now["Files/Documents and Settings"].pax_headers["MSWINDOWS.mountpoint"], "1")
        parted = now["Files/Windows/System32/notepad.exe"]  # has become the file, with all that was kept of it
        self.assertEqual(parted.type, tarfile.REGTYPE)
        self.assertEqual(parted.pax_headers["MSWINDOWS.xattr.KERNEL_PURGE"], "AAECAw==")
        self.assertEqual(self.content(one, parted.name), b"MZ notepad " * 500)
        tool, folder = now["Files/new/tool.exe"], now["Files/new"]
        self.assertEqual((tool.pax_headers["MSWINDOWS.fileattr"], folder.pax_headers["MSWINDOWS.fileattr"]), ("32", "16"))
        self.assertEqual((tool.uid, tool.gid), (0, 0))
        for record in ("LIBARCHIVE.creationtime", "atime", "ctime"):
            self.assertEqual(tool.pax_headers[record], tool.pax_headers["mtime"])
        self.assertNotIn("MSWINDOWS.fileattr", now["Files/new/tool.exe:s"].pax_headers)
        order = list(now)
        self.assertEqual(order[order.index("Files/new/tool.exe") + 1], "Files/new/tool.exe:s")
        self.assertEqual(order[order.index("Files/Windows/win.ini") + 1], "Files/Windows/win.ini:mark")
        untouched = set(was) & set(now) - {DLL, "Files/Windows/win.ini", "Files/Documents and Settings", parted.name}
        for name in untouched:
            self.assertEqual(now[name].pax_headers, was[name].pax_headers, name)
        # And once more, from what has come of it.
        again = self.packed(self.unpacked("packed", "again"), "again")
        self.assertEqual((again["Digest"], again["Changes"]), (done["Digest"], []))

    def test_squashing_would_lose_it(self):
        self.pull_windows()
        self.assertIn("cannot be squashed", self.fails("edit", "--squash", "all", "w", "x"))

    def test_streams_go_with_their_file(self):
        self.pull_windows()
        os.unlink(f"{self.unpacked('w')}/layers/1/fs/{DLL}")
        done = self.packed(self.path("dir"))
        self.assertEqual(self.changes(done), {(1, DLL + s): "D" for s in ("", ":Zone.Identifier", ":big")})
        self.assertNotIn(f"{DLL}:big", self.members(self.tars("packed")[0][0]))

    def test_a_new_name_that_windows_cannot_have(self):
        self.pull_windows()
        write(f"{self.unpacked('w')}/layers/1/fs/Files/aux.txt", b"")
        self.assertIn("names a device", self.fails("pack", self.path("dir"), "x"))
        self.assertEqual(len(self.images()), 1)


def entry(tar, name, kind=tarfile.REGTYPE, data=b"", mode=0o644, link="", **more):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, len(data), link, 1600000000
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def linux_tar(form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        entry(tar, "./", tarfile.DIRTYPE, mode=0o755)
        entry(tar, "etc/", tarfile.DIRTYPE, mode=0o755, uid=7, gid=8)
        entry(tar, "etc/motd", data=b"hello\n" * 100, uid=12, gid=34,
              **({"pax_headers": {"comment": "kept", "SCHILY.xattr.user.x": "y"}} if form == tarfile.PAX_FORMAT else {}))
        entry(tar, "etc/shadow", data=b"root:*\n", mode=0)
        entry(tar, "etc/alone", data=b"b" * 1000)
        entry(tar, "bin/one", data=b"x" * 5000, mode=0o755, uid=5)
        for name in ("two", "three"):
            entry(tar, f"bin/{name}", tarfile.LNKTYPE, link="bin/one", mode=0o755, uid=5)
        entry(tar, "bin/link", tarfile.SYMTYPE, link="one", mode=0o777)
        entry(tar, "dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)
        entry(tar, "run/pipe", tarfile.FIFOTYPE)
        entry(tar, "very/" + "long/" * 40 + "name", data=b"deep" * 200)
        entry(tar, "twice", data=b"first" * 100)
        entry(tar, "twice", data=b"second" * 100)
        entry(tar, "below", tarfile.LNKTYPE, link="not/here")
        entry(tar, "d/.wh.gone")
        entry(tar, "d/.wh..wh..opq")
    return out.getvalue()


class Linux(UnpackCase):
    def setUp(self):
        super().setUp()
        lower = io.BytesIO()
        with tarfile.open(fileobj=lower, mode="w") as tar:
            entry(tar, "not/here", data=b"lower" * 100)
            entry(tar, "d/gone", data=b"gone")
        self.layers = [lower.getvalue(), linux_tar()]

    def bring(self, name="l", tars=None, **more):
        digest = put_image(self.path(name), name, tars or self.layers, **more)
        self.pull(f"oci:{self.path(name)}:{name}")
        return digest

    def test_every_form_comes_back(self):
        gnu = self.path("gnu.tar")
        os.makedirs(self.path("sparse/a"))
        with open(self.path("sparse/a/holes"), "wb") as file:
            file.truncate(5000000)
            file.seek(1000000)
            file.write(b"middle")
        for form in ("--format=gnu", "--format=pax"):
            run("tar", "-S", form, "-cf", gnu, "-C", self.path("sparse"), "a")
            for tar in (linux_tar(tarfile.GNU_FORMAT), read(gnu), read(gnu).rstrip(b"\0") + b"\0" * 20480):
                with self.subTest(form=form, size=len(tar)):
                    shutil.rmtree(self.path("dir"), ignore_errors=True)
                    shutil.rmtree(self.path("l"), ignore_errors=True)
                    shutil.rmtree(self.path("other"), ignore_errors=True)
                    tars = [self.layers[0], tar]
                    self.bring(tars=tars)
                    done = self.packed(self.unpacked("l"), root=self.path("other"))
                    self.assertEqual((done["Changes"], self.tars("packed", root=self.path("other"))[0]), ([], tars))

    def test_changes(self):
        self.bring()
        fs = self.unpacked("l") + "/layers/2/fs"
        write(f"{fs}/etc/motd", b"changed")
        os.chmod(f"{fs}/etc/alone", 0o4711)
        os.chmod(f"{fs}/etc", 0o700)
        os.unlink(f"{fs}/bin/one")
        write(f"{fs}/bin/three.new", b"x" * 5000 + b"y")
        os.rename(f"{fs}/bin/three.new", f"{fs}/bin/three")
        os.unlink(f"{fs}/bin/link")
        os.symlink("two", f"{fs}/bin/link")
        write(f"{fs}/dev/null", b"a file by now")
        write(f"{fs}/twice", b"third")
        os.unlink(f"{fs}/d/.wh.gone")
        write(f"{fs}/etc/.wh.resolv.conf", b"")
        os.link(f"{fs}/etc/alone", f"{fs}/etc/linked")
        os.mkdir(f"{fs}/new")
        write(f"{fs}/new/file", b"new" * 300)
        os.chmod(f"{fs}/new/file", 0o640)
        shutil.rmtree(f"{fs}/very")
        write(f"{fs}/very", b"a file")
        done = self.packed(self.path("dir"))
        told = self.changes(done)
        self.assertEqual(told[2, "etc/motd"] + told[2, "etc/alone"] + told[2, "bin/one"] + told[2, "dev/null"], "CCDA")
        (one, two), manifest = self.tars("packed")
        self.assertEqual(one, self.layers[0])
        was, now = self.members(self.layers[1]), self.members(two)
        motd = now["etc/motd"]
        self.assertEqual((self.content(two, "etc/motd"), motd.uid, motd.gid, motd.mode, motd.pax_headers["comment"],
                          motd.pax_headers["SCHILY.xattr.user.x"]), (b"changed", 12, 34, 0o644, "kept", "y"))
        self.assertGreater(motd.mtime, 1600000000)
        alone = now["etc/alone"]
        self.assertEqual((alone.mode, alone.mtime, now["etc"].mode, now["etc"].uid), (0o4711, 1600000000, 0o700, 7))
        self.assertEqual((now["etc/linked"].type, now["etc/linked"].linkname), (tarfile.LNKTYPE, "etc/alone"))
        self.assertNotIn("bin/one", now)
        self.assertEqual((now["bin/two"].type, now["bin/two"].uid, now["bin/two"].mode), (tarfile.REGTYPE, 5, 0o755))
        self.assertEqual(self.content(two, "bin/two"), b"x" * 5000)
        self.assertEqual(self.content(two, "bin/three"), b"x" * 5000 + b"y")
        self.assertEqual(now["bin/link"].linkname, "two")
        self.assertEqual((now["dev/null"].type, now["run/pipe"].type), (tarfile.REGTYPE, tarfile.FIFOTYPE))
        self.assertEqual(self.content(two, "twice"), b"third")
        self.assertEqual(now["below"].linkname, "not/here")
        self.assertNotIn("d/.wh.gone", now)
        self.assertIn("d/.wh..wh..opq", now)
        self.assertIn("etc/.wh.resolv.conf", now)
        self.assertEqual((self.content(two, "new/file"), now["new/file"].mode), (b"new" * 300, 0o640))
        self.assertEqual([n for n in now if n.startswith("very")], ["very"])
        self.assertEqual(now["etc/shadow"].mode, 0)
        config = json.loads(run("skopeo", "inspect", "--config", "--raw", f"oci:{self.stored('packed')}:x"))
        self.assertEqual(config["rootfs"]["diff_ids"], [digest_of(one), digest_of(two)])

    def stored(self, image):
        self.ok("copy", f"wc-store:{image}", f"oci:{self.path('stored')}:x")
        return self.path("stored")

    def test_documents_may_be_changed(self):
        digest = self.bring()
        directory = self.unpacked("l")
        config = json.loads(read(f"{directory}/config.json"))
        config["config"]["Env"] = ["A=b"]
        write(f"{directory}/config.json", json.dumps(config).encode())
        done = self.packed(directory, "one")
        self.assertEqual(self.tars("one")[0], self.layers)
        self.assertNotEqual(done["Digest"], digest)
        self.assertEqual(json.loads(self.ok("inspect", "one"))[0]["Config"]["Env"], ["A=b"])
        manifest = json.loads(read(f"{directory}/manifest.json"))
        manifest["annotations"] = {"note": "mine"}
        write(f"{directory}/manifest.json", json.dumps(manifest).encode())
        self.packed(directory, "two")
        self.assertEqual(self.tars("two")[1]["annotations"], {"note": "mine"})
        manifest["layers"].pop()
        write(f"{directory}/manifest.json", json.dumps(manifest).encode())
        self.assertIn("neither added nor removed", self.fails("pack", directory, "x"))

    def test_same_bytes_for_the_same_changes(self):
        self.bring()
        self.env = {"SOURCE_DATE_EPOCH": "1650000000"}
        digests = set()
        for name in ("a", "b"):
            fs = self.unpacked("l", name) + "/layers/2/fs"
            write(f"{fs}/new", b"new")
            write(f"{fs}/etc/motd", b"changed")
            digests.add(self.packed(self.path(name))["Digest"])
            time.sleep(0.01)
        self.assertEqual(len(digests), 1)
        self.assertEqual(self.members(self.tars("packed")[0][1])["new"].mtime, 1650000000)

    def test_by_another_user(self):
        """Nobody without any right: owners, devices and what may not be read come from the records."""
        if os.geteuid():
            self.skipTest("needs root to become somebody else")
        self.bring()
        os.chmod(self.work, 0o711)
        home = self.path("home")
        os.mkdir(home)
        os.chown(home, 65534, 65534)
        self.ok("copy", "wc-store:l", f"oci:{self.path('home/l')}:x")
        run("chown", "-R", "65534:65534", home)

        def as_nobody(*words):
            return run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all", f"{BUILD}/bin/wcctl",
                       "--progress", "none", "--root", f"{home}/root", "--run-root", f"{home}/run", *words, cwd=home,
                       env={**os.environ, "HOME": home})
        as_nobody("system", "info")
        # The store of a user cannot make the device, so the directory is made by root and given to him.
        self.unpacked("l", "home/dir")
        run("chown", "-R", "65534:65534", self.path("home/dir"))
        tars = self.without_device()
        put_image(self.path("home/plain"), "p", tars)
        run("chown", "-R", "65534:65534", self.path("home/plain"))
        as_nobody("pull", f"oci:{self.path('home/plain')}:p")
        as_nobody("unpack", "p", f"{home}/p")
        as_nobody("pack", f"{home}/p", "q")
        as_nobody("copy", "wc-store:q", f"oci:{home}/q:x")
        with open(f"{home}/p/layers/2/fs/etc/shadow", "ab") as file:
            file.write(b"more\n")
        as_nobody("pack", f"{home}/p", "r")
        as_nobody("copy", "wc-store:r", f"oci:{home}/r:x")
        run("chown", "-R", "0:0", f"{home}/q", f"{home}/r")
        self.pull(f"oci:{home}/q:x")
        self.assertEqual(self.tars("x")[0], tars)
        self.pull(f"oci:{home}/r:x")
        shadow = self.members(self.tars("x")[0][1])["etc/shadow"]
        self.assertEqual((shadow.uid, shadow.mode, shadow.size), (0, 0, 12))
        done = self.packed(self.path("home/dir"))
        self.assertEqual((done["Changes"], self.tars("packed")[0]), ([], self.layers))

    def without_device(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(self.layers[1])) as tar, tarfile.open(fileobj=out, mode="w") as to:
            for m in tar:
                if m.type != tarfile.CHRTYPE:
                    to.addfile(m, tar.extractfile(m) if m.isreg() else None)
        return [self.layers[0], out.getvalue()]

    def test_what_is_in_the_way(self):
        self.bring()
        os.mkdir(self.path("full"))
        write(self.path("full/mine"), b"x")
        write(self.path("file"), b"x")
        self.assertIn("not empty", self.fails("unpack", "l", self.path("full")))
        self.assertIn("is there already", self.fails("unpack", "l", self.path("file")))
        os.mkdir(self.path("dir.unpacking"))
        write(self.path("dir.unpacking/mine"), b"x")
        self.assertIn("not ours", self.fails("unpack", "l", self.path("dir")))
        self.assertEqual(read(self.path("dir.unpacking/mine")), b"x")
        self.assertIn("No such", self.fails("unpack", "l", self.path("no/such/dir")))
        os.mkdir(self.path("empty"))
        self.unpacked("l", "empty")
        self.assertEqual([n for n in os.listdir(self.work) if "lock" in n], [])

    def test_killed_in_between(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for i in range(3000):
                entry(tar, f"d{i % 50}/f{i}", data=random.Random(i).randbytes(3000))
        self.bring("big", [out.getvalue()])
        for pause in (0.02, 0.1, 0.2, 0.3):
            process = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "unpack", "-q", "big", self.path("k")],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
            if os.path.exists(self.path("k")):  # it was whole already
                self.assertEqual(self.packed(self.path("k"))["Changes"], [])
                shutil.rmtree(self.path("k"))
        self.assertEqual(self.packed(self.unpacked("big", "k"))["Changes"], [])
        self.assertEqual([n for n in os.listdir(self.work) if "unpacking" in n], [])
        self.check()

    def test_random_changes(self):
        """Whatever is done to a tree, the image has it: unpacked again it looks the same."""
        self.bring(tars=[self.random_tar(random.Random(1))])
        for seed in range(6):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                fs = self.unpacked("l", f"one-{seed}") + "/layers/1/fs"
                self.mutate(fs, chance)
                wanted = show(fs)
                self.packed(self.path(f"one-{seed}"), "mutated")
                self.unpacked("mutated", f"two-{seed}")
                found = show(self.path(f"two-{seed}/layers/1/fs"))
                self.assertEqual(found[0], wanted[0])
                for names in wanted[1]:  # names with the same content as before may be one file again
                    self.assertTrue(any(set(names) <= set(group) for group in found[1]), names)

    def random_tar(self, chance):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            files = []
            for i in range(120):
                where = "/".join(f"d{chance.randrange(4)}" for _ in range(chance.randrange(3)))
                name = f"{where}/n{i}".lstrip("/")
                kind = chance.randrange(6)
                if kind == 0:
                    entry(tar, name, tarfile.DIRTYPE, mode=0o755)
                elif kind == 1:
                    entry(tar, name, tarfile.SYMTYPE, link=f"x{i}", mode=0o777)
                elif kind == 2 and files:
                    entry(tar, name, tarfile.LNKTYPE, link=chance.choice(files))
                else:
                    entry(tar, name, data=chance.randbytes(chance.choice((0, 10, 300, 9000))))
                    files.append(name)
        return out.getvalue()

    def mutate(self, root, chance):
        for step in range(40):
            paths = [os.path.join(w, n) for w, d, f in os.walk(root) for n in d + f]
            path, new = chance.choice(paths), os.path.join(chance.choice([root] + [p for p in paths if os.path.isdir(p)
                                                                                  and not os.path.islink(p)]), f"new{step}")
            real_file = os.path.isfile(path) and not os.path.islink(path)
            what = chance.randrange(9)
            if what == 0 and real_file:
                with open(path, "r+b") as file:
                    file.write(b"changed")
            elif what == 1 and real_file:
                data = read(path)
                os.unlink(path)
                write(path, data if chance.random() < 0.5 else data + b"!")
            elif what == 2 and not os.path.isdir(path):
                os.unlink(path)
            elif what == 3 and real_file:
                os.link(path, new)
            elif what == 4:
                write(new, chance.randbytes(chance.randrange(5000)))
            elif what == 5:
                os.mkdir(new)
            elif what == 6 and not os.path.islink(path):
                os.chmod(path, chance.choice((0o755, 0o700, 0o711)))
            elif what == 7:
                os.symlink("somewhere", new)
            elif what == 8 and chance.random() < 0.3:
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
                if chance.random() < 0.5:
                    write(path, b"in its place")


class Refused(UnpackCase):
    """Directories that are not what they were. Nothing is lost, and nothing comes of them."""

    def setUp(self):
        super().setUp()
        make_layout(self.path("layout"), "l")
        self.pull(f"oci:{self.path('layout')}:l")
        self.directory = self.unpacked("l")
        self.layer = f"{self.directory}/layers/1"
        self.before = self.images()

    def tearDown(self):
        made = [image for image in self.images() if image not in self.before]
        self.assertEqual([name for image in made for name in image["Names"]],
                         ["docker.io/library/packed:latest"] * len(made))
        self.check()

    def refused(self, *parts, root=None):
        text = self.fails("pack", self.directory, "x", root=root or self.root)
        for part in parts:
            self.assertIn(part, text)

    def test_no_unpacked_image(self):
        for name in ("unpacked.json", "manifest.json", "config.json"):
            with self.subTest(name=name):
                os.rename(f"{self.directory}/{name}", self.path("aside"))
                self.refused(f"'{name}' is missing")
                write(f"{self.directory}/{name}", b"{}")
                self.refused()
                write(f"{self.directory}/{name}", b"[")
                self.refused(name)
                os.symlink(self.path("aside"), f"{self.directory}/link")
                os.rename(f"{self.directory}/link", f"{self.directory}/{name}")
                self.refused("link")
                os.rename(self.path("aside"), f"{self.directory}/{name}")
        self.assertIn("No such", self.fails("pack", self.path("nowhere"), "x"))
        facts = json.loads(read(f"{self.directory}/unpacked.json"))
        write(f"{self.directory}/unpacked.json", json.dumps({**facts, "version": 2}).encode())
        self.refused("version 2")
        facts["layers"][0]["diffId"] = "sha256:0"
        write(f"{self.directory}/unpacked.json", json.dumps(facts).encode())
        self.refused("sha256:0")

    def test_another_diff_id(self):
        facts = json.loads(read(f"{self.directory}/unpacked.json"))
        ids = [layer["diffId"] for layer in facts["layers"]]
        for layer, other in zip(facts["layers"], reversed(ids)):
            layer["diffId"] = other
        write(f"{self.directory}/unpacked.json", json.dumps(facts).encode())
        self.refused("layers/1", "its tree has changed")
        self.refused("layers/1", "its tree has changed", root=self.path("other"))

    def test_links_for_parts(self):
        for name in ("fs", "split", "listing"):
            with self.subTest(name=name):
                os.rename(f"{self.layer}/{name}", self.path("aside"))
                self.refused("layers/1")
                os.symlink(self.path("aside"), f"{self.layer}/{name}")
                self.refused("layers/1", "symbolic link")
                os.unlink(f"{self.layer}/{name}")
                os.rename(self.path("aside"), f"{self.layer}/{name}")
        os.rename(f"{self.directory}/layers", self.path("aside"))
        os.symlink(self.path("aside"), f"{self.directory}/layers")
        self.refused("symbolic link")

    def test_links_in_the_tree_lead_nowhere(self):
        write(self.path("secret"), b"secret")
        os.unlink(f"{self.layer}/fs/layer0")
        os.symlink(self.path("secret"), f"{self.layer}/fs/layer0")
        self.packed(self.directory)
        tar = self.members(self.tars("packed")[0][0])
        self.assertEqual((tar["layer0"].type, tar["layer0"].linkname), (tarfile.SYMTYPE, self.path("secret")))

    def test_records_cut_or_damaged(self):
        for name in ("split", "listing"):
            whole = read(f"{self.layer}/{name}")
            for damaged in (b"", whole[:10], whole[:-1], whole[:len(whole) // 2], whole + b"x", b"x" + whole, whole[:30] + b"\xff" + whole[31:]):
                for change in (False, True):
                    with self.subTest(name=name, size=len(damaged), change=change):
                        write(f"{self.layer}/{name}", damaged)
                        if change:
                            write(f"{self.layer}/fs/new", b"new")
                        elif os.path.exists(f"{self.layer}/fs/new"):
                            os.unlink(f"{self.layer}/fs/new")
                        self.refused("layers/1")
            write(f"{self.layer}/{name}", whole)

    def test_a_new_file_that_no_layer_may_have(self):
        write(f"{self.layer}/fs/.wh.", b"")
        self.refused("whiteout")


class Places(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data = self.server.files.get(self.path)
        self.send_response(200 if data else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_):
        pass


@needs("docker-registry", "skopeo")
class Foreign(UnpackCase):
    """Layers that may not be distributed."""
    LIBRARY = f"{OCI}layer.nondistributable.v1.tar+gzip"

    def setUp(self):
        super().setUp()
        self.place = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Places)
        self.place.files = {}
        threading.Thread(target=self.place.serve_forever, daemon=True).start()
        self.addCleanup(self.place.server_close)
        self.addCleanup(self.place.shutdown)
        self.url = f"http://127.0.0.1:{self.place.server_address[1]}/base"
        self.there = windows_image.make(self.path("layout"), "w", foreign=self.url)
        self.base = read(f"{self.path('layout')}/blobs/sha256/{self.there['layers'][0][7:]}")
        self.server = self.registry()
        self.name = f"{self.server.address}/w"

    def bring(self, **more):
        return self.pull(f"oci:{self.path('layout')}:w", "--platform", "windows/amd64", **more)

    def has_blob(self, number):
        return subprocess.run(["curl", "-sfI", f"http://{self.server.address}/v2/w/blobs/{self.there['layers'][number]}"],
                              stdout=subprocess.DEVNULL, check=False).returncode == 0

    def test_sent_only_when_asked(self):
        self.bring()
        self.ok("push", "w", f"{self.name}:1")
        self.assertEqual((self.has_blob(0), self.has_blob(1)), (False, True))
        self.assertEqual(digest_of(raw_manifest_of(f"{self.name}:1")), self.there["manifest"])
        self.ok("push", "--allow-nondistributable-artifacts", "w", f"{self.name}:2")
        self.assertTrue(self.has_blob(0))

    def test_fetched_from_its_place_and_verified(self):
        self.bring()
        self.ok("push", "w", f"{self.name}:1")
        other = self.path("other")
        for bad in (None, b"something else", self.base[:-1] + b"x"):
            self.place.files = {"/base": bad}
            self.assertNotEqual(self.wcctl("pull", "--platform", "windows/amd64", f"{self.name}:1", root=other).returncode, 0)
        self.place.files = {"/base": self.base}
        self.assertEqual(self.pull(f"docker://{self.name}:1", "--platform", "windows/amd64", root=other)["Digest"],
                         self.there["manifest"])
        self.check(root=other)
        # The copy between registries leaves it where it is, too.
        self.place.files = {}
        self.ok("copy", "--platform", "windows/amd64", f"docker://{self.name}:1", f"docker://{self.name}:copied", root=other)

    def test_the_registry_comes_first(self):
        self.bring()
        self.ok("push", "--allow-nondistributable-artifacts", "w", f"{self.name}:1")
        self.pull(f"docker://{self.name}:1", "--platform", "windows/amd64", root=self.path("other"))

    def test_without_a_place(self):
        layout = Layout(self.path("layout"))
        manifest = json.loads(read(f"{self.path('layout')}/blobs/sha256/{self.there['manifest'][7:]}"))
        del manifest["layers"][0]["urls"]
        manifest["layers"][0]["mediaType"] = self.LIBRARY
        entry = layout.put(json.dumps(manifest).encode(), manifest["mediaType"])
        layout.write("index.json", {"schemaVersion": 2, "manifests": [
            {**entry, "annotations": {"org.opencontainers.image.ref.name": "w"}}]})
        self.bring()
        self.assertIn("may not be distributed", self.fails("push", "w", f"{self.name}:1"))
        self.ok("push", "--allow-nondistributable-artifacts", "w", f"{self.name}:1")
        self.ok("push", "w", f"{self.name}:2")  # the registry has it by now

    def test_unpacked_and_packed(self):
        self.bring()
        directory = self.unpacked("w")
        self.assertEqual(self.packed(directory)["Digest"], self.there["manifest"])
        # Where its blob is not, another one takes its place, and that is an ordinary one.
        self.packed(directory, root=self.path("other"))
        tars, manifest = self.tars("packed", root=self.path("other"))
        self.assertEqual(tars, [windows_image.base(), windows_image.delta()])
        self.assertEqual([sorted(d) for d in manifest["layers"]], [["digest", "mediaType", "size"]] * 2)
        self.assertNotIn("foreign", manifest["layers"][0]["mediaType"])


if __name__ == "__main__":
    named_skips.main()
