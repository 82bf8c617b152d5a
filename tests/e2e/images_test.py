#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images in and out, against what other tools make and read: skopeo, umoci, buildah, podman, docker
and Debian's docker-registry. What is not installed is skipped by name."""
import concurrent.futures
import glob
import gzip
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time

from image_case import (BUILD, INSECURE, SUPPORT, ImageCase, Registry, digest_of, find, make_layout, needs, put_manifest,
                        raw_manifest, raw_manifest_of, run, start_docker)

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402


@needs("skopeo")
class MadeBySkopeo(ImageCase):
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "box", "--layers", "3")
        self.layout = f"oci:{self.path('layout')}:box"

    def copy(self, target, *options):
        run("skopeo", *INSECURE, "copy", "-q", *options, self.layout, target)
        return target

    def test_layout(self):
        self.assertEqual(self.pull(self.layout)["Digest"], self.digest)
        self.check()

    def test_oci_archive(self):
        archive = self.copy(f"oci-archive:{self.path('a.tar')}:box")
        self.assertEqual(self.pull(archive)["Digest"], self.digest)
        self.assertEqual(digest_of(raw_manifest(archive)), self.digest)

    def test_docker_archive(self):
        image_id = self.pull(self.layout)["Id"]
        archive = self.copy(f"docker-archive:{self.path('a.tar')}:example.com/box:1")
        self.assertEqual(self.pull(archive)["Id"], image_id)
        loaded = self.ok("load", "-i", self.path("a.tar"))
        self.assertIn("example.com/box:1", loaded)
        self.check()

    def test_compressed_archives(self):
        self.copy(f"docker-archive:{self.path('a.tar')}:example.com/box:1")
        with open(self.path("a.tar"), "rb") as f, gzip.open(self.path("a.tgz"), "wb") as g:
            shutil.copyfileobj(f, g)
        self.assertIn("example.com/box:1", self.ok("load", "-i", self.path("a.tgz")))

    def test_zstd_layers(self):
        layout = self.copy(f"oci:{self.path('zstd')}:box", "--dest-compress", "--dest-compress-format", "zstd")
        if b"tar+zstd" not in raw_manifest(layout):
            self.skipTest("this skopeo does not compress with zstd")
        self.assertEqual(self.pull(layout)["Digest"], digest_of(raw_manifest(layout)))
        self.check()

    def test_plain_layers(self):
        layout = self.copy(f"dir:{self.path('dir')}", "--dest-decompress")
        plain = f"oci:{self.path('plain')}:box"
        run("skopeo", *INSECURE, "copy", "-q", layout, plain)
        self.assertEqual(self.pull(plain)["Digest"], digest_of(raw_manifest(plain)))
        self.check()

    def test_archives_through_pipes(self):
        name = self.pull(self.layout)["Id"]
        with open(self.path("piped.tar"), "wb") as file:
            subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "save", "box"], stdout=file, check=True)
        self.ok("rmi", "box")
        with open(self.path("piped.tar"), "rb") as file:
            loaded = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "load"], stdin=file, capture_output=True, text=True, check=True).stdout
        self.assertIn("Loaded image: ", loaded)
        self.assertEqual(json.loads(self.ok("--json", "images"))[0]["Id"], name)
        self.ok("save", "-o", self.path("again.tar"), "box")
        with open(self.path("piped.tar"), "rb") as one, open(self.path("again.tar"), "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_save_takes_the_place_of_files_only(self):
        self.pull(self.layout)
        os.mkfifo(self.path("pipe"))
        os.symlink("target.tar", self.path("link"))
        os.symlink("nowhere", self.path("dangling"))
        for name in ("pipe", "dangling", "."):
            done = self.wcctl("save", "-o", self.path(name), "box")
            self.assertNotEqual(done.returncode, 0, name)
        self.assertTrue(stat.S_ISFIFO(os.lstat(self.path("pipe")).st_mode))
        self.assertTrue(os.path.islink(self.path("dangling")))
        with open(self.path("target.tar"), "w", encoding="utf-8"):
            pass
        self.ok("save", "-o", self.path("link"), "box")
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertTrue(tarfile.is_tarfile(self.path("target.tar")))
        self.assertIn("--format takes", self.wcctl("save", "--format", "bogus", "-o", self.path("x"), "box").stderr)

    def test_saved_and_read_by_skopeo(self):
        self.pull(self.layout)
        config = run("skopeo", *INSECURE, "inspect", "--config", "--raw", self.layout)
        self.ok("save", "--format", "oci-archive", "-o", self.path("o.tar"), "box")
        self.ok("save", "-o", self.path("d.tar"), "box")
        self.ok("copy", "wc-store:box", f"oci:{self.path('out')}:there")
        exact = [f"oci-archive:{self.path('o.tar')}", f"oci:{self.path('out')}:there"]
        for place in exact:
            self.assertEqual(digest_of(raw_manifest(place)), self.digest, place)
        for place in [*exact, f"docker-archive:{self.path('d.tar')}:docker.io/library/box:latest"]:
            self.assertEqual(run("skopeo", *INSECURE, "inspect", "--config", "--raw", place), config, place)
            run("skopeo", *INSECURE, "copy", "-q", place, f"dir:{self.path('copied')}")
            shutil.rmtree(self.path("copied"))
        blobs = f"{self.path('out')}/blobs/sha256"
        self.assertEqual(sorted(os.listdir(blobs)), sorted(os.listdir(f"{self.path('layout')}/blobs/sha256")))
        for name in os.listdir(blobs):
            with open(f"{blobs}/{name}", "rb") as f:
                self.assertEqual(hashlib.sha256(f.read()).hexdigest(), name)

    def test_an_id_of_two_manifests_goes_whole(self):
        """The same configuration, once with gzip and once with plain layers."""
        self.pull(self.layout)
        self.ok("save", "--format", "docker-archive", "-o", self.path("plain.tar"), "box")
        self.ok("load", "-i", self.path("plain.tar"))
        found = self.images()
        self.assertEqual(len(found), 2)
        self.assertEqual(len({image["Id"] for image in found}), 1)
        self.ok("rmi", "-f", found[0]["Id"])
        self.assertEqual(self.images(), [])
        self.check()

    def test_several_images_in_one_archive(self):
        make_layout(self.path("other"), "other", "--seed", "x")
        self.pull(self.layout)
        self.pull(f"oci:{self.path('other')}:other")
        self.ok("tag", "box", "box:2")
        before = {i["Id"]: sorted(i["Names"]) for i in self.images()}
        for form in "docker-archive", "oci-archive":
            self.ok("save", "--format", form, "-o", self.path(form), "box", "box:2", "other")
            self.forget_all()
            self.assertEqual(self.images(), [])
            self.ok("load", "-i", self.path(form))
            self.assertEqual({i["Id"]: sorted(i["Names"]) for i in self.images()}, before, form)
        self.check()


class ReadByOthers(ImageCase):
    def setUp(self):
        super().setUp()
        make_layout(self.path("layout"), "wc-e2e")
        self.image_id = self.pull(f"oci:{self.path('layout')}:wc-e2e")["Id"]

    @needs("podman")
    def test_podman_load(self):
        podman = ["podman", "--root", self.path("podman"), "--runroot", self.path("podman-run"), "--storage-driver", "vfs"]
        for form in "docker-archive", "oci-archive":
            self.ok("save", "--format", form, "-o", self.path(form), "wc-e2e")
            run(*podman, "load", "-q", "-i", self.path(form))
            found = run(*podman, "images", "-q", "--no-trunc", "docker.io/library/wc-e2e:latest").strip()
            self.assertEqual(found, self.image_id, form)
            run(*podman, "rmi", "-f", self.image_id)

    @needs("umoci")
    def test_umoci_unpack(self):
        self.ok("copy", "wc-store:wc-e2e", f"oci:{self.path('out')}:t")
        rootless = [] if os.geteuid() == 0 else ["--rootless"]
        run("umoci", "unpack", *rootless, "--image", f"{self.path('out')}:t", self.path("bundle"))
        self.assertTrue(os.path.exists(f"{self.path('bundle')}/rootfs/layer1"))

    @needs("docker", "dockerd")
    def test_docker_load_and_save(self):
        docker = start_docker(self)
        self.ok("save", "-o", self.path("d.tar"), "wc-e2e")
        self.assertIn("wc-e2e:latest", run(*docker, "load", "-i", self.path("d.tar")))
        self.assertEqual(run(*docker, "images", "-q", "--no-trunc", "wc-e2e").strip(), self.image_id)
        run(*docker, "save", "-o", self.path("back.tar"), "wc-e2e")
        self.root = self.path("second-root")
        self.ok("load", "-i", self.path("back.tar"))
        self.assertEqual([(i["Id"], i["Names"]) for i in self.images()],
                         [(self.image_id, ["docker.io/library/wc-e2e:latest"])])
        self.check()

    @needs("docker", "dockerd")
    def test_docker_daemon_both_ways(self):
        docker = start_docker(self)
        env = {**os.environ, "DOCKER_HOST": docker[2]}

        def ok(*words, root=self.root):
            done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", root, *words], capture_output=True, text=True, env=env)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        ok("copy", "-q", "wc-store:wc-e2e", "docker-daemon:example.com/moved:2")
        self.assertEqual(run(*docker, "images", "-q", "--no-trunc", "example.com/moved:2").strip(), self.image_id)
        other = self.path("from-docker")
        self.assertEqual(ok("pull", "-q", "docker-daemon:example.com/moved:2", root=other).strip(), "example.com/moved:2")
        self.assertEqual(json.loads(ok("--json", "images", root=other))[0]["Id"], self.image_id)
        ok("system", "check", root=other)
        missing = subprocess.run([f"{BUILD}/bin/wcctl", "--root", other, "pull", "docker-daemon:nosuch:1"],
                                 capture_output=True, text=True, env=env)
        self.assertEqual(missing.returncode, 125)
        self.assertIn("nosuch", missing.stderr)

    def test_no_docker_daemon(self):
        env = {**os.environ, "DOCKER_HOST": "unix:///no/such/socket"}
        done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "pull", "docker-daemon:x"], capture_output=True,
                              text=True, env=env)
        self.assertEqual(done.returncode, 125)
        self.assertIn("/no/such/socket", done.stderr)


class MadeByOthers(ImageCase):
    @needs("umoci")
    def test_umoci(self):
        layout = self.path("layout")
        run("umoci", "init", "--layout", layout)
        run("umoci", "new", "--image", f"{layout}:made")
        run("umoci", "config", "--image", f"{layout}:made", "--config.cmd", "x", "--config.env", "A=1")
        os.makedirs(self.path("dir/sub"))
        run("umoci", "insert", "--image", f"{layout}:made", self.path("dir"), "/opt")
        self.pull(f"oci:{layout}:made")
        told = json.loads(self.ok("inspect", "made"))
        told = told[0] if isinstance(told, list) else told
        self.assertEqual(told["Config"]["Cmd"], ["x"])
        self.check()

    @needs("podman")
    def test_podman_save(self):
        podman = ["podman", "--root", self.path("podman"), "--runroot", self.path("podman-run"), "--storage-driver", "vfs"]
        make_layout(self.path("layout"), "wc-e2e")
        image = run(*podman, "pull", "-q", f"oci:{self.path('layout')}:wc-e2e").strip()
        run(*podman, "tag", image, "example.com/wc-e2e:1")
        for form in "docker-archive", "oci-archive":
            run(*podman, "save", "-q", "--format", form, "-o", self.path(form), "example.com/wc-e2e:1")
            self.assertIn("example.com/wc-e2e:1", self.ok("load", "-i", self.path(form)), form)
        self.assertEqual({i["Id"] for i in self.images()}, {f"sha256:{image}"})
        self.check()

    @needs("buildah")
    def test_buildah_push(self):
        storage = ["--root", self.path("storage"), "--runroot", self.path("storage-run"), "--storage-driver", "vfs"]
        made = run("buildah", *storage, "from", "scratch").strip()
        with open(self.path("file"), "w") as f:
            f.write("hello")
        run("buildah", *storage, "copy", made, self.path("file"), "/file")
        run("buildah", *storage, "commit", "-q", "--format", "docker", made, f"oci-archive:{self.path('b.tar')}:b")
        run("buildah", *storage, "commit", "-q", made, f"docker-archive:{self.path('d.tar')}:example.com/b:1")
        self.pull(f"oci-archive:{self.path('b.tar')}:b")
        self.pull(f"docker-archive:{self.path('d.tar')}:example.com/b:1")
        self.check()

    def test_classic_docker_save(self):
        """The layout that docker wrote before OCI: directories, with links for layers that come twice."""
        layers = []
        with tarfile.open(self.path("classic.tar"), "w") as tar:
            def add(name, data=b"", link=None, kind=tarfile.REGTYPE):
                info = tarfile.TarInfo(name)
                info.type, info.size, info.linkname = kind, len(data), link or ""
                tar.addfile(info, io.BytesIO(data))
            inner = io_tar({"etc/x": b"1"})
            diff = digest_of(inner)
            add("aaa", kind=tarfile.DIRTYPE)
            add("aaa/layer.tar", inner)
            add("aaa/VERSION", b"1.0")
            add("bbb", kind=tarfile.DIRTYPE)
            add("bbb/layer.tar", link="../aaa/layer.tar", kind=tarfile.SYMTYPE)
            layers = ["aaa/layer.tar", "bbb/layer.tar"]
            config = json.dumps({"os": "linux", "architecture": "amd64",
                                 "rootfs": {"type": "layers", "diff_ids": [diff, diff]}}).encode()
            name = hashlib.sha256(config).hexdigest()
            add(f"{name}.json", config)
            add("manifest.json", json.dumps([{"Config": f"{name}.json", "RepoTags": ["old/image:1"],
                                              "Layers": layers}]).encode())
            add("repositories", b"{}")
        self.ok("load", "-i", self.path("classic.tar"))
        self.assertEqual(self.images()[0]["Names"], ["docker.io/old/image:1"])
        self.assertEqual(self.images()[0]["Id"], "sha256:" + name)
        self.check()


def io_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@needs("skopeo", "docker-registry")
class FromRegistry(ImageCase):
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "t", "--layers", "4", "--size", "3000000")
        self.server = self.registry()
        self.server.push(f"oci:{self.path('layout')}:t", "a/box:1")
        self.name = f"{self.server.address}/a/box"

    def test_pull_by_tag(self):
        pulled = self.pull(f"{self.name}:1")
        self.assertEqual(pulled["Digest"], self.digest)
        self.assertEqual(self.images()[0]["Names"], [f"{self.name}:1"])
        self.check()

    def test_the_name_it_was_pulled_under_is_told(self):
        self.ok("pull", f"{self.name}:1")
        self.server.push(f"oci:{self.path('layout')}:t", "a/zoo:1")
        for name in (f"{self.server.address}/a/zoo:1", f"{self.name}:1"):
            self.assertEqual(self.ok("pull", "-q", name), f"{name}\n")

    def test_each_name_keeps_the_digest_it_led_to(self):
        """One by the manifest, one through an index, in whatever order they come."""
        manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": self.digest,
                    "size": len(raw_manifest_of(f"{self.name}:1")),
                    "platform": {"os": "linux", "architecture": "amd64"}}
        index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                            "manifests": [manifest]}).encode()
        put_manifest(f"{self.name}:many", index)
        whole = f"{self.name}@{digest_of(index)}"
        self.ok("pull", f"{self.name}:1")
        self.server.push(f"oci:{self.path('layout')}:t", "a/zoo:1")
        self.ok("pull", f"{self.server.address}/a/zoo:1")
        self.ok("pull", "--platform", "linux/amd64", f"{self.name}:many")
        digests = json.loads(self.ok("inspect", f"{self.name}:1"))[0]["RepoDigests"]
        self.assertEqual(sorted(digests), sorted([f"{self.name}@{self.digest}", whole,
                                                  f"{self.server.address}/a/zoo@{self.digest}"]))
        self.ok("system", "prune", "-f")
        self.ok("inspect", whole)
        self.assertEqual(self.wcctl("inspect", f"{self.server.address}/a/zoo@{digest_of(index)}").returncode, 1)
        self.ok("rmi", f"{self.name}:many")
        self.assertNotEqual(self.wcctl("inspect", whole).returncode, 0)
        self.check()

    def size_of_blobs(self):
        total = 0
        for root, _, names in os.walk(f"{self.root}/blobs"):
            total += sum(os.path.getsize(f"{root}/{name}") for name in names)
        return total

    def saved(self, name):
        """The manifest and the digests of all blobs of the image, as saved."""
        self.ok("save", "--format", "oci-archive", "-o", self.path("saved.tar"), name)
        shutil.rmtree(self.path("saved"), ignore_errors=True)
        run("skopeo", *INSECURE, "copy", "-q", f"oci-archive:{self.path('saved.tar')}", f"oci:{self.path('saved')}:t")
        return raw_manifest(f"oci:{self.path('saved')}:t")

    def test_dropped_blobs_are_fetched_when_needed(self):
        self.ok("pull", "--drop-blobs", f"{self.name}:1")
        self.assertLess(self.size_of_blobs(), 10000)
        self.check()
        before = self.server.requests()
        self.ok("pull", "--drop-blobs", f"{self.name}:1")
        self.assertEqual(self.server.requests(), before)
        self.ok("tag", f"{self.name}:1", "local:1")
        self.assertEqual(digest_of(self.saved("local:1")), self.digest)
        self.assertEqual({n - before.get(d, 0) for d, n in self.server.requests().items() if n > before.get(d, 0)}, {1})
        self.assertGreater(self.size_of_blobs(), 10_000_000)
        self.check()
        self.ok("pull", "--drop-blobs", f"{self.name}:1")
        self.assertLess(self.size_of_blobs(), 10000)
        self.ok("push", "--tls-verify=false", "local:1", f"{self.server.address}/b/again:1")
        self.ok("rmi", f"{self.name}:1")
        self.ok("rmi", "local:1")
        self.assertEqual(self.images(), [])
        self.ok("system", "prune", "-f")
        self.check()

    def test_killed_while_dropping_or_bringing_back(self):
        """At whatever instant: the image is whole, and its blobs go and come again."""
        self.ok("pull", f"{self.name}:1")
        for number in range(30):
            words = ("system", "prune", "-f", "--drop-blobs") if number % 2 == 0 else \
                ("save", "-o", self.path("x.tar"), f"{self.name}:1")
            victim = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.002 + 0.1 * (number / 30))
            victim.kill()
            victim.wait()
            self.check()
        self.ok("system", "prune", "-f", "--drop-blobs")
        self.assertLess(self.size_of_blobs(), 10000)
        self.assertEqual(digest_of(self.saved(f"{self.name}:1")), self.digest)
        self.check()

    def test_dropped_blobs_that_are_gone_are_named(self):
        self.ok("pull", "--drop-blobs", f"{self.name}:1")
        self.server.close()
        done = self.wcctl("save", "--format", "oci-archive", "-o", self.path("x.tar"), f"{self.name}:1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("dropped", done.stderr)
        self.assertFalse(os.path.exists(self.path("x.tar")))
        self.check()

    def test_blobs_that_nothing_could_bring_back_stay(self):
        self.pull(f"oci:{self.path('layout')}:t", "--drop-blobs")
        self.assertGreater(self.size_of_blobs(), 10_000_000)
        self.check()

    def test_blobs_of_our_own_making_are_made_again(self):
        with open(self.path("file"), "wb") as f:
            f.write(secrets.token_bytes(500000))
        run("tar", "-C", self.path("."), "-cf", self.path("one.tar"), "file")
        self.ok("import", self.path("one.tar"), "made:1")
        manifest = self.saved("made:1")
        for _ in range(2):
            self.ok("system", "prune", "-f", "--drop-blobs")
            self.assertLess(self.size_of_blobs(), 10000)
            self.check()
            self.assertEqual(self.saved("made:1"), manifest)

    def test_prune_to_a_size(self):
        self.ok("pull", f"{self.name}:1")
        make_layout(self.path("other"), "t", "--seed", "other", "--size", "3000000")
        self.pull(f"oci:{self.path('other')}:t")
        self.assertIn("stands alone", self.wcctl("system", "prune", "-f", "-a", "--max-size", "1g").stderr)
        self.assertIn("--max-size '-1': must not be negative", self.wcctl("system", "prune", "--max-size", "-1").stderr)
        told = json.loads(self.ok("--json", "system", "prune", "-f", "--max-size", "13m"))
        self.assertEqual(told["Removed"][0], f"Untagged: {self.name}:1")
        self.assertEqual(len(self.images()), 1)
        self.check()

    def test_pull_by_digest(self):
        self.assertEqual(self.pull(f"docker://{self.name}@{self.digest}")["Digest"], self.digest)
        told = json.loads(self.ok("inspect", f"{self.name}@{self.digest}"))
        told = told[0] if isinstance(told, list) else told
        self.assertEqual(told["RepoDigests"], [f"{self.name}@{self.digest}"])
        self.assertEqual(told["RepoTags"], [])

    def test_docker_schema_2(self):
        self.server.push(f"oci:{self.path('layout')}:t", "a/docker:1", "--format", "v2s2")
        place = f"docker://{self.server.address}/a/docker:1"
        raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", place], check=True,
                             capture_output=True).stdout
        self.assertIn(b"application/vnd.docker.distribution.manifest.v2+json", raw)
        self.assertEqual(self.pull(place)["Digest"], digest_of(raw))
        self.ok("copy", f"wc-store:{self.server.address}/a/docker:1", f"oci:{self.path('out')}:t")
        # Not through skopeo, which does not read Docker manifests in OCI layouts.
        with open(f"{self.path('out')}/blobs/sha256/{digest_of(raw)[7:]}", "rb") as f:
            self.assertEqual(f.read(), raw)

    def test_copy_without_keeping(self):
        self.ok("copy", f"docker://{self.name}:1", f"oci:{self.path('out')}:t")
        self.ok("copy", f"docker://{self.name}:1", f"docker-archive:{self.path('d.tar')}:x:1")
        self.assertEqual(digest_of(raw_manifest(f"oci:{self.path('out')}:t")), self.digest)
        self.assertEqual(self.images(), [])
        self.assertEqual(os.listdir(f"{self.root}/staging"), [])
        self.ok("load", "-i", self.path("d.tar"))

    def dropping(self, size):
        """Address of a proxy that breaks every other connection after so many bytes."""
        proxy = subprocess.Popen([sys.executable, f"{SUPPORT}/dropping_proxy.py", self.server.address.split(":")[1], str(size)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(proxy.communicate)
        return f"127.0.0.1:{proxy.stdout.readline().strip()}"

    def test_a_pull_that_is_cut_often_moves_little_more(self):
        """20 connections end early; at most a tenth is moved twice."""
        size = 60_000_000
        make_layout(self.path("large"), "t", "--layers", "3", "--size", str(size // 3), "--seed", "large")
        self.server.push(f"oci:{self.path('large')}:t", "a/large:1")
        proxy = subprocess.Popen([sys.executable, f"{SUPPORT}/dropping_proxy.py", self.server.address.split(":")[1],
                                  "1100000", "3000000", "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.pull(f"127.0.0.1:{proxy.stdout.readline().strip()}/a/large:1")
        finally:
            moved = int(proxy.communicate(timeout=10)[0])
        self.assertGreater(moved, size)
        self.assertLess(moved, size * 1.1)
        self.check()

    def test_only_the_changed_layer_moves(self):
        layers = make_layout(self.path("changed"), "t", "--layers", "5", "--size", "3000000")
        self.ok("pull", f"{self.name}:1")
        self.server.push(f"oci:{self.path('changed')}:t", "a/box:2")
        before = self.server.requests()
        self.assertEqual(self.pull(f"{self.name}:2")["Digest"], layers)
        after = self.server.requests()
        fetched = {d for d in after if after[d] > before.get(d, 0)}
        self.assertEqual(len(fetched), 2, fetched)  # the fifth layer and the configuration
        self.check()

    def test_copy_over_connections_that_break(self):
        self.ok("copy", f"docker://{self.dropping(1000000)}/a/box:1", f"oci:{self.path('out')}:t")
        self.assertEqual(digest_of(raw_manifest(f"oci:{self.path('out')}:t")), self.digest)
        for name in os.listdir(f"{self.path('out')}/blobs/sha256"):
            with open(f"{self.path('out')}/blobs/sha256/{name}", "rb") as f:
                self.assertEqual(digest_of(f.read()), f"sha256:{name}")
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["blobs", "index.json", "oci-layout"])

    def test_copy_that_fails_leaves_nothing_half_made(self):
        self.ok("copy", f"docker://{self.name}:1", f"oci:{self.path('out')}:t")
        before = sorted(os.listdir(self.path("out")) + os.listdir(f"{self.path('out')}/blobs/sha256"))
        make_layout(self.path("other"), "t", "--layers", "2", "--size", "3000000", "--seed", "x")
        self.server.push(f"oci:{self.path('other')}:t", "a/other:1")
        for blob in glob.glob(f"{self.server.path}/**/blobs/sha256/*/*/data", recursive=True):
            if os.path.getsize(blob) > 1000000:
                with open(blob, "r+b") as f:
                    f.write(b"spoiled")
        done = self.wcctl("copy", f"docker://{self.server.address}/a/other:1", f"oci:{self.path('out')}:o")
        self.assertEqual((done.returncode, len(done.stderr.strip().split("\n"))), (125, 1), done.stderr)
        self.assertIn("digest", done.stderr)
        self.assertEqual(sorted(os.listdir(self.path("out")) + os.listdir(f"{self.path('out')}/blobs/sha256")), before)

    def test_missing_tag(self):
        done = self.wcctl("pull", f"{self.name}:nosuch")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nosuch", done.stderr)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
        self.assertEqual(self.images(), [])

    def test_many_pulls_through_one_context(self):
        """64 images that share layers in groups, at once: every blob is fetched once."""
        names = []
        for i in range(64):
            layout = self.path(f"small{i}")
            make_layout(layout, "t", "--seed", str(i // 4), "--config", json.dumps({"Labels": {"number": str(i)}}))
            names.append(f"many/{i}:1")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: self.server.push(f"oci:{self.path(f'small{i}')}:t", names[i]), range(64)))
        before = self.server.requests()
        run(f"{BUILD}/tests/parallel_pulls", self.root, *[f"{self.server.address}/{name}" for name in names])
        after = self.server.requests()
        fetched = {d: after[d] - before.get(d, 0) for d in after}
        self.assertEqual(set(fetched.values()), {1}, fetched)
        self.assertEqual(len(fetched), 64 + 16 * 2)
        self.assertEqual(len(self.images()), 64)
        self.check()

    def test_processes_share_one_download(self):
        for _ in range(5):
            before = self.server.requests()
            pulls = [subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "--progress", "json", "pull", f"{self.name}:1"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                     for _ in range(8)]
            for pull in pulls:
                _, errors = pull.communicate(timeout=60)
                self.assertEqual(pull.returncode, 0, errors)
            after = self.server.requests()
            fetched = {d: after[d] - before.get(d, 0) for d in after}
            self.assertEqual(set(fetched.values()), {1}, fetched)
            self.assertEqual(len(fetched), 5)
            self.check()
            self.forget_all()
            self.ok("system", "prune", "-f")

    def test_killed_pull_goes_on(self):
        pull = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "pull", "-q", f"{self.name}:1"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.03)
        pull.send_signal(signal.SIGKILL)
        pull.wait()
        self.assertEqual(self.pull(f"{self.name}:1")["Digest"], self.digest)
        self.check()


@needs("skopeo", "docker-registry")
class ToRegistry(ImageCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self.path("registry"))
        self.addCleanup(self.registry.close)
        self.name = f"{self.registry.address}/app/sent"
        self.digest = make_layout(self.path("layout"), "sent", "--layers", "4", "--size", "3000000")
        self.pull(f"oci:{self.path('layout')}:sent")

    def uploads(self):
        """How many uploads of blobs were begun, and how many were finished."""
        with open(f"{self.registry.path}/registry.log") as log:
            text = log.read()
        return (len(re.findall(r'http.request.method=POST [^\n]*blobs/uploads', text)),
                len(re.findall(r'http.request.method=PUT [^\n]*blobs/uploads', text)))

    def test_pushed_and_read_by_skopeo(self):
        told = json.loads(self.ok("--json", "push", "sent", f"{self.name}:1"))
        self.assertEqual(told["Digest"], self.digest)
        self.assertEqual(digest_of(raw_manifest_of(f"{self.name}:1")), self.digest)
        run("skopeo", *INSECURE, "copy", "-q", "--src-tls-verify=false", f"docker://{self.name}:1",
            f"oci:{self.path('back')}:x")
        self.pull(f"{self.name}:1", root=self.path("other"))
        self.check(root=self.path("other"))

    def test_layers_of_another_repository_are_mounted(self):
        self.ok("tag", "sent", f"{self.name}:1")
        self.ok("push", f"{self.name}:1")
        _, finished = self.uploads()
        self.ok("tag", "sent", f"{self.registry.address}/app/two:1")
        self.ok("push", f"{self.registry.address}/app/two:1")
        self.assertEqual(digest_of(raw_manifest_of(f"{self.registry.address}/app/two:1")), self.digest)
        self.assertEqual(self.uploads()[1] - finished, 1, "only the configuration is sent")
        self.ok("tag", "sent", f"{self.registry.address}/app/never:1")
        self.ok("rmi", f"{self.name}:1", f"{self.registry.address}/app/two:1")
        self.ok("push", "sent", f"{self.registry.address}/app/three:1")
        self.assertEqual(digest_of(raw_manifest_of(f"{self.registry.address}/app/three:1")), self.digest,
                         "a name that the registry never had does no harm")

    def test_name_says_where(self):
        self.ok("tag", "sent", f"{self.name}:2")
        self.ok("push", f"{self.name}:2")
        self.assertEqual(digest_of(raw_manifest_of(f"{self.name}:2")), self.digest)
        self.assertNotEqual(self.wcctl("push", "sent", "oci:/tmp/x:y").returncode, 0)

    def test_what_is_there_is_not_sent_again(self):
        self.ok("push", "sent", f"{self.name}:1")
        begun = self.uploads()
        self.ok("push", "sent", f"{self.name}:again")
        self.assertEqual(self.uploads(), begun)
        self.assertEqual(digest_of(raw_manifest_of(f"{self.name}:again")), self.digest)

    def test_copy_from_layout_and_between_registries(self):
        self.ok("copy", f"oci:{self.path('layout')}:sent", f"docker://{self.name}:1")
        self.ok("copy", f"docker://{self.name}:1", f"docker://{self.registry.address}/other/place:2")
        self.assertEqual(digest_of(raw_manifest_of(f"{self.registry.address}/other/place:2")), self.digest)

    def test_docker_schema_2_keeps_its_bytes(self):
        self.registry.push(f"oci:{self.path('layout')}:sent", "app/docker:1", "--format", "v2s2")
        digest = self.pull(f"{self.registry.address}/app/docker:1")["Digest"]
        self.ok("push", f"{self.registry.address}/app/docker:1", f"{self.name}:d")
        self.assertEqual(digest_of(raw_manifest_of(f"{self.name}:d")), digest)

    def test_killed_push_is_made_again(self):
        make_layout(self.path("big"), "big", "--layers", "3", "--size", "40000000")
        digest = self.pull(f"oci:{self.path('big')}:big")["Digest"]
        for delay in 0.02, 0.06, 0.12, 0.2:
            push = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "push", "big", f"{self.name}:big"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            push.kill()
            push.wait()
        self.ok("push", "big", f"{self.name}:big")
        self.assertEqual(digest_of(raw_manifest_of(f"{self.name}:big")), digest)
        self.check()

    def test_a_registry_that_wants_a_login(self):
        closed = Registry(self.path("closed"), "--user", "me", "secret")
        self.addCleanup(closed.close)
        refused = self.wcctl("push", "sent", f"{closed.address}/app:1")
        self.assertNotEqual(refused.returncode, 0)
        self.assertNotIn("secret", refused.stderr)
        self.ok("push", "--creds", "me:secret", "sent", f"{closed.address}/app:1")
        self.ok("copy", "--dest-creds", "me:secret", f"oci:{self.path('layout')}:sent", f"docker://{closed.address}/app:2")


if __name__ == "__main__":
    named_skips.main()
