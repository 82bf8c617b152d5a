#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures on a real registry, made here and verified by skopeo and podman, and the other way round; what a
policy lets in, and what not."""
import base64
import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
import unittest
import urllib.request

import images_test
from images_test import ImageCase, digest_of, make_layout, needs, run

named_skips = images_test.named_skips
SECRET = "a secret of many words"
# Debian's builds of the tools leave sigstore out.
DISABLED = "sigstore disabled"


@needs("skopeo", "docker-registry", "openssl")
class SignatureCase(ImageCase):
    def setUp(self):
        super().setUp()
        self.server = self.registry()
        self.host = self.server.address
        self.digest = make_layout(self.path("layout"), "box", "--layers", "2")
        self.layout = f"oci:{self.path('layout')}:box"
        self.write("secret", SECRET + "\n")
        os.environ.pop("COSIGN_PASSWORD", None)

    # ---- Files

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def keys(self, name="k"):
        self.ok("keygen", "--passphrase-file", self.path("secret"), self.path(name))
        return self.path(f"{name}.private"), self.path(f"{name}.pub")

    def policy(self, *requirements, scope="", transport="docker"):
        """A file that rejects everything but what fulfils the requirements."""
        return self.write("policy.json", json.dumps(
            {"default": [{"type": "reject"}], "transports": {transport: {scope: list(requirements)}}}))

    def signed_by(self, key, identity=None):
        return {"type": "sigstoreSigned", "keyPath": key, **({"signedIdentity": {"type": identity}} if identity else {})}

    def registries_d(self):
        os.makedirs(self.path("registries.d"), exist_ok=True)
        self.write("registries.d/all.yaml", "default-docker:\n  use-sigstore-attachments: true\n")
        return self.path("registries.d")

    # ---- Work

    def or_skip(self, words, **more):
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, **more)
        if DISABLED in done.stderr:
            self.skipTest(f"{words[0]} is built without sigstore here")
        return done

    def put(self, name="box:1"):
        self.ok("copy", self.layout, f"docker://{self.host}/{name}")
        return f"{self.host}/{name}"

    def put_signed(self, key, name="box:1"):
        self.ok("copy", self.layout, f"docker://{self.host}/{name}", "--sign-by-sigstore-private-key", key,
                "--sign-passphrase-file", self.path("secret"))
        return f"{self.host}/{name}"

    def skopeo(self, policy, *words):
        return subprocess.run(["skopeo", "--policy", policy, "--registries.d", self.registries_d(), *words],
                              capture_output=True, text=True, timeout=120)

    def skopeo_agrees(self, policy, name, good, why=None):
        """What skopeo thinks of it, where it is built with an opinion."""
        done = self.skopeo(policy, "copy", "-q", "--src-tls-verify=false", f"docker://{name}", f"dir:{self.path('dir')}")
        shutil.rmtree(self.path("dir"), ignore_errors=True)
        if DISABLED not in done.stderr:
            self.assertEqual(done.returncode == 0, good, why or done.stderr)

    def openssl_agrees(self, public, name):
        """Somebody's signature at the tag is this key's, and says what it should."""
        repository, tag = name.rsplit(":", 1)
        layers = json.loads(images_test.raw_manifest_of(f"{repository}:{self.signature_tag()}"))["layers"]
        for layer in layers:
            claim = self.blob(repository, layer["digest"])
            with open(self.path("found"), "wb") as file:
                file.write(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
            with open(self.path("claim"), "wb") as file:
                file.write(claim)
            raw = ["-rawin"] if "ED25519" in run("openssl", "pkey", "-pubin", "-in", public, "-noout", "-text") else \
                  ["-rawin", "-digest", "sha256"]
            done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, *raw, "-in",
                                   self.path("claim"), "-sigfile", self.path("found")], capture_output=True)
            if done.returncode == 0:
                said = json.loads(claim)
                self.assertEqual(said["critical"], {
                    "identity": {"docker-reference": name}, "image": {"docker-manifest-digest": self.digest},
                    "type": "cosign container image signature"})
                return
        self.fail(f"none of {len(layers)} signatures is by {public}")

    def blob(self, repository, digest):
        host, path = repository.split("/", 1)
        with urllib.request.urlopen(f"http://{host}/v2/{path}/blobs/{digest}") as answer:
            return answer.read()

    def try_pull(self, policy, source, *options):
        return self.wcctl("pull", "--signature-policy", policy, *options, source)

    def refused(self, done, *says):
        self.assertEqual(done.returncode, 125, done.stdout)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for text in says:
            self.assertIn(text, done.stderr)
        self.assertEqual(self.images(), [], "nothing of it is in the store")

    def accepted(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.forget_all()

    def signature_tag(self, digest=None):
        return (digest or self.digest).replace(":", "-") + ".sig"

    def signatures(self, repository="box"):
        return json.loads(images_test.raw_manifest_of(f"{self.host}/{repository}:{self.signature_tag()}"))


class ByWayOfOthers(SignatureCase):
    """Short names and mirrors of registries.conf: what counts is the name that the image gets."""
    def conf(self, text):
        self.env = {"CONTAINERS_REGISTRIES_CONF": self.write("registries.conf", text)}

    def test_a_short_name_is_judged_as_what_it_stands_for(self):
        self.put("deep/box:1")
        self.conf(f"[aliases]\nbox = '{self.host}/deep/box'")
        anything = {"type": "insecureAcceptAnything"}
        self.accepted(self.try_pull(self.policy(anything, scope=f"{self.host}/deep"), "box:1"))
        self.refused(self.try_pull(self.policy(anything, scope="docker.io/library/box"), "box:1"), "rejects every image")

    def test_signatures_that_a_mirror_lacks(self):
        key, public = self.keys()
        self.put_signed(key, "home/box:1")
        self.put("mirror/box:1")
        self.conf(f"[[registry]]\nlocation = '{self.host}/home'\nmirror = [{{location = '{self.host}/mirror'}}]")
        name = f"{self.host}/home/box:1"
        self.accepted(self.wcctl("pull", "--verify-key", public, name))
        # The layers come from there all the same.
        layers = json.loads(images_test.raw_manifest_of(name))["layers"]
        with open(f"{self.server.path}/registry.log", encoding="utf-8") as log:
            asked = [line for line in log if "http.request.method=GET" in line and layers[0]["digest"] in line]
        self.assertGreater(len(asked), 0)
        self.assertEqual([line for line in asked if "/v2/home/" in line], [])
        self.refused(self.wcctl("pull", "--verify-key", self.keys("other")[1], name), "signatures")

    def test_signing_asks_the_registry_itself(self):
        key, public = self.keys()
        other, other_public = self.keys("other")
        self.put_signed(key, "home/box:1")
        self.put("mirror/box:1")
        self.conf(f"[[registry]]\nlocation = '{self.host}/home'\nmirror = [{{location = '{self.host}/mirror'}}]")
        self.ok("sign", "--key", other, "--sign-passphrase-file", self.path("secret"), f"{self.host}/home/box:1")
        self.assertEqual(len(self.signatures("home/box")["layers"]), 2, "the other one stays")
        for good in public, other_public:
            self.accepted(self.wcctl("pull", "--verify-key", good, f"{self.host}/home/box:1"))


class MadeHere(SignatureCase):
    def test_push_signs(self):
        key, public = self.keys()
        self.ok("pull", self.layout)
        self.ok("push", "--sign-by-sigstore-private-key", key, "--sign-passphrase-file", self.path("secret"), "box",
                f"{self.host}/box:1")
        self.openssl_agrees(public, f"{self.host}/box:1")
        self.skopeo_agrees(self.policy(self.signed_by(public)), f"{self.host}/box:1", True)
        other = self.keys("other")[1]
        self.skopeo_agrees(self.policy(self.signed_by(other)), f"{self.host}/box:1", False)

    def test_sign_signs(self):
        key, public = self.keys()
        name = self.put()
        self.skopeo_agrees(self.policy(self.signed_by(public)), name, False)
        self.ok("sign", "--key", key, "--sign-passphrase-file", self.path("secret"), name)
        self.openssl_agrees(public, name)
        self.skopeo_agrees(self.policy(self.signed_by(public)), name, True)
        self.assertIn(f"signed by '{public}' as {name}", self.ok("verify", "--key", public, name))

    def test_what_nobody_signed_is_not_verified(self):
        name = self.put()
        done = self.wcctl("verify", "--signature-policy", self.policy({"type": "insecureAcceptAnything"}), name)
        self.assertEqual((done.returncode, "accepted without a signature" in done.stdout), (1, True), done)

    def test_a_platform_chooses_nothing(self):
        key, _ = self.keys()
        name = self.put()
        for words in (("sign", "--key", key, "--sign-passphrase-file", self.path("secret")), ("manifest", "look"),
                      ("manifest", "delete")):
            done = self.wcctl(*words, "--platform", "linux/arm64", name)
            self.assertEqual(done.returncode, 125, words)
            self.assertIn("a platform chooses nothing here", done.stderr)

    def test_a_second_time_changes_nothing_and_a_second_key_adds(self):
        key, public = self.keys()
        name = self.put_signed(key)
        before = self.signatures()
        self.ok("sign", "--key", key, "--sign-passphrase-file", self.path("secret"), name)
        self.assertEqual(self.signatures(), before)
        other, other_public = self.keys("other")
        self.ok("sign", "--key", other, "--sign-passphrase-file", self.path("secret"), name)
        self.assertEqual(self.signatures()["layers"][:1], before["layers"])
        self.assertEqual(len(self.signatures()["layers"]), 2)
        policy = self.policy(self.signed_by(public), self.signed_by(other_public))
        self.skopeo_agrees(policy, name, True)
        self.accepted(self.try_pull(policy, name))

    def test_an_identity_of_its_own(self):
        key, public = self.keys()
        name = self.put()
        self.ok("sign", "--key", key, "--sign-passphrase-file", self.path("secret"), "--sign-identity",
                "example.com/real/box:1", name)
        self.refused(self.try_pull(self.policy(self.signed_by(public)), name), "as 'example.com/real/box:1'")
        exact = {**self.signed_by(public), "signedIdentity":
                 {"type": "exactReference", "dockerReference": "example.com/real/box:1"}}
        mapped = {**self.signed_by(public), "signedIdentity":
                  {"type": "remapIdentity", "prefix": self.host, "signedPrefix": "example.com/real"}}
        for requirement in exact, mapped:
            policy = self.policy(requirement)
            self.skopeo_agrees(policy, name, True)
            self.accepted(self.try_pull(policy, name))

    def test_keys_of_openssl(self):
        def openssl(*words):
            run("openssl", *words)
            return self.path("o.pem")
        made = self.path("o.pem")
        ways = [lambda: openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", made),
                lambda: openssl("genpkey", "-algorithm", "ED25519", "-out", made),
                lambda: openssl("genrsa", "-traditional", "-out", made, "2048"),
                lambda: openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-aes256", "-pass",
                                f"pass:{SECRET}", "-out", made)]
        for number, make in enumerate(ways):
            with self.subTest(number):
                key = make()
                run("openssl", "pkey", "-in", key, "-passin", f"pass:{SECRET}", "-pubout", "-out", self.path("o.pub"))
                name = self.put_signed(key, f"box{number}:1")
                policy = self.policy(self.signed_by(self.path("o.pub")))
                self.openssl_agrees(self.path("o.pub"), name)
                self.skopeo_agrees(policy, name, True)
                self.accepted(self.try_pull(policy, name))

    @needs("podman")
    def test_podman_accepts(self):
        key, public = self.keys()
        name = self.put_signed(key)
        home = self.path("home")
        os.makedirs(f"{home}/.config/containers/registries.d")
        shutil.copy(self.registries_d() + "/all.yaml", f"{home}/.config/containers/registries.d/")
        for wanted, good in (public, True), (self.keys("other")[1], False):
            done = self.or_skip(
                ["podman", "--root", self.path("podman"), "--runroot", self.path("podman-run"), "--storage-driver", "vfs",
                 "pull", "-q", "--tls-verify=false", "--signature-policy", self.policy(self.signed_by(wanted)), name],
                env={**os.environ, "HOME": home})
            if good and "registries.d" in done.stderr:
                self.skipTest("this podman reads registries.d of the system only")
            self.assertEqual(done.returncode == 0, good, done.stderr)

    def test_cannot_be_signed(self):
        key = self.keys()[0]
        for words, says in (
                (["--sign-passphrase-file", self.write("wrong", "no\n")], "the passphrase does not open it"),
                ([], "no terminal")):
            done = self.wcctl("copy", self.layout, f"docker://{self.host}/box:1", "--sign-by-sigstore-private-key", key,
                              *words)
            self.assertEqual(done.returncode, 125)
            self.assertIn(says, done.stderr)
            self.assertNotEqual(self.wcctl("manifest", "look", f"{self.host}/box:1").returncode, 0,
                                "nothing is sent when it cannot be signed")
        done = self.wcctl("copy", self.layout, f"oci:{self.path('out')}:x", "--sign-by-sigstore-private-key", key,
                          "--sign-passphrase-file", self.path("secret"))
        self.assertIn("only images that go to a registry can be signed", done.stderr)
        self.assertIn("File exists", self.wcctl(
            "keygen", "--passphrase-file", self.path("secret"), self.path("k")).stderr)
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)


class MadeElsewhere(SignatureCase):
    def test_skopeo_signs(self):
        key, public = self.keys()
        self.or_skip(["skopeo", "--insecure-policy", "--registries.d", self.registries_d(), "copy", "-q",
                      "--dest-tls-verify=false",
            "--sign-by-sigstore-private-key", key, "--sign-passphrase-file", self.path("secret"), self.layout,
            f"docker://{self.host}/box:1"])
        self.accepted(self.try_pull(self.policy(self.signed_by(public)), f"{self.host}/box:1"))
        other = self.keys("other")[1]
        self.refused(self.try_pull(self.policy(self.signed_by(other)), f"{self.host}/box:1"), "none of its 1 signatures")
        # and ours beside it
        self.ok("sign", "--key", self.path("other.private"), "--sign-passphrase-file", self.path("secret"),
                f"{self.host}/box:1")
        for wanted in public, other:
            policy = self.policy(self.signed_by(wanted))
            self.accepted(self.try_pull(policy, f"{self.host}/box:1"))
            self.skopeo_agrees(policy, f"{self.host}/box:1", True)

    def test_as_cosign_signs(self):
        """A claim of cosign's has no tag, and null for what is optional."""
        name = self.put()
        public = self.cosign(name, f"{self.host}/box", self.digest)
        self.refused(self.try_pull(self.policy(self.signed_by(public)), name), f"as '{self.host}/box'")
        policy = self.policy(self.signed_by(public, "matchRepository"))
        self.accepted(self.try_pull(policy, name))
        self.accepted(self.try_pull(policy, f"{self.host}/box@{self.digest}"))
        self.ok("verify", "--key", public, name)

    def cosign(self, name, identity, digest, change=lambda payload: payload, by_tag=True, signed=None):
        """Signs with openssl what `change` makes of the claim, and puts the claim as it was, or `signed`."""
        key, public = self.path("c.pem"), self.path("c.pub")
        if not os.path.exists(key):
            run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
            run("openssl", "pkey", "-in", key, "-pubout", "-out", public)
        claim = json.dumps({"critical": {"identity": {"docker-reference": identity},
                                         "image": {"docker-manifest-digest": digest},
                                         "type": "cosign container image signature"}, "optional": None}).encode()
        with open(self.path("claim"), "wb") as file:
            file.write(change(claim))
        run("openssl", "dgst", "-sha256", "-sign", key, "-out", self.path("signature"), self.path("claim"))
        with open(self.path("signature"), "rb") as file:
            signature = base64.b64encode(file.read()).decode()
        self.put_artifact(name, signed or claim, {"dev.cosignproject.cosign/signature": signature}, by_tag)
        return public

    def put_artifact(self, name, claim, annotations, by_tag, count=1):
        repository = name.split("/", 1)[1].rsplit(":", 1)[0]
        config = b"{}"
        for blob in claim, config:
            put_blob(self.host, repository, blob)
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config),
                               "size": len(config)},
                    "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                                "digest": digest_of(claim), "size": len(claim), "annotations": annotations}] * count}
        tag = self.signature_tag()
        if not by_tag:
            manifest["artifactType"] = "application/vnd.dev.cosign.artifact.sig.v1+json"
            manifest["subject"] = {"mediaType": manifest["mediaType"], "digest": self.digest, "size": 1}
            tag = "artifact"
        body = json.dumps(manifest).encode()
        images_test.put_manifest(f"{self.host}/{repository}:{tag}", body)
        if by_tag:
            return
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {"mediaType": manifest["mediaType"], "digest": digest_of(body), "size": len(body),
             "artifactType": manifest["artifactType"]}]}
        images_test.put_manifest(f"{self.host}/{repository}:{self.digest.replace(':', '-')}", json.dumps(index).encode())

    def test_found_as_referrer(self):
        name = self.put()
        public = self.cosign(name, f"{self.host}/box", self.digest, by_tag=False)
        self.accepted(self.try_pull(self.policy(self.signed_by(public, "matchRepository")), name))

    def test_hostile(self):
        name = self.put()
        wrong = "sha256:" + "0" * 64
        public = self.cosign(name, f"{self.host}/box", wrong)
        by_key = self.policy(self.signed_by(public, "matchRepository"))
        self.refused(self.try_pull(by_key, name), "is another image", wrong)
        self.cosign(name, f"{self.host}/elsewhere", self.digest)
        self.refused(self.try_pull(by_key, name), f"as '{self.host}/elsewhere'")
        self.cosign(name, f"{self.host}/box", self.digest, lambda claim: claim.replace(b"optional", b"Optional"))
        self.refused(self.try_pull(by_key, name), "none of its 1 signatures")
        for claim, says in ((b" " * (2 << 20), "at most"), (b"[" * 1000, "nested"), (b"\0", "not valid JSON")):
            self.cosign(name, f"{self.host}/box", self.digest, lambda _: claim, signed=claim)
            self.refused(self.try_pull(by_key, name), says)
        self.put_artifact(name, b"{}", {"dev.cosignproject.cosign/signature": "AAAA"}, True, count=300)
        self.refused(self.try_pull(by_key, name), "over 256 signatures")
        self.put_artifact(name, b"{}", {"dev.cosignproject.cosign/signature": "*"}, True)
        self.refused(self.try_pull(by_key, name), "none of its 1 signatures")
        images_test.put_manifest(f"{self.host}/box:{self.signature_tag()}", json.dumps(
            {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}).encode())
        self.refused(self.try_pull(by_key, name), "it is an index")
        self.cosign(name, f"{self.host}/box", self.digest)
        self.accepted(self.try_pull(by_key, name))

    def test_a_signature_copied_to_another_repository(self):
        """The claim and its signature are good, but speak of another name."""
        key, public = self.keys()
        name = self.put_signed(key, "good/box:1")
        moved = f"{self.host}/evil/box:1"
        run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false",
            f"docker://{name}", f"docker://{moved}")
        run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false",
            f"docker://{self.host}/good/box:{self.signature_tag()}", f"docker://{self.host}/evil/box:{self.signature_tag()}")
        for identity in None, "matchExact", "matchRepository":
            self.refused(self.try_pull(self.policy(self.signed_by(public, identity)), moved), f"as '{name}'")
        self.refused(self.wcctl("pull", "--verify-key", public, moved), f"as '{name}'")
        self.accepted(self.wcctl("pull", "--verify-key", public, name))


class Policies(SignatureCase):
    def test_no_policy_accepts_and_the_users_own_counts(self):
        home = self.path("home")
        os.makedirs(f"{home}/.config/containers")
        name = self.put()
        def pull():
            return subprocess.run([f"{images_test.BUILD}/bin/wcctl", "--root", self.root, "pull", name],
                                  capture_output=True, text=True, env={**os.environ, "HOME": home})
        with open(f"{home}/.config/containers/policy.json", "w", encoding="utf-8") as file:
            file.write('{"default": [{"type": "reject"}]}')
        done = pull()
        self.assertEqual(done.returncode, 125)
        self.assertIn(f"{home}/.config/containers/policy.json", done.stderr)
        with open(f"{home}/.config/containers/policy.json", "w", encoding="utf-8") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.assertEqual(pull().returncode, 0)

    def test_scopes(self):
        name = self.put("a/b/box:1")
        accept, reject = [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]
        host = self.host
        for scopes, good in (({"": accept}, True), ({host: accept}, True), ({f"{host}/a": accept}, True),
                             ({f"{host}/a/b/box": accept, host: reject}, True), ({f"{host}/a/b/box:1": accept}, True),
                             ({f"{host}/a/b/box:2": accept}, False), ({f"{host}/a/b/bo": accept}, False),
                             ({f"{host}/a/b/box:1": reject, f"{host}/a/b/box": accept}, False),
                             ({"*.0.0.1": accept}, True), ({"*.1": reject, "*.0.1": accept}, True)):
            with self.subTest(scopes):
                policy = self.write("policy.json", json.dumps({"default": reject, "transports": {"docker": scopes}}))
                self.skopeo_agrees(policy, name, good)
                done = self.try_pull(policy, name)
                self.accepted(done) if good else self.refused(done, "rejects every image")

    def test_every_way_in_asks(self):
        reject = self.write("policy.json", '{"default": [{"type": "reject"}]}')
        name = self.put()
        self.ok("pull", self.layout)
        self.ok("save", "-o", self.path("docker.tar"), "box")
        self.ok("save", "--format", "oci-archive", "-o", self.path("oci.tar"), "box")
        self.ok("rmi", "box")
        for words in (["pull", name], ["pull", self.layout], ["pull", f"docker-archive:{self.path('docker.tar')}"],
                      ["pull", f"oci-archive:{self.path('oci.tar')}"], ["load", "-i", self.path("docker.tar")],
                      ["load", "-i", self.path("oci.tar")], ["copy", name, "wc-store:box"],
                      ["copy", f"docker://{name}", f"oci:{self.path('out')}:x"],
                      ["run", "--rm", name, "true"], ["create", name]):
            with self.subTest(words):
                self.refused(self.wcctl(words[0], "--signature-policy", reject, *words[1:]), "rejects every image")
        self.assertFalse(os.path.exists(self.path("out/index.json")))

    def test_what_is_made_here_is_not_asked_about(self):
        self.ok("pull", self.layout)
        home = self.path("home")
        os.makedirs(f"{home}/.config/containers")
        with open(f"{home}/.config/containers/policy.json", "w", encoding="utf-8") as file:
            file.write('{"default": [{"type": "reject"}]}')
        done = subprocess.run([f"{images_test.BUILD}/bin/wcctl", "--root", self.root, "edit", "-c", "ENV a=b", "box", "new"],
                              capture_output=True, text=True, env={**os.environ, "HOME": home})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_layouts_have_no_names(self):
        key, public = self.keys()
        name = self.put_signed(key)
        out = self.path("both")
        for tag in "1", self.signature_tag():
            run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", f"docker://{self.host}/box:{tag}",
                f"oci:{out}:{tag}")
        source = f"oci:{out}:1"
        self.refused(self.try_pull(self.policy(self.signed_by(public), transport="oci"), source), "here it has no name")
        given = {**self.signed_by(public), "signedIdentity": {"type": "exactReference", "dockerReference": name}}
        self.accepted(self.try_pull(self.policy(given, transport="oci", scope=out), source))
        self.refused(self.try_pull(self.policy(given, transport="oci", scope=self.path("elsewhere")), source), "rejects")
        self.accepted(self.wcctl("pull", "--verify-key", public, source))
        self.refused(self.wcctl("pull", "--verify-key", self.keys("other")[1], source), "none of its 1 signatures")

    def test_index(self):
        """Who has signed an index has signed what it lists; who has signed one platform's manifest, that."""
        key, public = self.keys()
        run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", self.layout,
            f"docker://{self.host}/box:one")
        body = images_test.raw_manifest_of(f"{self.host}/box:one")
        config = json.loads(self.ok("--json", "pull", self.layout)) and self.images()[0]["Platform"].split("/")
        self.forget_all()
        index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {"mediaType": json.loads(body)["mediaType"], "digest": digest_of(body), "size": len(body),
             "platform": {"os": config[0], "architecture": config[1]}}]}).encode()
        name = f"{self.host}/box:many"
        images_test.put_manifest(name, index)
        policy = self.policy(self.signed_by(public))
        self.refused(self.try_pull(policy, name), "it has no sigstore signature")
        self.ok("sign", "--key", key, "--sign-passphrase-file", self.path("secret"), name)
        self.accepted(self.try_pull(policy, name))
        self.skopeo_agrees(policy, name, False, "skopeo looks at the platform's manifest only")
        self.ok("sign", "--recursive", "--key", key, "--sign-passphrase-file", self.path("secret"), name)
        self.skopeo_agrees(policy, name, True)
        report = json.loads(self.ok("--json", "verify", "--signature-policy", policy, name))
        self.assertEqual(report["Index"], digest_of(index))
        self.assertEqual(report["Signatures"][0]["Identity"], name)

    def test_broken_policies_let_nothing_in(self):
        name = self.put()
        accept = {"type": "insecureAcceptAnything"}
        for text, says in (("{", "not valid JSON"), ("[]", "object"), ("{}", "'default' is missing"),
                           ('{"default": []}', "one to"), ('{"default": [{"type": "accept"}]}', "unknown type"),
                           (json.dumps({"default": [accept], "Transports": {}}), "unknown key 'Transports'"),
                           (json.dumps({"default": [{**accept, "keyPath": "/k"}]}), "unknown key 'keyPath'"),
                           (json.dumps({"default": [accept], "transports": {"docker": {"a": [{"type": "sigstoreSigned"}]}}}),
                            "exactly one of"),
                           (json.dumps({"default": [accept], "transports": {"oci": {"a": [accept]}}}), "absolute")):
            with self.subTest(text):
                self.refused(self.try_pull(self.write("policy.json", text), name), says)
                self.skopeo_agrees(self.path("policy.json"), name, False)
        self.refused(self.try_pull(self.path("absent.json"), name), "cannot be read")
        self.refused(self.try_pull(self.policy(self.signed_by(self.path("absent.pub"))), name), "cannot be read")

    def test_what_is_not_supported_is_refused_by_name(self):
        name = self.put()
        public = self.keys()[1]
        self.refused(self.try_pull(self.policy({**self.signed_by(public), "rekorPublicKeyPath": public}), name),
                     "Rekor", "not supported")
        self.refused(self.try_pull(self.policy({"type": "sigstoreSigned", "fulcio": {"caPath": "/x"}}), name), "fulcio")


@needs("gpg", "gpgv")
class SimpleSigning(SignatureCase):
    """Signed by skopeo with GPG, found where registries.d says."""
    def setUp(self):
        super().setUp()
        self.home = self.path("home")
        self.config = f"{self.home}/.config/containers/registries.d"
        os.makedirs(self.config)
        self.gnupg = self.path("gnupg")
        os.mkdir(self.gnupg, 0o700)
        self.addCleanup(subprocess.run, ["gpgconf", "--homedir", self.gnupg, "--kill", "all"], capture_output=True)
        self.key = self.new_key("one@example.com")

    def gpg(self, *words):
        return run("gpg", "--homedir", self.gnupg, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase",
                   "", *words)

    def new_key(self, user, *options):
        self.gpg(*options, "--quick-gen-key", user, "rsa2048", "sign", "never")
        self.gpg("--yes", "--armor", "--output", self.path(f"{user}.asc"), "--export", user)
        self.gpg("--yes", "--output", self.path(f"{user}.gpg"), "--export", user)
        return user

    def lookaside(self, url, scope=None):
        section = "default-docker" if scope is None else f"docker:\n  {scope}"
        indent = "  " if scope is None else "    "
        with open(f"{self.config}/it.yaml", "w", encoding="utf-8") as file:
            file.write(f"# where they are\n{section}:\n{indent}lookaside: {url}\n{indent}sigstore: {url}\n"
                       f"{indent}sigstore-staging: file://{self.path('signatures')}\n")

    def skopeo_signs(self, name="box:1", user=None, *options):
        os.makedirs(self.path("signatures"), exist_ok=True)
        done = subprocess.run(["skopeo", "--insecure-policy", "--registries.d", self.config, "copy", "-q",
                               "--dest-tls-verify=false", "--sign-by", user or self.key, *options, self.layout,
                               f"docker://{self.host}/{name}"], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "GNUPGHOME": self.gnupg})
        self.assertEqual(done.returncode, 0, done.stderr)
        return f"{self.host}/{name}"

    def try_pull(self, policy, source, *options):
        return subprocess.run([f"{images_test.BUILD}/bin/wcctl", "--root", self.root, "--progress", "none", "pull",
                               "--signature-policy", policy, *options, source], capture_output=True, text=True,
                              timeout=120, env={**os.environ, "HOME": self.home})

    def gpg_policy(self, key=None, **more):
        return self.policy({"type": "signedBy", "keyType": "GPGKeys",
                            "keyPath": self.path(f"{key or self.key}.gpg"), **more})

    def test_accepted(self):
        self.lookaside(f"file://{self.path('signatures')}")
        name = self.skopeo_signs()
        self.assertTrue(os.listdir(self.path("signatures")))
        self.accepted(self.try_pull(self.gpg_policy(), name))
        with open(self.path(f"{self.key}.asc"), "rb") as file:
            armoured = file.read()
        for requirement in ({"keyPath": self.path(f"{self.key}.asc")},
                            {"keyPaths": [self.path(f"{self.new_key('two@example.com')}.gpg"), self.path(f"{self.key}.gpg")]},
                            {"keyData": base64.b64encode(armoured).decode()}):
            self.accepted(self.try_pull(self.policy({"type": "signedBy", "keyType": "GPGKeys", **requirement}), name))

    def test_from_a_web_server(self):
        self.lookaside("file:///nowhere")
        name = self.skopeo_signs()
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.path("signatures")))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.lookaside(f"http://127.0.0.1:{server.server_address[1]}", scope=f"{self.host}/box")
        self.accepted(self.try_pull(self.gpg_policy(), name))

    def test_refused(self):
        self.lookaside(f"file://{self.path('signatures')}")
        unsigned = self.put("plain:1")
        self.refused(self.try_pull(self.gpg_policy(), unsigned), "no simple signature at", self.path("signatures"))
        name = self.skopeo_signs()
        other = self.new_key("two@example.com")
        self.refused(self.try_pull(self.gpg_policy(other), name), "a key that is not in the policy's keyrings")
        self.skopeo_signs("box:2", None, "--sign-identity", f"{self.host}/elsewhere:2")
        self.refused(self.try_pull(self.gpg_policy(), f"{self.host}/box:2"), "but as")
        for place, _, names in os.walk(self.path("signatures")):
            for file in names:
                with open(f"{place}/{file}", "r+b") as f:
                    data = bytearray(f.read())
                    data[len(data) // 2] ^= 1
                    f.seek(0)
                    f.write(data)
        self.refused(self.try_pull(self.gpg_policy(), name), "none of its")

    def test_an_expired_key(self):
        self.lookaside(f"file://{self.path('signatures')}")
        user = "old@example.com"
        self.gpg("--faked-system-time", "20200101T000000!", "--quick-gen-key", user, "rsa2048", "sign", "1d")
        self.gpg("--yes", "--output", self.path(f"{user}.gpg"), "--export", user)
        name = self.put()
        claim = json.dumps({"critical": {"identity": {"docker-reference": name}, "image":
                            {"docker-manifest-digest": self.digest}, "type": "atomic container signature"},
                            "optional": {}})
        place = f"{self.path('signatures')}/box@{self.digest.replace(':', '=')}"
        os.makedirs(place)
        self.gpg("--faked-system-time", "20200101T010000!", "--output", f"{place}/signature-1", "-u", user, "--sign",
                 self.write("claim", claim))
        self.refused(self.try_pull(self.gpg_policy(user), name), "EXPKEYSIG")
        os.unlink(f"{place}/signature-1")
        self.gpg("--output", f"{place}/signature-1", "-u", self.key, "--sign", self.path("claim"))
        self.accepted(self.try_pull(self.gpg_policy(), name))

    def test_broken_registries_d(self):
        self.lookaside(f"file://{self.path('signatures')}")
        name = self.skopeo_signs()
        for text, says in (("docker: [a]\n", "line 1"), ("default-docker:\n\tlookaside: x\n", "tabs"),
                           ("default-docker:\n  lookaside: x\ndefault-docker:\n  lookaside: y\n", "once only"),
                           ("other: 1\n", "line 1")):
            with open(f"{self.config}/it.yaml", "w", encoding="utf-8") as file:
                file.write(text)
            self.refused(self.try_pull(self.gpg_policy(), name), says)

    def test_without_gpgv(self):
        self.lookaside(f"file://{self.path('signatures')}")
        name = self.skopeo_signs()
        os.mkdir(self.path("none"))
        self.refused(self.try_pull(self.policy({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/absent"}), name),
                     "'/absent': cannot be read")


class Notation(SignatureCase):
    """Envelopes as notation makes them, by openssl."""
    SUBJECT = "/C=US/ST=WA/O=example.com/CN=signer"
    LEAF = "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nbasicConstraints=CA:false\n"
    ROOT = "keyUsage=critical,keyCertSign\nbasicConstraints=critical,CA:true\n"

    def new_key(self, name, *how):
        run("openssl", "genpkey", *(how or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")), "-out",
            self.path(f"{name}.key"))

    def certify(self, name, subject, extensions, issuer=None, days="2"):
        if not os.path.exists(self.path(f"{name}.key")):
            self.new_key(name)
        run("openssl", "req", "-new", "-key", self.path(f"{name}.key"), "-subj", subject, "-out", self.path(f"{name}.csr"))
        signer = ["-CA", self.path(f"{issuer}.pem"), "-CAkey", self.path(f"{issuer}.key"), "-CAcreateserial"] if issuer \
            else ["-signkey", self.path(f"{name}.key")]
        run("openssl", "x509", "-req", "-in", self.path(f"{name}.csr"), *signer, "-days", days, "-extfile",
            self.write(f"{name}.ext", extensions), "-out", self.path(f"{name}.pem"))
        return self.path(f"{name}.pem")

    def authority(self):
        return self.certify("root", "/C=US/O=authority", self.ROOT)

    def signer(self, **more):
        return self.certify("leaf", self.SUBJECT, more.pop("extensions", self.LEAF), more.pop("issuer", "root"), **more)

    def der(self, name):
        return subprocess.run(["openssl", "x509", "-in", self.path(f"{name}.pem"), "-outform", "der"], check=True,
                              capture_output=True).stdout

    def sign(self, text, algorithm):
        self.write("input", text)
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if algorithm[0] == "P" else []
        made = subprocess.run(["openssl", "dgst", f"-sha{algorithm[2:]}", "-sign", self.path("leaf.key"), *pss,
                               self.path("input")], check=True, capture_output=True).stdout
        if algorithm[0] == "P":
            return made
        numbers, at = [], 3 if made[1] & 0x80 else 2
        for _ in range(2):
            length = made[at + 1]
            numbers.append(int.from_bytes(made[at + 2:at + 2 + length], "big"))
            at += 2 + length
        size = {"256": 32, "384": 48, "512": 66}[algorithm[2:]]
        return b"".join(number.to_bytes(size, "big") for number in numbers)

    def envelope(self, algorithm="ES256", digest=None, chain=("leaf", "root"), target=None, **header):
        def coded(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        size = len(images_test.raw_manifest_of(f"{self.host}/box:1"))
        payload = json.dumps(target or {"targetArtifact": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest or self.digest, "size": size}})
        protected = {"alg": algorithm, "cty": "application/vnd.cncf.notary.payload.v1+json",
                     "crit": ["io.cncf.notary.signingScheme"], "io.cncf.notary.signingScheme": "notary.x509",
                     "io.cncf.notary.signingTime": "2026-01-01T00:00:00Z", **header}
        text = f"{coded(json.dumps(protected).encode())}.{coded(payload.encode())}"
        return {"payload": text.split(".")[1], "protected": text.split(".")[0],
                "header": {"x5c": [base64.b64encode(self.der(name)).decode() for name in chain],
                           "io.cncf.notary.signingAgent": "test"}, "signature": coded(self.sign(text, algorithm))}

    def attach(self, envelope, media_type="application/jose+json"):
        body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "application/vnd.cncf.notary.signature", "digest": digest_of(b"{}"), "size": 2},
                    "layers": [{"mediaType": media_type, "digest": digest_of(body), "size": len(body)}],
                    "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": self.digest,
                                "size": 1}}
        for blob in body, b"{}":
            put_blob(self.host, "box", blob)
        whole = json.dumps(manifest).encode()
        images_test.put_manifest(f"{self.host}/box:notation", whole)
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {"mediaType": manifest["mediaType"], "digest": digest_of(whole), "size": len(whole),
             "artifactType": "application/vnd.cncf.notary.signature"}]}
        images_test.put_manifest(f"{self.host}/box:{self.digest.replace(':', '-')}", json.dumps(index).encode())

    def notation(self, *signers, ca=None):
        return self.policy({"type": "notationSigned", "caPath": ca or self.path("root.pem"),
                            "trustedIdentities": list(signers) or ["*"]})

    def try_one(self, envelope, policy=None, **more):
        self.attach(envelope, **more)
        return self.try_pull(policy or self.notation(), f"{self.host}/box:1")

    def setUp(self):
        super().setUp()
        self.put()
        self.authority()
        self.signer()

    def test_accepted(self):
        self.accepted(self.try_one(self.envelope()))
        self.accepted(self.try_one(self.envelope(), self.notation("x509.subject: C=US, ST=WA, O=example.com")))
        self.accepted(self.try_one(self.envelope(**{
            "io.cncf.notary.expiry": "2099-01-01T00:00:00Z",
            "crit": ["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]})))
        os.mkdir(self.path("store"))
        shutil.copy(self.path("root.pem"), self.path("store/a.crt"))
        policy = self.notation(ca=self.path("store"))
        self.accepted(self.try_one(self.envelope(), policy))
        self.assertIn("notation: signed by 'C=US, ST=WA", self.ok("verify", "--signature-policy", policy, f"{self.host}/box:1"))

    def test_every_algorithm(self):
        for algorithm, how in (("PS256", ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
                               ("PS384", ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072")),
                               ("ES384", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")),
                               ("ES512", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"))):
            with self.subTest(algorithm):
                self.new_key("leaf", *how)
                self.signer()
                self.accepted(self.try_one(self.envelope(algorithm)))

    def test_a_chain_with_an_intermediate_and_a_root_alone(self):
        self.certify("middle", "/C=US/O=middle", self.ROOT, "root")
        self.signer(issuer="middle")
        self.accepted(self.try_one(self.envelope(chain=("leaf", "middle", "root"))))
        self.refused(self.try_one(self.envelope(chain=("leaf", "root"))), "the next of the chain has not issued it")
        self.refused(self.try_one(self.envelope(chain=("leaf", "middle"))), "does not end with a root")
        self.refused(self.try_one(self.envelope(chain=("leaf", "root", "middle"))), "has not issued it")
        self.certify("leaf", self.SUBJECT, self.LEAF)
        self.accepted(self.try_one(self.envelope(chain=("leaf",)), self.notation(ca=self.path("leaf.pem"))))

    def test_hostile(self):
        good = self.envelope()
        def changed(**more):
            return {**good, **more}
        scheme, expiry = "io.cncf.notary.signingScheme", "io.cncf.notary.expiry"
        other = self.envelope(digest="sha256:" + "0" * 64)
        cases = [
            (other, "another image"), (changed(payload=other["payload"]), "not that of its certificate's key"),
            (changed(protected=self.envelope(**{"x": 1})["protected"]), "not that of its certificate's key"),
            (changed(signature=good["signature"][:-4] + "AAAA"), "not that of its certificate's key"),
            (changed(signature="*"), "base64url"), (changed(signature=good["signature"] + "="), "base64url"),
            (changed(more=1), "unknown key"), ({k: v for k, v in good.items() if k != "header"}, "missing"),
            (changed(header={"x5c": []}), "x5c"), (changed(header={"x5c": ["AAAA"]}), "x5c"),
            (changed(header={"x5c": good["header"]["x5c"] * 9}), "x5c"),
            (self.envelope(crit=[scheme, "other"], other=1), "demands 'other'"), (self.envelope(crit=[]), "crit"),
            (self.envelope(**{expiry: "2099-01-01T00:00:00Z"}), "crit"),
            (self.envelope(**{expiry: "2020-01-01T00:00:00Z", "crit": [scheme, expiry]}), "has expired"),
            (self.envelope(**{scheme: "notary.x509.signingAuthority"}), "only 'notary.x509'"),
            (self.envelope(cty="text/plain"), "cty"), (self.envelope(alg="ES384"), "not the one for"),
            (self.envelope(alg="none"), "'none' is not accepted"), (self.envelope(alg="HS256"), "not accepted"),
            (self.envelope(target={"targetArtifact": {"digest": self.digest, "size": 1}}), "another image"),
            (b"{", "not valid JSON"), (b"[" * 100000, "nested deeper"), (b" " * (1 << 20) + b" ", "at most"),
        ]
        for envelope, says in cases:
            with self.subTest(says):
                self.refused(self.try_one(envelope), says)
        self.refused(self.try_one(good, media_type="application/cose"), "COSE")
        self.accepted(self.try_one(good))

    def test_certificates_that_may_not_sign(self):
        for says, more in (("authority's, not a signer's", {"extensions": self.ROOT}),
                           ("key usage", {"extensions": "keyUsage=digitalSignature\n"}),
                           ("key usage", {"extensions": "keyUsage=critical,digitalSignature,keyEncipherment\n"}),
                           ("key usage", {"extensions": "basicConstraints=CA:false\n"}),
                           ("extended key usage", {"extensions": self.LEAF.replace("codeSigning", "codeSigning,serverAuth")}),
                           ("expired", {"days": "0"})):
            with self.subTest(says):
                self.signer(**more)
                self.refused(self.try_one(self.envelope()), says)
        self.signer()
        for signer in "x509.subject: C=US, ST=OR", "x509.subject: CN=other":
            self.refused(self.try_one(self.envelope(), self.notation(signer)), "trustedIdentities")
        self.certify("stranger", "/C=US/O=authority", self.ROOT)
        self.refused(self.try_one(self.envelope(), self.notation(ca=self.path("stranger.pem"))), "notation signature")


def put_blob(host, repository, blob):
    begin = urllib.request.Request(f"http://{host}/v2/{repository}/blobs/uploads/", b"", method="POST")
    with urllib.request.urlopen(begin) as answer:
        place = answer.headers["Location"]
    joined = f"{place}{'&' if '?' in place else '?'}digest={digest_of(blob)}"
    urllib.request.urlopen(urllib.request.Request(joined, blob, {"Content-Type": "application/octet-stream"},
                                                  method="PUT")).close()


# Debian builds both without sigstore. Whoever has others asks for these tests.
if not os.environ.get("WC_TEST_SIGSTORE_PEERS"):
    del MadeHere.test_podman_accepts, MadeElsewhere.test_skopeo_signs


if __name__ == "__main__":
    named_skips.main()
