#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers and images that mean harm, through the whole of wcctl: copying while paths are swapped, libraries laid out
for whoever enters, volumes and users out of bounds, labels that runtimes take for orders. Numbers as in CASES."""
import glob
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from wcctl_case import SOURCE, WcctlCase, find, need_runtime

import named_skips  # found where wcctl_case looks

SWAP = ("mkdir /real; echo inside >/real/secret; ln -s {to} /link; ln -s /real /d; "
        "while :; do ln -sfn {to} /d2; mv -T /d2 /d; rm /d; mv /real /d; mv /d /real; ln -s /real /d; done")
PLANTED = """
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void)
{{
    close(open("{mark}", O_CREAT | O_WRONLY, 0644));
    close(open("/loaded", O_CREAT | O_WRONLY, 0644));
}}
"""


class Copying(WcctlCase):
    def setUp(self):
        self.outside = f"{self.work}/outside"
        shutil.rmtree(self.outside, ignore_errors=True)
        os.makedirs(self.outside)
        self.write(f"{self.outside}/secret", "of the host")

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def assert_outside_untouched(self):
        self.assertEqual(os.listdir(self.outside), ["secret"])
        with open(f"{self.outside}/secret", encoding="utf-8") as file:
            self.assertEqual(file.read(), "of the host")

    def copy_meanwhile(self, name, rounds):
        """Out of and into /d of the container; the texts that came."""
        came, place = set(), f"{self.work}/{name}"
        os.mkdir(place)
        self.write(f"{self.work}/evil", "evil")
        self.write(f"{self.work}/tree/secret", "evil")
        for number in range(rounds):
            out = f"{place}/out{number}"
            if self.wcctl("cp", f"{name}:/d/secret", out).returncode == 0:
                with open(out, encoding="utf-8") as file:
                    came.add(file.read())
            self.wcctl("cp", f"{self.work}/evil", f"{name}:/d/planted")
            if number % 4 == 0:
                self.wcctl("cp", f"{self.work}/tree/.", f"{name}:/d")
                self.wcctl("cp", f"{name}:/d", f"{out}.tree")
        for base, _, names in os.walk(place):  # which follows no link: links are copied as they are
            for path in (f"{base}/{name}" for name in names if name == "secret"):
                with open(path, encoding="utf-8") as file:
                    came.add(file.read())
        return came

    def test_case_46_paths_swapped_meanwhile(self):
        came = set()
        for to in (self.outside, "/../../../../../.." + self.outside, "/proc/1/root" + self.outside):
            name = self.wcctl_ok("run", "-d", "--network", "none", "box", "sh", "-c", SWAP.format(to=to)).stdout.strip()
            time.sleep(0.3)
            came |= self.copy_meanwhile(name, 25)
            self.wcctl_ok("rm", "-f", name)
            self.assert_outside_untouched()
        self.assertTrue(came, "nothing was copied at all")
        self.assertLessEqual(came, {"inside\n", "evil"})

    @unittest.skipUnless(find("gcc"), "not installed: gcc")
    def test_case_46_libraries_of_the_container_stay_closed(self):
        mark, lib = f"{self.work}/loaded", f"{self.work}/evil.so"
        self.write(f"{self.work}/evil.c", PLANTED.format(mark=mark))
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", lib, f"{self.work}/evil.c"], check=True)
        subprocess.run(["/bin/true"], check=True, env={"LD_PRELOAD": lib})
        self.assertTrue(os.path.exists(mark), "the planted library does not work")
        os.unlink(mark)
        if os.path.exists("/loaded"):
            os.unlink("/loaded")
        self.wcctl_ok("edit", "--append", self.planted_root(lib), "box", "planted")
        for command in (("run", "-d"), ("create",)):
            name = self.wcctl_ok(*command, "--network", "none", "planted", "sleep", "100").stdout.strip()
            self.write(f"{self.work}/evil", "evil")
            self.wcctl_ok("cp", f"{self.work}/evil", f"{name}:/tmp/in")
            self.wcctl_ok("cp", f"{name}:/etc/passwd", f"{self.work}/passwd")
            self.wcctl_ok("diff", name)
            self.wcctl_ok("rm", "-f", name)
            self.assertFalse(os.path.exists(mark) or os.path.exists("/loaded"), command)

    def planted_root(self, lib):
        root = f"{self.work}/planted"
        names = [os.path.basename(path) for path in glob.glob("/lib/*-linux-gnu/libnss_*.so.2")]
        places = glob.glob("/lib/*-linux-gnu") + ["/lib", "/lib64", "/usr/lib"]
        for place in places:
            os.makedirs(root + place, exist_ok=True)
            for name in names + ["libnss_files.so.2", "libnss_planted.so.2", "libcrypto.so.3", "libzstd.so.1"]:
                shutil.copy(lib, f"{root}{place}/{name}")
        os.makedirs(f"{root}/etc", exist_ok=True)
        shutil.copy(lib, f"{root}/evil.so")
        self.write(f"{root}/etc/ld.so.preload", "/evil.so\n")
        self.write(f"{root}/etc/nsswitch.conf", "passwd: planted files\ngroup: planted files\nhosts: planted\n")
        self.write(f"{root}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        return root


class Configurations(WcctlCase):
    def made(self, name, *changes):
        self.wcctl_ok("edit", *(word for change in changes for word in ("-c", change)), "box", name)

    def test_case_31_volumes_of_an_image(self):
        for number, path in enumerate(("/../../wc-hostile-volume", "/tmp/../../../wc-hostile-volume")):
            self.made(f"vol{number}", f"VOLUME {path}")
            done = self.wcctl("run", "--rm", "--network", "none", f"vol{number}", "sh", "-c", "ls -d /wc-hostile-volume")
            if done.returncode == 0:
                self.assertEqual(done.stdout, "/wc-hostile-volume\n")
            else:
                self.assertFails(done, 125, "wc-hostile-volume")
            self.assertFalse(os.path.exists("/wc-hostile-volume"), path)
        self.assertEqual(glob.glob(f"{self.work}/**/wc-hostile-volume", recursive=True), [])

    def test_case_31_a_link_below_a_volume(self):
        outside = f"{self.work}/outside-volume"
        os.makedirs(outside, exist_ok=True)
        layer = f"{self.work}/volume-link"
        os.makedirs(layer, exist_ok=True)
        for name, target in (("abs", outside), ("rel", "../" * 30 + outside[1:])):
            if not os.path.lexists(f"{layer}/{name}"):
                os.symlink(target, f"{layer}/{name}")
        self.wcctl_ok("edit", "--append", layer, "-c", "VOLUME /abs", "-c", "VOLUME /rel/deeper", "box", "linkvol")
        self.wcctl("run", "--rm", "--network", "none", "linkvol", "sh", "-c", "touch /abs/x /rel/deeper/x")
        self.assertEqual(os.listdir(outside), [])

    def test_case_32_users_out_of_range(self):
        for user in ("4294967296", "-1", "0:4294967296", "18446744073709551616"):
            self.made("user", f"USER {user}")
            self.assertFails(self.wcctl("run", "--rm", "--network", "none", "user", "id"), 125, user.partition(":")[2] or user)
            self.assertFails(self.run_box("-u", user, "--", "id"), 125)

    def test_case_32_a_user_by_number_is_no_name(self):
        layer = f"{self.work}/numbers"
        os.makedirs(f"{layer}/etc", exist_ok=True)
        with open(f"{layer}/etc/passwd", "w", encoding="ascii") as file:
            file.write("1000:x:0:0:a number for a name:/root:/bin/sh\n")
        self.wcctl_ok("edit", "--append", layer, "-c", "USER 1000", "box", "numbers")
        done = self.wcctl_ok("run", "--rm", "--network", "none", "numbers", "id", "-u")
        self.assertEqual(done.stdout, "1000\n")

    def test_case_33_labels_are_no_orders(self):
        """What crun, runc and other tools take from annotations."""
        labels = {"run.oci.hooks.stdin": "1", "run.oci.keep_original_groups": "1", "run.oci.handler": "wasm",
                  "run.oci.mount_context_type": "context", "run.oci.seccomp.plugins": "/tmp/evil.so",
                  "run.oci.systemd.subgroup": "../evil", "org.systemd.property.ExecStop": "'/bin/evil'",
                  "org.criu.config": "/tmp/evil", "io.podman.annotations.privileged": "TRUE",
                  "org.wincontainer.privileged": "1", "com.docker.compose.project": "x", "wc.mock.start": "fail",
                  "io.kubernetes.cri-o.Devices": "/dev/sda"}
        self.made("labelled", *(f'LABEL {key}="{value}"' for key, value in labels.items()))
        for name, image in (("plain", "box"), ("ordered", "labelled")):
            self.wcctl_ok("--run-root", f"{self.work}/run", "run", "-d", "--name", name, "--network", "none", image, "sleep", "100")
        specs = {}
        for name in ("plain", "ordered"):
            found = self.wcctl_ok("inspect", name)
            container = json.loads(found.stdout)[0]
            specs[name] = self.spec(container["Id"])
            if name == "ordered":
                self.assertEqual({key: container["Config"]["Labels"][key] for key in labels}, labels)
        self.assertEqual(specs["ordered"], specs["plain"])
        self.wcctl_ok("--run-root", f"{self.work}/run", "rm", "-f", "plain", "ordered")

    def spec(self, container):
        """What the runtime was given, without what tells two containers apart."""
        paths = [path for path in glob.glob(f"{self.work}/**/config.json", recursive=True) if container in path]
        self.assertEqual(len(paths), 1, paths)
        with open(paths[0], encoding="utf-8") as file:
            text = file.read().replace(container, "ID").replace(container[:12], "ID")
        self.assertNotIn("run.oci", text)
        return json.loads(text)


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
