#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants while images are made and copied: commit, edit (squash, compress anew, another base), pull in
part, export, save, load, push, prune (also to a size), mount, and copies between the store, layouts, archives and a
registry, of single images and of whole indexes.

After each kill: `system check` is clean, what was reported done is there, what was there before is whole. Layouts hold
nothing that their index does not tell of but whole blobs; archives and tars are the old or the new ones; a tag of the
registry leads to a whole image or is not there. At the end nothing is left.

usage: images.py BUILD_DIR SOURCE_DIR [--rounds N] [--seed N]
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

from victims import Failure, Victims, arguments

args = arguments(90)
sys.path.insert(0, f"{args.source}/tests/support")
import chunked_layout  # noqa: E402

chance = random.Random(args.seed)

work = tempfile.mkdtemp(prefix="wc-crash-")
root, layout, archive, tar = f"{work}/root", f"{work}/out", f"{work}/archive.tar", f"{work}/tree.tar"
docker_archive = f"{work}/docker.tar"
WCCTL = [f"{args.build}/bin/wcctl", "--root", root, "--run-root", f"{work}/run", "--runtime", "runc", "--progress", "none"]
BASES = ["one", "two"]


def wcctl(*words, ok=True):
    done = subprocess.run(WCCTL + list(words), capture_output=True, text=True, timeout=120)
    if ok and done.returncode:
        raise Failure(f"wcctl {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done


def names_of_images():
    images = json.loads(wcctl("--json", "images").stdout)
    return {name.split("/")[-1].split(":")[0] for image in images for name in image["Names"]}


def full_names(short):
    images = json.loads(wcctl("--json", "images").stdout)
    return [name for image in images for name in image["Names"] if name.split("/")[-1].split(":")[0] == short]


class Registry:
    """docker-registry on loopback; None of it where it is not installed."""

    def __init__(self):
        os.makedirs(f"{work}/registry")
        self.process = subprocess.Popen(["bash", f"{args.source}/tests/support/registry.sh", "serve", f"{work}/registry"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        self.address = words[0] if words else None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- What has to be whole ------------------------------------------------------------------------------

def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def check_graph(read, descriptor):
    """A manifest or index with all that it needs. `read` gives the bytes of a digest."""
    data = read(descriptor["digest"])
    if sha256(data) != descriptor["digest"] or len(data) != descriptor["size"]:
        raise Failure(f"{descriptor['digest']} is not whole")
    if "manifest" in descriptor["mediaType"] or "index" in descriptor["mediaType"]:
        document = json.loads(data)
        for part in document["manifests"] if "manifests" in document else [document["config"], *document["layers"]]:
            check_graph(read, part)


def check_layout(names):
    """Every name that was reported, and every blob."""
    if not os.path.exists(f"{layout}/index.json"):
        if names:
            raise Failure("the layout has lost its index")
        return
    with open(f"{layout}/index.json", encoding="utf-8") as file:
        entries = json.load(file)["manifests"]

    def read(digest):
        with open(f"{layout}/blobs/sha256/{digest[7:]}", "rb") as file:
            return file.read()
    found = {entry.get("annotations", {}).get("org.opencontainers.image.ref.name") for entry in entries}
    if names - found:
        raise Failure(f"the layout has lost {names - found}")
    for entry in entries:
        check_graph(read, entry)
    for blob in os.listdir(f"{layout}/blobs/sha256"):
        if ".part-" not in blob and sha256(read(blob if ":" in blob else "sha256:" + blob))[7:] != blob:
            raise Failure(f"the layout has a blob {blob} that is not whole")


def check_archive():
    if not os.path.exists(archive):
        return
    with tarfile.open(archive) as file:
        def read(digest):
            return file.extractfile(f"blobs/sha256/{digest[7:]}").read()
        for entry in json.load(file.extractfile("index.json"))["manifests"]:
            check_graph(read, entry)


def check_docker_archive():
    if not os.path.exists(docker_archive):
        return
    with tarfile.open(docker_archive) as file:
        for image in json.load(file.extractfile("manifest.json")):
            config = json.load(file.extractfile(image["Config"]))
            if [sha256(file.extractfile(name).read()) for name in image["Layers"]] != config["rootfs"]["diff_ids"]:
                raise Failure("the docker archive is not whole")


def check_tar():
    if os.path.exists(tar):
        with tarfile.open(tar) as file:
            if "bin/busybox" not in file.getnames():
                raise Failure("the exported tar is not whole")


def check_remote(registry, names):
    for name in names:
        wcctl("manifest", "look", f"{registry.address}/made/{name}:1")


# ---- The rounds ------------------------------------------------------------------------------------------

class State:
    """What has been reported done."""

    def __init__(self, registry):
        self.registry = registry
        self.images, self.tags, self.remote = set(BASES), set(), set()

    def check(self):
        check = wcctl("system", "check", ok=False)
        if check.returncode:
            raise Failure(f"system check: {check.stdout}{check.stderr}")
        if self.images - names_of_images():
            raise Failure(f"images lost: {self.images - names_of_images()}")
        check_layout(self.tags)
        check_archive()
        check_docker_archive()
        check_tar()
        check_remote(self.registry, self.remote)


def make(state, victims, operation, words):
    name = words[-1].removeprefix("wc-store:")
    state.images.discard(name)
    if victims.kill(words, operation=operation):
        state.images.add(name)


def round_commit(state, victims):
    make(state, victims, "commit", ["commit", "--compression", chance.choice(["gzip", "zstd", "none"]), "changed", f"m{chance.randrange(4)}"])


def round_squash(state, victims):
    make(state, victims, "squash", ["edit", "--squash", chance.choice(["all", "2"]), chance.choice(BASES), f"m{chance.randrange(4)}"])


def round_recompress(state, victims):
    make(state, victims, "recompress", ["edit", "--recompress", "--compression", chance.choice(["zstd", "none"]), chance.choice(BASES),
                                        f"m{chance.randrange(4)}"])


def round_rebase(state, victims):
    make(state, victims, "rebase", ["edit", "--old-base", "one", "--new-base", "two", "above", f"m{chance.randrange(4)}"])


def round_export(state, victims):
    victims.kill(["export", "-o", tar, chance.choice(BASES + ["changed"])])


def round_copy_to_layout(state, victims):
    name = f"t{chance.randrange(6)}"
    source = chance.choice(state.sources())
    if victims.kill(["copy", source, f"oci:{layout}:{name}"], operation="copy to a layout"):
        state.tags.add(name)


def round_copy_to_archive(state, victims):
    victims.kill(["copy", chance.choice(state.sources()), f"oci-archive:{archive}:x"], operation="copy to an archive")


def round_copy_to_registry(state, victims):
    if not state.registry.address:
        return
    name = f"r{chance.randrange(1000)}"
    if victims.kill(["copy", chance.choice(state.sources()), f"docker://{state.registry.address}/made/{name}:1"],
                    operation="copy to a registry"):
        state.remote.add(name)


def round_copy_to_store(state, victims):
    name = f"m{chance.randrange(4)}"
    state.images.discard(name)
    if victims.kill(["copy", chance.choice(state.sources()[1:]), f"wc-store:{name}"], operation="copy to the store"):
        state.images.add(name)


def round_push(state, victims):
    if not state.registry.address:
        return
    name = f"p{chance.randrange(1000)}"
    if victims.kill(["push", "-q", chance.choice(BASES + ["above"]), f"{state.registry.address}/made/{name}:1"]):
        state.remote.add(name)


def round_save(state, victims):
    form, target = chance.choice([("oci-archive", archive), ("docker-archive", docker_archive)])
    victims.kill(["save", "-q", "--format", form, "-o", target, *chance.sample(BASES + ["above"], 2)], operation=f"save {form}")


def round_load(state, victims):
    """Names of an archive come with load; half of the time there is everything to bring."""
    if "loaded" in names_of_images() and chance.random() < 0.5:
        state.images.discard("loaded")
        wcctl("rmi", "loaded")
    if victims.kill(["load", "-q", "-i", f"{work}/load-{chance.choice(['docker', 'oci'])}.tar"]):
        state.images.add("loaded")


def round_prune(state, victims):
    """It takes the container, too, and images without a name."""
    victims.kill(["system", "prune", "-f"], operation="prune")
    state.check()
    wcctl("rm", "-f", "changed", ok=False)
    make_container()


def round_prune_to_size(state, victims):
    """Images go one by one, and those that are there are whole."""
    state.images.clear()
    victims.kill(["system", "prune", "-f", "--max-size", chance.choice(["0", "1m", "3m"])], operation="prune to a size")
    state.check()
    bring_bases()
    state.images.update(BASES)


def round_mount(state, victims):
    """What is mounted is known, and can be unmounted."""
    victims.kill(["mount", chance.choice(BASES), f"{work}/mnt"])
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        there = [line.split()[4] for line in file if f" {work}/" in line]
    known = [mount["Path"] for mount in json.loads(wcctl("--json", "mount").stdout)]
    if there != known:
        raise Failure(f"mounted: {there}, known: {known}")
    if known:
        victims.kill(["unmount", known[0]])
        wcctl("unmount", known[0], ok=False)


def round_index(state, victims):
    """A whole index with its companions, from one of the places that have it."""
    source = chance.choice([f"oci:{work}/layout-many:many"] + [f"docker://{state.registry.address}/base/many:1"] *
                           bool(state.registry.address))
    words, where = ["copy", "--all", "--referrers", source], chance.choice(["store", "layout", "archive", "registry"])
    if where == "store":
        make(state, victims, "index to the store", words + [f"wc-store:{chance.choice(['many', 'many2'])}"])
    elif where == "archive":
        victims.kill(words + [f"oci-archive:{archive}:x"], operation="index to an archive")
    elif where == "layout" and victims.kill(words + [f"oci:{layout}:i"], operation="index to a layout"):
        state.tags.add("i")
    elif where == "registry" and state.registry.address:
        name = f"i{chance.randrange(1000)}"
        if victims.kill(words + [f"docker://{state.registry.address}/made/{name}:1"], operation="index to a registry"):
            state.remote.add(name)


def round_index_of_our_own(state, victims):
    for platform in ("amd64", "arm64"):
        wcctl("copy", "--platform", f"linux/{platform}", f"oci:{work}/layout-many:many", f"wc-store:part-{platform}")
    words = ["manifest", "create", "made", "part-amd64", "part-arm64"]
    state.images.discard("made")
    if victims.kill(words, operation="manifest create"):
        state.images.add("made")
        wcctl("copy", "--all", "wc-store:made", f"oci:{layout}:made")
        state.tags.add("made")


def bring_shared(registry):
    wcctl("pull", "-q", f"{registry.address}/base/chunked:0")
    wcctl("tag", f"{registry.address}/base/chunked:0", "shared")
    wcctl("rmi", f"{registry.address}/base/chunked:0")


def round_partial(state, victims):
    """Layers of zstd:chunked that share most files with one that is there."""
    if not state.registry.address:
        return
    if "shared" not in names_of_images():
        bring_shared(state.registry)
    name = f"{state.registry.address}/base/chunked:{chance.choice('12')}"
    state.images.discard("chunked")
    if victims.kill(["pull", "--drop-blobs", name], operation="pull in part"):
        state.images.add("chunked")


def make_container():
    wcctl("run", "--name", "changed", "--network", "none", "one", "sh", "-c",
          "for i in $(seq 300); do head -c 3000 /dev/urandom >/new$i; done; rm -r /home")


def round_remove(state, victims):
    """So that there is something to bring again."""
    for name in names_of_images() - {*BASES, "above", "shared"}:
        for whole in full_names(name):
            wcctl("rmi", whole)
        state.images.discard(name)
    wcctl("system", "prune", "-f", "--partial")  # which takes containers, too
    make_container()
    if chance.random() < 0.5:
        shutil.rmtree(layout, ignore_errors=True)
        state.tags.clear()


def sources(state):
    places = [f"wc-store:{chance.choice(BASES)}", f"oci:{work}/layout-one:one", f"oci:{work}/layout-two:two"]
    return places + [f"docker://{state.registry.address}/base/{name}:1" for name in BASES if state.registry.address]


State.sources = sources
ROUNDS = [round_commit, round_commit, round_squash, round_squash, round_recompress, round_recompress, round_rebase, round_export,
          round_push, round_push, round_save, round_save, round_load, round_load, round_prune, round_prune_to_size,
          round_mount, round_index, round_index, round_index, round_index_of_our_own, round_copy_to_layout, round_copy_to_layout, round_copy_to_archive, round_copy_to_registry, round_copy_to_store, round_partial, round_partial,
          round_remove]


def bring_bases():
    for name in BASES:
        wcctl("pull", "-q", f"oci:{work}/layout-{name}:{name}")
    wcctl("edit", "--append", f"{work}/above", "one", "above")


def prepare(registry):
    os.makedirs(f"{work}/above/app")
    with open(f"{work}/above/app/file", "wb") as file:
        file.write(chance.randbytes(500000))
    for name in BASES + ["other"]:
        subprocess.run([sys.executable, f"{args.source}/tests/support/busybox_image.py", f"{work}/layout-{name}", name, "--files",
                        "400", "--seed", name], check=True)
    for form in "docker", "oci":
        wcctl("copy", "-q", f"oci:{work}/layout-other:other", f"{form}-archive:{work}/load-{form}.tar:loaded:latest")
    bring_bases()
    for name in BASES:
        if registry.address:
            wcctl("push", "-q", name, f"{registry.address}/base/{name}:1")
    subprocess.run([sys.executable, f"{args.source}/tests/support/index_layout.py", f"{work}/layout-many", "many", "--size",
                    "500000"], check=True, stdout=subprocess.DEVNULL)
    if registry.address:
        wcctl("copy", "-q", "--all", "--referrers", f"oci:{work}/layout-many:many", f"docker://{registry.address}/base/many:1")
        for tag, changed in ("0", set()), ("1", {3, 70}), ("2", set(range(0, 200, 9))):
            chunked_layout.put_image(f"{work}/layout-chunked", tag, [chunked_layout.random_layer(1, 200, changed)])
            wcctl("copy", "-q", f"oci:{work}/layout-chunked:{tag}", f"docker://{registry.address}/base/chunked:{tag}")
    make_container()
    os.mkdir(f"{work}/mnt")


def has_nameless_files():
    try:
        os.close(os.open(work, os.O_TMPFILE | os.O_RDWR, 0o600))
        return True
    except OSError:
        return False


def finish(state):
    """Everything can be removed, and nothing is left."""
    state.check()
    litter = [os.path.join(base, name) for base, _, names in os.walk(work) for name in names if ".part-" in name]
    if litter and has_nameless_files():
        raise Failure(f"left behind: {litter[:3]}")
    wcctl("rm", "-f", "changed")
    for image in json.loads(wcctl("--json", "images").stdout):
        wcctl("rmi", "-f", image["Id"], ok=False)
    wcctl("system", "prune", "-a", "-f", "--partial")
    left = [os.path.join(base, name) for folder in ("blobs", "trees", "links", "staging", "ingest")
            for base, _, names in os.walk(f"{root}/{folder}") for name in names]
    if left:
        raise Failure(f"files left: {left[:5]}")


def main(registry):
    prepare(registry)
    state, victims = State(registry), Victims(WCCTL, chance)
    for _ in range(args.rounds):
        chance.choice(ROUNDS)(state, victims)
        state.check()
    finish(state)
    print(f"images: {args.rounds} rounds, {victims.summary()}: nothing lost, nothing half-made, nothing left")


if __name__ == "__main__":
    server = Registry()
    try:
        main(server)
    except (Failure, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as failure:
        print(f"images: seed {args.seed}: {failure!r}; all is kept in {work}", file=sys.stderr)
        sys.exit(1)
    finally:
        server.close()
    shutil.rmtree(work, ignore_errors=True)
