#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Volumes and mounts of `wcctl`, with what Docker does as the measure."""
import concurrent.futures
import contextlib
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import unittest

from wcctl_case import BUILD, SOURCE, WcctlCase, need_runtime, not_rootless


class VolumeCase(WcctlCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_image("vol", "/vol")

    @classmethod
    def make_image(cls, name, *paths):
        layout = f"{cls.work}/{name}"
        volumes = [word for path in paths for word in ("--volume", path)]
        subprocess.run([sys.executable, f"{SOURCE}/tests/support/busybox_image.py", layout, name, *volumes], check=True)
        cls.wcctl_ok("pull", "-q", f"oci:{layout}:{name}")

    def tearDown(self):
        super().tearDown()
        self.wcctl_ok("volume", "prune", "-a", "-f")
        self.wcctl_ok("system", "prune", "-f")
        self.assertEqual(os.listdir(f"{self.root}/volumes"), [])
        self.assertEqual(self.wcctl_ok("system", "check").stdout, "The store is sound.\n")

    def volumes(self):
        return self.wcctl_ok("volume", "ls", "-q").stdout.split()

    def data(self, name):
        return json.loads(self.wcctl_ok("volume", "inspect", name).stdout)[0]["Mountpoint"]

    def mounts(self, container):
        return json.loads(self.wcctl_ok("inspect", container).stdout)[0]["Mounts"]

    def fresh(self, name):
        path = f"{self.work}/{self.id().rsplit('.', 1)[-1]}-{name}"
        return path


class Commands(VolumeCase):
    def test_create_inspect_and_remove(self):
        self.assertEqual(self.wcctl_ok("volume", "create", "--label", "a=b", "one").stdout, "one\n")
        told = json.loads(self.wcctl_ok("volume", "inspect", "-s", "one").stdout)
        self.assertEqual({k: told[0][k] for k in ("Name", "Driver", "Labels", "Options", "Scope", "Mountpoint")},
                         {"Name": "one", "Driver": "local", "Labels": {"a": "b"}, "Options": {}, "Scope": "local",
                          "Mountpoint": f"{self.root}/volumes/one/data"})
        self.assertGreater(told[0]["Size"], 0)
        self.assertEqual(self.wcctl_ok("volume", "create", "one").stdout, "one\n")
        self.assertEqual(self.wcctl_ok("volume", "rm", "one").stdout, "one\n")
        done = self.wcctl("volume", "rm", "one")
        self.assertFails(done, 1, "volume 'one'", "no such volume")
        self.assertEqual(self.wcctl_ok("volume", "rm", "-f", "one").stdout, "one\n")
        self.assertFails(self.wcctl("volume", "inspect", "one"), 1, "no such volume")

    def test_without_a_name(self):
        name = self.wcctl_ok("volume", "create").stdout.strip()
        self.assertRegex(name, "^[0-9a-f]{64}$")
        self.wcctl_ok("volume", "prune", "-f")
        self.assertEqual(self.volumes(), [])

    def test_names_lead_nowhere_else(self):
        for name in ("../x", "a/b", "x", ".x", "a b", "-x/../y", "ä"):
            self.assertFails(self.wcctl("volume", "create", "--name", name), 125, "volume name")
        self.assertFails(self.wcctl("volume", "create", "--driver", "nfs", "one"), 125, "driver", "local")
        self.assertFails(self.wcctl("volume", "create", "-o", "colour=red", "one"), 125, "colour")
        self.assertFails(self.wcctl("volume", "create", "-o", "type=tmpfs", "one"), 125, "device")
        self.assertFails(self.wcctl("volume", "create", "-o", "size=1g", "one"), 125, "size")

    def test_other_options_are_another_volume(self):
        self.wcctl_ok("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "one")
        self.wcctl_ok("volume", "create", "-o", "device=tmpfs", "-o", "type=tmpfs", "one")
        self.assertFails(self.wcctl("volume", "create", "one"), 125, "exists with other")

    def test_filters(self):
        self.wcctl_ok("volume", "create", "--label", "tier=db", "first")
        self.wcctl_ok("create", "--network", "none", "-v", "second:/x", "box", "true")
        listed = lambda *f: self.wcctl_ok("volume", "ls", "-q", *[w for x in f for w in ("-f", x)]).stdout.split()
        self.assertEqual(listed(), ["first", "second"])
        self.assertEqual(listed("dangling=true"), ["first"])
        self.assertEqual(listed("dangling=false"), ["second"])
        self.assertEqual(listed("name=eco"), ["second"])
        self.assertEqual(listed("label=tier"), ["first"])
        self.assertEqual(listed("label=tier=web"), [])
        self.assertEqual(listed("name=first", "name=second"), ["first", "second"])
        self.assertFails(self.wcctl("volume", "ls", "-f", "size=1"), 125, "filter")

    def test_one_in_use_stays(self):
        self.wcctl_ok("create", "--name", "user", "--network", "none", "-v", "one:/x", "box", "true")
        self.assertFails(self.wcctl("volume", "rm", "one"), 1, "volume 'one'", "container 'user'")
        self.assertFails(self.wcctl("volume", "rm", "-f", "one"), 1, "container 'user'")
        self.wcctl_ok("volume", "prune", "-a", "-f")
        self.assertEqual(self.volumes(), ["one"])
        self.wcctl_ok("rm", "-v", "user") # named ones stay
        self.assertEqual(self.volumes(), ["one"])
        self.assertIn("one", self.wcctl_ok("volume", "prune", "-a", "-f").stdout)

    def test_df_and_prune(self):
        self.wcctl_ok("run", "--name", "user", "--network", "none", "-v", "/x", "-v", "named:/y", "box",
                      "dd", "if=/dev/zero", "of=/x/big", "bs=1k", "count=300")
        usage = json.loads(self.wcctl_ok("--json", "system", "df").stdout)
        row = [r for r in usage["Usage"] if r["Type"] == "Local Volumes"][0]
        self.assertEqual((row["TotalCount"], row["Active"], row["Reclaimable"]), (2, 2, 0))
        self.assertGreater(row["Size"], 300 << 10)
        self.assertEqual(sorted(v["Links"] for v in usage["Volumes"]), [1, 1])
        self.wcctl_ok("rm", "user")
        self.wcctl_ok("system", "prune", "-f")
        self.assertEqual(len(self.volumes()), 2)
        pruned = json.loads(self.wcctl_ok("--json", "system", "prune", "-f", "--volumes").stdout)
        self.assertGreater(pruned["SpaceReclaimed"], 300 << 10)
        self.assertEqual(self.volumes(), ["named"])


class Filling(VolumeCase):
    """An empty volume gets what the image has there, once."""

    def test_the_first_container_fills_it(self):
        look = "cat /vol/file; stat -c '%a %u:%g %Y' /vol; stat -c '%F %a' /vol/pipe"
        first = self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "sh", "-c", look)
        self.assertEqual(first.stdout, "from the image2750 1000:2000 1600000000\nfifo 600\n")
        self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "sh", "-c", "echo mine >/vol/file")
        again = self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "cat", "/vol/file")
        self.assertEqual(again.stdout, "mine\n")
        self.assertEqual(os.listdir(f"{self.root}/volumes/data"), ["data"])

    def test_what_is_there_stays(self):
        self.output("-v", "data:/x", "--", "touch", "/x/own")
        done = self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "ls", "/vol")
        self.assertEqual(done.stdout, "own\n")

    def test_nocopy(self):
        for options in (("-v", "one:/vol:nocopy"), ("--mount", "source=two,target=/vol,volume-nocopy"),
                        ("--mount", "type=volume,src=three,dst=/vol,volume-nocopy=true,readonly")):
            done = self.wcctl_ok("run", "--rm", "--network", "none", *options, "vol", "ls", "/vol")
            self.assertEqual(done.stdout, "", options)

    def test_read_only_ones_are_filled_too(self):
        done = self.wcctl("run", "--rm", "--network", "none", "-v", "one:/vol:ro", "vol", "sh", "-c",
                          "cat /vol/file; touch /vol/x")
        self.assertEqual((done.stdout, done.returncode), ("from the image", 1))
        self.assertIn("Read-only", done.stderr)

    def test_two_at_once(self):
        start = lambda number: self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "sh", "-c",
                                             f"cat /vol/file; touch /vol/by{number}").stdout
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            self.assertEqual(list(pool.map(start, range(6))), ["from the image"] * 6)
        self.assertEqual(self.output("-v", "data:/x", "--", "ls", "/x").split(),
                         ["by0", "by1", "by2", "by3", "by4", "by5", "file", "pipe", "same", "sub"])

    def test_a_container_that_emptied_it_finds_it_empty(self):
        self.wcctl_ok("run", "--name", "user", "--network", "none", "-v", "data:/vol", "vol", "sh", "-c",
                      "ls /vol; rm -rf /vol/*")
        self.wcctl_ok("start", "-a", "user")
        self.assertEqual(self.wcctl_ok("logs", "user").stdout, "file\npipe\nsame\nsub\n")

    def test_one_that_others_have_mounted_stays_the_same_directory(self):
        self.wcctl_ok("run", "-d", "--name", "watcher", "--network", "none", "-v", "data:/seen", "box", "sh", "-c",
                      "until test -e /seen/file; do sleep 0.1; done; cat /seen/file")
        self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "true")
        self.wcctl_ok("wait", "watcher")
        self.assertEqual(self.wcctl_ok("logs", "watcher").stdout, "from the image")

    def test_a_killed_start_leaves_no_half_volume(self):
        for number in range(8):
            child = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--network", "none", "-v",
                                      f"data{number}:/vol", "vol", "true"], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(0.004 * number)
            for helper in subprocess.run(["pgrep", "-f", "wc-helper monitor"], capture_output=True,
                                         text=True).stdout.split():
                with contextlib.suppress(OSError), open(f"/proc/{helper}/cmdline", encoding="utf-8") as line:
                    if BUILD in line.read():
                        os.kill(int(helper), signal.SIGKILL)
            child.wait(30)
            done = self.wcctl_ok("run", "--rm", "--network", "none", "-v", f"data{number}:/vol", "vol", "ls", "/vol")
            self.assertEqual(done.stdout, "file\npipe\nsame\nsub\n")


class Mounting(VolumeCase):
    def test_anonymous_ones(self):
        self.wcctl_ok("run", "--name", "user", "--network", "none", "-v", "/x", "box", "touch", "/x/file")
        mount = self.mounts("user")[0]
        self.assertRegex(mount["Name"], "^[0-9a-f]{64}$")
        self.assertEqual((mount["Type"], mount["Destination"], mount["Driver"], mount["RW"]),
                         ("volume", "/x", "local", True))
        self.assertEqual(os.listdir(mount["Source"]), ["file"])
        self.wcctl_ok("rm", "user")
        self.assertEqual(self.volumes(), [mount["Name"]])
        self.output("-v", "/x", "--", "true")
        self.assertEqual(self.volumes(), [mount["Name"]])

    def test_they_go_although_the_monitor_was_killed(self):
        self.wcctl_ok("run", "-d", "--rm", "--name", "user", "--network", "none", "-v", "/x", "box", "sleep", "100")
        name = self.mounts("user")[0]["Name"]
        self.assertEqual(self.volumes(), [name])
        run_root = json.loads(self.wcctl_ok("--json", "system", "info").stdout)["Store"]["RunRoot"]
        container = self.wcctl_ok("ps", "-q", "--no-trunc").stdout.strip()
        with open(f"{run_root}/containers/{container}/monitor.json", encoding="utf-8") as file:
            os.kill(json.load(file)["monitor"], signal.SIGKILL)
        for _ in range(100):
            if not self.wcctl_ok("ps", "-a", "-q").stdout:
                break
            time.sleep(0.05)
        self.assertEqual(self.volumes(), [])

    def test_a_missing_host_path(self):
        path = self.fresh("made")
        self.output("-v", f"{path}/deep:/x", "--", "touch", "/x/file")
        self.assertEqual((os.listdir(f"{path}/deep"), os.stat(path).st_mode & 0o7777), (["file"], 0o755))
        done = self.run_box("--mount", f"type=bind,source={path}/other,target=/x", "--", "true")
        self.assertFails(done, 125, f"{path}/other", "does not exist")
        self.assertFalse(os.path.exists(f"{path}/other"))

    def test_a_relative_host_path(self):
        path = self.fresh("here")
        os.makedirs(f"{path}/sub")
        done = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "run", "--rm", "--network", "none", "-v",
                               "./sub:/x", "-v", "..:/up:ro", "box", "sh", "-c", "touch /x/file; ls /up"], cwd=path,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(f"{path}/sub"), ["file"])
        self.assertIn(os.path.basename(path), done.stdout.split())

    def test_wrong_words(self):
        for options in (("-v", "a:/x"), ("-v", "one:x"), ("-v", "one:/x:y"), ("-v", ":/x"), ("-v", "~/a:/x"),
                        ("-v", "one:/x:rslave"), ("-v", "one:/x:ro:z"), ("--mount", "type=volume,source=one"),
                        ("--mount", "type=volume,source=/a,target=/x"), ("--mount", "type=glass,target=/x"),
                        ("-v", "one:/x", "-v", "two:/x"), ("-v", "one:/"), ("--volumes-from", "nobody"),
                        ("--mount", "type=bind,source=/tmp,target=/x,volume-opt=a=b"),
                        ("--mount", "type=volume,source=one,target=/x,volume-subpath=../y"),
                        ("--mount", "type=volume,source=one,target=/x,volume-subpath=/y")):
            done = self.run_box(*options, "--", "true")
            self.assertEqual((done.returncode, done.stdout), (125, ""), options)

    def test_subpaths_stay_inside(self):
        outside = self.fresh("outside")
        os.makedirs(outside)
        self.output("-v", "data:/x", "--", "sh", "-c",
                    f"mkdir -p /x/a/b; echo deep >/x/a/b/file; ln -s /a/b /x/in; ln -s {outside} /x/out; "
                    "ln -s ../../../../.. /x/up")
        sub = lambda path, *more: self.run_box("--mount", ",".join(
            ("type=volume,source=data,target=/y", f"volume-subpath={path}") + more), "--", "sh", "-c",
            "ls /y; touch /y/by-us")
        self.assertEqual(sub("a/b").stdout, "file\n")
        self.assertEqual(sub("in").stdout, "by-us\nfile\n") # links lead as if the volume were all there is
        self.assertEqual(sub("up").stdout, "a\nin\nout\nup\n")
        self.assertFails(sub("out"), 125, "subpath", "does not exist")
        self.assertFails(sub("none"), 125, "subpath 'none'", "does not exist")
        self.assertIn("Read-only", sub("a/b", "readonly").stderr)
        self.assertEqual(os.listdir(outside), [])
        file = self.run_box("--mount", "source=data,target=/f,volume-subpath=a/b/file", "--", "cat", "/f")
        self.assertEqual(file.stdout, "deep\n")

    def test_links_at_the_target_stay_inside(self):
        outside = self.fresh("outside")
        os.makedirs(outside)
        self.wcctl_ok("run", "--name", "evil", "--network", "none", "box", "ln", "-s", outside, "/target")
        self.wcctl_ok("commit", "evil", "evil")
        done = self.wcctl("run", "--rm", "--network", "none", "-v", "data:/target", "evil", "touch", "/target/file")
        self.assertEqual(os.listdir(outside), [])
        if not done.returncode:
            self.assertEqual(os.listdir(self.data("data")), ["file"])

    def test_given_to_the_user(self):
        path = self.fresh("given")
        os.makedirs(f"{path}/sub")
        os.symlink("/etc/passwd", f"{path}/link")
        before = os.stat("/etc/passwd").st_uid
        done = self.output("-u", "wc", "-v", f"{path}:/x:U", "-v", "data:/y:U", "--", "sh", "-c",
                           "touch /x/sub/a /y/a; stat -c %u /x /x/sub /x/link /y")
        self.assertEqual(done, "1000\n" * 4)
        self.assertEqual(os.stat("/etc/passwd").st_uid, before)

    def test_labels_and_words_for_other_hosts(self):
        for flags in ("z", "Z", "ro,z", "cached", "delegated", "consistent"):
            self.output("-v", f"data:/x:{flags}", "-v", f"{self.work}:/y:{flags}", "--", "true")

    def test_volumes_from(self):
        path = self.fresh("bound")
        os.makedirs(path)
        self.wcctl_ok("run", "--name", "first", "--network", "none", "-v", "data:/x", "-v", f"{path}:/y:ro", "-v",
                      "/anon", "--tmpfs", "/t", "vol", "true")
        self.assertEqual(self.output("--volumes-from", "first", "--", "sh", "-c",
                                     "touch /x/a /anon/a; touch /y/a 2>/dev/null || echo ro; test -e /t || echo no tmpfs; ls /vol"),
                         "ro\nno tmpfs\nfile\npipe\nsame\nsub\n")
        names = {m["Destination"]: m["Source"] for m in self.mounts("first")}
        self.assertEqual((os.listdir(names["/x"]), os.listdir(names["/anon"])), (["a"], ["a"]))
        done = self.run_box("--volumes-from", "first:ro", "--", "touch", "/x/b")
        self.assertIn("Read-only", done.stderr)
        own = self.output("--volumes-from", "first", "-v", "other:/x", "--", "ls", "/x")
        self.assertEqual(own, "")
        # --rm does not take what the other one still uses.
        self.assertEqual(len(self.volumes()), 4)
        self.assertFails(self.run_box("--volumes-from", "first:rx", "--", "true"), 125, "mode")

    def test_images(self):
        self.assertEqual(self.output("--mount", "type=image,source=vol,target=/img", "--", "sh", "-c",
                                     "cat /img/vol/file; ls /img/etc; touch /img/x 2>/dev/null || echo ro"),
                         "from the imagegroup\npasswd\nro\n")
        self.assertEqual(self.output("--mount", "type=image,source=vol,target=/img,image-subpath=vol/sub", "--",
                                     "ls", "/img"), "also\nlink\n")
        self.wcctl_ok("create", "--name", "user", "--network", "none", "--mount", "type=image,source=vol,target=/img",
                      "box", "cat", "/img/vol/file")
        self.assertFails(self.wcctl("rmi", "vol"), 1, "container 'user'")
        self.wcctl_ok("cp", "user:/img/vol/file", self.fresh("file"))
        self.wcctl_ok("start", "-a", "user")

    def write_file(self):
        with open(f"{self.work}/file", "w", encoding="utf-8") as file:
            file.write("payload\n")

    def test_cp_goes_into_directories_of_mounts(self):
        """The image knows nothing of them."""
        os.makedirs(f"{self.work}/bound/dir")
        self.write_file()
        self.wcctl_ok("run", "-d", "--name", "one", "--network", "none", "-v", "data:/vol", "-v", f"{self.work}/bound:/mnt",
                      "--tmpfs", "/tmp", "box", "sh", "-c", "mkdir /vol/dir /tmp/dir; exec sleep 1000")
        places = ("/vol/dir", "/mnt/dir", "/tmp/dir")
        for path in places:
            self.wcctl_ok("exec", "one", "sh", "-c", f"until [ -d {path} ]; do sleep 0.1; done")
            self.wcctl_ok("cp", f"{self.work}/file", f"one:{path}")
            self.assertEqual(self.wcctl_ok("exec", "one", "cat", f"{path}/file").stdout, "payload\n")
        self.wcctl_ok("stop", "-t", "0", "one")
        for path in places[:2]:
            self.wcctl_ok("cp", f"{self.work}/bound", f"one:{path}")
            self.wcctl_ok("cp", f"one:{path}/bound/dir/file", f"{self.work}/back")

    def test_cp_makes_no_directory_for_a_file(self):
        self.write_file()
        self.wcctl_ok("create", "--name", "one", "--network", "none", "box")
        self.assertFails(self.wcctl("cp", f"{self.work}/file", "one:/tmp/none/"), 125, "no such directory")
        self.assertFails(self.wcctl("cp", "one:/etc/passwd", f"{self.work}/none/"), 125, "no such directory")
        self.assertFalse(os.path.exists(f"{self.work}/none"))

    def test_cp_writes_no_root_that_is_read_only(self):
        self.write_file()
        self.wcctl_ok("create", "--name", "one", "--network", "none", "--read-only", "-v", "data:/vol", "box")
        self.assertFails(self.wcctl("cp", f"{self.work}/file", "one:/tmp/"), 125, "Read-only")
        self.wcctl_ok("cp", f"{self.work}/file", "one:/vol/")
        self.wcctl_ok("cp", "one:/vol/file", f"{self.work}/back")

    def test_cp_of_a_stopped_one_sees_all_mounts(self):
        path, out = self.fresh("bound"), self.fresh("out")
        os.makedirs(path)
        self.wcctl_ok("create", "--name", "user", "--network", "none", "-v", "data:/x", "-v", f"{path}:/y", "-v",
                      "data:/ro:ro", "box", "true")
        with open(out, "w", encoding="utf-8") as file:
            file.write("text")
        self.wcctl_ok("cp", out, "user:/x/file")
        self.wcctl_ok("cp", out, "user:/y/file")
        self.assertEqual((os.listdir(self.data("data")), os.listdir(path)), (["file"], ["file"]))
        self.assertNotEqual(self.wcctl("cp", out, "user:/ro/more").returncode, 0)
        with open("/proc/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(self.work, mounts.read())


class Drivers(VolumeCase):
    def test_a_directory_of_the_host(self):
        path = self.fresh("device")
        os.makedirs(path)
        self.wcctl_ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={path}", "bound")
        done = self.wcctl_ok("run", "--rm", "--network", "none", "-v", "bound:/vol", "vol", "cat", "/vol/file")
        self.assertEqual(done.stdout, "from the image")
        look = lambda: self.output("-v", f"{path}:/x", "--", "ls", "/x").split()
        self.assertEqual(look(), ["file", "pipe", "same", "sub"])
        self.wcctl_ok("volume", "rm", "bound")
        self.assertEqual(look(), ["file", "pipe", "same", "sub"])

    def test_tmpfs(self):
        self.wcctl_ok("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=4m,mode=750,noexec",
                      "fast")
        out = self.output("-v", "fast:/x", "--", "sh", "-c", "grep ' /x ' /proc/mounts; stat -c %a /x")
        self.assertIn("tmpfs", out)
        self.assertIn("size=4096k", out)
        self.assertIn("noexec", out)
        self.assertTrue(out.endswith("\n750\n"))
        self.assertFails(self.wcctl("volume", "export", "fast"), 125, "tmpfs")
        with open("/proc/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(self.work, mounts.read())

    def test_made_by_a_mount(self):
        out = self.output("--mount", 'type=volume,source=fast,target=/x,volume-opt=type=tmpfs,volume-opt=device=tmpfs,'
                          '"volume-opt=o=size=8m,nosuid",volume-label=a=b', "--", "grep", " /x ", "/proc/mounts")
        self.assertIn("size=8192k", out)
        told = json.loads(self.wcctl_ok("volume", "inspect", "fast").stdout)[0]
        self.assertEqual((told["Labels"], told["Options"]["o"]), ({"a": "b"}, "size=8m,nosuid"))

    def test_what_cannot_be_mounted_is_named_without_its_options(self):
        self.wcctl_ok("volume", "create", "-o", "type=none", "-o", "o=bind,password=secret", "-o", "device=/no/such",
                      "gone")
        done = self.run_box("-v", "gone:/x", "--", "true")
        self.assertFails(done, 125, "volume 'gone'", "/no/such")
        self.assertNotIn("secret", done.stderr)
        self.wcctl_ok("volume", "create", "-o", "type=nfs", "-o", "o=addr=host.invalid", "-o", "device=:/x", "net")
        self.assertFails(self.run_box("-v", "net:/x", "--", "true"), 125, "volume 'net'", "host.invalid")


class Backup(VolumeCase):
    def export(self, name):
        done = self.wcctl("volume", "export", name, text=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @not_rootless  # it looks at what belongs to his other ids; rootless_files_test.py has its own
    def test_there_and_back(self):
        self.wcctl_ok("run", "--rm", "--network", "none", "-v", "data:/vol", "vol", "sh", "-c",
                      "truncate -s 64M /vol/holes; echo end >>/vol/holes; mkfifo /vol/p; ln -s /x /vol/l")
        source = self.data("data")
        os.setxattr(f"{source}/file", "user.note", b"kept")
        tar = self.export("data")
        self.assertLess(len(tar), 1 << 20)
        for packed in (tar, gzip.compress(tar)):
            self.wcctl_ok("volume", "create", "copy")
            self.wcctl_ok("volume", "import", "copy", "-", stdin=packed, text=False)
            target = self.data("copy")
            self.assertEqual(os.getxattr(f"{target}/file", "user.note"), b"kept")
            self.assertLess(os.stat(f"{target}/holes").st_blocks, 1000)
            told = [subprocess.run(["sh", "-c", "find . -printf '%p %y %m %U:%G %s %n %l %T@\\n' | sort; md5sum holes file"],
                                   cwd=place, capture_output=True, text=True).stdout for place in (source, target)]
            self.assertEqual(*told)
            self.assertIn("./p p 644", told[0])
            self.wcctl_ok("volume", "rm", "copy")

    def test_to_a_file(self):
        self.output("-v", "data:/x", "--", "touch", "/x/a")
        path = self.fresh("tar")
        self.wcctl_ok("volume", "export", "-o", path, "data")
        with tarfile.open(path) as tar:
            self.assertEqual(sorted(n.rstrip("/") for n in tar.getnames()), [".", "./a"])
        self.assertFalse(os.path.exists(f"{path}.part"))
        self.wcctl_ok("volume", "create", "other")
        self.wcctl_ok("volume", "import", "other", path)
        self.assertEqual(os.listdir(self.data("other")), ["a"])

    def test_import_keeps_what_is_there(self):
        self.output("-v", "data:/x", "--", "sh", "-c", "echo old >/x/a; echo stays >/x/b")
        self.wcctl_ok("volume", "import", "data", "-", stdin=self.tar_of(("a", b"new\n", None)), text=False)
        self.assertEqual(self.output("-v", "data:/x", "--", "cat", "/x/a", "/x/b"), "new\nstays\n")

    @staticmethod
    def tar_of(*entries):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, data, link in entries:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                if link:
                    info.type, info.linkname = tarfile.SYMTYPE, link
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()

    def test_hostile_tars_stay_inside(self):
        outside = self.fresh("outside")
        os.makedirs(outside)
        for entries in ((("../../escape", b"x", None),), ((f"{outside}/escape", b"x", None),),
                        (("link", b"", outside), ("link/escape", b"x", None)),
                        (("up", b"", "../../../../../../../.."), (f"up{outside}/escape", b"x", None))):
            self.wcctl_ok("volume", "create", "data")
            self.wcctl("volume", "import", "data", "-", stdin=self.tar_of(*entries), text=False)
            self.assertEqual(os.listdir(outside), [], entries)
            self.assertEqual(sorted(os.listdir(f"{self.root}/volumes")), ["data"])
            self.assertEqual(os.listdir(f"{self.root}/volumes/data"), ["data"])
            self.wcctl_ok("volume", "rm", "data")
        self.wcctl_ok("volume", "create", "data")
        done = self.wcctl("volume", "import", "data", "-", stdin=b"no tar at all" * 99, text=False)
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"volume 'data'", done.stderr)


class Events(VolumeCase):
    def test_they_are_told(self):
        self.wcctl_ok("volume", "create", "one")
        self.wcctl_ok("volume", "rm", "one")
        told = [json.loads(line) for line in
                self.wcctl_ok("--json", "events", "--after", "", "--no-follow").stdout.splitlines()]
        ours = [(e["Action"], e["Id"], e["Attributes"]) for e in told if e["Type"] == "volume" and e["Id"] == "one"]
        self.assertEqual(ours[-2:], [("create", "one", {"driver": "local"}), ("destroy", "one", {"driver": "local"})])


if __name__ == "__main__":
    need_runtime()
    unittest.main()
