#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures on a real registry, made here and verified by skopeo and podman, and the other way round; what a
policy lets in, and what not."""
import base64
import json
import os
import shutil
import subprocess
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
        self.ok("generate-sigstore-key", "--output-prefix", self.path(name), "--passphrase-file", self.path("secret"))
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
            "generate-sigstore-key", "--output-prefix", self.path("k"), "--passphrase-file", self.path("secret")).stderr)
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

    def cosign(self, name, identity, digest, change=lambda payload: payload, by_tag=True):
        """Signs with openssl what `change` makes of the claim, and puts the claim as it was."""
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
        self.put_artifact(name, claim, {"dev.cosignproject.cosign/signature": signature}, by_tag)
        return public

    def put_artifact(self, name, claim, annotations, by_tag):
        repository = name.split("/", 1)[1].rsplit(":", 1)[0]
        config = b"{}"
        for blob in claim, config:
            self.put_blob(repository, blob)
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config),
                               "size": len(config)},
                    "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                                "digest": digest_of(claim), "size": len(claim), "annotations": annotations}]}
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

    def put_blob(self, repository, blob):
        put_blob(self.host, repository, blob)

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


def put_blob(host, repository, blob):
    begin = urllib.request.Request(f"http://{host}/v2/{repository}/blobs/uploads/", b"", method="POST")
    with urllib.request.urlopen(begin) as answer:
        place = answer.headers["Location"]
    joined = f"{place}{'&' if '?' in place else '?'}digest={digest_of(blob)}"
    urllib.request.urlopen(urllib.request.Request(joined, blob, {"Content-Type": "application/octet-stream"},
                                                  method="PUT")).close()


if __name__ == "__main__":
    named_skips.main()
