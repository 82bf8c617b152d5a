# SPDX-License-Identifier: Apache-2.0
"""What the tests of images share: a store per test, calls of wcctl and of other tools, and registries."""
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

BUILD, SOURCE = os.environ["WC_TEST_BUILD"], os.environ["WC_TEST_SOURCE"]
SUPPORT = f"{SOURCE}/tests/support"
INSECURE = ["--insecure-policy"]


def find(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def needs(*programs):
    missing = [p for p in programs if not find(p)]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def raw_manifest(place):
    return subprocess.run(["skopeo", *INSECURE, "inspect", "--raw", place], check=True, capture_output=True).stdout


def put_manifest(name, body):
    """HOST/REPOSITORY:TAG, or a digest as TAG, of a registry without TLS."""
    host, rest = name.split("/", 1)
    repository, tag = rest.split(":", 1)
    put = urllib.request.Request(f"http://{host}/v2/{repository}/manifests/{tag}", body,
                                 {"Content-Type": json.loads(body)["mediaType"]}, method="PUT")
    urllib.request.urlopen(put).close()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layout(path, tag, *options):
    """A layout with an image of small files; the manifest's digest."""
    return run(sys.executable, f"{SUPPORT}/make_layout.py", path, tag, *options).strip()


def raw_manifest_of(name):
    return subprocess.run(["skopeo", *INSECURE, "inspect", "--raw", "--tls-verify=false", f"docker://{name}"],
                          check=True, capture_output=True).stdout


class Registry:
    """docker-registry on loopback, until close()."""
    def __init__(self, path, *options):
        os.makedirs(path)
        self.path = path
        self.process = subprocess.Popen(["bash", f"{SUPPORT}/registry.sh", "serve", path, *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words:
            raise unittest.SkipTest("docker-registry does not start here")
        self.address = words[0]

    def push(self, source, name, *options):
        run("skopeo", *INSECURE, "copy", "-q", "--dest-tls-verify=false", *options, source,
            f"docker://{self.address}/{name}")

    def requests(self):
        """How often each blob was asked for with GET."""
        with open(f"{self.path}/registry.log") as log:
            found = re.findall(r'http.request.method=GET .*?http.request.uri="?/v2/[^" ]*/blobs/(sha256:[0-9a-f]+)', log.read())
        return {digest: found.count(digest) for digest in set(found)}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class ImageCase(unittest.TestCase):
    maxDiff = None
    env = {}

    def setUp(self):
        # Not mkdtemp(): podman makes an image name of a path, and names may not end with "_".
        self.work = os.path.join(tempfile.gettempdir(), f"wc-e2e-images-{secrets.token_hex(6)}")
        os.mkdir(self.work, 0o700)
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.root = f"{self.work}/root"

    def path(self, name):
        return f"{self.work}/{name}"

    def wcctl(self, *words, root=None):
        return subprocess.run([f"{BUILD}/bin/wcctl", "--root", root or self.root, "--progress", "none", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              env={**os.environ, **self.env})

    def fails(self, *words, **more):
        """The one line that it says."""
        done = self.wcctl(*words, **more)
        self.assertEqual((done.returncode, len(done.stderr.strip().split("\n"))), (125, 1), done.stderr)
        return done.stderr

    def ok(self, *words, **more):
        done = self.wcctl(*words, **more)
        self.assertEqual(done.returncode, 0, f"wcctl {' '.join(words)}: {done.stderr}")
        return done.stdout

    def pull(self, source, *options, **more):
        return json.loads(self.ok("--json", "pull", *options, source, **more))

    def images(self, **more):
        return json.loads(self.ok("--json", "images", **more))

    def check(self, **more):
        self.ok("system", "check", **more)

    def registry(self, *options):
        registry = Registry(self.path("registry"), *options)
        self.addCleanup(registry.close)
        return registry

    def forget_all(self):
        for image in self.images():
            self.ok("rmi", "-f", image["Id"])


def start_docker(case):
    """A dockerd of the test's own, without a network of its own; the client's command line."""
    if os.geteuid() != 0:
        case.skipTest("dockerd needs root")
    docker = ["docker", "-H", f"unix://{case.path('docker.sock')}"]
    with open(case.path("dockerd.log"), "w", encoding="utf-8") as log:
        daemon = subprocess.Popen(
            [find("dockerd"), "--data-root", case.path("docker"), "--exec-root", case.path("docker-run"), "-H", docker[2],
             "-p", case.path("docker.pid"), "--bridge", "none", "--iptables=false", "--storage-driver", "vfs"],
            stdout=log, stderr=log)
    case.addCleanup(daemon.wait, 30)
    case.addCleanup(daemon.terminate)
    for _ in range(300):
        if not subprocess.run([*docker, "version"], capture_output=True).returncode:
            return docker
        if daemon.poll() is not None:
            break
        time.sleep(0.1)
    with open(case.path("dockerd.log"), encoding="utf-8") as told:
        lines = told.read().strip().splitlines()
    case.skipTest("dockerd does not start here: " + (lines[-1] if lines else "it says nothing"))
