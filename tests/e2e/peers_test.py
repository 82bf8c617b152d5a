#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images that we make, read by podman, buildah, umoci, docker and skopeo, and images of theirs, read by us: each time the
files have to be the same. What is not installed is skipped by name."""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import unittest

from image_case import INSECURE, SUPPORT, ImageCase, make_layout, needs, run, start_docker

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402

ROOT = unittest.skipUnless(os.geteuid() == 0, "needs root")
# What runtimes and engines make for their containers, and nobody's image has.
MADE_TO_RUN = ("dev", "proc", "sys", "etc/resolv.conf", "etc/hosts", "etc/hostname", "etc/mtab", ".dockerenv", "run")
DOCKERFILE = """FROM scratch
COPY one /one
COPY dir /dir/
ENV A=b
LABEL made=there
CMD ["/one", "x"]
"""


def is_image(name):
    return name and not any(name == made or name.startswith(made + "/") for made in MADE_TO_RUN)


def entry_of_member(tar, member):
    if member.islnk():
        member = tar.getmember(member.linkname)
    if member.isreg():
        return "file", oct(member.mode & 0o7777), hashlib.sha256(tar.extractfile(member).read()).hexdigest()
    return ("link", "", member.linkname) if member.issym() else ("dir", oct(member.mode & 0o7777), "")


def tree_of_tar(data):
    """{path: (kind, mode, content)} of the whole file system in a tar."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = [(member.name.removeprefix("./").strip("/"), member) for member in tar.getmembers()]
        return {name: entry_of_member(tar, member) for name, member in members if is_image(name)}


def entry_of_file(path):
    if os.path.islink(path):
        return "link", "", os.readlink(path)
    mode = oct(os.lstat(path).st_mode & 0o7777)
    if os.path.isdir(path):
        return "dir", mode, ""
    with open(path, "rb") as file:
        return "file", mode, hashlib.sha256(file.read()).hexdigest()


def tree_of_dir(root):
    tree = {}
    for base, dirs, files in os.walk(root):
        for path in (os.path.join(base, name) for name in dirs + files):
            name = os.path.relpath(path, root)
            if is_image(name):
                tree[name] = entry_of_file(path)
    return tree


class PeerCase(ImageCase):
    """Containers on the mock, whose files come and go with cp: nothing here has to run."""

    def wcctl(self, *words, root=None):
        return super().wcctl("--backend", "mock", *words, root=root)

    def tree(self, image, **more):
        self.ok("export", "--type", "image", "-o", self.path("export.tar"), image, **more)
        with open(self.path("export.tar"), "rb") as file:
            return tree_of_tar(file.read())

    def podman(self):
        return ["podman", "--root", self.path("podman"), "--runroot", self.path("podman-run"), "--storage-driver", "vfs"]

    def buildah(self):
        return ["buildah", "--root", self.path("buildah"), "--runroot", self.path("buildah-run"), "--storage-driver", "vfs"]

    def in_podman(self, image):
        """The tree that podman has of one of its images."""
        place = run(*self.podman(), "image", "mount", image).strip()
        tree = tree_of_dir(place)
        run(*self.podman(), "image", "unmount", image)
        return tree

    def in_buildah(self, source, *options):
        made = run(*self.buildah(), "from", "-q", *options, source).strip()
        tree = tree_of_dir(run(*self.buildah(), "mount", made).strip())
        run(*self.buildah(), "rm", made)
        return tree

    @staticmethod
    def in_docker(docker, image):
        made = run(*docker, "create", image, "x").strip()
        data = subprocess.run([*docker, "export", made], check=True, capture_output=True).stdout
        run(*docker, "rm", made)
        tree = tree_of_tar(data)
        if not any(name.startswith("etc/") for name in tree):
            tree.pop("etc", None)  # made for what it mounts there
        return tree


class Ours(PeerCase):
    """Every way that we make images."""
    MADE = ("appended", "committed", "squashed", "rebased", "plain", "zstd")

    def setUp(self):
        super().setUp()
        for name, seed in ("base", "a"), ("other", "b"):
            make_layout(self.path(name), name, "--layers", "2", "--seed", seed, "--config", '{"Cmd": ["/layer0"]}')
            self.pull(f"oci:{self.path(name)}:{name}")
        self.make_dir("more", {"added/file": "added", "added/deep/er": "deep", "layer1": "over"})
        self.ok("edit", "--append", self.path("more"), "base", "appended")
        self.commit()
        self.ok("edit", "--squash", "all", "committed", "squashed")
        self.ok("edit", "--old-base", "base", "--new-base", "other", "appended", "rebased")
        self.ok("edit", "--recompress", "--compression", "none", "appended", "plain")
        self.ok("edit", "--recompress", "--compression", "zstd", "appended", "zstd")

    def make_dir(self, name, files):
        for path, text in files.items():
            os.makedirs(os.path.dirname(f"{self.path(name)}/{path}"), exist_ok=True)
            with open(f"{self.path(name)}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        os.symlink("added/file", f"{self.path(name)}/link")

    def commit(self):
        self.make_dir("new", {"made/inside": "inside"})
        self.ok("create", "--name", "box", "appended", "exit:0")
        self.ok("cp", f"{self.path('new')}/.", "box:/new")
        self.ok("commit", "box", "committed")

    def saved(self, image, form):
        path = self.path(f"{image}-{form}.tar")
        if not os.path.exists(path):
            self.ok("save", "--format", form, "-o", path, image)
        return path

    def each(self, *without):
        for image in self.MADE:
            if image not in without:
                with self.subTest(image=image):
                    yield image, self.tree(image)

    @ROOT
    @needs("podman")
    def test_podman(self):
        for image, tree in self.each():
            for form in "docker-archive", "oci-archive":
                run(*self.podman(), "load", "-q", "-i", self.saved(image, form))
                self.assertEqual(self.in_podman(f"docker.io/library/{image}:latest"), tree, form)
                run(*self.podman(), "rmi", "-f", f"docker.io/library/{image}:latest")

    @ROOT
    @needs("buildah")
    def test_buildah(self):
        for image, tree in self.each():
            self.assertEqual(self.in_buildah(f"oci-archive:{self.saved(image, 'oci-archive')}"), tree)
            self.assertEqual(self.in_buildah(f"docker-archive:{self.saved(image, 'docker-archive')}"), tree)

    @ROOT
    @needs("umoci")
    def test_umoci(self):
        """Its version in use knows no zstd."""
        for image, tree in self.each("zstd"):
            self.ok("copy", f"wc-store:{image}", f"oci:{self.path('out')}:{image}")
            run("umoci", "unpack", "--image", f"{self.path('out')}:{image}", self.path(f"bundle-{image}"))
            self.assertEqual(tree_of_dir(f"{self.path(f'bundle-{image}')}/rootfs"), tree)

    @needs("docker", "dockerd")
    def test_docker(self):
        docker = start_docker(self)
        for image, tree in self.each():
            self.assertIn(f"{image}:latest", run(*docker, "load", "-i", self.saved(image, "docker-archive")))
            self.assertEqual(self.in_docker(docker, f"{image}:latest"), tree)

    @needs("skopeo")
    def test_skopeo(self):
        for image, tree in self.each():
            for form, place in ("oci-archive", self.saved(image, "oci-archive")), \
                               ("docker-archive", self.saved(image, "docker-archive")):
                told = json.loads(run("skopeo", *INSECURE, "inspect", "--config", f"{form}:{place}"))
                mine = json.loads(self.ok("inspect", image))[0]
                self.assertEqual(told["rootfs"]["diff_ids"], mine["RootFS"]["Layers"], form)
                run("skopeo", *INSECURE, "copy", "-q", f"{form}:{place}", f"oci:{self.path(f'{form}-{image}')}:x")
                other = self.path(f"root-{form}-{image}")
                self.pull(f"oci:{self.path(f'{form}-{image}')}:x", root=other)
                self.assertEqual(self.tree("x", root=other), tree, form)

    @ROOT
    @needs("docker-registry", "skopeo", "podman", "buildah")
    def test_pushed(self):
        registry = self.registry()
        for image, tree in self.each():
            name = f"{registry.address}/made/{image}:1"
            self.ok("push", "-q", image, name)
            run(*self.podman(), "pull", "-q", "--tls-verify=false", name)
            self.assertEqual(self.in_podman(name), tree)
            self.assertEqual(self.in_buildah(f"docker://{name}", "--tls-verify=false"), tree)

    @needs("docker-registry", "docker", "dockerd")
    def test_pulled_by_docker(self):
        """Its version in use knows no zstd."""
        registry, docker = self.registry(), start_docker(self)
        for image, tree in self.each("zstd"):
            name = f"{registry.address}/made/{image}:1"
            self.ok("push", "-q", image, name)
            run(*docker, "pull", "-q", name)
            self.assertEqual(self.in_docker(docker, name), tree)

    @ROOT
    @needs("docker-registry", "skopeo", "podman", "buildah")
    def test_index(self):
        """Of an image for this machine and of one for another."""
        registry = self.registry()
        self.ok("edit", "--platform", "linux/arm64", "other", "arm")
        self.ok("manifest", "create", "many", "appended", "arm")
        name = f"{registry.address}/made/many:1"
        self.ok("push", "-q", "--all", "many", name)
        tree = self.tree("appended")
        run("skopeo", *INSECURE, "copy", "-q", "--all", "--src-tls-verify=false", f"docker://{name}", f"dir:{self.path('dir')}")
        raw = json.loads(run("skopeo", *INSECURE, "inspect", "--raw", "--tls-verify=false", f"docker://{name}"))
        self.assertEqual({entry["platform"]["architecture"] for entry in raw["manifests"]}, {"amd64", "arm64"})
        for architecture, wanted in ("amd64", tree), ("arm64", self.tree("other")):
            run(*self.podman(), "pull", "-q", "--arch", architecture, "--tls-verify=false", name)
            self.assertEqual(self.in_podman(name), wanted, architecture)
            self.assertEqual(self.in_buildah(f"docker://{name}", "--arch", architecture, "--tls-verify=false"), wanted)


class Theirs(PeerCase):
    """Every way that they make images, through a registry."""

    def setUp(self):
        super().setUp()
        self.files = {"one": ("file", b"one"), "dir/two": ("file", b"two")}
        os.makedirs(self.path("context/dir"))
        for name, (_, data) in self.files.items():
            with open(self.path(f"context/{name}"), "wb") as file:
                file.write(data)
        os.symlink("two", self.path("context/dir/link"))
        with open(self.path("context/Dockerfile"), "w", encoding="ascii") as file:
            file.write(DOCKERFILE)

    def assert_made(self, source, *options, **more):
        name = self.pull(source, *options, **more)
        image = self.images(**more)[0]["Id"]
        tree = self.tree(image, **more)
        for path, (kind, data) in self.files.items():
            self.assertEqual((tree[path][0], tree[path][2]), (kind, hashlib.sha256(data).hexdigest()), name)
        self.assertEqual(tree["dir/link"], ("link", "", "two"))
        self.check(**more)
        return json.loads(self.ok("inspect", image, **more))[0]["Config"], tree

    def assert_config(self, config):
        self.assertEqual(config["Cmd"], ["/one", "x"])
        self.assertEqual(config["Labels"]["made"], "there")
        self.assertIn("A=b", config["Env"])

    @ROOT
    @needs("podman", "docker-registry")
    def test_podman_builds_and_pushes(self):
        registry, podman = self.registry(), self.podman()
        run(*podman, "build", "-q", "--isolation", "chroot", "-t", "made", self.path("context"))
        here = self.in_podman("localhost/made")
        for number, options in enumerate((["--compression-format", "gzip"], ["--compression-format", "zstd", "--format", "oci"],
                                          ["--format", "v2s2"])):
            with self.subTest(options=options):
                name = f"{registry.address}/podman/made:{number}"
                run(*podman, "push", "-q", "--tls-verify=false", *options, "made", name)
                config, tree = self.assert_made(name, root=self.path(f"root{number}"))
                self.assert_config(config)
                self.assertEqual(tree, here)

    @ROOT
    @needs("buildah", "docker-registry")
    def test_buildah_builds_and_pushes(self):
        registry, buildah = self.registry(), self.buildah()
        run(*buildah, "bud", "-q", "--isolation", "chroot", "-t", "made", self.path("context"))
        here = self.in_buildah("localhost/made", "--pull-never")
        for number, options in enumerate((["--format", "oci"], ["--format", "v2s2"])):
            with self.subTest(options=options):
                name = f"{registry.address}/buildah/made:{number}"
                run(*buildah, "push", "-q", "--tls-verify=false", *options, "made", name)
                config, tree = self.assert_made(name, root=self.path(f"root{number}"))
                self.assert_config(config)
                self.assertEqual(tree, here)

    @ROOT
    @needs("podman", "docker-registry")
    def test_index_of_podman(self):
        registry, podman = self.registry(), self.podman()
        run(*podman, "build", "-q", "--layers=false", "--isolation", "chroot", "--platform", "linux/amd64,linux/arm64", "--manifest", "many",
            self.path("context"))
        name = f"{registry.address}/podman/many:1"
        run(*podman, "manifest", "push", "--all", "--tls-verify=false", "many", f"docker://{name}")
        for architecture in "amd64", "arm64":
            config, _ = self.assert_made(name, "--platform", f"linux/{architecture}", root=self.path(architecture))
            self.assert_config(config)

    @ROOT
    @needs("umoci", "skopeo", "docker-registry")
    def test_umoci_pushed_by_skopeo(self):
        registry, layout = self.registry(), self.path("layout")
        run("umoci", "init", "--layout", layout)
        run("umoci", "new", "--image", f"{layout}:made")
        run("umoci", "insert", "--image", f"{layout}:made", self.path("context"), "/")
        run("umoci", "config", "--image", f"{layout}:made", "--config.cmd", "/one", "--config.cmd", "x", "--config.env", "A=b",
            "--config.label", "made=there")
        registry.push(f"oci:{layout}:made", "umoci/made:1")
        registry.push(f"oci:{layout}:made", "umoci/made:2", "--format", "v2s2")
        for number in "1", "2":
            config, _ = self.assert_made(f"{registry.address}/umoci/made:{number}", root=self.path(f"root{number}"))
            self.assert_config(config)

    @needs("docker", "dockerd", "docker-registry")
    def test_docker_builds_and_pushes(self):
        registry, docker = self.registry(), start_docker(self)
        subprocess.run([*docker, "build", "-q", "-t", f"{registry.address}/docker/made:1", self.path("context")], check=True,
                       capture_output=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
        run(*docker, "push", "-q", f"{registry.address}/docker/made:1")
        here = self.in_docker(docker, f"{registry.address}/docker/made:1")
        config, tree = self.assert_made(f"{registry.address}/docker/made:1")
        self.assert_config(config)
        self.assertEqual(tree, here)
        run(*docker, "save", "-o", self.path("saved.tar"), f"{registry.address}/docker/made:1")
        self.assert_made(f"docker-archive:{self.path('saved.tar')}", root=self.path("saved"))


if __name__ == "__main__":
    named_skips.main()
