#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The overlay that a container stands on: how it is mounted, and that marks planted in a layer lead nowhere."""
import json
import os
import tarfile

from wcctl_case import WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks

PARAMETERS = "/sys/module/overlay/parameters"


def parameter(name):
    try:
        with open(f"{PARAMETERS}/{name}", encoding="ascii") as file:
            return file.read().strip() == "Y"
    except OSError:
        return False


def defaults():
    """What kernels leave out of a mount's options because it is so anyway."""
    follow = "follow" if parameter("redirect_always_follow") else "nofollow"
    return {"redirect_dir": "on" if parameter("redirect_dir") else follow,
            "metacopy": "on" if parameter("metacopy") else "off",
            "index": "on" if parameter("index") else "off"}


def is_volatile(options):
    return "volatile" in options or options.get("fsync") == "volatile"  # as newer kernels say it


class Overlay(WcctlCase):
    def options_of(self, name):
        pid = json.loads(self.wcctl_ok("inspect", name).stdout)[0]["State"]["Pid"]
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
            for line in file:
                before, _, after = line.partition(" - ")
                if before.split()[4] == "/" and after.split()[0] == "overlay":
                    return dict(option.partition("=")[::2] for option in after.split()[2].split(","))
        self.fail("the container's root is no overlay")

    def assert_marks_off(self, options):
        effective = {key: options.get(key, default) for key, default in defaults().items()}
        # What cannot be followed is "off" to some kernels.
        self.assertIn(effective["redirect_dir"], ("nofollow", "off"), options)
        self.assertEqual((effective["metacopy"], effective["index"]), ("off", "off"), options)

    def test_no_mark_is_followed(self):
        self.wcctl_ok("run", "-d", "--name", "plain", "--network", "none", "box", "sleep", "100")
        options = self.options_of("plain")
        self.assert_marks_off(options)
        self.assertFalse(is_volatile(options), options)

    def test_what_is_thrown_away_need_not_be_synced(self):
        self.wcctl_ok("run", "-d", "--rm", "--name", "passing", "--network", "none", "box", "sleep", "100")
        options = self.options_of("passing")
        self.assert_marks_off(options)
        if "lowerdir+" not in options:
            self.skipTest("this kernel mounts by options, without 'volatile'")
        self.assertTrue(is_volatile(options), options)

    def layer(self, name, *entries):
        """A tar of (name, type, target) entries."""
        path = f"{self.work}/{name}.tar"
        with tarfile.open(path, "w") as tar:
            for entry, kind, target in entries:
                info = tarfile.TarInfo(entry)
                info.type, info.linkname = kind, target
                tar.addfile(info)
        return path

    def test_a_dev_that_leads_elsewhere_is_refused(self):
        """runc makes and removes files below it before it enters the container's root."""
        host = f"{self.work}/host"
        os.makedirs(host)
        with open(f"{host}/ptmx", "w", encoding="ascii") as file:
            file.write("mine")
        for name, kind, target, says in (("absolute", tarfile.SYMTYPE, host, "a symbolic link"),
                                         ("relative", tarfile.SYMTYPE, "../" * 40 + host[1:], "a symbolic link"),
                                         ("inside", tarfile.SYMTYPE, "etc", "a symbolic link"),
                                         ("file", tarfile.REGTYPE, "", "a file")):
            layer = self.layer(name, ("./.wh.dev", tarfile.REGTYPE, ""), ("dev", kind, target))
            self.wcctl_ok("edit", "--append", layer, "box", name)
            for options in ((), ("-t",), ("--init",)):
                with self.subTest(name=name, options=options):
                    done = self.wcctl("run", "--rm", *options, "--network", "none", name, "true")
                    self.assertFails(done, 125, "'/dev' is " + says)
        self.assertEqual(os.listdir(host), ["ptmx"])
        with open(f"{host}/ptmx", encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")

    def commit(self, parent, script, image):
        self.wcctl_ok("run", "--name", "maker", "--network", "none", parent, "sh", "-c", script)
        self.wcctl_ok("commit", "maker", image)
        self.wcctl_ok("rm", "maker")

    def top_tree(self, image):
        layers = json.loads(self.wcctl_ok("inspect", image).stdout)[0]["RootFS"]["Layers"]
        return f"{self.root}/trees/{layers[-1].removeprefix('sha256:')}/fs"

    def test_planted_marks_lead_nowhere(self):
        """As if they had got past the unpacking, which drops them."""
        self.commit("box", "mkdir /hidden /d && echo secret >/hidden/secret && touch /d/old", "lower")
        self.commit("lower", "touch /d/new && echo x >/f", "upper")
        tree = self.top_tree("upper")
        os.setxattr(f"{tree}/d", "trusted.overlay.redirect", b"/hidden")
        os.truncate(f"{tree}/f", 0)
        os.setxattr(f"{tree}/f", "trusted.overlay.metacopy", b"")
        os.setxattr(f"{tree}/f", "trusted.overlay.redirect", b"/hidden/secret")
        for command in ("ls /d", "cat /d/secret", "cat /f"):
            done = self.wcctl("run", "--rm", "--network", "none", "upper", "sh", "-c", command)
            self.assertNotIn("secret", done.stdout, command)
        # The container is otherwise whole: the marks are what is refused.
        done = self.wcctl_ok("run", "--rm", "--network", "none", "upper", "cat", "/hidden/secret")
        self.assertEqual(done.stdout, "secret\n")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
