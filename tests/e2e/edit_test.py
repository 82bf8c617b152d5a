#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images made from others and from containers, read back by umoci and skopeo."""
import bz2
import io
import json
import lzma
import os
import subprocess
import tarfile
import unittest

from wcctl_case import BUILD, WcctlCase, find, need_runtime

import named_skips  # found where wcctl_case looks

EPOCH = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}


class EditCase(WcctlCase):
    def run_on(self, image, *command):
        return self.wcctl_ok("run", "--rm", "--network", "none", image, *command).stdout

    def config(self, image):
        return json.loads(self.wcctl_ok("inspect", "--type", "image", image).stdout)[0]

    def container(self, *command):
        name = self.wcctl_ok("create", "--network", "none", "box", *command).stdout.strip()
        self.wcctl_ok("start", name)
        self.wcctl_ok("wait", name)
        return name

    def made(self, *words, **more):
        done = json.loads(self.wcctl_ok("--json", *words, **more).stdout)
        self.wcctl_ok("system", "check")
        return done


class Diff(EditCase):
    def test_kinds_and_paths(self):
        name = self.container("sh", "-c", "echo x >/new; mkdir -p /dir/sub; rm /etc/group; echo more >>/etc/passwd; "
                                          "rm -rf /home && mkdir /home && touch /home/mine")
        lines = set(self.wcctl_ok("diff", name).stdout.splitlines())
        self.assertEqual(lines, {"A /new", "A /dir", "A /dir/sub", "C /etc", "D /etc/group", "C /etc/passwd", "C /home",
                                 "A /home/mine"} | {line for line in lines if line in ("D /home/wc",)})
        kinds = json.loads(self.wcctl_ok("--json", "diff", name).stdout)
        self.assertIn({"Path": "/new", "Kind": 1}, kinds)

    def test_nothing_changed(self):
        """Mount points that the runtime makes are nobody's change."""
        name = self.container("true")
        self.assertLessEqual(set(self.wcctl_ok("diff", name).stdout.splitlines()), {"C /etc"})


class Change(EditCase):
    def test_lines_of_a_dockerfile(self):
        self.made("edit", "-c", 'ENV A=b C="d e"', "-c", "LABEL k=v l='w x'", "-c", "EXPOSE 80/tcp 90-91/udp",
                  "-c", 'VOLUME ["/a", "/b"]', "-c", "HEALTHCHECK --interval=2s CMD true", "box", "changed")
        config = self.config("changed")["Config"]
        self.assertEqual(set(config["ExposedPorts"]), {"80/tcp", "90/udp", "91/udp"})
        self.assertEqual(set(config["Volumes"]), {"/a", "/b"})
        self.assertEqual(config["Labels"]["l"], "w x")
        self.assertEqual(self.run_on("changed", "sh", "-c", "echo $A $C"), "b d e\n")

    def test_an_entrypoint_does_not_take_the_arguments_of_another(self):
        self.made("edit", "-c", 'CMD ["old"]', "box", "with-cmd")
        self.made("edit", "-c", 'ENTRYPOINT ["echo", "new"]', "with-cmd", "with-entry")
        self.assertEqual(self.run_on("with-entry"), "new\n")

    def test_what_is_no_tar_is_refused(self):
        path = f"{self.root}-text"
        with open(path, "w", encoding="utf-8") as file:
            file.write("hello\n")
        self.addCleanup(os.unlink, path)
        done = self.wcctl("edit", "--append", path, "box", "never")
        self.assertEqual(done.returncode, 125)
        self.assertIn("tar: ends in the middle", done.stderr)
        self.assertNotIn("staging", done.stderr)

    def test_what_we_cannot_decompress_is_named(self):
        path = f"{self.root}-packed"
        self.addCleanup(os.unlink, path)
        for module, name in ((lzma, "xz"), (bz2, "bzip2")):
            with open(path, "wb") as file:
                file.write(module.compress(10240 * b"\0"))
            done = self.wcctl("import", path, "never")
            self.assertEqual(done.returncode, 125)
            self.assertIn(f"compressed by {name}: decompress it first", done.stderr)

    def test_what_no_config_takes_is_refused(self):
        for line in ("STOPSIGNAL FOO", "USER a:b:c", "EXPOSE 0", "RUN true", "ENV A", "VOLUME rel"):
            done = self.wcctl("edit", "-c", line, "box", "never")
            self.assertEqual(done.returncode, 125, line)
            self.assertIn(line, done.stderr)
        self.assertNotEqual(self.wcctl("inspect", "never").returncode, 0)


class Commit(EditCase):
    def test_a_container_with_all_its_changes(self):
        name = self.container("sh", "-c", "echo text >/new; chown 5:6 /new; chmod 4750 /new; ln /new /same; ln -s new /link; "
                                          "rm /etc/group; rm -rf /home && mkdir /home && touch /home/mine; mkfifo /pipe")
        self.made("commit", "-a", "me", "-m", "why", "-c", "ENV A=b", "-c", 'CMD ["cat", "/new"]', name, "done")
        self.assertEqual(self.run_on("done"), "text\n")
        look = ("stat -c '%a %u:%g %h' /new; readlink /link; ls /home; test -e /etc/group || echo gone; test -p /pipe && "
                "echo pipe; echo $A; ls -a / | grep -c wh")
        self.assertEqual(self.wcctl("run", "--rm", "--network", "none", "done", "sh", "-c", look).stdout.splitlines(),
                         ["4750 5:6 2", "new", "mine", "gone", "pipe", "b", "0"])
        self.assertEqual(self.config("done")["Author"], "me")
        self.assertIn("why", self.wcctl_ok("history", "done").stdout)

    def test_what_is_mounted_is_left_out(self):
        os.makedirs(f"{self.work}/outside", exist_ok=True)
        name = self.wcctl_ok("create", "--network", "none", "-v", f"{self.work}/outside:/mnt", "--tmpfs", "/scratch", "box",
                             "sh", "-c", "echo secret >/mnt/x; echo y >/scratch/y; echo z >/kept").stdout.strip()
        self.wcctl_ok("start", name)
        self.wcctl_ok("wait", name)
        self.made("commit", name, "mounts")
        self.assertEqual(self.run_on("mounts", "sh", "-c", "cat /kept; find /mnt /scratch 2>/dev/null | wc -l").split(),
                         ["z", "0"])

    def test_same_container_same_digest(self):
        name = self.container("sh", "-c", "for i in 1 2 3; do echo $i >/f$i; done")
        first = self.made("commit", name, "a", env=EPOCH)
        second = self.made("commit", name, "b", env=EPOCH)
        self.assertEqual(first["Digest"], second["Digest"])
        self.assertNotEqual(self.made("commit", name, "c")["Digest"], first["Digest"])

    def test_running_container(self):
        name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sh", "-c", "echo now >/now; sleep 100").stdout.strip()
        for _ in range(100):
            if "A /now" in self.wcctl_ok("diff", name).stdout:
                break
        self.made("commit", name, "running")
        self.assertEqual(self.run_on("running", "cat", "/now"), "now\n")


class Edit(EditCase):
    def test_append_and_configure(self):
        os.makedirs(f"{self.work}/tree/opt/app", exist_ok=True)
        with open(f"{self.work}/tree/opt/app/data", "w") as file:
            file.write("from a directory")
        data = b"from a tar"
        with tarfile.open(f"{self.work}/more.tar.gz", "w:gz") as tar:
            info = tarfile.TarInfo("opt/app/more")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            tar.addfile(tarfile.TarInfo("etc/.wh.group"))
        self.made("edit", "--append", f"{self.work}/tree", "--append", f"{self.work}/more.tar.gz", "-c", "USER wc", "-c",
                  "WORKDIR /opt/app", "-c", "LABEL x=y=z", "-c", "EXPOSE 80", "-c", "VOLUME /data", "-c",
                  'ENTRYPOINT ["cat"]', "-c", "CMD []", "--annotation", "org.example=1", "--compression", "zstd", "box", "edited")
        self.assertEqual(self.run_on("edited", "data", "more"), "from a directoryfrom a tar")
        self.assertNotEqual(self.wcctl("run", "--rm", "--network", "none", "edited", "/etc/group").returncode, 0)
        config = self.config("edited")["Config"]
        self.assertEqual((config["User"], config["WorkingDir"], config["Labels"]["x"], list(config["ExposedPorts"]),
                          list(config["Volumes"]), config["Entrypoint"]), ("wc", "/opt/app", "y=z", ["80/tcp"], ["/data"], ["cat"]))

    def test_read_by_others(self):
        if not find("umoci") or not find("skopeo"):
            self.skipTest("not installed: umoci, skopeo")
        os.makedirs(f"{self.work}/t2/etc", exist_ok=True)
        with open(f"{self.work}/t2/etc/added", "w") as file:
            file.write("x")
        made = self.made("edit", "--append", f"{self.work}/t2", "box", "others")
        layout = f"{self.work}/others"
        self.wcctl_ok("copy", "wc-store:others", f"oci:{layout}:o")
        raw = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{layout}:o"], check=True, capture_output=True).stdout
        self.assertEqual(len(json.loads(raw)["layers"]), 2)
        subprocess.run(["umoci", "unpack", "--image", f"{layout}:o", f"{self.work}/bundle"], check=True, capture_output=True)
        with open(f"{self.work}/bundle/rootfs/etc/added") as file:
            self.assertEqual(file.read(), "x")
        self.assertTrue(made["Digest"].startswith("sha256:"))

    def test_same_input_same_digest(self):
        os.makedirs(f"{self.work}/r1/d", exist_ok=True)
        for number in range(50):
            with open(f"{self.work}/r1/d/{number}", "w") as file:
                file.write("x" * number)
        digests = set()
        for codec in "gzip", "zstd", "none":
            first = self.made("edit", "--append", f"{self.work}/r1", "--compression", codec, "box", "r", env=EPOCH)
            os.utime(f"{self.work}/r1/d/7")  # a later time than the epoch makes no difference
            second = self.made("edit", "--append", f"{self.work}/r1", "--compression", codec, "box", "r", env=EPOCH)
            self.assertEqual(first, second, codec)
            digests.add(first["Digest"])
        self.assertEqual(len(digests), 3)

    def test_layers_that_come_twice(self):
        """Overlayfs takes no directory twice. What the upper layers hide or change shows again."""
        for name, files in ("a", {"d/one": "1", "d/two": "2"}), ("b", {"d/.wh.one": "", "d/two": "new", "d/three": "3"}):
            with tarfile.open(f"{self.work}/{name}.tar", "w") as tar:
                for path, text in files.items():
                    info = tarfile.TarInfo(path)
                    info.size = len(text)
                    tar.addfile(info, io.BytesIO(text.encode()))
        for order in "aa", "aba", "abab", "aabba":
            words = [word for name in order for word in ("--append", f"{self.work}/{name}.tar")]
            self.made("edit", *words, "box", f"twice:{order}")
        there = f"{self.work}/there"
        os.makedirs(there, exist_ok=True)
        for order, shows in ("aa", "1 2"), ("aba", "1 3 2"), ("abab", "3 new"), ("aabba", "1 3 2"):
            image = f"twice:{order}"
            self.assertEqual(self.run_on(image, "sh", "-c", "echo $(grep -h . /d/*)"), shows + "\n", order)
            self.wcctl_ok("mount", image, there)
            seen = {name: open(f"{there}/d/{name}", encoding="utf-8").read() for name in sorted(os.listdir(f"{there}/d"))}
            self.wcctl_ok("unmount", there)
            self.assertEqual(" ".join(seen.values()), shows, order)
            name = self.wcctl_ok("create", "--network", "none", image, "sh", "-c", "echo more >>/d/two").stdout.strip()
            self.wcctl_ok("start", name)
            self.wcctl_ok("wait", name)
            self.assertEqual(set(self.wcctl_ok("diff", name).stdout.splitlines()) - {"C /etc"}, {"C /d", "C /d/two"})
            self.assertIn(shows.split()[-1] + "more", self.wcctl_ok("cp", f"{name}:/d", "-").stdout)
            self.made("commit", name, "committed")
            self.assertEqual(self.run_on("committed", "sh", "-c", "echo $(grep -h . /d/*)"), f"{shows}more\n", order)

    def test_import(self):
        with tarfile.open(f"{self.work}/root.tar", "w") as tar:
            tar.add(f"{find('busybox')}", "bin/busybox")
        self.made("import", "-c", 'CMD ["/bin/busybox", "echo", "imported"]', f"{self.work}/root.tar", "imported")
        self.assertEqual(self.run_on("imported"), "imported\n")
        self.assertEqual(len(json.loads(self.wcctl_ok("--json", "history", "imported").stdout)), 1)

    def test_import_of_standard_input(self):
        with tarfile.open(f"{self.work}/in.tar", "w") as tar:
            tar.add(f"{find('busybox')}", "bin/busybox")
        digests = []
        with open(f"{self.work}/in.tar", "rb") as file:  # a file, and then a pipe
            digests.append(self.imported(file))
        with subprocess.Popen(["cat", f"{self.work}/in.tar"], stdout=subprocess.PIPE) as cat:
            digests.append(self.imported(cat.stdout))
        digests.append(self.made("import", f"{self.work}/in.tar", "frompath", env=EPOCH)["Digest"])
        self.assertEqual(digests, digests[:1] * 3)
        done = self.wcctl("import", "-", "bad", stdin="no tar at all")
        self.assertFails(done, 125, "tar")

    def imported(self, source):
        done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "--json", "import", "-", "frominput"], stdin=source,
                              capture_output=True, text=True, timeout=60, env={**os.environ, **EPOCH})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["Digest"]

    def test_bad_input_leaves_nothing(self):
        before = self.wcctl_ok("images", "-q").stdout
        with tarfile.open(f"{self.work}/evil.tar", "w") as tar:
            tar.addfile(tarfile.TarInfo("../../escape"))
        with open(f"{self.work}/junk.tar", "wb") as file:
            file.write(os.urandom(5000))
        for words, says in (("--append", f"{self.work}/evil.tar"), "escape"), (("--append", f"{self.work}/junk.tar"), "tar"), \
                           (("--append", "/no/such"), "/no/such"), (("--compression", "xz"), "xz"), (("-c", "RUN x"), "RUN"), \
                           (("--platform", "nonsense"), "nonsense"):
            self.assertFails(self.wcctl("edit", *words, "box", "bad"), 125, says)
        self.assertFails(self.wcctl("edit", "nosuch", "bad"), 125, "nosuch")
        self.assertEqual(self.wcctl_ok("images", "-q").stdout, before)
        self.wcctl_ok("system", "check")

    def test_killed_in_the_middle(self):
        os.makedirs(f"{self.work}/large", exist_ok=True)
        with open(f"{self.work}/large/file", "wb") as file:
            file.write(os.urandom(30 << 20))
        for delay in 0.02, 0.1, 0.3, 0.6:
            child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "edit", "--append", f"{self.work}/large", "box",
                                      "large"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                child.wait(delay)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            self.wcctl_ok("system", "check")
        self.made("edit", "--append", f"{self.work}/large", "box", "large")
        self.wcctl_ok("system", "prune", "-f", "--partial")
        self.assertEqual(os.listdir(f"{self.root}/staging"), [])


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
