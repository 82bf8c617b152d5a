#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How registries are reached: certificates, logins, mirrors, short names; against Debian's docker-registry, skopeo and
podman. What is not installed is skipped by name."""
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from image_case import BUILD, SUPPORT, ImageCase, Registry, digest_of, make_layout, needs, raw_manifest_of, run

sys.path.insert(0, SUPPORT)

import named_skips  # noqa: E402


@needs("skopeo", "docker-registry", "openssl")
class Certificates(ImageCase):
    """Registries that want a certificate of ours, each of another authority."""
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "x")
        self.places, self.certs = [], []
        for name in "one", "two":
            registry = Registry(self.path(name), "--tls", "--client-auth")
            self.addCleanup(registry.close)
            shutil.copy(f"{registry.path}/ca.pem", f"{registry.path}/client/authority.crt")
            self.places.append(f"{registry.address}/a/x")
            self.certs.append(f"{registry.path}/client")

    def test_directories_that_are_named(self):
        one, two = self.places
        self.ok("copy", "--cert-dir", self.certs[0], f"oci:{self.path('layout')}:x", f"docker://{one}:1")
        self.ok("copy", "--cert-dir", self.certs[0], "--dest-cert-dir", self.certs[1], f"docker://{one}:1", f"docker://{two}:1")
        self.assertEqual(self.pull(f"{two}:1", "--cert-dir", self.certs[1])["Digest"], self.digest)
        self.assertEqual(self.ok("manifest", "tags", "--cert-dir", self.certs[1], two), "1\n")
        for more in (), ("--cert-dir", self.certs[0]), ("--tls-verify=false",):
            self.assertIn("certificate", self.fails("pull", *more, f"{two}:1"))
        # The certificate for one registry is not for the other.
        self.fails("copy", "--cert-dir", self.certs[0], f"docker://{one}:1", f"docker://{two}:2")

    def test_directory_of_the_user(self):
        self.env = {"HOME": self.path("home")}
        for place, certs in zip(self.places, self.certs):
            shutil.copytree(certs, f"{self.env['HOME']}/.config/containers/certs.d/{place.split('/')[0]}")
        self.ok("copy", f"oci:{self.path('layout')}:x", f"docker://{self.places[0]}:1")
        self.ok("copy", f"docker://{self.places[0]}:1", f"docker://{self.places[1]}:1")
        self.ok("pull", f"{self.places[1]}:1")
        self.assertEqual(self.images()[0]["Names"], [f"{self.places[1]}:1"])


HELPER = """#!/bin/sh
# Keeps one secret per server in a directory, as docker-credential-helpers are called.
dir={dir}; echo "$1" >>$dir/calls
case $1 in
get) read -r server; name=$(echo "$server" | tr -c 'a-z0-9\\n' _)
    [ -f "$dir/$name" ] || {{ echo "credentials not found in native keychain"; exit 1; }}; cat "$dir/$name" ;;
store) json=$(cat); server=$(echo "$json" | sed 's/.*"ServerURL": *"\\([^"]*\\)".*/\\1/'); name=$(echo "$server" | tr -c 'a-z0-9\\n' _)
    echo "$json" >"$dir/$name" ;;
erase) read -r server; name=$(echo "$server" | tr -c 'a-z0-9\\n' _); rm -f "$dir/$name" ;;
esac
"""


@needs("skopeo", "docker-registry", "htpasswd")
class Login(ImageCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self.path("registry"), "--user", "me", "se:cret")
        self.addCleanup(self.registry.close)
        self.where = self.registry.address
        self.auth = self.path("auth/auth.json")
        make_layout(self.path("layout"), "x")
        self.pull(f"oci:{self.path('layout')}:x", "--authfile", self.no_file())

    @staticmethod
    def read(path):
        with open(path) as file:
            return file.read()

    @staticmethod
    def write(path, text):
        with open(path, "w") as file:
            file.write(text)

    def kept(self):
        return json.loads(self.read(self.auth))

    def no_file(self):
        return f"{SUPPORT}/no-credentials.json"

    def login(self, password="se:cret", *more, **how):
        return subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "login", "--authfile", self.auth, "-u", "me",
                               "--password-stdin", *more, self.where], input=password, capture_output=True, text=True,
                              timeout=60, **how)

    def push(self, **how):
        return subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "push", "-q", "--authfile", self.auth, "x",
                               f"{self.where}/app:1"], capture_output=True, text=True, timeout=60, **how)

    def test_kept_used_and_forgotten(self):
        done = self.login()
        self.assertEqual((done.returncode, done.stdout), (0, "Login Succeeded\n"), done.stderr)
        self.assertEqual(os.stat(self.auth).st_mode & 0o777, 0o600)
        self.assertEqual(os.listdir(self.path("auth")), ["auth.json"])
        self.assertEqual(self.ok("login", "--authfile", self.auth, "--get-login", self.where), "me\n")
        self.assertEqual(self.push().returncode, 0)
        run("skopeo", "inspect", "--authfile", self.auth, "--tls-verify=false", f"docker://{self.where}/app:1")
        self.ok("logout", "--authfile", self.auth, self.where)
        self.assertEqual(self.kept(), {"auths": {}})
        self.assertNotEqual(self.push().returncode, 0)
        self.assertNotEqual(self.wcctl("logout", "--authfile", self.auth, self.where).returncode, 0)

    def test_what_others_may_see(self):
        """Neither the process list nor the log nor an error has the password, wherever it comes from."""
        with open(self.auth_in_place(), "w", encoding="utf-8") as file:
            json.dump({"auths": {self.where: {"auth": base64.b64encode(b"me:se:cret").decode()}}}, file)
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        nobody = f"127.0.0.1:{silent.getsockname()[1]}"
        for words in (("push", "--creds", "me:se:cret", "x", f"{nobody}/app:1"), ("login", "-u", "me", "-p", "se:cret", nobody),
                      ("copy", "--dest-creds", "me:se:cret", f"oci:{self.path('layout')}:x", f"docker://{nobody}/app:1")):
            process = subprocess.Popen([f"{BUILD}/bin/wcctl", "--root", self.root, *words], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            silent.accept()[0].close()
            connection, _ = silent.accept()  # it has read its arguments, and tries for the second time
            self.addCleanup(connection.close)
            with open(f"/proc/{process.pid}/cmdline", encoding="utf-8") as file:
                line = file.read()
            process.kill()
            process.wait()
            self.assertIn(nobody, line)
            self.assertNotIn("se:cret", line)
        for words in (("push", "--creds", "me:se:cret"), ("push", "--authfile", self.auth), ("push", "--creds", "me:se:cret2")):
            done = self.wcctl("--log-level", "debug", *words, "x", f"{self.where}/app:1")
            self.assertEqual(done.returncode, 125 if "me:se:cret2" in words else 0, done.stderr)
            for secret in "se:cret", "c2U6Y3JldA", "bWU6c2U6Y3JldA":
                self.assertNotIn(secret, done.stdout + done.stderr)

    def auth_in_place(self):
        os.makedirs(self.path("auth"), exist_ok=True)
        return self.auth

    def test_the_longest_path_goes_first(self):
        done = self.login()
        self.assertEqual(done.returncode, 0, done.stderr)
        for part, password in ("team", "se:cret"), ("team/inner", "se:cret"):
            self.where = f"{self.registry.address}/{part}"
            self.assertEqual(self.login(password).returncode, 0)
        kept = self.kept()["auths"]
        self.assertEqual(sorted(kept), sorted([self.registry.address, f"{self.registry.address}/team",
                                               f"{self.registry.address}/team/inner"]))
        wrong = {"auth": base64.b64encode(b"me:wrong").decode()}
        good = kept[self.registry.address]

        def can_push(name, **auths):
            with open(self.auth, "w", encoding="utf-8") as file:
                json.dump({"auths": {self.registry.address + path.replace("_", "/"): value for path, value in auths.items()}}, file)
            return self.wcctl("push", "-q", "--authfile", self.auth, "x", f"{self.registry.address}/{name}:1").returncode == 0

        self.assertTrue(can_push("team/inner/app", _team_inner=good, _team=wrong))
        self.assertFalse(can_push("team/innermost", _team_inner=good, _team=wrong))
        self.assertTrue(can_push("team/app", _team=good, _team_app_x=wrong))
        self.assertTrue(can_push("team/app/x", _team=wrong, _team_app_x=good))
        self.assertFalse(can_push("other", _team=good))

    def test_logout_of_a_part(self):
        self.assertEqual(self.login().returncode, 0)
        self.where += "/team"
        self.assertEqual(self.login().returncode, 0)
        self.assertEqual(self.ok("login", "--authfile", self.auth, "--get-login", self.where), "me\n")
        self.ok("logout", "--authfile", self.auth, self.where)
        self.assertEqual(list(self.kept()["auths"]), [self.registry.address])
        self.assertIn("no login", self.fails("logout", "--authfile", self.auth, self.where))
        for name in "/x", f"{self.registry.address}/", f"{self.registry.address}/a/":
            self.assertIn("HOST", self.fails("logout", "--authfile", self.auth, name))
        self.write(self.auth, json.dumps({"credsStore": "mine"}))
        self.assertIn("whole registries only", self.login().stderr)

    def test_wrong_password(self):
        done = self.login("wrong-secret")
        self.assertEqual(done.returncode, 125)
        self.assertNotIn("wrong-secret", done.stderr + done.stdout)
        self.assertFalse(os.path.exists(self.auth))

    def test_the_rest_of_the_file_stays(self):
        os.makedirs(self.path("auth"))
        before = {"auths": {"other.example": {"auth": "YTpi"}}, "unknown": {"kept": [1, 2.5, "x"]}}
        self.write(self.auth, json.dumps(before))
        self.assertEqual(self.login().returncode, 0)
        after = self.kept()
        self.assertEqual(after["unknown"], before["unknown"])
        self.assertEqual(after["auths"]["other.example"], before["auths"]["other.example"])
        self.write(self.auth, "{ broken")
        self.assertEqual(self.login().returncode, 125)
        self.assertEqual(self.read(self.auth), "{ broken")

    @needs("podman")
    def test_podmans_login_is_understood(self):
        os.makedirs(self.path("auth"))
        run("podman", "login", "--authfile", self.auth, "--tls-verify=false", "-u", "me", "-p", "se:cret", self.where)
        self.assertEqual(self.push().returncode, 0)

    def with_helper(self, script):
        os.makedirs(self.path("auth"), exist_ok=True)
        os.makedirs(self.path("programs"))
        self.write(self.path("programs/docker-credential-mine"), script)
        os.chmod(self.path("programs/docker-credential-mine"), 0o755)
        self.write(self.auth, json.dumps({"credHelpers": {self.where: "mine"}}))
        return {**os.environ, "PATH": f"{self.path('programs')}:{os.environ['PATH']}"}

    def test_credential_helper(self):
        env = self.with_helper(HELPER.format(dir=self.path("programs")))
        done = self.login(env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("auth", self.kept()["auths"][self.where])
        self.assertEqual(self.push(env=env).returncode, 0)
        out = subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, "logout", "--authfile", self.auth, self.where],
                             capture_output=True, text=True, env=env)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(self.read(self.path("programs/calls")).split(), ["store", "get", "erase"])
        self.assertNotEqual(self.push(env=env).returncode, 0)

    def with_conf(self, *helpers):
        """Helpers by registries.conf alone; the files are those of a home of its own. The environment."""
        env = self.with_helper(HELPER.format(dir=self.path("programs")))
        os.remove(self.auth)
        self.write(self.path("registries.conf"), f"credential-helpers = {json.dumps(helpers)}\n")
        env = {k: v for k, v in env.items() if k not in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")}
        return {**env, "HOME": self.path("home"), "CONTAINERS_REGISTRIES_CONF": self.path("registries.conf")}

    def at_home(self, env, *words, **more):
        return subprocess.run([f"{BUILD}/bin/wcctl", "--root", self.root, *words], capture_output=True, text=True, timeout=60,
                              env=env, **more)

    def test_helpers_of_registries_conf(self):
        env = self.with_conf("mine", "containers-auth.json")
        push = ("push", "-q", "x", f"{self.where}/app:1")
        login = ("login", "-u", "me", "--password-stdin", self.where)
        self.assertIn("login is needed", self.at_home(env, *push).stderr)
        done = self.at_home(env, *login, input="se:cret")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(self.path("home/.config/containers/auth.json")))
        self.assertEqual(self.at_home(env, "login", "--get-login", self.where).stdout, "me\n")
        self.assertEqual(self.at_home(env, *push).returncode, 0)
        # A file that is named is the only place.
        self.assertNotEqual(self.at_home(env, *push, "--authfile", self.no_file()).returncode, 0)
        self.assertEqual(self.at_home(env, "logout", self.where).returncode, 0)
        self.assertNotEqual(self.at_home(env, *push).returncode, 0)
        self.assertIn("there is no login", self.at_home(env, "logout", self.where).stderr)
        # The second place of the list.
        self.write(self.path("registries.conf"), "")
        self.assertEqual(self.at_home(env, *login, input="se:cret").returncode, 0)
        self.assertTrue(os.path.exists(self.path("home/.config/containers/auth.json")))
        self.write(self.path("registries.conf"), 'credential-helpers = ["mine", "containers-auth.json"]')
        self.assertEqual(self.at_home(env, *push).returncode, 0)
        self.write(self.path("registries.conf"), 'credential-helpers = ["mine"]')
        self.assertNotEqual(self.at_home(env, *push).returncode, 0)
        self.write(self.path("registries.conf"), 'credential-helpers = ["nosuch", "containers-auth.json"]')
        self.assertIn("'docker-credential-nosuch' is not installed", self.at_home(env, *push).stderr)
        self.assertIn("whole registries only", self.at_home({**env, "CONTAINERS_REGISTRIES_CONF": self.conf_of("mine")}, "login",
                      "-u", "me", "--password-stdin", f"{self.where}/app", input="se:cret").stderr)

    def conf_of(self, helper):
        self.write(self.path("one.conf"), f'credential-helpers = ["{helper}"]')
        return self.path("one.conf")

    def test_case_40_broken_helper_fails(self):
        """Nothing is sent anywhere instead, and the secret in the file's other entry least of all."""
        for script, says in ("#!/bin/sh\necho the keychain is locked; exit 1\n", "the keychain is locked"), \
                            ("#!/bin/sh\nexit 0\n", "fails"), ("#!/bin/sh\nyes\n", "more than"), \
                            ("#!/bin/sh\necho '{\"Username\": \"u\", \"Secret\": \"s3cret\"'\n", "not JSON"):
            env = self.with_helper(script)
            done = self.push(env=env)
            self.assertEqual(done.returncode, 125)
            self.assertIn(says, done.stderr)
            self.assertNotIn("s3cret", done.stderr)
            shutil.rmtree(self.path("programs"))
        self.assertIn("not installed", self.push().stderr)
        self.write(self.auth, json.dumps({"credsStore": "../../bin/sh"}))
        self.assertIn("no name", self.push().stderr)


class ConfCase(ImageCase):
    def conf(self, text):
        """A registries.conf for the calls to come."""
        with open(self.path("registries.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        self.env = {"CONTAINERS_REGISTRIES_CONF": self.path("registries.conf")}

    def open_registry(self, name, *options):
        registry = Registry(self.path(name), *options)
        self.addCleanup(registry.close)
        return registry


@needs("skopeo", "docker-registry")
class Mirrors(ConfCase):
    """The image "example.test/a/box:1", which only registries.conf knows where to find."""
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "t", "--layers", "3", "--size", "300000")
        self.home, self.mirror = self.open_registry("home"), self.open_registry("mirror")
        self.conf(f"""
[[registry]]
prefix = "example.test/a"
location = "{self.home.address}/moved/a"
[[registry.mirror]]
location = "127.0.0.1:1/nobody"
[[registry.mirror]]
location = "{self.mirror.address}/m"
""")

    def push_home(self):
        self.home.push(f"oci:{self.path('layout')}:t", "moved/a/box:1")

    def push_mirror(self):
        self.mirror.push(f"oci:{self.path('layout')}:t", "m/box:1")

    def pulled(self, name="example.test/a/box:1", *options):
        self.assertEqual(self.pull(name, *options)["Digest"], self.digest)
        self.check()

    def spoil(self, registry, digest, data):
        """Changes a blob on the registry's disk; None takes it away."""
        path = f"{registry.path}/data/docker/registry/v2/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"
        if data is None:
            os.unlink(path)
            return
        with open(path, "r+b") as file:
            file.write(data)

    def layers(self):
        return [d["digest"] for d in json.loads(raw_manifest_of(f"{self.mirror.address}/m/box:1"))["layers"]]

    def test_the_first_that_has_it(self):
        self.push_home()
        self.push_mirror()
        self.pulled()
        self.assertEqual(self.images()[0]["Names"], ["example.test/a/box:1"])
        self.assertEqual(len(self.mirror.requests()), 4)
        self.assertEqual(self.home.requests(), {})

    def test_mirrors_that_have_it_not(self):
        self.push_home()
        self.pulled()
        self.assertEqual(len(self.home.requests()), 4)

    def test_nobody_has_it(self):
        says = self.fails("pull", "example.test/a/box:1")
        for part in "127.0.0.1:1/nobody", f"{self.mirror.address}/m", f"{self.home.address}/moved/a/box:1":
            self.assertIn(part, says)

    def test_a_layer_that_the_mirror_lost(self):
        self.push_home()
        self.push_mirror()
        lost = self.layers()[1]
        self.spoil(self.mirror, lost, None)
        self.pulled()
        # Most of it from the mirror, that one from home.
        self.assertIn(lost, self.home.requests())

    def test_wrong_bytes_of_a_mirror(self):
        self.push_home()
        self.push_mirror()
        config = json.loads(raw_manifest_of(f"{self.mirror.address}/m/box:1"))["config"]["digest"]
        for digest in (config, self.layers()[2]):
            self.spoil(self.mirror, digest, b"spoiled")
        self.pulled()
        self.ok("copy", "docker://example.test/a/box:1", f"oci:{self.path('out')}:t")
        for name in os.listdir(f"{self.path('out')}/blobs/sha256"):
            with open(f"{self.path('out')}/blobs/sha256/{name}", "rb") as file:
                self.assertEqual(digest_of(file.read()), f"sha256:{name}")

    def test_wrong_bytes_everywhere(self):
        self.push_home()
        self.push_mirror()
        for registry in self.home, self.mirror:
            self.spoil(registry, self.layers()[2], b"spoiled")
        self.assertIn("digest", self.fails("pull", "example.test/a/box:1"))
        self.assertEqual(self.images(), [])
        self.check()

    def test_by_digest_alone(self):
        self.push_home()
        self.push_mirror()
        with open(self.path("registries.conf"), encoding="utf-8") as file:
            text = file.read()
        self.conf(text.replace("[[registry]]", "[[registry]]\nmirror-by-digest-only = true"))
        self.pulled()
        self.assertEqual(self.mirror.requests(), {})
        self.ok("rmi", "example.test/a/box:1")
        self.pulled(f"example.test/a/box@{self.digest}")
        self.assertEqual(len(self.mirror.requests()), 4)

    def test_looking(self):
        self.push_mirror()
        self.assertEqual(json.loads(self.ok("manifest", "look", "example.test/a/box:1"))["Digest"], self.digest)
        self.ok("manifest", "inspect", "example.test/a/box:1")
        self.push_home()
        self.assertEqual(self.ok("manifest", "tags", "example.test/a/box"), "1\n")

    def test_credentials_stay_with_the_registry(self):
        """The mirror asks for a login: what was given is not for it, what the file has for it is."""
        mock = subprocess.Popen([sys.executable, f"{SUPPORT}/mock_registry.py"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(mock.communicate)
        mirror = f"127.0.0.1:{mock.stdout.readline().split()[0]}"
        home = self.open_registry("closed", "--user", "user", "secret")
        home.push(f"oci:{self.path('layout')}:t", "box:1", "--dest-creds", "user:secret")
        self.conf(f"""[[registry]]
location = "{home.address}"
mirror = [{{location = "{mirror}/basic"}}]""")
        with open(self.path("empty.json"), "w", encoding="utf-8") as file:
            file.write("{}")
        self.pulled(f"{home.address}/box:1", "--creds", "user:secret", "--authfile", self.path("empty.json"))
        seen = [json.loads(line) for line in requests_of(mirror)]
        self.assertGreater(len(seen), 0)
        self.assertEqual({request["auth"] for request in seen}, {None})
        with open(self.path("both.json"), "w", encoding="utf-8") as file:
            json.dump({"auths": {mirror: {"auth": "dXNlcjpzZWNyZXQ="}}}, file)
        told = self.ok("manifest", "inspect", "--authfile", self.path("both.json"), f"{home.address}/box:1")
        self.assertEqual(json.loads(told)["layers"], [], "the mirror's own manifest")


def requests_of(mock):
    with urllib.request.urlopen(f"http://{mock}/requests") as answer:
        return answer.read().decode().splitlines()


@needs("skopeo", "docker-registry", "openssl")
class Rules(ConfCase):
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "x")
        self.pull(f"oci:{self.path('layout')}:x")

    def test_blocked(self):
        registry = self.open_registry("registry")
        registry.push(f"oci:{self.path('layout')}:x", "bad/x:1")
        self.conf(f"[[registry]]\nlocation = '{registry.address}/bad'\nblocked = true")
        for words in (("pull", f"{registry.address}/bad/x:1"), ("push", "x", f"{registry.address}/bad/x:2"),
                      ("manifest", "tags", f"{registry.address}/bad/x"),
                      ("manifest", "delete", f"{registry.address}/bad/x:1"),
                      ("copy", f"docker://{registry.address}/bad/x:1", f"oci:{self.path('out')}:x")):
            says = self.fails(*words)
            self.assertIn("blocked", says)
            self.assertIn(self.path("registries.conf"), says)
        self.ok("push", "x", f"{registry.address}/good/x:2")

    def test_insecure(self):
        registry = self.open_registry("registry", "--tls", "--user", "me", "secret")
        name = f"{registry.address}/x:1"
        self.conf(f"[[registry]]\nlocation = '{registry.address}'\ninsecure = true")
        self.ok("push", "--creds", "me:secret", "x", name)
        self.assertEqual(self.pull(name, "--creds", "me:secret")["Digest"], self.digest)
        self.ok("login", "-u", "me", "-p", "secret", "--authfile", self.path("auth.json"), registry.address)
        for words in (("pull",), ("push", "x"), ("manifest", "look")):
            says = self.fails(*words[:2] if words[0] == "manifest" else words[:1], "--creds", "me:secret",
                              "--tls-verify=true", *words[1:] if words[0] == "push" else (), name)
            self.assertIn("not trusted", says)

    def test_a_file_that_cannot_be_read(self):
        self.conf("[[registry]]\nlocation = 'a'\nlocation = 'b'")
        says = self.fails("pull", "127.0.0.1:1/x")
        self.assertIn(f"'{self.path('registries.conf')}': line 3", says)
        self.ok("inspect", "x")
        self.env = {"CONTAINERS_REGISTRIES_CONF": self.path("nowhere.conf")}
        self.assertIn("nowhere.conf", self.fails("pull", "127.0.0.1:1/x"))


@needs("skopeo", "docker-registry")
class ShortNames(ConfCase):
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "t")
        self.one, self.two = self.open_registry("one"), self.open_registry("two")

    def test_alias(self):
        self.one.push(f"oci:{self.path('layout')}:t", "deep/box:7")
        self.conf(f"[aliases]\nbox = '{self.one.address}/deep/box'")
        self.assertEqual(self.pull("box:7")["Digest"], self.digest)
        self.assertEqual(self.images()[0]["Names"], [f"{self.one.address}/deep/box:7"])
        self.assertEqual(json.loads(self.ok("inspect", "box:7"))[0]["RepoTags"], [f"{self.one.address}/deep/box:7"])
        self.ok("--backend", "mock", "create", "--name", "made", "box:7", "x")
        self.ok("--backend", "mock", "rm", "made")
        self.ok("tag", "box:7", "box:8")
        self.assertIn("docker.io/library/box:8", self.images()[0]["Names"])
        self.ok("rmi", "box:8", "box:7")
        self.assertEqual(self.images(), [])
        self.assertEqual(json.loads(self.ok("manifest", "look", f"box@{self.digest}"))["Digest"], self.digest)
        # With a transport it is a whole name.
        self.conf(f"[aliases]\nbox = '{self.one.address}/deep/box'\n[[registry]]\nlocation = 'docker.io'\nblocked = true")
        self.assertIn("docker.io", self.fails("pull", "docker://box:7"))

    def test_registries_that_are_searched(self):
        self.two.push(f"oci:{self.path('layout')}:t", "box:1")
        self.conf(f"unqualified-search-registries = ['{self.one.address}', '{self.two.address}']")
        self.assertEqual(self.pull("box:1")["Digest"], self.digest)
        self.assertEqual(self.images()[0]["Names"], [f"{self.two.address}/box:1"])
        self.ok("copy", "box:1", f"oci:{self.path('out')}:x")
        says = self.fails("pull", "nosuch")
        for registry in self.one, self.two:
            self.assertIn(f"{registry.address}/nosuch", says)
        with open(self.path("registries.conf"), "a", encoding="utf-8") as file:
            file.write("\nshort-name-mode = 'enforcing'\n")
        self.assertIn(f"'{self.one.address}/box:1' or '{self.two.address}/box:1'", self.fails("pull", "box:1"))

    def test_version_1(self):
        self.two.push(f"oci:{self.path('layout')}:t", "box:1")
        self.conf(f"[registries.search]\nregistries = ['{self.one.address}', '{self.two.address}']\n"
                  "[registries.block]\nregistries = ['docker.io']")
        self.assertEqual(self.pull("box:1")["Digest"], self.digest)
        self.assertEqual(self.images()[0]["Names"], [f"{self.two.address}/box:1"])
        self.assertIn("blocked", self.fails("pull", "docker.io/library/box:1"))

    def test_none_is_searched(self):
        self.conf("unqualified-search-registries = []")
        self.assertIn("with its registry", self.fails("pull", "box"))


@needs("skopeo", "docker-registry")
class BadNetwork(ImageCase):
    """Through a proxy that does what networks and proxies do at their worst."""
    def setUp(self):
        super().setUp()
        self.digest = make_layout(self.path("layout"), "t", "--layers", "3", "--size", "500000")
        self.server = self.registry()

    def through(self, *options):
        proxy = subprocess.Popen([sys.executable, f"{SUPPORT}/misbehaving_proxy.py", self.server.address.split(":")[1],
                                  *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(proxy.communicate)
        return f"127.0.0.1:{proxy.stdout.readline().split()[0]}"

    def faults(self, proxy):
        with urllib.request.urlopen(f"http://{proxy}/faults") as answer:
            return json.loads(answer.read())

    def pulled_through(self, *options):
        proxy = self.through(*options)
        self.assertEqual(self.pull(f"{proxy}/a/box:1")["Digest"], self.digest)
        self.check()
        self.forget_all()
        self.ok("system", "prune", "-f")
        return self.faults(proxy)

    def test_downloads_that_get_there(self):
        self.server.push(f"oci:{self.path('layout')}:t", "a/box:1")
        for faults in ("cut", "stall", "cut,shift", "cut,lie", "cut,norange", "redirect", "redirect,cut",
                       "chain", "chain,cut", "cut,parts", "encoding", "flaky", "garbage"):
            with self.subTest(faults=faults):
                self.assertEqual(set(self.pulled_through(faults)), set(faults.split(",")), "all of them came about")

    def test_downloads_over_many_faults_at_once(self):
        self.server.push(f"oci:{self.path('layout')}:t", "a/box:1")
        for seed in range(3):
            with self.subTest(seed=seed):
                self.pulled_through("cut,shift,lie,redirect,flaky,garbage", str(seed))

    def test_parts_of_a_blob_that_comes_slowly(self):
        """Several ranges at once, and what may go wrong with some of them."""
        self.digest = make_layout(self.path("big"), "t", "--layers", "1", "--size", "30000000")
        self.server.push(f"oci:{self.path('big')}:t", "a/box:1")
        for faults in "slow", "slow,shift", "slow,lie", "slow,cut", "slow,swap", "slow,late", "slow,parts":
            with self.subTest(faults=faults):
                proxy = self.through(faults)
                self.assertEqual(self.pull(f"{proxy}/a/box:1")["Digest"], self.digest)
                met = self.faults(proxy)
                self.check()
                self.forget_all()
                self.ok("system", "prune", "-f")
                self.assertEqual(set(met), set(faults.split(",")))
                if faults == "slow":
                    self.assertGreater(met["slow"], 3, "answers: one for the configuration, several for the layer")

    def test_limits_are_respected(self):
        self.server.push(f"oci:{self.path('layout')}:t", "a/box:1")
        for faults in "limit", "limitdate", "limitodd":
            began = time.monotonic()
            self.assertEqual(set(self.pulled_through(faults)), {faults})
            if faults == "limit":
                self.assertGreater(time.monotonic() - began, 2)

    def test_downloads_that_cannot_be_right(self):
        self.server.push(f"oci:{self.path('layout')}:t", "a/box:1")
        for faults, says in ("shorter", "bytes instead of"), ("longer", "bytes instead of"), ("wrong", "digest"), ("digest", "digest"), \
                            ("encoded", "bytes instead of"), ("page", "bytes instead of"):
            with self.subTest(faults=faults):
                self.assertIn(says, self.fails("pull", f"{self.through(faults)}/a/box:1"))
                self.assertEqual(self.images(), [])
                self.check()
        self.assertIn("digest", self.fails("pull", f"{self.through('other')}/a/box@{self.digest}"))
        # What the bad ones left behind does no harm.
        self.assertEqual(self.pull(f"{self.server.address}/a/box:1")["Digest"], self.digest)
        self.check()

    def test_uploads_that_get_there(self):
        self.pull(f"oci:{self.path('layout')}:t")
        for faults in "cutup", "halfup", "lost", "limit", "flaky", "garbage":
            with self.subTest(faults=faults):
                proxy = self.through(faults)
                self.ok("push", "t", f"{proxy}/{faults}/box:1")
                self.assertEqual(digest_of(raw_manifest_of(f"{self.server.address}/{faults}/box:1")), self.digest)
                self.assertIn(faults, self.faults(proxy))

    def test_uploads_over_many_faults_at_once(self):
        self.pull(f"oci:{self.path('layout')}:t")
        for seed in range(3):
            with self.subTest(seed=seed):
                self.ok("push", "t", f"{self.through('cutup,halfup,lost,flaky,garbage', str(seed))}/s{seed}/box:1")
                self.assertEqual(self.pull(f"{self.server.address}/s{seed}/box:1", root=self.path("other"))["Digest"],
                                 self.digest)
        self.check(root=self.path("other"))


if __name__ == "__main__":
    named_skips.main()
