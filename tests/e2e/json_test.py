#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`wcctl --json`: every command that wcctl has is run, and what it prints must be JSON of the shape that the man
page, section JSON OUTPUT, gives for it. A command without a method do_… here, or without a shape there, fails."""
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest

from images_test import Registry, needs
from wcctl_case import BUILD, WcctlCase, need_runtime

import named_skips  # found where wcctl_case looks
import wcctl_help

# What a container writes passes through them as it is.
WITHOUT_SHAPE = {"attach"}
NEED_REGISTRY = {"push", "login", "logout", "manifest inspect", "manifest look", "manifest tags", "manifest catalog",
                 "manifest referrers", "manifest delete", "artifact push", "artifact pull", "sign", "verify"}


def documented():
    """Command to the list of its shapes, from the man page."""
    shapes = {}
    for entry in wcctl_help.sections()["JSON OUTPUT"].split("\n.TP\n.B ")[1:]:
        names, _, rest = entry.partition("\n")
        chunks = [chunk for chunk in rest.replace("\\e", "\\").split("\n.br\n") if chunk[0] in "{["]
        for name in names.split(", "):
            shapes[name] = [json.loads(re.split(r"\n\.", chunk)[0]) for chunk in chunks]
    return shapes


def fits(value, shape):
    """The same kinds and fields all the way down; "...": "..." in an object stands for any more of them."""
    if isinstance(shape, dict):
        named = set(shape) - {"..."}
        return (isinstance(value, dict) and named <= set(value) and ("..." in shape or named == set(value))
                and all(fits(value[key], shape[key]) for key in named))
    if isinstance(shape, list):
        return isinstance(value, list) and (not shape or (value != [] and all(fits(item, shape[0]) for item in value)))
    return type(value) is type(shape)


def parse(text):
    """One value, or one on each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


class SearchServer(http.server.BaseHTTPRequestHandler):
    """A registry with a search: what docker-registry lacks."""

    def do_GET(self):
        body = json.dumps({"num_results": 1, "results": [
            {"name": "box", "description": "a box", "star_count": 3, "is_official": True}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Shapes(unittest.TestCase):
    """The yardstick itself."""

    def test_fits(self):
        self.assertTrue(fits({"a": 1, "b": ["x"]}, {"a": 2, "b": ["y"]}))
        self.assertTrue(fits({"a": 1, "b": 2}, {"a": 2, "...": "..."}))
        for value in ({"a": 1}, {"a": 1, "b": "x"}, {"a": 1, "b": [2]}, {"a": "1", "b": ["x"]}, {"a": 1, "b": []},
                      {"a": 1, "b": ["x"], "c": 1}, [], None):
            self.assertFalse(fits(value, {"a": 2, "b": ["y"]}), value)

    def test_every_command_has_one(self):
        self.assertEqual(set(documented()) | WITHOUT_SHAPE, set(wcctl_help.commands()))


class Commands(WcctlCase):
    global_options = ["--progress", "none"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = None

    def json(self, *words, **more):
        return self.wcctl_ok("--json", *words, **more).stdout

    def create(self, *command, name="one"):
        self.wcctl("rm", "-f", name)
        self.wcctl_ok("create", "--name", name, "--network", "none", "box", *command)
        return name

    def running(self, *command, name="one"):
        self.wcctl_ok("start", self.create(*command or ("sleep", "100"), name=name))
        return name

    # ---- Images ----

    def do_pull(self):
        return self.json("pull", f"oci:{self.layout}:box")

    def do_push(self):
        return self.json("push", "box", f"{self.registry.address}/box:1")

    def do_images(self):
        return self.json("images")

    def do_tree(self):
        return self.json("tree", "box")

    def do_tag(self):
        told = self.json("tag", "box", "zoo:2")
        self.assertEqual(json.loads(told)["Name"], "docker.io/library/zoo:2")
        return told

    def do_rmi(self):
        self.wcctl_ok("edit", "-c", "ENV A=b", "box", "doomed")
        self.wcctl_ok("tag", "doomed", "doomed:2")
        told = self.json("rmi", "doomed:2", "doomed")
        self.assertEqual([key for line in told.splitlines() for key in json.loads(line)],
                         ["Untagged", "Untagged", "Deleted"])
        return told

    def do_save(self):
        return self.json("save", "-o", f"{self.work}/saved.tar", "box")

    def do_load(self):
        return self.json("load", "-i", self.saved())

    def saved(self):
        self.wcctl_ok("save", "-o", f"{self.work}/saved.tar", "box")
        return f"{self.work}/saved.tar"

    def do_mount(self):
        os.makedirs(f"{self.work}/mnt", exist_ok=True)
        told = self.json("mount", "box", f"{self.work}/mnt")
        listed = json.loads(self.json("mount"))
        self.wcctl_ok("unmount", f"{self.work}/mnt")
        return told + json.dumps(listed)

    def do_unmount(self):
        os.makedirs(f"{self.work}/mnt", exist_ok=True)
        self.wcctl_ok("mount", "box", f"{self.work}/mnt")
        return self.json("unmount", f"{self.work}/mnt")

    def do_unpack(self):
        return self.json("unpack", "box", f"{self.work}/unpacked")

    def do_pack(self):
        self.wcctl_ok("unpack", "box", f"{self.work}/to-pack")
        with open(f"{self.work}/to-pack/layers/1/fs/etc/hosts", "w", encoding="utf-8") as file:
            file.write("changed\n")
        return self.json("pack", f"{self.work}/to-pack", "packed")

    def do_copy(self):
        digest = json.loads(self.do_pull())["Digest"]
        told = [self.json("copy", *places) for places in (
            (f"oci:{self.layout}:box", f"oci:{self.work}/copied:box"), ("wc-store:box", f"oci:{self.work}/copied:x"),
            ("wc-store:box", "wc-store:copied"), (f"oci:{self.layout}:box", "wc-store:copied"))]
        self.assertEqual({json.loads(text)["Digest"] for text in told}, {digest})
        return "".join(told)

    # ---- Making images ----

    def do_commit(self):
        return self.json("commit", self.create("true"), "committed")

    def do_diff(self):
        self.wcctl_ok("start", "-a", self.create("touch", "/made"))
        told = self.json("diff", "one")
        self.wcctl_ok("commit", "one", "touched")
        self.assertIn({"Path": "/made", "Kind": 1, "NewSize": 0}, json.loads(self.json("diff", "box", "touched")))
        return told

    def do_export(self):
        self.create("true")
        self.assertEqual(self.json("export", "one", text=False)[257:262], b"ustar", "a tar, and nothing else")
        return self.json("export", "-o", f"{self.work}/exported.tar", "one")

    def do_edit(self):
        return self.json("edit", "-c", "ENV A=b", "box", "edited")

    def do_import(self):
        with open(f"{self.work}/root.tar", "wb") as file:
            subprocess.run(["tar", "-C", self.layout, "-cf", "-", "oci-layout"], stdout=file, check=True)
        return self.json("import", f"{self.work}/root.tar", "imported")

    def do_history(self):
        self.wcctl_ok("edit", "-m", "a step", "box", "stepped")
        return self.json("history", "stepped")

    # ---- Registries ----

    def do_login(self):
        login = ["--authfile", f"{self.work}/auth.json", "-u", "me", "-p", "secret", self.registry.address]
        told = self.json("login", *login)
        self.assertEqual(self.json("login", "--get-login", *login[:2], self.registry.address), told)
        return told

    def do_logout(self):
        self.do_login()
        return self.json("logout", "--authfile", f"{self.work}/auth.json", self.registry.address)

    def do_search(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), SearchServer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = self.json("search", f"127.0.0.1:{server.server_port}/box")
        server.shutdown()
        server.server_close()
        return told

    def pushed(self):
        self.wcctl_ok("push", "box", f"{self.registry.address}/box:1")
        return f"{self.registry.address}/box:1"

    def do_artifact_push(self):
        return self.json("artifact", "push", f"{self.registry.address}/box:list", __file__)

    def do_artifact_pull(self):
        self.do_artifact_push()
        return self.json("artifact", "pull", "-o", tempfile.mkdtemp(dir=self.work), f"{self.registry.address}/box:list")

    def do_manifest_create(self):
        return self.json("manifest", "create", "many", "box")

    def do_manifest_inspect(self):
        return self.json("manifest", "inspect", self.pushed())

    def do_manifest_look(self):
        return self.json("manifest", "look", self.pushed())

    def do_manifest_tags(self):
        return self.json("manifest", "tags", self.pushed().rpartition(":")[0])

    def do_manifest_catalog(self):
        self.pushed()
        return self.json("manifest", "catalog", self.registry.address)

    def do_manifest_referrers(self):
        return self.json("manifest", "referrers", self.pushed())

    def do_manifest_delete(self):
        digest = json.loads(self.json("manifest", "look", self.pushed()))["Digest"]
        return self.json("manifest", "delete", f"{self.registry.address}/box@{digest}")

    # ---- Signatures ----

    def keys(self):
        with open(f"{self.work}/passphrase", "w", encoding="utf-8") as file:
            file.write("secret\n")
        for end in "private", "pub":
            if os.path.exists(f"{self.work}/key.{end}"):
                os.unlink(f"{self.work}/key.{end}")
        return self.json("keygen", "--passphrase-file", f"{self.work}/passphrase", f"{self.work}/key")

    def do_keygen(self):
        return self.keys()

    def do_sign(self):
        self.keys()
        return self.json("sign", "--key", f"{self.work}/key.private", "--sign-passphrase-file",
                         f"{self.work}/passphrase", self.pushed())

    def do_verify(self):
        self.do_sign()
        return self.json("verify", "--key", f"{self.work}/key.pub", self.pushed())

    # ---- Containers ----

    def do_run(self):
        self.assertEqual(self.json("run", "--rm", "--network", "none", "box", "echo", "as it is"), "as it is\n")
        self.wcctl("rm", "-f", "one")
        return self.json("run", "-d", "--rm", "--name", "one", "--network", "none", "box", "true")

    def do_create(self):
        told = self.json("create", "--name", "named", "--network", "none", "box")
        self.assertEqual(json.loads(told)["Name"], "named")
        return told

    def do_start(self):
        self.assertEqual(self.json("start", "-a", self.create("echo", "as it is")), "as it is\n")
        return self.json("start", self.create("true"), self.create("true", name="two"))

    def do_stop(self):
        return self.json("stop", "-t", "0", self.running(), self.running(name="two"))

    def do_pause(self):
        return self.json("pause", self.running())

    def do_unpause(self):
        name = self.running()
        self.wcctl_ok("pause", name)
        return self.json("unpause", name)

    def do_update(self):
        return self.json("update", "--cpu-shares", "512", self.running())

    def do_rename(self):
        return self.json("rename", self.running(), "another")

    def do_restart(self):
        return self.json("restart", "-t", "0", self.running())

    def do_kill(self):
        return self.json("kill", self.running(), self.running(name="two"))

    def do_exec(self):
        self.assertEqual(self.json("exec", self.running(), "echo", "as it is"), "as it is\n")
        return self.json("exec", "-d", "one", "true")

    def do_attach(self):
        self.wcctl("rm", "-f", "one")
        self.wcctl_ok("run", "-di", "--name", "one", "--network", "none", "box", "sh", "-c", "read x; echo $x")
        self.assertEqual(self.json("attach", "one", stdin="as it is\n"), "as it is\n")
        return None

    def do_logs(self):
        self.wcctl_ok("wait", self.running("sh", "-c", r"echo out; echo err >&2; printf 'a\377b\303\244\355\240\200'"))
        told = self.json("logs", "one")
        lines = [json.loads(line) for line in told.splitlines()]
        self.assertEqual(sorted((line["stream"], line["log"]) for line in lines),
                         [("stderr", "err\n"), ("stdout", "a\ufffdb\u00e4\ufffd\ufffd\ufffd"), ("stdout", "out\n")])
        return told

    def do_ps(self):
        self.create("true")
        return self.json("ps", "-a")

    def do_inspect(self):
        told = self.json("inspect", self.create("true"), "box")
        container, image = json.loads(told)
        self.assertTrue({"RepoTags", "RepoDigests", "Config"} <= set(image))
        return json.dumps([container])

    def do_wait(self):
        told = self.json("wait", self.running("sh", "-c", "exit 3"), self.running("true", name="two"))
        self.assertEqual([json.loads(line)["ExitCode"] for line in told.splitlines()], [3, 0])
        return told

    def do_cp(self):
        self.create("true")
        self.assertEqual(self.json("cp", "one:/etc/passwd", "-")[:6], "passwd", "a tar, and nothing else")
        return self.json("cp", "one:/etc/passwd", f"{self.work}/passwd")

    def do_rm(self):
        return self.json("rm", "-f", self.create("true"), self.running(name="two"))

    # ---- Networks ----

    def network(self, name="net"):
        self.wcctl("network", "rm", "-f", name)
        self.wcctl_ok("network", "create", name)
        return name

    def do_network_create(self):
        self.wcctl("network", "rm", "-f", "made")
        return self.json("network", "create", "made")

    def do_network_ls(self):
        self.network()
        return self.json("network", "ls")

    def do_network_inspect(self):
        return self.json("network", "inspect", self.network())

    def do_network_rm(self):
        return self.json("network", "rm", self.network(), self.network("other"))

    def do_network_prune(self):
        self.network()
        return self.json("network", "prune")

    def joined(self):
        self.wcctl("rm", "-f", "one")
        self.wcctl_ok("--backend", "mock", "create", "--name", "one", "-p", "8080:80", "box", "sleep:60000")
        return "one"

    def do_network_connect(self):
        return self.json("network", "connect", self.network(), self.joined())

    def do_network_disconnect(self):
        return self.json("network", "disconnect", "bridge", self.joined())

    def do_port(self):
        self.wcctl_ok("--backend", "mock", "start", self.joined())
        return self.json("--backend", "mock", "port", "one")

    # ---- Volumes ----

    def volume(self, name="data"):
        self.wcctl_ok("volume", "create", "--label", "a=b", name)
        return name

    def do_volume_create(self):
        return self.json("volume", "create", "--label", "a=b", "made")

    def do_volume_ls(self):
        self.volume()
        return self.json("volume", "ls")

    def do_volume_inspect(self):
        return self.json("volume", "inspect", "--size", self.volume())

    def do_volume_rm(self):
        return self.json("volume", "rm", self.volume(), self.volume("other"))

    def do_volume_prune(self):
        self.volume()
        return self.json("volume", "prune", "-a", "-f")

    def do_volume_export(self):
        self.assertIn("ustar", self.json("volume", "export", self.volume())[:300])
        return self.json("volume", "export", "-o", f"{self.work}/data.tar", self.volume())

    def do_volume_import(self):
        self.json("volume", "export", "-o", f"{self.work}/in.tar", self.volume())
        return self.json("volume", "import", self.volume(), f"{self.work}/in.tar")

    # ---- Groups ----

    def group(self):
        name = f"team{len(self.wcctl_ok('group', 'ls', '-q').stdout.split())}"
        self.wcctl_ok("group", "create", "--memory", "64m", name)
        self.addCleanup(self.wcctl, "group", "rm", name)
        return name

    def used_group(self):
        name = self.group()
        self.wcctl_ok("run", "-d", "--network", "none", "--group", name, "box", "sleep", "100")
        return name

    def do_group_create(self):
        return self.json("group", "create", "--cpus", "1", "made")

    def do_group_update(self):
        return self.json("group", "update", "--cpus", "1", self.group())

    def do_group_ls(self):
        self.used_group()
        return self.json("group", "ls")

    def do_group_inspect(self):
        return self.json("group", "inspect", self.used_group())

    def do_group_stats(self):
        return self.json("group", "stats", self.used_group())

    def do_group_rm(self):
        return self.json("group", "rm", self.group())

    # ---- Watching ----

    def do_stats(self):
        return self.json("stats", "--no-stream", self.running())

    def do_top(self):
        return self.json("top", self.running())

    # ---- System ----

    def do_events(self):
        return self.json("events", "--after", "", "--no-follow")

    def do_system_info(self):
        return self.json("system", "info")

    def do_system_df(self):
        self.create("true")
        self.volume()
        return self.json("system", "df")

    def do_system_restore(self):
        self.wcctl_ok("run", "-d", "--network", "none", "--name", "again", "--restart", "always", "box", "sleep", "1000")
        self.wcctl_ok("stop", "-t", "0", "again")
        return self.json("system", "restore")

    def do_container(self):
        self.json("create", "box")
        return self.json("container", "prune", "-f")

    def do_image(self):
        self.wcctl_ok("edit", "-c", "ENV DANGLING=1", "box")
        return self.json("image", "prune", "-f")

    def do_system_prune(self):
        self.wcctl_ok("start", "-a", self.create("true"))
        return self.json("system", "prune", "-f")

    def do_system_check(self):
        return self.json("system", "check")

    def do_version(self):
        return self.json("version")

    # ---- All of them ----

    def check(self, command, shapes):
        text = getattr(self, f"do_{command.replace(' ', '_')}")()
        if command in WITHOUT_SHAPE:
            return
        values = parse(text)
        self.assertTrue(values, "nothing was printed")
        for value in values:
            self.assertTrue(any(fits(value, shape) for shape in shapes), f"{value} is none of {shapes}")
        for shape in shapes:
            self.assertTrue(any(fits(value, shape) for value in values), f"{shape} is not in {text}")

    def check_all(self, commands):
        shapes = documented()
        for command in commands:
            with self.subTest(command=command):
                self.check(command, shapes.get(command, []))

    def test_every_command(self):
        commands = [command for command in wcctl_help.commands() if command not in NEED_REGISTRY]
        self.assertGreater(len(commands), 30)
        self.check_all(commands)

    @needs("docker-registry")
    def test_every_command_that_needs_a_registry(self):
        self.registry = Registry(f"{self.work}/registry")
        self.addCleanup(self.registry.close)
        self.check_all(sorted(NEED_REGISTRY))

    def test_what_failed_has_no_object(self):
        self.create("true")
        for command in ("start", "stop", "rm"):
            done = self.wcctl("--json", command, "nosuch", "one")
            self.assertFails(done, 1, "nosuch")
            self.assertEqual([json.loads(line)["Name"] for line in done.stdout.splitlines()], ["one"], command)
        done = self.wcctl("--json", "inspect", "nosuch")
        self.assertEqual((done.returncode, json.loads(done.stdout)), (1, []))

    def test_objects_come_as_things_happen(self):
        self.running("sleep", "2")
        self.running("true", name="two")
        waiting = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, "--json", "wait", "two", "one"],
                                   stdout=subprocess.PIPE, text=True)
        self.assertEqual(json.loads(waiting.stdout.readline())["Name"], "two")
        self.assertIsNone(waiting.poll())
        self.assertEqual(json.loads(waiting.communicate()[0])["Name"], "one")


if __name__ == "__main__":
    need_runtime()
    named_skips.main()
